import { sql } from 'kysely';
import type { Instant } from '../../domain/time/zones.ts';
import { inTransaction, instant, type Db } from '../database.ts';
import { pokeAgency, pokeFeed, pokeOutreach, startCase, startImport, wakeCase } from './outbox.ts';

/** Something that should be moving and is not. */
export interface Stray {
  kind: 'case' | 'outreach' | 'feed' | 'agency' | 'import';
  id: string;
  /** Run of a case. */
  run: number;
  /** A case that never took a turn: where its workflow runs, that turn is queued and needs no message. */
  fresh: boolean;
}

/** Nothing younger than this, in real time, is taken for stray: it may just be on its way. */
const PATIENCE_SECONDS = 10;
const LIMIT = 200;

/**
 * Finds what is stuck, `now` being the business clock and `dayMs` its day: cases whose moment passed without a turn or
 * that never took one, requests whose moment passed, inbox rows, messages to agencies and imports that nobody works on. Messages that still
 * stand in the outbox are on their way and are left alone.
 */
export async function claimStrays(db: Db, now: Instant, dayMs: number): Promise<Stray[]> {
  const patience = (PATIENCE_SECONDS * 1000 * 86_400_000) / dayMs;
  const before = instant(now - patience);
  const real = sql`clock_timestamp() - make_interval(secs => ${PATIENCE_SECONDS})`;
  const { rows } = await sql<Stray>`
    (select 'case' as kind, i.id, i.run, i.turned_at is null as fresh from invoices i
      where i.stage not in ('writtenOff', 'settled', 'cancelled')
        and ((i.turned_at is null and i.recorded_at < ${real}) or i.wake_at < ${before}::timestamptz)
        and not exists (select 1 from outbox o where o.target = i.id)
      limit ${LIMIT})
    union all
    (select distinct 'outreach', s.customer_id, 0, false from case_steps s
      join customers u on u.id = s.customer_id
      where s.status = 'requested' and s.planned_at < ${before}::timestamptz and s.recorded_at < ${real}
        and (u.outreach_wake_at is null or u.outreach_wake_at < ${before}::timestamptz)
        and not exists (select 1 from outbox o where o.coalesce_key = 'outreach:' || s.customer_id)
      limit ${LIMIT})
    union all
    (select distinct 'feed', b.feed_id, 0, false from (
        select feed_id, recorded_at from inbox where status in ('pending', 'fetch')
          and (not_before is null or not_before < clock_timestamp())
        union all select feed_id, recorded_at from bank_transactions where state = 'pending'
        union all select feed_id, recorded_at from receipts where look_again
      ) b
      where b.recorded_at < ${real}
        and not exists (select 1 from outbox o where o.coalesce_key = 'feed:' || b.feed_id)
      limit ${LIMIT})
    union all
    (select distinct 'agency', g.agency_id, 0, false from agency_messages g
      where g.status = 'pending' and g.at < ${before}::timestamptz
        and not exists (select 1 from outbox o where o.coalesce_key = 'agency:' || g.agency_id)
      limit ${LIMIT})
    union all
    (select 'import', m.id, 0, false from imports m
      where m.status = 'running' and m.recorded_at < ${real} and m.done_rows = 0
        and not exists (select 1 from outbox o where o.target = m.id)
      limit ${LIMIT})`.execute(db);
  return rows;
}

/** Sends it its message once more; a case whose workflow does not run is started. */
export async function ringAgain(db: Db, stray: Stray, restart: boolean): Promise<void> {
  await inTransaction(db, async (tx) => {
    if (stray.kind === 'case') {
      if (restart) await startCase(tx, stray.id, stray.run);
      else await wakeCase(tx, stray.id);
    } else if (stray.kind === 'outreach') await pokeOutreach(tx, stray.id);
    else if (stray.kind === 'feed') await pokeFeed(tx, stray.id);
    else if (stray.kind === 'agency') await pokeAgency(tx, stray.id);
    else await startImport(tx, stray.id);
  });
}
