import type { z } from 'zod';
import type { Db, Tx } from '../db/database.ts';
import {
  invoiceNumbers,
  invoicesIn,
  lastDecision,
  proposalOf,
  type DecisionRow,
} from '../db/repositories/match-decisions.ts';
import { allocationsOf, type ReceiptRow } from '../db/repositories/receipt-list.ts';
import type { TransactionRow } from '../db/repositories/transactions.ts';
import type { Candidate } from '../db/repositories/worklist.ts';
import { REVIEW_TEXTS, reasonText, type NumberOf } from '../domain/matching/reasons.ts';
import type { Proposal, UnappliedReason } from '../domain/matching/types.ts';
import { formatAmount } from '../domain/money.ts';
import { isoInstant } from '../domain/time/zones.ts';
import { presentReceipt } from './present.ts';
import type * as shape from './schemas/resources.ts';

type Of<T extends z.ZodType> = z.input<T>;

/** A receipt with where it went and why. */
export async function receiptDetailOf(db: Db | Tx, row: ReceiptRow): Promise<Of<typeof shape.receiptDetail>> {
  const allocations = (await allocationsOf(db, [row.id])).get(row.id) ?? [];
  const decision = await lastDecision(db, row.id);
  return {
    ...presentReceipt(row, allocations),
    decision: decision === undefined ? null : await presentDecision(db, decision, row.currency),
  };
}

/** Candidates in the order in which they are shown. */
export async function presentCandidates(
  db: Db | Tx,
  candidates: readonly Candidate[],
  currency: string,
): Promise<Of<typeof shape.candidate>[]> {
  const numberOf = await numbersOf(
    db,
    candidates.map(({ proposal }) => proposal),
  );
  return candidates.map(({ key, customerId, proposal }) => ({
    key,
    customerId,
    ...presentProposal(proposal, currency, numberOf),
  }));
}

async function presentDecision(
  db: Db | Tx,
  row: DecisionRow,
  currency: string,
): Promise<Of<typeof shape.matchDecision>> {
  const proposal = row.proposal === null ? null : proposalOf(row.proposal);
  const rivals = row.rivals.map(proposalOf);
  const numberOf = await numbersOf(db, proposal === null ? rivals : [proposal, ...rivals]);
  const shown = proposal === null ? null : presentProposal(proposal, currency, numberOf);
  return {
    outcome: row.outcome,
    rule: row.rule,
    confidence: row.confidence,
    reason: row.reason === null ? null : { code: row.reason, text: REVIEW_TEXTS[row.reason as UnappliedReason] },
    allocations: shown?.allocations ?? [],
    reasons: shown?.reasons ?? [],
    rivals: rivals.map((rival) => presentProposal(rival, currency, numberOf)),
    settingsVersion: row.settings_version,
    at: isoInstant(row.at),
  };
}

async function numbersOf(db: Db | Tx, proposals: readonly Proposal[]): Promise<NumberOf> {
  const numbers = await invoiceNumbers(db, proposals.flatMap(invoicesIn));
  return (invoiceId) => numbers.get(invoiceId) ?? invoiceId;
}

const presentProposal = ({ rule, confidence, shares, evidence }: Proposal, currency: string, numberOf: NumberOf) => ({
  rule,
  confidence,
  allocations: shares.map(({ invoiceId, amountMinor, writeOff }) => ({
    invoiceId,
    number: numberOf(invoiceId),
    amount: formatAmount(amountMinor, currency),
    ...(writeOff === null
      ? {}
      : { writeOff: { kind: writeOff.kind, amount: formatAmount(writeOff.amountMinor, currency) } }),
  })),
  reasons: evidence.map((one) => ({ kind: one.kind, text: reasonText(one, currency, numberOf) })),
});

export const presentTransaction = (row: TransactionRow): Of<typeof shape.bankTransaction> => ({
  id: row.id,
  feedId: row.feed_id,
  status: row.status,
  state: row.state,
  outcome: row.outcome,
  bookedOn: row.booked_on,
  valueOn: row.value_on,
  amount: formatAmount(row.amount_minor, row.currency),
  currency: row.currency,
  counterpartyName: row.counterparty_name,
  counterpartyAccount: row.counterparty_account,
  remittance: row.remittance ?? row.bank_text,
  endToEndId: row.end_to_end_id,
  bankId: row.bank_id,
  receiptId: row.receipt_id,
  sameAs: row.same_as,
  createdAt: isoInstant(row.at),
});
