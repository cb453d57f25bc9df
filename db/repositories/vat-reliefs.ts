import { dueAgainMinor, vatReliefOf, type VatReliefDocument } from '../../domain/books/vat-relief.ts';
import { vatByRate } from '../../domain/books/invoice-vat.ts';
import { vatDueAgain, vatRelieved } from '../../domain/ledger/postings.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import type { Tx } from '../database.ts';
import { instant } from '../database.ts';
import { findChart } from './charts.ts';
import { findCreditor, type CreditorRow } from './creditors.ts';
import { addDocument } from './documents.ts';
import { appendEvent } from './events.ts';
import { lockOwnInvoice, type InvoiceRow } from './invoices.ts';
import { post } from './ledger.ts';
import { openTask } from './tasks.ts';

export interface NewVatRelief {
  invoice: InvoiceRow;
  n: number;
  document: Omit<VatReliefDocument, 'creditor' | 'customer' | 'fromCountry'>;
}

/** Works out what VAT of an invoice's loss comes back; locks customer and invoice. Throws what `vatReliefOf` throws. */
export async function prepareVatRelief(
  tx: Tx,
  creditorId: string,
  invoiceId: string,
  today: LocalDate,
): Promise<NewVatRelief & { creditor: CreditorRow }> {
  const invoice = await lockOwnInvoice(tx, creditorId, invoiceId);
  const creditor = (await findCreditor(tx, creditorId))!;
  const { chart } = await findChart(tx, creditorId);
  const reliefs = await reliefsOf(tx, invoiceId);
  const { currency, amount_minor: grossMinor } = invoice;
  const relief = vatReliefOf({
    country: creditor.country,
    vatDueOn: chart.vatDueOn,
    currency,
    grossMinor,
    lostMinor: invoice.written_off_minor - invoice.recovered_minor,
    vat: invoice.vat,
    relieved: reliefs.some((one) => one.due_again_minor < one.vat_minor),
  });
  const rates = vatByRate(invoice.vat, grossMinor, currency)!;
  return {
    creditor,
    invoice,
    n: reliefs.length + 1,
    document: {
      date: today,
      currency,
      invoice: { number: invoice.number, issuedOn: invoice.issued_on, dueOn: invoice.due_on, grossMinor, rates },
      relief,
    },
  };
}

/** Posts a relief that was prepared in the same transaction and keeps its document. Returns the document's id. */
export async function recordVatRelief(
  tx: Tx,
  act: Act,
  { invoice, n, document }: NewVatRelief,
  on: LocalDate,
  pdf: Buffer,
): Promise<string> {
  const { id: invoiceId, creditor_id: creditorId, customer_id: customerId, currency } = invoice;
  const { netMinor, vatMinor } = document.relief;
  await post(tx, act, creditorId, on, vatRelieved({ invoiceId, customerId, currency, amountMinor: vatMinor, n }));
  const documentId = await addDocument(tx, act, {
    creditorId,
    customerId,
    contactId: null,
    kind: 'vatCorrection',
    contentType: 'application/pdf',
    bytes: pdf,
    invoiceIds: [invoiceId],
  });
  await tx
    .insertInto('vat_reliefs')
    .values({
      invoice_id: invoiceId,
      n,
      loss_minor: netMinor + vatMinor,
      vat_minor: vatMinor,
      document_id: documentId,
      on_date: on,
      actor: act.actor,
      at: instant(act.at),
    })
    .execute();
  await appendEvent(tx, act, {
    invoiceId,
    kind: 'vatRelieved',
    data: { amount: formatAmount(vatMinor, currency), net: formatAmount(netMinor, currency), currency, documentId, on },
    text: act.reason ?? null,
  });
  return documentId;
}

/**
 * After what is lost of an invoice has changed: the VAT that had come back is due again in proportion, or not any more where
 * money went back. Opens a task for whoever declares VAT. `key` names what happened, uniquely. The invoice is locked.
 */
export async function settleVatRelief(
  tx: Tx,
  act: Act,
  invoiceId: string,
  change: { on: LocalDate; against: 'recoveries' | 'losses'; key: string },
): Promise<void> {
  const relief = (await reliefsOf(tx, invoiceId)).at(-1);
  if (!relief) return;
  const invoice = await tx.selectFrom('invoices').selectAll().where('id', '=', invoiceId).executeTakeFirstOrThrow();
  const lostMinor = invoice.written_off_minor - invoice.recovered_minor;
  const dueMinor = dueAgainMinor({ lossMinor: relief.loss_minor, vatMinor: relief.vat_minor }, lostMinor);
  const amountMinor = dueMinor - relief.due_again_minor;
  if (amountMinor === 0n) return;
  const { creditor_id: creditorId, customer_id: customerId, currency } = invoice;
  const { on, against, key } = change;
  await post(tx, act, creditorId, on, vatDueAgain({ invoiceId, customerId, currency, amountMinor, against, key }));
  await tx
    .updateTable('vat_reliefs')
    .set({ due_again_minor: dueMinor })
    .where('invoice_id', '=', invoiceId)
    .where('n', '=', relief.n)
    .execute();
  const amount = formatAmount(amountMinor, currency);
  await appendEvent(tx, act, { invoiceId, kind: 'vatDueAgain', data: { amount, currency, on } });
  await openTask(tx, act, {
    creditorId,
    kind: 'vatDueAgain',
    key: `vatDueAgain:${key}`,
    role: 'operator',
    invoiceId,
    customerId,
    subject:
      amountMinor > 0n
        ? `VAT of ${amount} ${currency} is due again on invoice ${invoice.number}`
        : `VAT of ${formatAmount(-amountMinor, currency)} ${currency} is not due again on invoice ${invoice.number} after all`,
    body: 'The VAT of this loss had come back, and money came or the write-off was undone: put it into the declaration of the period.',
    dueAt: act.at,
  });
}

const reliefsOf = (tx: Tx, invoiceId: string) =>
  tx.selectFrom('vat_reliefs').selectAll().where('invoice_id', '=', invoiceId).orderBy('n').execute();
