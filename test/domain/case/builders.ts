import { applyAct, applyLeft } from '../../../domain/case/apply.ts';
import { isPlaced } from '../../../domain/case/beyond-ladder.ts';
import { decide, stageOf } from '../../../domain/case/decide.ts';
import type { Act, CaseTaskKind } from '../../../domain/case/decision.ts';
import { isOpen, type CaseFacts, type CustomerFacts, type HoldFact, type Stage } from '../../../domain/case/facts.ts';
import { MAX_ACTS_PER_TURN } from '../../../domain/case/forecast.ts';
import { ladder, openStep } from '../../../domain/case/ladder.ts';
import { FORMAL_NOTICE, THANK_YOU } from '../../../domain/case/requests.ts';
import { nextRung } from '../../../domain/case/choose-step.ts';
import { admitPlan } from '../../../domain/case/plan-admission.ts';
import { planContacts, type MessagePlan } from '../../../domain/case/plan-contacts.ts';
import { admitPromise } from '../../../domain/case/promises.ts';
import { FIRST_STAGE, isLawful, reopenedAt, type OpenStage } from '../../../domain/case/stages.ts';
import { paidUntil, standing } from '../../../domain/case/standing.ts';
import { DomainError } from '../../../domain/errors.ts';
import { formatAmount } from '../../../domain/money.ts';
import { parsePolicy } from '../../../domain/policy/parse.ts';
import type { Channel, Policy } from '../../../domain/policy/types.ts';
import { addDays, type LocalDate } from '../../../domain/time/dates.ts';
import { instantAt, localDate, type Instant } from '../../../domain/time/zones.ts';

export const PARIS = 'Europe/Paris';

/** An instant by the clock of a zone. */
export const at = (date: LocalDate, time = '08:30', zone = PARIS): Instant => instantAt(date, time, zone);

export interface StepDraft {
  key?: string;
  day: number;
  from?: string;
  channel?: string;
  template?: string;
  tone?: string;
  to?: string[];
  cc?: string[];
}

/** A policy as parsed, made from what a test is about; notes, calls and letters get the template that fits. */
export function policy(steps: (number | StepDraft)[] = [5, 12, 19], rest: Record<string, unknown> = {}): Policy {
  const templates: Record<string, string> = {
    call: 'call-script',
    letter: 'last-reminder',
    registeredLetter: 'last-reminder',
  };
  return parsePolicy({
    name: 'test',
    steps: steps.map((draft, index) => {
      const step = typeof draft === 'number' ? { day: draft } : draft;
      const note = step.day < 0 && step.channel !== 'call';
      const template = note ? 'before-due' : (templates[step.channel ?? 'email'] ?? 'reminder');
      return { key: `s${index + 1}`, channel: 'email', template, ...step };
    }),
    ...rest,
  });
}

let made = 0;

/** An open invoice of 1,200.00 EUR due on Friday 2026-09-04 that arrived in August. */
export function invoice(over: Partial<CaseFacts> = {}): CaseFacts {
  const registeredOn = over.registeredOn ?? '2026-08-05';
  const registeredAt = over.registeredAt ?? at(registeredOn, '08:00');
  const amountMinor = over.amountMinor ?? 120_000n;
  return {
    invoiceId: `inv_${String(++made).padStart(4, '0')}`,
    run: 1,
    stage: 'upcoming',
    issuedOn: '2026-08-05',
    dueOn: '2026-09-04',
    registeredOn,
    registeredAt,
    amountMinor,
    currency: 'EUR',
    balanceMinor: amountMinor,
    movements: [],
    policy: policy(),
    chaseFrom: null,
    lastStepSent: null,
    collection: { method: 'transfer', on: null, failedOn: null, askedOn: null },
    limitationOn: null,
    promises: [],
    disputes: [],
    holds: [],
    runs: [{ run: 1, openedOn: registeredOn, closedOn: null }],
    steps: [],
    approvedSteps: [],
    approvalAnswer: null,
    approvalAgencyId: null,
    plans: [],
    notice: null,
    placement: null,
    insolvency: null,
    stepNow: null,
    tasksOpened: [],
    entryReviewed: false,
    releasedAt: registeredAt,
    ...over,
  };
}

/** A French business with one billing address; All Saints' Day and Armistice Day are its holidays. */
export function customer(cases: CaseFacts[], over: Partial<CustomerFacts> = {}): CustomerFacts {
  return {
    customerId: 'cus_1',
    kind: 'business',
    country: 'FR',
    zone: PARIS,
    creditorZone: PARIS,
    customerHolidays: new Set(['2026-07-14', '2026-08-15', '2026-11-01', '2026-11-11', '2026-12-25', '2027-01-01']),
    creditorHolidays: new Set(),
    closedWeeks: [],
    recipients: [{ role: 'billing', key: 'b', usable: true }],
    hasAddress: true,
    contacts: [],
    agencyId: null,
    cases,
    ...over,
  };
}

export interface Sent {
  at: Instant;
  day: LocalDate;
  invoiceId: string;
  step: string;
  channel: Channel;
  amountMinor: bigint;
  message: MessagePlan;
}

/** What a played stretch of time left behind. */
export interface Played {
  sent: Sent[];
  messages: MessagePlan[];
  tasks: { at: Instant; invoiceId: string; task: CaseTaskKind; step: string | null }[];
  approvals: { at: Instant; invoiceId: string; step: string }[];
  promises: { at: Instant; invoiceId: string; became: 'kept' | 'broken' }[];
  planEnds: { at: Instant; invoiceId: string; became: 'planKept' | 'planBroken' }[];
  /** What each invoice of a plan owed when it was agreed. */
  plans: Map<string, Map<string, bigint>>;
  closed: Map<string, { stage: Stage; thank: boolean }>;
  cases: Map<string, CaseFacts>;
  customer: CustomerFacts;
  /** The stage of each case as the database would have it, and every way it went, as `from>to`. */
  stages: Map<string, Stage>;
  ways: Set<string>;
  /** The stage in which a closed case closed. */
  before: Map<string, OpenStage>;
  /** When each case wakes next. */
  wakeAt: Map<string, Instant>;
  turns: number;
}

/** Something that happens to one case at an instant; it returns the facts as they are afterwards. */
export interface Happening {
  at: Instant;
  invoiceId?: string;
  /** A person passes over what happens to be next, so it matters when the case last looked. */
  skips?: true;
  /** Something that happens to several cases at once, instead of `change`. */
  all?: (played: Played, now: Instant, today: LocalDate) => void;
  change: (facts: CaseFacts, now: Instant, today: LocalDate) => CaseFacts;
}

export interface PlayOptions {
  happenings?: Happening[];
  /** Nothing runs in these stretches; what was due runs at their end. */
  outages?: { from: Instant; to: Instant }[];
  /** Turns that nobody needs: they may change nothing. */
  extraWakes?: Instant[];
  /** Outreach looks before the cases have heard of what happens. */
  outreachFirst?: boolean;
  /** Called after every instant. */
  check?: (played: Played, now: Instant) => void;
}

/** A play that can be gone on with: what happened so far, and when outreach looks next. */
export interface Going {
  played: Played;
  outreachAt: Instant | null;
}

/** A customer's cases before their first turn. */
export function begin(start: CustomerFacts, from: Instant): Going {
  const played: Played = {
    sent: [],
    messages: [],
    tasks: [],
    approvals: [],
    promises: [],
    planEnds: [],
    plans: new Map(),
    closed: new Map(),
    cases: new Map(start.cases.map((c) => [c.invoiceId, c])),
    customer: start,
    stages: new Map(start.cases.map((c) => [c.invoiceId, c.stage])),
    ways: new Set(),
    before: new Map(),
    wakeAt: new Map(start.cases.map((c) => [c.invoiceId, from])),
    turns: 0,
  };
  return { played, outreachAt: null };
}

/**
 * Plays a customer's cases and outreach from one instant to another, the way the workflows do: cases whose time has come
 * turn first, then outreach; a message that leaves wakes nobody but the case whose formal notice it is, a note that met its due date its case. Fails when a decision breaks a promise of `decide`.
 */
export function play(start: CustomerFacts, from: Instant, to: Instant, options: PlayOptions = {}): Played {
  const going = begin(start, from);
  goOn(going, to, options);
  return going.played;
}

/** Plays on to an instant, that one included. */
export function goOn(going: Going, to: Instant, options: PlayOptions = {}): void {
  const { played } = going;
  const happenings = [...(options.happenings ?? [])].sort((a, b) => a.at - b.at);
  const earliest = Math.min(...played.wakeAt.values());
  const extra = [...(options.extraWakes ?? [])].filter((w) => w >= earliest).sort((a, b) => a - b);

  for (;;) {
    const moments = [...played.wakeAt.values()].map((w) => afterOutage(w, options.outages));
    if (going.outreachAt !== null) moments.push(afterOutage(going.outreachAt, options.outages));
    if (happenings[0]) moments.push(happenings[0].at);
    if (extra[0] !== undefined) moments.push(afterOutage(extra[0], options.outages));
    const now = Math.min(...moments);
    if (moments.length === 0 || now > to) return;

    const hasNews = happenings[0] !== undefined && happenings[0].at <= now;
    while (happenings[0] && happenings[0].at <= now) happen(played, happenings.shift()!, now);
    const everybody = extra[0] !== undefined && extra[0] <= now;
    while (extra[0] !== undefined && extra[0] <= now) extra.shift();
    const inOutage = afterOutage(now, options.outages) !== now;
    if (!inOutage) {
      if (hasNews && options.outreachFirst) going.outreachAt = outreach(played, now);
      for (const [id, wake] of [...played.wakeAt]) if (wake <= now || everybody) turn(played, id, now);
      going.outreachAt = outreach(played, now);
    }
    options.check?.(played, now);
  }
}

function afterOutage(moment: Instant, outages: PlayOptions['outages'] = []): Instant {
  const hit = outages.find((o) => o.from <= moment && moment < o.to);
  return hit ? hit.to : moment;
}

function happen(played: Played, happening: Happening, now: Instant): void {
  const today = localDate(now, played.customer.creditorZone);
  happening.all?.(played, now, today);
  for (const [id, facts] of happening.all ? [] : played.cases) {
    if (happening.invoiceId !== undefined && happening.invoiceId !== id) continue;
    const after = happening.change(facts, now, today);
    if (after === facts) continue;
    played.cases.set(id, after);
    if (after.run > facts.run) enter(played, id, reopenedAt(played.before.get(id) ?? FIRST_STAGE));
    if (isOpen(after.stage)) {
      played.closed.delete(id);
      played.wakeAt.set(id, now);
    }
  }
  syncPlans(played, now);
}

/** What the cases of one plan know of it together; a case that learns something new looks again. */
function syncPlans(played: Played, now: Instant): void {
  for (const [planId, shares] of played.plans) {
    const covered = [...shares.keys()].map((id) => played.cases.get(id)!);
    let paidMinor = 0n;
    for (const facts of covered) {
      const fell = shares.get(facts.invoiceId)! - facts.balanceMinor;
      if (fell > 0n) paidMinor += fell;
    }
    const leader = covered.map((c) => (isOpen(c.stage) ? c.invoiceId : '~')).sort()[0];
    const disputed = covered.some((c) => c.disputes.some((d) => d.resolvedOn === null));
    for (const facts of covered) {
      const plans = facts.plans.map((p) => {
        if (p.id !== planId || p.status !== 'active') return p;
        const notesElsewhere = covered.flatMap((c) => (c === facts ? [] : notesOf(c, planId)));
        const leads = facts.invoiceId === leader;
        const news = p.paidMinor !== paidMinor || p.leads !== leads || p.disputed !== disputed;
        if (news && isOpen(facts.stage)) played.wakeAt.set(facts.invoiceId, now);
        return { ...p, paidMinor, leads, disputed, notesElsewhere };
      });
      played.cases.set(facts.invoiceId, { ...facts, plans });
    }
  }
}

const notesOf = (facts: CaseFacts, planId: string): string[] =>
  facts.steps.flatMap((s) => (s.step.startsWith(`~plan:${planId}:`) ? [s.step] : []));

function turn(played: Played, id: string, now: Instant): void {
  const world = played.customer;
  let facts = played.cases.get(id)!;
  played.turns += 1;
  for (let rounds = 0; ; rounds++) {
    if (rounds >= MAX_ACTS_PER_TURN) throw new Error(`${id} does not come to rest`);
    const decision = decide(facts, { ...world, cases: [facts] }, now);
    if (decision.decision === 'wait') {
      if (decision.until === null) played.wakeAt.delete(id);
      else if (decision.until > now) played.wakeAt.set(id, decision.until);
      else throw new Error(`${id} waits for the past`);
      enter(played, id, stageOf(facts));
      break;
    }
    if (decision.decision === 'close') {
      played.wakeAt.delete(id);
      played.closed.set(id, decision);
      enter(played, id, decision.stage);
      const today = localDate(now, world.creditorZone);
      const runs = facts.runs.map((r) => (r.run === facts.run ? { ...r, closedOn: today } : r));
      facts = { ...withoutHolds(facts, today), stage: decision.stage, runs };
      if (decision.thank) facts = withThanks(facts, now, world.zone);
      break;
    }
    if (decision.acts.length === 0) throw new Error(`${id} acts without an act`);
    for (const act of decision.acts) {
      if (act.act === 'openTask') played.tasks.push({ at: now, invoiceId: id, task: act.task, step: act.step });
      if (act.act === 'askApproval') played.approvals.push({ at: now, invoiceId: id, step: act.step });
      if (act.act === 'keepPromise') played.promises.push({ at: now, invoiceId: id, became: 'kept' });
      if (act.act === 'breakPromise') played.promises.push({ at: now, invoiceId: id, became: 'broken' });
      if (act.act === 'keepPlan' || act.act === 'breakPlan') endForAll(played, id, act, now);
      facts = applyAct(facts, act);
    }
  }
  played.cases.set(id, facts);
  syncPlans(played, now);
}

/** Only the listed ways lead from one stage to another (`domain/case/stages.ts`). */
function enter(played: Played, id: string, to: Stage): void {
  const from = played.stages.get(id) ?? FIRST_STAGE;
  if (!isLawful(from, to)) throw new Error(`${id} went from ${from} to ${to}`);
  if (from === to) return;
  if (isOpen(from)) played.before.set(id, from);
  played.stages.set(id, to);
  played.ways.add(`${from}>${to}`);
}

/** One case judges a plan for all of its cases, which are told. */
function endForAll(
  played: Played,
  judge: string,
  act: Extract<Act, { act: 'keepPlan' | 'breakPlan' }>,
  now: Instant,
): void {
  const became = act.act === 'keepPlan' ? 'planKept' : 'planBroken';
  for (const [id, facts] of played.cases) {
    if (!facts.plans.some((p) => p.id === act.planId && p.status === 'active')) continue;
    if (isOpen(facts.stage)) played.planEnds.push({ at: now, invoiceId: id, became });
    if (id === judge) continue;
    played.cases.set(id, applyAct(facts, act));
    if (isOpen(facts.stage)) played.wakeAt.set(id, now);
  }
}

/** A case that closes leaves nothing behind that would hold its next run but a plan that goes on with others. */
function withoutHolds(facts: CaseFacts, on: LocalDate): CaseFacts {
  return {
    ...facts,
    disputes: facts.disputes.map((d) => ({ ...d, resolvedOn: d.resolvedOn ?? on })),
    holds: facts.holds.map((h) => (h.kind === 'plan' || h.liftedOn !== null ? h : { ...h, liftedOn: on })),
    placement: isPlaced(facts) ? { ...facts.placement!, status: 'ended', endedOn: on } : facts.placement,
  };
}

function withThanks(facts: CaseFacts, now: Instant, zone: string): CaseFacts {
  const asked = {
    id: null,
    step: THANK_YOU,
    occurrence: facts.run,
    channel: 'email' as const,
    amountMinor: null,
    leftOn: null,
    reason: null,
  };
  const when = { status: 'requested' as const, plannedAt: now, plannedOn: localDate(now, zone) };
  return { ...facts, steps: [...facts.steps, { ...asked, ...when, reanchors: false, redraw: false }] };
}

function outreach(played: Played, now: Instant): Instant | null {
  const plan = planContacts({ ...played.customer, cases: [...played.cases.values()] }, now);
  for (const message of plan.messages) {
    played.messages.push(message);
    const { day, channel, recipients } = message;
    const contact = { day, channel, recipientKey: recipients.recipientKey };
    played.customer = { ...played.customer, contacts: [...played.customer.contacts, contact] };
    for (const item of message.items) {
      const facts = played.cases.get(item.invoiceId)!;
      played.cases.set(item.invoiceId, applyLeft(facts, item, day));
      if (item.step === FORMAL_NOTICE) played.wakeAt.set(item.invoiceId, now);
      const { invoiceId, step, amountMinor } = item;
      played.sent.push({ at: now, day, invoiceId, step, channel, amountMinor, message });
    }
  }
  for (const id of plan.expired) played.wakeAt.set(id, now);
  if (plan.until !== null && plan.until <= now) throw new Error('outreach waits for the past');
  return plan.until;
}

/** What left, as `step day`, without thanks. */
export const steps = (played: Played): string[] =>
  played.sent.filter((s) => s.step !== THANK_YOU).map((s) => `${s.step} ${s.day}`);

// What can happen -----------------------------------------------------------------------------------------------------

const freed = (facts: CaseFacts, now: Instant): CaseFacts => ({
  ...facts,
  releasedAt: Math.max(facts.releasedAt, now),
});

export const pay = (when: Instant, amountMinor: bigint, invoiceId?: string): Happening => ({
  at: when,
  ...(invoiceId === undefined ? {} : { invoiceId }),
  change: (facts, _now, on) => {
    const amount = amountMinor < facts.balanceMinor ? amountMinor : facts.balanceMinor;
    if (amount === 0n || !isOpen(facts.stage)) return facts;
    const movements = [...facts.movements, { on, amountMinor: -amount, kind: 'payment' as const }];
    return { ...facts, balanceMinor: facts.balanceMinor - amount, movements };
  },
});

export const credit = (when: Instant, amountMinor: bigint, invoiceId?: string): Happening => ({
  ...pay(when, amountMinor, invoiceId),
  change: (facts, _now, on) => {
    const amount = amountMinor < facts.balanceMinor ? amountMinor : facts.balanceMinor;
    if (amount === 0n || !isOpen(facts.stage)) return facts;
    const movements = [...facts.movements, { on, amountMinor: -amount, kind: 'credit' as const }];
    return { ...facts, balanceMinor: facts.balanceMinor - amount, movements };
  },
});

/** Money comes back; a closed case is opened for another run. */
export const reverse = (when: Instant, amountMinor: bigint, invoiceId?: string): Happening => ({
  ...pay(when, amountMinor, invoiceId),
  change: (facts, now, on) => {
    const paid = paidUntil(facts, null);
    const amount = amountMinor < paid ? amountMinor : paid;
    if (amount === 0n) return facts;
    const movements = [...facts.movements, { on, amountMinor: amount, kind: 'payment' as const }];
    const owed = { ...facts, balanceMinor: facts.balanceMinor + amount, movements };
    if (isOpen(facts.stage)) return owed;
    const run = facts.run + 1;
    const runs = [...facts.runs, { run, openedOn: on, closedOn: null }];
    // Thanks that were not yet given would now come too early.
    const steps = facts.steps.filter((s) => !(s.step === THANK_YOU && s.status === 'requested'));
    return freed({ ...owed, run, runs, steps, stage: 'reminding', tasksOpened: [] }, now);
  },
});

export const promise = (
  when: Instant,
  payOn: LocalDate,
  amountMinor: bigint | null = null,
  id?: string,
): Happening => ({
  ...pay(when, 0n, id),
  change: (facts, _now, madeOn) => {
    if (!isOpen(facts.stage) || facts.balanceMinor === 0n || payOn < madeOn) return facts;
    if (facts.plans.some((p) => p.status === 'active')) return facts;
    const { holds, graceDays } = admitPromise(facts.policy, facts.promises, payOn, madeOn);
    const fact = { payOn, graceDays, holds, madeOn, amountMinor, status: 'active' as const, endedOn: null };
    const promiseId = `${facts.invoiceId}-p${facts.promises.length + 1}`;
    const paidBeforeMinor = paidUntil(facts, null);
    return { ...facts, promises: [...facts.promises, { id: promiseId, paidBeforeMinor, ...fact }] };
  },
});

export const withdrawPromise = (when: Instant, id?: string): Happening => ({
  ...pay(when, 0n, id),
  change: (facts, now, endedOn) => {
    if (!facts.promises.some((p) => p.status === 'active')) return facts;
    const promises = facts.promises.map((p) =>
      p.status === 'active' ? { ...p, status: 'withdrawn' as const, endedOn } : p,
    );
    return freed({ ...facts, promises }, now);
  },
});

/**
 * A plan over these invoices, or all that can be covered, in equal instalments so many days from now; nothing happens
 * where it is refused.
 */
export const agree = (when: Instant, inDays: readonly number[], ids?: readonly string[]): Happening => ({
  ...pay(when, 0n),
  all: (played, _now, today) => {
    const cases = [...played.cases.values()].filter((c) =>
      ids ? ids.includes(c.invoiceId) : isOpen(c.stage) && c.balanceMinor > 0n,
    );
    const total = cases.reduce((sum, c) => sum + c.balanceMinor, 0n);
    const part = total / BigInt(inDays.length);
    const instalments = inDays.map((days, index) => ({
      dueOn: addDays(today, days),
      amount: formatAmount(index === 0 ? total - part * BigInt(inDays.length - 1) : part, 'EUR'),
    }));
    const planId = `pla${played.plans.size + 1}`;
    try {
      const admitted = admitPlan(cases.map(asPlanned), instalments, today);
      played.plans.set(planId, new Map(cases.map((c) => [c.invoiceId, c.balanceMinor])));
      const fact = { id: planId, status: 'active' as const, agreedOn: today, endedOn: null, paidMinor: 0n };
      const { graceDays, totalMinor } = admitted;
      const terms = { graceDays, totalMinor, instalments: admitted.instalments };
      const together = { leads: false, notesElsewhere: [], disputed: false };
      const hold = { id: `${planId}-h`, kind: 'plan' as const, fromOn: today, untilOn: null, liftedOn: null };
      for (const facts of cases) {
        const promises = facts.promises.map((p) =>
          p.status === 'active' ? { ...p, status: 'withdrawn' as const, endedOn: today } : p,
        );
        const plans = [...facts.plans, { ...fact, ...terms, ...together }];
        played.cases.set(facts.invoiceId, { ...facts, promises, plans, holds: [...facts.holds, hold] });
        played.wakeAt.set(facts.invoiceId, when);
      }
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
    }
  },
});

const asPlanned = (facts: CaseFacts) => ({
  id: facts.invoiceId,
  number: facts.invoiceId,
  customerId: 'cus_1',
  currency: facts.currency,
  balanceMinor: facts.balanceMinor,
  policy: facts.policy,
  closed: !isOpen(facts.stage),
  placed: facts.stage === 'placed',
  disputed: facts.disputes.some((d) => d.resolvedOn === null),
  insolvent: facts.holds.some((h) => h.kind === 'insolvency' && h.liftedOn === null),
  planned: facts.plans.some((p) => p.status === 'active'),
});

/** A person cancels every plan. */
export const cancelPlans = (when: Instant): Happening => ({
  ...pay(when, 0n),
  all: (played, now, endedOn) => {
    for (const [id, facts] of played.cases) {
      if (!facts.plans.some((p) => p.status === 'active')) continue;
      const plans = facts.plans.map((p) =>
        p.status === 'active' ? { ...p, status: 'cancelled' as const, endedOn } : p,
      );
      const holds = facts.holds.map((h) =>
        h.kind === 'plan' && h.liftedOn === null ? { ...h, liftedOn: endedOn } : h,
      );
      played.cases.set(id, freed({ ...facts, plans, holds }, now));
      if (isOpen(facts.stage)) played.wakeAt.set(id, now);
    }
  },
});

export const dispute = (when: Instant, amountMinor: bigint | null = null, id?: string): Happening => ({
  ...pay(when, 0n, id),
  change: (facts, _now, openedOn) => {
    if (!isOpen(facts.stage) || (amountMinor !== null && amountMinor > facts.balanceMinor)) return facts;
    const fact = { id: `${facts.invoiceId}-d${facts.disputes.length + 1}`, amountMinor, openedOn, resolvedOn: null };
    return { ...facts, disputes: [...facts.disputes, fact] };
  },
});

/** Every open dispute is rejected: its amount is owed as before. */
export const resolve = (when: Instant, id?: string): Happening => ({
  ...pay(when, 0n, id),
  change: (facts, now, resolvedOn) => {
    if (!facts.disputes.some((d) => d.resolvedOn === null)) return facts;
    return freed(
      { ...facts, disputes: facts.disputes.map((d) => ({ ...d, resolvedOn: d.resolvedOn ?? resolvedOn })) },
      now,
    );
  },
});

export const hold = (
  when: Instant,
  untilOn: LocalDate | null = null,
  kind: HoldFact['kind'] = 'pause',
  id?: string,
): Happening => ({
  ...pay(when, 0n, id),
  change: (facts, _now, fromOn) => {
    if (!isOpen(facts.stage) || (untilOn !== null && untilOn < fromOn)) return facts;
    const fact = { id: `${facts.invoiceId}-h${facts.holds.length + 1}`, kind, fromOn, untilOn, liftedOn: null };
    return { ...facts, holds: [...facts.holds, fact] };
  },
});

/** Whatever a person can lift is lifted: not an approval that is asked, nor a plan. */
export const lift = (when: Instant, id?: string): Happening => ({
  ...pay(when, 0n, id),
  change: (facts, now, liftedOn) => {
    const mine = (h: HoldFact): boolean => h.kind !== 'approval' && h.kind !== 'plan' && h.liftedOn === null;
    if (!facts.holds.some(mine)) return facts;
    return freed({ ...facts, holds: facts.holds.map((h) => (mine(h) ? { ...h, liftedOn } : h)) }, now);
  },
});

export const answer = (when: Instant, what: 'approved' | 'refused', id?: string): Happening => ({
  ...pay(when, 0n, id),
  change: (facts) => (openStep(facts)?.status === 'awaitingApproval' ? { ...facts, approvalAnswer: what } : facts),
});

export const moveDue = (when: Instant, dueOn: LocalDate, id?: string): Happening => ({
  ...pay(when, 0n, id),
  change: (facts, now) => (isOpen(facts.stage) && dueOn >= facts.issuedOn ? freed({ ...facts, dueOn }, now) : facts),
});

export const change = (when: Instant, over: (facts: CaseFacts) => Partial<CaseFacts>, id?: string): Happening => ({
  ...pay(when, 0n, id),
  change: (facts) => ({ ...facts, ...over(facts) }),
});

/** A person passes over the next step. */
export const skip = (when: Instant, id?: string): Happening => ({
  ...pay(when, 0n, id),
  skips: true,
  change: (facts, now, today) => {
    const open = openStep(facts);
    const rung = nextRung(ladder(facts, today));
    if (!isOpen(facts.stage) || !rung || open?.status === 'awaitingApproval') return facts;
    const rest = open
      ? applyAct(facts, { act: 'withdrawRequest', step: open.step, reason: 'skipped', on: today })
      : facts;
    const { key: step, channel } = rung.step;
    return applyAct(rest, { act: 'skipStep', step, channel, plannedAt: now, plannedOn: today, reason: 'byPerson' });
  },
});

/** What the case asks for and whether it is held, on a day of the creditor's. */
export const standingOf = (played: Played, id: string, now: Instant) =>
  standing(played.cases.get(id)!, localDate(now, played.customer.creditorZone));
