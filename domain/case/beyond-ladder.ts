import { deadlineRuleOf } from '../law/country-law.ts';
import { lastDayOf } from '../law/deadlines.ts';
import { amountFor } from '../money.ts';
import { nextMomentOnOrAfterDay, nextMoment } from '../time/contact-window.ts';
import type { ApprovalRole, Policy } from '../policy/types.ts';
import { addDays, daysBetween, later, type LocalDate } from '../time/dates.ts';
import { localDate, type Instant } from '../time/zones.ts';
import type { Act, Decision, NextAction, NextActionKind } from './decision.ts';
import type { CaseFacts, CustomerFacts, NoticeFact, StepFact } from './facts.ts';
import { ladder, nominalDays, notesBeforeDue, SENT_BEFORE, type Rung } from './ladder.ts';
import { calendarOf, channelOf, recipientsOf, type Recipients } from './moments.ts';
import { activePlan } from './plan-course.ts';
import { approvalKey, FORMAL_NOTICE, isAside, isBranch, NOTICE_COPY, PLACEMENT, WRITE_OFF } from './requests.ts';
import { heldSpans, shiftedBy, standing } from './standing.ts';
import { act, endOf, isBelowMinimum, lookAgain, nextOf, onceKey, openOnce, taskAt, wait, type View } from './view.ts';

/**
 * The course of a case beyond its ladder: formal notice, hand-over to an agency, write-off. Each is asked of the person
 * whom the policy names, for one amount; when that amount or what holds the case changes before it is done, the question
 * is taken back and put again.
 */

/** Before the claim is barred somebody is asked whether to give it up, this many days ahead. */
const BARRED_SOON_DAYS = 30;

/** Whether an agency has the case, also one that has given up and waits for an answer. */
export const isPlaced = ({ placement }: Pick<CaseFacts, 'placement'>): boolean =>
  placement?.status === 'active' || placement?.status === 'givenUp';

/** Whether the last of the balance was given up rather than paid or credited. */
export function isWrittenOff({ movements }: Pick<CaseFacts, 'movements'>): boolean {
  const last = movements.at(-1);
  return last?.kind === 'writeOff' && last.amountMinor < 0n;
}

/** The most that a written reminder after the due date has asked for; a notice covers no more (design rule 9). */
export function remindedMinor(facts: CaseFacts): bigint {
  const notes = notesBeforeDue(facts);
  const sentBefore = facts.policy.steps.findIndex((s) => s.key === facts.lastStepSent);
  if (sentBefore >= 0 && !notes[sentBefore]) return facts.amountMinor;
  let most = 0n;
  for (const s of facts.steps) {
    if (s.status !== 'left' || s.channel === 'call' || isAside(s.step) || isBranch(s.step)) continue;
    if (notes[facts.policy.steps.findIndex((step) => step.key === s.step)]) continue;
    if (s.amountMinor !== null && s.amountMinor > most) most = s.amountMinor;
  }
  return most;
}

/** A reminder is sent again only for more than any before it asked for. */
export const repeatsForNothing = (facts: CaseFacts, record: StepFact, asksMinor: bigint): boolean =>
  record.occurrence > 1 && asksMinor <= remindedMinor(facts);

/** Why no formal notice can be sent on `today` (the creditor's date), as a stable code; null where it can. */
export function noticeForbidden(
  facts: CaseFacts,
  customer: CustomerFacts,
  asksMinor: bigint,
  today: LocalDate,
): string | null {
  const { formalNotice } = facts.policy;
  if (formalNotice === null) return 'branchOff';
  if (today <= facts.dueOn) return 'notDue';
  const reminded = remindedMinor(facts);
  if (reminded === 0n || asksMinor > reminded) return 'notReminded';
  // Where no postal address is known the letter is a person's task, who finds out.
  const reachable = formalNotice.channel !== 'email' || recipientsOf(customer, 'email', NOTICE_TO).to.length > 0;
  return reachable ? null : 'noAddress';
}

/** Who gets a formal notice by mail. */
export const NOTICE_TO = { to: ['billing', 'legal'], cc: ['manager'] } as const;

/** The last day for paying: from delivery, else from dispatch and the days of the post, moved off days without work. */
export function noticeDeadline(facts: CaseFacts, customer: CustomerFacts): LocalDate | null {
  const { notice } = facts;
  const terms = facts.policy.formalNotice;
  if (notice === null || terms === null) return null;
  const from = reachedOn(notice, terms.dispatchDays);
  if (from === null) return null;
  return lastDayOf(from, { days: terms.deadlineDays }, deadlineRuleOf(customer.country), customer.customerHolidays);
}

const reachedOn = ({ deliveredOn, dispatchedOn }: NoticeFact, dispatchDays: number): LocalDate | null =>
  deliveredOn ?? (dispatchedOn && addDays(dispatchedOn, dispatchDays));

// ---- The copy of the notice ----------------------------------------------------------------------------------------

/** A copy of the formal notice by e-mail, as it may be asked for and sent now. */
export interface NoticeCopy {
  /** Of the notice it is a copy of. */
  occurrence: number;
  /** What the notice asks for, and what is still owed. Minor units. */
  amountMinor: bigint;
  recipients: Recipients;
}

/**
 * The copy that goes with the notice, from the day its letter is posted (until then the letter may be taken back) to the
 * deadline it sets. Only for the amount of the letter while nothing of that is paid, held or with an agency; it begins no
 * deadline of its own. Null where there is nothing to copy.
 */
export function noticeCopy(facts: CaseFacts, customer: CustomerFacts, today: LocalDate): NoticeCopy | null {
  if (facts.policy.formalNotice?.emailCopy !== true || facts.notice === null || isPlaced(facts)) return null;
  const letter = facts.steps.findLast((s) => s.step === FORMAL_NOTICE && s.status === 'left');
  const deadline = noticeDeadline(facts, customer);
  if (!letter || letter.channel === 'email' || deadline === null || today > deadline) return null;
  const here = standing(facts, today);
  if (here.heldWhole || here.asksMinor <= 0n || here.asksMinor !== letter.amountMinor) return null;
  const recipients = recipientsOf(customer, 'email', NOTICE_TO);
  if (recipients.to.length === 0) return null;
  return { occurrence: letter.occurrence, amountMinor: here.asksMinor, recipients };
}

/** The copy that is due now: it is asked of outreach, once for each notice. */
export function noticeCopyDue({ facts, customer, now, today }: View): Decision | null {
  const copy = noticeCopy(facts, customer, today);
  if (copy === null) return null;
  const { occurrence, amountMinor: asksMinor } = copy;
  if (facts.steps.some((s) => s.step === NOTICE_COPY && s.occurrence === occurrence)) return null;
  return act({
    act: 'request',
    step: NOTICE_COPY,
    occurrence,
    channel: 'email',
    plannedAt: now,
    plannedOn: localDate(now, customer.zone),
    reanchors: false,
    asksMinor,
    on: today,
  });
}

// ---- After the last step ------------------------------------------------------------------------------------------

type Following = 'ladderEnded' | 'remindAgain' | 'notice' | 'writeOff';

/** After the last step: the formal notice, giving up what is not worth one, or a person's word. */
export function beyondLadder(view: View, rungs: readonly Rung[]): Decision {
  const { facts, now, today } = view;
  if (facts.tasksOpened.includes(onceKey(facts, 'ladderEnded'))) return waitForPerson(view);
  const following = whatFollows(view);
  const at = ladderEndsAt(view, rungs) ?? lookAgain(now);
  if (at > now) return wait(view, at, foreseen(view, at, following));
  switch (following) {
    case 'ladderEnded':
      return openOnce(view, 'ladderEnded')!;
    case 'writeOff':
      return act({ act: 'writeOff', balanceMinor: facts.balanceMinor, on: today, at: now });
    case 'remindAgain':
      return remindAgain(view, rungs);
    case 'notice': {
      const { channel } = facts.policy.formalNotice!;
      const approved = facts.approvedSteps.includes(approvalKey(FORMAL_NOTICE, view.here.asksMinor));
      const how = asksForNotice(facts) && !approved ? 'askApproval' : 'request';
      return act(branchRequest(view, how, FORMAL_NOTICE, channel));
    }
  }
}

const asksForNotice = (facts: CaseFacts): boolean => facts.policy.formalNotice?.approval !== null;

function whatFollows(view: View): Following {
  const { facts, customer, here, today } = view;
  const { formalNotice, writeOff, currency } = { ...facts.policy, currency: facts.currency };
  if (isBelowMinimum(facts, here)) return 'ladderEnded';
  if (writeOff !== null && isBelowLimit(view, amountFor(writeOff.below, currency))) return 'writeOff';
  if (formalNotice === null || wasTurnedDown(facts, FORMAL_NOTICE)) return 'ladderEnded';
  const forbidden = noticeForbidden(facts, customer, here.asksMinor, today);
  if (forbidden === null) return 'notice';
  // Whoever was never reminded in writing was spared by a person, or has no address: a person goes on.
  return forbidden === 'notReminded' && remindedMinor(facts) > 0n ? 'remindAgain' : 'ladderEnded';
}

/** A rest under the policy's limit is given up without a person; a disputed or promised one is not a rest. */
const isBelowLimit = ({ facts, here }: View, limit: bigint | null): boolean =>
  limit !== null && facts.balanceMinor < limit && here.asksMinor === facts.balanceMinor;

/** Whether a person said no to it, or it could not be delivered, the last time. */
function wasTurnedDown(facts: CaseFacts, step: string): boolean {
  const last = facts.steps.findLast((s) => s.step === step);
  return last?.status === 'skipped' || last?.status === 'failed';
}

/** When the ladder ends: on the day the formal notice would fall on, else the day after the last step. */
export function ladderEndsAt({ facts, customer, today }: View, rungs: readonly Rung[]): Instant | null {
  if (facts.tasksOpened.includes(onceKey(facts, 'ladderEnded'))) return null;
  const days = rungs.flatMap((r) => r.record?.leftOn ?? r.record?.plannedOn ?? []);
  const after = addDays(days.reduce(later, facts.dueOn), 1);
  const day = later(noticeDay(facts, today, rungs) ?? after, after);
  return nextMomentOnOrAfterDay(day, calendarOf(customer, facts.policy.contact));
}

/** The day that is foreseen for the formal notice while nothing changes; null where the policy has none, or it left. */
export function noticeForeseenOn(facts: CaseFacts, today: LocalDate, rungs: readonly Rung[]): LocalDate | null {
  if (facts.notice !== null || isPlaced(facts) || wasTurnedDown(facts, FORMAL_NOTICE)) return null;
  return noticeDay(facts, today, rungs);
}

/** The own day of the formal notice, as if it were one more step of the ladder. */
function noticeDay(facts: CaseFacts, today: LocalDate, rungs: readonly Rung[]): LocalDate | null {
  const notice = facts.policy.formalNotice;
  if (notice === null) return null;
  const { day, from, channel, template } = notice;
  const step = { key: FORMAL_NOTICE, day, from, channel, template, tone: 'final' as const, to: [], cc: [] };
  const steps = [...facts.policy.steps, { ...step, attachInvoice: false }];
  const whole = { ...facts, policy: { ...facts.policy, steps } };
  const own = ladder(whole, today).at(-1)?.ownDay ?? null;
  // After a reminder that was sent again the notice keeps its distance from it.
  const again = rungs.findLast((r) => r.record !== null && r.record.occurrence > 1 && r.record.leftOn !== null);
  const sentAgainOn = again?.record?.leftOn ?? null;
  if (!again || sentAgainOn === null || own === null) return own;
  const nominal = nominalDays(whole);
  return later(own, addDays(sentAgainOn, daysBetween(nominal[again.index]!, nominal.at(-1)!)));
}

/** The last step that reminds in writing, which can be repeated with the whole amount. */
function writtenRung({ facts, customer }: View): Rung['step'] | null {
  const notes = notesBeforeDue(facts);
  return (
    facts.policy.steps.findLast(
      (step, index) => step.channel !== 'call' && !notes[index] && channelOf(customer, facts.policy, step) !== null,
    ) ?? null
  );
}

/** A part that was disputed or promised all along was never asked for: it is, before a notice covers it (design rule 9). */
function remindAgain(view: View, rungs: readonly Rung[]): Decision {
  const { facts, customer, here, now, today } = view;
  const step = writtenRung(view);
  const record = rungs.find((r) => r.step.key === step?.key)?.record;
  const waits = record?.status === 'skipped' && record.reason !== SENT_BEFORE && record.occurrence > 1;
  if (step === null || waits) return openOnce(view, 'ladderEnded') ?? waitForPerson(view);
  return act({
    act: 'request',
    step: step.key,
    occurrence: 1 + facts.steps.filter((s) => s.step === step.key).length,
    channel: channelOf(customer, facts.policy, step)!,
    plannedAt: now,
    plannedOn: localDate(now, customer.zone),
    reanchors: false,
    asksMinor: here.asksMinor,
    on: today,
  });
}

// ---- After the notice ---------------------------------------------------------------------------------------------

/** The notice has left: once its period is over the case is handed over, by whom the policy names. */
export function noticeCourse(view: View): Decision {
  const { facts, customer, here, now, today } = view;
  if (facts.tasksOpened.includes(onceKey(facts, 'ladderEnded'))) return waitForPerson(view);
  const deadline = noticeDeadline(facts, customer);
  if (deadline === null) return wait(view, null, null);
  const { placement, writeOff } = facts.policy;
  const goesOn = placement !== null && facts.placement?.status !== 'recalled' && !wasTurnedDown(facts, PLACEMENT);
  const at = placementAt(view, deadline) ?? lookAgain(now);
  const bothers = !isBelowMinimum(facts, here);
  const small = bothers && writeOff !== null && isBelowLimit(view, amountFor(writeOff.below, facts.currency));
  const following = small ? 'writeOff' : goesOn && bothers ? 'placement' : 'ladderEnded';
  if (at > now) return wait(view, at, foreseen(view, at, following));
  if (following === 'ladderEnded') return openOnce(view, 'ladderEnded')!;
  if (following === 'writeOff') {
    return act({ act: 'writeOff', balanceMinor: facts.balanceMinor, on: today, at: now });
  }
  const approved = facts.approvedSteps.includes(approvalKey(PLACEMENT, here.asksMinor));
  const { agencyId } = customer;
  // Where nobody named an agency a person has to choose one, whatever the policy asks.
  if (agencyId === null || (placement!.approval !== null && !approved)) {
    return act(branchRequest(view, 'askApproval', PLACEMENT, 'letter'));
  }
  return act({ act: 'place', agencyId, asksMinor: here.asksMinor, on: today, at: now });
}

/** When the case may be handed over: the notice's deadline is past, and the policy's days since it left. */
function placementAt({ facts, customer, today }: View, deadline: LocalDate): Instant | null {
  const { leftOn } = facts.notice!;
  const days = facts.policy.placement?.daysAfterNotice ?? 0;
  const own = shiftedBy(heldSpans(facts, today), leftOn, addDays(leftOn, days));
  return nextMomentOnOrAfterDay(later(own, addDays(deadline, 1)), calendarOf(customer, facts.policy.contact));
}

/** Why the case cannot be handed over now, as a stable code; null where it can. */
export function placementForbidden(facts: CaseFacts, customer: CustomerFacts, today: LocalDate): string | null {
  if (facts.policy.placement === null) return 'branchOff';
  if (facts.notice === null || isPlaced(facts)) return 'stageForbids';
  const deadline = noticeDeadline(facts, customer);
  return deadline === null || today <= deadline ? 'noticePeriodRuns' : null;
}

// ---- With an agency -----------------------------------------------------------------------------------------------

/** An agency has the case: the customer hears nothing from us. After a while, or when it gives up, who may gives it up. */
export function placedCourse(view: View): Decision {
  const { facts, now, today } = view;
  const { writeOff } = facts.policy;
  const placement = facts.placement!;
  const gaveUp = placement.status === 'givenUp';
  if (writeOff === null || wasTurnedDown(facts, WRITE_OFF)) {
    return (gaveUp ? openOnce(view, 'ladderEnded') : null) ?? wait(view, null, null);
  }
  const own = shiftedBy(
    heldSpans(facts, today),
    placement.placedOn,
    addDays(placement.placedOn, writeOff.afterPlacementDays),
  );
  const calendar = calendarOf(view.customer, facts.policy.contact);
  const at = gaveUp ? now : (nextMomentOnOrAfterDay(own, calendar) ?? lookAgain(now));
  const soon = barredSoon(view);
  const due = soon === null ? at : Math.min(at, soon);
  return due > now ? wait(view, due, foreseen(view, due, 'writeOff')) : proposeWriteOff(view);
}

/** A person was asked how to go on. Before the claim is barred they are asked whether to give it up. */
function waitForPerson(view: View): Decision {
  const { facts, now } = view;
  const soon = barredSoon(view);
  if (soon === null || facts.policy.writeOff === null || wasTurnedDown(facts, WRITE_OFF)) return wait(view, null, null);
  return soon > now ? wait(view, soon, foreseen(view, soon, 'writeOff')) : proposeWriteOff(view);
}

function barredSoon({ facts, customer }: View): Instant | null {
  if (facts.limitationOn === null) return null;
  const day = addDays(facts.limitationOn, -BARRED_SOON_DAYS);
  return nextMomentOnOrAfterDay(day, calendarOf(customer, facts.policy.contact)) ?? endOf(day, customer);
}

/** Proceedings that ended without assets leave nothing to hope for, whatever else holds the case. */
export function writeOffAfterInsolvency(view: View): Decision | null {
  const { facts, open } = view;
  if (facts.insolvency?.outcome !== 'noAssets' || facts.policy.writeOff === null) return null;
  if (open !== null || activePlan(facts) !== null || wasTurnedDown(facts, WRITE_OFF)) return null;
  return proposeWriteOff(view);
}

function proposeWriteOff(view: View): Decision {
  const { facts, now, today } = view;
  const { balanceMinor } = facts;
  const approved = facts.approvedSteps.includes(approvalKey(WRITE_OFF, balanceMinor));
  if (facts.policy.writeOff!.approval === null || approved) {
    return act({ act: 'writeOff', balanceMinor, on: today, at: now });
  }
  return act({ ...branchRequest(view, 'askApproval', WRITE_OFF, 'letter'), asksMinor: balanceMinor });
}

// ---- Asked and answered -------------------------------------------------------------------------------------------

/** Who may decide an approval: of a branch whom the policy names, of a step above the ceiling an approver. */
export function approverOf({ formalNotice, placement, writeOff }: Policy, step: string): ApprovalRole {
  switch (step) {
    case FORMAL_NOTICE:
      return formalNotice?.approval ?? 'approver';
    case PLACEMENT:
      return placement?.approval ?? 'approver';
    case WRITE_OFF:
      return writeOff?.approval ?? 'approver';
    default:
      return 'approver';
  }
}

/** A branch is asked for, or requested from outreach: now, for what is owed now. */
export function branchRequest(
  { facts, customer, here, now, today }: View,
  how: 'request' | 'askApproval',
  step: string,
  channel: StepFact['channel'],
): Extract<Act, { act: 'request' | 'askApproval' }> {
  return {
    act: how,
    step,
    occurrence: 1 + facts.steps.filter((s) => s.step === step).length,
    channel,
    plannedAt: now,
    plannedOn: localDate(now, customer.zone),
    reanchors: false,
    asksMinor: here.asksMinor,
    on: today,
  };
}

/** The amount or what holds the case changed since a branch was asked for or approved: the question is put again. */
export function branchStale(view: View): Decision | null {
  const { open, today } = view;
  if (open === null || !isBranch(open.step) || open.status === 'queued') return null;
  const reason = whyStale(view, open);
  return reason === null ? null : act({ act: 'withdrawRequest', step: open.step, reason, on: today });
}

function whyStale(view: View, open: StepFact): string | null {
  const { facts, today } = view;
  if (open.step === WRITE_OFF) {
    // What else holds the case is no reason to hope; a plan that was agreed since is.
    if (activePlan(facts) !== null) return 'plan';
    return facts.balanceMinor === open.amountMinor ? null : 'amountChanged';
  }
  if (open.step === PLACEMENT) {
    if (facts.notice === null) return 'noticeReturned';
    if (noticePeriodRuns(view)) return 'noticePeriodRuns';
  }
  if (open.step === FORMAL_NOTICE && today <= facts.dueOn) return 'dueDateMoved';
  // The approval itself is a hold; what else holds the case came after the question.
  const others = { ...facts, holds: facts.holds.filter((h) => h.kind !== 'approval') };
  const free = standing(others, today);
  if (free.heldWhole) return free.holds[0]?.kind ?? 'nothingToAsk';
  return free.asksMinor === open.amountMinor ? null : 'amountChanged';
}

/** Nowhere is the deadline past: the post delivered the notice later than was reckoned when the question was put. */
function noticePeriodRuns({ facts, customer, now, today }: View): boolean {
  const deadline = noticeDeadline(facts, customer);
  return deadline === null || (today <= deadline && localDate(now, customer.zone) <= deadline);
}

/** What a person said of a branch. A refused one keeps the stage; the ladder's end asks how to go on. */
export function branchAnswered(view: View, open: StepFact, answer: 'approved' | 'refused'): Decision {
  const { facts, customer, now, today } = view;
  const { step } = open;
  if (answer === 'refused') return act({ act: 'refuse', step, on: today, at: now });
  switch (step) {
    case PLACEMENT: {
      const agencyId = facts.approvalAgencyId ?? customer.agencyId;
      // Whoever approves is asked for the agency before the answer is taken: without one there is no answer.
      if (agencyId === null) return act({ act: 'refuse', step, on: today, at: now });
      return act({ act: 'place', agencyId, asksMinor: open.amountMinor ?? 0n, on: today, at: now });
    }
    case WRITE_OFF:
      return act({ act: 'writeOff', balanceMinor: facts.balanceMinor, on: today, at: now });
    default: {
      const plannedAt = nextMoment(now, calendarOf(customer, facts.policy.contact)) ?? now;
      const plannedOn = localDate(plannedAt, customer.zone);
      return act({ act: 'approve', step, plannedAt, plannedOn, on: today, at: now });
    }
  }
}

/**
 * The notice is with outreach, or queued: it leaves at the next moment of the policy's hours, which wakes its case. Nothing
 * is to be done before that; should it never come, somebody notices.
 */
export function branchUnderWay(view: View, open: StepFact): Decision {
  // A letter is named by its action already; of a mail the reason says what it is.
  const reason = open.channel === 'email' ? 'formalNotice' : 'stepDue';
  return wait(view, lookAgain(view.now), nextOf(open.plannedAt, 'formalNotice', open, reason));
}

function foreseen(view: View, at: Instant, following: Following | 'placement'): NextAction {
  const { facts, customer } = view;
  const { formalNotice, placement, writeOff } = facts.policy;
  const named = (kind: NextActionKind, asks: boolean, channel: StepFact['channel'] | null = null): NextAction =>
    asks
      ? { at, action: 'approval', step: null, channel, reason: kind }
      : { at, action: kind, step: null, channel, reason: 'stepDue' };
  switch (following) {
    case 'ladderEnded':
      return taskAt(at, 'ladderEnded');
    case 'remindAgain': {
      const step = writtenRung(view);
      const channel = step && channelOf(customer, facts.policy, step);
      const kind = channel === 'email' ? 'contact' : 'task';
      return { at, action: kind, step: step?.key ?? null, channel, reason: 'neverReminded' };
    }
    case 'notice':
      return named('formalNotice', formalNotice?.approval !== null, formalNotice?.channel ?? null);
    case 'placement':
      return named('placement', placement?.approval !== null || customer.agencyId === null);
    case 'writeOff': {
      const small = writeOff !== null && isBelowLimit(view, amountFor(writeOff.below, facts.currency));
      return named('writeOff', !small && writeOff?.approval !== null);
    }
  }
}
