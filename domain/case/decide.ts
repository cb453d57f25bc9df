import { amountFor } from '../money.ts';
import { nextMoment, nextMomentOnOrAfterDay, opensAt } from '../time/contact-window.ts';
import { addDays, later, type LocalDate } from '../time/dates.ts';
import { instantAt, localDate, type Instant } from '../time/zones.ts';
import { applyAct } from './apply.ts';
import { chooseStep, dueDateBegins, isBeforeDueDate } from './choose-step.ts';
import { collectionMissingAt, isCollecting } from './collection.ts';
import type { Act, CaseTaskKind, Decision, NextAction } from './decision.ts';
import type { CaseFacts, CustomerFacts, Stage, StepFact } from './facts.ts';
import { contactedByUs, ladder, notesBeforeDue, openStep, SENT_BEFORE, wasContacted, type Rung } from './ladder.ts';
import { allowedMoment, calendarOf, channelOf, wayOf } from './moments.ts';
import { lastGraceDay, paidUntil, promiseRests, standing, type Standing } from './standing.ts';

export { collectionTaskKey } from './collection.ts';

/** Where no day is free for more than a year, the case looks again after this many days. */
const LOOK_AGAIN_DAYS = 30;

/** What `decide` reads, gathered once. */
interface View {
  facts: CaseFacts;
  customer: CustomerFacts;
  now: Instant;
  /** The creditor's date. */
  today: LocalDate;
  here: Standing;
  open: StepFact | null;
}

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
    approvalAnswered(view) ??
    noteExpired(view) ??
    heldBack(view) ??
    collectionPending(view) ??
    entryUnderReview(view) ??
    (view.open ? waitWithOpenStep(view, view.open) : nextOnLadder(view))
  );
}

/** The stage that follows from what happened: reminding once a step after due was taken. Closing is decided apart. */
export function stageOf(facts: CaseFacts): Extract<Stage, 'upcoming' | 'reminding'> {
  const taken = ['left', 'queued', 'requested', 'failed'];
  const reminded = ladder(facts, facts.dueOn).some(
    (r) => !r.beforeDue && r.record !== null && (taken.includes(r.record.status) || r.record.reason === SENT_BEFORE),
  );
  return reminded ? 'reminding' : 'upcoming';
}

/** Promises kept or broken and dated holds that are over. */
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
  for (const h of facts.holds) {
    if (h.liftedOn !== null || h.untilOn === null) continue;
    const ends = endOf(h.untilOn, customer);
    if (now >= ends) acts.push({ act: 'endHold', holdId: h.id, on: h.untilOn, at: ends });
  }
  return acts;
}

/** A promise breaks at the end of its last grace day in the creditor's zone (design rule 9); holds end likewise. */
const endOf = (day: LocalDate, customer: CustomerFacts): Instant => instantAt(day, '24:00', customer.creditorZone);

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
  const paid = paidUntil(facts, null) > 0n;
  return { decision: 'close', stage: paid ? 'settled' : 'cancelled', thank: paid && facts.policy.thankYou !== null };
}

function approvalAnswered({ facts, customer, open, now, today }: View): Decision | null {
  if (open?.status !== 'awaitingApproval' || facts.approvalAnswer === null) return null;
  const { step } = open;
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
  if (barred) return openOnce(view, 'timeBarred') ?? wait(view, null, null);
  return waitForRelease(view);
}

function waitForRelease(view: View): Decision {
  const { facts, customer, here, open } = view;
  const [first] = knownEnds(facts, customer);
  const asked = open?.status === 'awaitingApproval' ? open : null;
  // A note is not worth approving any more once the due date has come.
  const expires = asked && isNote(facts, asked.step) ? dueDateBegins(facts, customer) : null;
  if (asked) return wait(view, expires, nextOf(asked.plannedAt, 'approval', asked, 'approvalAsked'));
  if (!first) return wait(view, null, null);
  const reason = here.holds.find((h) => h.until !== null)?.kind ?? 'hold';
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

/**
 * A request is with outreach, or queued. Leaving does not wake the case: it looks again when, had the open one left as
 * planned, the next thing is to be done. If it has not left by then, it is overtaken.
 */
function waitWithOpenStep(view: View, open: StepFact): Decision {
  const { facts, customer, now, today } = view;
  if (open.status === 'requested') {
    const reason = whyNoLonger(view, open);
    if (reason !== null) return act({ act: 'withdrawRequest', step: open.step, reason, on: today });
  }
  const after = afterOpenStep(view, open);
  if (after.at !== null && after.at > now)
    return wait(view, after.at, nextOf(open.plannedAt, action(open), open, 'stepDue'));
  if (open.status === 'requested' && after.into !== null) {
    const { step, channel, plannedAt, plannedOn } = open;
    const acts: Act[] = [{ act: 'withdrawRequest', step, reason: 'overtaken', on: today }];
    if (wasContacted(facts) && facts.policy.late !== 'shift') {
      acts.push({ act: 'mergeStep', step, channel, plannedAt, plannedOn, into: after.into });
    }
    return { decision: 'act', acts };
  }
  // Still not gone: every day on which it might is worth a look.
  const tomorrow = opensAt(addDays(localDate(now, customer.zone), 1), calendarOf(customer, facts.policy.contact));
  const again = nextMoment(tomorrow, calendarOf(customer, facts.policy.contact)) ?? lookAgain(now);
  return wait(view, again, nextOf(open.plannedAt, action(open), open, 'stepDue'));
}

/** Why a request cannot stand as it was asked; null while it can. */
function whyNoLonger(view: View, open: StepFact): string | null {
  const { facts, customer, here, now, today } = view;
  const rung = ladder(facts, today).find((r) => r.step.key === open.step);
  if (!rung) return 'policyChanged';
  if (rung.ownDay !== null && rung.ownDay > localDate(now, customer.zone)) return 'dueDateMoved';
  if (channelOf(customer, facts.policy, rung.step) !== open.channel) return 'addressChanged';
  return isBelowMinimum(facts, here) ? 'belowMinimum' : null;
}

/** When the case has its next thing to do if the open step leaves as planned, and which step that would be. */
function afterOpenStep(view: View, open: StepFact): { at: Instant | null; into: string | null } {
  const { now, today, open: _, ...rest } = view;
  const step = rest.facts.policy.steps.find((s) => s.key === open.step);
  const way = step ? wayOf(rest.customer, rest.facts.policy, step) : { channel: open.channel, recipientKey: '' };
  const customer = { ...rest.customer, contacts: [...rest.customer.contacts, { ...way, day: open.plannedOn }] };
  let facts: CaseFacts = {
    ...rest.facts,
    steps: rest.facts.steps.map((s) => (s === open ? { ...s, status: 'left' as const, leftOn: s.plannedOn } : s)),
  };
  for (;;) {
    const rungs = ladder(facts, today);
    const choice = chooseStep(facts, customer, rungs, now);
    switch (choice.do) {
      case 'leave':
        return { at: choice.at, into: choice.rung.step.key };
      case 'end':
        return { at: ladderEndsAt({ ...view, facts, customer }, rungs), into: null };
      case 'never':
        return { at: null, into: null };
      case 'drop':
        facts = choice.acts.reduce(applyAct, facts);
    }
  }
}

function nextOnLadder(view: View): Decision {
  const { facts, customer, here, now, today } = view;
  const redraw = facts.steps.find((s) => s.redraw && s.status === 'left');
  if (redraw && !isBelowMinimum(facts, here)) return act({ act: 'redrawTask', step: redraw.step });

  const rungs = ladder(facts, today);
  const choice = chooseStep(facts, customer, rungs, now);
  switch (choice.do) {
    case 'end':
      return ladderEnd(view, rungs);
    case 'drop':
      return waitToDrop(view, choice) ?? act(...choice.acts);
    case 'never':
      return wait(view, lookAgain(now), null);
    case 'leave': {
      const way = howItLeaves(view, rungs, choice.rung);
      if (choice.at > now) return wait(view, choice.at, foreseen(choice.at, choice.rung, way));
      return { decision: 'act', acts: leaveNow(view, way, choice.rung, choice.merged, choice.reanchors) };
    }
  }
}

/**
 * A note for which no day is free is kept until its due date begins, or until what follows it may leave: the due date may
 * move, and it must not matter whether the case happened to look before it did. What is next is what follows. Null once
 * the note can go.
 */
function waitToDrop(view: View, { acts, notBefore }: { acts: Act[]; notBefore?: Instant }): Decision | null {
  if (notBefore === undefined || notBefore <= view.now) return null;
  const without = nextOnLadder({ ...view, facts: acts.reduce(applyAct, view.facts) });
  if (without.decision !== 'wait') return null;
  return wait(view, Math.min(notBefore, without.until ?? notBefore), without.next);
}

/** How a step goes out once its moment has come, or why it does not. */
type Leaving =
  | { how: 'request' | 'askApproval'; channel: StepFact['channel'] }
  | { how: 'skip'; reason: 'belowMinimum' | 'noAddress' | 'firstContact' };

function howItLeaves({ facts, customer, here }: View, rungs: readonly Rung[], rung: Rung): Leaving {
  const { policy, currency, approvedSteps } = facts;
  if (isBelowMinimum(facts, here)) return { how: 'skip', reason: 'belowMinimum' };
  const channel = channelOf(customer, policy, rung.step);
  if (channel === null) return { how: 'skip', reason: 'noAddress' };
  if (warnsStranger(facts, rungs, rung)) return { how: 'skip', reason: 'firstContact' };
  if (policy.approvalAbove === null || approvedSteps.includes(rung.step.key)) return { how: 'request', channel };
  // An `approvalAbove` that lacks the currency asks always (api.md).
  const ceiling = amountFor(policy.approvalAbove, currency);
  return { how: ceiling === null || here.asksMinor > ceiling ? 'askApproval' : 'request', channel };
}

function foreseen(at: Instant, rung: Rung, way: Leaving): NextAction | null {
  const { key } = rung.step;
  if (way.how === 'skip') return way.reason === 'noAddress' ? { ...taskAt(at, 'missingAddress'), step: key } : null;
  const { channel } = way;
  if (way.how === 'askApproval') return { at, action: 'approval', step: key, channel, reason: 'approvalAbove' };
  return { at, action: action(way), step: key, channel, reason: 'stepDue' };
}

function leaveNow(view: View, way: Leaving, rung: Rung, merged: readonly Rung[], reanchors: boolean): Act[] {
  const { facts, customer, here, now, today } = view;
  const planned = { plannedAt: now, plannedOn: localDate(now, customer.zone) };
  const { key: step } = rung.step;
  if (way.how === 'skip') {
    // What would have been merged into it has no better fate.
    const skipped = [...merged, rung].map<Act>((r) => ({
      act: 'skipStep',
      step: r.step.key,
      channel: r.step.channel,
      ...planned,
      reason: way.reason,
    }));
    return way.reason === 'noAddress'
      ? [...skipped, { act: 'openTask', task: 'missingAddress', step, on: today }]
      : skipped;
  }
  return [
    ...merged.map<Act>((r) => ({
      act: 'mergeStep',
      step: r.step.key,
      channel: r.step.channel,
      ...planned,
      into: step,
    })),
    {
      act: way.how,
      step,
      occurrence: 1 + facts.steps.filter((s) => s.step === step).length,
      channel: way.channel,
      ...planned,
      reanchors,
      asksMinor: here.asksMinor,
      on: today,
    },
  ];
}

/** Nobody's first contact is a last warning, also where the milder steps found no address. */
function warnsStranger(facts: CaseFacts, rungs: readonly Rung[], rung: Rung): boolean {
  const milderBefore = rungs.some((r) => !r.beforeDue && r.index < rung.index);
  return milderBefore && rung.step.tone === 'final' && !wasContacted(facts);
}

function isBelowMinimum(facts: CaseFacts, here: Standing): boolean {
  const minimum = amountFor(facts.policy.minimumAmount, facts.currency);
  return minimum !== null && here.asksMinor < minimum;
}

/** After the last step a person is asked how to go on. */
function ladderEnd(view: View, rungs: readonly Rung[]): Decision {
  if (view.facts.tasksOpened.includes('ladderEnded')) return wait(view, null, null);
  const at = ladderEndsAt(view, rungs) ?? lookAgain(view.now);
  return at <= view.now ? openOnce(view, 'ladderEnded')! : wait(view, at, taskAt(at, 'ladderEnded'));
}

/** When the ladder ends: on the day the formal notice would fall on, else the day after the last step. */
function ladderEndsAt({ facts, customer, today }: View, rungs: readonly Rung[]): Instant | null {
  if (facts.tasksOpened.includes('ladderEnded')) return null;
  const days = rungs.flatMap((r) => r.record?.leftOn ?? r.record?.plannedOn ?? []);
  const after = addDays(days.reduce(later, facts.dueOn), 1);
  const day = later(noticeDay(facts, today) ?? after, after);
  return nextMomentOnOrAfterDay(day, calendarOf(customer, facts.policy.contact));
}

/** The own day of the formal notice, as if it were one more step of the ladder. */
function noticeDay(facts: CaseFacts, today: LocalDate): LocalDate | null {
  const notice = facts.policy.formalNotice;
  if (notice === null) return null;
  const { day, from, channel, template } = notice;
  const step = { key: '~formalNotice', day, from, channel, template, tone: 'final' as const, to: [], cc: [] };
  const steps = [...facts.policy.steps, { ...step, attachInvoice: false }];
  return ladder({ ...facts, policy: { ...facts.policy, steps } }, today).at(-1)?.ownDay ?? null;
}

const act = (...acts: Act[]): Decision => ({ decision: 'act', acts });

function openOnce({ facts, today }: View, task: Exclude<CaseTaskKind, 'missingAddress'>): Decision | null {
  return facts.tasksOpened.includes(task) ? null : act({ act: 'openTask', task, step: null, on: today });
}

/** Waits for `at`, but no longer than until a promise or dated hold ends, or the claim is barred. */
function wait({ facts, customer }: View, at: Instant | null, next: NextAction | null): Decision {
  const barred = barredAt(facts, customer);
  const moments = [at, knownEnds(facts, customer)[0]?.at, barred].filter(isSet);
  return {
    decision: 'wait',
    until: moments.length > 0 ? Math.min(...moments) : null,
    next: next !== null && barred !== null && barred < next.at ? taskAt(barred, 'timeBarred') : next,
  };
}

const isSet = (at: Instant | null | undefined): at is Instant => at !== null && at !== undefined;

/** When the claim cannot be enforced any more, while nobody was told so. */
function barredAt({ limitationOn, tasksOpened }: CaseFacts, customer: CustomerFacts): Instant | null {
  return limitationOn === null || tasksOpened.includes('timeBarred') ? null : endOf(limitationOn, customer);
}

/** When promises and dated holds end, soonest first. */
function knownEnds(facts: CaseFacts, customer: CustomerFacts): { at: Instant; action: 'promiseEnds' | 'holdEnds' }[] {
  const ends: { at: Instant; action: 'promiseEnds' | 'holdEnds' }[] = [];
  for (const p of facts.promises) {
    if (p.status === 'active') ends.push({ at: endOf(lastGraceDay(p), customer), action: 'promiseEnds' });
  }
  for (const h of facts.holds) {
    if (h.liftedOn === null && h.untilOn !== null) ends.push({ at: endOf(h.untilOn, customer), action: 'holdEnds' });
  }
  return ends.sort((a, b) => a.at - b.at);
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

const action = ({ channel }: Pick<StepFact, 'channel'>): 'contact' | 'task' =>
  channel === 'email' ? 'contact' : 'task';

const taskAt = (at: Instant, task: CaseTaskKind): NextAction => ({
  at,
  action: 'task',
  step: null,
  channel: null,
  reason: task,
});

const nextOf = (at: Instant, kind: NextAction['action'], step: StepFact, reason: string): NextAction => ({
  at,
  action: kind,
  step: step.step,
  channel: step.channel,
  reason,
});

const lookAgain = (now: Instant): Instant => now + LOOK_AGAIN_DAYS * 86_400_000;
