import { sql } from 'kysely';
import { isOpen } from '../../domain/case/facts.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, instantValue, json, type Tx } from '../database.ts';
import type { CustomerRow } from './customers.ts';
import { appendEvents } from './events.ts';
import { lockCustomers } from './locks.ts';
import { pokeOutreach, wakeCases } from './outbox.ts';

/** Whose data goes: one person's, by the address, or all that is kept about the people of a customer. */
export type Erasing = { contactEmail: string } | { all: true };

/** How much was erased. */
export interface Erased {
  people: number;
  messages: number;
  documents: number;
  texts: number;
}

/**
 * Erases personal data of a customer. What stays: name and address of the customer, as its invoices have them, amounts,
 * dates, the journal and the chains, which stand over digests alone. An event on each case says that it was done and why.
 * Throws `notFound`, `customerOpen`, `onlyAddress`, `contactUnderWay`, `unknownContact`.
 */
export async function erasePersonalData(
  tx: Tx,
  act: Act,
  creditorId: string,
  customerId: string,
  what: Erasing,
): Promise<Erased> {
  await lockCustomers(tx, [customerId]);
  const customer = await tx
    .selectFrom('customers')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', customerId)
    .executeTakeFirst();
  if (!customer) throw new DomainError('notFound', 'There is no such customer.');
  const invoices = await tx
    .selectFrom('invoices')
    .select(['id', 'stage'])
    .where('customer_id', '=', customerId)
    .execute();
  const open = invoices.filter((i) => isOpen(i.stage)).map((i) => i.id);
  return 'all' in what
    ? await eraseAll(tx, act, customer, invoices, open)
    : await erasePerson(tx, act, customer, open, what.contactEmail.toLowerCase());
}

async function eraseAll(
  tx: Tx,
  act: Act,
  customer: CustomerRow,
  invoices: readonly { id: string }[],
  open: readonly string[],
): Promise<Erased> {
  if (open.length > 0) {
    throw new DomainError('customerOpen', 'A case of the customer is open: its data is needed until it is closed.');
  }
  const messages = await messagesOf(tx, customer.id, null);
  await eraseContacts(tx, act.at, messages);
  const { rows: documents } = await sql<{ id: string }>`
    select id from documents where customer_id = ${customer.id} and kind <> 'invoice' and erased_at is null`.execute(
    tx,
  );
  await eraseDocuments(
    tx,
    act.at,
    documents.map((d) => d.id),
  );
  const texts = await eraseTexts(tx, customer.id, 'all');
  await forgetStops(
    tx,
    customer,
    customer.contacts.flatMap((p) => (p.email ? [p.email.toLowerCase()] : [])),
  );
  // Accounts and names from which its money came: who pays next is matched without them.
  await tx.updateTable('remittance_advices').set({ source: null }).where('customer_id', '=', customer.id).execute();
  await tx.deleteFrom('known_payers').where('customer_id', '=', customer.id).execute();
  await tx
    .updateTable('customers')
    .set({ contacts: json([]) })
    .where('id', '=', customer.id)
    .execute();
  await note(
    tx,
    act,
    invoices.map((i) => i.id),
    'all',
  );
  return { people: customer.contacts.length, messages: messages.length, documents: documents.length, texts };
}

async function erasePerson(
  tx: Tx,
  act: Act,
  customer: CustomerRow,
  open: readonly string[],
  email: string,
): Promise<Erased> {
  const persons = customer.contacts.filter((p) => p.email?.toLowerCase() === email);
  const others = customer.contacts.filter((p) => !persons.includes(p));
  const messages = await messagesOf(tx, customer.id, email);
  if (persons.length === 0 && messages.length === 0) {
    throw new DomainError('unknownContact', 'The customer has no contact with this address.');
  }
  const othersAddresses = others.some((p) => p.email !== undefined);
  if (open.length > 0 && persons.length > 0 && !othersAddresses) {
    throw new DomainError('onlyAddress', 'It is the only address of a customer with an open case: add another first.');
  }
  await eraseContacts(tx, act.at, messages);
  const documents = await tx
    .selectFrom('documents')
    .select('id')
    .where('contact_id', 'in', messages.length > 0 ? messages : [''])
    .where('erased_at', 'is', null)
    .execute();
  await eraseDocuments(
    tx,
    act.at,
    documents.map((d) => d.id),
  );
  const words = [email, ...persons.flatMap((p) => (p.name && p.name.length > 2 ? [p.name.toLowerCase()] : []))];
  const texts = await eraseTexts(tx, customer.id, words);
  await forgetStops(tx, customer, [email]);
  await tx
    .updateTable('customers')
    .set({ contacts: json(others) })
    .where('id', '=', customer.id)
    .execute();
  await note(tx, act, [...new Set([...open, ...(await invoicesOf(tx, messages))])], 'contact');
  await wakeCases(tx, open);
  await pokeOutreach(tx, customer.id);
  return { people: persons.length, messages: messages.length, documents: documents.length, texts };
}

const likeAnywhere = (word: string): string => `%${word.replaceAll(/[\\%_]/g, (c) => `\\${c}`)}%`;

/** The messages to this address, or to anybody; none may be on its way. */
async function messagesOf(tx: Tx, customerId: string, email: string | null): Promise<string[]> {
  const { rows } = await sql<{ id: string; status: string }>`
    select id, status from contacts c where customer_id = ${customerId} and erased_at is null
      and (${email}::text is null
        or exists (select 1 from unnest(c.recipients || c.cc) as r (email) where lower(r.email) = ${email}::text))`.execute(
    tx,
  );
  if (rows.some((r) => ['queued', 'sending', 'unknown'].includes(r.status))) {
    throw new DomainError('contactUnderWay', 'A message is on its way, or its outcome not known: try again later.');
  }
  return rows.map((r) => r.id);
}

async function invoicesOf(tx: Tx, contactIds: readonly string[]): Promise<string[]> {
  if (contactIds.length === 0) return [];
  const rows = await tx
    .selectFrom('contact_items')
    .select('invoice_id')
    .distinct()
    .where('contact_id', 'in', contactIds)
    .execute();
  return rows.map((r) => r.invoice_id);
}

/** Empties these messages; who asked for what, when and how much stays. The steps of tasks they opened lose their words. */
export async function eraseContacts(tx: Tx, at: Instant, contactIds: readonly string[]): Promise<void> {
  if (contactIds.length === 0) return;
  await sql`
    update contacts set subject = null, body_text = null, body_html = null, recipients = '{}', cc = '{}',
      recipient_key = 'erased:' || id, erased_at = ${instantValue(at)}
    where id = any(${contactIds}::text[])`.execute(tx);
  await tx.deleteFrom('message_models').where('contact_id', 'in', contactIds).execute();
  await sql`
    update tasks set body = '', subject = kind where contact_id = any(${contactIds}::text[]) and status <> 'open'`.execute(
    tx,
  );
}

export async function eraseDocuments(tx: Tx, at: Instant, documentIds: readonly string[]): Promise<void> {
  if (documentIds.length === 0) return;
  await tx
    .updateTable('documents')
    .set({ bytes: Buffer.alloc(0), erased_at: instant(at) })
    .where('id', 'in', documentIds)
    .execute();
}

/**
 * Where people's own words about a case are kept beside its chain, each with the row's key. `word_of.text` is the text in
 * the condition that says which go.
 */
const WORDS: readonly {
  table: string;
  column: string;
  key: string;
  of: string;
  empty: string | null;
  only?: string;
}[] = [
  { table: 'promises', column: 'promised_by', key: 'id', of: 'invoice', empty: null },
  { table: 'disputes', column: 'note', key: 'id', of: 'invoice', empty: null },
  { table: 'disputes', column: 'resolution_note', key: 'id', of: 'invoice', empty: null },
  { table: 'commands', column: 'reason', key: 'id', of: 'invoice', empty: null },
  { table: 'holds', column: 'reason', key: 'id', of: 'customer', empty: null },
  { table: 'tasks', column: 'body', key: 'id', of: 'customer', empty: '', only: "t.status <> 'open'" },
];

/** All words about a customer's cases, or those in which one of these occurs; an open task keeps the latter until it is done. */
async function eraseTexts(tx: Tx, customerId: string, words: 'all' | readonly string[]): Promise<number> {
  const which = words === 'all' ? sql`true` : sql`word_of.text ilike any(${words.map(likeAnywhere)}::text[])`;
  const ofCase = sql`(select id from invoices where customer_id = ${customerId})`;
  const events = await sql`
    delete from event_texts where event_id in (
      select word_of.event_id from event_texts word_of join events e on e.id = word_of.event_id
      where e.invoice_id in ${ofCase} and ${which})`.execute(tx);
  let texts = Number(events.numAffectedRows ?? 0n);
  for (const { table, column, key, of, empty, only } of WORDS) {
    const owner =
      of === 'invoice'
        ? sql`t.invoice_id in ${ofCase}`
        : of === 'placement'
          ? sql`t.placement_id in (select id from placements where customer_id = ${customerId})`
          : sql`t.customer_id = ${customerId}`;
    const result = await sql`
      update ${sql.table(table)} set ${sql.ref(column)} = ${empty} where ${sql.ref(key)} in (
        select word_of.id from (
          select t.${sql.ref(key)} as id, t.${sql.ref(column)} as text from ${sql.table(table)} t
          where ${owner} and t.${sql.ref(column)} <> '' ${only === undefined || words === 'all' ? sql`` : sql`and ${sql.raw(only)}`}) word_of
        where ${which})`.execute(tx);
    texts += Number(result.numAffectedRows ?? 0n);
  }
  // Notes in the outcome of a task.
  const notes = await sql`
    update tasks set outcome = outcome - 'note' where id in (
      select word_of.id from (select id, outcome ->> 'note' as text from tasks
        where customer_id = ${customerId} and outcome ->> 'note' <> '') word_of
      where ${which})`.execute(tx);
  return texts + Number(notes.numAffectedRows ?? 0n);
}

/** A stopped address that nobody else of the creditor has is forgotten with its owner. */
async function forgetStops(tx: Tx, customer: CustomerRow, emails: readonly string[]): Promise<void> {
  if (emails.length === 0) return;
  await sql`
    delete from stopped_addresses s where s.creditor_id = ${customer.creditor_id} and s.email = any(${emails}::text[])
      and not exists (select 1 from customers u, jsonb_array_elements(u.contacts) p
        where u.creditor_id = s.creditor_id and u.id <> ${customer.id} and lower(p ->> 'email') = s.email)`.execute(tx);
}

async function note(tx: Tx, act: Act, invoiceIds: readonly string[], what: 'all' | 'contact'): Promise<void> {
  await appendEvents(
    tx,
    act,
    invoiceIds.map((invoiceId) => ({
      invoiceId,
      kind: 'personalDataErased' as const,
      data: { what },
      text: act.reason ?? null,
    })),
  );
}
