import type { Act } from '../db/act.ts';
import type { Tx } from '../db/database.ts';
import { recordCreditNote } from '../db/repositories/credit-notes.ts';
import { attempt } from '../db/repositories/idempotency.ts';
import { creditNoteOf, invoicesByNumber } from '../db/repositories/imports.ts';
import { DomainError } from '../domain/errors.ts';
import type { ImportedDocument } from '../domain/imports/document.ts';
import { parseAmount } from '../domain/money.ts';
import { customerKey, type FoundCustomers } from './import-customers.ts';
import type { DocumentRow, ImportRun, WrittenRows } from './import-invoices.ts';
import { rejectedByRule } from './import-results.ts';

/**
 * Records one credit note and applies it to the invoice it corrects where that is known; the rest, or all of it, is
 * unapplied credit of the customer. Rejected, it leaves nothing, not even its customer.
 */
export async function writeCreditNote(tx: Tx, act: Act, run: ImportRun, row: DocumentRow): Promise<WrittenRows> {
  const { line, document } = row;
  const tried = await attempt(tx, async () => record(tx, act, run, document));
  if ('done' in tried) {
    const { creditNoteId, outcome, found } = tried.done;
    const status = outcome === 'created' ? 'accepted' : 'unchanged';
    return { results: [{ line, number: document.number, status, creditNoteId }], found };
  }
  if (!(tried.failed instanceof DomainError)) throw tried.failed;
  return { results: [rejectedByRule(line, document.number, tried.failed)], found: new Map() };
}

async function record(
  tx: Tx,
  act: Act,
  run: ImportRun,
  document: ImportedDocument,
): Promise<{ creditNoteId: string; outcome: 'created' | 'unchanged'; found: FoundCustomers }> {
  const { found } = await run.directory.resolve(tx, act, [document.customer]);
  const customer = found.get(customerKey(document.customer))!;
  if (customer instanceof DomainError) throw customer;

  const before = await creditNoteOf(tx, run.creditor.id, document.number);
  const corrected = await correctedInvoice(tx, run, document, customer.id);
  const { creditNoteId, outcome } = await recordCreditNote(tx, act, {
    customerId: customer.id,
    // What came in before its invoice stays unapplied when the file comes again; a person decides.
    invoiceId: before === undefined ? corrected : before.invoiceId === null ? null : (corrected ?? before.invoiceId),
    number: document.number,
    amountMinor: parseAmount(document.amount, document.currency),
    currency: document.currency,
    issuedOn: document.issuedOn,
    reason: before?.reason ?? null,
  });
  return { creditNoteId, outcome, found };
}

/**
 * The invoice that the credit note names; where it names none, the only invoice of the same customer among its other
 * references.
 */
async function correctedInvoice(
  tx: Tx,
  run: ImportRun,
  document: ImportedDocument,
  customerId: string,
): Promise<string | null> {
  const { correctsNumber, references } = document;
  const numbers = correctsNumber === null ? references : [correctsNumber];
  const invoices = [...(await invoicesByNumber(tx, run.creditor.id, numbers)).values()];
  if (correctsNumber !== null) return invoices[0]?.id ?? null;
  const [only, ...others] = invoices.filter((invoice) => invoice.customerId === customerId);
  return only && others.length === 0 ? only.id : null;
}
