import { LANGUAGES, type Language } from '../../domain/policy/templates.ts';
import type { LocalDate } from '../../domain/time/dates.ts';

export type { Language } from '../../domain/policy/templates.ts';

/** The language of the words for a BCP 47 locale; English where there is none of ours. */
export function languageOf(locale: string): Language {
  return LANGUAGES.find((language) => language === parse(locale)?.language) ?? 'en';
}

/** Prints amounts and dates as readers of the locale write them. */
export interface Formatter {
  /** `1200.00` and `EUR` as `1 200,00 €` with the locale's own spaces; exact for any length, with the decimals given. */
  money(amount: string, currency: string): string;
  /** `4 septembre 2026`, for running text. */
  longDate(date: LocalDate): string;
  /** `4 sept. 2026`, for tables. */
  shortDate(date: LocalDate): string;
  /** `A, B et C`. */
  list(parts: string[]): string;
  /** The plural form that goes with a number. */
  plural(count: number): Intl.LDMLPluralRule;
}

/** A formatter for the locale; its region counts only when its language is one we write. */
export function formatterFor(locale: string): Formatter {
  const language = languageOf(locale);
  const parsed = parse(locale);
  // Plain "en" would print American dates to European readers.
  const tag =
    parsed?.language === language && parsed.region ? parsed.toString() : language === 'en' ? 'en-GB' : language;
  const long = new Intl.DateTimeFormat(tag, { dateStyle: 'long', timeZone: 'UTC' });
  const short = new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeZone: 'UTC' });
  const and = new Intl.ListFormat(tag, { type: 'conjunction' });
  const plurals = new Intl.PluralRules(tag);
  // Intl knows no ordinal for the first of the month, which French writes and reads as one.
  const first = (text: string): string => (language === 'fr' ? text.replace(/^1(?= )/, '1er') : text);
  // The number of the day stays with its month.
  const unbroken = (text: string): string => text.replace(/^(\d+\S*) /, '$1\u00a0');
  return {
    money(amount, currency) {
      // Intl knows fewer decimals for some currencies than ISO 4217: print what the amount has.
      const digits = amount.split('.')[1]?.length ?? 0;
      const style = {
        style: 'currency',
        currency,
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      } as const;
      // A string keeps every digit; only its type is narrower than what we know it holds.
      return new Intl.NumberFormat(tag, style).format(amount as Intl.StringNumericLiteral);
    },
    longDate: (date) => unbroken(first(long.format(Date.parse(`${date}T00:00:00Z`)))),
    shortDate: (date) => first(short.format(Date.parse(`${date}T00:00:00Z`))),
    list: (parts) => and.format(parts),
    plural: (count) => plurals.select(count),
  };
}

function parse(locale: string): Intl.Locale | null {
  try {
    return new Intl.Locale(locale);
  } catch {
    return null;
  }
}

/** Invisible marks that turn the direction of what follows; a name must not be able to turn the text around it. */
const DIRECTION_MARKS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const CONTROLS = /[\p{Cc}\u2028\u2029]+/gu;
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/**
 * One line of foreign text made safe to stand in ours: no line breaks or control characters, no broken surrogates, and
 * writing from right to left kept apart from what surrounds it. It is not yet escaped.
 */
export function oneLine(text: string): string {
  const line = text
    .replace(DIRECTION_MARKS, '')
    .replace(CONTROLS, ' ')
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/ {2,}/g, ' ')
    .trim();
  return RIGHT_TO_LEFT.test(line) ? `\u2068${line}\u2069` : line;
}
