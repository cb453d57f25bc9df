import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { MessagePlan } from '../../domain/case/plan-contacts.ts';
import { THANK_YOU } from '../../domain/case/ladder.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { addDocument } from './documents.ts';
import { appendEvent } from './events.ts';
import { pokeOutreach, wakeCases } from './outbox.ts';
import { lockCustomers, lockInvoices } from './locks.ts';
import { closeTaskByKey, openTask } from './tasks.ts';

/** The channel on which the mail relay hears that a message was queued. */
export const MAIL_CHANNEL = 'relance_mail';

export interface WrittenMessage {
  reference: string;
  subject: string;
  text: string;
  html: string | null;
  locale: string;
  recipients: string[];
  cc: string[];
}

/** A short reference that a customer can quote and a subject line can carry: seven letters and digits. */
export function newReference(): string {
  const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  return `R-${[...randomBytes(7)].map((b) => alphabet[b % 32]).join('')}`;
}

/**
 * Queues one message with its frozen text: contact, items, the steps it takes, an event on each case. Unique by (case,
 * step, occurrence), and for e-mail by recipient and day; the caller holds the locks of customer and invoices.
 */
export async function queueContact(
  tx: Tx,
  act: Act,
  home: { creditorId: string; customerId: string },
  plan: MessagePlan,
  message: WrittenMessage,
): Promise<string> {
  const id = newId('con');
  await tx
    .insertInto('contacts')
    .values({
      id,
      creditor_id: home.creditorId,
      customer_id: home.customerId,
      kind: plan.kind,
      channel: plan.channel,
      status: 'queued',
      reference: message.reference,
      recipients: message.recipients,
      cc: message.cc,
      recipient_key: plan.recipients.recipientKey,
      day: plan.day,
      planned_at: instant(plan.plannedAt),
      queued_at: instant(act.at),
      subject: message.subject,
      body_text: message.text,
      body_html: message.html,
      template: plan.template,
      tone: plan.tone,
      locale: message.locale,
    })
    .execute();
  await tx
    .insertInto('contact_items')
    .values(
      plan.items.map((item) => ({
        contact_id: id,
        invoice_id: item.invoiceId,
        step: item.step,
        occurrence: item.occurrence,
        amount_minor: item.amountMinor,
        currency: item.currency,
        asks: item.asks,
      })),
    )
    .execute();
  for (const item of [...plan.items].sort((a, b) => (a.invoiceId < b.invoiceId ? -1 : 1))) {
    await tx
      .updateTable('case_steps')
      .set({ status: 'queued', contact_id: id })
      .where('invoice_id', '=', item.invoiceId)
      .where('step', '=', item.step)
      .where('occurrence', '=', item.occurrence)
      .where('status', '=', 'requested')
      .execute();
    await appendEvent(tx, act, {
      invoiceId: item.invoiceId,
      kind: 'contactQueued',
      data: {
        contactId: id,
        step: item.step,
        channel: plan.channel,
        amount: formatAmount(item.amountMinor, item.currency),
        currency: item.currency,
      },
    });
  }
  if (plan.channel === 'email') await sql`select pg_notify(${MAIL_CHANNEL}, '')`.execute(tx);
  return id;
}

export interface ItemRow {
  invoice_id: string;
  step: string;
  occurrence: number;
  amount_minor: bigint;
  currency: string;
  asks: boolean;
}

export async function itemsOf(db: Db | Tx, contactId: string): Promise<ItemRow[]> {
  return await db
    .selectFrom('contact_items')
    .select(['invoice_id', 'step', 'occurrence', 'amount_minor', 'currency', 'asks'])
    .where('contact_id', '=', contactId)
    .where('withdrawn', '=', false)
    .orderBy('invoice_id')
    .execute();
}

/**
 * The steps of a contact have left: from here on nothing is withdrawn (design rule 6). A case whose step left on a later
 * day than it was planned for is woken: its wake-up was reckoned from the planned one. Returns the invoices.
 */
export async function markLeft(tx: Tx, act: Act, contactId: string): Promise<string[]> {
  const contact = await tx
    .selectFrom('contacts')
    .select(['day', 'channel'])
    .where('id', '=', contactId)
    .executeTakeFirstOrThrow();
  const left = await tx
    .updateTable('case_steps')
    .set({ status: 'left', left_at: instant(act.at), left_on: contact.day })
    .where('contact_id', '=', contactId)
    .where('status', '=', 'queued')
    .returning(['invoice_id', 'planned_on'])
    .execute();
  const items = await itemsOf(tx, contactId);
  for (const item of items) {
    if (!item.asks) continue;
    await appendEvent(tx, act, {
      invoiceId: item.invoice_id,
      kind: 'stepTaken',
      data: { step: item.step, occurrence: item.occurrence, contactId, channel: contact.channel, on: contact.day },
    });
  }
  await wakeCases(
    tx,
    left.flatMap((s) => (s.planned_on < contact.day ? [s.invoice_id] : [])),
  );
  return items.filter((i) => i.asks).map((i) => i.invoice_id);
}

/**
 * Takes back a whole message that has not begun to be sent: something in it is no longer true. Its steps are asked for
 * again, and its cases look at what changed.
 */
export async function withdrawContact(tx: Tx, act: Act, contactId: string, reason: string): Promise<void> {
  const contact = await tx
    .updateTable('contacts')
    .set({ status: 'withdrawn', finished_at: instant(act.at), error_code: reason })
    .where('id', '=', contactId)
    .where('status', '=', 'queued')
    .returning('customer_id')
    .executeTakeFirst();
  if (!contact) return;
  const items = await itemsOf(tx, contactId);
  await tx.updateTable('contact_items').set({ withdrawn: true }).where('contact_id', '=', contactId).execute();
  // A case that was closed meanwhile asks for nothing any more, one that was reopened does not give thanks.
  await sql`
    update case_steps s set contact_id = null, reason = ${reason},
      status = case when (i.stage in ('writtenOff', 'settled', 'cancelled')) = (s.step = ${THANK_YOU})
        and (s.step <> ${THANK_YOU} or i.balance_minor = 0) then 'requested' else 'withdrawn' end
    from invoices i where i.id = s.invoice_id and s.contact_id = ${contactId} and s.status = 'queued'`.execute(tx);
  for (const item of items) {
    await appendEvent(tx, act, {
      invoiceId: item.invoice_id,
      kind: 'contactWithdrawn',
      data: { contactId, step: item.step, reason },
    });
  }
  await wakeCases(
    tx,
    items.map((i) => i.invoice_id),
  );
  await pokeOutreach(tx, contact.customer_id);
}

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

export async function customerOfContact(db: Db | Tx, contactId: string): Promise<string | null> {
  const row = await db.selectFrom('contacts').select('customer_id').where('id', '=', contactId).executeTakeFirst();
  return row?.customer_id ?? null;
}

/** The provider has it. */
export async function recordAccepted(tx: Tx, act: Act, contactId: string, providerId: string): Promise<void> {
  await oneAtATime(tx, providerId);
  await tx
    .updateTable('contacts')
    .set({ provider_id: providerId })
    .where('id', '=', contactId)
    .where('provider_id', 'is', null)
    .execute();
  const changed = await tx
    .updateTable('contacts')
    .set({ status: 'sent', sent_at: instant(act.at), next_attempt_real: null })
    .where('id', '=', contactId)
    .where('status', 'in', ['sending', 'unknown'])
    .executeTakeFirst();
  if (changed.numUpdatedRows === 0n) return;
  await tellCases(tx, act, contactId, 'contactSent', {});
  await catchUpDelivery(tx, act, contactId, providerId);
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
  await openTask(tx, act, {
    creditorId: contact.creditor_id,
    kind: 'returnedMail',
    key: `returnedMail:${contactId}`,
    customerId: contact.customer_id,
    contactId,
    subject: `The message ${contact.reference} did not reach the customer`,
    data: { code },
    dueAt: act.at,
  });
  await wakeCases(tx, invoiceIds);
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
    if (changed.numUpdatedRows > 0n) await tellCases(tx, act, contactId, 'contactSent', { by: 'person' });
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

export type DeliveryStatus =
  'sent' | 'delivered' | 'bounced' | 'complained' | 'failed' | 'delayed' | 'suppressed' | 'other';

export interface DeliveryNotice {
  /** The provider's id of the event: each counts once. */
  eventId: string;
  providerId: string;
  /** The tag `contact` of the mail, where the event carries its tags. */
  contactTag: string | null;
  status: DeliveryStatus;
}

/**
 * What the provider says about a mail. The state of a contact only moves forward: a late `sent` changes nothing after
 * `delivered`. A bounce or complaint stops the address, fails the contact and opens a `returnedMail` task. An event that
 * comes before its mail's outcome was recorded is kept and read then. False when the event was known.
 */
export async function recordDelivery(tx: Tx, act: Act, notice: DeliveryNotice): Promise<boolean> {
  await oneAtATime(tx, notice.providerId);
  const contact = await tx
    .selectFrom('contacts')
    .select(['id', 'customer_id'])
    .where((eb) =>
      eb.or([
        eb('provider_id', '=', notice.providerId),
        ...(notice.contactTag === null ? [] : [eb('id', '=', notice.contactTag)]),
      ]),
    )
    .executeTakeFirst();
  const inserted = await tx
    .insertInto('delivery_events')
    .values({
      id: notice.eventId,
      contact_id: contact?.id ?? null,
      provider_id: notice.providerId,
      kind: notice.status,
      at: instant(act.at),
    })
    .onConflict((c) => c.column('id').doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows !== 1n) return false;
  if (!contact) return true;
  await lockCustomers(tx, [contact.customer_id]);
  await lockInvoices(
    tx,
    (await itemsOf(tx, contact.id)).map((item) => item.invoice_id),
  );
  await applyDelivery(tx, act, contact.id, notice.providerId, notice.status);
  return true;
}

/** Recording a mail's outcome and what the provider says of it exclude each other, so that neither misses the other. */
async function oneAtATime(tx: Tx, providerId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`delivery:${providerId}`}, 0))`.execute(tx);
}

async function catchUpDelivery(tx: Tx, act: Act, contactId: string, providerId: string): Promise<void> {
  const early = await tx
    .selectFrom('delivery_events')
    .select('kind')
    .where('provider_id', '=', providerId)
    .orderBy('recorded_at')
    .execute();
  for (const { kind } of early) await applyDelivery(tx, act, contactId, providerId, kind as DeliveryStatus);
}

async function applyDelivery(
  tx: Tx,
  act: Act,
  contactId: string,
  providerId: string,
  status: DeliveryStatus,
): Promise<void> {
  const contact = await tx
    .selectFrom('contacts')
    .select(['status', 'creditor_id', 'customer_id', 'recipients'])
    .where('id', '=', contactId)
    .executeTakeFirstOrThrow();
  if (status === 'delivered' && ['sending', 'unknown', 'sent'].includes(contact.status)) {
    await tx
      .updateTable('contacts')
      .set((eb) => ({
        status: 'delivered',
        finished_at: instant(act.at),
        sent_at: eb.fn.coalesce('sent_at', eb.val(instant(act.at))) as never,
        provider_id: eb.fn.coalesce('provider_id', eb.val(providerId)) as never,
        next_attempt_real: null,
      }))
      .where('id', '=', contactId)
      .execute();
    await tellCases(tx, act, contactId, 'contactDelivered', {});
    await closeTaskByKey(tx, act, contact.creditor_id, `unknownSend:${contactId}`, 'done', { outcome: 'sent' });
    return;
  }
  if (['bounced', 'complained', 'suppressed', 'failed'].includes(status) && contact.status !== 'failed') {
    if (status !== 'failed') {
      await tx
        .insertInto('stopped_addresses')
        .values(
          contact.recipients.map((email) => ({
            creditor_id: contact.creditor_id,
            email: email.toLowerCase(),
            reason: status,
            contact_id: contactId,
            at: instant(act.at),
          })),
        )
        .onConflict((c) =>
          c.columns(['creditor_id', 'email']).doUpdateSet({ lifted_at: null, reason: status, at: instant(act.at) }),
        )
        .execute();
    }
    await recordFailed(tx, act, contactId, status);
    await closeTaskByKey(tx, act, contact.creditor_id, `unknownSend:${contactId}`, 'done', { outcome: status });
    if (status !== 'failed') await wakeAsking(tx, contact.customer_id);
  }
}

/** Whatever else asks to be sent to this customer looks again: it may have counted on the address that stopped. */
async function wakeAsking(tx: Tx, customerId: string): Promise<void> {
  const rows = await tx
    .selectFrom('case_steps')
    .select('invoice_id')
    .where('customer_id', '=', customerId)
    .where('status', 'in', ['requested', 'awaitingApproval'])
    .where('step', '<>', THANK_YOU)
    .execute();
  await wakeCases(
    tx,
    rows.map((row) => row.invoice_id),
  );
}

async function tellCases(
  tx: Tx,
  act: Act,
  contactId: string,
  kind: Parameters<typeof appendEvent>[2]['kind'],
  data: Record<string, unknown>,
): Promise<string[]> {
  const items = await itemsOf(tx, contactId);
  for (const item of items) {
    await appendEvent(tx, act, { invoiceId: item.invoice_id, kind, data: { contactId, step: item.step, ...data } });
  }
  return items.map((i) => i.invoice_id);
}

/**
 * Steps that could not be written, whatever the reason: they count as tried, so that neither their cases nor the other
 * messages of the customer wait for them, and a person is told. `code` says why.
 */
export async function failUnwritten(
  tx: Tx,
  act: Act,
  customerId: string,
  items: readonly { invoiceId: string; step: string; occurrence: number }[],
  code: string,
): Promise<void> {
  const { creditor_id: creditorId } = await tx
    .selectFrom('customers')
    .select('creditor_id')
    .where('id', '=', customerId)
    .executeTakeFirstOrThrow();
  for (const item of [...items].sort((a, b) => (a.invoiceId < b.invoiceId ? -1 : 1))) {
    await tx
      .updateTable('case_steps')
      .set({ status: 'failed', reason: code })
      .where('invoice_id', '=', item.invoiceId)
      .where('step', '=', item.step)
      .where('occurrence', '=', item.occurrence)
      .where('status', '=', 'requested')
      .execute();
    await appendEvent(tx, act, {
      invoiceId: item.invoiceId,
      kind: 'contactFailed',
      data: { step: item.step, code },
    });
    await tellNotWritten(tx, act, { creditorId, customerId, ...item, code });
  }
  await wakeCases(
    tx,
    items.map((i) => i.invoiceId),
  );
}

/** A text could not be made from its template: a person writes instead. */
export async function tellNotWritten(
  tx: Tx,
  act: Act,
  what: {
    creditorId: string;
    customerId: string;
    invoiceId: string;
    step: string;
    occurrence: number;
    code: string;
  },
): Promise<void> {
  const { creditorId, customerId, invoiceId, step, occurrence, code } = what;
  await openTask(tx, act, {
    creditorId,
    customerId,
    invoiceId,
    kind: 'notWritten',
    key: `notWritten:${invoiceId}:${step}:${occurrence}`,
    step,
    subject: `The step ${step} could not be written`,
    body: 'Its template could not be filled in from what is on record. Write to the customer by hand.',
    data: { step, code },
    dueAt: act.at,
  });
}

/** Opens the task of a call or letter step with its rendered text: opening it is the step (api.md). */
export async function openStepTask(
  tx: Tx,
  act: Act,
  step: {
    creditorId: string;
    customerId: string;
    invoiceId: string;
    contactId: string | null;
    channel: 'call' | 'letter' | 'registeredLetter';
    step: string;
    occurrence: number;
    /** How often it was written again, 0 at first. */
    drawing: number;
    subject: string;
    body: string;
    amount: string;
    currency: string;
    attempt?: number;
    attempts?: number;
  },
): Promise<string> {
  const kind = step.channel === 'call' ? 'call' : 'letter';
  const { taskId } = await openTask(tx, act, {
    creditorId: step.creditorId,
    kind,
    key: `${kind}:${step.invoiceId}:${step.step}:${step.occurrence}:${step.drawing}`,
    invoiceId: step.invoiceId,
    customerId: step.customerId,
    contactId: step.contactId,
    step: step.step,
    subject: step.subject,
    body: step.body,
    data: { channel: step.channel, amount: step.amount, currency: step.currency, drawing: step.drawing },
    dueAt: act.at,
  });
  await tx
    .updateTable('case_steps')
    .set({ task_id: taskId })
    .where('invoice_id', '=', step.invoiceId)
    .where('step', '=', step.step)
    .where('occurrence', '=', step.occurrence)
    .where('status', 'in', ['queued', 'left'])
    .execute();
  await addDocument(tx, act, {
    creditorId: step.creditorId,
    customerId: step.customerId,
    contactId: step.contactId,
    taskId,
    kind: kind === 'call' ? 'callScript' : 'letter',
    contentType: 'text/plain; charset=utf-8',
    bytes: Buffer.from(step.body, 'utf8'),
    invoiceIds: [step.invoiceId],
  });
  return taskId;
}

/** A call or letter contact is done as soon as its tasks are open. */
export async function markTasksOpened(tx: Tx, act: Act, contactId: string): Promise<string[]> {
  await tx
    .updateTable('contacts')
    .set({
      status: 'sent',
      sending_at: instant(act.at),
      sending_real: sql<Date>`clock_timestamp()`,
      sent_at: instant(act.at),
    })
    .where('id', '=', contactId)
    .execute();
  return await markLeft(tx, act, contactId);
}
