import { addDays, type LocalDate } from '../time/dates.ts';
import { instantAt, type Instant } from '../time/zones.ts';
import type { CaseFacts, CustomerFacts } from './facts.ts';

/** So many days before a claim is barred somebody is told, once each. */
export const WARN_DAYS = [180, 90, 30] as const;
export type WarnDays = (typeof WARN_DAYS)[number];

type Limited = Pick<CaseFacts, 'limitationOn' | 'tasksOpened'>;

/** How `tasksOpened` remembers a warning: of this day of limitation, so that a period begun anew is warned of again. */
export const warningKey = (limitationOn: LocalDate, days: number): string => `limitationNear:${limitationOn}:${days}`;

/** The warning of this day: the latest whose day has come; null before the first, once barred, and where nothing is known. */
export function warningOf({ limitationOn }: Limited, today: LocalDate): { on: LocalDate; days: WarnDays } | null {
  if (limitationOn === null || today > limitationOn) return null;
  const days = WARN_DAYS.findLast((ahead) => today >= addDays(limitationOn, -ahead));
  return days === undefined ? null : { on: limitationOn, days };
}

/** Whether a warning is to be given that was not given yet. One that came late takes the place of those before it. */
export function warningDue(facts: Limited, today: LocalDate): boolean {
  const warning = warningOf(facts, today);
  return warning !== null && !facts.tasksOpened.includes(warningKey(warning.on, warning.days));
}

/** When the next warning falls due, at the beginning of its day in the creditor's zone. */
export function nextWarningAt(
  { limitationOn }: Limited,
  { creditorZone }: Pick<CustomerFacts, 'creditorZone'>,
  today: LocalDate,
): Instant | null {
  if (limitationOn === null) return null;
  const day = WARN_DAYS.map((ahead) => addDays(limitationOn, -ahead)).find((on) => on > today);
  return day === undefined ? null : instantAt(day, '00:00', creditorZone);
}
