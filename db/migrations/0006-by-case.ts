import { sql, type Kysely } from 'kysely';

/**
 * What a turn, a look of outreach and the sending of a message search for must be found without reading the whole table:
 * else each costs more the more cases there are. Conventions as in 0001.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Steps with the withdrawn ones among them, which the unique index leaves out.
  `create index case_steps_by_invoice on case_steps (invoice_id, id)`,
  `create index case_steps_by_contact on case_steps (contact_id) where contact_id is not null`,
  `drop index tasks_open_by_invoice`,
  `create index tasks_by_invoice on tasks (invoice_id) where invoice_id is not null`,
  `create index tasks_by_contact on tasks (contact_id) where contact_id is not null`,
  `create index contact_items_by_invoice on contact_items (invoice_id)`,
  `create index delivery_events_by_contact on delivery_events (contact_id)`,
  `create index documents_by_contact on documents (contact_id) where contact_id is not null`,
  `create index placements_by_invoice on placements (invoice_id, seq)`,
  // In the order in which the relay takes them.
  `drop index contacts_to_send`,
  `create index contacts_to_send on contacts (seq) where status in ('queued', 'sending') and channel = 'email'`,
];
