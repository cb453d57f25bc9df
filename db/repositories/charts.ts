import { checkChart, FRENCH_CHART, type Chart } from '../../domain/books/chart.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';

export interface StoredChart {
  /** 0: nobody has set one, the defaults count. */
  version: number;
  chart: Chart;
}

/** The chart of accounts that counts now. */
export async function findChart(db: Db | Tx, creditorId: string): Promise<StoredChart> {
  const row = await db
    .selectFrom('charts')
    .select(['version', 'chart'])
    .where('creditor_id', '=', creditorId)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row) return { version: 0, chart: FRENCH_CHART };
  // Accounts that the service knows since a chart was set have their default numbers in it.
  return { ...row, chart: { ...row.chart, accounts: { ...FRENCH_CHART.accounts, ...row.chart.accounts } } };
}

/** Sets the chart; an equal one changes nothing. Throws `chartInvalid`. */
export async function putChart(tx: Tx, act: Act, creditorId: string, chart: Chart): Promise<StoredChart> {
  checkChart(chart);
  await tx.selectFrom('creditors').select('id').where('id', '=', creditorId).forUpdate().execute();
  const before = await findChart(tx, creditorId);
  if (canonical(before.chart) === canonical(chart)) return before;
  const version = before.version + 1;
  await tx
    .insertInto('charts')
    .values({ creditor_id: creditorId, version, chart: json(chart), actor: act.actor, at: instant(act.at) })
    .execute();
  return { version, chart };
}

const canonical = (chart: Chart): string =>
  JSON.stringify(chart, (_, value: unknown) =>
    value !== null && typeof value === 'object'
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
