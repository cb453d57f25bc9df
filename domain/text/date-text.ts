import { isLocalDate, type LocalDate } from '../time/dates.ts';

/** How a column writes dates like `04/05/2026`. */
export type DateOrder = 'dayFirst' | 'monthFirst';

const MONTHS: Record<string, number> = {};
for (const names of [
  'january february march april may june july august september october november december',
  'jan feb mar apr may jun jul aug sep oct nov dec',
  'janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre',
  'janv fevr mars avr mai juin juil aout sept oct nov dec',
  'januar februar marz april mai juni juli august september oktober november dezember',
  'jan feb maerz apr mai jun jul aug sep okt nov dez',
  'janner feber mrz apr mai jun jul aug sept okt nov dez',
]) {
  names.split(' ').forEach((name, i) => (MONTHS[name] = i + 1));
}

const plain = (text: string): string =>
  text
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '');

const ISO = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/;
const COMPACT = /^(\d{4})(\d{2})(\d{2})$/;
const NUMERIC = /^(\d{1,2})[-/. ]\s?(\d{1,2})[-/. ]\s?(\d{4}|\d{2})$/;
const DAY_NAME_YEAR = /^(\d{1,2})(?:\.|er|st|nd|rd|th)?[\s-]+([a-z]+)\.?,?[\s-]+(\d{4}|\d{2})$/;
const NAME_DAY_YEAR = /^([a-z]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})$/;

/** A time of day behind the date, as databases export it, says nothing about the day. */
const withoutTime = (text: string): string =>
  text.trim().replace(/[T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/, '');

/** Two-digit years: 00 to 79 are this century, 80 to 99 the last. */
const fullYear = (text: string): number => (text.length === 4 ? +text : +text < 80 ? 2000 + +text : 1900 + +text);

function date(year: number, month: number, day: number): LocalDate | null {
  const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  return isLocalDate(text) ? text : null;
}

/** A date as people and programs write it, or null when it is none. */
export function parseDateText(text: string, order: DateOrder = 'dayFirst'): LocalDate | null {
  const trimmed = withoutTime(text);
  const whole = ISO.exec(trimmed) ?? COMPACT.exec(trimmed);
  if (whole) return date(+whole[1]!, +whole[2]!, +whole[3]!);
  const numeric = NUMERIC.exec(trimmed);
  if (numeric) {
    const [first, second, year] = [+numeric[1]!, +numeric[2]!, fullYear(numeric[3]!)];
    return order === 'dayFirst' ? date(year, second, first) : date(year, first, second);
  }
  const words = plain(trimmed);
  const dayFirst = DAY_NAME_YEAR.exec(words);
  if (dayFirst) return date(fullYear(dayFirst[3]!), MONTHS[dayFirst[2]!] ?? 0, +dayFirst[1]!);
  const monthFirst = NAME_DAY_YEAR.exec(words);
  if (monthFirst) return date(+monthFirst[3]!, MONTHS[monthFirst[1]!] ?? 0, +monthFirst[2]!);
  return null;
}

/** Gathers over a column what its dates show about their order. */
export class DateOrderEvidence {
  private dayFirst = 0;
  private monthFirst = 0;

  see(text: string): void {
    const numeric = NUMERIC.exec(withoutTime(text));
    if (!numeric) return;
    if (+numeric[1]! > 12) this.dayFirst++;
    else if (+numeric[2]! > 12) this.monthFirst++;
  }

  /** Month first only when the column shows it and nothing in it speaks against; null when nothing speaks at all. */
  order(): DateOrder | null {
    if (this.dayFirst > 0) return 'dayFirst';
    return this.monthFirst > 0 ? 'monthFirst' : null;
  }
}

const MONTH_WORD = '(?:[A-Za-zÀ-ÿ]{3,9})';
const IN_TEXT = new RegExp(
  [
    String.raw`\b\d{4}-\d{2}-\d{2}\b`,
    String.raw`\b\d{1,2}[./-]\s?\d{1,2}[./-]\s?(?:\d{4}|\d{2})\b(?![.,]\d)`,
    String.raw`\b\d{1,2}(?:\.|er|st|nd|rd|th)?\s+${MONTH_WORD}\.?,?\s+\d{4}\b`,
    String.raw`\b${MONTH_WORD}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}\b`,
  ].join('|'),
  'g',
);

/** The dates in running text, day first, each with where it stands. */
export function datesInText(text: string): { at: number; length: number; on: LocalDate }[] {
  const found: { at: number; length: number; on: LocalDate }[] = [];
  for (const match of text.matchAll(IN_TEXT)) {
    const on = parseDateText(match[0]);
    if (on) found.push({ at: match.index, length: match[0].length, on });
  }
  return found;
}
