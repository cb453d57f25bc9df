import { addDays, addMonths, type LocalDate } from '../time/dates.ts';
import { isWorkingDay, workingDayOnOrAfter, type Holidays } from '../time/working-days.ts';

/**
 * How long a period of law or of a letter lasts. Weeks are seven days; months end on the day of the same number, where
 * the month has none on its last day.
 */
export type Period = { days: number } | { weeks: number } | { months: number };

/** How a country reckons periods: whether a last day without work moves, and the text that says so. */
export interface DeadlineRule {
  /** Whether a period that would end on a Saturday, Sunday or public holiday ends on the next working day. */
  movesOffFreeDays: boolean;
  source: string;
}

/**
 * The last day of a period that an event sets going, the day of the event not counted: France CPC art. 641 (days; months
 * end on the same number, else on the last day of the month) and 642 (a last day that is a Saturday, a Sunday or a holiday
 * moves to the next working day); Germany BGB §§ 187(1), 188(1)-(3), 193, which reckon alike. `rule` says whether the last
 * day moves; `holidays` are those of the place that counts: the court's seat for procedure, the debtor's for a letter.
 */
export function lastDayOf(event: LocalDate, period: Period, rule: DeadlineRule, holidays: Holidays): LocalDate {
  const end = unmovedEnd(event, period);
  return rule.movesOffFreeDays ? workingDayOnOrAfter(end, holidays) : end;
}

/**
 * The last day of a period that begins with the start of a day, which then counts: the first of its days (BGB § 187(2),
 * 188(2)). A day earlier than {@link lastDayOf} reckons from the same date; a day that is free moves all the same.
 */
export function lastDayOfPeriodFrom(
  firstDay: LocalDate,
  period: Period,
  rule: DeadlineRule,
  holidays: Holidays,
): LocalDate {
  const next = unmovedEnd(firstDay, period);
  // A month that lacks the day ends on its last one, which is inside of the period then (BGB § 188(3)).
  const isClipped = 'months' in period && next.slice(8) !== firstDay.slice(8);
  const end = isClipped ? next : addDays(next, -1);
  return rule.movesOffFreeDays ? workingDayOnOrAfter(end, holidays) : end;
}

function unmovedEnd(event: LocalDate, period: Period): LocalDate {
  if ('days' in period) return addDays(event, period.days);
  return 'weeks' in period ? addDays(event, 7 * period.weeks) : addMonths(event, period.months);
}

/** The working day before a last day: what is planned for the last day itself is late when anything goes wrong. */
export function planBefore(lastDay: LocalDate, holidays: Holidays): LocalDate {
  let day = addDays(lastDay, -1);
  while (!isWorkingDay(day, holidays)) day = addDays(day, -1);
  return day;
}
