import { sql } from 'kysely';
import { useOf } from '../../domain/matching/preview.ts';
import { settingsOf, type MatchingDocument } from '../../domain/matching/settings.ts';
import type { Decision } from '../../domain/matching/types.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db } from '../database.ts';
import { paymentOfReceipt } from './cash-application.ts';
import { matchPayment } from './matching-book.ts';
import type { ReceiptRow } from './receipt-list.ts';

/** What some settings would have decided about one receipt, and how that agrees with where its money stands now. */
export interface Previewed {
  receipt: ReceiptRow;
  decision: Decision;
  /** `review`: a person would look; `same`: where the money stands now; `other`: elsewhere. */
  compared: 'same' | 'other' | 'review';
}

/** Money that came by a feed between two days, the newest first, behind the position `after`. */
export async function receiptsBetween(
  db: Db,
  creditorId: string,
  from: LocalDate,
  to: LocalDate,
  after: bigint | null,
  count: number,
): Promise<ReceiptRow[]> {
  return await db
    .selectFrom('receipts')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('feed_id', 'is not', null)
    .where('booked_on', '>=', from)
    .where('booked_on', '<=', to)
    .$if(after !== null, (query) => query.where('seq', '<', after!))
    .orderBy('seq', 'desc')
    .limit(count)
    .execute();
}

/**
 * What these settings would have decided about each of these receipts when it came: with the balances that the journal had
 * before its own entry, the invoices that were registered then, and the payers that were known from earlier money. Reads
 * only. Advices are no rule of the engine and take no part.
 */
export async function previewMatching(
  db: Db,
  creditorId: string,
  document: MatchingDocument,
  receipts: readonly ReceiptRow[],
): Promise<Previewed[]> {
  const entries = await entriesOf(db, receipts);
  const found: Previewed[] = [];
  for (const receipt of receipts) {
    const payment = { ...(await paymentOfReceipt(db, receipt)), amountMinor: receipt.amount_minor };
    const entryId = entries.get(receipt.id);
    const decision = await matchPayment(
      db,
      creditorId,
      payment,
      settingsOf(document, receipt.currency),
      entryId === undefined ? null : { entryId },
    );
    found.push({ receipt, decision, compared: 'review' });
  }
  const standing = await standingAllocations(db, receipts);
  return found.map((one) => ({ ...one, compared: useOf(one.decision, standing.get(one.receipt.id) ?? []) }));
}

/** The journal entry with which each receipt came. */
async function entriesOf(db: Db, receipts: readonly ReceiptRow[]): Promise<Map<string, bigint>> {
  const ids = receipts.map(({ id }) => id);
  const { rows } = await sql<{ id: bigint; receipt_id: string }>`
    select j.id, r.receipt_id from unnest(${ids}::text[]) as r (receipt_id)
    join receipts m on m.id = r.receipt_id
    join journal_entries j on j.creditor_id = m.creditor_id and j.key = 'receipt:' || m.id`.execute(db);
  return new Map(rows.map((row) => [row.receipt_id, row.id]));
}

async function standingAllocations(db: Db, receipts: readonly ReceiptRow[]) {
  const { rows } = await sql<{ receipt_id: string; invoice_id: string; amount_minor: bigint }>`
    select a.receipt_id, a.invoice_id, sum(a.amount_minor)::bigint as amount_minor from allocations a
    where a.receipt_id = any(${receipts.map(({ id }) => id)}::text[])
      and not exists (select 1 from allocation_reversals r where r.allocation_id = a.id)
    group by a.receipt_id, a.invoice_id`.execute(db);
  const found = new Map<string, { invoiceId: string; amountMinor: bigint }[]>();
  for (const { receipt_id: receiptId, invoice_id: invoiceId, amount_minor: amountMinor } of rows) {
    found.set(receiptId, [...(found.get(receiptId) ?? []), { invoiceId, amountMinor }]);
  }
  return found;
}
