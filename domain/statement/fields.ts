import { currencyExponent, isCurrency } from '../money.ts';
import { isLocalDate, type LocalDate } from '../time/dates.ts';
import type { RejectedRecord } from './transaction.ts';

/** Why one record cannot be used; whoever reads the file says where it stands and goes on with the next. */
export class RecordFault extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'RecordFault';
    this.code = code;
  }

  at(position: string): RejectedRecord {
    return { position, code: this.code, message: this.message };
  }
}

const MAX_INTEGER_DIGITS = 15;
/** As for every other amount: what PostgreSQL's bigint holds with room for sums. Only four-decimal codes come near it. */
const MAX_MINOR = 10n ** 18n - 1n;

/**
 * Unsigned minor units of an amount as bank files write it: digits, a point or a comma, any number of decimals, none or
 * nothing before the mark (`200000`, `01.00`, `8.850`, `1125250,4`, `12,`). Throws a `RecordFault`: `unknownCurrency`,
 * `amountInvalid`, or `tooManyDecimals` where digits other than zero stand behind what the currency has.
 */
export function amountOf(text: string, currency: string): bigint {
  if (!isCurrency(currency)) throw new RecordFault('unknownCurrency', 'The currency is not an ISO 4217 code in use.');
  const parts = /^0*(\d*)(?:[.,](\d*))?$/.exec(text);
  if (!parts || !/\d/.test(text) || parts[1]!.length > MAX_INTEGER_DIGITS) {
    throw new RecordFault('amountInvalid', 'The amount is not a number that can be read.');
  }
  const exponent = currencyExponent(currency);
  const decimals = parts[2] ?? '';
  if (/[^0]/.test(decimals.slice(exponent))) {
    throw new RecordFault('tooManyDecimals', `The amount has more decimals than ${currency} has.`);
  }
  const minor = BigInt(parts[1] + decimals.slice(0, exponent).padEnd(exponent, '0'));
  if (minor > MAX_MINOR) throw new RecordFault('amountInvalid', 'The amount is too large.');
  return minor;
}

/** An amount that moves money. Throws as `amountOf`, and `amountZero`. */
export function movedAmount(text: string, currency: string): bigint {
  const minor = amountOf(text, currency);
  if (minor === 0n) throw new RecordFault('amountZero', 'The amount is zero: nothing moved.');
  return minor;
}

/** The day of `YYYY-MM-DD` with or without a time behind it, as the bank wrote it. Throws `dateInvalid`. */
export function isoDay(text: string): LocalDate {
  const day = text.slice(0, 10);
  if (!isLocalDate(day)) throw new RecordFault('dateInvalid', 'A date is not one that exists.');
  return day;
}

/** The century of a year that is told by two digits: 00 to 79 are this one, 80 to 99 the last. */
export const fullYear = (twoDigits: string): string => (twoDigits < '80' ? `20${twoDigits}` : `19${twoDigits}`);

/** What of a text is kept: a remittance has at most a few hundred characters, and nobody reads more. */
const MAX_TEXT = 4_000;
const MAX_ID = 200;

/** Words of printable ASCII with single blanks between them: most texts are, and looking is cheaper than writing anew. */
const CLEAN = /^[!-~]+(?: [!-~]+)*$/;

/** White space collapsed, no control characters; null where nothing is left. */
export function cleanText(text: string | null | undefined): string | null {
  if (text === null || text === undefined || text === '') return null;
  const clean = CLEAN.test(text) ? text : text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return clean === '' ? null : clean.length > MAX_TEXT ? whole(clean.slice(0, MAX_TEXT)) : clean;
}

/** Without the first half of a pair that a cut left behind. */
const whole = (text: string): string => (/[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text);

/** Texts in their order, joined by a blank; null where none says anything. */
export const joinTexts = (texts: readonly (string | null | undefined)[]): string | null =>
  cleanText(texts.filter((text) => text !== null && text !== undefined && text !== '').join(' '));

const ABSENT = /^(?:NOT ?PROVIDED|NOT ?AVAILABLE|NON ?REF|NO ?REF|NONE|[0\s.\-/]*)$/i;

/** An id as it stands there, or null where the bank only says that there is none. */
export function realId(text: string | null | undefined): string | null {
  const clean = cleanText(text);
  if (clean === null || ABSENT.test(clean)) return null;
  return clean.length > MAX_ID ? whole(clean.slice(0, MAX_ID)) : clean;
}

/** IBAN or other number: without spaces, upper case. */
export function accountOf(text: string | null | undefined): string | null {
  const clean = realId(text);
  return clean === null ? null : clean.replaceAll(' ', '').toUpperCase();
}

/** A structured reference without spaces. */
export function referenceOf(text: string | null | undefined): string | null {
  return realId(text)?.replaceAll(' ', '') ?? null;
}

const BELGIAN = /(\+\+\+|\*\*\*) ?(\d{3})\/(\d{4})\/(\d{5}) ?\1/g;

/** Structured references of Belgium within a text (`+++090/9337/55493+++`), as digits, where their check digits are right. */
export function belgianReferences(text: string | null): string[] {
  if (text === null || !(text.includes('+++') || text.includes('***'))) return [];
  return [...text.matchAll(BELGIAN)]
    .map(([, , ...parts]) => parts.join(''))
    .filter((digits) => (Number(digits.slice(0, 10)) % 97 || 97) === Number(digits.slice(10)));
}
