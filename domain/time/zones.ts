import { DomainError } from '../errors.ts';
import { addDays, dateOfDayNumber, dayNumber, isLocalDate, type LocalDate } from './dates.ts';

/** A moment: milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Days remembered per zone before the memory is emptied: some 80 years, far more than one simulation walks. */
const REMEMBERED_DAYS = 30_000;

/** The offset over one UTC day: `before` until `at`, `after` from then on. On most days the two are the same. */
interface DayOffset {
  before: number;
  at: Instant;
  after: number;
}

interface ZoneRules {
  format: Intl.DateTimeFormat;
  days: Map<number, DayOffset>;
}

/**
 * Making an Intl formatter costs more than all arithmetic here, so one is kept per zone and is asked at most twice per
 * UTC day (a few dozen times on a day the clocks change). What is kept depends on nothing but the zone: the functions
 * stay pure.
 */
const zones = new Map<string, ZoneRules>();

/** Whether the text names a time zone of the IANA database (`Europe/Paris`, `UTC`); bare offsets (`+01:00`) are not. */
export function isTimeZone(zone: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(zone)) return false;
  try {
    rulesOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** The date that the calendar on the wall shows there at that moment. */
export function localDate(at: Instant, zone: string): LocalDate {
  return dateOfDayNumber(Math.floor((at + offsetAt(at, zone)) / DAY_MS));
}

/**
 * The moment at which a clock on the wall shows this date and time (`HH:MM`; `24:00` is 00:00 of the next day). A time
 * that the clocks jump over becomes the first moment after the jump; of a time that comes twice it is the earlier.
 * Throws `timeInvalid`, `timeZoneInvalid`.
 */
export function instantAt(date: LocalDate, hhmm: string, zone: string): Instant {
  if (hhmm === '24:00') return instantAt(addDays(date, 1), '00:00', zone);
  const wall = dayNumber(date) * DAY_MS + minutesOf(hhmm) * MINUTE_MS;
  // Zones are at most 15 hours from UTC: a day to either side surely lies before and after a change of clocks near by.
  const before = offsetAt(wall - DAY_MS, zone);
  const after = offsetAt(wall + DAY_MS, zone);
  if (before === after) return wall - before;
  const candidates = [wall - before, wall - after].filter((at) => at + offsetAt(at, zone) === wall);
  if (candidates.length > 0) return Math.min(...candidates);
  return changeBetween(wall - after, wall - before, before, zone);
}

/** ISO 8601 in UTC with milliseconds, the form in which instants leave the program. */
export function isoInstant(at: Instant): string {
  return new Date(at).toISOString();
}

/**
 * Reads an ISO 8601 date and time with `Z` or an offset; seconds and fraction may be missing, digits beyond the
 * millisecond are dropped. Throws `instantInvalid`, also for a text without an offset: it would be a moment nowhere.
 */
export function parseInstant(text: string): Instant {
  const parts =
    /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/.exec(
      text,
    );
  if (!parts || !isLocalDate(parts[1] as string)) {
    throw new DomainError('instantInvalid', 'An instant is written like "2026-11-20T09:00:00Z".');
  }
  const [, date, hours, minutes, seconds = '0', fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = parts;
  const wall = dayNumber(date as string) * DAY_MS + (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * MINUTE_MS * (sign === '-' ? -1 : 1);
  return wall - offset + Number(seconds) * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'));
}

/** Minutes since midnight of `HH:MM`. */
function minutesOf(hhmm: string): number {
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(hhmm)) {
    throw new DomainError('timeInvalid', 'A time of day is written HH:MM, from 00:00 to 24:00.');
  }
  return Number(hhmm.slice(0, 2)) * 60 + Number(hhmm.slice(3));
}

function rulesOf(zone: string): ZoneRules {
  const known = zones.get(zone);
  if (known) return known;
  const rules: ZoneRules = { format: formatFor(zone), days: new Map() };
  zones.set(zone, rules);
  return rules;
}

function formatFor(zone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  } catch {
    throw new DomainError('timeZoneInvalid', 'A time zone is a name of the IANA database, like "Europe/Paris".');
  }
}

/** What is added to UTC there at that moment, in milliseconds; positive east of Greenwich. */
function offsetAt(at: Instant, zone: string): number {
  const rules = rulesOf(zone);
  const day = Math.floor(at / DAY_MS);
  let known = rules.days.get(day);
  if (!known) {
    if (rules.days.size >= REMEMBERED_DAYS) rules.days.clear();
    known = offsetsOfDay(day, rules.format);
    rules.days.set(day, known);
  }
  return at < known.at ? known.before : known.after;
}

/** Clocks change at most once within a UTC day; where its two ends differ the change is found by halving. */
function offsetsOfDay(day: number, format: Intl.DateTimeFormat): DayOffset {
  let low = day * DAY_MS;
  let high = low + DAY_MS;
  const before = readOffset(low, format);
  const after = readOffset(high, format);
  if (before === after) return { before, at: low, after };
  while (high - low > 1000) {
    const middle = low + Math.floor((high - low) / 2000) * 1000;
    if (readOffset(middle, format) === before) low = middle;
    else high = middle;
  }
  return { before, at: high, after };
}

function readOffset(at: Instant, format: Intl.DateTimeFormat): number {
  // "11/20/2026, 10:00:00"
  const [month, day, year, hour, minute, second] = format.format(at).match(/\d+/g)!.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}

/** The moment in (low, high] from which the offset is no longer `before`. */
function changeBetween(low: Instant, high: Instant, before: number, zone: string): Instant {
  let last = low;
  let first = high;
  while (first - last > 1) {
    const middle = Math.floor((last + first) / 2);
    if (offsetAt(middle, zone) === before) last = middle;
    else first = middle;
  }
  return first;
}
