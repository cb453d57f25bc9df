import { sql, type Selectable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { presumedCustomer } from '../../domain/matching/payer.ts';
import { readPayment } from '../../domain/matching/reading.ts';
import { settingsOf } from '../../domain/matching/settings.ts';
import type { Decision, MatchingSettings, Payment, Proposal, UnappliedReason } from '../../domain/matching/types.ts';
import { formatAmount } from '../../domain/money.ts';
import type { Act } from '../act.ts';
import type { Db, Tx } from '../database.ts';
import type { Database, JsonObject } from '../types.ts';
import { allocate } from './allocations.ts';
import { advicesLines, useAdvice } from './remittance-advices.ts';
import { lockCustomers, lockReceipt } from './locks.ts';
import { matchPayment } from './matching-book.ts';
import { recordDecision } from './match-decisions.ts';
import { findMatching } from './matching-settings.ts';
import { recordReceipt } from './receipts.ts';
import type { TransactionRow } from './transactions.ts';
import { customersConcerned, reviewUnapplied, type HolidaysOf } from './unapplied.ts';

type Receipt = Selectable<Database['receipts']>;

/** Numbers of a text that are kept to be found by invoices that come later. */
const MOST_TOKENS = 200;

/**
 * Money came in on an account: receipt, where it belongs, allocation or worklist, all in the caller's transaction. Locks the
 * customers concerned first, as everything that allocates does. Returns the receipt's id.
 */
export async function applyCredit(tx: Tx, act: Act, row: TransactionRow, holidays: HolidaysOf): Promise<string> {
  const payment = paymentOf(row);
  const { document, version } = await findMatching(tx, row.creditor_id);
  const settings = settingsOf(document, row.currency);
  const decision = await matchPayment(tx, row.creditor_id, payment, settings);
  await lockConcerned(tx, decision);
  const receiptId = await recordReceipt(tx, act, {
    creditorId: row.creditor_id,
    feedId: row.feed_id,
    externalId: row.bank_id === null ? null : await freeExternalId(tx, row.feed_id, row.bank_id),
    bookedOn: row.booked_on,
    amountMinor: row.amount_minor,
    currency: row.currency,
    payerName: row.counterparty_name,
    payerIban: row.counterparty_account,
    ultimateName: row.ultimate_name,
    remittance: row.remittance,
    endToEndId: row.end_to_end_id,
    structuredReferences: row.structured_references,
    feesMinor: row.fees_minor,
    transactionId: row.id,
  });
  const money = { receiptId, creditorId: row.creditor_id, payment, version, modes: settings.modes };
  await carryOut(tx, act, money, decision, holidays);
  return receiptId;
}

/** Ids of a bank recur: only the first receipt of a feed carries one, the transaction keeps it in any case. */
async function freeExternalId(tx: Tx, feedId: string, bankId: string): Promise<string | null> {
  const taken = await tx
    .selectFrom('receipts')
    .select('id')
    .where('feed_id', '=', feedId)
    .where('external_id', '=', bankId)
    .executeTakeFirst();
  return taken ? null : bankId;
}

/**
 * Looks once more at money that nobody assigned, since something came that it may be for. What a person had a hand in is
 * left alone. False where there was nothing to do.
 */
export async function lookAgain(tx: Tx, act: Act, receiptId: string, holidays: HolidaysOf): Promise<boolean> {
  const receipt = await tx.selectFrom('receipts').selectAll().where('id', '=', receiptId).executeTakeFirst();
  if (!receipt || !mayBeMatched(receipt)) {
    await notAgain(tx, receiptId);
    return false;
  }
  const payment = await paymentOfReceipt(tx, receipt);
  const { document, version } = await findMatching(tx, receipt.creditor_id);
  const settings = settingsOf(document, receipt.currency);
  const decision = await matchPayment(tx, receipt.creditor_id, payment, settings);
  const advised = await advicesLines(tx, { creditorId: receipt.creditor_id, payment, decision });
  await lockConcerned(tx, decision, [
    ...(receipt.customer_id === null ? [] : [receipt.customer_id]),
    ...(advised?.lines ?? []).map((line) => line.customerId),
  ]);
  // A person may have decided between the look and the locks: that outranks whatever a rule found.
  const locked = await lockReceipt(tx, receiptId);
  await notAgain(tx, receiptId);
  if (!mayBeMatched(locked)) return false;
  const money = { receiptId, creditorId: receipt.creditor_id, payment, version, modes: settings.modes };
  await carryOut(tx, act, money, decision, holidays);
  return true;
}

const mayBeMatched = (receipt: Receipt): boolean =>
  !receipt.by_person && receipt.unapplied_minor > 0n && receipt.unapplied_minor === receipt.amount_minor;

const notAgain = (tx: Tx, receiptId: string) =>
  tx.updateTable('receipts').set({ look_again: false }).where('id', '=', receiptId).execute();

async function lockConcerned(tx: Tx, decision: Decision, others: readonly string[] = []): Promise<void> {
  const shares = decision.kind === 'apply' ? decision.proposal.shares : [];
  const presumed = presumedCustomer(decision.quoted, decision.payers);
  await lockCustomers(tx, [
    ...customersConcerned(presumed, decision.quoted),
    ...shares.map((share) => share.customerId),
    ...others,
  ]);
}

interface Money {
  receiptId: string;
  creditorId: string;
  payment: Payment;
  /** The creditor's settings of matching as they are now: their version, and what each rule may do. */
  version: number;
  modes: MatchingSettings['modes'];
}

async function carryOut(tx: Tx, act: Act, money: Money, decision: Decision, holidays: HolidaysOf): Promise<void> {
  const { receiptId, payment } = money;
  if (money.modes.remittanceAdvice === 'automatic' && (await useAdvice(tx, act, { ...money, decision }))) return;
  const refused = decision.kind === 'apply' ? await tryToApply(tx, act, money, decision) : decision.reason;
  if (refused !== null) await recordDecision(tx, act, money, decision, refused);
  if (refused === null && !isLeft(payment, decision)) return;
  if (refused !== null) await keepTokens(tx, money);
  await reviewUnapplied(
    tx,
    act,
    {
      receiptId,
      reason: refused ?? 'exceedsBalance',
      // What was applied is not held for what is left of the money.
      quoted: refused === null ? [] : decision.quoted,
      presumed: presumedCustomer(decision.quoted, decision.payers),
      candidates: decision.rivals.map((rival) => shortly(rival, payment.currency)),
    },
    holidays,
  );
}

/** Whether some of the money is left when all that was decided is applied. */
function isLeft(payment: Payment, decision: Decision): boolean {
  const shares = decision.kind === 'apply' ? decision.proposal.shares : [];
  return shares.reduce((left, share) => left - share.amountMinor, payment.amountMinor) > 0n;
}

/**
 * Null when it was applied, all of it as decided; else why not: somebody else's payment may have come between the look and
 * the locks. Then nothing of it was.
 */
async function tryToApply(
  tx: Tx,
  act: Act,
  money: Money,
  decision: Extract<Decision, { kind: 'apply' }>,
): Promise<UnappliedReason | null> {
  await sql`savepoint matched`.execute(tx);
  try {
    const decisionId = await recordDecision(tx, act, money, decision, null);
    await applyProposal(tx, act, money.receiptId, decision.proposal, decisionId);
    await sql`release savepoint matched`.execute(tx);
    return null;
  } catch (error) {
    // Whatever rule says no, a person looks: thrown on it would stop everything behind it in the feed.
    if (!(error instanceof DomainError)) throw error;
    await sql`rollback to savepoint matched`.execute(tx);
    return error.code === 'invoiceClosed' ? 'closedQuoted' : 'exceedsBalance';
  }
}

/** Allocates the shares of a proposal, in the order of their invoices' ids as everybody locks them. */
export async function applyProposal(
  tx: Tx,
  act: Act,
  receiptId: string,
  proposal: Proposal,
  decisionId: bigint | null,
): Promise<void> {
  const shares = [...proposal.shares].sort((a, b) => (a.invoiceId < b.invoiceId ? -1 : 1));
  for (const { invoiceId, amountMinor, writeOff } of shares) {
    await allocate(tx, act, {
      receiptId,
      invoiceId,
      amountMinor,
      rule: proposal.rule,
      decisionId,
      ...(writeOff?.kind === 'bankFees' ? { bankFeesMinor: writeOff.amountMinor } : {}),
    });
  }
}

/** A proposal for a task: invoices, amounts, the rule and the kinds of its reasons. */
const shortly = (proposal: Proposal, currency: string): JsonObject => ({
  rule: proposal.rule,
  confidence: proposal.confidence,
  allocations: proposal.shares.map(({ invoiceId, amountMinor }) => ({
    invoiceId,
    amount: formatAmount(amountMinor, currency),
  })),
  reasons: [...new Set(proposal.evidence.map(({ kind }) => kind))],
});

/** What it quotes is kept while it is unapplied: an invoice that comes later finds it by that. */
async function keepTokens(tx: Tx, { receiptId, creditorId, payment }: Money): Promise<void> {
  const tokens = readPayment(payment)
    .tokens.filter((token) => token.length >= 4 && token.length <= 100 && /\d/.test(token))
    .slice(0, MOST_TOKENS);
  if (tokens.length === 0) return;
  await sql`
    insert into receipt_tokens (creditor_id, token, receipt_id)
    select ${creditorId}, token, ${receiptId} from unnest(${tokens}::text[]) as given (token)
    on conflict do nothing`.execute(tx);
}

/** Money on its way in as matching sees it. */
export const paymentOf = (row: TransactionRow): Payment => ({
  amountMinor: row.amount_minor,
  currency: row.currency,
  bookedOn: row.booked_on,
  payerName: row.counterparty_name,
  ultimateName: row.ultimate_name,
  payerAccount: row.counterparty_account,
  remittance: row.remittance ?? row.bank_text,
  endToEndId: row.end_to_end_id,
  structuredReferences: row.structured_references,
  feesMinor: row.fees_minor,
});

/**
 * The same of money that came in before; of what is unapplied of it. Where the payer wrote nothing, the bank's own words are
 * with the transaction.
 */
export async function paymentOfReceipt(db: Db | Tx, receipt: Receipt): Promise<Payment> {
  return {
    amountMinor: receipt.unapplied_minor,
    currency: receipt.currency,
    bookedOn: receipt.booked_on,
    payerName: receipt.payer_name,
    ultimateName: receipt.ultimate_name,
    payerAccount: receipt.payer_iban,
    remittance: receipt.remittance ?? (await bankTextOf(db, receipt.transaction_id)),
    endToEndId: receipt.end_to_end_id,
    structuredReferences: receipt.structured_references,
    feesMinor: receipt.fees_minor,
  };
}

async function bankTextOf(db: Db | Tx, transactionId: string | null): Promise<string | null> {
  if (transactionId === null) return null;
  const row = await db
    .selectFrom('bank_transactions')
    .select('bank_text')
    .where('id', '=', transactionId)
    .executeTakeFirst();
  return row?.bank_text ?? null;
}
