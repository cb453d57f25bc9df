import { sql } from 'kysely';
import { addDays } from '../../domain/time/dates.ts';
import { localDate, type Instant } from '../../domain/time/zones.ts';
import { inTransaction, instantValue, type Db } from '../database.ts';
import type { RetentionKind, RetentionSetting } from '../types.ts';
import { eraseContacts, eraseDocuments } from './erasure.ts';

/**
 * Days that each kind of record is kept where a creditor says nothing; null: for ever. Letters and what was said about a
 * claim count among the papers a merchant keeps for ten years (France, code de commerce, article L123-22; Germany keeps
 * business letters for six, HGB § 257). What invoices, journal and chains hold is not subject to it.
 */
export const RETENTION_DEFAULTS: Readonly<Record<RetentionKind, number | null>> = {
  mailBodies: 3_650,
  documents: 3_650,
  eventTexts: 3_650,
  inbox: 730,
  imports: 730,
  idempotencyKeys: 7,
};

export const RETENTION_KINDS = Object.keys(RETENTION_DEFAULTS) as RetentionKind[];

/** What counts for a creditor: its own days, else the defaults. */
export function retentionOf(setting: RetentionSetting): Record<RetentionKind, number | null> {
  return { ...RETENTION_DEFAULTS, ...setting };
}

/** Rows of one kind that are erased at once. */
const BATCH = 200;

/**
 * Erases a batch of each kind that is older than its creditor keeps it, by the business clock (answers under idempotency
 * keys by the real one). Nothing that an open case still needs is old enough. True where a batch was full: come again.
 */
export async function applyRetention(
  db: Db,
  creditor: { id: string; time_zone: string; retention: RetentionSetting },
  now: Instant,
): Promise<boolean> {
  const kept = retentionOf(creditor.retention);
  let full = false;
  for (const kind of RETENTION_KINDS) {
    const days = kept[kind];
    if (days === null) continue;
    if ((await ERASERS[kind](db, creditor.id, cutOff(creditor, now, days))) >= BATCH) full = true;
  }
  return full;
}

interface CutOff {
  /** What is of before this date, or this instant, goes. */
  day: string;
  at: Instant;
  days: number;
  now: Instant;
}

function cutOff({ time_zone: zone }: { time_zone: string }, now: Instant, days: number): CutOff {
  return { day: addDays(localDate(now, zone), -days), at: now - days * 86_400_000, days, now };
}

type Eraser = (db: Db, creditorId: string, before: CutOff) => Promise<number>;

const ERASERS: Readonly<Record<RetentionKind, Eraser>> = {
  mailBodies: (db, creditorId, before) =>
    inTransaction(db, async (tx) => {
      const { rows } = await sql<{ id: string }>`
        select c.id from contacts c
        where c.creditor_id = ${creditorId} and c.erased_at is null and c.day < ${before.day}::date
          and c.status not in ('queued', 'sending', 'unknown')
          and not exists (select 1 from contact_items ci join invoices i on i.id = ci.invoice_id
            where ci.contact_id = c.id and i.stage not in ('writtenOff', 'settled', 'cancelled'))
        order by c.day limit ${BATCH} for update of c skip locked`.execute(tx);
      await eraseContacts(
        tx,
        before.now,
        rows.map((r) => r.id),
      );
      return rows.length;
    }),
  documents: (db, creditorId, before) =>
    inTransaction(db, async (tx) => {
      const { rows } = await sql<{ id: string }>`
        select d.id from documents d
        where d.creditor_id = ${creditorId} and d.erased_at is null and d.kind <> 'invoice'
          and d.at < ${instantValue(before.at)}
          and not exists (select 1 from document_invoices di join invoices i on i.id = di.invoice_id
            where di.document_id = d.id and i.stage not in ('writtenOff', 'settled', 'cancelled'))
        order by d.at limit ${BATCH} for update of d skip locked`.execute(tx);
      await eraseDocuments(
        tx,
        before.now,
        rows.map((r) => r.id),
      );
      const batches = await sql`
        update print_batches set pdf = '', manifest = '' where id in (
          select id from print_batches where creditor_id = ${creditorId} and at < ${instantValue(before.at)}
            and pdf <> '' order by seq limit ${BATCH} for update skip locked)`.execute(tx);
      return Math.max(rows.length, affected(batches));
    }),
  eventTexts: async (db, creditorId, before) =>
    affected(
      await sql`
        delete from event_texts where event_id in (
          select t.event_id from event_texts t
          join events e on e.id = t.event_id
          join invoices i on i.id = e.invoice_id
          where i.creditor_id = ${creditorId} and e.at < ${instantValue(before.at)}
            and i.stage in ('writtenOff', 'settled', 'cancelled')
          limit ${BATCH})`.execute(db),
    ),
  // The row stays: its keys are what tells a repeat.
  // A bank's files are what its messages are: kept as they came, for as long.
  inbox: async (db, creditorId, before) => {
    const messages = await sql`
        update inbox set body = '' where id in (
          select id from inbox where creditor_id = ${creditorId} and received_at < ${instantValue(before.at)}
            and status in ('applied', 'unreadable') and body <> ''
          order by id limit ${BATCH} for update skip locked)`.execute(db);
    const files = await sql`
        with old as (
          update statements set erased_at = ${instantValue(before.now)}, filename = null where id in (
            select id from statements where creditor_id = ${creditorId} and at < ${instantValue(before.at)}
              and erased_at is null
            order by seq limit ${BATCH} for update skip locked)
          returning id),
        gone as (delete from statement_chunks where statement_id in (select id from old))
        select id from old`.execute(db);
    return Math.max(affected(messages), files.rows.length);
  },
  imports: async (db, creditorId, before) => {
    const advices = await sql`
      update remittance_advices set source = null where id in (
        select id from remittance_advices where creditor_id = ${creditorId} and at < ${instantValue(before.at)}
          and source is not null
        order by seq limit ${BATCH} for update skip locked)`.execute(db);
    const imports = await sql`
        update imports set body = '', filename = null where id in (
          select id from imports where creditor_id = ${creditorId} and at < ${instantValue(before.at)}
            and status = 'done' and body <> ''
          order by seq limit ${BATCH} for update skip locked)`.execute(db);
    return Math.max(affected(advices), affected(imports));
  },
  idempotencyKeys: async (db, creditorId, before) =>
    affected(
      await sql`
        delete from idempotency_keys where (owner, key) in (
          select owner, key from idempotency_keys where owner = ${creditorId}
            and recorded_at < clock_timestamp() - make_interval(days => ${before.days}::int)
          limit ${BATCH})`.execute(db),
    ),
};

const affected = (result: { numAffectedRows?: bigint }): number => Number(result.numAffectedRows ?? 0n);
