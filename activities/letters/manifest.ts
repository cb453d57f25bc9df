/** One letter of a print batch, as a mailing house needs it. */
export interface ManifestRow {
  contactId: string;
  /** Pages in the batch's PDF, counted from 1. */
  pages: { from: number; to: number };
  channel: 'letter' | 'registeredLetter';
  recipient: string;
  /** Without postal code, town and country. */
  addressLines: readonly string[];
  postalCode: string;
  city: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
}

/** The post reads six lines: a name, four of these, and the town. Longer addresses keep all of theirs in the last column. */
const ADDRESS_COLUMNS = 4;
const HEAD = [
  'contactId',
  'pageFrom',
  'pageTo',
  'channel',
  'recipient',
  ...Array.from({ length: ADDRESS_COLUMNS }, (_, i) => `address${i + 1}`),
  'postalCode',
  'city',
  'country',
  'trackingNumber',
];

/**
 * The manifest of a batch as CSV (RFC 4180, comma, CRLF, UTF-8 with a byte order mark). `trackingNumber` is empty: who posts
 * the letters fills it in and gives it back. What a spreadsheet would take for a formula is made text.
 */
export function manifestCsv(rows: readonly ManifestRow[]): string {
  const lines = rows.map((row) => [
    row.contactId,
    String(row.pages.from),
    String(row.pages.to),
    row.channel,
    row.recipient,
    ...addressCells(row.addressLines),
    row.postalCode,
    row.city,
    row.country,
    '',
  ]);
  return `\ufeff${[HEAD, ...lines].map((cells) => `${cells.map(cell).join(',')}\r\n`).join('')}`;
}

function addressCells(lines: readonly string[]): string[] {
  const first = lines.slice(0, ADDRESS_COLUMNS - 1);
  const rest = lines.slice(ADDRESS_COLUMNS - 1).join(', ');
  return [...first, ...Array<string>(ADDRESS_COLUMNS - 1 - first.length).fill(''), rest];
}

function cell(value: string): string {
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
