import { DomainError } from '../../domain/errors.ts';
import { languageOf, type Language } from '../mail/format.ts';
import { widthOf } from './fonts.ts';
import { LEADING, mm } from './page.ts';
import { printable } from './text.ts';

/** Where the address stands so that it is seen through the window of an envelope, in millimetres on an A4 sheet. */
export interface AddressField {
  left: number;
  top: number;
  width: number;
  height: number;
  /** Size of type that is tried first, in points. */
  size: number;
  /** Which end of the field the lines lie at. */
  gravity: 'top' | 'bottom';
  /** Where the sheet is folded. */
  folds: readonly number[];
}

/**
 * The window of a French DL envelope (110 x 220 mm): 100 mm wide, 20 mm from the right and from the lower edge, 35 or 45 mm
 * high. A sheet folded in three slides in it by 11 mm, so what lies between 55 and 79 mm is always seen in both, and
 * between 45 and 79 mm in the higher one. Lines therefore stand at the lower end; the sixth is the limit of the post.
 */
const FRENCH_WINDOW: AddressField = {
  left: 105,
  top: 48,
  width: 82,
  height: 29,
  size: 10.5,
  gravity: 'bottom',
  folds: [99, 198],
};

/**
 * DIN 5008 form B: a field of 85 x 45 mm, 20 mm from the left and 45 mm from the upper edge, of which the upper 17.7 mm are
 * for the return address and remarks, the lower 27.3 mm for six lines of address, indented by 5 mm; a little air keeps them
 * off the return address.
 */
const DIN_5008_B: AddressField = {
  left: 25,
  top: 63.4,
  width: 78,
  height: 26.6,
  size: 10,
  gravity: 'top',
  folds: [105, 210],
};

/** Below this, sorting machines and people stop reading. */
const SMALLEST = 8;

/** The field for letters of creditors in a country (ISO 3166-1 alpha-2): French envelopes in France, DIN 5008 elsewhere. */
export function addressField(creditorCountry: string): AddressField {
  return creditorCountry === 'FR' ? FRENCH_WINDOW : DIN_5008_B;
}

/**
 * Finds the largest size at which the lines fit their field, with the top of each line.
 * @throws DomainError `addressTooLong` when they do not fit at 8 points; `unprintable`
 */
export function fitAddress(
  lines: readonly string[],
  field: AddressField,
): { size: number; lines: { text: string; y: number }[] } {
  const texts = lines.map(printable).filter((line) => line !== '');
  for (let size = field.size; size >= SMALLEST; size -= 0.5) {
    const leading = mm(size * LEADING.address);
    const height = texts.length * leading;
    if (height > field.height || texts.some((text) => widthOf(text, size, 'regular') > field.width)) continue;
    const top = field.gravity === 'top' ? field.top : field.top + field.height - height;
    return { size, lines: texts.map((text, i) => ({ text, y: top + i * leading })) };
  }
  throw new DomainError(
    'addressTooLong',
    `The address does not fit the window of an envelope: ${texts.length} lines, and the longest has ${Math.max(...texts.map((text) => text.length))} characters.`,
  );
}

/** A two-letter country code alone on the last line, as our records have it. */
const COUNTRY_LINE = /^[A-Z]{2}$/;

/** The country code that ends an address, if one does. */
export function countryOf(lines: readonly string[]): string | null {
  const last = lines.at(-1) ?? '';
  return COUNTRY_LINE.test(last) ? last : null;
}

/**
 * An address as the post of the sender's country reads it: within the country nothing is said of it; from or to abroad its
 * name stands last, in capitals and in the sender's language.
 */
export function postalLines(lines: readonly string[], fromCountry: string, abroad?: boolean): string[] {
  const country = countryOf(lines);
  if (country === null) return [...lines];
  return (abroad ?? country !== fromCountry)
    ? [...lines.slice(0, -1), countryName(country, fromCountry)]
    : lines.slice(0, -1);
}

function countryName(code: string, fromCountry: string): string {
  const language = postalLanguage(fromCountry);
  return (new Intl.DisplayNames(language, { type: 'region' }).of(code) ?? code).toLocaleUpperCase(language);
}

/** The language most of a country writes in, where it is one of ours. */
function postalLanguage(country: string): Language {
  return languageOf(new Intl.Locale('und', { region: country }).maximize().language);
}
