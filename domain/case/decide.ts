import { amountFor } from '../money.ts';
import { nextMomentOnOrAfterDay, opensAt } from '../time/contact-window.ts';
import { addDays, later, type LocalDate } from '../time/dates.ts';
import { addWorkingDays } from '../time/working-days.ts';
import { instantAt, localDate, type Instant } from '../time/zones.ts';
import type { Act, Decision, NextAction } from './decision.ts';
import type { CaseFacts, CustomerFacts, Stage, StepFact } from './facts.ts';
import { contactedByUs, ladder, openStep, wasContacted, type Rung } from './ladder.ts';
import { allowedMoment, calendarOf, channelOf } from './moments.ts';
import { chooseStep } from './choose-step.ts';
import { lastGraceDay, paidUntil, standing, type Standing } from './standing.ts';

/** Working days after the collection date after which a missing direct debit becomes a person's task (api.md). */
const COLLECTION_WORKING_DAYS = 5;

/**
 * The next thing for one case (design rule 1): act now, wait until an instant and why, or close. Pure; `now` is the
 * business instant that is judged. Acts are carried out, applied to the facts, and `decide` is asked again until it
 * waits or closes.
 */
export function decide(facts: CaseFacts, customer: CustomerFacts, now: Instant): Decision {
  const today = localDate(now, customer.creditorZone);
  const ended = whatEnded(facts, customer, now, today);
  if (ended.length > 0) return { decision: 'act', acts: ended };
  if (facts.balanceMinor === 0n) return closing(facts, today);

  const here = standing(facts, today);
  const open = openStep(facts);
  const answered = approvalAnswered(facts, customer, open, now, today);
  if (answered) return answered;

  const stop = heldBack(facts, customer, here, open, now, today);
  if (stop) return stop;

  if (open) return waitWithOpenStep(facts, customer, open, now, today);
  return nextOnLadder(facts, customer, here, now, today);
}

/** The stage that follows from what happened: reminding once a step after due was taken. Closing is decided apart. */
export function stageOf(facts: CaseFacts): Extract<Stage, 'upcoming' | 'reminding'> {
  const taken = (r: Rung): boolean =>
    r.record?.status === 'left' ||
    r.record?.status === 'queued' ||
    r.record?.status === 'requested' ||
    r.record?.reason === 'sentBefore';
  const reminded = ladder(facts, facts.dueOn).some((r) => !r.beforeDue && taken(r));
  return reminded ? 'reminding' : 'upcoming';
}

function whatEnded(facts: CaseFacts, customer: CustomerFacts, now: Instant, today: LocalDate): Act[] {
  const acts: Act[] = [];
  const paid = paidUntil(facts, null);
  for (const p of facts.promises) {
    if (p.status !== 'active') continue;
    const paidSince = paid - p.paidBeforeMinor;
    if (p.amountMinor !== null && paidSince >= p.amountMinor) {
      acts.push({ act: 'keepPromise', promiseId: p.id, on: today });
    } else if (facts.balanceMinor > 0n && now >= promiseEnds(p, customer)) {
      acts.push({ act: 'breakPromise', promiseId: p.id, on: lastGraceDay(p) });
    }
  }
  for (const h of facts.holds) {
    if (h.liftedOn === null && h.untilOn !== null && now >= holdEnds(h.untilOn, customer)) {
      acts.push({ act: 'endHold', holdId: h.id, on: h.untilOn });
    }
  }
  return acts;
}

/** A promise breaks at the end of its last grace day in the creditor's zone (design rule 9). */
const promiseEnds = (p: { payOn: LocalDate; graceDays: number }, customer: CustomerFacts): Instant =>
  instantAt(lastGraceDay(p), '24:00', customer.creditorZone);

const holdEnds = (untilOn: LocalDate, customer: CustomerFacts): Instant =>
  instantAt(untilOn, '24:00', customer.creditorZone);

function closing(facts: CaseFacts, today: LocalDate): Decision {
  const paid = facts.movements.some((m) => m.kind === 'payment') && paidUntil(facts, null) > 0n;
  const acts: Act[] = [];
  for (const p of facts.promises) {
    if (p.status === 'active') acts.push({ act: 'keepPromise', promiseId: p.id, on: today });
  }
  const open = openStep(facts);
  if (open && open.status !== 'queued') acts.push({ act: 'withdrawRequest', step: open.step, reason: 'nothingOwed' });
  if (acts.length > 0) return { decision: 'act', acts };
  return {
    decision: 'close',
    stage: paid ? 'settled' : 'cancelled',
    thank: paid && facts.policy.thankYou !== null,
  };
}

function approvalAnswered(
  facts: CaseFacts,
  customer: CustomerFacts,
  open: StepFact | null,
  now: Instant,
  today: LocalDate,
): Decision | null {
  if (open?.status !== 'awaitingApproval' || facts.approvalAnswer === null) return null;
  if (facts.approvalAnswer === 'refused') return { decision: 'act', acts: [{ act: 'refuse', step: open.step, on: today }] };
  const plannedOn = localDate(now, customer.zone);
  return { decision: 'act', acts: [{ act: 'approve', step: open.step, plannedAt: now, plannedOn, on: today }] };
}

/** Everything that keeps the case from asking for money at all. */
function heldBack(
  facts: CaseFacts,
  customer: CustomerFacts,
  here: Standing,
  open: StepFact | null,
  now: Instant,
  today: LocalDate,
): Decision | null {
  const barred = facts.limitationOn !== null && today > facts.limitationOn;
  const why = barred ? 'timeBarred' : here.heldWhole ? (here.holds[0]?.kind ?? 'nothingToAsk') : null;
  if (why !== null) {
    // What waits for approval is itself a hold; what is queued is looked at again by the relay.
    if (open?.status === 'requested') {
      return { decision: 'act', acts: [{ act: 'withdrawRequest', step: open.step, reason: why }] };
    }
    if (barred) return openOnce(facts, 'timeBarred', today) ?? waitForPartEnds(facts, customer);
    return waitForRelease(facts, customer, here, open);
  }

  const debit = directDebitPending(facts, customer, now, today);
  if (debit) return debit;

  const late = facts.dueOn < facts.registeredOn;
  if (late && facts.policy.entry === 'hold' && !facts.entryReviewed && !contactedByUs(facts)) {
    return (
      openOnce(facts, 'entryReview', today) ?? {
        decision: 'wait',
        until: null,
        next: null,
      }
    );
  }
  return null;
}

function openOnce(facts: CaseFacts, task: 'timeBarred' | 'entryReview' | 'ladderEnded', on: LocalDate): Decision | null {
  if (facts.tasksOpened.includes(task)) return null;
  return { decision: 'act', acts: [{ act: 'openTask', task, step: null, on }] };
}

function waitForRelease(facts: CaseFacts, customer: CustomerFacts, here: Standing, open: StepFact | null): Decision {
  const ends = knownEnds(facts, customer);
  const first = ends[0] ?? null;
  if (first === null && open?.status === 'awaitingApproval') {
    return { decision: 'wait', until: null, next: nextOf(open.plannedAt, 'approval', open, 'approvalAsked') };
  }
  if (first === null) return { decision: 'wait', until: null, next: null };
  const reason = here.holds.find((h) => h.until !== null)?.kind ?? 'hold';
  return {
    decision: 'wait',
    until: first.at,
    next: { at: first.at, action: first.action, step: null, channel: null, reason },
  };
}

function waitForPartEnds(facts: CaseFacts, customer: CustomerFacts): Decision {
  return { decision: 'wait', until: knownEnds(facts, customer)[0]?.at ?? null, next: null };
}

/** When promises and dated holds end, soonest first. */
function knownEnds(facts: CaseFacts, customer: CustomerFacts): { at: Instant; action: 'promiseEnds' | 'holdEnds' }[] {
  const ends: { at: Instant; action: 'promiseEnds' | 'holdEnds' }[] = [];
  for (const p of facts.promises) {
    if (p.status === 'active') ends.push({ at: promiseEnds(p, customer), action: 'promiseEnds' });
  }
  for (const h of facts.holds) {
    if (h.liftedOn === null && h.untilOn !== null) ends.push({ at: holdEnds(h.untilOn, customer), action: 'holdEnds' });
  }
  return ends.sort((a, b) => a.at - b.at);
}

/** A direct debit is chased only after its collection failed; its silence becomes a task (api.md). */
function directDebitPending(
  facts: CaseFacts,
  customer: CustomerFacts,
  now: Instant,
  today: LocalDate,
): Decision | null {
  const { method, failedOn, askedOn, on } = facts.collection;
  if (method !== 'directDebit' || failedOn !== null) return null;
  const from = askedOn ?? on ?? facts.dueOn;
  const missingOn = addWorkingDays(from, COLLECTION_WORKING_DAYS, customer.customerHolidays);
  const at = nextMomentOnOrAfterDay(missingOn, calendarOf(customer, facts.policy.contact));
  const key = `collectionMissing:${from}`;
  if (at === null || facts.tasksOpened.includes(key)) return { decision: 'wait', until: null, next: null };
  if (now < at) {
    return {
      decision: 'wait',
      until: at,
      next: { at, action: 'task', step: null, channel: null, reason: 'collectionMissing' },
    };
  }
  return { decision: 'act', acts: [{ act: 'openTask', task: 'collectionMissing', step: null, on: today }] };
}

/** The key under which `tasksOpened` remembers a task about one collection date. */
export function collectionTaskKey(facts: CaseFacts): string {
  const { askedOn, on } = facts.collection;
  return `collectionMissing:${askedOn ?? on ?? facts.dueOn}`;
}

/**
 * A request is with outreach, or a person decides on it. The case looks again when the following step may leave: had the
 * open one left as planned, that is its moment, and if it has not, it is overtaken.
 */
function waitWithOpenStep(
  facts: CaseFacts,
  customer: CustomerFacts,
  open: StepFact,
  now: Instant,
  today: LocalDate,
): Decision {
  const rungs = ladder(facts, today);
  const rung = rungs.find((r) => r.step.key === open.step);
  const requested = open.status === 'requested';
  if (rung?.beforeDue && requested && localDate(now, customer.zone) >= facts.dueOn) {
    return takeBack(open, 'dueDateReached');
  }
  const following = rungs.find((r) => r.index > (rung?.index ?? -1) && r.record === null);
  const overtakenAt = following ? momentAfter(facts, customer, open, following) : null;
  if (overtakenAt !== null && now >= overtakenAt && requested && facts.policy.late !== 'shift') {
    const { step, channel, plannedAt, plannedOn } = open;
    return {
      decision: 'act',
      acts: [
        { act: 'withdrawRequest', step, reason: 'overtaken' },
        { act: 'mergeStep', step, channel, plannedAt, plannedOn, into: following!.step.key },
      ],
    };
  }
  // After the last step the ladder's end is what comes next.
  const afterwards = following ? overtakenAt : ladderEndMoment(facts, customer, rungs, today);
  const candidates = [...knownEnds(facts, customer).map((e) => e.at), afterwards ?? now].filter((at) => at > now);
  const asked = open.status === 'awaitingApproval';
  return {
    decision: 'wait',
    until: candidates.length > 0 ? Math.min(...candidates) : null,
    next: nextOf(open.plannedAt, asked ? 'approval' : 'contact', open, asked ? 'approvalAsked' : 'stepDue'),
  };
}

/** When the following step may leave if the open one leaves on its planned day. */
function momentAfter(facts: CaseFacts, customer: CustomerFacts, open: StepFact, following: Rung): Instant | null {
  const own =
    following.ownDay ?? (following.step.from === 'previous' ? addDays(open.plannedOn, following.step.day) : null);
  if (own === null) return null;
  const withOpen = {
    ...customer,
    contacts: [...customer.contacts, { day: open.plannedOn, channel: open.channel, recipientKey: '' }],
  };
  const from = opensAt(later(own, addDays(open.plannedOn, 1)), calendarOf(customer, facts.policy.contact));
  return allowedMoment(withOpen, facts.policy.contact, from);
}

function takeBack(open: StepFact, reason: string): Decision {
  return {
    decision: 'act',
    acts: [
      { act: 'withdrawRequest', step: open.step, reason },
      {
        act: 'skipStep',
        step: open.step,
        channel: open.channel,
        plannedAt: open.plannedAt,
        plannedOn: open.plannedOn,
        reason,
      },
    ],
  };
}

function nextOf(at: Instant, action: NextAction['action'], step: StepFact, reason: string): NextAction {
  return { at, action, step: step.step, channel: step.channel, reason };
}

function nextOnLadder(
  facts: CaseFacts,
  customer: CustomerFacts,
  here: Standing,
  now: Instant,
  today: LocalDate,
): Decision {
  const redraw = facts.steps.find((s) => s.redraw && s.status === 'left');
  if (redraw) return { decision: 'act', acts: [{ act: 'redrawTask', step: redraw.step }] };

  const rungs = ladder(facts, today);
  const choice = chooseStep(facts, customer, rungs, now);
  if (choice.do === 'end') return ladderEnd(facts, customer, rungs, now, today);
  if (choice.do === 'drop') return { decision: 'act', acts: choice.acts };
  if (choice.do === 'never') return { decision: 'wait', until: knownEnds(facts, customer)[0]?.at ?? null, next: null };

  const { rung, at } = choice;
  const channel = channelOf(customer, facts.policy, rung.step) ?? rung.step.channel;
  if (at > now) {
    const until = Math.min(at, ...knownEnds(facts, customer).map((e) => e.at));
    return {
      decision: 'wait',
      until,
      next: { at, action: 'contact', step: rung.step.key, channel, reason: 'stepDue' },
    };
  }
  return leaveNow(facts, customer, here, rung, choice.merged, choice.reanchors, now, today);
}

function leaveNow(
  facts: CaseFacts,
  customer: CustomerFacts,
  here: Standing,
  rung: Rung,
  merged: readonly Rung[],
  reanchors: boolean,
  now: Instant,
  today: LocalDate,
): Decision {
  const { policy } = facts;
  const plannedOn = localDate(now, customer.zone);
  const { step } = rung;
  const skip = (reason: string): Act => ({
    act: 'skipStep',
    step: step.key,
    channel: step.channel,
    plannedAt: now,
    plannedOn,
    reason,
  });

  const minimum = amountFor(policy.minimumAmount, facts.currency);
  if (minimum !== null && here.asksMinor < minimum) return { decision: 'act', acts: [skip('belowMinimum')] };

  const channel = channelOf(customer, policy, step);
  if (channel === null) {
    return {
      decision: 'act',
      acts: [skip('noAddress'), { act: 'openTask', task: 'missingAddress', step: step.key, on: today }],
    };
  }

  if (warnsStranger(facts, rung)) return { decision: 'act', acts: [skip('firstContact')] };

  const mergeActs = merged.map<Act>((r) => ({
    act: 'mergeStep',
    step: r.step.key,
    channel: r.step.channel,
    plannedAt: now,
    plannedOn,
    into: step.key,
  }));
  const asksPerson =
    !rung.beforeDue && policy.approvalAbove !== null && !facts.approvedSteps.includes(step.key) &&
    exceeds(here.asksMinor, amountFor(policy.approvalAbove, facts.currency));
  const occurrence = 1 + facts.steps.filter((s) => s.step === step.key).length;
  return {
    decision: 'act',
    acts: [
      ...mergeActs,
      {
        act: asksPerson ? 'askApproval' : 'request',
        step: step.key,
        occurrence,
        channel,
        plannedAt: now,
        plannedOn,
        reanchors,
        asksMinor: here.asksMinor,
      },
    ],
  };
}

/** Nobody's first contact is a last warning, also where the milder steps found no address. */
function warnsStranger(facts: CaseFacts, rung: Rung): boolean {
  const milderBefore = ladder(facts, facts.dueOn).some((r) => !r.beforeDue && r.index < rung.index);
  return milderBefore && rung.step.tone === 'final' && !wasContacted(facts);
}

/** An `approvalAbove` that lacks the currency asks always (api.md). */
const exceeds = (asks: bigint, ceiling: bigint | null): boolean => ceiling === null || asks > ceiling;

/**
 * After the last step: until the next branches exist, a person is asked to go on. It happens on the day the formal
 * notice would fall on, else the day after the last step.
 */
function ladderEnd(
  facts: CaseFacts,
  customer: CustomerFacts,
  rungs: readonly Rung[],
  now: Instant,
  today: LocalDate,
): Decision {
  if (facts.tasksOpened.includes('ladderEnded')) return waitForPartEnds(facts, customer);
  const at = ladderEndMoment(facts, customer, rungs, today);
  if (at !== null && at <= now) return openOnce(facts, 'ladderEnded', today)!;
  const until = [at, ...knownEnds(facts, customer).map((e) => e.at)].filter((t): t is Instant => t !== null);
  return {
    decision: 'wait',
    until: until.length > 0 ? Math.min(...until) : null,
    next: at === null ? null : { at, action: 'task', step: null, channel: null, reason: 'ladderEnded' },
  };
}

function ladderEndMoment(
  facts: CaseFacts,
  customer: CustomerFacts,
  rungs: readonly Rung[],
  today: LocalDate,
): Instant | null {
  return nextMomentOnOrAfterDay(ladderEndDay(facts, rungs, today), calendarOf(customer, facts.policy.contact));
}

function ladderEndDay(facts: CaseFacts, rungs: readonly Rung[], today: LocalDate): LocalDate {
  const lastDay = rungs
    .map((r) => r.record?.leftOn ?? r.record?.plannedOn ?? null)
    .reduce<LocalDate>((a, b) => (b !== null && b > a ? b : a), facts.dueOn);
  const after = addDays(lastDay, 1);
  const notice = facts.policy.formalNotice;
  if (notice === null) return after;
  const virtual = {
    ...facts.policy.steps[0]!,
    key: '~formalNotice',
    day: notice.day,
    from: notice.from,
    channel: notice.channel,
  };
  const withNotice = { ...facts, policy: { ...facts.policy, steps: [...facts.policy.steps, virtual] } };
  const own = ladder(withNotice, today).at(-1)?.ownDay ?? after;
  return later(own, after);
}
