import { sql } from 'kysely';
import type { CollectsFor } from '../../domain/law/collector.ts';
import { formatAmount } from '../../domain/money.ts';
import type { ContactRole, CustomerKind } from '../../domain/policy/types.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db, Tx } from '../database.ts';
import type {
  Address,
  ContactPerson,
  DisputeCategory,
  DisputeStatus,
  InboundChannel,
  PromiseStatus,
} from '../types.ts';
import { recipientKeyOf } from './customer-facts.ts';

/** What a message says beside amounts: names, addresses, numbers. Read when it is written, never kept in a payload. */
export interface MessageParties {
  creditorId: string;
  creditor: {
    name: string;
    senderEmail: string;
    replyTo: string | null;
    iban: string | null;
    address: Address | null;
    country: string;
    registrationId: string | null;
    vatId: string | null;
    /** Null: it collects its own claims. */
    collectsFor: CollectsFor | null;
  };
  customer: {
    name: string;
    kind: CustomerKind;
    country: string;
    locale: string;
    timeZone: string;
    address: Address | null;
    contacts: ContactPerson[];
  };
}

export async function loadParties(db: Db | Tx, customerId: string): Promise<MessageParties> {
  const row = await db
    .selectFrom('customers as u')
    .innerJoin('creditors as c', 'c.id', 'u.creditor_id')
    .select([
      'u.creditor_id',
      'u.name',
      'u.kind',
      'u.country',
      'u.locale',
      'u.time_zone',
      'u.address',
      'u.contacts',
      'c.name as creditor_name',
      'c.sender_email',
      'c.reply_to',
      'c.iban',
      'c.address as creditor_address',
      'c.country as creditor_country',
      'c.registration_id',
      'c.vat_id',
      'c.collects_for',
    ])
    .where('u.id', '=', customerId)
    .executeTakeFirstOrThrow();
  return {
    creditorId: row.creditor_id,
    creditor: {
      name: row.creditor_name,
      senderEmail: row.sender_email,
      replyTo: row.reply_to,
      iban: row.iban,
      address: row.creditor_address,
      country: row.creditor_country,
      registrationId: row.registration_id,
      vatId: row.vat_id,
      collectsFor: row.collects_for,
    },
    customer: {
      name: row.name,
      kind: row.kind,
      country: row.country,
      locale: row.locale,
      timeZone: row.time_zone,
      address: row.address,
      contacts: row.contacts,
    },
  };
}

/** The people behind recipient keys, in the order of the keys; a key nobody has any more is left out. */
export function peopleOf(
  contacts: readonly ContactPerson[],
  keys: readonly string[],
): (ContactPerson & { email: string })[] {
  return keys.flatMap((key) => {
    const person = contacts.find((p) => p.email && recipientKeyOf(p.email) === key);
    return person?.email ? [{ ...person, email: person.email }] : [];
  });
}

/** Whom to call: the people of these roles who have a number, else whoever has one. */
export function peopleToCall(
  contacts: readonly ContactPerson[],
  roles: readonly ContactRole[],
): { number: string; name: string | null }[] {
  const reachable = contacts.filter((p) => p.phone);
  const ofRoles = reachable.filter((p) => roles.includes(p.role ?? 'billing'));
  const people = ofRoles.length > 0 ? ofRoles : reachable;
  return people.map((p) => ({ number: p.phone!, name: p.name ?? null }));
}

export interface InvoiceLine {
  id: string;
  number: string;
  issuedOn: LocalDate;
  dueOn: LocalDate;
  amountMinor: bigint;
  currency: string;
  balanceMinor: bigint;
  hasFile: boolean;
}

/** These invoices as a message lists them, oldest due date first. */
export async function loadInvoiceLines(db: Db | Tx, invoiceIds: readonly string[]): Promise<InvoiceLine[]> {
  const rows = await db
    .selectFrom('invoices as i')
    .leftJoin('invoice_files as f', 'f.invoice_id', 'i.id')
    .select([
      'i.id',
      'i.number',
      'i.issued_on',
      'i.due_on',
      'i.amount_minor',
      'i.currency',
      'i.balance_minor',
      'f.invoice_id as file',
    ])
    .where('i.id', 'in', invoiceIds)
    .orderBy('i.due_on')
    .orderBy('i.number')
    .execute();
  return rows.map((r) => ({
    id: r.id,
    number: r.number,
    issuedOn: r.issued_on,
    dueOn: r.due_on,
    amountMinor: r.amount_minor,
    currency: r.currency,
    balanceMinor: r.balance_minor,
    hasFile: r.file !== null,
  }));
}

/** Something that was sent, said or promised about an invoice. Amounts are decimal strings, null for the whole. */
export type HistoryEntry = { on: LocalDate } & (
  | { kind: 'contact'; subject: string }
  | { kind: 'call'; outcome: string }
  | { kind: 'inbound'; channel: InboundChannel }
  | {
      kind: 'promise';
      number: string;
      payOn: LocalDate;
      amount: string | null;
      currency: string;
      status: PromiseStatus;
    }
  | {
      kind: 'dispute';
      number: string;
      category: DisputeCategory;
      amount: string | null;
      currency: string;
      status: DisputeStatus;
    }
);

const HISTORY_LENGTH = 10;

/**
 * What was sent and said about these invoices so far, oldest first: the last ten of messages, answered calls, replies,
 * promises and disputes. Dates are the creditor's.
 */
export async function loadHistory(
  db: Db | Tx,
  customerId: string,
  invoiceIds: readonly string[],
): Promise<HistoryEntry[]> {
  const dayOf = (column: 't.closed_at' | 'm.received_at') =>
    sql<LocalDate>`(${sql.ref(column)} at time zone c.time_zone)::date`;
  const contacts = await db
    .selectFrom('contacts as c')
    .select(['c.day', 'c.subject', 'c.seq'])
    .distinct()
    .innerJoin('contact_items as i', 'i.contact_id', 'c.id')
    .where('i.invoice_id', 'in', invoiceIds)
    .where('c.status', 'in', ['sent', 'delivered'])
    .where('c.channel', '<>', 'call')
    .orderBy('c.seq', 'desc')
    .limit(HISTORY_LENGTH)
    .execute();
  const calls = await db
    .selectFrom('tasks as t')
    .innerJoin('creditors as c', 'c.id', 't.creditor_id')
    .select([dayOf('t.closed_at').as('on'), 't.outcome'])
    .where('t.invoice_id', 'in', invoiceIds)
    .where('t.kind', '=', 'call')
    .where('t.status', '=', 'done')
    .orderBy('t.closed_at', 'desc')
    .limit(HISTORY_LENGTH)
    .execute();
  const replies = await db
    .selectFrom('inbound_messages as m')
    .innerJoin('creditors as c', 'c.id', 'm.creditor_id')
    .select([dayOf('m.received_at').as('on'), 'm.channel'])
    .where('m.customer_id', '=', customerId)
    .where(sql<boolean>`(m.invoice_ids = '{}' or m.invoice_ids && ${[...invoiceIds]}::text[])`)
    .orderBy('m.received_at', 'desc')
    .limit(HISTORY_LENGTH)
    .execute();
  const promises = await db
    .selectFrom('promises as p')
    .innerJoin('invoices as i', 'i.id', 'p.invoice_id')
    .select(['p.made_on', 'p.pay_on', 'p.amount_minor', 'p.status', 'i.number', 'i.currency'])
    .where('p.invoice_id', 'in', invoiceIds)
    .orderBy('p.seq', 'desc')
    .limit(HISTORY_LENGTH)
    .execute();
  const disputes = await db
    .selectFrom('disputes as d')
    .innerJoin('invoices as i', 'i.id', 'd.invoice_id')
    .select(['d.opened_on', 'd.category', 'd.amount_minor', 'd.status', 'i.number', 'i.currency'])
    .where('d.invoice_id', 'in', invoiceIds)
    .orderBy('d.seq', 'desc')
    .limit(HISTORY_LENGTH)
    .execute();
  const amountOf = (row: { amount_minor: bigint | null; currency: string }): string | null =>
    row.amount_minor === null ? null : formatAmount(row.amount_minor, row.currency);
  const entries: HistoryEntry[] = [
    ...contacts.toReversed().map((r) => ({ on: r.day, kind: 'contact' as const, subject: r.subject ?? '' })),
    ...calls.toReversed().map((r) => ({
      on: r.on,
      kind: 'call' as const,
      outcome: typeof r.outcome?.['outcome'] === 'string' ? r.outcome['outcome'] : 'reached',
    })),
    ...replies.toReversed().map((r) => ({ on: r.on, kind: 'inbound' as const, channel: r.channel })),
    ...promises.toReversed().map((r) => ({
      on: r.made_on,
      kind: 'promise' as const,
      number: r.number,
      payOn: r.pay_on,
      amount: amountOf(r),
      currency: r.currency,
      status: r.status,
    })),
    ...disputes.toReversed().map((r) => ({
      on: r.opened_on,
      kind: 'dispute' as const,
      number: r.number,
      category: r.category,
      amount: amountOf(r),
      currency: r.currency,
      status: r.status,
    })),
  ];
  // The sort is stable: what happened on one day stays in the order above, a call before what it brought.
  return entries.sort((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : 0)).slice(-HISTORY_LENGTH);
}
