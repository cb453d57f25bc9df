import type { ChildProcess } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { createDatabase, type Db } from '../../db/database.ts';
import { anchorClock } from '../../db/repositories/clock.ts';
import { addDays } from '../../domain/time/dates.ts';
import { localDate, parseInstant } from '../../domain/time/zones.ts';
import { StackError } from '../../scripts/stack/errors.ts';
import { openBook } from '../../test/support/book.ts';
import { createBusinessClock } from '../../worker/business-clock.ts';
import type { Benchmark } from '../main.ts';
import { refuseRejected, uploadFile } from '../support/imports.ts';
import { memoryOf, processorTimeOf } from '../support/memory.ts';
import { bound, print, quantile, table } from '../support/report.ts';
import { withServers } from '../support/servers.ts';
import { startWorker, stopWorker } from '../support/worker.ts';
import { startProvider, type Provider } from './provider.ts';

/** A case of the large burst may take so many times as long as one of the small. */
const MOST_TIME_PER_CASE = 1.2;
/** Two small bursts that differ by more than this say that this machine can tell nothing just now. */
const CONTROL = 1.25;
/** Ten times the cases may need so much more of the worker's memory, at its peak: what the collector has not yet taken. */
const MOST_MEMORY = 1.5;

/** A Tuesday: the business clock runs at the speed of the real one, and begins here. */
const BEGIN = '2026-02-03T07:00:00Z';
const ZONE = 'Europe/Paris';
const MINUTE_MS = 60_000;
const STEP = 'before';
/** Of 20 invoices 4 are of one customer, the others each of their own: 17 messages. */
const GROUP = { of: 20, together: 4, messages: 17 };
/** Cases a second that are reckoned with before any have been opened. */
const CAUTIOUS_RATE = 25;
/** Between the opening of the last case and the burst, in real milliseconds. */
const REST_MS = 20_000;
/** Nothing has left for so long: it will not. */
const STUCK_MS = 120_000;

/** What one burst took. Real milliseconds from the moment that everything was planned for. */
interface Burst {
  cases: number;
  /** How late each message left: `sending` was committed and the provider called. */
  lateness: number[];
  /** Invoices that a message asked for. */
  asked: number;
  /** Resident memory of the worker at most while it lasted, in MB. */
  memory: number;
  /** Processor time that the worker used for it, in milliseconds. */
  processorMs: number;
  /** Cases opened a second, beforehand. */
  openingRate: number;
}

interface Stage {
  db: Db;
  clock: ReturnType<typeof createBusinessClock>;
  /** The worker that runs now, and the way to the next. */
  worker: ChildProcess;
  nextWorker: () => Promise<ChildProcess>;
  provider: Provider;
}

export const benchmark: Benchmark = {
  about: '5,000 cases due at the same moment against 500: how late each contact leaves, time per case, memory',
  options: { cases: 5_000, few: 500 },
  run: async (options) =>
    withServers({ temporal: true }, async (servers) => {
      const db = createDatabase(servers.databaseUrl, { max: 2, applicationName: 'bench' });
      const setting = await anchorClock(db, { now: parseInstant(BEGIN), realNow: Date.now() });
      const provider = await startProvider();
      const nextWorker = () => startWorker(servers, provider.url);
      const stage: Stage = {
        db,
        clock: createBusinessClock(setting),
        worker: await nextWorker(),
        nextWorker,
        provider,
      };
      try {
        return await measure(stage, options['few']!, options['cases']!);
      } finally {
        await stopWorker(stage.worker);
        await provider.stop();
        await db.destroy();
      }
    }),
};

async function measure(stage: Stage, few: number, many: number): Promise<boolean> {
  print(
    `three bursts, of ${few}, ${many} and ${few} cases; of ${GROUP.of} invoices ${GROUP.together} are of one customer`,
  );
  const bursts: Burst[] = [];
  for (const [index, cases] of [few, many, few].entries()) {
    const burst = await runBurst(stage, cases, index, bursts.at(-1)?.openingRate ?? CAUTIOUS_RATE);
    bursts.push(burst);
    print(
      `  ${cases} cases were opened at ${burst.openingRate.toFixed(0)} a second and left in ${seconds(burst.lateness, 1)} s`,
    );
  }
  return report(stage, bursts);
}

/** Opens the cases of a creditor of their own, lets them rest, and waits until all have asked at their moment. */
async function runBurst(stage: Stage, cases: number, index: number, expectedRate: number): Promise<Burst> {
  const { db, clock } = stage;
  const leadMs = REST_MS + cases * (2_000 / expectedRate);
  const moment = Math.ceil((clock.now() + leadMs) / MINUTE_MS) * MINUTE_MS;
  const creditor = await openBook({ db, clock }, policyFor(moment));
  const begin = performance.now();
  await openCases(stage, creditor.id, cases, index);
  const openingRate = (1000 * cases) / (performance.now() - begin);
  // A case whose moment comes has slept for days and is in no worker's memory. Here it has slept for seconds, and a worker
  // that had opened them would find most of a small burst in its memory and next to none of a large one.
  await stopWorker(stage.worker);
  const worker = (stage.worker = await stage.nextWorker());
  if (clock.now() > moment - REST_MS / 2) throw new StackError('The cases opened too slowly to rest before the burst.');

  const momentReal = Date.now() + clock.delayUntil(moment);
  await pause(momentReal - Date.now());
  const processorBefore = processorTimeOf(worker.pid!);
  let memory = 0;
  let progress = { asked: -1, at: Date.now() };
  for (;;) {
    memory = Math.max(memory, memoryOf(worker.pid!).now);
    const asked = await askedSoFar(db, creditor.id);
    if (asked > progress.asked) progress = { asked, at: Date.now() };
    if (asked >= cases) break;
    if (Date.now() - progress.at > STUCK_MS) {
      print(`  only ${asked} of ${cases} invoices were asked for`);
      await explainLeftOut(db, creditor.id);
      break;
    }
    await pause(500);
  }
  await comeToRest(db);
  const processorMs = processorTimeOf(worker.pid!) - processorBefore;
  const rows = await db
    .selectFrom('contacts')
    .select('sending_real')
    .where('creditor_id', '=', creditor.id)
    .where('sending_real', 'is not', null)
    .execute();
  return {
    cases,
    lateness: rows.map((row) => row.sending_real! - momentReal),
    asked: progress.asked,
    memory,
    processorMs,
    openingRate,
  };
}

/** One step, whose moment of contact begins at `moment`, and another that nobody comes to. */
function policyFor(moment: number): Record<string, unknown> {
  const from = new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, hour: '2-digit', minute: '2-digit' }).format(moment);
  return {
    steps: [
      { key: STEP, day: -5, from: 'due', channel: 'email', template: 'before-due', tone: 'courteous' },
      { key: 'reminder', day: 60, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    ],
    contact: { days: 'mon-sun', from, to: '24:00', minimumGapDays: 3, maximumPer30Days: 6, holidays: 'none' },
  };
}

/** Uploads a file of invoices and waits until each case has taken its first turn and nothing is under way any more. */
async function openCases({ db, clock }: Stage, creditorId: string, count: number, index: number): Promise<void> {
  const today = localDate(clock.now(), ZONE);
  const dueOn = addDays(today, 5);
  const lines = Array.from({ length: count }, (_, n) => {
    const place = n % GROUP.of;
    const customer = `${index}-${place < GROUP.together ? `${Math.floor(n / GROUP.of)}-all` : n}`;
    const mail = `c${customer}@customer.example`;
    return `F-${index}-${n};${today};${dueOn};${100 + (n % 900)}.00;EUR;C${customer};Customer ${customer};${mail}`;
  });
  const importId = await uploadFile(db, creditorId, lines, clock.now());
  for (;;) {
    const { turned } = await db
      .selectFrom('invoices')
      .select((eb) => eb.fn.countAll<bigint>().as('turned'))
      .where('creditor_id', '=', creditorId)
      .where('turned_at', 'is not', null)
      .executeTakeFirstOrThrow();
    if (Number(turned) >= count) break;
    await refuseRejected(db, importId);
    await pause(500);
  }
  await comeToRest(db);
}

/** Until no message waits for Temporal or the provider. */
async function comeToRest(db: Db): Promise<void> {
  for (;;) {
    const outbox = await db.selectFrom('outbox').select('id').limit(1).execute();
    const sending = await db.selectFrom('contacts').select('id').where('status', 'in', ['queued', 'sending']).execute();
    if (outbox.length === 0 && sending.length === 0) return;
    await pause(100);
  }
}

/** Invoices of a creditor whose step has left. */
async function askedSoFar(db: Db, creditorId: string): Promise<number> {
  const { asked } = await db
    .selectFrom('case_steps as s')
    .innerJoin('customers as u', 'u.id', 's.customer_id')
    .select((eb) => eb.fn.countAll<bigint>().as('asked'))
    .where('u.creditor_id', '=', creditorId)
    .where('s.step', '=', STEP)
    .where('s.status', '=', 'left')
    .executeTakeFirstOrThrow();
  return Number(asked);
}

/** What is on record about a few invoices that nobody was asked for, and about the others of their customer. */
async function explainLeftOut(db: Db, creditorId: string): Promise<void> {
  const leftOut = await db
    .selectFrom('invoices as i')
    .select('i.customer_id')
    .distinct()
    .where('i.creditor_id', '=', creditorId)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('case_steps as s')
            .select('s.step')
            .whereRef('s.invoice_id', '=', 'i.id')
            .where('s.step', '=', STEP)
            .where('s.status', '=', 'left'),
        ),
      ),
    )
    .limit(5)
    .execute();
  for (const { customer_id: customerId } of leftOut) {
    const cases = await db
      .selectFrom('invoices as i')
      .leftJoin('case_steps as s', 's.invoice_id', 'i.id')
      .select(['i.number', 'i.recorded_at', 'i.turned_at', 'i.wake_at', 's.status', 's.reason', 's.planned_at'])
      .select(['s.recorded_at as requested_real', 's.contact_id'])
      .where('i.customer_id', '=', customerId)
      .orderBy('i.number')
      .execute();
    const contacts = await db
      .selectFrom('contacts')
      .select(['id', 'status', 'planned_at', 'sending_real'])
      .where('customer_id', '=', customerId)
      .execute();
    print(`  ${customerId}: ${JSON.stringify({ cases, contacts }, (_, value) => plain(value), 1)}`);
  }
}

const plain = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);

function report({ provider }: Stage, bursts: readonly Burst[]): boolean {
  const [first, large, last] = bursts as [Burst, Burst, Burst];
  const perCase = (b: Burst): number => quantile(b.lateness, 1) / b.cases;
  const small = (perCase(first) + perCase(last)) / 2;
  print();
  table(
    ['cases', 'messages', 'late: median, s', 'p95', 'p99', 'the last', 'ms a case', 'processor ms', 'memory, MB'],
    bursts.map((b) => [
      b.cases,
      b.lateness.length,
      ...[0.5, 0.95, 0.99, 1].map((p) => seconds(b.lateness, p)),
      perCase(b).toFixed(1),
      (b.processorMs / b.cases).toFixed(1),
      b.memory.toFixed(0),
    ]),
  );
  print();
  const control = perCase(last) / perCase(first);
  const ratio = perCase(large) / small;
  const processor = (b: Burst): number => b.processorMs / b.cases;
  const processorRatio = (2 * processor(large)) / (processor(first) + processor(last));
  print(`a case of ${large.cases} takes ${processorRatio.toFixed(2)} times the processor time of the worker`);
  print();
  const growth = large.memory / Math.max(first.memory, last.memory);
  const expected = bursts.reduce((sum, b) => sum + (b.cases / GROUP.of) * GROUP.messages, 0);
  const twice = [...provider.calls.values()].filter((calls) => calls > 1).length;
  return [
    bound(
      'each invoice was asked for',
      bursts.every((b) => b.asked === b.cases),
    ),
    bound(
      `${provider.calls.size} messages left, one for the invoices of a customer (${expected}), ${twice} handed in twice`,
      provider.calls.size === expected && twice === 0,
    ),
    bound(
      `the second small burst takes ${control.toFixed(2)} times as long as the first (control: ${1 / CONTROL} to ${CONTROL})`,
      control >= 1 / CONTROL && control <= CONTROL,
    ),
    bound(
      `a case of ${large.cases} takes ${ratio.toFixed(2)} times as long as one of ${first.cases} (${MOST_TIME_PER_CASE.toFixed(2)})`,
      ratio <= MOST_TIME_PER_CASE,
    ),
    bound(`the worker needs ${growth.toFixed(2)} times the memory (${MOST_MEMORY.toFixed(2)})`, growth <= MOST_MEMORY),
  ].every(Boolean);
}

const seconds = (milliseconds: readonly number[], p: number): string => (quantile(milliseconds, p) / 1000).toFixed(1);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
