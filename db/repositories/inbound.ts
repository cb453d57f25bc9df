import { DomainError } from '../../domain/errors.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import { addWorkingDays, type Holidays } from '../../domain/time/working-days.ts';
import { instantAt, localDate, type Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { InboundChannel } from '../types.ts';
import { appendEvents } from './events.ts';
import { setHold } from './holds.ts';
import { lockCustomers, lockInvoices } from './locks.ts';
import { openTask } from './tasks.ts';

export interface NewInbound {
  customerId: string;
  channel: InboundChannel;
  receivedAt: Instant;
  /** What was written or said: personal data, which stands here and in the task, never in an event. */
  text: string;
  /** The invoices it is about, as far as that is known. */
  invoiceIds: readonly string[];
}

const BY: Readonly<Record<InboundChannel, string>> = { email: 'by e-mail', call: 'by telephone', letter: 'by letter' };

/**
 * The customer answered. All contacts of the customer are held, whatever the answer is about, until somebody has read it
 * (task `readReply`), for the creditor's working days at most: `holidays` are those of the customer's place. Each reply
 * has its own hold. With 0 days nothing is held, but the task opens all the same. Throws `notFound` for a customer or an
 * invoice of somebody else, `customerMismatch`, `futureDate`.
 */
export async function recordInbound(
  tx: Tx,
  act: Act,
  creditorId: string,
  input: NewInbound,
  holidays: (country: string, postalCode: string | null) => Holidays,
): Promise<string> {
  const { customerId } = input;
  await lockCustomers(tx, [customerId]);
  const home = await tx
    .selectFrom('customers as u')
    .innerJoin('creditors as c', 'c.id', 'u.creditor_id')
    .select(['u.country', 'u.address', 'c.time_zone', 'c.reply_hold_working_days'])
    .where('u.id', '=', customerId)
    .where('u.creditor_id', '=', creditorId)
    .executeTakeFirst();
  if (!home) throw new DomainError('notFound', 'There is no such customer.');
  if (input.receivedAt > act.at) {
    const message = 'The reply cannot have come later than now.';
    throw new DomainError('futureDate', message, [{ pointer: '/receivedAt', code: 'futureDate', message }]);
  }
  await requireOwnInvoices(tx, creditorId, input);
  // All of them, since the hold is on all: locked by id in one go.
  const open = await openInvoices(tx, customerId);
  await lockInvoices(tx, open);
  const concerned = input.invoiceIds.length === 0 ? open : open.filter((one) => input.invoiceIds.includes(one));

  const id = newId('inb');
  const today = localDate(act.at, home.time_zone);
  const days = home.reply_hold_working_days;
  const until =
    days === 0 ? null : addWorkingDays(today, days, holidays(home.country, home.address?.postalCode ?? null));
  await appendEvents(
    tx,
    act,
    concerned.map((invoiceId) => ({ invoiceId, kind: 'replied', data: { inboundId: id, channel: input.channel } })),
  );
  const holdId =
    until === null
      ? null
      : await setHold(tx, act, { customerId, invoiceId: null, kind: 'customer', untilOn: until, sourceId: id });
  const { taskId } = await openTask(tx, act, {
    creditorId,
    kind: 'readReply',
    key: `readReply:${id}`,
    customerId,
    subject: `The customer replied ${BY[input.channel]}: read it`,
    body: input.text,
    data: { inboundId: id, channel: input.channel, invoiceIds: [...input.invoiceIds], until },
    dueAt: instantAt(until ?? today, '24:00', home.time_zone),
  });
  await tx
    .insertInto('inbound_messages')
    .values({
      id,
      creditor_id: creditorId,
      customer_id: customerId,
      channel: input.channel,
      received_at: instant(input.receivedAt),
      text: input.text,
      invoice_ids: [...input.invoiceIds],
      hold_id: holdId,
      task_id: taskId,
      actor: act.actor,
      at: instant(act.at),
    })
    .execute();
  return id;
}

async function requireOwnInvoices(tx: Tx, creditorId: string, input: NewInbound): Promise<void> {
  const named = [...new Set(input.invoiceIds)];
  if (named.length === 0) return;
  const rows = await tx
    .selectFrom('invoices')
    .select(['id', 'customer_id'])
    .where('creditor_id', '=', creditorId)
    .where('id', 'in', named)
    .execute();
  if (rows.length < named.length) throw new DomainError('notFound', 'There is no such invoice.');
  const foreign = rows.find((row) => row.customer_id !== input.customerId);
  if (!foreign) return;
  const pointer = `/invoiceIds/${input.invoiceIds.indexOf(foreign.id)}`;
  const message = 'The invoice is another customer’s.';
  throw new DomainError('customerMismatch', message, [{ pointer, code: 'customerMismatch', message }]);
}

async function openInvoices(tx: Tx, customerId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('invoices')
    .select('id')
    .where('customer_id', '=', customerId)
    .where('stage', 'not in', ['writtenOff', 'settled', 'cancelled'])
    .execute();
  return rows.map(({ id }) => id);
}

export interface InboundRow {
  id: string;
  seq: bigint;
  customer_id: string;
  channel: InboundChannel;
  received_at: Instant;
  text: string | null;
  invoice_ids: string[];
  hold_id: string | null;
  task_id: string | null;
  until_on: LocalDate | null;
  read_at: Instant | null;
}

function inboundRows(db: Db | Tx, creditorId: string) {
  return db
    .selectFrom('inbound_messages as m')
    .leftJoin('holds as h', 'h.id', 'm.hold_id')
    .leftJoin('tasks as t', 't.id', 'm.task_id')
    .select([
      'm.id',
      'm.seq',
      'm.customer_id',
      'm.channel',
      'm.received_at',
      'm.text',
      'm.invoice_ids',
      'm.hold_id',
      'm.task_id',
      'h.until_on',
      't.closed_at as read_at',
    ])
    .where('m.creditor_id', '=', creditorId);
}

/** Replies of a customer, newest first, behind the position `after`. */
export async function listInbound(
  db: Db,
  creditorId: string,
  customerId: string,
  after: bigint | null,
  count: number,
): Promise<InboundRow[]> {
  return await inboundRows(db, creditorId)
    .where('m.customer_id', '=', customerId)
    .$if(after !== null, (query) => query.where('m.seq', '<', after))
    .orderBy('m.seq', 'desc')
    .limit(count)
    .execute();
}

export async function findInbound(db: Db | Tx, creditorId: string, inboundId: string): Promise<InboundRow | undefined> {
  return await inboundRows(db, creditorId).where('m.id', '=', inboundId).executeTakeFirst();
}
