import { sql } from 'kysely';
import { extendRates, rateBook, type RateBook, type RateSeries, type ReferenceRate } from '../../domain/law/rates.ts';
import type { Act } from '../act.ts';
import { instant, type Db, type Tx } from '../database.ts';

/** Two people may add at once: the second has to see what the first added. */
const RATES_LOCK = 7_204_117;

/** Every reference rate that is known: those of the program and those that people added. */
export async function loadRates(db: Db | Tx): Promise<RateBook> {
  return rateBook((await addedRates(db)).map(({ actor: _, ...rate }) => rate));
}

/** The rates that people added, with who did, in the order of their series and dates. */
export async function addedRates(db: Db | Tx): Promise<(ReferenceRate & { actor: string })[]> {
  const rows = await db.selectFrom('reference_rates').selectAll().orderBy('series').orderBy('from_on').execute();
  return rows.map((row) => ({
    series: row.series as RateSeries,
    from: row.from_on,
    to: row.to_on,
    rate: row.rate,
    source: row.source,
    actor: row.actor,
  }));
}

/**
 * Adds rates with their source; those that are known already with the same value change nothing. How many are new.
 * Throws `ratesInvalid` and adds none where one leaves a gap, overlaps or contradicts what is known.
 */
export async function addRates(tx: Tx, act: Act, rates: readonly ReferenceRate[]): Promise<number> {
  await lockRates(tx);
  const known = await loadRates(tx);
  extendRates(known, rates);
  const isNew = ({ series, from }: ReferenceRate): boolean => !known.get(series)?.some((row) => row.from === from);
  const added = new Map(rates.filter(isNew).map((rate) => [`${rate.series} ${rate.from}`, rate]));
  if (added.size === 0) return 0;
  await tx
    .insertInto('reference_rates')
    .values(
      [...added.values()].map(({ series, from, to, rate, source }) => ({
        series,
        from_on: from,
        to_on: to,
        rate,
        source,
        actor: act.actor,
        at: instant(act.at),
      })),
    )
    .execute();
  return added.size;
}

async function lockRates(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(${RATES_LOCK})`.execute(tx);
}
