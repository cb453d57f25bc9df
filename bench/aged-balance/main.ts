import { performance } from 'node:perf_hooks';
import { sql, type RawBuilder } from 'kysely';
import { systemAct } from '../../db/act.ts';
import { createDatabase, inTransaction, type Db } from '../../db/database.ts';
import { agedByCustomer, agedTotals, bucketTotals, buckets } from '../../db/repositories/aged-balance.ts';
import { post } from '../../db/repositories/ledger.ts';
import { lockInvoice } from '../../db/repositories/locks.ts';
import { foldReceivables, owedByDueDay } from '../../db/repositories/receivable-sums.ts';
import { writtenOff } from '../../domain/ledger/postings.ts';
import { addDays, type LocalDate } from '../../domain/time/dates.ts';
import { parseInstant } from '../../domain/time/zones.ts';
import type { Benchmark } from '../main.ts';
import { bound, controlHolds, print, quantile, show, spread, table, type Spread } from '../support/report.ts';
import { withServers } from '../support/servers.ts';
import { seed, TODAY } from './book.ts';

const LEAST_AGAINST_SCAN = 500;
const LEAST_AGAINST_INDEX = 20;
const MOST_WRITE_TAX = 1.25;

/** The report is asked so many times for each time a rival is: one of it is over before a clock has ticked. */
const TIMES = 20;
const WRITERS = 4;
/** Write transactions of one variant and round. */
const WRITES = 2_000;
const FOLD_EVERY_MS = 5_000;

export const benchmark: Benchmark = {
  about:
    'aged balance of one creditor: roll-up against a sequential scan and a covering index, and what writes pay for it',
  options: { invoices: 5_000_000, rounds: 7 },
  run: async (options) =>
    withServers({ temporal: false }, async ({ databaseUrl }) => {
      const db = createDatabase(databaseUrl, { max: WRITERS + 2, applicationName: 'bench' });
      try {
        const creditorId = await seed(db, options['invoices']!);
        const reads = await measureReads(db, creditorId, options['rounds']!);
        const writes = await measureWrites(db, creditorId, options['rounds']!, options['invoices']!);
        print();
        return [...reads, ...writes].map(([what, holds]) => bound(what, holds)).every(Boolean);
      } finally {
        await db.destroy();
      }
    }),
};

type Verdict = [what: string, holds: boolean];

/** The report of today by the ways there are, in turns. The rivals read the balance that each invoice keeps: as of today only. */
async function measureReads(db: Db, creditorId: string, rounds: number): Promise<Verdict[]> {
  await sql`create index bench_covering on invoices (creditor_id, currency, due_on) include (balance_minor)
    where balance_minor <> 0`.execute(db);
  await sql`vacuum (analyze) invoices`.execute(db);
  const filter = { asOf: TODAY };
  const kept = sql`select currency, due_on, balance_minor as amount from invoices
    where creditor_id = ${creditorId} and balance_minor <> 0`;
  const ways: Record<string, () => Promise<unknown>> = {
    'roll-up': () => many(() => bucketTotals(db, creditorId, filter)),
    control: () => many(() => bucketTotals(db, creditorId, filter)),
    'sequential scan': () => totalsOf(db, kept, 'seqscan'),
    'covering index': () => totalsOf(db, kept, 'indexonlyscan'),
  };
  const times: Record<string, number[]> = {};
  const answers = new Map<string, string>();
  for (let round = -1; round < rounds; round++) {
    for (const [way, read] of Object.entries(ways)) {
      const begin = performance.now();
      const rows = await read();
      const ms = (performance.now() - begin) / (way === 'roll-up' || way === 'control' ? TIMES : 1);
      answers.set(
        way,
        JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
      );
      // The first round warms the buffers.
      if (round >= 0) (times[way] ??= []).push(ms);
    }
  }
  print();
  print('one report as of today, milliseconds as the client sees them');
  table(
    ['way', 'median', 'low quartile', 'high quartile'],
    Object.entries(times).map(([way, ms]) => [way, ...[0.5, 0.25, 0.75].map((p) => quantile(ms, p).toFixed(3))]),
  );
  print('beside it, by the service, milliseconds');
  const beside: [string, () => Promise<unknown>][] = [
    ['totals with what is disputed', () => agedTotals(db, creditorId, filter)],
    [
      'totals as of the end of last month',
      () => agedTotals(db, creditorId, { asOf: addDays(`${TODAY.slice(0, 7)}-01`, -1) }),
    ],
    ['totals as of a year and a half ago', () => agedTotals(db, creditorId, { asOf: addDays(TODAY, -550) })],
    ['a page of 50 customers', () => agedByCustomer(db, creditorId, filter, null, 50)],
  ];
  for (const [what, read] of beside) {
    await read();
    const begin = performance.now();
    for (let n = 0; n < 5; n++) await read();
    print(`  ${what.padEnd(36)} ${((performance.now() - begin) / 5).toFixed(2)}`);
  }
  await sql`drop index bench_covering`.execute(db);
  const against = (way: string): Spread => spread(times[way]!.map((ms, round) => ms / times['roll-up']![round]!));
  const control = against('control');
  return [
    ['all ways say the same', new Set(answers.values()).size === 1],
    [`the control is ${show(control)}`, controlHolds(control)],
    [
      `a sequential scan takes ${show(against('sequential scan'), 0)} times as long (at least ${LEAST_AGAINST_SCAN})`,
      against('sequential scan').median >= LEAST_AGAINST_SCAN,
    ],
    [
      `a covering index takes ${show(against('covering index'), 1)} times as long (at least ${LEAST_AGAINST_INDEX})`,
      against('covering index').median >= LEAST_AGAINST_INDEX,
    ],
  ];
}

async function many<T>(read: () => Promise<T>): Promise<T> {
  for (let n = 1; n < TIMES; n++) await read();
  return await read();
}

/** A report from the invoices themselves, by one way of reading them; as parallel as the server likes. */
async function totalsOf(db: Db, owed: RawBuilder<unknown>, way: 'seqscan' | 'indexonlyscan'): Promise<unknown> {
  return await db.transaction().execute(async (tx) => {
    for (const other of ['seqscan', 'indexscan', 'indexonlyscan', 'bitmapscan']) {
      await sql`set local ${sql.raw(`enable_${other}`)} = ${sql.lit(other === way ? 'on' : 'off')}`.execute(tx);
    }
    const { rows } = await sql`select o.currency, ${buckets(sql`${TODAY}::date`)} from (${owed}) as o
      group by o.currency order by o.currency`.execute(tx);
    return rows;
  });
}

/**
 * The price of a posting: the invoice is locked, an entry with its postings is written and the balance moved, by several
 * writers, with the roll-up and without, in turns. Without it the same postings are made up for afterwards, so that the
 * roll-up must be the journal again at the end.
 */
async function measureWrites(db: Db, creditorId: string, rounds: number, invoices: number): Promise<Verdict[]> {
  const round = Object.assign(
    async (rolledUp: boolean): Promise<number> => {
      const trigger = sql.raw(rolledUp ? 'enable' : 'disable');
      await sql`alter table postings ${trigger} trigger postings_receivable`.execute(db);
      return await write(db, creditorId, WRITES, invoices, round);
    },
    { next: 0 },
  );
  const before = await bareWrites(db, creditorId);
  const folding = foldAllTheWhile(db);
  const times = { with: [] as number[], without: [] as number[], control: [] as number[] };
  for (let n = -1; n < rounds; n++) {
    const measured = { with: await round(true), without: await round(false), control: await round(true) };
    if (n < 0) continue;
    for (const [way, ms] of Object.entries(measured)) times[way as keyof typeof times].push(ms);
  }
  await folding.stop();
  await sql`alter table postings enable trigger postings_receivable`.execute(db);
  await makeUp(db, creditorId, before);
  print();
  print(
    `${WRITES} postings a variant and round by ${WRITERS} writers, folded every ${FOLD_EVERY_MS / 1000} s; a second`,
  );
  table(
    ['', 'median', 'low quartile', 'high quartile'],
    Object.entries(times).map(([way, ms]) => [
      way,
      ...[0.5, 0.75, 0.25].map((p) => ((1000 * WRITES) / quantile(ms, p)).toFixed(0)),
    ]),
  );
  const tax = spread(times.with.map((ms, n) => ms / times.without[n]!));
  const control = spread(times.with.map((ms, n) => ms / times.control[n]!));
  const differences: string[] = [];
  for (const asOf of [TODAY, addDays(TODAY, -45), '2025-12-31', addDays(TODAY, -700)]) {
    differences.push(...(await differ(db, creditorId, asOf)));
  }
  return [
    [`the control is ${show(control)}`, controlHolds(control)],
    [
      `a posting takes ${show(tax)} times as long with the roll-up (at most ${MOST_WRITE_TAX})`,
      tax.median <= MOST_WRITE_TAX,
    ],
    [
      `roll-up and journal are equal, EXCEPT both ways, on four days${differences.map((d) => `; ${d}`).join('')}`,
      differences.length === 0,
    ],
  ];
}

/** Posts `count` times, one cent a time, by writers of their own; returns milliseconds. */
async function write(
  db: Db,
  creditorId: string,
  count: number,
  invoices: number,
  done: { next: number },
): Promise<number> {
  const act = systemAct(parseInstant(`${TODAY}T10:00:00Z`));
  const begin = performance.now();
  const last = done.next + count;
  const writer = async (): Promise<void> => {
    for (let n = done.next++; n < last; n = done.next++) {
      // Open ones: one of ten was never paid.
      const invoiceId = `inv_${(n * 10 + 9) % invoices}`;
      await inTransaction(db, async (tx) => {
        const invoice = await lockInvoice(tx, invoiceId);
        const { customer_id: customerId, currency } = invoice;
        await post(tx, act, creditorId, TODAY, writtenOff({ invoiceId, customerId, amountMinor: 1n, currency, n }));
      });
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  done.next = last;
  return performance.now() - begin;
}

function foldAllTheWhile(db: Db): { stop(): Promise<void> } {
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      await foldReceivables(db);
      for (let waited = 0; waited < FOLD_EVERY_MS && !stopped; waited += 100) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}

/** The newest entry, before any is written without the roll-up. */
async function bareWrites(db: Db, creditorId: string): Promise<bigint> {
  const { rows } = await sql<{ id: bigint }>`
    select max(id) as id from journal_entries where creditor_id = ${creditorId}`.execute(db);
  return rows[0]!.id;
}

/** What the rounds without the roll-up owe it: what the journal has since then and no delta was written for. */
async function makeUp(db: Db, creditorId: string, since: bigint): Promise<void> {
  await sql`
    insert into receivable_deltas (creditor_id, currency, due_on, on_date, amount_minor)
    select p.creditor_id, p.currency, i.due_on, e.on_date, p.amount_minor
    from journal_entries e join postings p on p.entry_id = e.id and p.account = 'receivable' join invoices i on i.id = p.invoice_id
    where e.creditor_id = ${creditorId} and e.id > ${since} and split_part(e.key, ':', 3)::bigint / ${WRITES} % 3 = 1`.execute(
    db,
  );
}

/** Where roll-up and journal say something else of a day, EXCEPT both ways. */
async function differ(db: Db, creditorId: string, asOf: LocalDate): Promise<string[]> {
  const rolledUp = sql`select currency, due_on, sum(amount) as amount from (${owedByDueDay(creditorId, asOf, undefined)}) as r
    group by 1, 2 having sum(amount) <> 0`;
  const journal = sql`select p.currency, i.due_on, sum(p.amount_minor) as amount
    from postings p join journal_entries e on e.id = p.entry_id join invoices i on i.id = p.invoice_id
    where p.creditor_id = ${creditorId} and p.account = 'receivable' and e.on_date <= ${asOf}
    group by 1, 2 having sum(p.amount_minor) <> 0`;
  const { rows } = await sql<{ side: string; n: bigint }>`
    with a as (${rolledUp}), b as (${journal})
    select 'only in the roll-up' as side, count(*) as n from (select * from a except select * from b) as x
    union all select 'only in the journal', count(*) from (select * from b except select * from a) as y`.execute(db);
  return rows.filter(({ n }) => n > 0n).map(({ side, n }) => `${asOf}: ${n} ${side}`);
}
