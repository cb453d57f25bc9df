import { addDays, daysBetween, earlier, later, type LocalDate } from '../time/dates.ts';
import type { CaseFacts, HoldKind } from './facts.ts';

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const atLeastZero = (a: bigint): bigint => (a > 0n ? a : 0n);

export interface HoldView {
  id: string;
  kind: HoldKind;
  /** Last day of the hold, or null when only a person or an event ends it. */
  until: LocalDate | null;
  /** The part that is held; null for the whole. Minor units. */
  amountMinor: bigint | null;
}

/** What an invoice asks for on a day, and what holds it. Minor units. */
export interface Standing {
  balanceMinor: bigint;
  disputedMinor: bigint;
  promisedMinor: bigint;
  /** What a reminder would ask for: the balance without its disputed and promised parts. */
  asksMinor: bigint;
  /** Nothing may be asked: a hold on the whole, or parts that leave nothing. */
  heldWhole: boolean;
  holds: HoldView[];
}

/** The facts that a standing follows from; lists of many invoices read no others. */
export type StandingFacts = Pick<CaseFacts, 'balanceMinor' | 'movements' | 'promises' | 'disputes' | 'holds'>;

/** Where the case stands on `today`, a date of the creditor's zone. */
export function standing(facts: StandingFacts, today: LocalDate): Standing {
  const balance = facts.balanceMinor;
  return { ...parts(facts, today, balance, paidUntil(facts, null)), holds: activeHolds(facts, today, balance) };
}

/** Everything that money, not credit, has taken off the invoice up to the end of a date (null: so far). */
export function paidUntil(facts: Pick<CaseFacts, 'movements'>, date: LocalDate | null): bigint {
  let paid = 0n;
  for (const m of facts.movements) if (m.kind === 'payment' && (date === null || m.on <= date)) paid -= m.amountMinor;
  return paid;
}

function balanceAt(facts: CaseFacts, date: LocalDate): bigint {
  let balance = facts.amountMinor;
  for (const m of facts.movements) if (m.on <= date) balance += m.amountMinor;
  return atLeastZero(balance);
}

function parts(facts: StandingFacts, day: LocalDate, balance: bigint, paid: bigint): Omit<Standing, 'holds'> {
  let disputed = 0n;
  for (const d of facts.disputes) {
    if (d.openedOn <= day && (d.resolvedOn === null || day < d.resolvedOn)) disputed += d.amountMinor ?? balance;
  }
  disputed = min(disputed, balance);

  let promised = 0n;
  const rests = promiseRests(facts, paid);
  for (const p of facts.promises) {
    if (promiseHolds(p, day)) promised += rests.get(p.id) ?? balance;
  }
  promised = min(promised, balance - disputed);

  const wholeHold = facts.holds.some((h) => holdCovers(h, day));
  const rest = balance - disputed - promised;
  return {
    balanceMinor: balance,
    disputedMinor: disputed,
    promisedMinor: promised,
    asksMinor: wholeHold ? 0n : rest,
    heldWhole: balance > 0n && (wholeHold || rest === 0n),
  };
}

/**
 * What is still to come of each promise of a part, when `paid` has been paid on the invoice. Money serves only promises
 * made before it, kept ones first, then the one to be paid soonest: one payment never fulfils two promises.
 */
export function promiseRests(facts: Pick<CaseFacts, 'promises'>, paid: bigint): Map<string, bigint> {
  const rests = new Map<string, bigint>();
  const served: { paidBefore: bigint; amount: bigint }[] = [];
  const inTurn = facts.promises
    .filter((p) => p.amountMinor !== null && p.status !== 'withdrawn')
    .sort((a, b) => rank(a) - rank(b) || (a.payOn < b.payOn ? -1 : a.payOn > b.payOn ? 1 : 0));
  for (const p of inTurn) {
    let left = paid - p.paidBeforeMinor;
    for (const s of served) left -= atLeastZero(s.amount - atLeastZero(p.paidBeforeMinor - s.paidBefore));
    const amount = min(p.amountMinor!, atLeastZero(left));
    rests.set(p.id, p.amountMinor! - amount);
    served.push({ paidBefore: p.paidBeforeMinor, amount });
  }
  return rests;
}

/** Broken ones come last: what is paid afterwards goes to the word that still stands. */
const rank = (p: CaseFacts['promises'][number]): number => (p.status === 'kept' ? 0 : p.status === 'active' ? 1 : 2);

/** Whether it was this promise that left nothing to ask for on its last day; a dispute of the whole would have anyway. */
export function promiseHeldAll(facts: CaseFacts, p: CaseFacts['promises'][number]): boolean {
  if (!p.holds || p.endedOn === null) return false;
  const alone = { ...facts, holds: [] };
  const there = parts(alone, p.endedOn, balanceAt(facts, p.endedOn), paidUntil(facts, p.endedOn));
  const without = { ...alone, promises: facts.promises.filter((other) => other !== p) };
  const rest = parts(without, p.endedOn, balanceAt(facts, p.endedOn), paidUntil(facts, p.endedOn));
  return there.heldWhole && !rest.heldWhole;
}

/** A promise holds from the day it was made to its last grace day; ended earlier, to the day before its end. */
function promiseHolds(p: CaseFacts['promises'][number], day: LocalDate): boolean {
  if (!p.holds || day < p.madeOn) return false;
  if (p.status === 'kept' || p.status === 'withdrawn') return p.endedOn !== null && day < p.endedOn;
  if (p.status === 'broken') return p.endedOn !== null && day <= p.endedOn;
  return true;
}

function holdCovers(h: CaseFacts['holds'][number], day: LocalDate): boolean {
  if (day < h.fromOn || (h.liftedOn !== null && day >= h.liftedOn)) return false;
  return h.untilOn === null || day <= h.untilOn;
}

function activeHolds(facts: StandingFacts, today: LocalDate, balance: bigint): HoldView[] {
  const rests = promiseRests(facts, paidUntil(facts, null));
  const restOf = (id: string): bigint | null => {
    const rest = rests.get(id);
    return rest === undefined ? null : min(rest, balance);
  };
  return [
    ...facts.promises
      .filter((p) => p.status === 'active' && promiseHolds(p, today))
      .map((p) => ({
        id: p.id,
        kind: 'promise' as const,
        until: lastGraceDay(p),
        amountMinor: restOf(p.id),
      })),
    ...facts.disputes
      .filter((d) => d.resolvedOn === null)
      .map((d) => ({ id: d.id, kind: 'dispute' as const, until: null, amountMinor: d.amountMinor })),
    ...facts.holds
      .filter((h) => holdCovers(h, today))
      .map((h) => ({ id: h.id, kind: h.kind, until: h.untilOn, amountMinor: null })),
  ];
}

/** The last day on which a promise may still be kept. */
export function lastGraceDay(p: { payOn: LocalDate; graceDays: number }): LocalDate {
  return addDays(p.payOn, p.graceDays);
}

/** A stretch in which the whole case was held: the first day, and the day it ended, whose own date no longer counts. */
export interface HeldSpan {
  from: LocalDate;
  to: LocalDate;
}

/**
 * The stretches in which nothing was asked for, up to `today` (design rule 9): holds on the whole, parts that left
 * nothing, and the days between closing and reopening. Their length in days is what later steps move by. Spans that
 * still run end at their known last day, else at `today`.
 */
export function heldSpans(facts: CaseFacts, today: LocalDate): HeldSpan[] {
  const marks = new Set<LocalDate>();
  const span = (from: LocalDate, to: LocalDate | null): void => {
    marks.add(from);
    marks.add(to ?? today);
  };
  for (const p of facts.promises) if (p.holds) span(p.madeOn, p.endedOn ?? lastGraceDay(p));
  for (const d of facts.disputes) span(d.openedOn, d.resolvedOn);
  for (const h of facts.holds) span(h.fromOn, h.liftedOn === null ? h.untilOn : minDate(h.liftedOn, h.untilOn));
  for (const run of facts.runs) if (run.closedOn !== null) span(run.closedOn, reopenedAfter(facts, run.run));
  if (marks.size === 0) return [];
  for (const m of facts.movements) marks.add(m.on);

  const days = [...marks].sort();
  const spans: HeldSpan[] = [];
  for (let i = 0; i + 1 < days.length; i++) {
    const from = days[i]!;
    const to = days[i + 1]!;
    if (!heldFrom(facts, from)) continue;
    const last = spans.at(-1);
    if (last && last.to === from) last.to = to;
    else spans.push({ from, to });
  }
  return spans;
}

const minDate = (a: LocalDate, b: LocalDate | null): LocalDate => (b === null ? a : earlier(a, b));

function reopenedAfter(facts: CaseFacts, run: number): LocalDate | null {
  return facts.runs.find((r) => r.run === run + 1)?.openedOn ?? null;
}

/** Whether the day that begins a stretch is held; a hold's last day begins nothing. */
function heldFrom(facts: CaseFacts, day: LocalDate): boolean {
  const closed = facts.runs.some(
    (r) => r.closedOn !== null && r.closedOn <= day && day < (reopenedAfter(facts, r.run) ?? '9999-12-31'),
  );
  if (closed) return true;
  const on = (from: LocalDate, to: LocalDate | null): boolean => from <= day && (to === null || day < to);
  const asOf: CaseFacts = {
    ...facts,
    promises: facts.promises.filter((p) => on(p.madeOn, p.endedOn ?? lastGraceDay(p))),
    holds: facts.holds.filter((h) => on(h.fromOn, h.liftedOn === null ? h.untilOn : minDate(h.liftedOn, h.untilOn))),
  };
  return parts(asOf, day, balanceAt(facts, day), paidUntil(facts, day)).heldWhole;
}

/**
 * `day` moved by the days of the spans from `since` on, as a step whose own day it is sees them: only those that began
 * by its day.
 */
export function shiftedBy(spans: readonly HeldSpan[], since: LocalDate, day: LocalDate): LocalDate {
  let moved = day;
  for (const s of spans) {
    const from = later(s.from, since);
    if (from >= s.to || from > moved) continue;
    moved = addDays(moved, daysBetween(from, s.to));
  }
  return moved;
}
