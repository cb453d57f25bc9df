import { DomainError } from '../errors.ts';
import type { Policy } from '../policy/types.ts';
import { daysBetween, type LocalDate } from '../time/dates.ts';
import type { PromiseFact } from './facts.ts';

export interface PromiseAdmission {
  /** Whether the promise stops reminders; otherwise it is kept and a person reviews it. */
  holds: boolean;
  graceDays: number;
  /** Why it does not hold; null where it does. */
  reason: 'tooFarAway' | 'brokenTooOften' | 'promisesOff' | null;
}

/**
 * How a promise is taken (api.md): in the past it is refused (`promiseInPast`); beyond the policy's limits it is kept
 * without a hold and becomes a task. `today` is the creditor's date.
 */
export function admitPromise(
  policy: Policy,
  earlier: readonly Pick<PromiseFact, 'status'>[],
  payOn: LocalDate,
  today: LocalDate,
): PromiseAdmission {
  if (payOn < today) {
    throw new DomainError('promiseInPast', 'A promise names today or a later day.', [
      { pointer: '/payOn', code: 'promiseInPast', message: `${payOn} is before ${today}` },
    ]);
  }
  if (policy.promise === null) return { holds: false, graceDays: 0, reason: 'promisesOff' };
  const { graceDays, maxDays, maxBroken } = policy.promise;
  const broken = earlier.filter((p) => p.status === 'broken').length;
  if (daysBetween(today, payOn) > maxDays) return { holds: false, graceDays, reason: 'tooFarAway' };
  if (broken >= maxBroken) return { holds: false, graceDays, reason: 'brokenTooOften' };
  return { holds: true, graceDays, reason: null };
}
