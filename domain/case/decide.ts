import type { LocalDate } from '../time/dates.ts';
import { localDate, type Instant } from '../time/zones.ts';
import {
  branchAnswered,
  isPlaced,
  isWrittenOff,
  branchStale,
  branchUnderWay,
  noticeCopyDue,
  noticeCourse,
  placedCourse,
  writeOffAfterInsolvency,
} from './beyond-ladder.ts';
import { dueDateBegins, isBeforeDueDate } from './choose-step.ts';
import { collectionMissingAt, isCollecting } from './collection.ts';
import type { Act, Decision } from './decision.ts';
import type { CaseFacts, CustomerFacts } from './facts.ts';
import { contactedByUs, ladder, notesBeforeDue, openStep, SENT_BEFORE } from './ladder.ts';
import { nextOnLadder, waitWithOpenStep } from './ladder-course.ts';
import { warningDue } from './limitation-warnings.ts';
import { allowedMoment, wayOf } from './moments.ts';
import { planNoteDue, planVerdict } from './plan-course.ts';
import { isBranch, shownStep, WRITE_OFF } from './requests.ts';
import type { OpenStage } from './stages.ts';
import { lastGraceDay, paidUntil, promiseRests, standing } from './standing.ts';
import { act, endOf, knownEnds, nextOf, openOnce, taskAt, wait, type View } from './view.ts';

export { collectionTaskKey } from './collection.ts';

/**
 * The next thing for one case (design rule 1): act now, wait until an instant and why, or close. Pure; `now` is the
 * business instant that is judged. Acts are carried out, applied to the facts, and `decide` is asked again until it
 * waits or closes. A wait never ends at or before `now`.
 */
export function decide(facts: CaseFacts, customer: CustomerFacts, now: Instant): Decision {
  const today = localDate(now, customer.creditorZone);
  const ended = whatEnded(facts, customer, now, today);
  if (ended.length > 0) return { decision: 'act', acts: ended };
  if (facts.balanceMinor <= 0n) return closing(facts, now, today);

  const view = { facts, customer, now, today, here: standing(facts, today), open: openStep(facts) };
  return (
    branchStale(view) ??
    approvalAnswered(view) ??
    noteExpired(view) ??
    limitationNears(view) ??
    planNoteDue(view) ??
    writeOffAfterInsolvency(view) ??
    heldBack(view) ??
    collectionPending(view) ??
    entryUnderReview(view) ??
    noticeCopyDue(view) ??
    freeCourse(view)
  );
}

/** Nothing holds the case: it goes on with what is open, or with what follows from its stage. */
function freeCourse(view: View): Decision {
  const { facts, open } = view;
  if (open !== null) return isBranch(open.step) ? branchUnderWay(view, open) : waitWithOpenStep(view, open);
  if (isPlaced(facts)) return placedCourse(view);
  return facts.notice === null ? nextOnLadder(view) : noticeCourse(view);
}

/**
 * The stage that follows from what happened: placed while an agency has it, formalNotice once the notice left, reminding
 * once a step after due was taken. Closing is decided apart. The ways between
 * stages are listed in `stages.ts`.
 */
export function stageOf(facts: CaseFacts): OpenStage {
  if (isPlaced(facts)) return 'placed';
  if (facts.notice !== null) return 'formalNotice';
  const taken = ['left', 'queued', 'requested', 'failed'];
  const reminded = ladder(facts, facts.dueOn).some(
    (r) => !r.beforeDue && r.record !== null && (taken.includes(r.record.status) || r.record.reason === SENT_BEFORE),
  );
  return reminded ? 'reminding' : 'upcoming';
}

/** Promises kept or broken, plans judged, and dated holds that are over. */
function whatEnded(facts: CaseFacts, customer: CustomerFacts, now: Instant, today: LocalDate): Act[] {
  const acts: Act[] = [];
  const rests = promiseRests(facts, paidUntil(facts, null));
  for (const p of facts.promises) {
    if (p.status !== 'active') continue;
    const ends = endOf(lastGraceDay(p), customer);
    if (rests.get(p.id) === 0n) acts.push({ act: 'keepPromise', promiseId: p.id, on: today, at: now });
    else if (facts.balanceMinor > 0n && now >= ends) {
      acts.push({ act: 'breakPromise', promiseId: p.id, on: lastGraceDay(p), at: ends });
    }
  }
  const judged = planVerdict(facts, customer, now, today);
  if (judged !== null) acts.push(judged);
  for (const h of facts.holds) {
    if (h.liftedOn !== null || h.untilOn === null) continue;
    const ends = endOf(h.untilOn, customer);
    if (now >= ends) acts.push({ act: 'endHold', holdId: h.id, on: h.untilOn, at: ends });
  }
  return acts;
}

function closing(facts: CaseFacts, now: Instant, today: LocalDate): Decision {
  const acts: Act[] = [];
  for (const p of facts.promises) {
    if (p.status === 'active') acts.push({ act: 'keepPromise', promiseId: p.id, on: today, at: now });
  }
  const open = openStep(facts);
  if (open && open.status !== 'queued') {
    acts.push({ act: 'withdrawRequest', step: open.step, reason: 'nothingOwed', on: today });
  }
  if (acts.length > 0) return { decision: 'act', acts };
  if (isWrittenOff(facts)) return { decision: 'close', stage: 'writtenOff', thank: false };
  const paid = paidUntil(facts, null) > 0n;
  // What an agency looks after is the agency's to speak of: the customer hears nothing from us.
  // Whoever pays out of insolvency proceedings is the trustee.
  const thank = paid && facts.policy.thankYou !== null && !isPlaced(facts) && facts.insolvency === null;
  return { decision: 'close', stage: paid ? 'settled' : 'cancelled', thank };
}

function approvalAnswered(view: View): Decision | null {
  const { facts, customer, open, now, today } = view;
  if (open?.status !== 'awaitingApproval' || facts.approvalAnswer === null) return null;
  const { step } = open;
  if (isBranch(step)) return branchAnswered(view, open, facts.approvalAnswer);
  if (facts.approvalAnswer === 'refused') return act({ act: 'refuse', step, on: today, at: now });
  // What is approved at night is planned for when it may leave.
  const plannedAt = momentFor(facts, customer, step, now) ?? now;
  return act({ act: 'approve', step, plannedAt, plannedOn: localDate(plannedAt, customer.zone), on: today, at: now });
}

/** A note before the due date that did not leave, or was not approved, by the due date is dropped. */
function noteExpired({ facts, customer, open, now, today }: View): Decision | null {
  if (!open || open.status === 'queued' || !isNote(facts, open.step) || isBeforeDueDate(facts, customer, now)) {
    return null;
  }
  const { step, channel, plannedAt, plannedOn } = open;
  const reason = 'dueDateReached';
  return act(
    { act: 'withdrawRequest', step, reason, on: today },
    { act: 'skipStep', step, channel, plannedAt, plannedOn, reason },
  );
}

/** Somebody is told in time that the claim will be barred, whatever holds the case. */
function limitationNears({ facts, today }: View): Decision | null {
  if (!warningDue(facts, today)) return null;
  return act({ act: 'openTask', task: 'limitationNear', step: null, on: today });
}

/** Everything that keeps the case from asking for money at all. */
function heldBack(view: View): Decision | null {
  const { facts, here, open, today } = view;
  const barred = facts.limitationOn !== null && today > facts.limitationOn;
  if (!barred && !here.heldWhole) return null;
  if (open?.status === 'requested') {
    // What waits for approval is itself a hold; what is queued is looked at again by the relay.
    const reason = barred ? 'timeBarred' : (here.holds[0]?.kind ?? 'nothingToAsk');
    return act({ act: 'withdrawRequest', step: open.step, reason, on: today });
  }
  if (open !== null && asksInVain(view)) {
    return act({ act: 'withdrawRequest', step: open.step, reason: 'insolvency', on: today });
  }
  if (barred) return openOnce(view, 'timeBarred') ?? wait(view, null, null);
  return waitForRelease(view);
}

/** Nobody needs to approve what proceedings over the customer forbid; giving the balance up is still to be decided. */
const asksInVain = ({ here, open }: View): boolean =>
  open?.status === 'awaitingApproval' && open.step !== WRITE_OFF && here.holds.some((h) => h.kind === 'insolvency');

function waitForRelease(view: View): Decision {
  const { facts, customer, here, open } = view;
  const [first] = knownEnds(facts, customer);
  const asked = open?.status === 'awaitingApproval' ? open : null;
  // A note is not worth approving any more once the due date has come.
  const expires = asked && isNote(facts, asked.step) ? dueDateBegins(facts, customer) : null;
  if (asked) {
    const about = isBranch(asked.step) ? shownStep(asked.step) : 'approvalAsked';
    return wait(view, expires, nextOf(asked.plannedAt, 'approval', asked, about));
  }
  if (!first) return wait(view, null, null);
  const dated = here.holds.find((h) => h.until !== null)?.kind ?? 'hold';
  const reason = first.action === 'planEnds' ? 'plan' : dated;
  return wait(view, null, { at: first.at, action: first.action, step: null, channel: null, reason });
}

/** A direct debit is chased only after its collection failed; its silence becomes a task (api.md). */
function collectionPending(view: View): Decision | null {
  const { facts, customer, now, today, open } = view;
  if (!isCollecting(facts)) return null;
  if (open?.status === 'requested' || open?.status === 'awaitingApproval') {
    return act({ act: 'withdrawRequest', step: open.step, reason: 'directDebit', on: today });
  }
  const at = collectionMissingAt(facts, customer);
  if (at !== null && now >= at) return act({ act: 'openTask', task: 'collectionMissing', step: null, on: today });
  return wait(view, at, at === null ? null : taskAt(at, 'collectionMissing'));
}

/** `entry: hold`: an invoice that was late when it arrived waits for a person. */
function entryUnderReview(view: View): Decision | null {
  const { facts } = view;
  const late = facts.dueOn < facts.registeredOn;
  if (!late || facts.policy.entry !== 'hold' || facts.entryReviewed || contactedByUs(facts)) return null;
  if (view.open) return null;
  return openOnce(view, 'entryReview') ?? wait(view, null, null);
}

/** When a step that is free to leave may do so. */
function momentFor(facts: CaseFacts, customer: CustomerFacts, key: string, now: Instant): Instant | null {
  const step = facts.policy.steps.find((s) => s.key === key);
  if (!step) return null;
  return allowedMoment(customer, facts.policy.contact, now, {
    notOn: facts.steps.flatMap((s) => (s.leftOn === null ? [] : [s.leftOn])),
    onceADay: wayOf(customer, facts.policy, step),
  });
}

function isNote(facts: CaseFacts, key: string): boolean {
  const index = facts.policy.steps.findIndex((s) => s.key === key);
  return notesBeforeDue(facts)[index] === true;
}
