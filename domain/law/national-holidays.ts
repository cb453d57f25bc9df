import { addDays, type LocalDate } from '../time/dates.ts';
import type { Holidays } from '../time/working-days.ts';

/**
 * Holidays of the whole of Germany (the laws of all Länder; 3 October by the Einigungsvertrag art. 2(2)), which move a due
 * date by BGB § 193. Those of single Länder are left out: the place of performance is not on record. Other countries move
 * no due date, so none are given. Written out, since a claim is worked out inside transactions and the library of holidays belongs
 * to the activities; a test holds both against each other.
 */
export function dueDateHolidays(country: string, fromYear: number, toYear: number): Holidays {
  const found = new Set<LocalDate>();
  if (country !== 'DE') return found;
  for (let year = fromYear; year <= toYear; year++) {
    const easter = easterOf(year);
    for (const days of [-2, 1, 39, 50]) found.add(addDays(easter, days));
    for (const day of ['01-01', '05-01', '10-03', '12-25', '12-26']) found.add(`${year}-${day}`);
  }
  return found;
}

/** Easter Sunday in the Gregorian calendar (Gauss's rule in its anonymous form of 1876). */
export function easterOf(year: number): LocalDate {
  const div = (a: number, b: number): number => Math.floor(a / b);
  const a = year % 19;
  const b = div(year, 100);
  const c = year % 100;
  const h = (19 * a + b - div(b, 4) - div(b - div(b + 8, 25) + 1, 3) + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * div(c, 4) - h - (c % 4)) % 7;
  const m = div(a + 11 * h + 22 * l, 451);
  const month = div(h + l - 7 * m + 114, 31);
  const day = ((h + l - 7 * m + 114) % 31) + 1;
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}
