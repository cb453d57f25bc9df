import { DomainError } from '../../domain/errors.ts';
import type { Tx } from '../database.ts';

/**
 * The one order in which rows are locked (design rule 4): customers, then receipts and credit notes, then invoices, each
 * by id. Rows are locked `for no key update`: that excludes other writers, but nobody who merely refers to the row.
 */

/** Locks these customers by id. */
export async function lockCustomers(tx: Tx, customerIds: Iterable<string>): Promise<void> {
  const ids = sorted(customerIds);
  if (ids.length === 0) return;
  await tx.selectFrom('customers').select('id').where('id', 'in', ids).orderBy('id').forNoKeyUpdate().execute();
}

/** Locks an invoice's customer, and those that this money holds: what is done with it may lift their holds. */
export async function lockCustomersConcerned(tx: Tx, invoiceId: string, receiptId: string | null): Promise<void> {
  // Whose invoice it is never changes, so that this may be read before it is locked.
  await tx
    .selectFrom('customers')
    .select('id')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('invoices')
        .select('customer_id')
        .where('id', '=', invoiceId)
        .union(
          eb
            .selectFrom('holds')
            .select('customer_id')
            .where('source_id', '=', receiptId)
            .where('lifted_on', 'is', null),
        ),
    )
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
}

/** Locks and returns a receipt. Throws `notFound`. */
export async function lockReceipt(tx: Tx, receiptId: string) {
  const receipt = await tx
    .selectFrom('receipts')
    .selectAll()
    .where('id', '=', receiptId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!receipt) throw new DomainError('notFound', 'There is no such receipt.');
  return receipt;
}

/** Locks and returns a credit note. Throws `notFound`. */
export async function lockCreditNote(tx: Tx, creditNoteId: string) {
  const creditNote = await tx
    .selectFrom('credit_notes')
    .selectAll()
    .where('id', '=', creditNoteId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!creditNote) throw new DomainError('notFound', 'There is no such credit note.');
  return creditNote;
}

/** Locks these invoices by id and returns them in that order. */
export async function lockInvoices(tx: Tx, invoiceIds: Iterable<string>) {
  const ids = sorted(invoiceIds);
  if (ids.length === 0) return [];
  return tx.selectFrom('invoices').selectAll().where('id', 'in', ids).orderBy('id').forNoKeyUpdate().execute();
}

/** Locks and returns one invoice. Throws `notFound`. */
export async function lockInvoice(tx: Tx, invoiceId: string) {
  const [invoice] = await lockInvoices(tx, [invoiceId]);
  if (!invoice) throw new DomainError('notFound', 'There is no such invoice.');
  return invoice;
}

function sorted(ids: Iterable<string>): string[] {
  return [...new Set(ids)].sort();
}
