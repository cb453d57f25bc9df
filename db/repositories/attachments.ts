import type { Tx } from '../database.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';

export interface Attachment {
  filename: string;
  content: Buffer;
  contentType: string;
}

/** The PDFs of the invoices whose step attaches them and whose file is here, in the order of their numbers. */
export async function attachmentsOf(tx: Tx, contactId: string): Promise<Attachment[]> {
  const rows = await tx
    .selectFrom('contact_items as c')
    .innerJoin('invoices as i', 'i.id', 'c.invoice_id')
    .innerJoin('invoice_files as f', 'f.invoice_id', 'i.id')
    .innerJoin('policies as p', (join) =>
      join
        .onRef('p.creditor_id', '=', 'i.creditor_id')
        .onRef('p.name', '=', 'i.policy_name')
        .onRef('p.version', '=', 'i.policy_version'),
    )
    .select(['c.step', 'f.filename', 'f.bytes', 'f.content_type', 'p.document'])
    .where('c.contact_id', '=', contactId)
    .where('c.withdrawn', '=', false)
    .orderBy('i.number')
    .execute();
  return rows.flatMap((r) =>
    parsePolicy(r.document).steps.some((s) => s.key === r.step && s.attachInvoice)
      ? [{ filename: r.filename, content: r.bytes, contentType: r.content_type }]
      : [],
  );
}
