import { DomainError } from '../../domain/errors.ts';
import { creditNoted } from '../../domain/ledger/postings.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { allocate } from './allocations.ts';
import { appendEvent } from './events.ts';
import { postOpenings } from './ledger.ts';
import { lockCustomers, lockInvoice } from './locks.ts';
import { isOpenStage } from './runs.ts';

export interface NewCreditNote {
  customerId: string;
  /** The invoice it corrects; null: the customer's, unapplied until somebody allocates it. */
  invoiceId: string | null;
  number: string;
  /** Positive minor units. */
  amountMinor: bigint;
  currency: string;
  issuedOn: LocalDate;
  reason?: string | null;
}

export interface RecordedCreditNote {
  creditNoteId: string;
  outcome: 'created' | 'unchanged';
  /** What was applied to its invoice just now; the rest is unapplied credit of the customer. */
  appliedMinor: bigint;
}

/**
 * Takes in a credit note and applies it to its invoice up to the balance. The same number again changes nothing when all
 * is equal (`unchanged`). Locks the customer, then the invoice. Throws `notFound`, `amountInvalid`, `currencyMismatch`,
 * `customerMismatch`, `creditNoteExists`.
 */
export async function recordCreditNote(tx: Tx, act: Act, note: NewCreditNote): Promise<RecordedCreditNote> {
  const { customerId, invoiceId, amountMinor, currency } = note;
  if (amountMinor <= 0n) throw new DomainError('amountInvalid', 'A credit note is more than zero.');
  await lockCustomers(tx, [customerId]);
  const customer = await tx
    .selectFrom('customers')
    .select('creditor_id')
    .where('id', '=', customerId)
    .executeTakeFirst();
  if (!customer) throw new DomainError('notFound', 'There is no such customer.');
  if (invoiceId !== null) await checkInvoice(tx, note, invoiceId);

  const creditNoteId = newId('cno');
  const inserted = await tx
    .insertInto('credit_notes')
    .values({
      id: creditNoteId,
      creditor_id: customer.creditor_id,
      customer_id: customerId,
      invoice_id: invoiceId,
      number: note.number,
      amount_minor: amountMinor,
      currency,
      unapplied_minor: amountMinor,
      issued_on: note.issuedOn,
      reason: note.reason ?? null,
      at: instant(act.at),
    })
    .onConflict((conflict) => conflict.columns(['creditor_id', 'number']).doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows !== 1n) return repeated(tx, customer.creditor_id, note);
  await postOpenings(tx, act, customer.creditor_id, [
    { onDate: note.issuedOn, entry: creditNoted({ creditNoteId, customerId, amountMinor, currency }) },
  ]);
  if (invoiceId === null) return { creditNoteId, outcome: 'created', appliedMinor: 0n };

  const invoice = await lockInvoice(tx, invoiceId);
  const open = isOpenStage(invoice.stage) ? invoice.balance_minor : 0n;
  const appliedMinor = amountMinor < open ? amountMinor : open;
  const why = { ...act, reason: note.reason ?? act.reason ?? null };
  if (appliedMinor > 0n) {
    await allocate(tx, why, { creditNoteId, invoiceId, amountMinor: appliedMinor, rule: 'creditNote' });
  } else {
    await appendEvent(tx, why, {
      invoiceId,
      kind: 'creditNoted',
      data: {
        creditNoteId,
        amount: formatAmount(0n, currency),
        unapplied: formatAmount(amountMinor, currency),
        balance: formatAmount(invoice.balance_minor, currency),
        currency,
      },
      text: why.reason,
    });
  }
  return { creditNoteId, outcome: 'created', appliedMinor };
}

async function checkInvoice(tx: Tx, note: NewCreditNote, invoiceId: string): Promise<void> {
  const invoice = await tx
    .selectFrom('invoices')
    .select(['customer_id', 'currency'])
    .where('id', '=', invoiceId)
    .executeTakeFirst();
  if (!invoice) throw new DomainError('notFound', 'There is no such invoice.');
  if (invoice.customer_id !== note.customerId) {
    throw new DomainError('customerMismatch', 'The invoice is another customer’s.');
  }
  if (invoice.currency !== note.currency) {
    throw new DomainError('currencyMismatch', `The invoice is in ${invoice.currency}.`, [
      { pointer: '/currency', code: 'currencyMismatch', message: `The invoice is in ${invoice.currency}.` },
    ]);
  }
}

async function repeated(tx: Tx, creditorId: string, note: NewCreditNote): Promise<RecordedCreditNote> {
  const existing = await tx
    .selectFrom('credit_notes')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('number', '=', note.number)
    .executeTakeFirstOrThrow();
  const same =
    existing.customer_id === note.customerId &&
    existing.invoice_id === note.invoiceId &&
    existing.amount_minor === note.amountMinor &&
    existing.currency === note.currency &&
    existing.issued_on === note.issuedOn &&
    existing.reason === (note.reason ?? null);
  if (!same) throw new DomainError('creditNoteExists', 'A credit note of this number exists with other content.');
  return { creditNoteId: existing.id, outcome: 'unchanged', appliedMinor: 0n };
}
