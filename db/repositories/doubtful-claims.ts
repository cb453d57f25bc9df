import { allowanceOf } from '../../domain/books/doubtful.ts';
import { vatOf } from '../../domain/books/invoice-vat.ts';
import { DomainError } from '../../domain/errors.ts';
import { doubtfulEnded, markedDoubtful } from '../../domain/ledger/postings.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { appendEvent } from './events.ts';
import { lockOwnInvoice, type InvoiceRow } from './invoices.ts';
import { post } from './ledger.ts';

export interface DoubtfulClaim {
  percent: string;
  allowanceMinor: bigint;
}

/**
 * Marks what is open of an invoice as doubtful, with an allowance of `percent` of it without VAT. The case does not hear of
 * it: what is owed stays owed. Throws `notFound`, `nothingOwed`, `alreadyDoubtful`, `allowanceInvalid`.
 */
export async function markDoubtful(
  tx: Tx,
  act: Act,
  creditorId: string,
  invoiceId: string,
  percent: string,
  on: LocalDate,
): Promise<DoubtfulClaim & { currency: string }> {
  const invoice = await lockOwnInvoice(tx, creditorId, invoiceId);
  const { currency, customer_id: customerId, balance_minor: balanceMinor, amount_minor: grossMinor } = invoice;
  if (balanceMinor === 0n) throw new DomainError('nothingOwed', 'Nothing of the invoice is open.');
  const before = await claimsOf(tx, invoiceId);
  if (before.some((one) => one.ended_entry_id === null)) {
    throw new DomainError('alreadyDoubtful', 'The invoice is held to be doubtful already.');
  }
  const vatMinor = vatOf(invoice.vat, grossMinor, currency);
  const allowanceMinor = allowanceOf({ balanceMinor, grossMinor, vatMinor }, percent);
  const n = before.length + 1;
  const entry = markedDoubtful({ invoiceId, customerId, currency, amountMinor: allowanceMinor, n });
  await post(tx, act, creditorId, on, entry);
  await tx
    .insertInto('doubtful_claims')
    .values({
      invoice_id: invoiceId,
      n,
      percent,
      allowance_minor: allowanceMinor,
      entry_id: await entryId(tx, creditorId, entry.key),
      actor: act.actor,
      at: instant(act.at),
    })
    .execute();
  await appendEvent(tx, act, {
    invoiceId,
    kind: 'markedDoubtful',
    data: {
      amount: formatAmount(balanceMinor, currency),
      allowance: formatAmount(allowanceMinor, currency),
      currency,
      percent,
      on,
    },
    text: act.reason ?? null,
  });
  return { percent, allowanceMinor, currency };
}

/** It is not doubtful any more: the allowance is released. Throws `notFound`, `notDoubtful`. */
export async function endDoubtful(
  tx: Tx,
  act: Act,
  creditorId: string,
  invoiceId: string,
  on: LocalDate,
): Promise<void> {
  const invoice = await lockOwnInvoice(tx, creditorId, invoiceId);
  if (!(await release(tx, act, invoice, on))) {
    throw new DomainError('notDoubtful', 'The invoice is not held to be doubtful.');
  }
}

/** Once nothing of an invoice is open any more, paid or lost, its allowance is released. The invoice is locked. */
export async function releaseWhenClosed(tx: Tx, act: Act, invoiceId: string, on: LocalDate): Promise<void> {
  const invoice = await tx
    .selectFrom('invoices')
    .selectAll()
    .where('id', '=', invoiceId)
    .where('balance_minor', '=', 0n)
    // Few ever are doubtful, and every payment asks.
    .where((eb) => eb.exists(eb.selectFrom('doubtful_claims').select('n').where('invoice_id', '=', invoiceId)))
    .executeTakeFirst();
  if (invoice) await release(tx, act, invoice, on);
}

async function release(tx: Tx, act: Act, invoice: InvoiceRow, on: LocalDate): Promise<boolean> {
  const { id: invoiceId, creditor_id: creditorId, customer_id: customerId, currency } = invoice;
  const standing = (await claimsOf(tx, invoiceId)).find((one) => one.ended_entry_id === null);
  if (!standing) return false;
  const { n, allowance_minor: amountMinor } = standing;
  const entry = doubtfulEnded({ invoiceId, customerId, currency, amountMinor, n });
  await post(tx, act, creditorId, on, entry);
  await tx
    .updateTable('doubtful_claims')
    .set({ ended_entry_id: await entryId(tx, creditorId, entry.key) })
    .where('invoice_id', '=', invoiceId)
    .where('n', '=', n)
    .execute();
  await appendEvent(tx, act, {
    invoiceId,
    kind: 'doubtfulEnded',
    data: { allowance: formatAmount(amountMinor, currency), currency, on },
    text: act.reason ?? null,
  });
  return true;
}

const claimsOf = (tx: Tx, invoiceId: string) =>
  tx.selectFrom('doubtful_claims').selectAll().where('invoice_id', '=', invoiceId).orderBy('n').execute();

async function entryId(tx: Tx, creditorId: string, key: string): Promise<bigint> {
  const { id } = await tx
    .selectFrom('journal_entries')
    .select('id')
    .where('creditor_id', '=', creditorId)
    .where('key', '=', key)
    .executeTakeFirstOrThrow();
  return id;
}
