import { sql } from 'kysely';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Db, type Tx } from '../database.ts';
import { markLeft, tellCases, tellSent } from './contacts.ts';
import { wakeCases } from './outbox.ts';
import { openTask } from './tasks.ts';

/**
 * `queued` → `sending`, with the first step taken; a repeat only counts the attempt. The caller holds the locks. Returns
 * the invoices whose step left just now.
 */
export async function beginSending(tx: Tx, act: Act, contactId: string, retryAfterMs: number): Promise<string[]> {
  const first = await tx
    .updateTable('contacts')
    .set({
      status: 'sending',
      sending_at: instant(act.at),
      sending_real: sql<Date>`clock_timestamp()`,
      first_attempt_real: sql<Date>`clock_timestamp()`,
    })
    .where('id', '=', contactId)
    .where('status', '=', 'queued')
    .executeTakeFirst();
  await tx
    .updateTable('contacts')
    .set({ attempts: sql<number>`attempts + 1`, next_attempt_real: realIn(retryAfterMs) })
    .where('id', '=', contactId)
    .execute();
  return first.numUpdatedRows === 1n ? await markLeft(tx, act, contactId) : [];
}

const realIn = (ms: number) => sql<Date>`clock_timestamp() + make_interval(secs => ${ms / 1000}::float8)`;

export interface SendingRow {
  id: string;
  creditor_id: string;
  customer_id: string;
  status: 'queued' | 'sending';
  kind: string;
  channel: string;
  reference: string;
  sender: string;
  reply_to: string | null;
  recipients: string[];
  cc: string[];
  subject: string;
  body_text: string;
  body_html: string;
  /** The customer's date. */
  day: LocalDate;
  planned_at: number;
  attempts: number;
  first_attempt_real: number | null;
}

/** Ids of messages that are due to be sent or tried again, oldest first. */
export async function dueContacts(db: Db, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('contacts')
    .select('id')
    .where('channel', '=', 'email')
    .where((eb) =>
      eb.and([
        eb('status', 'in', ['queued', 'sending']),
        eb.or([eb('next_attempt_real', 'is', null), eb('next_attempt_real', '<=', sql<number>`clock_timestamp()`)]),
      ]),
    )
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map((r) => r.id);
}

/** The message for a relay that holds the customer's row; null when another relay has it or it is done. */
export async function takeContact(tx: Tx, contactId: string): Promise<SendingRow | null> {
  const row = await tx
    .selectFrom('contacts')
    .selectAll()
    .where('id', '=', contactId)
    .where('status', 'in', ['queued', 'sending'])
    .where((eb) =>
      eb.or([eb('next_attempt_real', 'is', null), eb('next_attempt_real', '<=', sql<number>`clock_timestamp()`)]),
    )
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  return row
    ? ({
        ...row,
        subject: row.subject ?? '',
        body_text: row.body_text ?? '',
        body_html: row.body_html ?? '',
      } as SendingRow)
    : null;
}

/** Try the same key and body again after this long, in real time. */
export async function recordRetry(tx: Tx, contactId: string, afterMs: number, code: string): Promise<void> {
  await tx
    .updateTable('contacts')
    .set({ next_attempt_real: realIn(afterMs), error_code: code })
    .where('id', '=', contactId)
    .where('status', 'in', ['queued', 'sending'])
    .execute();
}

/** It was not sent and never will be: the steps count as tried, a person is told, the cases look. */
export async function recordFailed(tx: Tx, act: Act, contactId: string, code: string): Promise<void> {
  const contact = await tx
    .updateTable('contacts')
    .set({ status: 'failed', finished_at: instant(act.at), error_code: code, next_attempt_real: null })
    .where('id', '=', contactId)
    .where('status', 'in', ['queued', 'sending', 'unknown', 'sent', 'delivered'])
    .returning(['creditor_id', 'customer_id', 'reference'])
    .executeTakeFirst();
  if (!contact) return;
  await tx
    .updateTable('case_steps')
    .set({ status: 'failed', reason: code })
    .where('contact_id', '=', contactId)
    .where('status', 'in', ['queued', 'left'])
    .execute();
  const invoiceIds = await tellCases(tx, act, contactId, 'contactFailed', { code });
  await openReturnedMail(tx, act, contactId, contact, code);
  await wakeCases(tx, invoiceIds);
}

/** A person sees to an address: the message did not reach the customer, or they complained of it. */
export async function openReturnedMail(
  tx: Tx,
  act: Act,
  contactId: string,
  contact: { creditor_id: string; customer_id: string; reference: string },
  code: string,
): Promise<void> {
  await openTask(tx, act, {
    creditorId: contact.creditor_id,
    kind: 'returnedMail',
    key: `returnedMail:${contactId}`,
    customerId: contact.customer_id,
    contactId,
    subject:
      code === 'complained'
        ? `The customer complained of the message ${contact.reference}`
        : `The message ${contact.reference} did not reach the customer`,
    data: { code },
    dueAt: act.at,
  });
}

/** Nobody can say whether it was sent: a person looks; its items stay taken until then (design rule 6). */
export async function recordUnknown(tx: Tx, act: Act, contactId: string, code: string): Promise<void> {
  const contact = await tx
    .updateTable('contacts')
    .set({ status: 'unknown', error_code: code, next_attempt_real: null })
    .where('id', '=', contactId)
    .where('status', '=', 'sending')
    .returning(['creditor_id', 'customer_id', 'reference'])
    .executeTakeFirst();
  if (!contact) return;
  await tellCases(tx, act, contactId, 'contactUnknown', { code });
  await openTask(tx, act, {
    creditorId: contact.creditor_id,
    kind: 'unknownSend',
    key: `unknownSend:${contactId}`,
    customerId: contact.customer_id,
    contactId,
    subject: `Was the message ${contact.reference} sent? The provider could not say`,
    data: { code },
    dueAt: act.at,
  });
}

/** A person found out about an unknown send: `sent`, or `notSent`, which frees its steps to be asked for again. */
export async function resolveUnknown(tx: Tx, act: Act, contactId: string, outcome: 'sent' | 'notSent'): Promise<void> {
  if (outcome === 'sent') {
    const changed = await tx
      .updateTable('contacts')
      .set({ status: 'sent', sent_at: instant(act.at) })
      .where('id', '=', contactId)
      .where('status', '=', 'unknown')
      .executeTakeFirst();
    if (changed.numUpdatedRows > 0n) await tellSent(tx, act, contactId, { by: 'person' });
    return;
  }
  const contact = await tx
    .updateTable('contacts')
    .set({ status: 'failed', finished_at: instant(act.at), error_code: 'notSent' })
    .where('id', '=', contactId)
    .where('status', '=', 'unknown')
    .returning('customer_id')
    .executeTakeFirst();
  if (!contact) return;
  const invoiceIds = await tellCases(tx, act, contactId, 'contactFailed', { code: 'notSent' });
  await tx.updateTable('contact_items').set({ withdrawn: true }).where('contact_id', '=', contactId).execute();
  await tx
    .updateTable('case_steps')
    .set({ status: 'withdrawn', reason: 'notSent' })
    .where('contact_id', '=', contactId)
    .where('status', 'in', ['queued', 'left'])
    .execute();
  await wakeCases(tx, invoiceIds);
}
