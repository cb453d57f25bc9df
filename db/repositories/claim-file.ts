import { sql } from 'kysely';
import type { AccountLine, ClaimFacts, ClaimMessage, Party } from '../../domain/agency/claim-facts.ts';
import { localDate, type Instant } from '../../domain/time/zones.ts';
import type { Db, Tx } from '../database.ts';
import type { Address } from '../types.ts';
import { claimedBy } from './claims.ts';

/** A document as it was sent, or the invoice itself. */
export interface ClaimDocument {
  /** The contact it belongs to; null for the invoice's own PDF. */
  contactId: string | null;
  contentType: string;
  bytes: Buffer;
}

/**
 * All that goes into the file of a placement, as of one moment of the database; undefined when there is no such
 * placement. Free texts of the creditor's people stay out of it: the events carry their digests alone.
 */
export async function loadClaim(
  db: Db,
  placementId: string,
  at: Instant,
): Promise<{ facts: ClaimFacts; documents: ClaimDocument[] } | undefined> {
  return await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      const head = await loadHead(tx, placementId);
      if (!head) return undefined;
      const invoiceId = head.invoice_id;
      const messages = await loadMessages(tx, invoiceId);
      const facts: ClaimFacts = {
        at,
        asOf: localDate(at, head.creditor_zone),
        placement: { id: head.id, placedOn: head.placed_on, amountMinor: head.amount_minor, status: head.status },
        agency: { id: head.agency_id, name: head.agency_name, reference: head.agency_reference },
        creditor: await loadCreditor(tx, head.creditor_id),
        debtor: await loadDebtor(tx, head.customer_id),
        invoice: await loadInvoice(tx, invoiceId),
        claim: await claimedBy(tx, invoiceId, localDate(at, head.creditor_zone)),
        account: await loadAccount(tx, invoiceId),
        messages,
        disputes: await loadDisputes(tx, invoiceId),
        events: await loadEvents(tx, invoiceId),
        headHash: head.event_hash.toString('hex'),
      };
      const contactIds = messages.map(({ id }) => id);
      return { facts, documents: await loadDocuments(tx, invoiceId, contactIds) };
    });
}

async function loadHead(tx: Tx, placementId: string) {
  return await tx
    .selectFrom('placements as p')
    .innerJoin('agencies as a', 'a.id', 'p.agency_id')
    .innerJoin('creditors as c', 'c.id', 'p.creditor_id')
    .innerJoin('invoices as i', 'i.id', 'p.invoice_id')
    .select(['p.id', 'p.placed_on', 'p.amount_minor', 'p.status', 'p.agency_id', 'p.creditor_id', 'p.customer_id'])
    .select(['p.invoice_id', 'a.name as agency_name', 'a.reference as agency_reference'])
    .select(['c.time_zone as creditor_zone', 'i.event_hash'])
    .where('p.id', '=', placementId)
    .executeTakeFirst();
}

async function loadCreditor(tx: Tx, creditorId: string): Promise<ClaimFacts['creditor']> {
  const row = await tx.selectFrom('creditors').selectAll().where('id', '=', creditorId).executeTakeFirstOrThrow();
  return {
    ...partyOf(row),
    timeZone: row.time_zone,
    iban: row.iban,
    email: row.sender_email,
    replyTo: row.reply_to,
  };
}

async function loadDebtor(tx: Tx, customerId: string): Promise<ClaimFacts['debtor']> {
  const row = await tx.selectFrom('customers').selectAll().where('id', '=', customerId).executeTakeFirstOrThrow();
  return {
    ...partyOf(row),
    id: row.id,
    reference: row.reference,
    kind: row.kind,
    contacts: row.contacts,
  };
}

const partyOf = (row: {
  name: string;
  country: string;
  locale: string;
  address: Address | null;
  registration_id: string | null;
  vat_id: string | null;
}): Party => ({
  name: row.name,
  country: row.country,
  locale: row.locale,
  address: row.address,
  registrationId: row.registration_id,
  vatId: row.vat_id,
});

async function loadInvoice(tx: Tx, invoiceId: string): Promise<ClaimFacts['invoice']> {
  const row = await tx.selectFrom('invoices').selectAll().where('id', '=', invoiceId).executeTakeFirstOrThrow();
  return {
    id: row.id,
    number: row.number,
    issuedOn: row.issued_on,
    dueOn: row.due_on,
    amountMinor: row.amount_minor,
    balanceMinor: row.balance_minor,
    currency: row.currency,
    references: row.refs,
    orderReference: row.order_reference,
    vat: row.vat,
    limitationOn: row.limitation_on,
  };
}

/** What moved the balance of the invoice, from the journal; the date of money is the one it was booked on. */
async function loadAccount(tx: Tx, invoiceId: string): Promise<AccountLine[]> {
  const { rows } = await sql<{
    on_date: string;
    kind: string;
    amount_minor: bigint;
    reference: string | null;
    method: string | null;
  }>`
    select case when j.kind = 'invoiceRegistered' then i.issued_on else coalesce(case when j.kind = 'allocated'
        then r.booked_on end, case when j.kind = 'creditAllocated' then n.issued_on end, j.on_date) end as on_date,
      j.kind, sum(p.amount_minor)::bigint as amount_minor, coalesce(n.number, r.remittance) as reference,
      case when r.id is not null then coalesce(r.method, 'transfer') end as method
    from postings p join journal_entries j on j.id = p.entry_id join invoices i on i.id = p.invoice_id
      left join allocations a on j.key in ('allocation:' || a.id, 'reversal:' || a.id) and a.invoice_id = p.invoice_id
      left join receipts r on r.id = a.receipt_id left join credit_notes n on n.id = a.credit_note_id
    where p.account = 'receivable' and p.invoice_id = ${invoiceId}
    group by j.id, j.kind, j.on_date, i.issued_on, r.id, n.id
    order by j.id`.execute(tx);
  return rows.map((row) => ({
    on: row.on_date,
    kind: row.kind,
    amountMinor: row.amount_minor,
    reference: row.reference,
    method: row.method,
  }));
}

/** What left for the customer; what was withdrawn or still waits says nothing. One that took several steps names all. */
async function loadMessages(tx: Tx, invoiceId: string): Promise<ClaimMessage[]> {
  const rows = await tx
    .selectFrom('contacts as c')
    .innerJoin('contact_items as t', 't.contact_id', 'c.id')
    .selectAll('c')
    .select(['t.step', 't.amount_minor'])
    .where('t.invoice_id', '=', invoiceId)
    .where('t.withdrawn', '=', false)
    .where('c.status', 'in', ['sending', 'sent', 'delivered', 'failed', 'unknown'])
    .orderBy('c.seq')
    .orderBy('t.step')
    .execute();
  const messages = new Map<string, ClaimMessage>();
  for (const row of rows) {
    const before = messages.get(row.id);
    messages.set(row.id, {
      id: row.id,
      kind: row.kind,
      channel: row.channel,
      status: row.status,
      steps: [...(before?.steps ?? []), row.step],
      amountMinor: row.amount_minor,
      subject: row.subject,
      to: row.recipients,
      cc: row.cc,
      queuedAt: row.queued_at,
      sentAt: row.sent_at,
      finishedAt: row.finished_at,
      errorCode: row.error_code,
      post: {
        dispatchedOn: row.dispatched_on,
        deliveredOn: row.delivered_on,
        refusedOn: row.refused_on,
        returnedOn: row.returned_on,
        trackingNumber: row.tracking_number,
      },
    });
  }
  return [...messages.values()];
}

async function loadDisputes(tx: Tx, invoiceId: string): Promise<ClaimFacts['disputes']> {
  const rows = await tx
    .selectFrom('disputes')
    .select(['opened_on', 'category', 'amount_minor', 'status', 'resolved_on'])
    .where('invoice_id', '=', invoiceId)
    .orderBy('seq')
    .execute();
  return rows.map((row) => ({
    openedOn: row.opened_on,
    category: row.category,
    amountMinor: row.amount_minor,
    status: row.status,
    resolvedOn: row.resolved_on,
  }));
}

async function loadEvents(tx: Tx, invoiceId: string): Promise<ClaimFacts['events']> {
  const rows = await tx
    .selectFrom('events')
    .select(['n', 'at', 'kind', 'actor', 'data', 'text_digest', 'prev_hash', 'hash'])
    .where('invoice_id', '=', invoiceId)
    .orderBy('n')
    .execute();
  return rows.map((row) => ({
    n: row.n,
    at: row.at,
    kind: row.kind,
    actor: row.actor,
    data: row.data,
    textDigest: row.text_digest?.toString('hex') ?? null,
    prevHash: row.prev_hash.toString('hex'),
    hash: row.hash.toString('hex'),
  }));
}

/** The invoice's PDF first, then mails and letters as they were sent. */
async function loadDocuments(tx: Tx, invoiceId: string, contactIds: readonly string[]): Promise<ClaimDocument[]> {
  const file = await tx
    .selectFrom('invoice_files')
    .select(['content_type', 'bytes'])
    .where('invoice_id', '=', invoiceId)
    .executeTakeFirst();
  const sent =
    contactIds.length === 0
      ? []
      : await tx
          .selectFrom('documents')
          .select(['contact_id', 'content_type', 'bytes'])
          .where('contact_id', 'in', contactIds)
          .where('kind', 'in', ['email', 'letter'])
          .orderBy('seq')
          .execute();
  return [
    ...(file ? [{ contactId: null, contentType: file.content_type, bytes: file.bytes }] : []),
    ...sent.map((row) => ({ contactId: row.contact_id, contentType: row.content_type, bytes: row.bytes })),
  ];
}

/** Whom and what a message to an agency is about. */
export interface AgencyContext {
  creditorId: string;
  customerId: string;
  invoiceId: string;
  invoiceNumber: string;
  currency: string;
  creditor: { name: string; email: string; replyTo: string | null; locale: string };
}

/** Whom and what a placement is about. */
export async function agencyContext(db: Db, placementId: string): Promise<AgencyContext> {
  const row = await db
    .selectFrom('placements as p')
    .innerJoin('creditors as c', 'c.id', 'p.creditor_id')
    .innerJoin('invoices as i', 'i.id', 'p.invoice_id')
    .select(['p.creditor_id', 'p.customer_id', 'p.invoice_id', 'p.currency', 'i.number'])
    .select(['c.name', 'c.sender_email', 'c.reply_to', 'c.locale'])
    .where('p.id', '=', placementId)
    .executeTakeFirstOrThrow();
  return {
    creditorId: row.creditor_id,
    customerId: row.customer_id,
    invoiceId: row.invoice_id,
    invoiceNumber: row.number,
    currency: row.currency,
    creditor: { name: row.name, email: row.sender_email, replyTo: row.reply_to, locale: row.locale },
  };
}
