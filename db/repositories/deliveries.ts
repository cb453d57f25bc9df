import { sql } from 'kysely';
import { THANK_YOU } from '../../domain/case/requests.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { recordBounced } from './agency-messages.ts';
import { itemsOf, tellCases, tellSent } from './contacts.ts';
import { lockCustomers, lockInvoices } from './locks.ts';
import { wakeCases } from './outbox.ts';
import { openReturnedMail, recordFailed } from './sending.ts';
import { closeTaskByKey } from './tasks.ts';

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
  await tellSent(tx, act, contactId, {});
  await catchUpDelivery(tx, act, contactId, providerId);
}

export type DeliveryStatus =
  'sent' | 'delivered' | 'bounced' | 'complained' | 'failed' | 'delayed' | 'suppressed' | 'other';

/** The mail did not arrive and will not. */
const LOST: ReadonlySet<DeliveryStatus> = new Set(['bounced', 'failed', 'suppressed']);

export interface DeliveryNotice {
  /** The provider's id of the event: each counts once. */
  eventId: string;
  providerId: string;
  /** The tag `contact` of the mail, where the event carries its tags. */
  contactTag: string | null;
  /** The tag `message` of a mail to an agency. */
  agencyMessage?: string;
  status: DeliveryStatus;
}

/**
 * What the provider says about a mail. The state of a contact only moves forward: a late `sent` changes nothing after
 * `delivered`. A bounce stops the address, fails the contact and opens a `returnedMail` task; a complaint does all but fail it. An event that
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
  if (!contact) {
    if (notice.agencyMessage !== undefined && LOST.has(notice.status)) {
      await recordBounced(tx, act, notice.agencyMessage, notice.status);
    }
    return true;
  }
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
    .select(['status', 'creditor_id', 'customer_id', 'recipients', 'reference'])
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
  if (status === 'complained') {
    // It reached them and they will not have it: the contact stands, the address is written to no more.
    await stopAddresses(tx, act, contactId, contact, status);
    await openReturnedMail(tx, act, contactId, contact, status);
    await wakeAsking(tx, contact.customer_id);
    return;
  }
  if (['bounced', 'suppressed', 'failed'].includes(status) && contact.status !== 'failed') {
    if (status !== 'failed') await stopAddresses(tx, act, contactId, contact, status);
    await recordFailed(tx, act, contactId, status);
    await closeTaskByKey(tx, act, contact.creditor_id, `unknownSend:${contactId}`, 'done', { outcome: status });
    if (status !== 'failed') await wakeAsking(tx, contact.customer_id);
  }
}

async function stopAddresses(
  tx: Tx,
  act: Act,
  contactId: string,
  contact: { creditor_id: string; recipients: string[] },
  reason: string,
): Promise<void> {
  await tx
    .insertInto('stopped_addresses')
    .values(
      contact.recipients.map((email) => ({
        creditor_id: contact.creditor_id,
        email: email.toLowerCase(),
        reason,
        contact_id: contactId,
        at: instant(act.at),
      })),
    )
    .onConflict((c) =>
      c.columns(['creditor_id', 'email']).doUpdateSet({ lifted_at: null, reason, at: instant(act.at) }),
    )
    .execute();
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
