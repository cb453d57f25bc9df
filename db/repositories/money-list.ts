import type { Selectable } from 'kysely';
import type { Db, Tx } from '../database.ts';
import type { Database } from '../types.ts';

export type CreditNoteRow = Selectable<Database['credit_notes']>;
export type HoldRow = Selectable<Database['holds']>;

/** A creditor's credit note; `undefined` when it is another's or none. */
export async function findCreditNote(
  db: Db | Tx,
  creditorId: string,
  creditNoteId: string,
): Promise<CreditNoteRow | undefined> {
  return await db
    .selectFrom('credit_notes')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', creditNoteId)
    .executeTakeFirst();
}

/** A creditor's hold that is a row; `undefined` when it is another's or none. */
export async function findHold(db: Db | Tx, creditorId: string, holdId: string): Promise<HoldRow | undefined> {
  return await db
    .selectFrom('holds')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', holdId)
    .executeTakeFirst();
}

/** The currencies a customer was billed in. */
export async function currenciesOf(db: Db | Tx, customerId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('invoices')
    .select('currency')
    .distinct()
    .where('customer_id', '=', customerId)
    .orderBy('currency')
    .execute();
  return rows.map((row) => row.currency);
}
