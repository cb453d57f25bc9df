import { isBeforeDue } from '../policy/steps.ts';
import type { Step } from '../policy/types.ts';
import { addDays, daysBetween, earlier, later, type LocalDate } from '../time/dates.ts';
import type { CaseFacts, StepFact } from './facts.ts';
import { isAside, isBranch } from './requests.ts';
import { heldSpans, promiseHeldAll, shiftedBy } from './standing.ts';

/** A step of the policy as this case sees it. */
export interface Rung {
  step: Step;
  index: number;
  /** It speaks of an invoice that is not due yet, and never leaves on or after the due date. */
  beforeDue: boolean;
  /** The day it is due on after all shifts; null while it hangs on a step that has not left. */
  ownDay: LocalDate | null;
  /** What became of it; null while it is still to come. */
  record: StepFact | null;
}

/** What a case knows of its ladder before anything happens to it. */
type LadderFacts = Pick<CaseFacts, 'policy' | 'dueOn' | 'issuedOn'>;

/**
 * The case's ladder on `today` (the creditor's date). Own days follow design rule 9: holds on the whole move them by
 * their length, counted from the due date on; where a step re-anchored the ladder, later ones keep their distance from
 * the day it left; after a promise that held everything broke, the next rung is due the day after.
 */
export function ladder(facts: CaseFacts, today: LocalDate): Rung[] {
  const spans = heldSpans(facts, today);
  const nominal = nominalDays(facts);
  const notes = notesBeforeDue(facts);
  const records = recordsOf(facts, nominal);
  const anchor = anchorOf(records, nominal);
  const broken = lastBrokenWord(facts);
  const shift = (since: LocalDate, day: LocalDate): LocalDate => shiftedBy(spans, later(since, facts.dueOn), day);

  const rungs: Rung[] = [];
  let pulled = broken === null;
  for (const [index, step] of facts.policy.steps.entries()) {
    const record = records[index] ?? null;
    const beforeDue = notes[index]!;
    let ownDay: LocalDate | null;
    if (step.from === 'previous' && index > 0) {
      const left = dayOf(rungs[index - 1]!);
      ownDay = left === null ? null : shift(left, addDays(left, step.day));
      if (ownDay !== null && !beforeDue) ownDay = later(ownDay, addDays(facts.dueOn, 1));
    } else if (anchor !== null && index > anchor.index) {
      ownDay = shift(anchor.on, addDays(anchor.on, daysBetween(nominal[anchor.index]!, nominal[index]!)));
    } else {
      ownDay = shift(facts.dueOn, nominal[index]!);
    }
    const pulledTo = facts.stepNow?.step === step.key ? facts.stepNow.on : null;
    // What speaks of a late invoice is not pulled to a day on which, the due date having moved, it is not late.
    if (pulledTo !== null && ownDay !== null && (beforeDue || pulledTo > facts.dueOn))
      ownDay = earlier(ownDay, pulledTo);
    if (!pulled && !beforeDue && cameAfter(record, broken!)) {
      pulled = true;
      if (ownDay !== null && ownDay > broken!) ownDay = addDays(broken!, 1);
    }
    rungs.push({ step, index, beforeDue, ownDay, record });
  }
  return rungs;
}

/**
 * Days of the steps before any shift. `previous` counts from the nominal day of the step before. What speaks of a late
 * invoice but counts from its issue waits for the day after the due date, and where anchors are mixed a step never comes
 * before the one it follows.
 */
export function nominalDays(facts: LadderFacts): LocalDate[] {
  const notes = notesBeforeDue(facts);
  const days: LocalDate[] = [];
  for (const [index, step] of facts.policy.steps.entries()) {
    let day = addDays(anchorDay(facts, step, days.at(-1) ?? facts.dueOn), step.day);
    if (!notes[index]) {
      if (step.from !== 'due') day = later(day, addDays(facts.dueOn, 1));
      if (index > 0) day = later(day, addDays(days[index - 1]!, 1));
    }
    days.push(day);
  }
  return days;
}

/**
 * Which steps are notes before the due date: those the policy says are, and calls that count from the issue date and so
 * fall before it. None comes after a step that speaks of a late invoice.
 */
export function notesBeforeDue(facts: LadderFacts): boolean[] {
  let stillBefore = true;
  return facts.policy.steps.map((step) => {
    const earlyCall =
      step.template === 'call-script' && step.from === 'issued' && addDays(facts.issuedOn, step.day) < facts.dueOn;
    stillBefore &&= isBeforeDue(step) || earlyCall;
    return stillBefore;
  });
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
export const wasContacted = (facts: CaseFacts): boolean => facts.lastStepSent !== null || contactedByUs(facts);

export const contactedByUs = (facts: CaseFacts): boolean =>
  facts.steps.some((s) => s.status === 'left' && !isAside(s.step) && !isBranch(s.step));

/** The open request or approval of a case: at most one. */
export function openStep(facts: CaseFacts): StepFact | null {
  return (
    facts.steps.find(
      (s) => !isAside(s.step) && (s.status === 'awaitingApproval' || s.status === 'requested' || s.status === 'queued'),
    ) ?? null
  );
}

function anchorDay(facts: LadderFacts, step: Step, previous: LocalDate): LocalDate {
  if (step.from === 'previous') return previous;
  return step.from === 'due' ? facts.dueOn : facts.issuedOn;
}

/** The latest record of each step; steps up to `lastStepSent` were sent by somebody before us. */
function recordsOf(facts: CaseFacts, nominal: readonly LocalDate[]): (StepFact | null)[] {
  const { steps } = facts.policy;
  const sentBefore = facts.lastStepSent === null ? -1 : steps.findIndex((s) => s.key === facts.lastStepSent);
  return steps.map((step, index) => {
    let latest: StepFact | null = null;
    for (const s of facts.steps) {
      if (s.step === step.key && (latest === null || s.occurrence > latest.occurrence)) latest = s;
    }
    return latest ?? (index <= sentBefore ? sentElsewhere(facts, step, nominal[index]!) : null);
  });
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
    amountMinor: null,
    leftOn: null,
    reanchors: false,
    reason: SENT_BEFORE,
    redraw: false,
  };
}

/** Why a step counts as done that we never sent. */
export const SENT_BEFORE = 'sentBefore';

/**
 * The step that last re-anchored the ladder. It only ever does so because it left late: where the due date has since
 * moved past it, it no longer counts.
 */
function anchorOf(
  records: readonly (StepFact | null)[],
  nominal: readonly LocalDate[],
): { index: number; on: LocalDate } | null {
  const index = records.findLastIndex((r) => r?.reanchors === true && r.status !== 'skipped');
  if (index < 0) return null;
  const record = records[index]!;
  const on = record.leftOn ?? record.plannedOn;
  return on < nominal[index]! ? null : { index, on };
}

/** The day a `previous` step counts from: when the rung really left, or when it was passed over. */
function dayOf(rung: Rung): LocalDate | null {
  if (rung.record === null) return null;
  return rung.record.leftOn ?? rung.record.plannedOn;
}

/** Whether the step is still to come or was taken up only after that day. */
function cameAfter(record: StepFact | null, day: LocalDate): boolean {
  return record === null || (record.reason !== SENT_BEFORE && record.plannedOn > day);
}

/**
 * Last day of the latest promise that held everything, or instalment plan, and broke; null if there is none since the due
 * date.
 */
function lastBrokenWord(facts: CaseFacts): LocalDate | null {
  let last: LocalDate | null = null;
  for (const p of facts.plans) {
    if (p.status === 'broken' && p.endedOn !== null && (last === null || p.endedOn > last)) last = p.endedOn;
  }
  for (const p of facts.promises) {
    if (p.status !== 'broken' || p.endedOn === null || (last !== null && p.endedOn <= last)) continue;
    if (promiseHeldAll(facts, p)) last = p.endedOn;
  }
  return last === null || last < facts.dueOn ? null : last;
}
