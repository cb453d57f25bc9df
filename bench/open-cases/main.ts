import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { createDatabase, type Db } from '../../db/database.ts';
import { addDays } from '../../domain/time/dates.ts';
import { localDate } from '../../domain/time/zones.ts';
import { openBook } from '../../test/support/book.ts';
import type { Benchmark } from '../main.ts';
import { refuseRejected, uploadFile } from '../support/imports.ts';
import { memoryOf } from '../support/memory.ts';
import { bound, controlHolds, print, show, spread, table } from '../support/report.ts';
import { withServers, type Servers } from '../support/servers.ts';
import { startChild, startWorker, stopWorker } from '../support/worker.ts';
import type { BareAnswer, BareOrder } from './bare-worker.ts';

const LEAST_RATIO = 0.5;
const INVOICES_A_CUSTOMER = 10;
const POLICY = {
  steps: [
    { key: 'before', day: -5, from: 'due', channel: 'email', template: 'before-due', tone: 'courteous' },
    { key: 'one', day: 5, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'two', day: 12, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' },
  ],
};

interface Round {
  bare: BareAnswer;
  control: BareAnswer;
  importMs: number;
}

export const benchmark: Benchmark = {
  about: 'opening 5,000 cases through the import against bare workflow starts; memory of the worker',
  options: { cases: 5_000, rounds: 8 },
  run: async (options) =>
    withServers({ temporal: true }, async (servers) => {
      const db = createDatabase(servers.databaseUrl, { max: 2, applicationName: 'bench' });
      const worker = await startWorker(servers);
      const bare = await startBareWorker(servers);
      try {
        return await measure(servers, db, worker, bare, options['cases']!, options['rounds']!);
      } finally {
        bare.kill();
        await stopWorker(worker);
        await db.destroy();
      }
    }),
};

/** Bundled beforehand like ours, so that no worker carries webpack's memory. */
async function startBareWorker({ folder, temporal }: Servers): Promise<ChildProcess> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./bare-workflow.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  const file = join(folder, 'bare.js');
  await writeFile(file, code);
  return await startChild(fileURLToPath(new URL('./bare-worker.ts', import.meta.url)), [
    temporal.address,
    temporal.namespace,
    file,
  ]);
}

async function measure(
  servers: Servers,
  db: Db,
  worker: ChildProcess,
  bare: ChildProcess,
  cases: number,
  roundCount: number,
): Promise<boolean> {
  const perRound = Math.ceil(cases / roundCount);
  const creditor = await openBook(
    { db, clock: { now: Date.now, setting: undefined as never, delayUntil: () => 0 } },
    POLICY,
  );
  print(
    `${roundCount} rounds of ${perRound} bare starts, ${perRound} invoices by CSV, and ${perRound} bare starts again`,
  );
  const empty = memoryOf(worker.pid!);
  const bareEmpty = memoryOf(bare.pid!);
  const rounds: Round[] = [];
  for (let round = 0; round < roundCount; round++) {
    const before = await startBare(bare, perRound);
    const importMs = await importInvoices(db, creditor.id, perRound, round);
    const after = await startBare(bare, perRound);
    rounds.push({ bare: before, control: after, importMs });
  }
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const full = memoryOf(worker.pid!);
  const bareFull = memoryOf(bare.pid!);
  const running = await countRunning(servers, 'invoiceCase');

  const rate = (ms: number): number => (1000 * perRound) / ms;
  const imported = spread(rounds.map((r) => rate(r.importMs)));
  const resting = spread(rounds.flatMap((r) => [rate(r.bare.restingMs), rate(r.control.restingMs)]));
  const started = spread(rounds.flatMap((r) => [rate(r.bare.startedMs), rate(r.control.startedMs)]));
  const ratio = spread(rounds.map((r) => (r.bare.restingMs + r.control.restingMs) / 2 / r.importMs));
  const strict = spread(rounds.map((r) => (r.bare.startedMs + r.control.startedMs) / 2 / r.importMs));
  const control = spread(rounds.map((r) => r.bare.restingMs / r.control.restingMs));
  print();
  table(
    ['what', 'a second'],
    [
      ['cases imported, until each has taken its first turn', show(imported, 0)],
      ['bare workflows, until each has run its first task', show(resting, 0)],
      ['bare workflows, until the server has taken each start', show(started, 0)],
    ],
  );
  print();
  print(`imported / bare, both at rest: ${show(ratio)}`);
  print(`imported at rest / bare starts only taken: ${show(strict)}`);
  print(`control (A/A): ${show(control)}`);
  print(
    `memory of the worker: ${empty.now.toFixed(0)} MB before, ${full.now.toFixed(0)} MB with ${running} open cases` +
      (full.peak === null ? '' : `, at most ${full.peak.toFixed(0)} MB`),
  );
  print(`memory of the bare one: ${bareEmpty.now.toFixed(0)} MB before, ${bareFull.now.toFixed(0)} MB afterwards`);
  print();
  const wanted = perRound * roundCount;
  return [
    bound(`${running} cases run of ${wanted} imported`, running === wanted),
    bound(`the control stays within 0.95 and 1.05: ${control.median.toFixed(2)}`, controlHolds(control)),
    bound(
      `cases open at ${ratio.median.toFixed(2)} times the rate of bare starts (${LEAST_RATIO.toFixed(2)})`,
      ratio.median >= LEAST_RATIO,
    ),
  ].every(Boolean);
}

async function startBare(child: ChildProcess, count: number): Promise<BareAnswer> {
  const answer = once(child, 'message');
  child.send({ count } satisfies BareOrder);
  return (await answer)[0] as BareAnswer;
}

/** Uploads a file of invoices that fall due in a month; real milliseconds until each case has taken its first turn. */
async function importInvoices(db: Db, creditorId: string, count: number, round: number): Promise<number> {
  const today = localDate(Date.now(), 'Europe/Paris');
  const lines = Array.from({ length: count }, (_, index) => {
    const customer = `${round}-${Math.floor(index / INVOICES_A_CUSTOMER)}`;
    const mail = `c${customer}@customer.example`;
    const due = addDays(today, 30 + (index % 20));
    return `F-${round}-${index};${today};${due};${100 + (index % 900)}.00;EUR;C${customer};Customer ${customer};${mail}`;
  });
  const begin = performance.now();
  const importId = await uploadFile(db, creditorId, lines, Date.now());
  for (;;) {
    const row = await db
      .selectFrom('invoices')
      .select((eb) => eb.fn.countAll<bigint>().as('turned'))
      .where('creditor_id', '=', creditorId)
      .where('turned_at', 'is not', null)
      .executeTakeFirstOrThrow();
    if (Number(row.turned) >= count * (round + 1)) return performance.now() - begin;
    await refuseRejected(db, importId);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function countRunning(servers: Servers, workflowType: string): Promise<number> {
  const connection = await Connection.connect({ address: servers.temporal.address });
  const client = new Client({ connection, namespace: servers.temporal.namespace });
  const { count } = await client.workflow.count(`WorkflowType = '${workflowType}' AND ExecutionStatus = 'Running'`);
  await connection.close();
  return count;
}
