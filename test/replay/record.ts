/**
 * Records the histories that `replay.test.ts` replays: `npx tsx test/replay/record.ts`. Run it when workflow code changes
 * before a release; after one, the histories of the release stay and the code is patched. It starts the local servers
 * that tests use, plays about ten small lives and writes their histories, which hold ids, dates and amounts only. Names
 * of lives behind it record these alone and leave the others.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { pino } from 'pino';
import type { WorkflowHandle } from '@temporalio/client';
import { systemAct } from '../../db/act.ts';
import { inTransaction, type Tx } from '../../db/database.ts';
import type { Act } from '../../db/act.ts';
import { newId } from '../../db/ids.ts';
import { migrateToLatest } from '../../db/migrate.ts';
import { undoAllocation } from '../../db/repositories/allocations.ts';
import { createBulk, listBulk } from '../../db/repositories/bulk-commands.ts';
import { insertCommand } from '../../db/repositories/commands.ts';
import { openDispute, resolveDispute } from '../../db/repositories/disputes.ts';
import { changeDueOn } from '../../db/repositories/invoices.ts';
import { pokeFeed } from '../../db/repositories/outbox.ts';
import { putPolicy } from '../../db/repositories/policies.ts';
import { makePromise, withdrawPromise } from '../../db/repositories/promises.ts';
import { recordPayment } from '../../db/repositories/receipts.ts';
import { createRollout } from '../../db/repositories/rollouts.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';
import { addDays } from '../../domain/time/dates.ts';
import { localDate, parseInstant } from '../../domain/time/zones.ts';
import { fakeMailer, startInProcess, type InProcessService } from '../../scripts/stack/in-process-service.ts';
import { startPostgres } from '../../scripts/stack/postgres.ts';
import { relanceSearchAttributes } from '../../scripts/stack/search-attributes.ts';
import { startTemporal } from '../../scripts/stack/temporal.ts';
import {
  bulkWorkflowId,
  caseWorkflowId,
  feedWorkflowId,
  outreachWorkflowId,
  rolloutWorkflowId,
} from '../../workflows/ids.ts';
import { commandUpdates, type CommandName } from '../../workflows/messages.ts';
import { addCustomer, addInvoice, EVERY_DAY, openBook } from '../support/book.ts';

export const HISTORIES = join(import.meta.dirname, 'histories');

const DAY_MS = 1_000;
const LADDER = {
  contact: EVERY_DAY,
  promise: { graceDays: 1, maxDays: 60, maxBroken: 2 },
  steps: [
    { key: 'note', day: -2, from: 'due', channel: 'email', template: 'before-due' },
    { key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'two', day: 7, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' },
    { key: 'call', day: 13, from: 'due', channel: 'call', template: 'call-script' },
  ],
};
const STRICT = { ...LADDER, approvalAbove: { EUR: '500.00' } };

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'relance-record-'));
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const postgres = await startPostgres({ dataDir: folder, log, durable: false });
  const temporal = await startTemporal({
    dataDir: folder,
    namespace: 'default',
    searchAttributes: relanceSearchAttributes,
    log,
  });
  try {
    await migrateToLatest(postgres.url);
    const service = await startInProcess({
      databaseUrl: postgres.url,
      temporal,
      clock: { anchorReal: Date.now(), anchorBusiness: parseInstant('2026-03-02T06:00:00Z'), dayMs: DAY_MS },
      mailer: fakeMailer([]),
      log: pino({ level: 'error' }, pino.destination(2)),
    });
    try {
      const names = process.argv.slice(2);
      if (names.length === 0) rmSync(HISTORIES, { recursive: true, force: true });
      mkdirSync(HISTORIES, { recursive: true });
      const chosen = Object.entries(lives).filter(([name]) => names.length === 0 || names.includes(name));
      await Promise.all(chosen.map(([name, live]) => live(new Recorder(service, name))));
    } finally {
      await service.stop();
    }
  } finally {
    await temporal.stop();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  log(`${readdirSync(HISTORIES).length} histories in ${HISTORIES}`);
}

/** One invoice of a customer of its own, lived through and written down. */
class Recorder {
  readonly service: InProcessService;
  readonly #name: string;
  id = '';
  customerId = '';
  creditorId = '';

  constructor(service: InProcessService, name: string) {
    this.service = service;
    this.#name = name;
  }

  day(days = 0): string {
    return addDays(localDate(this.service.clock.now(), 'Europe/Paris'), days);
  }

  within<T>(work: (tx: Tx, act: Act) => Promise<T>): Promise<T> {
    return inTransaction(this.service.db, (tx) => work(tx, systemAct(this.service.clock.now())));
  }

  async open(policy: Record<string, unknown>, dueIn: number, number = this.#name): Promise<void> {
    const creditor = await openBook(this.service, policy);
    const customer = await addCustomer(this.service, creditor, { reference: `record-${this.#name}` });
    const dueOn = this.day(dueIn);
    this.creditorId = creditor.id;
    this.customerId = customer.id;
    this.id = await addInvoice(this.service, creditor, customer, { number, dueOn, issuedOn: this.day(-60) });
    await until(`${this.#name}: a first turn`, async () =>
      this.service.db
        .selectFrom('invoices')
        .select('id')
        .where('id', '=', this.id)
        .where('turned_at', 'is not', null)
        .executeTakeFirst(),
    );
  }

  async happened(kind: string, step?: string): Promise<void> {
    await until(`${this.#name}: ${kind} ${step ?? ''}`, async () => {
      const events = await this.service.db
        .selectFrom('events')
        .select('data')
        .where('invoice_id', '=', this.id)
        .where('kind', '=', kind)
        .execute();
      return events.some((e) => step === undefined || e.data['step'] === step);
    });
  }

  pay(amountMinor: bigint): Promise<{ receiptId: string }> {
    const payment = { invoiceId: this.id, amountMinor, currency: 'EUR', receivedOn: this.day() };
    return this.within((tx, act) => recordPayment(tx, act, payment, this.service.deps.holidaySet));
  }

  async command(name: CommandName, args: Record<string, string> = {}): Promise<void> {
    const id = newId('cmd');
    await this.within((tx, act) => insertCommand(tx, act, { id, invoiceId: this.id, kind: name, args }));
    await this.handle.executeUpdate(commandUpdates[name], { args: [{ id }], updateId: id });
  }

  get handle(): WorkflowHandle {
    return this.service.client.workflow.getHandle(caseWorkflowId(this.id));
  }

  closed(): Promise<void> {
    return this.ended(caseWorkflowId(this.id));
  }

  async ended(workflowId: string): Promise<void> {
    const handle = this.service.client.workflow.getHandle(workflowId);
    await until(`${this.#name} closed`, async () => (await handle.describe()).status.name === 'COMPLETED');
  }

  /** Writes the history of a workflow as it is once nothing moves in it. */
  async keep(workflowId = caseWorkflowId(this.id), suffix = ''): Promise<void> {
    const handle = this.service.client.workflow.getHandle(workflowId);
    const history = await until(`${this.#name}: a history at rest`, async () => {
      const events = (await handle.fetchHistory()).events ?? [];
      const last = events.at(-1);
      const rest = last?.timerStartedEventAttributes ?? last?.markerRecordedEventAttributes;
      const done = last?.workflowExecutionCompletedEventAttributes ?? last?.workflowTaskCompletedEventAttributes;
      return rest || done ? { events } : null;
    });
    writeFileSync(join(HISTORIES, `${this.#name}${suffix}.json`), `${historyToJSON(history)}\n`);
  }
}

const lives: Record<string, (r: Recorder) => Promise<void>> = {
  async 'case-ladder-and-outreach'(r) {
    await r.open(LADDER, 3);
    await until('the end of the ladder', async () =>
      r.service.db
        .selectFrom('tasks')
        .select('id')
        .where('invoice_id', '=', r.id)
        .where('kind', '=', 'ladderEnded')
        .executeTakeFirst(),
    );
    await r.keep();
    await r.keep(outreachWorkflowId(r.customerId), '-outreach');
  },
  async 'case-paid-in-parts'(r) {
    await r.open(LADDER, 0);
    await r.happened('stepTaken', 'one');
    await r.pay(40_000n);
    await r.happened('stepTaken', 'two');
    await r.pay(80_000n);
    await r.closed();
    await r.keep();
  },
  async 'case-reopened'(r) {
    await r.open(LADDER, 0);
    await r.happened('stepTaken', 'one');
    const { receiptId } = await r.pay(120_000n);
    await r.closed();
    const { id } = await r.service.db
      .selectFrom('allocations')
      .select('id')
      .where('receipt_id', '=', receiptId)
      .executeTakeFirstOrThrow();
    await r.within((tx, act) => undoAllocation(tx, act, id, 'returned'));
    await r.happened('stepTaken', 'two');
    await r.keep();
  },
  async 'case-promises'(r) {
    await r.open(LADDER, 0);
    await r.happened('stepTaken', 'one');
    const promise = (payOn: string) =>
      r.within((tx, act) =>
        makePromise(tx, act, r.creditorId, { invoiceId: r.id, payOn, amountMinor: null, by: null }),
      );
    const first = await promise(r.day(30));
    await r.within((tx, act) => withdrawPromise(tx, act, r.creditorId, first.id));
    await promise(r.day(2));
    await r.happened('promiseBroken');
    await r.happened('stepTaken', 'two');
    await r.keep();
  },
  async 'case-dispute'(r) {
    await r.open(LADDER, 0);
    const dispute = await r.within((tx, act) =>
      openDispute(tx, act, r.creditorId, { invoiceId: r.id, amountMinor: 30_000n, category: 'price', note: null }),
    );
    await r.happened('stepTaken', 'one');
    await r.within((tx, act) =>
      resolveDispute(tx, act, r.creditorId, dispute.id, { outcome: 'upheld', creditMinor: null, note: null }),
    );
    await r.happened('stepTaken', 'two');
    await r.keep();
  },
  async 'case-commands'(r) {
    await r.open(LADDER, 20);
    await r.command('pause');
    await r.command('pause');
    await r.command('resume');
    await r.command('skipStep');
    await r.within((tx, act) => changeDueOn(tx, act, r.creditorId, r.id, r.day(0)));
    await r.happened('stepTaken', 'one');
    await r.keep();
  },
  async 'case-approval'(r) {
    await r.open(STRICT, -1);
    await r.happened('approvalAsked', 'one');
    const { id } = await r.service.db
      .selectFrom('tasks')
      .select('id')
      .where('invoice_id', '=', r.id)
      .where('kind', '=', 'approve')
      .executeTakeFirstOrThrow();
    await r.command('approve', { taskId: id, decision: 'approved' });
    await r.happened('stepTaken', 'one');
    await r.keep();
  },
  async 'case-cancelled'(r) {
    await r.open(LADDER, 30);
    const dispute = await r.within((tx, act) =>
      openDispute(tx, act, r.creditorId, { invoiceId: r.id, amountMinor: null, category: 'duplicate', note: null }),
    );
    await r.within((tx, act) =>
      resolveDispute(tx, act, r.creditorId, dispute.id, { outcome: 'upheld', creditMinor: null, note: null }),
    );
    await r.closed();
    await r.keep();
  },
  async 'policy-rollout'(r) {
    await r.open(LADDER, 30);
    const rolloutId = await r.within(async (tx, act) => {
      const softer = { ...LADDER, name: 'test', steps: LADDER.steps.map((s) => ({ ...s, day: s.day + 3 })) };
      const { version } = await putPolicy(
        tx,
        act,
        r.creditorId,
        parsePolicy({ ...softer, steps: softer.steps.slice(1) }),
      );
      const asked = { creditorId: r.creditorId, policy: 'test', version, filter: {}, dryRunId: null };
      return await createRollout(tx, act, { ...asked, dryRun: false });
    });
    await r.happened('policyChanged');
    await r.ended(rolloutWorkflowId(rolloutId));
    await r.keep(rolloutWorkflowId(rolloutId));
  },
  async 'bulk-command'(r) {
    await r.open(LADDER, 30);
    const bulkId = await r.within(async (tx, act) => {
      const asked = { creditorId: r.creditorId, kind: 'pause', args: {}, filter: {}, role: 'operator' } as const;
      return await createBulk(tx, act, asked, await listBulk(tx, act, asked, r.day()));
    });
    await r.happened('paused');
    await r.ended(bulkWorkflowId(bulkId));
    await r.keep(bulkWorkflowId(bulkId));
  },
  async 'bank-feed'(r) {
    await r.open(LADDER, 30, 'RECORD-0001');
    const feed = newId('fee');
    await r.service.db
      .insertInto('feeds')
      .values({ id: feed, creditor_id: r.creditorId, kind: 'standard', name: 'account', created_at: new Date() })
      .execute();
    for (const [index, amount] of ['200.00', '1000.00'].entries()) {
      const data = {
        id: `b-${index}`,
        bookedOn: r.day(),
        amount,
        currency: 'EUR',
        direction: 'credit',
        remittance: 'RECORD-0001',
      };
      const body = Buffer.from(
        JSON.stringify({ type: 'transaction.booked', timestamp: new Date().toISOString(), data }),
      );
      await r.within(async (tx, act) => {
        await tx
          .insertInto('inbox')
          .values({
            feed_id: feed,
            creditor_id: r.creditorId,
            webhook_id: `w-${index}`,
            data_key: data.id,
            body,
            received_at: new Date(act.at),
          })
          .execute();
        await pokeFeed(tx, feed);
      });
      await until('drained', async () =>
        r.service.db
          .selectFrom('inbox')
          .select('id')
          .where('webhook_id', '=', `w-${index}`)
          .where('feed_id', '=', feed)
          .where('status', '=', 'applied')
          .executeTakeFirst(),
      );
    }
    await r.closed();
    await r.keep(feedWorkflowId(feed));
  },
};

async function until<T>(what: string, check: () => Promise<T | null | undefined | false>): Promise<T> {
  const end = Date.now() + 120_000;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

await main();
process.exit(0);
