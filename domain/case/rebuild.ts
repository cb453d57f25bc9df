import { parseAmount } from '../money.ts';
import { limitationIn, LIMITATION_EVENTS, type LimitationEvent } from '../law/limitation.ts';
import { earlier, type LocalDate } from '../time/dates.ts';
import { localDate, type Instant } from '../time/zones.ts';
import { applyAct } from './apply.ts';
import { stageOf } from './decide.ts';
import type { Act, Decision } from './decision.ts';
import { isOpen, type CaseFacts, type CustomerFacts, type Movement, type StepFact } from './facts.ts';
import { FORMAL_NOTICE, isAside, isBranch, PLACEMENT, shownStep, WRITE_OFF } from './requests.ts';

/**
 * Rebuilds the facts of a case from its log: the events of its chain, and the acts of its own earlier decisions. What a
 * turn did to its case is applied by `applyAct`, what others did by the reducers below, one an event; a new kind of event
 * that changes facts gets a line there, a new field one in `REBUILT`.
 */

/** The latest of these tells since when nothing could have been missed: something held the case until then. */
export const RELEASES = [
  'released',
  'resumed',
  'disputeResolved',
  'promiseBroken',
  'promiseKept',
  'promiseWithdrawn',
  'reopened',
  'dueDateChanged',
  'approved',
  'refused',
  'collectionFailed',
  'planKept',
  'planBroken',
  'planCancelled',
] as const;

export interface LoggedEvent {
  n: number;
  at: Instant;
  kind: string;
  data: Readonly<Record<string, unknown>>;
}

/**
 * A turn that did something: what it knew, what it decided, and the numbers of the last event before and after it. A look
 * of outreach is one that decided nothing about the case by itself.
 */
export interface LoggedTurn {
  name: string;
  at: Instant;
  eventsBefore: number;
  eventsAfter: number;
  facts: CaseFacts;
  customer: CustomerFacts;
  /** What a person's commands did in the same turn before anything was decided. */
  commanded: readonly Act[];
  /** In their order; the last one waits or closes. */
  decisions: readonly Decision[];
}

/** What never changes about an invoice, and what it was registered with. */
export type Origin = Pick<
  CaseFacts,
  'invoiceId' | 'issuedOn' | 'registeredAt' | 'amountMinor' | 'currency' | 'chaseFrom' | 'lastStepSent'
> & {
  dueOn: LocalDate;
  collection: { method: CaseFacts['collection']['method']; on: LocalDate | null };
  /** The years of limitation that the contract agrees; null: those of the law. */
  limitationYears: number | null;
};

type Data = LoggedEvent['data'];

/** Holds of the customer as a whole are no business of one case's log. */
const isOfCustomer = (data: Data): boolean => data['scope'] === 'customer';
const text = (data: Data, name: string): string => textOrNull(data, name) ?? '';
const textOrNull = (data: Data, name: string): string | null => {
  const value = data[name];
  return typeof value === 'string' ? value : null;
};
const minor = (facts: CaseFacts, value: unknown): bigint =>
  typeof value === 'string' ? parseAmount(value, facts.currency) : 0n;

interface Context {
  customer: CustomerFacts;
  /** What steps asked for before a message named another amount. */
  asked: Map<string, bigint | null>;
  /** What came for the invoice after it was written off, by allocation: no movement of its balance. */
  recovered: Map<string, bigint>;
  /** What counts for limitation, by its id. */
  limitation: Map<string, LimitationEvent>;
  contractYears: number | null;
}

type Reducer = (facts: CaseFacts, event: LoggedEvent, context: Context) => CaseFacts;

const onDay = (event: LoggedEvent, { customer }: Context): LocalDate => localDate(event.at, customer.creditorZone);

const allocated =
  (kind: Movement['kind'], sign: bigint): Reducer =>
  (facts, event, context) => {
    const amount = minor(facts, event.data['principal'] ?? event.data['amount']);
    const claimed = minor(facts, event.data['claimedOpen']) - minor(facts, event.data['claimedBefore']);
    if (amount === 0n && claimed === 0n) return facts;
    const difference = minor(facts, event.data['difference']);
    const on = onDay(event, context);
    const moved: Movement[] = amount === 0n ? [] : [{ on, amountMinor: sign * amount, kind }];
    if (difference > 0n) moved.push({ on, amountMinor: sign * difference, kind: 'difference' });
    const balanceMinor = facts.balanceMinor + sign * (amount + difference) + claimed;
    return { ...facts, balanceMinor, movements: [...facts.movements, ...moved] };
  };

const held: Reducer = (facts, event, context) => {
  if (isOfCustomer(event.data)) return facts;
  const kind = text(event.data, 'kind') as CaseFacts['holds'][number]['kind'];
  const untilOn = textOrNull(event.data, 'until');
  const hold = { id: text(event.data, 'holdId'), kind, fromOn: onDay(event, context), untilOn, liftedOn: null };
  return { ...facts, holds: [...facts.holds, hold] };
};

const released: Reducer = (facts, event, context) => {
  const id = text(event.data, 'holdId');
  const kind = text(event.data, 'kind');
  const liftedOn = onDay(event, context);
  // The id of an approval's hold is not in the log of its asking.
  const isIt = (h: CaseFacts['holds'][number]): boolean =>
    h.liftedOn === null && (kind === 'approval' ? h.kind === 'approval' : h.id === id);
  return { ...facts, holds: facts.holds.map((h) => (isIt(h) ? { ...h, liftedOn } : h)) };
};

/** What was given up and has not come since is owed again. */
const owedAgain: Reducer = (facts, event, context) => {
  const given = facts.movements.reduce((sum, m) => (m.kind === 'writeOff' ? sum - m.amountMinor : sum), 0n);
  const lost = [...context.recovered.values()].reduce((rest, amount) => rest - amount, given);
  if (lost <= 0n) return facts;
  const moved: Movement = { on: onDay(event, context), amountMinor: lost, kind: 'writeOff' };
  return { ...facts, balanceMinor: facts.balanceMinor + lost, movements: [...facts.movements, moved] };
};

function limitationDay(
  { issuedOn }: Pick<CaseFacts, 'issuedOn'>,
  dueOn: LocalDate,
  { customer, limitation, contractYears }: Context,
): LocalDate | null {
  const claim = { issuedOn, dueOn, contractYears, events: [...limitation.values()] };
  return limitationIn(customer.country, customer.kind, claim)?.on ?? null;
}

const keyOf = (s: StepFact): string => `${s.step} ${s.occurrence}`;

/** Changes the newest record of a step that is in one of these states. */
function changeStep(
  facts: CaseFacts,
  data: Data,
  among: readonly StepFact['status'][],
  change: (s: StepFact) => StepFact | null,
): CaseFacts {
  const step = text(data, 'step');
  const found = facts.steps.findLast(
    (s) => (s.step === step || shownStep(s.step) === step) && among.includes(s.status),
  );
  if (!found) return facts;
  return { ...facts, steps: facts.steps.flatMap((s) => (s === found ? (change(s) ?? []) : [s])) };
}

/** Whether the case asks for another step by now, or took a later one: a letter that is taken back is merged into it. */
const isOvertaken = ({ steps }: CaseFacts, letter: StepFact): boolean =>
  letter.channel !== 'email' &&
  steps.some(
    (s, index) =>
      s.step !== letter.step &&
      !isAside(s.step) &&
      (['awaitingApproval', 'requested', 'queued'].includes(s.status) ||
        (s.status === 'left' && !isBranch(s.step) && index > steps.indexOf(letter))),
  );

const EVENTS: Readonly<Record<string, Reducer>> = {
  paymentAllocated: allocated('payment', -1n),
  creditNoted: allocated('credit', -1n),
  allocationReversed: (facts, event, context) => {
    const id = text(event.data, 'allocationId');
    if (context.recovered.delete(id)) {
      return isOpen(facts.stage) ? owedAgain(facts, event, context) : { ...facts, stage: 'writtenOff' };
    }
    return allocated(event.data['creditNoteId'] === undefined ? 'payment' : 'credit', 1n)(facts, event, context);
  },
  interestWaived: (facts, { data }) => ({
    ...facts,
    balanceMinor: facts.balanceMinor + minor(facts, data['claimedOpen']) - minor(facts, data['claimedBefore']),
  }),
  // No money came by it: it only moves what did.
  interestCorrected: allocated('credit', -1n),
  recovered: (facts, { data }, { recovered }) => {
    recovered.set(text(data, 'allocationId'), minor(facts, data['amount']));
    return facts;
  },
  settled: (facts, { data }) => (data['after'] === 'writeOff' ? { ...facts, stage: 'settled' } : facts),
  dueDateChanged: (facts, { data }, context) => ({
    ...facts,
    dueOn: text(data, 'to'),
    limitationOn: limitationDay(facts, text(data, 'to'), context),
  }),
  limitationEvent: (facts, { data }, context) => {
    const kind = LIMITATION_EVENTS.find((one) => one === data['kind']);
    const id = text(data, 'limitationEventId');
    if (kind !== undefined && data['status'] === 'counts') {
      context.limitation.set(id, { kind, on: text(data, 'on'), until: textOrNull(data, 'until') });
    } else context.limitation.delete(id);
    return { ...facts, limitationOn: limitationDay(facts, facts.dueOn, context) };
  },
  promised: (facts, event, context) => {
    const { data } = event;
    const paid = facts.movements.reduce((sum, m) => (m.kind === 'payment' ? sum - m.amountMinor : sum), 0n);
    const promise = {
      id: text(data, 'promiseId'),
      amountMinor: data['amount'] === null ? null : minor(facts, data['amount']),
      payOn: text(data, 'payOn'),
      graceDays: typeof data['graceDays'] === 'number' ? data['graceDays'] : (facts.policy.promise?.graceDays ?? 0),
      holds: data['holds'] === true,
      madeOn: onDay(event, context),
      status: 'active' as const,
      endedOn: null,
      paidBeforeMinor: paid,
    };
    return { ...facts, promises: [...facts.promises, promise] };
  },
  promiseWithdrawn: (facts, event, context) => ({
    ...facts,
    promises: facts.promises.map((p) =>
      p.id === event.data['promiseId'] ? { ...p, status: 'withdrawn' as const, endedOn: onDay(event, context) } : p,
    ),
  }),
  disputed: (facts, event, context) => {
    const { data } = event;
    const amountMinor = data['amount'] === null ? null : minor(facts, data['amount']);
    const dispute = { id: text(data, 'disputeId'), amountMinor, openedOn: onDay(event, context), resolvedOn: null };
    return { ...facts, disputes: [...facts.disputes, dispute] };
  },
  disputeResolved: (facts, event, context) => ({
    ...facts,
    disputes: facts.disputes.map((d) =>
      d.id === event.data['disputeId'] ? { ...d, resolvedOn: onDay(event, context) } : d,
    ),
  }),
  held,
  paused: held,
  released,
  resumed: released,
  contactQueued: (facts, { data }, { asked }) =>
    changeStep(facts, data, ['requested'], (s) => {
      asked.set(keyOf(s), s.amountMinor);
      return { ...s, status: 'queued', amountMinor: minor(facts, data['amount']) };
    }),
  // A letter has left once somebody was asked to post it, and can be taken back all the same until it is.
  contactWithdrawn: (facts, { data }, { asked }) =>
    changeStep(facts, data, ['queued', 'left'], (s) => {
      if (s.status === 'left' && s.channel !== 'letter' && s.channel !== 'registeredLetter') return s;
      if (!isOpen(facts.stage) || endsAsking(data) || (s.step === FORMAL_NOTICE && s.channel !== 'email')) return null;
      const back = { ...s, amountMinor: asked.get(keyOf(s)) ?? null, leftOn: null };
      return { ...back, status: isOvertaken(facts, s) ? ('merged' as const) : ('requested' as const) };
    }),
  stepTaken: (facts, { data }) =>
    changeStep(facts, data, ['queued', 'requested'], (s) => ({ ...s, status: 'left', leftOn: textOrNull(data, 'on') })),
  contactFailed: (facts, { data }) =>
    changeStep(facts, data, ['requested', 'queued', 'left'], (s) =>
      data['code'] === 'notSent' ? null : { ...s, status: 'failed', reason: textOrNull(data, 'code') },
    ),
  // Between turns only a person passes over a step.
  stepSkipped: (facts, event, { customer }) => {
    const step = text(event.data, 'step');
    const on = localDate(event.at, customer.zone);
    const steps = facts.steps.filter((s) => isAside(s.step) || !['requested', 'awaitingApproval'].includes(s.status));
    const skipped: StepFact = {
      id: null,
      step,
      occurrence: 1 + steps.filter((s) => s.step === step).length,
      status: 'skipped',
      channel: facts.policy.steps.find((s) => s.key === step)?.channel ?? 'email',
      plannedAt: event.at,
      plannedOn: on,
      amountMinor: null,
      leftOn: null,
      reanchors: false,
      reason: textOrNull(event.data, 'reason'),
      redraw: false,
    };
    const holds = facts.holds.map((h) => (h.kind === 'approval' && h.liftedOn === null ? { ...h, liftedOn: on } : h));
    return { ...facts, holds, steps: [...steps, skipped] };
  },
  taskClosed: (facts, { data }) => (data['kind'] === 'entryReview' ? { ...facts, entryReviewed: true } : facts),
  collectionAsked: (facts, { data }) => ({
    ...facts,
    collection: { ...facts.collection, askedOn: textOrNull(data, 'on') },
  }),
  reopened: (facts, event, context) => ({
    ...(event.data['from'] === 'writtenOff' ? owedAgain(facts, event, context) : facts),
    run: Number(event.data['run']),
    stage: text(event.data, 'stage') as CaseFacts['stage'],
    runs: [...facts.runs, { run: Number(event.data['run']), openedOn: onDay(event, context), closedOn: null }],
    tasksOpened: facts.tasksOpened.filter((t) => /^(timeBarred|limitationNear|collectionMissing)/.test(t)),
  }),
};

/** Letters of a case that is handed over or given up are taken back for good. */
const endsAsking = (data: LoggedEvent['data']): boolean =>
  data['reason'] === 'placed' || data['reason'] === 'writtenOff';

/** A field as it is compared; `day`: the creditor's date that was judged, which nothing begins or ends after. */
type Compared = (facts: CaseFacts, day: LocalDate, mine: ReadonlySet<string>) => unknown;

const endedBy = (on: LocalDate | null, day: LocalDate): LocalDate | null => on && earlier(on, day);

/**
 * The fields that are rebuilt, each in the form in which it is compared. What is left out of a form (ids that the
 * database gives, whether a task is to be drawn again) is taken from the record, as are all other fields.
 */
const REBUILT: { readonly [Field in keyof CaseFacts]?: Compared } = {
  invoiceId: (f) => f.invoiceId,
  run: (f) => f.run,
  stage: (f) => f.stage,
  issuedOn: (f) => f.issuedOn,
  dueOn: (f) => f.dueOn,
  registeredOn: (f) => f.registeredOn,
  registeredAt: (f) => f.registeredAt,
  amountMinor: (f) => f.amountMinor,
  currency: (f) => f.currency,
  balanceMinor: (f) => f.balanceMinor,
  movements: (f, day) => f.movements.map((m) => ({ ...m, on: earlier(m.on, day) })),
  chaseFrom: (f) => f.chaseFrom,
  lastStepSent: (f) => f.lastStepSent,
  collection: ({ collection }) => ({ method: collection.method, on: collection.on, askedOn: collection.askedOn }),
  limitationOn: (f) => f.limitationOn,
  promises: (f, day) =>
    f.promises.map((p) => ({
      ...p,
      madeOn: earlier(p.madeOn, day),
      endedOn: p.status === 'broken' ? p.endedOn : endedBy(p.endedOn, day),
    })),
  disputes: (f, day) =>
    f.disputes.map((d) => ({ ...d, openedOn: earlier(d.openedOn, day), resolvedOn: endedBy(d.resolvedOn, day) })),
  holds: (f, day, mine) =>
    f.holds.flatMap((h) =>
      h.kind === 'approval' || (h.kind !== 'plan' && mine.has(h.id))
        ? [
            {
              ...h,
              id: h.kind === 'approval' ? '' : h.id,
              fromOn: earlier(h.fromOn, day),
              liftedOn: endedBy(h.liftedOn, day),
            },
          ]
        : [],
    ),
  runs: (f, day) =>
    f.runs.map((r) => ({ ...r, openedOn: earlier(r.openedOn, day), closedOn: endedBy(r.closedOn, day) })),
  steps: (f) =>
    f.steps.flatMap(({ id: _id, redraw: _redraw, reason, ...s }) =>
      isAside(s.step) ? [] : [{ ...s, reason: s.status === 'skipped' || s.status === 'failed' ? reason : null }],
    ),
  // The approval of a branch that is taken at once leaves with it.
  approvedSteps: (f) => f.approvedSteps.filter((s) => !s.startsWith(PLACEMENT) && !s.startsWith(WRITE_OFF)).sort(),
  tasksOpened: (f) =>
    [
      ...new Set(
        f.tasksOpened.filter((t) => /^(entryReview|ladderEnded|timeBarred|limitationNear|collectionMissing)/.test(t)),
      ),
    ].sort(),
  entryReviewed: (f) => f.entryReviewed,
  releasedAt: (f) => f.releasedAt,
};

/** Fields of the facts that no log rebuilds (yet), and parts of others: they are taken from the record. */
export function notRebuilt(facts: CaseFacts): string[] {
  const parts = [
    'collection.failedOn',
    'holds of plans and of the customer',
    'steps.id',
    'steps.redraw',
    'steps beside the ladder',
  ];
  return [...Object.keys(facts).filter((field) => !Object.hasOwn(REBUILT, field)), ...parts].sort();
}

export interface FieldDifference {
  turn: LoggedTurn;
  field: string;
  recorded: unknown;
  rebuilt: unknown;
}

/**
 * Goes through the log and compares, at each turn, what can be rebuilt with what was recorded. After a difference it goes
 * on from the record, so that each is told once.
 */
export function compareWithLog(
  origin: Origin,
  events: readonly LoggedEvent[],
  turns: readonly LoggedTurn[],
  sameValue: (a: unknown, b: unknown) => boolean,
): FieldDifference[] {
  const differences: FieldDifference[] = [];
  const asked = new Map<string, bigint | null>();
  const recovered = new Map<string, bigint>();
  const mine = new Set(
    events.flatMap(({ kind, data }) =>
      (kind === 'held' || kind === 'paused') && !isOfCustomer(data) ? [text(data, 'holdId')] : [],
    ),
  );
  const limitation = new Map<string, LimitationEvent>();
  const { limitationYears: contractYears } = origin;
  let facts: CaseFacts | null = null;
  let seen = 0;
  for (const [turn, logged] of turns.entries()) {
    const { customer, facts: recorded } = logged;
    const context = { customer, asked, recovered, limitation, contractYears };
    const day = localDate(logged.at, customer.creditorZone);
    facts ??= firstFacts(origin, recorded, context);
    // What is not rebuilt is as it was recorded.
    for (const event of events) {
      if (event.n <= seen || event.n > logged.eventsBefore) continue;
      facts = EVENTS[event.kind]?.({ ...facts, policy: recorded.policy }, event, context) ?? facts;
    }
    facts = logged.commanded.reduce(applyAct, facts);
    facts = { ...recorded, ...rebuiltPart(facts), releasedAt: releasedAt(events, logged.eventsBefore, origin) };
    const differing = new Set<string>();
    for (const [field, compared] of Object.entries(REBUILT)) {
      const was = compared(recorded, day, mine);
      const is = compared(facts, day, mine);
      // Before its first turn the runs of a case are not read.
      if (field === 'runs' && turn === 0 && recorded.runs.length === 0) continue;
      if (sameValue(was, is)) continue;
      differences.push({ turn: logged, field, recorded: was, rebuilt: is });
      differing.add(field);
    }
    facts = after({ ...recorded, ...datesOf(facts, recorded, differing) }, logged, day, events);
    seen = logged.eventsAfter;
  }
  return differences;
}

function firstFacts({ limitationYears: _, ...origin }: Origin, recorded: CaseFacts, context: Context): CaseFacts {
  const { customer } = context;
  const registeredOn = localDate(origin.registeredAt, customer.creditorZone);
  return {
    ...recorded,
    ...origin,
    run: 1,
    stage: 'upcoming',
    registeredOn,
    balanceMinor: origin.amountMinor,
    movements: [],
    collection: { ...recorded.collection, ...origin.collection, askedOn: null },
    limitationOn: limitationDay(origin, origin.dueOn, context),
    promises: [],
    disputes: [],
    holds: [],
    runs: [{ run: 1, openedOn: registeredOn, closedOn: null }],
    steps: [],
    approvedSteps: [],
    tasksOpened: [],
    entryReviewed: false,
    releasedAt: origin.registeredAt,
  };
}

const rebuiltPart = (facts: CaseFacts): Partial<CaseFacts> =>
  Object.fromEntries(Object.entries(facts).filter(([field]) => Object.hasOwn(REBUILT, field))) as Partial<CaseFacts>;

/**
 * What the log says of dates, to go on with where nothing differs. In the record they are cut off at the day that was
 * judged then ({@link Compared}); a later turn may be judged on a later day and know them whole.
 */
function datesOf(rebuilt: CaseFacts, recorded: CaseFacts, differing: ReadonlySet<string>): Partial<CaseFacts> {
  const { movements, promises, disputes, runs } = rebuilt;
  const whole = { movements, promises, disputes, runs, holds: holdDatesOf(rebuilt, recorded) };
  return Object.fromEntries(Object.entries(whole).filter(([field]) => !differing.has(field)));
}

/** Holds that are not rebuilt stay as recorded; those of approvals have no id in the log, but an order. */
function holdDatesOf(rebuilt: CaseFacts, recorded: CaseFacts): CaseFacts['holds'] {
  const approvals = rebuilt.holds.filter((h) => h.kind === 'approval');
  return recorded.holds.map((h) => {
    const same = h.kind === 'approval' ? approvals.shift() : rebuilt.holds.find((one) => one.id === h.id);
    return same ? { ...h, fromOn: same.fromOn, liftedOn: same.liftedOn } : h;
  });
}

function releasedAt(events: readonly LoggedEvent[], upTo: number, origin: Origin): Instant {
  const moments = events.flatMap((e) =>
    e.n <= upTo && (RELEASES as readonly string[]).includes(e.kind) ? [e.at] : [],
  );
  return moments.length > 0 ? Math.max(...moments) : origin.registeredAt;
}

/** The facts after a turn: its acts, and what closing or waiting itself changes. */
function after(before: CaseFacts, turn: LoggedTurn, day: LocalDate, events: readonly LoggedEvent[]): CaseFacts {
  let facts = before;
  for (const decision of turn.decisions) {
    switch (decision.decision) {
      case 'act':
        facts = decision.acts.reduce(applyAct, facts);
        break;
      case 'wait':
        facts = { ...facts, stage: stageOf(facts) };
        break;
      case 'close':
        facts = closed(facts, decision.stage, day);
    }
  }
  const own = events.filter((e) => e.n > turn.eventsBefore && e.n <= turn.eventsAfter);
  for (const { kind, data } of own) {
    if (kind === 'contactWithdrawn' && endsAsking(data)) facts = changeStep(facts, data, ['left'], () => null);
  }
  const reviewAsked = own.some((e) => e.kind === 'taskOpened' && e.data['kind'] === 'entryReview');
  if (!reviewAsked) return facts;
  const hold = { id: '', kind: 'approval' as const, fromOn: day, untilOn: null, liftedOn: null };
  return { ...facts, holds: [...facts.holds, hold] };
}

function closed(facts: CaseFacts, stage: CaseFacts['stage'], day: LocalDate): CaseFacts {
  return {
    ...facts,
    stage,
    disputes: facts.disputes.map((d) => ({ ...d, resolvedOn: d.resolvedOn ?? day })),
    holds: facts.holds.map((h) => ({ ...h, liftedOn: h.liftedOn ?? day })),
    steps: facts.steps.filter((s) => isAside(s.step) || !['requested', 'awaitingApproval'].includes(s.status)),
    runs: facts.runs.map((r) => ({ ...r, closedOn: r.closedOn ?? day })),
  };
}
