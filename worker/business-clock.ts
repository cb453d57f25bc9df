import type { BusinessClock } from '../activities/deps.ts';
import { businessNow, realDelay, type ClockSetting } from '../domain/time/business-clock.ts';

/** The business clock of this process: the kept setting over the machine's clock. */
export function createBusinessClock(setting: ClockSetting, realNow: () => number = Date.now): BusinessClock {
  const now = (): number => businessNow(setting, realNow());
  return { setting, now, delayUntil: (at) => realDelay(setting, now(), at) };
}
