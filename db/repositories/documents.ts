import type { Act } from '../act.ts';
import { instant, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { DocumentKind } from '../types.ts';

export interface DocumentRow {
  id: string;
  seq: bigint;
  contact_id: string | null;
  task_id: string | null;
  kind: DocumentKind;
  content_type: string;
  at: number;
  erased_at: number | null;
}

export interface NewDocument {
  creditorId: string;
  customerId: string;
  contactId: string | null;
  taskId?: string | null;
  kind: DocumentKind;
  contentType: string;
  bytes: Buffer;
  /** The invoices it speaks of. */
  invoiceIds: readonly string[];
}

/** Keeps a document as it was sent. */
export async function addDocument(tx: Tx, act: Act, document: NewDocument): Promise<string> {
  const id = newId('doc');
  await tx
    .insertInto('documents')
    .values({
      id,
      creditor_id: document.creditorId,
      customer_id: document.customerId,
      contact_id: document.contactId,
      task_id: document.taskId ?? null,
      kind: document.kind,
      content_type: document.contentType,
      bytes: document.bytes,
      at: instant(act.at),
    })
    .execute();
  const invoiceIds = [...new Set(document.invoiceIds)];
  if (invoiceIds.length > 0) {
    await tx
      .insertInto('document_invoices')
      .values(invoiceIds.map((invoiceId) => ({ document_id: id, invoice_id: invoiceId })))
      .execute();
  }
  return id;
}

/** Documents about an invoice, newest first, behind the position `after`. */
export async function listDocuments(
  db: Db,
  invoiceId: string,
  after: bigint | null,
  count: number,
): Promise<DocumentRow[]> {
  return await db
    .selectFrom('documents as d')
    .innerJoin('document_invoices as i', 'i.document_id', 'd.id')
    .select(['d.id', 'd.seq', 'd.contact_id', 'd.task_id', 'd.kind', 'd.content_type', 'd.at', 'd.erased_at'])
    .where('i.invoice_id', '=', invoiceId)
    .$if(after !== null, (query) => query.where('d.seq', '<', after))
    .orderBy('d.seq', 'desc')
    .limit(count)
    .execute();
}

/** A document about an invoice with its bytes. */
export async function findDocument(
  db: Db,
  invoiceId: string,
  documentId: string,
): Promise<(DocumentRow & { bytes: Buffer }) | undefined> {
  return await db
    .selectFrom('documents as d')
    .innerJoin('document_invoices as i', 'i.document_id', 'd.id')
    .select([
      'd.id',
      'd.seq',
      'd.contact_id',
      'd.task_id',
      'd.kind',
      'd.content_type',
      'd.at',
      'd.erased_at',
      'd.bytes',
    ])
    .where('i.invoice_id', '=', invoiceId)
    .where('d.id', '=', documentId)
    .executeTakeFirst();
}
