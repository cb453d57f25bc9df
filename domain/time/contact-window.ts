import type { ContactWindow, Period } from '../policy/types.ts';
import { addDays, weekday, type LocalDate } from './dates.ts';
import type { Holidays } from './working-days.ts';
import { instantAt, localDate, type Instant } from './zones.ts';

/** Everything that says when a customer may be contacted; gap and cap, which need past contacts, are outreach's. */
export interface ContactCalendar {
  window: ContactWindow;
  /** The customer's IANA time zone. */
  zone: string;
  /** The holidays that `window.holidays` names: the customer's, the creditor's or none at all. */
  holidays: Holidays;
  /** The creditor's closed weeks, first and last day included. */
  closed: readonly Period[];
}

/** Beyond this many days without a contact day the calendar is taken to have none. */
const HORIZON_DAYS = 400;

/** Whether contacts may leave on this date of the customer's: a weekday of the window, no holiday, not closed. */
export function isContactDay(date: LocalDate, calendar: ContactCalendar): boolean {
  if (!calendar.window.weekdays.includes(weekday(date)) || calendar.holidays.has(date)) return false;
  return !calendar.closed.some((period) => period.from <= date && date <= period.to);
}

/** The first moment of the window on that date, be it a contact day or not. */
export function opensAt(date: LocalDate, calendar: ContactCalendar): Instant {
  return instantAt(date, calendar.window.from, calendar.zone);
}

/** The end of the window on that date; at this moment it is closed already. */
export function closesAt(date: LocalDate, calendar: ContactCalendar): Instant {
  return instantAt(date, calendar.window.to, calendar.zone);
}

/** The earliest moment at or after `from` inside the window of a contact day; `null` when 400 days bring none. */
export function nextMoment(from: Instant, calendar: ContactCalendar): Instant | null {
  let date = localDate(from, calendar.zone);
  for (let looked = 0; looked <= HORIZON_DAYS; looked += 1) {
    if (isContactDay(date, calendar)) {
      // A window that lies wholly within an hour the clocks jump over is empty: it opens when it closes.
      const moment = Math.max(from, opensAt(date, calendar));
      if (moment < closesAt(date, calendar)) return moment;
    }
    date = addDays(date, 1);
  }
  return null;
}

/** The first moment of the window on that date, or on the next contact day after it; `null` when 400 days bring none. */
export function nextMomentOnOrAfterDay(date: LocalDate, calendar: ContactCalendar): Instant | null {
  return nextMoment(instantAt(date, '00:00', calendar.zone), calendar);
}
