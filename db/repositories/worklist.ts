import { createHash } from 'node:crypto';
import { DomainError } from '../../domain/errors.ts';
import { ALL_PROPOSE, settingsOf } from '../../domain/matching/settings.ts';
import type { Decision, Proposal } from '../../domain/matching/types.ts';
import { formatAmount } from '../../domain/money.ts';
import type { Act } from '../act.ts';
import type { Db, Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { allocate } from './allocations.ts';
import { applyProposal, paymentOfReceipt } from './cash-application.ts';
import { creditorsDate } from './creditors.ts';
import { findCustomer } from './customers.ts';
import { customersHeldBy } from './holds.ts';
import { lockCustomers, lockReceipt } from './locks.ts';
import { recordDecision } from './match-decisions.ts';
import { matchPayment } from './matching-book.ts';
import { findMatching } from './matching-settings.ts';
import { putMoneyAside, takeAsideBack } from './put-aside.ts';
import type { ReceiptRow } from './receipt-list.ts';
import { advicesLines, advisedProposal, markUsed } from './remittance-advices.ts';
import { REFUND, returnReceipt } from './returns.ts';
import { completeTask, openTask } from './tasks.ts';
import { endUnapplied, takeInHand, type UnappliedEnd } from './unapplied.ts';

/**
 * What a person does with money that nobody assigned. Whatever it is, no rule touches that money again. Everything here
 * locks the customers concerned by id, then the receipt, then invoices by id (design rule 4), and its holds end and its
 * task closes with the last cent.
 */

/** Proposals that a person chooses from: as many as a keyboard has digits. */
const MOST_CANDIDATES = 9;

/** A place where money could go, under a key that is the same as long as it is the same shares. */
export interface Candidate {
  key: string;
  /** Whose invoices these are; null where they are several customers'. */
  customerId: string | null;
  proposal: Proposal;
  /** The advice it follows. */
  adviceId: string | null;
}

interface Looked {
  decision: Decision;
  version: number;
  candidates: Candidate[];
}

/** What the unapplied part of this money could be for now, the likeliest first; empty where nothing is unapplied. */
export async function candidatesFor(db: Db | Tx, receipt: ReceiptRow): Promise<Candidate[]> {
  return (await look(db, receipt)).candidates;
}

async function look(db: Db | Tx, receipt: ReceiptRow): Promise<Looked> {
  const { creditor_id: creditorId, currency } = receipt;
  const { document, version } = await findMatching(db, creditorId);
  const payment = await paymentOfReceipt(db, receipt);
  const settings = { ...settingsOf(document, currency), modes: ALL_PROPOSE };
  const decision = await matchPayment(db, creditorId, payment, settings);
  if (payment.amountMinor === 0n) return { decision, version, candidates: [] };
  const found: Candidate[] = [];
  const advised = await advicesLines(db, { creditorId, payment, decision });
  if (advised !== null) {
    found.push(candidateOf(advisedProposal(advised.lines), advised.adviceId));
  }
  found.push(...decision.rivals.map((rival) => candidateOf(rival, null)));
  const candidates = found.filter((one, index) => found.findIndex(({ key }) => key === one.key) === index);
  return { decision, version, candidates: candidates.slice(0, MOST_CANDIDATES) };
}

function candidateOf(proposal: Proposal, adviceId: string | null): Candidate {
  const customers = new Set(proposal.shares.map(({ customerId }) => customerId));
  const [customerId] = customers;
  return { key: keyOf(proposal), customerId: customers.size === 1 ? customerId! : null, proposal, adviceId };
}

/** Of what goes where, the write-offs included; the rule that says so may change. */
function keyOf({ shares }: Proposal): string {
  const lines = shares
    .map(({ invoiceId, amountMinor, writeOff }) =>
      [invoiceId, amountMinor, writeOff === null ? '' : `${writeOff.kind} ${writeOff.amountMinor}`].join(' '),
    )
    .sort();
  return createHash('sha256').update(lines.join('\n')).digest('base64url').slice(0, 16);
}

/**
 * Applies exactly this candidate, by the person's hand. Throws `candidateGone` where it is not among those of this moment,
 * which is judged under the locks.
 */
export async function acceptCandidate(tx: Tx, act: Act, seen: ReceiptRow, key: string): Promise<void> {
  const before = (await look(tx, seen)).candidates.find((one) => one.key === key);
  if (!before) throw gone();
  const receipt = await lockMoney(
    tx,
    seen,
    before.proposal.shares.map(({ customerId }) => customerId),
  );
  const { decision, version, candidates } = await look(tx, receipt);
  const chosen = candidates.find((one) => one.key === key);
  if (!chosen) throw gone();
  const { proposal } = chosen;
  const decisionId = await recordDecision(
    tx,
    act,
    { receiptId: receipt.id, creditorId: receipt.creditor_id, version },
    {
      kind: 'apply',
      proposal,
      quoted: decision.quoted,
      payers: decision.payers,
      rivals: candidates.filter((one) => one !== chosen).map((one) => one.proposal),
    },
    null,
  );
  await takeInHand(tx, receipt.id);
  if (chosen.adviceId !== null && !(await markUsed(tx, chosen.adviceId, receipt.id))) throw gone();
  try {
    await applyProposal(tx, act, receipt.id, proposal, decisionId);
  } catch (error) {
    // A guess may not fit what is open: it was shown, and cannot be had.
    if (error instanceof DomainError && REFUSED.has(error.code)) throw gone();
    throw error;
  }
}

const REFUSED: ReadonlySet<string> = new Set(['exceedsBalance', 'exceedsUnapplied', 'invoiceClosed']);

const gone = (): DomainError =>
  new DomainError('candidateGone', 'It is not among the candidates any more; ask for them again.', [
    { pointer: '/candidate', code: 'candidateGone', message: 'is not among the candidates' },
  ]);

export interface Part {
  invoiceId: string;
  amountMinor: bigint;
}

/** Assigns money to several invoices, all of it as said or nothing. Throws what `allocate` does, pointing at the part. */
export async function splitMoney(tx: Tx, act: Act, seen: ReceiptRow, parts: readonly Part[]): Promise<void> {
  const invoices = await tx
    .selectFrom('invoices')
    .select(['id', 'customer_id'])
    .where('creditor_id', '=', seen.creditor_id)
    .where(
      'id',
      'in',
      parts.map(({ invoiceId }) => invoiceId),
    )
    .execute();
  const known = new Set(invoices.map(({ id }) => id));
  const places = new Map<string, number>();
  for (const [index, { invoiceId }] of parts.entries()) {
    if (!known.has(invoiceId)) throw new DomainError('notFound', 'There is no such invoice.');
    if (places.has(invoiceId)) {
      throw at(`/allocations/${index}/invoiceId`, 'duplicateInvoice', 'An invoice is named once.');
    }
    places.set(invoiceId, index);
  }
  const receipt = await lockMoney(
    tx,
    seen,
    invoices.map((row) => row.customer_id),
  );
  const sum = parts.reduce((total, part) => total + part.amountMinor, 0n);
  if (sum > receipt.unapplied_minor) throw exceedsUnapplied(receipt, '/allocations');
  await takeInHand(tx, receipt.id);
  for (const { invoiceId, amountMinor } of [...parts].sort((a, b) => (a.invoiceId < b.invoiceId ? -1 : 1))) {
    try {
      await allocate(tx, act, { receiptId: receipt.id, invoiceId, amountMinor, rule: 'manual' });
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      throw at(`/allocations/${places.get(invoiceId)}`, error.code, error.message);
    }
  }
}

/** It is this customer's, and for none of its invoices yet: unapplied credit. Throws `notFound`, `nothingUnapplied`. */
export async function assignMoney(tx: Tx, act: Act, seen: ReceiptRow, customerId: string): Promise<void> {
  if (!(await findCustomer(tx, seen.creditor_id, customerId))) {
    throw new DomainError('notFound', 'There is no such customer.');
  }
  const receipt = await lockMoney(tx, seen, [customerId]);
  requireUnapplied(receipt);
  await takeInHand(tx, receipt.id);
  await tx.updateTable('receipts').set({ customer_id: customerId }).where('id', '=', receipt.id).execute();
  await end(tx, act, receipt, 'assigned');
}

/**
 * It goes back to its payer, all that is unapplied or a part. What was assigned stays where it is. Returns the id of the
 * return. Throws `nothingUnapplied`, `exceedsUnapplied`.
 */
export async function refundMoney(tx: Tx, act: Act, seen: ReceiptRow, amountMinor: bigint | null): Promise<string> {
  const receipt = await lockMoney(tx, seen, []);
  requireUnapplied(receipt);
  const amount = amountMinor ?? receipt.unapplied_minor;
  if (amount > receipt.unapplied_minor) throw exceedsUnapplied(receipt, '/amount');
  await takeInHand(tx, receipt.id);
  const bookedOn = await creditorsDate(tx, act, receipt.creditor_id);
  const whole = amount === receipt.unapplied_minor;
  const quiet = { ...act, reason: null };
  const open = whole ? await hasOpenTask(tx, receipt.id) : false;
  const returnId = await returnReceipt(tx, open ? act : quiet, {
    receiptId: receipt.id,
    amountMinor: amount,
    bookedOn,
    reasonCode: REFUND,
  });
  if (!open) await noteBeside(tx, act, receipt, returnId, whole ? 'returned' : 'returnedPart');
  return returnId;
}

/** It is none of the invoices' business: the books keep it apart, off the worklist. Throws `nothingUnapplied`. */
export async function ignoreMoney(tx: Tx, act: Act, seen: ReceiptRow): Promise<void> {
  const receipt = await lockMoney(tx, seen, []);
  requireUnapplied(receipt);
  await takeInHand(tx, receipt.id);
  await putMoneyAside(tx, { ...act, reason: null }, receipt, receipt.unapplied_minor);
  await end(tx, act, receipt, 'putAside');
}

/** It was somebody's after all: unapplied again, with a task. Throws `notIgnored`. */
export async function takeBackIgnored(tx: Tx, act: Act, seen: ReceiptRow): Promise<void> {
  const receipt = await lockMoney(tx, seen, []);
  const amountMinor = await takeAsideBack(tx, act, receipt);
  if (amountMinor === 0n) throw new DomainError('notIgnored', 'Nothing of the money was put aside.');
  await takeInHand(tx, receipt.id);
  const amount = formatAmount(amountMinor, receipt.currency);
  await openTask(tx, act, {
    creditorId: receipt.creditor_id,
    kind: 'unappliedCash',
    key: `unappliedCash:${receipt.id}:${newId('tsk')}`,
    receiptId: receipt.id,
    customerId: receipt.customer_id,
    subject: `${amount} ${receipt.currency} are unapplied again`,
    data: { amount, currency: receipt.currency, reason: 'putAsideUndone' },
    dueAt: act.at,
  });
}

/** Locks the customers, those held for the money among them, then the receipt. */
async function lockMoney(tx: Tx, seen: ReceiptRow, customerIds: readonly string[]): Promise<ReceiptRow> {
  await lockCustomers(tx, [
    ...customerIds,
    ...(await customersHeldBy(tx, seen.id)),
    ...(seen.customer_id === null ? [] : [seen.customer_id]),
  ]);
  return await lockReceipt(tx, seen.id);
}

/** Closes its task with the reason beside it; where it has none any more, one that is done keeps the reason. */
async function end(tx: Tx, act: Act, receipt: ReceiptRow, outcome: UnappliedEnd): Promise<void> {
  if (!(await endUnapplied(tx, act, receipt.id, outcome))) await noteBeside(tx, act, receipt, newId('tsk'), outcome);
}

async function hasOpenTask(tx: Tx, receiptId: string): Promise<boolean> {
  const row = await tx
    .selectFrom('tasks')
    .select('id')
    .where('receipt_id', '=', receiptId)
    .where('kind', '=', 'unappliedCash')
    .where('status', '=', 'open')
    .executeTakeFirst();
  return row !== undefined;
}

async function noteBeside(tx: Tx, act: Act, receipt: ReceiptRow, key: string, outcome: string): Promise<void> {
  if (!act.reason) return;
  const { taskId } = await openTask(tx, act, {
    creditorId: receipt.creditor_id,
    // Of a kind of its own: closing it must not end the holds of what is left.
    kind: 'unappliedCashNote',
    key: `unappliedCashNote:${receipt.id}:${key}`,
    receiptId: receipt.id,
    customerId: receipt.customer_id,
    subject: 'What was done with unapplied money, and why',
    dueAt: act.at,
  });
  await completeTask(tx, act, taskId, { outcome, note: act.reason });
}

function requireUnapplied(receipt: ReceiptRow): void {
  if (receipt.unapplied_minor > 0n) return;
  throw new DomainError('nothingUnapplied', 'Nothing of the money is left to decide about.');
}

function exceedsUnapplied(receipt: ReceiptRow, pointer: string): DomainError {
  const left = `${formatAmount(receipt.unapplied_minor, receipt.currency)} ${receipt.currency}`;
  return at(pointer, 'exceedsUnapplied', `Only ${left} are not applied yet.`);
}

const at = (pointer: string, code: string, message: string): DomainError =>
  new DomainError(code, message, [{ pointer, code, message }]);
