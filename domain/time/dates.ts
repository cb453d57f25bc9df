/**
 * Plain dates as `YYYY-MM-DD` strings: they compare with `<`, travel as they are, and carry no zone. Arithmetic counts
 * civil days, so it needs no zone either; `zones.ts` is the one place that goes between dates and instants.
 */
export type LocalDate = string;

const DAY_MS = 86_400_000;

/** Days since 1970-01-01. */
export function dayNumber(date: LocalDate): number {
  return Date.UTC(Number(date.slice(0, 4)), Number(date.slice(5, 7)) - 1, Number(date.slice(8, 10))) / DAY_MS;
}

/** The date that many days after 1970-01-01. */
export function dateOfDayNumber(days: number): LocalDate {
  const date = new Date(days * DAY_MS);
  // By hand: claims over years of movements ask this hundreds of times.
  return `${date.getUTCFullYear()}-${TWO[date.getUTCMonth() + 1]}-${TWO[date.getUTCDate()]}`;
}

const TWO = Array.from({ length: 32 }, (_, n) => String(n).padStart(2, '0'));

/** `days` calendar days later (earlier when negative). */
export function addDays(date: LocalDate, days: number): LocalDate {
  return dateOfDayNumber(dayNumber(date) + days);
}

/** Calendar days from `a` to `b`; negative when `b` is earlier. */
export function daysBetween(a: LocalDate, b: LocalDate): number {
  return dayNumber(b) - dayNumber(a);
}

/** ISO weekday: 1 Monday to 7 Sunday. */
export function weekday(date: LocalDate): number {
  return ((((dayNumber(date) + 3) % 7) + 7) % 7) + 1;
}

/** Same day `years` later; 29 February becomes the 28th where the target year has none. */
export function addYears(date: LocalDate, years: number): LocalDate {
  const [y, m, d] = date.split('-').map(Number) as [number, number, number];
  const moved = new Date(Date.UTC(y + years, m - 1, d));
  const last = moved.getUTCMonth() === m - 1 ? moved : new Date(Date.UTC(y + years, m, 0));
  return last.toISOString().slice(0, 10);
}

/** Same number of the day `months` later; where the month has no such day, its last one. */
export function addMonths(date: LocalDate, months: number): LocalDate {
  const [y, m, d] = date.split('-').map(Number) as [number, number, number];
  const last = new Date(Date.UTC(y, m + months, 0)).getUTCDate();
  return new Date(Date.UTC(y, m - 1 + months, Math.min(d, last))).toISOString().slice(0, 10);
}

/** The first day of the month that a day is in. */
export const firstOfMonth = (date: LocalDate): LocalDate => `${date.slice(0, 7)}-01`;

const MONTH_LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether the text is a date that exists, written `YYYY-MM-DD`, years 1900 to 2999. */
export function isLocalDate(text: string): boolean {
  if (!/^(19|2\d)\d{2}-\d{2}-\d{2}$/.test(text)) return false;
  // By hand: a bank file asks this for every record.
  const year = Number(text.slice(0, 4));
  const month = Number(text.slice(5, 7));
  const day = Number(text.slice(8));
  const isLeapDay = month === 2 && day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day > 0 && (day <= (MONTH_LENGTHS[month - 1] ?? 0) || isLeapDay);
}

export const later = (a: LocalDate, b: LocalDate): LocalDate => (a > b ? a : b);
export const earlier = (a: LocalDate, b: LocalDate): LocalDate => (a < b ? a : b);
