import { amountFor } from '../money.ts';
import { addDays, type LocalDate } from '../time/dates.ts';
import { nextMoment, opensAt } from '../time/contact-window.ts';
import { instantAt, localDate, type Instant } from '../time/zones.ts';
import { applyAct } from './apply.ts';
import type { Act, CaseTaskKind, Decision, NextAction } from './decision.ts';
import type { CaseFacts, CustomerFacts, StepFact } from './facts.ts';
import { nextWarningAt } from './limitation-warnings.ts';
import { calendarOf } from './moments.ts';
import { nextNote, planEnds, upcomingNote } from './plan-course.ts';
import { onceKey } from './once.ts';
import { isBranch } from './requests.ts';
import { lastGraceDay, type Standing } from './standing.ts';

export { onceKey } from './once.ts';

/** What the parts of `decide` read, gathered once, and the words in which they answer. */
export interface View {
  facts: CaseFacts;
  customer: CustomerFacts;
  now: Instant;
  /** The creditor's date. */
  today: LocalDate;
  here: Standing;
  open: StepFact | null;
}

/** Where no day is free for more than a year, the case looks again after this many days. */
const LOOK_AGAIN_DAYS = 30;

export const act = (...acts: Act[]): Decision => ({ decision: 'act', acts });

/** Opens a task once a run; null where it was opened before. After the notice a ladder's end is another question. */
export function openOnce(
  { facts, today }: View,
  task: Exclude<CaseTaskKind, 'missingAddress' | 'limitationNear'>,
): Decision | null {
  if (facts.tasksOpened.includes(onceKey(facts, task))) return null;
  return act({ act: 'openTask', task, step: null, on: today });
}

/**
 * Waits for `at`, but no longer than until a promise, plan or dated hold ends, a note of the plan is to be sent, or the
 * claim is barred, of which somebody is warned before.
 */
export function wait({ facts, customer, now, today }: View, at: Instant | null, next: NextAction | null): Decision {
  const barred = barredAt(facts, customer);
  const warning = nextWarningAt(facts, customer, today);
  const note = upcomingNote(facts, customer, now);
  const moments = [at, knownEnds(facts, customer)[0]?.at, note?.at, warning, barred].filter(isSet);
  const told = nextNote(facts, customer, now);
  const ahead =
    warning !== null ? taskAt(warning, 'limitationNear') : barred === null ? null : taskAt(barred, 'timeBarred');
  const first = told !== null && (next === null || told.at < next.at) ? told : next;
  return {
    decision: 'wait',
    until: moments.length > 0 ? Math.min(...moments) : null,
    next: first && ahead && ahead.at < first.at ? ahead : first,
  };
}

export const isSet = (at: Instant | null | undefined): at is Instant => at !== null && at !== undefined;

/** When the claim cannot be enforced any more, while nobody was told so. */
function barredAt({ limitationOn, tasksOpened }: CaseFacts, customer: CustomerFacts): Instant | null {
  return limitationOn === null || tasksOpened.includes('timeBarred') ? null : endOf(limitationOn, customer);
}

/** When promises, instalments and dated holds end, soonest first. */
export function knownEnds(
  facts: CaseFacts,
  customer: CustomerFacts,
): { at: Instant; action: 'promiseEnds' | 'planEnds' | 'holdEnds' }[] {
  const ends: { at: Instant; action: 'promiseEnds' | 'planEnds' | 'holdEnds' }[] = [];
  for (const p of facts.promises) {
    if (p.status === 'active') ends.push({ at: endOf(lastGraceDay(p), customer), action: 'promiseEnds' });
  }
  for (const h of facts.holds) {
    if (h.liftedOn === null && h.untilOn !== null) ends.push({ at: endOf(h.untilOn, customer), action: 'holdEnds' });
  }
  const plan = planEnds(facts);
  if (plan !== null) ends.push({ at: endOf(plan, customer), action: 'planEnds' });
  return ends.sort((a, b) => a.at - b.at);
}

/** A promise breaks at the end of its last grace day in the creditor's zone (design rule 9); holds and plans likewise. */
export const endOf = (day: LocalDate, customer: CustomerFacts): Instant =>
  instantAt(day, '24:00', customer.creditorZone);

/** Every day on which what has not gone might go is worth a look. */
export function tomorrowsLook({ facts, customer, now }: View): Instant {
  const calendar = calendarOf(customer, facts.policy.contact);
  const tomorrow = opensAt(addDays(localDate(now, customer.zone), 1), calendar);
  return nextMoment(tomorrow, calendar) ?? lookAgain(now);
}

export const action = ({ channel }: Pick<StepFact, 'channel'>): 'contact' | 'task' =>
  channel === 'email' ? 'contact' : 'task';

export const taskAt = (at: Instant, task: CaseTaskKind): NextAction => ({
  at,
  action: 'task',
  step: null,
  channel: null,
  reason: task,
});

export const nextOf = (at: Instant, kind: NextAction['action'], step: StepFact, reason: string): NextAction => ({
  at,
  action: kind,
  step: isBranch(step.step) ? null : step.step,
  channel: step.channel,
  reason,
});

export const lookAgain = (now: Instant): Instant => now + LOOK_AGAIN_DAYS * 86_400_000;

/** The view after acts were carried out: for looking ahead. */
export function after(view: View, acts: readonly Act[]): View {
  return { ...view, facts: acts.reduce(applyAct, view.facts) };
}

/** Whether what is left to ask for is less than the policy bothers with. */
export function isBelowMinimum(facts: CaseFacts, here: Pick<Standing, 'asksMinor'>): boolean {
  const minimum = amountFor(facts.policy.minimumAmount, facts.currency);
  return minimum !== null && here.asksMinor < minimum;
}
