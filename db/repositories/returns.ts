import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { bankFeeCharged, returned } from '../../domain/ledger/postings.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { allocate, undoAllocation } from './allocations.ts';
import { recordFailedCollection } from './collections.ts';
import { customersHeldBy } from './holds.ts';
import { post } from './ledger.ts';
import { lockCustomers, lockInvoices, lockReceipt } from './locks.ts';
import { putMoneyAside, takeAsideBack } from './put-aside.ts';
import { undoRemittances } from './remittances.ts';
import { endUnapplied } from './unapplied.ts';

export interface NewReturn {
  receiptId: string;
  /** Positive minor units of the receipt's currency. */
  amountMinor: bigint;
  /** What the bank kept on top for it, minor units: booked apart, no part of the receipt. */
  feesMinor?: bigint;
  bookedOn: LocalDate;
  reasonCode?: string | null;
  feedId?: string | null;
  externalId?: string | null;
}

/**
 * Money went back to its payer: a rejected or revoked direct debit, a returned transfer, a chargeback. What is unapplied
 * goes first, then what a person put aside, then allocations are undone, the last one first, until the amount is free, then what it was taken for as
 * an agency's remittance; of the last one undone the rest
 * is applied again. An invoice collected by direct debit is marked as not collected on that day. Returns the id of the
 * return. Locks customers, receipt, invoices. Throws `notFound`, `amountInvalid`, `exceedsReceipt`.
 */
export async function returnReceipt(tx: Tx, act: Act, back: NewReturn): Promise<string> {
  const { receiptId, amountMinor } = back;
  if (amountMinor <= 0n) throw new DomainError('amountInvalid', 'What is returned is more than zero.');
  await lockCustomers(tx, [
    ...(await standingAllocations(tx, receiptId)).map((allocation) => allocation.customer_id),
    ...(await customersHeldBy(tx, receiptId)),
  ]);
  const receipt = await lockReceipt(tx, receiptId);
  const left = receipt.amount_minor - receipt.returned_minor;
  if (amountMinor > left) {
    const text = `${formatAmount(left, receipt.currency)} ${receipt.currency}`;
    throw new DomainError('exceedsReceipt', `Only ${text} of the receipt can still be returned.`);
  }
  const standing = await standingAllocations(tx, receiptId);
  await lockInvoices(
    tx,
    standing.map((allocation) => allocation.invoice_id),
  );

  let unapplied = receipt.unapplied_minor;
  const aside = unapplied < amountMinor ? await takeAsideBack(tx, act, receipt) : 0n;
  unapplied += aside;
  let last: (typeof standing)[number] | undefined;
  for (const allocation of standing) {
    if (unapplied >= amountMinor) break;
    await undoAllocation(tx, act, allocation.id, 'returned');
    if (allocation.collection_method === 'directDebit') {
      await recordFailedCollection(tx, act, allocation.invoice_id, back.bookedOn, back.reasonCode);
    }
    unapplied += allocation.amount_minor;
    last = allocation;
  }

  if (unapplied < amountMinor) unapplied += await undoRemittances(tx, act, receipt, back.bookedOn);

  const returnId = newId('ret');
  await tx
    .insertInto('receipt_returns')
    .values({
      id: returnId,
      receipt_id: receiptId,
      feed_id: back.feedId ?? null,
      external_id: back.externalId ?? null,
      amount_minor: amountMinor,
      booked_on: back.bookedOn,
      reason_code: back.reasonCode ?? null,
      at: instant(act.at),
    })
    .execute();
  const entry = returned({ returnId, receiptId, amountMinor, currency: receipt.currency });
  await post(tx, act, receipt.creditor_id, back.bookedOn, entry);
  if (back.feesMinor !== undefined && back.feesMinor > 0n) {
    const fee = bankFeeCharged({ returnId, receiptId, amountMinor: back.feesMinor, currency: receipt.currency });
    await post(tx, act, receipt.creditor_id, back.bookedOn, fee);
  }
  await tx
    .updateTable('receipts')
    .set((eb) => ({ returned_minor: eb('returned_minor', '+', amountMinor) }))
    .where('id', '=', receiptId)
    .execute();

  const rest = unapplied - amountMinor;
  if (last !== undefined && rest > 0n) {
    await allocate(tx, act, {
      receiptId,
      invoiceId: last.invoice_id,
      amountMinor: rest,
      rule: 'afterReturn',
    });
  } else if (rest > 0n && aside > 0n) {
    await putMoneyAside(tx, act, await lockReceipt(tx, receiptId), rest);
  } else if (rest === 0n) {
    await endUnapplied(tx, act, receiptId, 'returned');
  }
  return returnId;
}

/** What stands with a return that a person recorded, before its bank tells of it. */
export const REFUND = 'refund';

/**
 * The bank tells of a refund that a person recorded before: the same amount of the same receipt. Only its fee is new to the
 * books. True where there was one that nothing had told yet. Not where a debit to the payer has told it already: then it
 * went back twice.
 */
export async function confirmRefund(
  tx: Tx,
  act: Act,
  told: NewReturn & { feedId: string; externalId: string },
): Promise<boolean> {
  const { rows } = await sql<{ id: string }>`
    update receipt_returns set feed_id = ${told.feedId}, external_id = ${told.externalId}
    where feed_id is null and id = (
      select b.id from receipt_returns b join receipts r on r.id = b.receipt_id
        left join bank_transactions t on t.id = r.transaction_id
      where b.receipt_id = ${told.receiptId} and b.feed_id is null and b.reason_code = ${REFUND}
        and b.amount_minor = ${told.amountMinor.toString()}::bigint
        and not exists (
          select from bank_transactions d
          where d.creditor_id = t.creditor_id and d.account_key = t.account_key and d.amount_minor = -b.amount_minor
            and d.booked_on >= b.booked_on - ${BOOKED_BEFORE_DAYS}::int and d.currency = r.currency and d.outcome = 'debit'
            and (d.counterparty_account is null or r.payer_iban is null or d.counterparty_account = r.payer_iban))
      order by b.at, b.id limit 1)
    returning id`.execute(tx);
  const refund = rows[0];
  if (!refund) return false;
  if (told.feesMinor !== undefined && told.feesMinor > 0n) {
    const { creditor_id: creditorId, currency } = await lockReceipt(tx, told.receiptId);
    const of = { returnId: refund.id, receiptId: told.receiptId, amountMinor: told.feesMinor, currency };
    await post(tx, act, creditorId, told.bookedOn, bankFeeCharged(of));
  }
  return true;
}

/** Days by which a person may record a refund after its bank booked it. */
const BOOKED_BEFORE_DAYS = 10;

/** Allocations of the receipt that stand, the last one first. */
async function standingAllocations(tx: Tx, receiptId: string) {
  return tx
    .selectFrom('allocations as a')
    .innerJoin('invoices as i', 'i.id', 'a.invoice_id')
    .leftJoin('allocation_reversals as r', 'r.allocation_id', 'a.id')
    .select(['a.id', 'a.invoice_id', 'a.amount_minor', 'i.customer_id', 'i.collection_method'])
    .where('a.receipt_id', '=', receiptId)
    .where('r.allocation_id', 'is', null)
    .orderBy('a.seq', 'desc')
    .execute();
}
