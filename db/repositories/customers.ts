import { sql, type Selectable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { CustomerKind } from '../../domain/policy/types.ts';
import { localeOfCountry, zoneOfCountry } from '../../domain/time/country-zones.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Address, ContactPerson, Database } from '../types.ts';
import { pokeOutreach, wakeCases } from './outbox.ts';

export type CustomerRow = Selectable<Database['customers']>;

/** A person to reach; what is not said may also be said as undefined. */
export type PersonInput = { [Field in keyof ContactPerson]?: ContactPerson[Field] | undefined };

/** What is known of a customer; what is absent is filled in from the creditor and the country. */
export interface CustomerInput {
  reference: string;
  name: string;
  kind?: CustomerKind | undefined;
  country?: string | undefined;
  locale?: string | undefined;
  timeZone?: string | undefined;
  registrationId?: string | null | undefined;
  vatId?: string | null | undefined;
  address?: Address | null | undefined;
  contacts?: readonly PersonInput[] | undefined;
  policy?: string | null | undefined;
  /** The customer that pays for this one. */
  parentId?: string | null | undefined;
}

/** A customer as an invoice or an import names it: perhaps only by its reference, when it is known already. */
export type CustomerMention = Omit<CustomerInput, 'name'> & { name?: string | undefined };

/** What changes of a customer; `undefined` keeps. */
export type CustomerChanges = { [Field in keyof CustomerInput]?: CustomerInput[Field] | undefined };

/** What defaults are taken from. */
export interface CreditorHome {
  id: string;
  country: string;
  locale: string;
  timeZone: string;
}

/**
 * Adds a customer. Throws `unknownParent`. The same reference again is `unchanged` when all that is given agrees with what is stored; otherwise
 * `customerExists` is thrown.
 */
export async function createCustomer(
  tx: Tx,
  act: Act,
  home: CreditorHome,
  input: CustomerInput,
): Promise<{ customer: CustomerRow; outcome: 'created' | 'unchanged' }> {
  if (input.parentId) await requireParent(tx, home.id, null, input.parentId);
  const { customers, created } = await resolveCustomers(tx, act, home, [input], 'reuse');
  const customer = customers.get(input.reference)!;
  if (created.has(input.reference)) return { customer, outcome: 'created' };
  const faults = differences(customer, input, '', 'customerExists');
  if (faults.length > 0) {
    throw new DomainError('customerExists', 'A customer with this reference has other details.', faults);
  }
  return { customer, outcome: 'unchanged' };
}

/**
 * The customers that these mentions name, by reference; the unknown ones are added in one statement. `mustAgree`: what a
 * mention says of a known customer has to agree with what is stored, else `customerDiffers` (what it does not say is
 * not compared). Throws `unknownCustomer` where one that is not known has no name. Mentions of one reference count once, the
 * first.
 */
export async function resolveCustomers(
  tx: Tx,
  act: Act,
  home: CreditorHome,
  mentions: readonly CustomerMention[],
  known: 'mustAgree' | 'reuse',
): Promise<{ customers: Map<string, CustomerRow>; created: Set<string> }> {
  const first = new Map<string, CustomerMention>();
  for (const mention of mentions) if (!first.has(mention.reference)) first.set(mention.reference, mention);
  const customers = await byReferences(tx, home.id, [...first.keys()]);

  // In the order of their references: two imports of the same new customers wait for each other, but never crosswise.
  const unknown = [...first.values()]
    .filter((mention) => !customers.has(mention.reference))
    .sort((a, b) => (a.reference < b.reference ? -1 : 1));
  const created = new Set<string>();
  if (unknown.length > 0) {
    const rows = await tx
      .insertInto('customers')
      .values(unknown.map((mention) => newRow(act, home, mention)))
      .onConflict((conflict) => conflict.columns(['creditor_id', 'reference']).doNothing())
      .returningAll()
      .execute();
    for (const row of rows) {
      customers.set(row.reference, row);
      created.add(row.reference);
    }
    // Whoever was quicker with one of them has committed it by now.
    const missing = unknown.filter((mention) => !customers.has(mention.reference));
    if (missing.length > 0) {
      const theirs = await byReferences(
        tx,
        home.id,
        missing.map((mention) => mention.reference),
      );
      for (const [reference, row] of theirs) customers.set(reference, row);
    }
  }

  if (known === 'mustAgree') {
    for (const [reference, mention] of first) {
      if (created.has(reference)) continue;
      const faults = differences(customers.get(reference)!, mention, '/customer', 'customerDiffers');
      if (faults.length > 0) {
        throw new DomainError('customerDiffers', 'The customer is known with other details; change it first.', faults);
      }
    }
  }
  return { customers, created };
}

/** Changes what is given; `undefined` keeps. Lets the open cases and outreach look again. Throws `notFound`, `customerExists`, `unknownParent`, `parentCycle`. */
export async function changeCustomer(
  tx: Tx,
  act: Act,
  creditorId: string,
  customerId: string,
  changes: CustomerChanges,
): Promise<CustomerRow> {
  if (changes.parentId) await requireParent(tx, creditorId, customerId, changes.parentId);
  const current = await tx
    .selectFrom('customers')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', customerId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!current) throw new DomainError('notFound', 'There is no such customer.');
  if (changes.reference !== undefined && changes.reference !== current.reference) {
    const taken = await byReferences(tx, creditorId, [changes.reference]);
    if (taken.size > 0) throw new DomainError('customerExists', 'Another customer has this reference.');
  }
  const row = await tx
    .updateTable('customers')
    .set({
      reference: changes.reference ?? current.reference,
      name: changes.name ?? current.name,
      kind: changes.kind ?? current.kind,
      country: changes.country ?? current.country,
      locale: changes.locale ?? current.locale,
      time_zone: changes.timeZone ?? current.time_zone,
      registration_id: changes.registrationId === undefined ? current.registration_id : changes.registrationId,
      vat_id: changes.vatId === undefined ? current.vat_id : changes.vatId,
      address: addressColumn(changes.address === undefined ? current.address : changes.address),
      contacts: json(changes.contacts ?? current.contacts),
      policy: changes.policy === undefined ? current.policy : changes.policy,
      parent_id: changes.parentId === undefined ? current.parent_id : changes.parentId,
    })
    .where('id', '=', customerId)
    .returningAll()
    .executeTakeFirstOrThrow();

  if (changes.contacts) await liftStopsOfNewAddresses(tx, act, current, changes.contacts);
  const open = await tx
    .selectFrom('invoices')
    .select('id')
    .where('customer_id', '=', customerId)
    .where('stage', 'not in', ['writtenOff', 'settled', 'cancelled'])
    .execute();
  await wakeCases(
    tx,
    open.map((invoice) => invoice.id),
  );
  await pokeOutreach(tx, customerId);
  return row;
}

/**
 * A parent is another customer of the creditor that does not belong to this one itself. Relations of a creditor are set one
 * after the other: the caller locks customers after this. Throws `unknownParent`, `parentCycle`.
 */
async function requireParent(tx: Tx, creditorId: string, customerId: string | null, parentId: string): Promise<void> {
  const refused = (code: string, message: string): DomainError =>
    new DomainError(code, message, [{ pointer: '/parentId', code, message }]);
  await tx.selectFrom('creditors').select('id').where('id', '=', creditorId).forNoKeyUpdate().execute();
  if (!(await findCustomer(tx, creditorId, parentId))) throw refused('unknownParent', 'There is no such customer.');
  if (customerId === null) return;
  const { rows } = await sql<{ id: string }>`
    with recursive above as (
      select id, parent_id from customers where id = ${parentId}
      union
      select c.id, c.parent_id from customers c join above a on c.id = a.parent_id
    )
    select id from above where id = ${customerId}`.execute(tx);
  if (rows.length > 0) throw refused('parentCycle', 'The customer would be its own parent.');
}

export async function findCustomer(
  db: Db | Tx,
  creditorId: string,
  customerId: string,
): Promise<CustomerRow | undefined> {
  return await db
    .selectFrom('customers')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', customerId)
    .executeTakeFirst();
}

/** Customers of a creditor, newest first, behind the position `after`. */
export async function listCustomers(
  db: Db,
  creditorId: string,
  filter: { reference?: string | undefined },
  after: bigint | null,
  count: number,
): Promise<CustomerRow[]> {
  const { reference } = filter;
  return await db
    .selectFrom('customers')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .$if(reference !== undefined, (query) => query.where('reference', '=', reference!))
    .$if(after !== null, (query) => query.where('seq', '<', after))
    .orderBy('seq', 'desc')
    .limit(count)
    .execute();
}

/** Which of these addresses may not be written to any more. Addresses are compared in lower case. */
export async function stoppedAddresses(
  db: Db | Tx,
  creditorId: string,
  emails: readonly string[],
): Promise<Set<string>> {
  if (emails.length === 0) return new Set();
  const rows = await db
    .selectFrom('stopped_addresses')
    .select('email')
    .where('creditor_id', '=', creditorId)
    .where(
      'email',
      'in',
      emails.map((email) => email.toLowerCase()),
    )
    .where('lifted_at', 'is', null)
    .execute();
  return new Set(rows.map((row) => row.email));
}

/**
 * An address that bounced stays stopped as long as it is what the customer's contact says. Whoever enters it anew, where
 * it was not before, vouches for it.
 */
async function liftStopsOfNewAddresses(
  tx: Tx,
  act: Act,
  current: CustomerRow,
  contacts: readonly PersonInput[],
): Promise<void> {
  const before = new Set(current.contacts.map((person) => person.email?.toLowerCase()));
  const entered = contacts
    .map((person) => person.email?.toLowerCase())
    .filter((email): email is string => email !== undefined && !before.has(email));
  if (entered.length === 0) return;
  await tx
    .updateTable('stopped_addresses')
    .set({ lifted_at: instant(act.at) })
    .where('creditor_id', '=', current.creditor_id)
    .where('email', 'in', entered)
    .where('lifted_at', 'is', null)
    .execute();
}

async function byReferences(
  tx: Tx,
  creditorId: string,
  references: readonly string[],
): Promise<Map<string, CustomerRow>> {
  if (references.length === 0) return new Map();
  const rows = await tx
    .selectFrom('customers')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('reference', 'in', references)
    .execute();
  return new Map(rows.map((row) => [row.reference, row]));
}

function newRow(act: Act, home: CreditorHome, mention: CustomerMention) {
  if (mention.name === undefined) {
    const message = 'A customer that is not known yet needs a name.';
    throw new DomainError('unknownCustomer', message, [{ pointer: '/customer/name', code: 'required', message }]);
  }
  const country = mention.country ?? home.country;
  return {
    id: newId('cus'),
    creditor_id: home.id,
    reference: mention.reference,
    name: mention.name,
    kind: mention.kind ?? ('business' as const),
    country,
    locale: mention.locale ?? localeOfCountry(country, home),
    time_zone: mention.timeZone ?? (country === home.country ? home.timeZone : zoneOfCountry(country, home.timeZone)),
    registration_id: mention.registrationId ?? null,
    vat_id: mention.vatId ?? null,
    address: addressColumn(mention.address ?? null),
    contacts: json(mention.contacts ?? []),
    policy: mention.policy ?? null,
    parent_id: mention.parentId ?? null,
    created_at: instant(act.at),
  };
}

const addressColumn = (address: Address | null) => address && json(address);

/** The fields in which a mention contradicts what is stored. */
function differences(row: CustomerRow, mention: CustomerMention, base: string, code: string) {
  const stored: Record<string, unknown> = {
    name: row.name,
    kind: row.kind,
    country: row.country,
    locale: row.locale,
    timeZone: row.time_zone,
    registrationId: row.registration_id,
    vatId: row.vat_id,
    address: row.address,
    contacts: row.contacts,
    policy: row.policy,
    parentId: row.parent_id,
  };
  return Object.entries(stored)
    .filter(([field, value]) => {
      const said = mention[field as keyof CustomerMention];
      return said !== undefined && !sameJson(said, value);
    })
    .map(([field]) => ({ pointer: `${base}/${field}`, code, message: 'differs from what is stored' }));
}

/** Equality of JSON values; jsonb does not keep the order of names. */
function sameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const left = Object.entries(a).filter(([, value]) => value !== undefined);
  const right = b as Record<string, unknown>;
  return (
    Array.isArray(a) === Array.isArray(b) &&
    left.length === Object.keys(right).length &&
    left.every(([name, value]) => Object.hasOwn(right, name) && sameJson(value, right[name]))
  );
}
