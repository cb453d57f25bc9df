import type { Selectable } from 'kysely';
import type { Db, Tx } from '../database.ts';
import type { Database } from '../types.ts';

export type ReceiptRow = Selectable<Database['receipts']>;

export interface AllocationRow {
  id: string;
  receipt_id: string | null;
  credit_note_id: string | null;
  invoice_id: string;
  amount_minor: bigint;
  accessories_minor: bigint;
  on_date: string;
  rule: string;
  actor: string;
  at: number;
  /** When it was undone; `null` while it stands. */
  reversed_on: string | null;
}

/** Receipts of a creditor, newest first, behind the position `after`; `unapplied`: those with money left to assign. */
export async function listReceipts(
  db: Db,
  creditorId: string,
  filter: { status?: 'unapplied' | 'applied' | undefined; customerId?: string | undefined },
  after: bigint | null,
  count: number,
): Promise<ReceiptRow[]> {
  let query = db.selectFrom('receipts').selectAll().where('creditor_id', '=', creditorId);
  if (filter.status !== undefined)
    query = query.where('unapplied_minor', filter.status === 'unapplied' ? '>' : '=', 0n);
  if (filter.customerId !== undefined) query = query.where('customer_id', '=', filter.customerId);
  if (after !== null) query = query.where('seq', '<', after);
  return await query.orderBy('seq', 'desc').limit(count).execute();
}

export async function findReceipt(db: Db | Tx, creditorId: string, receiptId: string): Promise<ReceiptRow | undefined> {
  return await db
    .selectFrom('receipts')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', receiptId)
    .executeTakeFirst();
}

/** Where the money of these receipts went, by receipt, in the order of assignment; what was undone included. */
export async function allocationsOf(db: Db | Tx, receiptIds: readonly string[]): Promise<Map<string, AllocationRow[]>> {
  const found = new Map<string, AllocationRow[]>();
  if (receiptIds.length === 0) return found;
  const rows = await allocations(db).where('a.receipt_id', 'in', receiptIds).orderBy('a.seq').execute();
  for (const row of rows) found.set(row.receipt_id!, [...(found.get(row.receipt_id!) ?? []), row]);
  return found;
}

export async function findAllocation(
  db: Db | Tx,
  creditorId: string,
  allocationId: string,
): Promise<AllocationRow | undefined> {
  return await allocations(db)
    .where('a.creditor_id', '=', creditorId)
    .where('a.id', '=', allocationId)
    .executeTakeFirst();
}

const allocations = (db: Db | Tx) =>
  db
    .selectFrom('allocations as a')
    .leftJoin('allocation_reversals as r', 'r.allocation_id', 'a.id')
    .select([
      'a.id',
      'a.receipt_id',
      'a.credit_note_id',
      'a.invoice_id',
      'a.amount_minor',
      'a.accessories_minor',
      'a.on_date',
      'a.rule',
      'a.actor',
      'a.at',
      'r.on_date as reversed_on',
    ]);
