import type { Step } from '../policy/types.ts';
import { addDays, daysBetween, later, type LocalDate } from '../time/dates.ts';
import type { CaseFacts, StepFact } from './facts.ts';
import { heldSpans, shiftedBy } from './standing.ts';

/** A step of the policy as this case sees it. */
export interface Rung {
  step: Step;
  index: number;
  /** Its unshifted day lies before the due date. */
  beforeDue: boolean;
  /** The day it is due on after all shifts; null while it hangs on a step that has not left. */
  ownDay: LocalDate | null;
  /** What became of it; null while it is still to come. */
  record: StepFact | null;
}

/** Requests that are none of the policy's steps: what outreach sends besides the ladder. */
export const THANK_YOU = '~thankYou';

/**
 * The case's ladder on `today` (the creditor's date). Own days follow design rule 9: holds on the whole move them by
 * their length, counted from the due date on; where a step re-anchored the ladder, later ones keep their distance from
 * the day it left; after a broken promise the next rung is due the day after.
 */
export function ladder(facts: CaseFacts, today: LocalDate): Rung[] {
  const spans = heldSpans(facts, today);
  const { steps } = facts.policy;
  const nominal = nominalDays(facts);
  const records = steps.map((s) => latestRecord(facts, s.key));
  const sentBefore = facts.lastStepSent === null ? -1 : steps.findIndex((s) => s.key === facts.lastStepSent);
  const anchorIndex = records.findLastIndex((r) => r?.reanchors === true && r.status !== 'skipped');
  const broken = lastBrokenPromise(facts);

  const rungs: Rung[] = [];
  for (const [index, step] of steps.entries()) {
    let ownDay: LocalDate | null;
    const record = records[index] ?? (index <= sentBefore ? sentElsewhere(facts, step, nominal[index]!) : null);
    if (step.from === 'previous' && index > 0) {
      const left = dayOf(rungs[index - 1]!);
      ownDay = left === null ? null : shiftedBy(spans, left, addDays(left, step.day));
    } else if (anchorIndex >= 0 && index > anchorIndex) {
      const anchor = records[anchorIndex]!;
      const on = anchor.leftOn ?? anchor.plannedOn;
      ownDay = shiftedBy(spans, on, addDays(on, daysBetween(nominal[anchorIndex]!, nominal[index]!)));
    } else {
      ownDay = shiftedBy(spans, facts.dueOn, nominal[index]!);
    }
    const beforeDue = nominal[index]! < facts.dueOn;
    if (broken !== null && record === null && !beforeDue && ownDay !== null && ownDay > broken) {
      const isNext = !rungs.some((r) => r.record === null && !r.beforeDue);
      if (isNext) ownDay = addDays(broken, 1);
    }
    rungs.push({ step, index, beforeDue, ownDay, record });
  }
  return rungs;
}

/** Days of the steps before any shift; `previous` counts from the nominal day of the step before. */
export function nominalDays(facts: Pick<CaseFacts, 'policy' | 'dueOn' | 'issuedOn'>): LocalDate[] {
  const days: LocalDate[] = [];
  for (const step of facts.policy.steps) {
    const from = step.from === 'due' ? facts.dueOn : step.from === 'issued' ? facts.issuedOn : (days.at(-1) ?? facts.dueOn);
    days.push(addDays(from, step.day));
  }
  return days;
}

/**
 * From when the ladder may begin: the day the invoice became known here, `chaseFrom`, or the failure of its direct
 * debit, whichever is last.
 */
export function entryDay(facts: CaseFacts): LocalDate {
  let day = facts.registeredOn;
  if (facts.chaseFrom !== null) day = later(day, facts.chaseFrom);
  if (facts.collection.failedOn !== null) day = later(day, facts.collection.failedOn);
  return day;
}

/** Whether the customer has heard of this invoice: from us, or as `lastStepSent` says from somebody before us. */
export function wasContacted(facts: CaseFacts): boolean {
  return facts.lastStepSent !== null || facts.steps.some((s) => s.status === 'left' && s.step !== THANK_YOU);
}

export const contactedByUs = (facts: CaseFacts): boolean =>
  facts.steps.some((s) => s.status === 'left' && s.step !== THANK_YOU);

/** The open request or approval of a case: at most one. */
export function openStep(facts: CaseFacts): StepFact | null {
  return (
    facts.steps.find(
      (s) => s.step !== THANK_YOU && (s.status === 'awaitingApproval' || s.status === 'requested' || s.status === 'queued'),
    ) ?? null
  );
}

function latestRecord(facts: CaseFacts, key: string): StepFact | null {
  let latest: StepFact | null = null;
  for (const s of facts.steps) if (s.step === key && (latest === null || s.occurrence > latest.occurrence)) latest = s;
  return latest;
}

function sentElsewhere(facts: CaseFacts, step: Step, day: LocalDate): StepFact {
  return {
    id: null,
    step: step.key,
    occurrence: 1,
    status: 'skipped',
    channel: step.channel,
    plannedAt: facts.registeredAt,
    plannedOn: day,
    leftOn: null,
    reanchors: false,
    reason: 'sentBefore',
    redraw: false,
  };
}

/** The day a `previous` step counts from: when the rung really left, or when it was passed over. */
function dayOf(rung: Rung): LocalDate | null {
  if (rung.record === null) return null;
  return rung.record.leftOn ?? rung.record.plannedOn;
}

/** Last day of the latest promise on the whole that broke with nothing sent since; null if there is none. */
function lastBrokenPromise(facts: CaseFacts): LocalDate | null {
  let last: LocalDate | null = null;
  for (const p of facts.promises) {
    if (p.status !== 'broken' || !p.holds || p.amountMinor !== null || p.endedOn === null) continue;
    if (last === null || p.endedOn > last) last = p.endedOn;
  }
  if (last === null || last < facts.dueOn) return null;
  const broken = last;
  return facts.steps.some((s) => s.leftOn !== null && s.leftOn > broken) ? null : broken;
}
