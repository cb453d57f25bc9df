import { DomainError } from '../errors.ts';
import { addDays, weekday, type LocalDate } from './dates.ts';

/** The public holidays that count, of one place. */
export type Holidays = ReadonlySet<LocalDate>;

/** Monday to Friday, but for public holidays. */
export function isWorkingDay(date: LocalDate, holidays: Holidays): boolean {
  return weekday(date) <= 5 && !holidays.has(date);
}

/** The date itself when it is a working day, else the next one: how a legal period ends (CPC art. 642, BGB § 193). */
export function workingDayOnOrAfter(date: LocalDate, holidays: Holidays): LocalDate {
  let day = date;
  while (!isWorkingDay(day, holidays)) day = addDays(day, 1);
  return day;
}

/** The n-th working day after the date, which itself is not counted; n is a whole number from 1 (`daysInvalid`). */
export function addWorkingDays(date: LocalDate, n: number, holidays: Holidays): LocalDate {
  if (!Number.isInteger(n) || n < 1) throw new DomainError('daysInvalid', 'Working days are counted from 1.');
  let day = date;
  for (let counted = 0; counted < n; counted += 1) day = workingDayOnOrAfter(addDays(day, 1), holidays);
  return day;
}
