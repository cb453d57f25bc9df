import { addressLines } from '../../domain/address.ts';
import { claimOf, type Claim } from '../../domain/law/claim.ts';
import { RateUnknown } from '../../domain/law/rates.ts';
import { later, type LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { json, type Tx } from '../database.ts';
import type { InsolvencyKind, JsonObject } from '../types.ts';
import { loadInvoiceClaim } from './claims.ts';
import { addDocument } from './documents.ts';
import { declarationTask, openInsolvency } from './insolvencies.ts';
import { loadRates } from './rates.ts';

/** What a declaration of claims in the open proceedings over a customer says. Amounts are minor units. */
export interface ClaimForm {
  insolvencyId: string;
  creditorId: string;
  customerId: string;
  taskId: string;
  taskData: JsonObject;
  /** Of what the last form said; null before the first. */
  digest: string | null;
  kind: InsolvencyKind;
  judgmentOn: LocalDate;
  publishedOn: LocalDate | null;
  declareBy: LocalDate;
  /** Name and address, one line each. */
  trustee: string | null;
  creditor: {
    name: string;
    addressLines: string[];
    registration: string | null;
    vatId: string | null;
    email: string;
    city: string | null;
    country: string;
  };
  debtor: { reference: string; name: string; addressLines: string[]; registration: string | null };
  claims: {
    invoiceId: string;
    number: string;
    issuedOn: LocalDate;
    dueOn: LocalDate;
    currency: string;
    balanceMinor: bigint;
    /** With interest to the day before the judgment; null where the policy never claims any, or a rate is not known. */
    claim: Claim | null;
  }[];
}

/**
 * The form of the open proceedings, over every open invoice that they hold; null where there are none, where their form
 * is not known here, or where the task is done. The caller holds the customer's row.
 */
export async function loadClaimForm(tx: Tx, customerId: string): Promise<ClaimForm | null> {
  const insolvency = await openInsolvency(tx, customerId);
  // A last day is known for the proceedings whose form is: the French ones.
  if (!insolvency || insolvency.declare_by === null) return null;
  const task = await declarationTask(tx, insolvency.id);
  if (task?.status !== 'open') return null;
  const claims = await tx
    .selectFrom('holds as h')
    .innerJoin('invoices as i', 'i.id', 'h.invoice_id')
    .select(['i.id', 'i.number', 'i.issued_on', 'i.due_on', 'i.currency', 'i.balance_minor'])
    .where('h.source_id', '=', insolvency.id)
    .where('h.lifted_on', 'is', null)
    .where('i.balance_minor', '>', 0n)
    .orderBy('i.due_on')
    .orderBy('i.number')
    .execute();
  const declared: (Claim | null)[] = [];
  for (const { id } of claims) declared.push(await declarable(tx, id, insolvency.judgment_on));
  const parties = await tx
    .selectFrom('customers as u')
    .innerJoin('creditors as c', 'c.id', 'u.creditor_id')
    .select([
      'u.reference',
      'u.name',
      'u.address',
      'u.registration_id',
      'c.name as creditor_name',
      'c.address as creditor_address',
      'c.registration_id as creditor_registration',
      'c.vat_id',
      'c.sender_email',
      'c.reply_to',
      'c.country',
    ])
    .where('u.id', '=', customerId)
    .executeTakeFirstOrThrow();
  const digest = task.data['formDigest'];
  return {
    insolvencyId: insolvency.id,
    creditorId: insolvency.creditor_id,
    customerId,
    taskId: task.id,
    taskData: task.data,
    digest: typeof digest === 'string' ? digest : null,
    kind: insolvency.kind,
    judgmentOn: insolvency.judgment_on,
    publishedOn: insolvency.published_on,
    declareBy: insolvency.declare_by,
    trustee: insolvency.trustee,
    creditor: {
      name: parties.creditor_name,
      addressLines: addressLines(parties.creditor_address),
      registration: parties.creditor_registration,
      vatId: parties.vat_id,
      email: parties.reply_to ?? parties.sender_email,
      city: parties.creditor_address?.city ?? null,
      country: parties.country,
    },
    debtor: {
      reference: parties.reference,
      name: parties.name,
      addressLines: addressLines(parties.address),
      registration: parties.registration_id,
    },
    claims: claims.map((row, index) => ({
      claim: declared[index]!,
      invoiceId: row.id,
      number: row.number,
      issuedOn: row.issued_on,
      dueOn: row.due_on,
      currency: row.currency,
      balanceMinor: row.balance_minor,
    })),
  };
}

/** What is declared of an invoice: as of the judgment, so that interest ends the day before it (C. com. art. L622-28). */
async function declarable(tx: Tx, invoiceId: string, judgmentOn: LocalDate): Promise<Claim | null> {
  const { facts, interest } = await loadInvoiceClaim(tx, invoiceId);
  if (interest === null || interest.claim === 'never') return null;
  const moved = [...facts.movements, ...facts.accessories].reduce((last, one) => later(last, one.on), judgmentOn);
  try {
    return claimOf({ ...facts, judgmentOn }, await loadRates(tx), moved);
  } catch (error) {
    if (error instanceof RateUnknown) return null;
    throw error;
  }
}

/** Keeps the forms as they are now; earlier ones stay where they are. `error`: why there are none. */
export async function keepClaimForm(
  tx: Tx,
  act: Act,
  form: ClaimForm,
  written: { digest: string; pdfs: readonly { bytes: Buffer; invoiceIds: string[] }[]; error: string | null },
): Promise<void> {
  const documentIds: string[] = [];
  for (const { bytes, invoiceIds } of written.pdfs) {
    documentIds.push(
      await addDocument(tx, act, {
        creditorId: form.creditorId,
        customerId: form.customerId,
        contactId: null,
        taskId: form.taskId,
        kind: 'claimDeclaration',
        contentType: 'application/pdf',
        bytes,
        invoiceIds,
      }),
    );
  }
  const { formError: _, ...data } = form.taskData;
  const error = written.error === null ? {} : { formError: written.error };
  await tx
    .updateTable('tasks')
    .set({ data: json({ ...data, documentIds, formDigest: written.digest, ...error }) })
    .where('id', '=', form.taskId)
    .execute();
}
