import type { Instant } from '../domain/time/zones.ts';
import type { BusinessClock } from './deps.ts';

/**
 * How late, by the real clock, something may run and still count as having run at its moment. Everything slower was an
 * outage, and the policy's `late` decides.
 */
export const PUNCTUAL_MS = 5_000;

/**
 * The business instant that is judged: the planned one when what was planned runs punctually, else now. In compressed
 * time a delay of milliseconds is hours of business, so windows and gaps are judged on the plan (design rule 8).
 */
export function plannedNow(clock: BusinessClock, planned: Instant | null): Instant {
  const now = clock.now();
  if (planned === null || planned > now) return now;
  const lateBusiness = now - planned;
  const lateReal = (lateBusiness * clock.setting.dayMs) / 86_400_000;
  return lateReal <= PUNCTUAL_MS ? planned : now;
}
