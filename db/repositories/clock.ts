import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { REAL_TIME, type ClockSetting } from '../../domain/time/business-clock.ts';
import type { Instant } from '../../domain/time/zones.ts';
import { inTransaction, instant, instantValue, type Db, type Tx } from '../database.ts';

const DAY_MS = 86_400_000;

/** The business clock as it is kept with the data; real time where nothing is kept (design rule 8). */
export async function loadClock(db: Db | Tx): Promise<ClockSetting> {
  const row = await db.selectFrom('clock').selectAll().executeTakeFirst();
  if (!row) return REAL_TIME;
  return { anchorReal: row.anchor_real, anchorBusiness: row.anchor_business, dayMs: Number(row.day_ms) };
}

export interface ClockWish {
  /** Where the business clock is to begin; undefined: at the real time, or as it is kept. */
  now?: Instant | undefined;
  /** Real milliseconds of 24 business hours; undefined: 86 400 000, or as it is kept. */
  dayMs?: number | undefined;
  /** The real clock, epoch milliseconds. */
  realNow: number;
}

/**
 * Sets the business clock going when a stack starts and returns its setting. A clock that differs from real time stood
 * still meanwhile and goes on from the latest moment it is known to have shown: the last one noted, or the latest that
 * anything was recorded at. Throws `clockDiffers` when the data was kept under another length of day or another begin.
 */
export async function anchorClock(db: Db, wish: ClockWish): Promise<ClockSetting> {
  return inTransaction(db, async (tx) => {
    await sql`lock table clock in share row exclusive mode`.execute(tx);
    const kept = await tx.selectFrom('clock').selectAll().executeTakeFirst();
    const dayMs = wish.dayMs ?? (kept ? Number(kept.day_ms) : DAY_MS);
    if (kept) {
      if (dayMs !== Number(kept.day_ms) || (wish.now !== undefined && wish.now !== kept.begun_business)) {
        throw new DomainError(
          'clockDiffers',
          `This data is kept under a business clock that began at ${new Date(kept.begun_business).toISOString()} and ` +
            `whose day lasts ${kept.day_ms} ms: start it with the same, or with other data.`,
        );
      }
      const anchorBusiness = Math.max(kept.last_seen_business, await latestRecorded(tx));
      await tx
        .updateTable('clock')
        .set({
          anchor_real: instant(wish.realNow),
          anchor_business: instant(anchorBusiness),
          last_seen_business: instant(anchorBusiness),
        })
        .execute();
      return { anchorReal: wish.realNow, anchorBusiness, dayMs };
    }
    if (dayMs === DAY_MS && wish.now === undefined) return REAL_TIME;
    if (await tx.selectFrom('creditors').select('id').limit(1).executeTakeFirst()) {
      throw new DomainError('clockDiffers', 'This data is kept in real time: start it so, or with other data.');
    }
    const begun = wish.now ?? wish.realNow;
    await tx
      .insertInto('clock')
      .values({
        anchor_real: instant(wish.realNow),
        anchor_business: instant(begun),
        day_ms: BigInt(dayMs),
        begun_business: instant(begun),
        last_seen_business: instant(begun),
      })
      .execute();
    return { anchorReal: wish.realNow, anchorBusiness: begun, dayMs };
  });
}

/** Notes what the business clock shows, so that it goes on from there after a crash. Nothing to do in real time. */
export async function touchClock(db: Db, businessNow: Instant): Promise<void> {
  await db
    .updateTable('clock')
    .set({ last_seen_business: instant(businessNow) })
    .where('last_seen_business', '<', instantValue(businessNow))
    .execute();
}

/** The latest business moment at which anything was recorded; the epoch when nothing was. */
async function latestRecorded(tx: Tx): Promise<Instant> {
  const { rows } = await sql<{ latest: number }>`
    select coalesce(greatest(
      (select max(at) from events), (select max(at) from journal_entries), (select max(at) from allocations),
      (select max(at) from holds), (select max(at) from case_steps), (select max(at) from commands),
      (select max(at) from rollouts), (select max(at) from bulk_commands),
      (select max(at) from delivery_events), (select max(received_at) from inbox),
      (select max(turned_at) from invoices), (select max(greatest(opened_at, closed_at)) from tasks),
      (select max(greatest(queued_at, sending_at, sent_at, finished_at)) from contacts)
    ), 'epoch'::timestamptz) as latest`.execute(tx);
  return rows[0]?.latest ?? 0;
}
