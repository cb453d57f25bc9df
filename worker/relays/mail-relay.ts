import type { Logger } from 'pino';
import type { BusinessClock } from '../../activities/deps.ts';
import { plannedNow } from '../../activities/planned-now.ts';
import type { Mailer, MailMessage, SendOutcome } from '../../activities/mail/resend-client.ts';
import { mailSource } from '../../activities/mail/source.ts';
import { systemAct, type Act } from '../../db/act.ts';
import { inTransaction, type Db, type Tx } from '../../db/database.ts';
import {
  beginSending,
  dueContacts,
  recordFailed,
  recordRetry,
  recordUnknown,
  takeContact,
  type SendingRow,
} from '../../db/repositories/sending.ts';
import { customerOfContact, itemsOf, withdrawContact } from '../../db/repositories/contacts.ts';
import { recordAccepted } from '../../db/repositories/deliveries.ts';
import { foretellNext } from '../../db/repositories/foretell.ts';
import { lockCustomers, lockInvoices } from '../../db/repositories/locks.ts';
import { lastLook } from '../../db/repositories/last-look.ts';
import type { HolidaysOf } from '../../db/repositories/customer-facts.ts';
import { addDocument } from '../../db/repositories/documents.ts';
import { attachmentsOf } from '../../db/repositories/attachments.ts';
import { startRelay, type Relay } from './loop.ts';

export interface MailRelayDeps {
  db: Db;
  mailer: Mailer;
  clock: BusinessClock;
  holidays: HolidaysOf;
  log: Logger;
  /** Milliseconds of the real clock; a test puts it where it needs it. */
  realNow?: () => number;
}

const BATCH = 20;
const PARALLEL = 4;
const IDLE_MS = 1_000;
/** After `sending` was committed the outcome is awaited this long before another relay takes over. */
const TAKEOVER_MS = 60_000;
/** The provider forgets a key after 24 hours; beyond this the same mail could be sent twice (design rule 6). */
const LAST_RETRY_MS = 23 * 3_600_000;
const UNKNOWN_RETRY_MS = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000] as const;
const PAUSED_RETRY_MS = 300_000;
/** After a fault of ours or of the database. */
const FAULT_RETRY_MS = 5_000;

/** What the first transaction says: send this now, ask the provider, or nothing (taken back, or somebody else's). */
type Order =
  | { order: 'send'; contact: SendingRow; message: MailMessage }
  | { order: 'ask'; contact: SendingRow }
  | { order: 'nothing' };

/**
 * Sends queued e-mails (design rule 6). Each is looked at a second time under the locks of its customer and invoices, in
 * the transaction that commits `sending`; only then the provider is called, with the contact's id as its key.
 */
export function startMailRelay(deps: MailRelayDeps): Relay {
  return startRelay('mail', deps.log, async () => {
    const ids = await dueContacts(deps.db, BATCH);
    if (ids.length === 0) return { worked: false, pauseMs: IDLE_MS };
    const queue = [...ids];
    let worked = false;
    await Promise.all(
      Array.from({ length: Math.min(PARALLEL, queue.length) }, async () => {
        for (let id = queue.shift(); id; id = queue.shift()) worked = (await relayInPeace(deps, id)) || worked;
      }),
    );
    return { worked, pauseMs: IDLE_MS };
  });
}

/** A message that cannot be handled is put off, so that it stands in no other's way. */
async function relayInPeace(deps: MailRelayDeps, contactId: string): Promise<boolean> {
  try {
    return await relayOne(deps, contactId);
  } catch (error) {
    deps.log.error({ err: error, contact: contactId }, 'a message could not be handled; it is tried again');
    await inTransaction(deps.db, (tx) => recordRetry(tx, contactId, FAULT_RETRY_MS, 'internal'));
    return false;
  }
}

/** One message, one attempt. True when it was ours to handle. */
export async function relayOne(deps: MailRelayDeps, contactId: string): Promise<boolean> {
  const order = await inTransaction(deps.db, (tx) => takeOrder(deps, tx, contactId));
  if (order.order === 'nothing') return false;
  if (order.order === 'ask') {
    await settleUnknown(deps, order.contact);
    return true;
  }
  const outcome = await deps.mailer.send(order.message, contactId);
  await recordOutcome(deps, order.contact, outcome);
  return true;
}

async function takeOrder(deps: MailRelayDeps, tx: Tx, contactId: string): Promise<Order> {
  const customerId = await customerOfContact(tx, contactId);
  if (customerId === null) return { order: 'nothing' };
  await lockCustomers(tx, [customerId]);
  const contact = await takeContact(tx, contactId);
  if (!contact) return { order: 'nothing' };
  const items = await itemsOf(tx, contactId);
  await lockInvoices(
    tx,
    items.map((i) => i.invoice_id),
  );
  // Where it comes punctually it is judged as of the moment it was planned for (design rule 8).
  const now = plannedNow(deps.clock, contact.planned_at);
  const late = now > contact.planned_at;
  const look = await lastLook(tx, { contact, items, now, holidays: deps.holidays, late });
  const act = systemAct(deps.clock.now());
  if (look !== null) {
    if (contact.status === 'sending') return { order: 'ask', contact };
    await withdrawContact(tx, act, contactId, look);
    return { order: 'nothing' };
  }
  if (contact.status === 'sending' && tooOld(deps, contact)) return { order: 'ask', contact };
  const message = await messageOf(tx, contact);
  if (contact.status === 'queued') await keepSource(tx, act, contact, message);
  await foretellNext(tx, await beginSending(tx, act, contactId, TAKEOVER_MS), deps.holidays, now);
  return { order: 'send', contact, message };
}

function tooOld(deps: MailRelayDeps, contact: SendingRow): boolean {
  const realNow = deps.realNow ?? Date.now;
  return contact.first_attempt_real !== null && realNow() - contact.first_attempt_real > LAST_RETRY_MS;
}

/** Everything in it was frozen when it was queued: a repeat under the same key has the same body (design rule 6). */
async function messageOf(tx: Tx, contact: SendingRow): Promise<MailMessage> {
  return {
    from: contact.sender,
    to: contact.recipients,
    cc: contact.cc,
    replyTo: contact.reply_to,
    subject: contact.subject,
    html: contact.body_html,
    text: contact.body_text,
    tags: [
      { name: 'contact', value: contact.id },
      { name: 'kind', value: contact.kind },
    ],
    attachments: await attachmentsOf(tx, contact.id),
    headers: {},
  };
}

/** The source of what is about to be sent, kept for whoever asks what was sent. */
async function keepSource(tx: Tx, act: Act, contact: SendingRow, message: MailMessage): Promise<void> {
  const items = await itemsOf(tx, contact.id);
  await addDocument(tx, act, {
    creditorId: contact.creditor_id,
    customerId: contact.customer_id,
    contactId: contact.id,
    kind: 'email',
    contentType: 'message/rfc822',
    bytes: mailSource(message, contact.id, act.at),
    invoiceIds: items.map((i) => i.invoice_id),
  });
}

async function recordOutcome(deps: MailRelayDeps, contact: SendingRow, outcome: SendOutcome): Promise<void> {
  const act = systemAct(deps.clock.now());
  switch (outcome.kind) {
    case 'accepted':
      await underLocks(deps, contact, (tx) => recordAccepted(tx, act, contact.id, outcome.providerId));
      return;
    case 'refused':
      deps.log.warn({ contact: contact.id, code: outcome.code }, 'the provider refused a message');
      await underLocks(deps, contact, (tx) => recordFailed(tx, act, contact.id, outcome.code));
      return;
    case 'retryLater':
      await inTransaction(deps.db, (tx) => recordRetry(tx, contact.id, outcome.afterMs, outcome.code));
      return;
    case 'paused':
      deps.log.error({ code: outcome.code }, 'the mail provider takes nothing from this account');
      await inTransaction(deps.db, (tx) => recordRetry(tx, contact.id, PAUSED_RETRY_MS, outcome.code));
      return;
    case 'unknown': {
      const wait = UNKNOWN_RETRY_MS[Math.min(contact.attempts, UNKNOWN_RETRY_MS.length - 1)]!;
      await inTransaction(deps.db, (tx) => recordRetry(tx, contact.id, wait, outcome.code));
    }
  }
}

/** No call may be repeated: the provider is asked by tag whether it has the mail, else a person is. */
async function settleUnknown(deps: MailRelayDeps, contact: SendingRow): Promise<void> {
  const found = await deps.mailer.findByTag('contact', contact.id, contact.first_attempt_real ?? undefined);
  const act = systemAct(deps.clock.now());
  await underLocks(deps, contact, (tx) =>
    found ? recordAccepted(tx, act, contact.id, found.id) : recordUnknown(tx, act, contact.id, 'outcomeUnknown'),
  );
}

async function underLocks(deps: MailRelayDeps, contact: SendingRow, work: (tx: Tx) => Promise<void>): Promise<void> {
  await inTransaction(deps.db, async (tx) => {
    await lockCustomers(tx, [contact.customer_id]);
    const items = await itemsOf(tx, contact.id);
    await lockInvoices(
      tx,
      items.map((i) => i.invoice_id),
    );
    await work(tx);
  });
}
