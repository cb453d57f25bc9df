import { performance } from 'node:perf_hooks';
import { match } from '../../domain/matching/match.ts';
import type { Decision, MatchingSettings, Payment } from '../../domain/matching/types.ts';
import { MemoryLedger } from './ledger.ts';
import type { TablePayment, Tables } from '../../scripts/tables/read.ts';

export interface Outcome {
  payment: TablePayment;
  category: string;
  decision: Decision;
  /** The set of invoices applied is the true one; another one is wrong, a part of it too; none is left to a person. */
  verdict: 'right' | 'review' | 'wrong';
}

/**
 * Plays the payments of a table in the order of their posting date and id, each among the invoices of its day. Balances and
 * what is learned change only by what the matcher accepted itself.
 */
export function replay(tables: Tables, settings: MatchingSettings): { outcomes: Outcome[]; millis: number } {
  const truth = new Map(tables.matches.flatMap((one) => one.paymentIds.map((id) => [id, one] as const)));
  const ledger = new MemoryLedger(tables.invoices);
  const payments = [...tables.payments].sort((a, b) =>
    a.bookedOn === b.bookedOn ? Number(a.id) - Number(b.id) : a.bookedOn < b.bookedOn ? -1 : 1,
  );
  const outcomes: Outcome[] = [];
  const start = performance.now();
  for (const payment of payments) {
    const decision = decide(ledger, paymentOf(payment), settings);
    const expected = truth.get(payment.id);
    outcomes.push({
      payment,
      category: expected?.category ?? 'none',
      decision,
      verdict: verdictOf(decision, expected?.invoiceIds ?? []),
    });
  }
  return { outcomes, millis: performance.now() - start };
}

function decide(ledger: MemoryLedger, payment: Payment, settings: MatchingSettings): Decision {
  const run = match(payment, settings);
  let step = run.next();
  while (!step.done) step = run.next(ledger.answer(step.value, payment));
  if (step.value.kind === 'apply') ledger.apply(step.value.proposal.shares, payment);
  return step.value;
}

function verdictOf(decision: Decision, expected: readonly string[]): Outcome['verdict'] {
  if (decision.kind === 'review') return 'review';
  const applied = decision.proposal.shares.map(({ invoiceId }) => invoiceId).sort();
  return applied.join() === [...expected].sort().join() ? 'right' : 'wrong';
}

const paymentOf = (payment: TablePayment): Payment => ({
  amountMinor: payment.amountMinor,
  currency: payment.currency,
  bookedOn: payment.bookedOn,
  payerName: payment.payerName,
  ultimateName: null,
  payerAccount: payment.payerAccount,
  remittance: payment.memo,
  endToEndId: null,
  structuredReferences: [],
  feesMinor: null,
});

/** The tables without the invoices of a tenth of the matches, by a seed: their payments have nothing to go to. */
export function withoutATenth(tables: Tables, seed: number): { tables: Tables; orphans: Set<string> } {
  const random = generator(seed);
  const taken = tables.matches.filter(() => random() < 0.1);
  const gone = new Set(taken.flatMap(({ invoiceIds }) => invoiceIds));
  return {
    tables: { ...tables, invoices: tables.invoices.filter(({ id }) => !gone.has(id)) },
    orphans: new Set(taken.flatMap(({ paymentIds }) => paymentIds)),
  };
}

/** Mulberry32: small, and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
