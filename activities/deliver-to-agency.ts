import { activityInfo } from '@temporalio/activity';
import { systemAct } from '../db/act.ts';
import { inTransaction } from '../db/database.ts';
import { findAgency, type AgencyRow } from '../db/repositories/agencies.ts';
import {
  agencyFileBytes,
  keepAgencyFile,
  nextAgencyMessage,
  openUnreachable,
  pendingAgencyMessages,
  recordRefused,
  recordTold,
  recordUntold,
  type AgencyMessage,
} from '../db/repositories/agency-messages.ts';
import { agencyContext, loadClaim, type AgencyContext } from '../db/repositories/claim-file.ts';
import { isoInstant } from '../domain/time/zones.ts';
import { buildClaimFile, sha256Of } from './agency/claim-file.ts';
import { agencyMail } from './agency/mail.ts';
import { AgencyNotReached, noticeIdOf, noticeTypeOf, type Handing } from './agency/notice.ts';
import { postWebhook } from './agency/webhook.ts';
import type { ActivityDeps } from './deps.ts';
import type { MailMessage } from './mail/resend-client.ts';

/** An agency that cannot be told for so long, in real time, becomes a task; the message goes on being tried. */
export const UNREACHABLE_AFTER_MS = 12 * 3_600_000;

/**
 * Tells an agency the oldest thing it has not been told: that a case is placed with it, with its file; that the balance
 * is another; that it is recalled. A message goes out under one id and one body however often it is tried. Throws
 * `AgencyNotReached`, for Temporal to try again, when it did not get through.
 */
export function createDeliverToAgency(deps: ActivityDeps) {
  return async function deliver({ agencyId }: { agencyId: string }): Promise<{ told: number; left: number }> {
    const { db, clock } = deps;
    const message = await nextAgencyMessage(db, agencyId);
    if (!message) return { told: 0, left: 0 };
    const handing = await handOver(deps, agencyId, message);
    const act = systemAct(clock.now());
    if (handing.kind === 'again') {
      await recordUntold(db, message.id, handing.code);
      if (Date.now() - activityInfo().scheduledTimestampMs >= (deps.agencies.patienceMs ?? UNREACHABLE_AFTER_MS)) {
        await inTransaction(db, (tx) => openUnreachable(tx, act, message.id, handing.code));
      }
      throw new AgencyNotReached(handing.code);
    }
    await inTransaction(db, (tx) =>
      handing.kind === 'told' ? recordTold(tx, act, message.id) : recordRefused(tx, act, message.id, handing.code),
    );
    return { told: handing.kind === 'told' ? 1 : 0, left: await pendingAgencyMessages(db, agencyId) };
  };
}

async function handOver(deps: ActivityDeps, agencyId: string, message: AgencyMessage): Promise<Handing> {
  const context = await agencyContext(deps.db, message.placementId);
  const agency = await findAgency(deps.db, context.creditorId, agencyId);
  if (!agency) throw new Error('A message is addressed to an agency that is not on record.');
  const file = message.kind === 'handover' ? await fileOf(deps, message, context) : null;
  switch (agency.deliver_by) {
    case 'download':
      // It looks for itself; from now on there is something to see.
      return { kind: 'told' };
    case 'email':
      return await byMail(deps, agency, message, context, file);
    case 'webhook':
      return await byWebhook(deps, agency, message, context, file);
  }
}

/** The file of a message is built once and kept: a repeat sends the same bytes. */
async function fileOf(deps: ActivityDeps, message: AgencyMessage, context: AgencyContext): Promise<Buffer> {
  const { db } = deps;
  if (message.documentId !== null) return await agencyFileBytes(db, message.documentId);
  const claim = await loadClaim(db, message.placementId, message.at);
  if (!claim) throw new Error('A message is about a placement that is not on record.');
  const bytes = await buildClaimFile(claim.facts, claim.documents, deps.agencies.papers);
  const documentId = await inTransaction(db, (tx) =>
    keepAgencyFile(tx, systemAct(deps.clock.now()), message.id, { ...context, bytes }),
  );
  return await agencyFileBytes(db, documentId);
}

async function byMail(
  deps: ActivityDeps,
  agency: AgencyRow,
  message: AgencyMessage,
  context: AgencyContext,
  file: Buffer | null,
): Promise<Handing> {
  if (agency.email === null) return { kind: 'refused', code: 'noAddress' };
  const id = noticeIdOf(message);
  const mail = agencyMail({
    type: noticeTypeOf(message),
    id,
    placementId: message.placementId,
    agency: { email: agency.email, reference: agency.reference },
    creditor: context.creditor,
    invoiceNumber: context.invoiceNumber,
    amount: textOf(message.data['balance'] ?? message.data['amount']),
    currency: context.currency,
    file,
  });
  const outcome = await deps.agencies.mailer.send(mail, keyOf(mail, id, message.data['retries']));
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'told' };
    case 'refused':
      return { kind: 'refused', code: outcome.code };
    case 'retryLater':
    case 'paused':
    case 'unknown':
      return { kind: 'again', code: outcome.code };
  }
}

async function byWebhook(
  deps: ActivityDeps,
  agency: AgencyRow,
  message: AgencyMessage,
  context: AgencyContext,
  file: Buffer | null,
): Promise<Handing> {
  if (agency.webhook_url === null) return { kind: 'refused', code: 'noAddress' };
  const secrets = agency.secrets.map(({ sealed }) => deps.agencies.openSecret(sealed, agency.id));
  const { again: _again, retries: _retries, ...said } = message.data;
  const path = `/v1/placements/${message.placementId}/file`;
  const body = JSON.stringify({
    type: noticeTypeOf(message),
    timestamp: isoInstant(message.at),
    data: {
      placementId: message.placementId,
      invoiceId: context.invoiceId,
      agencyReference: agency.reference,
      ...said,
      ...(file === null ? {} : { file: { path, sha256: sha256Of(file), bytes: file.byteLength } }),
    },
  });
  return await postWebhook(agency.webhook_url, secrets, { id: noticeIdOf(message), body, realNow: new Date() });
}

/**
 * The provider's idempotency key: of this very mail, since a key with another body is refused, as after the address of the
 * agency was put right. The file is kept and the same each time.
 */
function keyOf(mail: MailMessage, id: string, retries: unknown): string {
  const { attachments: _, ...rest } = mail;
  return `${id}_${sha256Of(Buffer.from(JSON.stringify([rest, retries ?? 0]))).slice(0, 16)}`;
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
