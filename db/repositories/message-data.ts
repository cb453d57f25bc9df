import type { CustomerKind } from '../../domain/policy/types.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db, Tx } from '../database.ts';
import type { Address, ContactPerson } from '../types.ts';
import { recipientKeyOf } from './facts.ts';

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

/** What was sent about these invoices so far, oldest first: day and subject of the last ten contacts. */
export async function loadHistory(
  db: Db | Tx,
  invoiceIds: readonly string[],
): Promise<{ on: LocalDate; what: string }[]> {
  const rows = await db
    .selectFrom('contacts as c')
    .select(['c.day', 'c.subject', 'c.seq'])
    .distinct()
    .innerJoin('contact_items as i', 'i.contact_id', 'c.id')
    .where('i.invoice_id', 'in', invoiceIds)
    .where('c.status', 'in', ['sent', 'delivered'])
    .orderBy('c.seq', 'desc')
    .limit(10)
    .execute();
  return rows.toReversed().map((r) => ({ on: r.day, what: r.subject ?? '' }));
}
