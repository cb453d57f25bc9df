import { sql } from 'kysely';
import { randomBytes } from 'node:crypto';
import { FORMAL_NOTICE, THANK_YOU } from '../../domain/case/requests.ts';
import type { MessagePlan } from '../../domain/case/plan-contacts.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { freezeAttachments } from './attachments.ts';
import { appendEvent } from './events.ts';
import { pokeOutreach, wakeCases } from './outbox.ts';

/** The channel on which the mail relay hears that a message was queued. */
export const MAIL_CHANNEL = 'relance_mail';

export interface WrittenMessage {
  reference: string;
  /** The sender as a mailbox. */
  sender: string;
  replyTo: string | null;
  subject: string;
  text: string;
  html: string | null;
  locale: string;
  /** The version of the creditor's own text; null for the built-in one. */
  templateVersion: number | null;
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
      sender: message.sender,
      reply_to: message.replyTo,
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
      template_version: message.templateVersion,
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
  if (plan.channel === 'email') {
    await freezeAttachments(
      tx,
      id,
      plan.items.filter((item) => item.attachInvoice).map((item) => item.invoiceId),
    );
  }
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
 * day than it was planned for is woken: its wake-up was reckoned from the planned one; so is one whose formal notice left,
 * which begins another stage. Returns the invoices.
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
    .returning(['invoice_id', 'planned_on', 'step'])
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
    left.flatMap((s) => (s.planned_on < contact.day || s.step === FORMAL_NOTICE ? [s.invoice_id] : [])),
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
  // A case that was closed meanwhile asks for nothing any more, one that was reopened does not give thanks. A note of a
  // plan is asked for until outreach finds it untrue, whatever became of the case that leads.
  await sql`
    update case_steps s set contact_id = null, reason = ${reason},
      status = case when s.step like '~plan:%' or (i.stage in ('writtenOff', 'settled', 'cancelled')) = (s.step = ${THANK_YOU})
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

export async function customerOfContact(db: Db | Tx, contactId: string): Promise<string | null> {
  const row = await db.selectFrom('contacts').select('customer_id').where('id', '=', contactId).executeTakeFirst();
  return row?.customer_id ?? null;
}

/**
 * A message has left for good: by the provider, or by post on that date. Of a formal notice, though not of its copy, its
 * cases say so twice.
 */
export async function tellSent(
  tx: Tx,
  act: Act,
  contactId: string,
  data: Record<string, unknown>,
  postedOn?: LocalDate,
): Promise<void> {
  await tellCases(tx, act, contactId, 'contactSent', data);
  const notices = (await itemsOf(tx, contactId)).filter((item) => item.step === FORMAL_NOTICE);
  if (notices.length === 0) return;
  const contact = await tx.selectFrom('contacts').select('day').where('id', '=', contactId).executeTakeFirstOrThrow();
  for (const { invoice_id: invoiceId } of notices) {
    const on = postedOn ?? contact.day;
    await appendEvent(tx, act, { invoiceId, kind: 'formalNoticeSent', data: { contactId, on } });
  }
}

export async function tellCases(
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
