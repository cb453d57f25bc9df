/** A postal address as it is on record. */
export interface PostalAddress {
  lines: readonly string[];
  postalCode: string;
  city: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
}

/** The lines of an address, postcode and city together, the country last; empty parts are left out, none without one. */
export function addressLines(address: PostalAddress | null): string[] {
  if (address === null) return [];
  const { lines, postalCode, city, country } = address;
  return [...lines, `${postalCode} ${city}`.trim(), country].filter((line) => line !== '');
}
