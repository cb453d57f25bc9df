import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { createDatabase, type Db } from '../../db/database.ts';
import type { Benchmark } from '../main.ts';
import { bound, controlHolds, print, show, spread, table } from '../support/report.ts';
import { withServers } from '../support/servers.ts';
import { load, type LoadResult } from './load.ts';
import { prepare, type Prepared } from './requests.ts';
import type { Ready } from './server.ts';

const LEAST_RATIO = 2;
/** For the fixed rate of the latency rounds: so much of what one commit a request sustains. */
const SHARE_OF_CAPACITY = 0.6;
const LATENCY_REQUESTS = 1_500;

type Who = keyof Ready['ports'];
type Round = Record<Who, LoadResult>;

export const benchmark: Benchmark = {
  about: 'webhooks: signature, dedupe and commit before 2xx; many rows a commit against one',
  options: { rounds: 9, requests: 2_000, connections: 64, feeds: 16, pool: 16 },
  run: async (options) =>
    withServers({ temporal: false }, async ({ databaseUrl }) => {
      const db = createDatabase(databaseUrl, { max: 2, applicationName: 'bench' });
      const { child, ready } = await startServer(databaseUrl, options);
      try {
        return await measure(db, ready, options);
      } finally {
        child.kill();
        await db.destroy();
      }
    }),
};

async function startServer(
  databaseUrl: string,
  options: Readonly<Record<string, number>>,
): Promise<{ child: ChildProcess; ready: Ready }> {
  const file = fileURLToPath(new URL('./server.ts', import.meta.url));
  const child = fork(file, [databaseUrl, String(options['feeds']), String(options['pool'])], {
    execArgv: ['--import', import.meta.resolve('tsx')],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The API ended with ${String(code)} before it listened.`);
  });
  const [ready] = (await Promise.race([once(child, 'message'), ended])) as [Ready];
  ended.catch(() => undefined);
  return { child, ready };
}

async function measure(db: Db, ready: Ready, options: Readonly<Record<string, number>>): Promise<boolean> {
  const connections = options['connections']!;
  const sent: Prepared[] = [];
  const run = async (who: Who, count: number, rate?: number): Promise<LoadResult> => {
    const requests = prepare(ready.feeds, count);
    const result = await load(ready.ports[who], requests, { connections, ...(rate === undefined ? {} : { rate }) });
    sent.push(...requests);
    // The relay is not part of this: without it a poke is updated for ever and its dead versions pile up.
    await sql`truncate outbox`.execute(db);
    return result;
  };

  print('Each variant is the API itself with a pool of its own; the control is a second one that groups.');
  for (const who of ['grouped', 'single', 'control'] as const) await run(who, options['requests']!);
  const closed = await rounds(options['rounds']!, (who) => run(who, options['requests']!));
  print();
  print(`as fast as ${connections} connections can, ${options['requests']} requests a variant and round`);
  report(closed);
  const rate = Math.max(50, Math.round(SHARE_OF_CAPACITY * spread(closed.map((r) => r.single.rate)).median));
  const open = await rounds(options['rounds']!, (who) => run(who, LATENCY_REQUESTS, rate));
  print();
  print(`at a fixed ${rate} requests a second (${SHARE_OF_CAPACITY} of what one commit a request can)`);
  report(open);

  const again = await repeat(db, ready, sent);
  const ratio = spread(closed.map((r) => r.grouped.rate / r.single.rate));
  const control = spread(closed.map((r) => r.grouped.rate / r.control.rate));
  const p99Closed = spread(closed.map((r) => r.grouped.p99 / r.single.p99));
  const p99Open = spread(open.map((r) => r.grouped.p99 / r.single.p99));
  print();
  print(`requests a second, grouped / single: ${show(ratio)}`);
  print(`               control (A/A): ${show(control)}`);
  print(`p99, grouped / single: ${show(p99Closed)} at full speed, ${show(p99Open)} at the fixed rate`);
  print();
  return [
    bound(`every 204 is one row, and a repeat adds none: ${again}`, again === 'yes'),
    bound(`the control stays within 0.95 and 1.05: ${control.median.toFixed(2)}`, controlHolds(control)),
    bound(
      `grouped takes ${ratio.median.toFixed(2)} times as many (${LEAST_RATIO.toFixed(2)})`,
      ratio.median >= LEAST_RATIO,
    ),
    bound(
      `its p99 is no worse: ${p99Open.median.toFixed(2)} of the other's`,
      p99Open.median <= 1 && p99Closed.median <= 1,
    ),
  ].every(Boolean);
}

/** One variant after the other, beginning with another one each time. */
async function rounds(count: number, run: (who: Who) => Promise<LoadResult>): Promise<Round[]> {
  const order: Who[] = ['grouped', 'single', 'control'];
  const done: Round[] = [];
  for (let round = 0; round < count; round++) {
    const results: Partial<Round> = {};
    for (const who of order) results[who] = await run(who);
    done.push(results as Round);
    order.push(order.shift()!);
  }
  return done;
}

function report(done: readonly Round[]): void {
  table(
    ['variant', 'requests/s', 'p50 ms', 'p99 ms'],
    (['grouped', 'control', 'single'] as const).map((who) => {
      const median = (pick: (r: LoadResult) => number): number => spread(done.map((round) => pick(round[who]))).median;
      const p99 = spread(done.map((round) => round[who].p99));
      return [
        who,
        median((r) => r.rate).toFixed(0),
        median((r) => r.p50).toFixed(1),
        `${p99.median.toFixed(1)} (${p99.low.toFixed(1)} to ${p99.high.toFixed(1)})`,
      ];
    }),
  );
}

/** Sends what was sent last once more, as a bank would that did not hear the answer. */
async function repeat(db: Db, ready: Ready, sent: readonly Prepared[]): Promise<string> {
  const rows = async (): Promise<number> =>
    Number((await sql<{ n: bigint }>`select count(*) as n from inbox`.execute(db)).rows[0]?.n);
  const before = await rows();
  await load(ready.ports.grouped, sent.slice(-200), { connections: 8 });
  await load(ready.ports.single, sent.slice(-200), { connections: 8 });
  const after = await rows();
  return before === sent.length && after === before ? 'yes' : `${sent.length} sent, ${before} rows, then ${after}`;
}
