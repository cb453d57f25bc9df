import { sql } from 'kysely';
import { putAside, putAsideUndone } from '../../domain/ledger/postings.ts';
import type { Act } from '../act.ts';
import type { Tx } from '../database.ts';
import { creditorsDate } from './creditors.ts';
import { post } from './ledger.ts';

/** A receipt that the caller has locked. */
interface Locked {
  id: string;
  creditor_id: string;
  currency: string;
  set_aside_minor: bigint;
}

/** Takes unapplied money off the worklist, since it is none of the invoices': the books keep it apart. */
export async function putMoneyAside(tx: Tx, act: Act, receipt: Locked, amountMinor: bigint): Promise<void> {
  const { id: receiptId, currency } = receipt;
  const n = (await timesOf(tx, receipt, 'putAside')) + 1;
  const today = await creditorsDate(tx, act, receipt.creditor_id);
  await post(tx, act, receipt.creditor_id, today, putAside({ receiptId, amountMinor, currency, n }));
  await tx
    .updateTable('receipts')
    .set((eb) => ({ set_aside_minor: eb('set_aside_minor', '+', amountMinor) }))
    .where('id', '=', receiptId)
    .execute();
}

/** What was put aside is unapplied again. Returns how much it was, minor units; 0 where nothing was. */
export async function takeAsideBack(tx: Tx, act: Act, receipt: Locked): Promise<bigint> {
  const { id: receiptId, currency, set_aside_minor: amountMinor } = receipt;
  if (amountMinor === 0n) return 0n;
  const n = (await timesOf(tx, receipt, 'putAsideUndone')) + 1;
  const today = await creditorsDate(tx, act, receipt.creditor_id);
  await tx.updateTable('receipts').set({ set_aside_minor: 0n }).where('id', '=', receiptId).execute();
  await post(tx, act, receipt.creditor_id, today, putAsideUndone({ receiptId, amountMinor, currency, n }));
  return amountMinor;
}

async function timesOf(tx: Tx, receipt: Locked, kind: 'putAside' | 'putAsideUndone'): Promise<number> {
  const { rows } = await sql<{ times: number }>`
    select count(*)::int as times from journal_entries j
    where j.creditor_id = ${receipt.creditor_id} and j.kind = ${kind} and j.id in (
      select entry_id from postings where receipt_id = ${receipt.id} and account = 'setAside')`.execute(tx);
  return rows[0]?.times ?? 0;
}
