import { REVIEW_TEXTS } from '../../domain/matching/reasons.ts';
import type { Item, UnappliedReason } from '../../domain/matching/types.ts';
import { formatAmount, share } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import { addWorkingDays, type Holidays } from '../../domain/time/working-days.ts';
import { localDate } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, json, type Tx } from '../database.ts';
import { liftHoldsOfSource, setHold } from './holds.ts';
import { lockCustomers, lockReceipt } from './locks.ts';
import { findPolicy } from './policies.ts';
import { openTask } from './tasks.ts';
import type { JsonObject } from '../types.ts';

/** The public holidays of a place; given by the caller, since the calendar is a package that `db` does not know. */
export type HolidaysOf = (country: string, postalCode: string | null) => Holidays;

export interface UnappliedMoney {
  receiptId: string;
  reason: UnappliedReason;
  /** The invoices of the creditor that the money's text names, open or not. */
  quoted: readonly Quoted[];
  /** Whom it is taken to be from, where the receipt does not say. */
  presumed: string | null;
  /** What it could be for, the likeliest first, in words that hold no text of the payer. */
  candidates?: readonly JsonObject[];
}

/** An invoice that money quotes, as far as holds are concerned. */
export type Quoted = Pick<Item, 'invoiceId' | 'customerId' | 'open' | 'chased'>;

/**
 * Puts money that nobody assigned on the worklist, and holds while it is looked at: the customer it is taken to be from,
 * when it reaches the policy's share of what is overdue, for so many working days at most; and every open invoice it
 * quotes, until the money is allocated or its task closed. Locks the customers concerned, then the receipt, so a caller
 * that holds locks on receipts or invoices already must have locked `customersConcerned` before.
 */
export async function reviewUnapplied(tx: Tx, act: Act, money: UnappliedMoney, holidaysOf: HolidaysOf): Promise<void> {
  const before = await tx
    .selectFrom('receipts')
    .select('customer_id')
    .where('id', '=', money.receiptId)
    .executeTakeFirstOrThrow();
  const presumed = before.customer_id ?? money.presumed;
  await lockCustomers(tx, customersConcerned(presumed, money.quoted));
  const receipt = await lockReceipt(tx, money.receiptId);
  if (receipt.unapplied_minor === 0n) return;

  if (receipt.customer_id !== presumed) {
    await tx.updateTable('receipts').set({ customer_id: presumed }).where('id', '=', receipt.id).execute();
  }
  const amount = formatAmount(receipt.unapplied_minor, receipt.currency);
  await openTask(tx, act, {
    creditorId: receipt.creditor_id,
    kind: 'unappliedCash',
    key: `unappliedCash:${receipt.id}`,
    receiptId: receipt.id,
    customerId: presumed,
    subject: `${amount} ${receipt.currency} received, not applied`,
    body: REVIEW_TEXTS[money.reason],
    data: {
      amount,
      currency: receipt.currency,
      bookedOn: receipt.booked_on,
      reason: money.reason,
      quoted: money.quoted.map(({ invoiceId }) => invoiceId),
      ...(money.candidates && money.candidates.length > 0 ? { candidates: money.candidates } : {}),
    },
    dueAt: act.at,
  });

  const held = money.quoted.filter((invoice) => invoice.open && invoice.chased);
  for (const invoice of held) await holdQuoted(tx, act, receipt.id, invoice);
  if (presumed !== null) await holdCustomer(tx, act, receipt, presumed, holidaysOf);
}

/** The customers whose holds an unapplied receipt may change. */
export function customersConcerned(presumed: string | null, quoted: readonly Quoted[]): string[] {
  return [...(presumed === null ? [] : [presumed]), ...quoted.map(({ customerId }) => customerId)];
}

/** What became of money that nobody had assigned. */
export type UnappliedEnd = 'allocated' | 'returned' | 'remitted' | 'putAside' | 'assigned';

/**
 * The last cent of this money has found its place: its holds end, its task closes, with the act's reason beside it as a
 * note. False where no task was open. The customers are locked already.
 */
export async function endUnapplied(tx: Tx, act: Act, receiptId: string, outcome: UnappliedEnd): Promise<boolean> {
  const closed = await tx
    .updateTable('tasks')
    .set({
      status: 'done',
      closed_at: instant(act.at),
      closed_by: act.actor,
      outcome: json({ outcome, ...(act.reason ? { note: act.reason } : {}) }),
    })
    .where('receipt_id', '=', receiptId)
    .where('kind', '=', 'unappliedCash')
    .where('status', '=', 'open')
    .executeTakeFirst();
  await tx.deleteFrom('receipt_tokens').where('receipt_id', '=', receiptId).execute();
  await liftHoldsOfSource(tx, { ...act, reason: null }, receiptId);
  return closed.numUpdatedRows > 0n;
}

/** A person decides about this money from now on: no rule looks at it again. */
export async function takeInHand(tx: Tx, receiptId: string): Promise<void> {
  await tx
    .updateTable('receipts')
    .set({ by_person: true, look_again: false })
    .where('id', '=', receiptId)
    .where('by_person', '=', false)
    .execute();
  await tx.deleteFrom('receipt_tokens').where('receipt_id', '=', receiptId).execute();
}

/** A policy without the branch `unappliedCash` holds nothing. */
async function holdQuoted(tx: Tx, act: Act, receiptId: string, quoted: Quoted): Promise<void> {
  const invoice = await tx
    .selectFrom('invoices')
    .select(['creditor_id', 'policy_name', 'policy_version'])
    .where('id', '=', quoted.invoiceId)
    .executeTakeFirstOrThrow();
  const pinned = await findPolicy(tx, invoice.creditor_id, invoice.policy_name, invoice.policy_version);
  if (!pinned?.policy.unappliedCash) return;
  await setHold(tx, act, {
    customerId: quoted.customerId,
    invoiceId: quoted.invoiceId,
    kind: 'unappliedCash',
    untilOn: null,
    sourceId: receiptId,
  });
}

/** Judged by the policy of the customer's oldest overdue invoice, against what is overdue in the money's currency. */
async function holdCustomer(
  tx: Tx,
  act: Act,
  receipt: { id: string; unapplied_minor: bigint; currency: string },
  customerId: string,
  holidaysOf: HolidaysOf,
): Promise<void> {
  const customer = await tx
    .selectFrom('customers as u')
    .innerJoin('creditors as c', 'c.id', 'u.creditor_id')
    .select(['u.creditor_id', 'u.country', 'u.address', 'c.time_zone'])
    .where('u.id', '=', customerId)
    .executeTakeFirstOrThrow();
  const today = localDate(act.at, customer.time_zone);
  const overdue = await overdueInvoices(tx, customerId, today);
  const oldest = overdue[0];
  if (!oldest) return;
  const pinned = await findPolicy(tx, customer.creditor_id, oldest.policy_name, oldest.policy_version);
  const rule = pinned?.policy.unappliedCash;
  const owed = overdue
    .filter(({ currency }) => currency === receipt.currency)
    .reduce((sum, invoice) => sum + invoice.balance_minor, 0n);
  if (!rule || rule.holdWorkingDays < 1 || owed === 0n || receipt.unapplied_minor < share(owed, rule.holdShare)) return;
  const holidays = holidaysOf(customer.country, customer.address?.postalCode ?? null);
  await setHold(tx, act, {
    customerId,
    invoiceId: null,
    kind: 'unappliedCash',
    untilOn: addWorkingDays(today, rule.holdWorkingDays, holidays),
    sourceId: receipt.id,
  });
}

async function overdueInvoices(tx: Tx, customerId: string, today: LocalDate) {
  return tx
    .selectFrom('invoices')
    .select(['balance_minor', 'currency', 'policy_name', 'policy_version'])
    .where('customer_id', '=', customerId)
    .where('stage', 'not in', ['writtenOff', 'settled', 'cancelled'])
    .where('balance_minor', '>', 0n)
    .where('due_on', '<', today)
    .orderBy('due_on')
    .orderBy('id')
    .execute();
}
