import type { Selectable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { CollectsFor } from '../../domain/law/collector.ts';
import type { Period } from '../../domain/policy/types.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import { localDate } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Address, Database, RetentionSetting } from '../types.ts';
import { installPresets } from './policies.ts';

export type CreditorRow = Selectable<Database['creditors']>;

/** What a creditor says of itself; `null` is "none". */
export interface CreditorInput {
  name: string;
  country: string;
  timeZone: string;
  locale: string;
  senderEmail: string;
  replyTo: string | null;
  address: Address | null;
  registrationId: string | null;
  vatId: string | null;
  iban: string | null;
  defaultPolicy: string | null;
  /** Days from issue to due where an imported document names no due date. */
  paymentDays: number;
  closedWeeks: readonly Period[];
  /** Working days for which an unread reply holds its customer; 0: not at all. 3 unless said. */
  replyHoldWorkingDays?: number;
  /** Days for which a case rests once the customer's platform says that a payment was sent. 7 unless said. */
  paymentSentDays?: number;
  /** For whom it collects; null or absent: for itself. */
  collectsFor?: CollectsFor | null;
  /** The agency that cases go to where nobody names one. */
  defaultAgency?: string | null;
  /** Days each kind of record is kept; what is not said follows the defaults (`retention.ts`). */
  retention?: RetentionSetting;
}

/** Adds a creditor with the preset policies as their version 1. */
export async function createCreditor(tx: Tx, act: Act, input: CreditorInput): Promise<string> {
  const id = newId('cre');
  await tx
    .insertInto('creditors')
    .values({ id, ...columns(input), created_at: instant(act.at) })
    .execute();
  await installPresets(tx, act, id);
  return id;
}

/** Changes what is given. Open cases keep the policy they pinned. */
export async function changeCreditor(tx: Tx, creditorId: string, changes: Partial<CreditorInput>): Promise<void> {
  const current = await tx
    .selectFrom('creditors')
    .selectAll()
    .where('id', '=', creditorId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  await tx
    .updateTable('creditors')
    .set(columns({ ...inputOf(current), ...changes }))
    .where('id', '=', creditorId)
    .execute();
}

export async function findCreditor(db: Db | Tx, creditorId: string): Promise<CreditorRow | undefined> {
  return await db.selectFrom('creditors').selectAll().where('id', '=', creditorId).executeTakeFirst();
}

/** Creditors, newest first, behind the position `after`. */
export async function listCreditors(db: Db, after: bigint | null, count: number): Promise<CreditorRow[]> {
  return await db
    .selectFrom('creditors')
    .selectAll()
    .$if(after !== null, (query) => query.where('seq', '<', after))
    .orderBy('seq', 'desc')
    .limit(count)
    .execute();
}

/** What the daily upkeep needs to know of every creditor. */
export async function creditorsForUpkeep(
  db: Db,
): Promise<{ id: string; time_zone: string; retention: RetentionSetting }[]> {
  return await db.selectFrom('creditors').select(['id', 'time_zone', 'retention']).orderBy('id').execute();
}

function columns(input: CreditorInput) {
  return {
    name: input.name,
    country: input.country,
    time_zone: input.timeZone,
    locale: input.locale,
    sender_email: input.senderEmail,
    reply_to: input.replyTo,
    address: input.address && json(input.address),
    registration_id: input.registrationId,
    vat_id: input.vatId,
    iban: input.iban,
    default_policy: input.defaultPolicy,
    payment_days: input.paymentDays,
    closed_weeks: json(input.closedWeeks),
    ...(input.replyHoldWorkingDays === undefined ? {} : { reply_hold_working_days: input.replyHoldWorkingDays }),
    default_agency: input.defaultAgency ?? null,
    retention: json(input.retention ?? {}),
    ...(input.paymentSentDays === undefined ? {} : { payment_sent_days: input.paymentSentDays }),
    collects_for: input.collectsFor ? json(input.collectsFor) : null,
  };
}

function inputOf(row: CreditorRow): CreditorInput {
  return {
    name: row.name,
    country: row.country,
    timeZone: row.time_zone,
    locale: row.locale,
    senderEmail: row.sender_email,
    replyTo: row.reply_to,
    address: row.address,
    registrationId: row.registration_id,
    vatId: row.vat_id,
    iban: row.iban,
    defaultPolicy: row.default_policy,
    paymentDays: row.payment_days,
    closedWeeks: row.closed_weeks,
    replyHoldWorkingDays: row.reply_hold_working_days,
    defaultAgency: row.default_agency,
    retention: row.retention,
    paymentSentDays: row.payment_sent_days,
    collectsFor: row.collects_for,
  };
}

/** The date at that creditor's, and whether it collects for others, who owe something on such a day. */
export async function creditorsDay(
  db: Db | Tx,
  act: Pick<Act, 'at'>,
  creditorId: string,
): Promise<{ today: LocalDate; collectsForOthers: boolean }> {
  const creditor = await db
    .selectFrom('creditors')
    .select(['time_zone', 'collects_for'])
    .where('id', '=', creditorId)
    .executeTakeFirst();
  if (!creditor) throw new DomainError('notFound', 'There is no such creditor.');
  return { today: localDate(act.at, creditor.time_zone), collectsForOthers: creditor.collects_for !== null };
}

/** The date at that creditor's. */
export const creditorsDate = async (db: Db | Tx, act: Pick<Act, 'at'>, creditorId: string): Promise<LocalDate> =>
  (await creditorsDay(db, act, creditorId)).today;
