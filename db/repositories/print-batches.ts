import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Act } from '../act.ts';
import { inTransaction, instant, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Address } from '../types.ts';
import { itemsOf } from './contacts.ts';
import type { HolidaysOf } from './customer-facts.ts';
import { lastLook } from './last-look.ts';
import { recordPost, withdrawUnprinted } from './letters.ts';
import { lockCustomers, lockInvoices } from './locks.ts';
import type { SendingRow } from './sending.ts';

/** A letter that goes into a batch, with where it goes. */
export interface BatchLetter {
  contactId: string;
  channel: 'letter' | 'registeredLetter';
  pdf: Buffer;
  recipient: string;
  address: Address;
}

/** What the printer makes of the letters: one PDF and the table a mailing house works by. */
export interface PrintedBatch {
  pdf: Uint8Array;
  pages: number;
  manifest: string;
}

/**
 * The second look at letters (design rule 6), each in a transaction of its own under the locks of its customer and
 * invoices: what is still true is committed as `sending`, and from then on is not taken back; what is not is withdrawn and
 * planned anew. At most `limit` letters with a postal address, oldest first. A request that fails leaves letters `sending`
 * that are in no batch, so nobody has printed them: they are looked at again, and the next batch has what is still true.
 */
export async function fenceLetters(
  db: Db,
  act: Act,
  creditorId: string,
  which: { channels: readonly ('letter' | 'registeredLetter')[]; limit: number; holidays: HolidaysOf },
): Promise<void> {
  const waiting = await db
    .selectFrom('contacts as c')
    .innerJoin('documents as d', 'd.contact_id', 'c.id')
    .select('c.id')
    .where('c.creditor_id', '=', creditorId)
    .where('c.channel', 'in', which.channels)
    .where('c.status', 'in', ['queued', 'sending'])
    .where('c.print_batch_id', 'is', null)
    .where('d.content_type', '=', 'application/pdf')
    .orderBy('c.seq')
    .limit(which.limit)
    .execute();
  for (const { id } of waiting) await inTransaction(db, (tx) => fence(tx, act, id, which.holidays));
}

async function fence(tx: Tx, act: Act, contactId: string, holidays: HolidaysOf): Promise<void> {
  const known = await tx
    .selectFrom('contacts')
    .select('customer_id')
    .where('id', '=', contactId)
    .executeTakeFirstOrThrow();
  await lockCustomers(tx, [known.customer_id]);
  const items = await itemsOf(tx, contactId);
  const invoiceIds = items.map((i) => i.invoice_id);
  await lockInvoices(tx, invoiceIds);
  const contact = await tx
    .selectFrom('contacts')
    .selectAll()
    .where('id', '=', contactId)
    .where('status', 'in', ['queued', 'sending'])
    .where('print_batch_id', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  if (!contact) return;
  const look = { contact: contact as unknown as SendingRow, items, now: act.at, holidays, late: false };
  const untrue = await lastLook(tx, look);
  if (untrue !== null) return await withdrawUnprinted(tx, act, contactId, untrue);
  if (contact.status === 'sending') return;
  await tx
    .updateTable('contacts')
    .set({ status: 'sending', sending_at: instant(act.at), sending_real: sql<Date>`clock_timestamp()` })
    .where('id', '=', contactId)
    .execute();
}

/** The letters that are to be printed: fenced, and in no batch yet. */
export async function lettersToPrint(
  db: Db,
  creditorId: string,
  channels: readonly ('letter' | 'registeredLetter')[],
  limit: number,
): Promise<BatchLetter[]> {
  const rows = await db
    .selectFrom('contacts as c')
    .innerJoin('documents as d', 'd.contact_id', 'c.id')
    .innerJoin('customers as u', 'u.id', 'c.customer_id')
    .select(['c.id', 'c.channel', 'd.bytes', 'u.name', 'u.address'])
    .where('c.creditor_id', '=', creditorId)
    .where('c.channel', 'in', channels)
    .where('c.status', '=', 'sending')
    .where('c.print_batch_id', 'is', null)
    .where('d.content_type', '=', 'application/pdf')
    .orderBy('c.seq')
    .limit(limit)
    .execute();
  return rows.flatMap((row) =>
    row.address === null
      ? []
      : [
          {
            contactId: row.id,
            channel: row.channel as BatchLetter['channel'],
            pdf: row.bytes,
            recipient: row.name,
            address: row.address,
          },
        ],
  );
}

/** Keeps a batch and puts its letters into it; those that another batch took meanwhile make it void: null. */
export async function keepBatch(
  tx: Tx,
  act: Act,
  creditorId: string,
  letters: readonly BatchLetter[],
  printed: PrintedBatch,
): Promise<string | null> {
  const id = newId('prb');
  await tx
    .insertInto('print_batches')
    .values({
      id,
      creditor_id: creditorId,
      letters: letters.length,
      pages: printed.pages,
      pdf: Buffer.from(printed.pdf),
      manifest: printed.manifest,
      actor: act.actor,
      at: instant(act.at),
    })
    .execute();
  const taken = await tx
    .updateTable('contacts')
    .set({ print_batch_id: id })
    .where(
      'id',
      'in',
      letters.map((l) => l.contactId),
    )
    .where('print_batch_id', 'is', null)
    .where('status', '=', 'sending')
    .executeTakeFirst();
  return taken.numUpdatedRows === BigInt(letters.length) ? id : null;
}

const SHOWN = ['id', 'seq', 'letters', 'pages', 'actor', 'at'] as const;

/** Batches of a creditor, newest first, behind the position `after`. */
export async function listBatches(db: Db, creditorId: string, after: bigint | null, count: number) {
  return await db
    .selectFrom('print_batches')
    .select(SHOWN)
    .where('creditor_id', '=', creditorId)
    .$if(after !== null, (query) => query.where('seq', '<', after))
    .orderBy('seq', 'desc')
    .limit(count)
    .execute();
}

export type BatchRow = Awaited<ReturnType<typeof listBatches>>[number];

export async function findBatch(db: Db | Tx, creditorId: string, batchId: string): Promise<BatchRow | undefined> {
  return await db
    .selectFrom('print_batches')
    .select(SHOWN)
    .where('creditor_id', '=', creditorId)
    .where('id', '=', batchId)
    .executeTakeFirst();
}

/** How many of a batch's letters are not posted yet. */
export async function unposted(db: Db | Tx, batchIds: readonly string[]): Promise<Map<string, number>> {
  if (batchIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('contacts')
    .select(['print_batch_id', (eb) => eb.fn.countAll<bigint>().as('n')])
    .where('print_batch_id', 'in', batchIds)
    .where('status', '=', 'sending')
    .groupBy('print_batch_id')
    .execute();
  return new Map(rows.map((row) => [row.print_batch_id!, Number(row.n)]));
}

export async function batchFile(
  db: Db,
  creditorId: string,
  batchId: string,
): Promise<{ pdf: Buffer; manifest: string } | undefined> {
  return await db
    .selectFrom('print_batches')
    .select(['pdf', 'manifest'])
    .where('creditor_id', '=', creditorId)
    .where('id', '=', batchId)
    .executeTakeFirst();
}

/**
 * All letters of a batch were posted on that day; tracking numbers by contact, as the manifest came back. What the post has
 * spoken of already stays as it is. Returns how many were posted by this. Throws `unknownContact` for a number of a letter
 * that is not in the batch, and what `recordPost` refuses.
 */
export async function postBatch(
  tx: Tx,
  act: Act,
  creditorId: string,
  batchId: string,
  posted: { on: string; trackingNumbers: ReadonlyMap<string, string> },
): Promise<number> {
  const letters = await tx
    .selectFrom('contacts')
    .select(['id', 'customer_id', 'status'])
    .where('creditor_id', '=', creditorId)
    .where('print_batch_id', '=', batchId)
    .orderBy('id')
    .execute();
  await lockCustomers(
    tx,
    letters.map((l) => l.customer_id),
  );
  const strangers = [...posted.trackingNumbers.keys()].filter((id) => !letters.some((l) => l.id === id));
  if (strangers.length > 0) throw unknownContacts(strangers);
  const waiting = letters.filter((l) => l.status === 'sending');
  for (const { id } of waiting) {
    const trackingNumber = posted.trackingNumbers.get(id) ?? null;
    await recordPost(tx, act, creditorId, id, { status: 'dispatched', on: posted.on, trackingNumber });
  }
  return waiting.length;
}

function unknownContacts(ids: readonly string[]): DomainError {
  const message = 'The batch has no such letter.';
  return new DomainError(
    'unknownContact',
    message,
    ids.map((id) => ({ pointer: `/trackingNumbers/${id}`, code: 'unknownContact', message })),
  );
}
