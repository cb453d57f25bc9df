import { sql } from 'kysely';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import type { AgencyMessageKind, JsonObject } from '../types.ts';
import { addDocument } from './documents.ts';
import { appendEvent } from './events.ts';
import { lockInvoice } from './locks.ts';
import { pokeAgency } from './outbox.ts';
import { closeOpenTasks, openTask } from './tasks.ts';

/** The oldest thing an agency has not been told. */
export interface AgencyMessage {
  id: bigint;
  placementId: string;
  kind: AgencyMessageKind;
  data: JsonObject;
  /** When it arose, by the business clock. */
  at: number;
  /** How often it was tried before. */
  attempts: number;
  /** The file that goes with it, once that was built. */
  documentId: string | null;
}

/** What the agency is to be told next; undefined when it knows everything. */
export async function nextAgencyMessage(db: Db, agencyId: string): Promise<AgencyMessage | undefined> {
  const row = await db
    .selectFrom('agency_messages')
    .selectAll()
    .where('agency_id', '=', agencyId)
    .where('status', '=', 'pending')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  return (
    row && {
      id: row.id,
      placementId: row.placement_id,
      kind: row.kind,
      data: row.data,
      at: row.at,
      attempts: row.attempts,
      documentId: row.document_id,
    }
  );
}

/** How many messages of the agency wait. */
export async function pendingAgencyMessages(db: Db, agencyId: string): Promise<number> {
  const row = await db
    .selectFrom('agency_messages')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('agency_id', '=', agencyId)
    .where('status', '=', 'pending')
    .executeTakeFirstOrThrow();
  return row.count;
}

/**
 * Keeps the file of a message as it goes out. Where another attempt was faster its file stays, so that whatever is sent
 * under the message's id is always the same. Returns the id of the document.
 */
export async function keepAgencyFile(
  tx: Tx,
  act: Act,
  messageId: bigint,
  file: { creditorId: string; customerId: string; invoiceId: string; bytes: Buffer },
): Promise<string> {
  const message = await lockMessage(tx, messageId);
  if (message.document_id !== null) return message.document_id;
  const documentId = await addDocument(tx, act, {
    creditorId: file.creditorId,
    customerId: file.customerId,
    contactId: null,
    kind: 'agencyFile',
    contentType: 'application/zip',
    bytes: file.bytes,
    invoiceIds: [file.invoiceId],
  });
  await tx.updateTable('agency_messages').set({ document_id: documentId }).where('id', '=', messageId).execute();
  return documentId;
}

/** The bytes of a kept file. */
export async function agencyFileBytes(db: Db, documentId: string): Promise<Buffer> {
  const row = await db.selectFrom('documents').select('bytes').where('id', '=', documentId).executeTakeFirstOrThrow();
  return row.bytes;
}

/** The agency has been told: the message ends, the case's timeline says so, a task about it closes. Locks the invoice. */
export async function recordTold(tx: Tx, act: Act, messageId: bigint): Promise<void> {
  const about = await placementOf(tx, messageId);
  await lockInvoice(tx, about.invoice_id);
  const message = await lockMessage(tx, messageId);
  if (message.status !== 'pending') return;
  await tx
    .updateTable('agency_messages')
    .set((eb) => ({
      status: 'sent',
      sent_at: instant(act.at),
      error_code: null,
      attempts: eb('attempts', '+', 1),
    }))
    .where('id', '=', messageId)
    .execute();
  await appendEvent(tx, act, {
    invoiceId: about.invoice_id,
    kind: 'agencyTold',
    data: {
      placementId: about.placement_id,
      agencyId: about.agency_id,
      message: message.kind,
      by: about.deliver_by,
      ...(message.document_id === null ? {} : { documentId: message.document_id }),
    },
  });
  await closeOpenTasks(tx, act, about.creditor_id, `${taskKey(messageId)}#`, { outcome: 'delivered' });
}

/** It could not be told yet; it stays in front of the line. */
export async function recordUntold(db: Db, messageId: bigint, code: string): Promise<void> {
  await db
    .updateTable('agency_messages')
    .set((eb) => ({ attempts: eb('attempts', '+', 1), error_code: code }))
    .where('id', '=', messageId)
    .where('status', '=', 'pending')
    .execute();
}

/** It will never be taken as it is: the line goes on without it and a person is told. */
export async function recordRefused(tx: Tx, act: Act, messageId: bigint, code: string): Promise<void> {
  const message = await lockMessage(tx, messageId);
  if (message.status !== 'pending') return;
  await tx
    .updateTable('agency_messages')
    .set((eb) => ({ status: 'failed', attempts: eb('attempts', '+', 1), error_code: code }))
    .where('id', '=', messageId)
    .execute();
  await openUnreachable(tx, act, messageId, code);
}

/**
 * A mail that the provider had taken did not arrive: the message failed after all. `noticeId` is the one it was sent
 * under; what names no mail message of ours is left alone.
 */
export async function recordBounced(tx: Tx, act: Act, noticeId: string, code: string): Promise<void> {
  const [, placementId, digits] = /^(plc_[0-9a-z]{26})_(\d{1,18})$/.exec(noticeId) ?? [];
  if (placementId === undefined || digits === undefined) return;
  const changed = await tx
    .updateTable('agency_messages')
    .set({ status: 'failed', error_code: code })
    .where('id', '=', BigInt(digits))
    .where('placement_id', '=', placementId)
    .where('status', '=', 'sent')
    .returning('id')
    .executeTakeFirst();
  if (changed) await openUnreachable(tx, act, changed.id, code);
}

/** Opens the task that a person should see to it, unless one is open. */
export async function openUnreachable(tx: Tx, act: Act, messageId: bigint, code: string): Promise<void> {
  const about = await placementOf(tx, messageId);
  const key = taskKey(messageId);
  const before = await tx
    .selectFrom('tasks')
    .select('status')
    .where('creditor_id', '=', about.creditor_id)
    .where('key', 'like', `${key}#%`)
    .execute();
  if (before.some(({ status }) => status === 'open')) return;
  await openTask(tx, act, {
    creditorId: about.creditor_id,
    kind: 'agencyUnreachable',
    key: `${key}#${before.length + 1}`,
    role: 'approver',
    // Of no case: the task outlives it, since a recall too must reach the agency.
    subject: `${about.name} could not be told`,
    body: EXPLANATION,
    data: {
      agencyId: about.agency_id,
      placementId: about.placement_id,
      invoiceId: about.invoice_id,
      messageId: String(messageId),
      message: about.kind,
      code,
    },
    dueAt: act.at,
  });
}

const EXPLANATION =
  'See that the address of the agency is right and that it answers. "retry" sends the message again; "toldByHand" says ' +
  'that the agency knows by other means, and the messages behind it go on.';

/**
 * What a person has done about a message that did not get through: it is sent again, or the agency knows by other means.
 * A message that was delivered meanwhile stays delivered. Locks the invoice.
 */
export async function answerUnreachable(
  tx: Tx,
  act: Act,
  messageId: bigint,
  outcome: 'retry' | 'toldByHand',
): Promise<void> {
  const about = await placementOf(tx, messageId);
  await lockInvoice(tx, about.invoice_id);
  const message = await lockMessage(tx, messageId);
  if (message.status === 'sent') return;
  // The provider would take the same mail under the same key for the one that it knows.
  const again = { ...message.data, retries: Number(message.data['retries'] ?? 0) + 1 };
  await tx
    .updateTable('agency_messages')
    .set(
      outcome === 'retry'
        ? { status: 'pending', error_code: null, data: json(again) }
        : { status: 'sent', sent_at: instant(act.at), error_code: 'toldByHand' },
    )
    .where('id', '=', messageId)
    .execute();
  if (outcome === 'toldByHand') {
    await appendEvent(tx, act, {
      invoiceId: about.invoice_id,
      kind: 'agencyTold',
      data: { placementId: about.placement_id, agencyId: about.agency_id, message: message.kind, by: 'hand' },
    });
  }
  await pokeAgency(tx, about.agency_id);
}

const taskKey = (messageId: bigint): string => `agencyUnreachable:${messageId}`;

async function lockMessage(tx: Tx, messageId: bigint) {
  return await tx
    .selectFrom('agency_messages')
    .select(['status', 'kind', 'data', 'document_id'])
    .where('id', '=', messageId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}

/** What never changes of a message, its placement and its agency but for the agency's name and way. */
async function placementOf(tx: Tx, messageId: bigint) {
  return await tx
    .selectFrom('agency_messages as m')
    .innerJoin('placements as p', 'p.id', 'm.placement_id')
    .innerJoin('agencies as a', 'a.id', 'm.agency_id')
    .select(['m.placement_id', 'm.agency_id', 'm.kind', 'p.creditor_id', 'p.invoice_id', 'a.name', 'a.deliver_by'])
    .where('m.id', '=', messageId)
    .executeTakeFirstOrThrow();
}
