import { sql } from 'kysely';
import type { Tx } from '../database.ts';

export interface Attachment {
  filename: string;
  content: Buffer;
  contentType: string;
}

/**
 * Freezes what a message attaches, the PDFs of these invoices as far as they are here: a file that is exchanged later
 * changes nothing of a message whose text is written.
 */
export async function freezeAttachments(tx: Tx, contactId: string, invoiceIds: readonly string[]): Promise<void> {
  if (invoiceIds.length === 0) return;
  await sql`
    insert into file_blobs (sha256, bytes)
    select distinct on (sha256) sha256, bytes from invoice_files where invoice_id = any(${invoiceIds}::text[])
    on conflict (sha256) do nothing`.execute(tx);
  await sql`
    insert into contact_attachments (contact_id, position, filename, content_type, sha256)
    select ${contactId}, row_number() over (order by i.number), f.filename, f.content_type, f.sha256
    from invoice_files f join invoices i on i.id = f.invoice_id
    where f.invoice_id = any(${invoiceIds}::text[])`.execute(tx);
}

/** What the message attaches, as frozen. */
export async function attachmentsOf(tx: Tx, contactId: string): Promise<Attachment[]> {
  const rows = await tx
    .selectFrom('contact_attachments as a')
    .innerJoin('file_blobs as b', 'b.sha256', 'a.sha256')
    .select(['a.filename', 'a.content_type', 'b.bytes'])
    .where('a.contact_id', '=', contactId)
    .orderBy('a.position')
    .execute();
  return rows.map((r) => ({ filename: r.filename, content: r.bytes, contentType: r.content_type }));
}
