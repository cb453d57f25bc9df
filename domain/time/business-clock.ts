import { DomainError } from '../errors.ts';
import type { Instant } from './zones.ts';

/**
 * The business clock: at the real moment `anchorReal` it showed `anchorBusiness`, and 24 of its hours last `dayMs` real
 * milliseconds (a whole number from 1 to 86 400 000). Kept with the data.
 */
export interface ClockSetting {
  anchorReal: number;
  anchorBusiness: number;
  dayMs: number;
}

const DAY_MS = 86_400_000;

/** The business clock of a system that is not compressed: it shows the real time. */
export const REAL_TIME: ClockSetting = { anchorReal: 0, anchorBusiness: 0, dayMs: DAY_MS };

/**
 * What the business clock shows at a real moment, in whole milliseconds rounded down. Before the anchor it stands still:
 * a real clock that is set back does not take business time behind where it began.
 */
export function businessNow(setting: ClockSetting, realNow: number): Instant {
  const elapsed = Math.max(0, Math.floor(realNow) - setting.anchorReal);
  // Whole days apart from the rest of a day: both products stay below 2^53, so nothing is rounded on the way.
  const days = Math.floor(elapsed / setting.dayMs);
  const rest = elapsed - days * setting.dayMs;
  return setting.anchorBusiness + days * DAY_MS + Math.floor((rest * DAY_MS) / setting.dayMs);
}

/**
 * Real milliseconds from business moment `from` to `until`, rounded up, 0 when `until` is not later. Who reads `from`
 * off the clock and sleeps that long finds the clock at `until` or just after, never before.
 */
export function realDelay(setting: ClockSetting, from: Instant, until: Instant): number {
  const ahead = Math.max(0, until - from);
  const days = Math.floor(ahead / DAY_MS);
  const rest = ahead - days * DAY_MS;
  return days * setting.dayMs + Math.ceil((rest * setting.dayMs) / DAY_MS);
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Real length of 24 business hours in milliseconds: a number with `ms`, `s`, `m` or `h` (`2s`, `500ms`, `1.5m`, `24h`),
 * a whole number of milliseconds from `1ms` to `24h`. Throws `dayInvalid`.
 */
export function parseDay(text: string): number {
  const parts = /^(\d{1,8})(?:\.(\d{1,3}))?(ms|s|m|h)$/.exec(text);
  const [, whole = '', decimals = '', unit = ''] = parts ?? [];
  const thousandths = Number(whole) * 1000 + Number(decimals.padEnd(3, '0'));
  const milliseconds = (thousandths * (UNIT_MS[unit] ?? 0)) / 1000;
  if (!parts || !Number.isInteger(milliseconds) || milliseconds < 1 || milliseconds > DAY_MS) {
    throw new DomainError('dayInvalid', 'The length of a day is a number with ms, s, m or h, from "1ms" to "24h".');
  }
  return milliseconds;
}
