import type { Act } from '../db/act.ts';
import { systemAct } from '../db/act.ts';
import { inTransaction, type Tx } from '../db/database.ts';
import type { TurningCase } from '../db/repositories/case-steps.ts';
import { missOpenCalls } from '../db/repositories/case-tasks.ts';
import {
  closedStageOf,
  customerOfInvoice,
  writeAct,
  writeClosing,
  writeStanding,
} from '../db/repositories/case-turn.ts';
import { findCommands, storeOutcome, type StoredCommand, type StoredOutcome } from '../db/repositories/commands.ts';
import { recordTurn } from '../db/repositories/decision-log.ts';
import { loadCase } from '../db/repositories/facts.ts';
import { lockCustomers, lockInvoice } from '../db/repositories/locks.ts';
import { pokeOutreach } from '../db/repositories/outbox.ts';
import { applyAct } from '../domain/case/apply.ts';
import { changesOf, ordinaryNext, type CaseView, type NextView, type ViewChanges } from '../domain/case/case-view.ts';
import { decide, stageOf } from '../domain/case/decide.ts';
import type { Act as CaseAct, Decision, NextAction } from '../domain/case/decision.ts';
import { isOpen, type CaseFacts } from '../domain/case/facts.ts';
import { MAX_ACTS_PER_TURN } from '../domain/case/forecast.ts';
import { ladder } from '../domain/case/ladder.ts';
import { noticeForeseenOn } from '../domain/case/beyond-ladder.ts';
import { FORMAL_NOTICE, isAside, shownStep } from '../domain/case/requests.ts';
import { standing } from '../domain/case/standing.ts';
import { formatAmount } from '../domain/money.ts';
import { isoInstant, localDate, type Instant } from '../domain/time/zones.ts';
import { carryOut } from './case-commands.ts';
import type { ActivityDeps } from './deps.ts';
import { plannedNow } from './planned-now.ts';
import { redrawTask } from './step-tasks.ts';
import { underInsolvency } from './under-insolvency.ts';

export interface TurnInput {
  invoiceId: string;
  run: number;
  /** Ids of rows in `commands`. */
  commands: string[];
  /** What the workflow has from its turns so far, `wakeAt` null when no timer runs; null before the first. */
  known: CaseView | null;
}

/** Ids, dates, amounts and stable words only: this goes into Temporal's history, so it is also short. */
export interface TurnResult extends ViewChanges {
  /** Real milliseconds from now until `wakeAt`, where that is another than the one known. */
  wakeInMs?: number;
  outcomes?: ({ id: string } & StoredOutcome)[];
}

/** An open request is given this long, in real time, before its case judges it overtaken. */
const OUTREACH_CHANCE_MS = 400;

/**
 * One turn of a case: reads the facts under their locks, lets `decide` say what to do until it waits or closes, writes
 * what was decided, and returns what the workflow keeps. One transaction; run twice, it finds everything done.
 */
export function createTurn(deps: ActivityDeps) {
  return async function turn(input: TurnInput): Promise<TurnResult> {
    return await inTransaction(deps.db, async (tx) => takeTurn(deps, tx, input));
  };
}

async function takeTurn(deps: ActivityDeps, tx: Tx, input: TurnInput): Promise<TurnResult> {
  const { invoiceId } = input;
  await lockCustomers(tx, [await customerOfInvoice(tx, invoiceId)]);
  const row = await lockInvoice(tx, invoiceId);
  const one: TurningCase = {
    invoiceId,
    customerId: row.customer_id,
    creditorId: row.creditor_id,
    number: row.number,
  };
  const now = plannedNow(deps.clock, row.wake_at);
  const act = systemAct(now);
  const commands = await findCommands(tx, invoiceId, input.commands);

  const superseded = row.run !== input.run || !isOpen(row.stage);
  if (superseded) return await closedResult(tx, row, input, commands);

  const loaded = await loadCase(tx, invoiceId, deps.holidays, now, one.customerId);
  if (!loaded) throw new Error(`${invoiceId} has no facts`);
  const { customer } = loaded;
  let facts = loaded.facts;
  const today = localDate(now, customer.creditorZone);
  if (facts.insolvency !== null && (await underInsolvency(deps, tx, act, one, facts, today))) {
    facts = (await loadCase(tx, invoiceId, deps.holidays, now, one.customerId))!.facts;
  }
  const outcomes = unknownCommands(input.commands, commands);
  const commanded: CaseAct[] = [];
  for (const command of commands) {
    const outcome =
      command.outcome ?? (await carryOut(tx, one, facts, customer, withTime(command, deps.clock.now()), commanded));
    if (command.outcome === null) await storeOutcome(tx, command.id, outcome);
    outcomes.push({ id: command.id, ...outcome });
    // The next one is checked against what this one changed.
    facts = (await loadCase(tx, invoiceId, deps.holidays, now, one.customerId))!.facts;
  }

  const known = { facts, customer, commanded, eventsBefore: await eventsSoFar(tx, row, commands.length > 0) };
  const decided: Decision[] = [];
  const told = { requests: false };
  for (let rounds = 0; rounds < MAX_ACTS_PER_TURN; rounds++) {
    const decision = decide(facts, customer, now);
    decided.push(decision);
    if (decision.decision === 'close') {
      await writeClosing(tx, act, one, facts, decision, today);
      await recordTurn(tx, { invoiceId, at: now, run: row.run, ...known, decisions: decided });
      if (told.requests) await pokeOutreach(tx, one.customerId);
      return resultOf(deps, { ...facts, stage: decision.stage }, today, input, outcomes, null, null);
    }
    if (decision.decision === 'wait') {
      const stage = stageOf(facts);
      if (told.requests) await pokeOutreach(tx, one.customerId);
      await writeStanding(tx, act, invoiceId, stage, viewOfNext(decision.next), decision.until);
      // A turn that only waits, at the stage where it was, leaves nothing to derive again.
      if (decided.length > 1 || commanded.length > 0 || stage !== row.stage) {
        await recordTurn(tx, { invoiceId, at: now, run: row.run, ...known, decisions: decided });
      }
      return resultOf(deps, { ...facts, stage }, today, input, outcomes, decision.until, decision.next);
    }
    for (const what of decision.acts) {
      if (what.act === 'redrawTask') await redrawTask(tx, act, one, facts, customer, what.step);
      else await writeAct(tx, act, one, facts, what);
      if (what.act === 'request' || what.act === 'askApproval') await missOpenCalls(tx, act, invoiceId);
      if (what.act === 'request' || what.act === 'approve' || what.act === 'withdrawRequest') told.requests = true;
      facts = applyAct(facts, what);
    }
  }
  throw new Error(`${invoiceId} did not come to rest within ${MAX_ACTS_PER_TURN} decisions`);
}

/** The number of the last event before `decide` is asked; commands may have added some. */
async function eventsSoFar(tx: Tx, row: Awaited<ReturnType<typeof lockInvoice>>, added: boolean): Promise<number> {
  return added ? (await lockInvoice(tx, row.id)).event_count : row.event_count;
}

/** Ids that no command of this case has: whoever asks is told, instead of waiting for ever. */
function unknownCommands(ids: readonly string[], found: readonly StoredCommand[]): ({ id: string } & StoredOutcome)[] {
  return ids
    .filter((id) => !found.some((command) => command.id === id))
    .map((id) => ({ id, accepted: false, code: 'commandUnknown' }));
}

const withTime = (command: StoredCommand, at: Instant): { command: StoredCommand; act: Act } => ({
  command,
  act: { ...command.act, at },
});

/** An older run, or one whose invoice is closed by now, has nothing left to do but to answer who still asks. */
async function closedResult(
  tx: Tx,
  row: Awaited<ReturnType<typeof lockInvoice>>,
  input: TurnInput,
  commands: readonly StoredCommand[],
): Promise<TurnResult> {
  const outcomes = unknownCommands(input.commands, commands);
  for (const command of commands) {
    const outcome = command.outcome ?? { accepted: false, code: 'caseClosed' };
    if (command.outcome === null) await storeOutcome(tx, command.id, outcome);
    outcomes.push({ id: command.id, ...outcome });
  }
  const view: CaseView = {
    ...emptyView(input.known),
    stage: (await closedStageOf(tx, input.invoiceId, input.run)) ?? row.stage,
    closed: true,
    balance: formatAmount(row.balance_minor, row.currency),
    balanceMinor: String(row.balance_minor),
    currency: row.currency,
  };
  return { ...changesOf(input.known, view), ...(outcomes.length > 0 ? { outcomes } : {}) };
}

/** Nothing is to come any more; what was done stays. */
const emptyView = (known: CaseView | null) => ({
  holds: [],
  wakeAt: null,
  next: null,
  calendar: [],
  done: known?.done ?? [],
});

function resultOf(
  deps: ActivityDeps,
  facts: CaseFacts,
  today: string,
  input: TurnInput,
  outcomes: ({ id: string } & StoredOutcome)[],
  wakeAt: Instant | null,
  next: NextAction | null,
): TurnResult {
  const requested = facts.steps.some((s) => s.status === 'requested' && !isAside(s.step));
  const wakeText = wakeAt === null ? null : isoInstant(wakeAt);
  const calendar = upcomingLines(facts, today);
  const view: CaseView = {
    stage: facts.stage,
    closed: !isOpen(facts.stage),
    balance: formatAmount(facts.balanceMinor, facts.currency),
    balanceMinor: String(facts.balanceMinor),
    currency: facts.currency,
    holds: [...new Set(standing(facts, today).holds.map((h) => h.kind))],
    wakeAt: wakeText,
    next: nextAtWakeUp(facts, wakeText, calendar, next),
    calendar,
    done: doneLines(facts),
  };
  const delay = wakeAt === null || wakeText === input.known?.wakeAt ? null : deps.clock.delayUntil(wakeAt);
  return {
    ...changesOf(input.known, view),
    ...(delay === null ? {} : { wakeInMs: requested ? Math.max(delay, OUTREACH_CHANCE_MS) : delay }),
    ...(outcomes.length > 0 ? { outcomes } : {}),
  };
}

/**
 * What the timer of the workflow stands for. While a step is with outreach `decide` names that step, and the wake-up is
 * for the one after it; unless something ends before that.
 */
function nextAtWakeUp(
  facts: CaseFacts,
  wakeAt: string | null,
  calendar: CaseView['calendar'],
  next: NextAction | null,
): NextView | null {
  const known = next && { at: isoInstant(next.at), action: next.action, step: next.step, reason: next.reason };
  const underWay = next !== null && facts.steps.some((s) => s.step === next.step && isUnderWay(s.status));
  const ends = facts.promises.some((p) => p.status === 'active') || facts.holds.some((h) => h.liftedOn === null);
  if (!underWay || ends || wakeAt === null) return known;
  if (calendar[0]?.step !== shownStep(FORMAL_NOTICE)) {
    return ordinaryNext({ wakeAt, calendar }) ?? { at: wakeAt, action: 'task', step: null, reason: 'ladderEnded' };
  }
  const asks = facts.policy.formalNotice?.approval !== null;
  return asks
    ? { at: wakeAt, action: 'approval', step: null, reason: 'formalNotice' }
    : { at: wakeAt, action: 'formalNotice', step: null, reason: 'stepDue' };
}

const isUnderWay = (status: CaseFacts['steps'][number]['status']): boolean =>
  status === 'requested' || status === 'queued';

/** What became of the steps, in the order in which it did. */
function doneLines(facts: CaseFacts): CaseView['done'] {
  return facts.steps.flatMap((s) =>
    isAside(s.step) || ['requested', 'queued', 'awaitingApproval'].includes(s.status)
      ? []
      : [{ on: s.leftOn ?? s.plannedOn, step: shownStep(s.step), channel: s.channel, what: s.status }],
  );
}

/** The ladder as the workflow shows it: what was taken and what is to come, by its own day. */
function upcomingLines(facts: CaseFacts, today: string): CaseView['calendar'] {
  if (!isOpen(facts.stage)) return [];
  const rungs = ladder(facts, today);
  const steps = rungs.flatMap((r) =>
    r.record === null && r.ownDay !== null ? [{ on: r.ownDay, step: r.step.key, channel: r.step.channel }] : [],
  );
  const on = noticeForeseenOn(facts, today, rungs);
  const channel = facts.policy.formalNotice?.channel;
  return on === null || channel === undefined ? steps : [...steps, { on, step: shownStep(FORMAL_NOTICE), channel }];
}

function viewOfNext(next: NextAction | null) {
  return next === null
    ? null
    : { at: isoInstant(next.at), action: next.action, step: next.step, channel: next.channel, reason: next.reason };
}
