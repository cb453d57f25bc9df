import type { Selectable } from 'kysely';
import type { Db } from '../database.ts';
import type { ContactStatus, Database } from '../types.ts';

export type ContactRow = Pick<
  Selectable<Database['contacts']>,
  | 'id'
  | 'seq'
  | 'customer_id'
  | 'kind'
  | 'channel'
  | 'status'
  | 'planned_at'
  | 'sent_at'
  | 'finished_at'
  | 'reference'
  | 'subject'
  | 'tone'
  | 'template'
  | 'template_version'
  | 'recipients'
  | 'cc'
  | 'error_code'
  | 'task_id'
  | 'print_batch_id'
  | 'dispatched_on'
  | 'delivered_on'
  | 'refused_on'
  | 'returned_on'
  | 'tracking_number'
  | 'erased_at'
>;

export interface ContactItemRow {
  contact_id: string;
  invoice_id: string;
  step: string;
  amount_minor: bigint;
  currency: string;
}

const SHOWN = [
  'id',
  'seq',
  'customer_id',
  'kind',
  'channel',
  'status',
  'planned_at',
  'sent_at',
  'finished_at',
  'reference',
  'subject',
  'tone',
  'template',
  'template_version',
  'recipients',
  'cc',
  'error_code',
  'task_id',
  'print_batch_id',
  'dispatched_on',
  'delivered_on',
  'refused_on',
  'returned_on',
  'tracking_number',
  'erased_at',
] as const;

export interface ContactFilter {
  invoiceId?: string | undefined;
  customerId?: string | undefined;
  status?: ContactStatus | undefined;
}

/** Contacts of a creditor, newest first, behind the position `after`. */
export async function listContacts(
  db: Db,
  creditorId: string,
  filter: ContactFilter,
  after: bigint | null,
  count: number,
): Promise<ContactRow[]> {
  let query = db.selectFrom('contacts').select(SHOWN).where('creditor_id', '=', creditorId);
  const { invoiceId, customerId, status } = filter;
  if (invoiceId !== undefined) {
    query = query.where((eb) =>
      eb.exists(
        eb
          .selectFrom('contact_items')
          .select('contact_id')
          .whereRef('contact_items.contact_id', '=', 'contacts.id')
          .where('contact_items.invoice_id', '=', invoiceId),
      ),
    );
  }
  if (customerId !== undefined) query = query.where('customer_id', '=', customerId);
  if (status !== undefined) query = query.where('status', '=', status);
  if (after !== null) query = query.where('seq', '<', after);
  return await query.orderBy('seq', 'desc').limit(count).execute();
}

export async function findContact(db: Db, creditorId: string, contactId: string): Promise<ContactRow | undefined> {
  return await db
    .selectFrom('contacts')
    .select(SHOWN)
    .where('creditor_id', '=', creditorId)
    .where('id', '=', contactId)
    .executeTakeFirst();
}

/** What these contacts are about, by contact; of a withdrawn contact too. */
export async function itemsOfContacts(db: Db, contactIds: readonly string[]): Promise<Map<string, ContactItemRow[]>> {
  const items = new Map<string, ContactItemRow[]>();
  if (contactIds.length === 0) return items;
  const rows = await db
    .selectFrom('contact_items')
    .select(['contact_id', 'invoice_id', 'step', 'amount_minor', 'currency'])
    .where('contact_id', 'in', contactIds)
    .orderBy('invoice_id')
    .orderBy('step')
    .execute();
  for (const row of rows) items.set(row.contact_id, [...(items.get(row.contact_id) ?? []), row]);
  return items;
}
