import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemAct } from '../../db/act.ts';
import { inTransaction } from '../../db/database.ts';
import { pokeOutreach, signalCase, startCase, wakeCase } from '../../db/repositories/outbox.ts';
import { undoAllocation } from '../../db/repositories/allocations.ts';
import { setHold } from '../../db/repositories/holds.ts';
import { recordPayment } from '../../db/repositories/receipts.ts';
import { freePort } from '../../scripts/stack/ports.ts';
import { startOutboxRelay } from '../../worker/relays/outbox-relay.ts';
import { sweep, type RungBefore } from '../../worker/relays/sweep.ts';
import { caseWorkflowId, outreachWorkflowId } from '../../workflows/ids.ts';
import { addCustomer, addInvoice, EVERY_DAY, openBook } from '../support/book.ts';
import { startTestService, until, type TestService } from '../support/service.ts';

const POLICY = {
  contact: EVERY_DAY,
  steps: [
    { key: 'one', day: 1, from: 'due', channel: 'email', template: 'reminder' },
    { key: 'two', day: 60, from: 'due', channel: 'email', template: 'reminder' },
  ],
};
const log = pino({ level: 'silent' });

describe('messages to Temporal, and the sweep behind them', { timeout: 120_000 }, () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ now: '2026-03-02T06:00:00Z', dayMs: 86_400_000 });
  });
  afterAll(async () => service.stop());

  const act = () => systemAct(service.clock.now());
  const within = <T>(work: Parameters<typeof inTransaction<T>>[1]) => inTransaction(service.db, work);
  const handleOf = (id: string) => service.client.workflow.getHandle(caseWorkflowId(id));
  const running = (id: string) =>
    until('a workflow that runs', async () =>
      handleOf(id)
        .describe()
        .then(
          (d) => d.status.name === 'RUNNING',
          () => false,
        ),
    );
  /** Its turn is committed, and the task in which it was taken is over: the sweep leaves alone what is busy. */
  const turned = async (id: string): Promise<void> => {
    await until('a turn', async () =>
      service.db
        .selectFrom('invoices')
        .select('id')
        .where('id', '=', id)
        .where('turned_at', 'is not', null)
        .executeTakeFirst(),
    );
    await until('rest', async () => !(await handleOf(id).describe()).raw.pendingWorkflowTask);
  };
  const outboxOf = (target: string) =>
    service.db.selectFrom('outbox').selectAll().where('target', '=', target).execute();
  const emptyFor = (target: string) => until('an empty outbox', async () => (await outboxOf(target)).length === 0);

  async function opened(dueOn = '2026-03-02') {
    const creditor = await openBook(service, POLICY);
    const customer = await addCustomer(service, creditor);
    const id = await addInvoice(service, creditor, customer, { dueOn });
    return { creditor, customer, id };
  }

  it('keeps a message while Temporal is away, and delivers it when it is back', async () => {
    const { id, customer } = await opened();
    await turned(id);
    await emptyFor(id);
    // A second relay that looks for Temporal where nobody is.
    const nowhere = `127.0.0.1:${await freePort()}`;
    const connection = Connection.lazy({ address: nowhere });
    const own = await startTestService({ now: '2026-03-02T06:00:00Z', dayMs: 86_400_000 });
    try {
      const creditor = await openBook(own, POLICY);
      const other = await addCustomer(own, creditor);
      const lost = startOutboxRelay({
        ...own.deps,
        client: new Client({ connection, namespace: 'default' }),
        log,
        taskQueue: own.taskQueue,
      });
      const target = await addInvoice(own, creditor, other, { dueOn: '2026-03-02' });
      await until(
        'the start, by whichever relay is right',
        async () =>
          own.db
            .selectFrom('invoices')
            .select('id')
            .where('id', '=', target)
            .where('turned_at', 'is not', null)
            .executeTakeFirst(),
        60_000,
      );
      await lost.stop();
      await until(
        'nothing left',
        async () => (await own.db.selectFrom('outbox').select('id').execute()).length === 0,
        60_000,
      );
    } finally {
      await connection.close();
      await own.stop();
    }
    expect(await outboxOf(customer.id)).toEqual([]);
  }, 90_000);

  it('tries a signal again until its case has started, and drops it once the case is closed', async () => {
    const { id } = await opened('2026-04-01');
    await turned(id);
    await emptyFor(id);
    await handleOf(id).terminate();
    await within((tx) => signalCase(tx, id, 'promised', 'pro_late'));
    await until('a second attempt', async () => {
      const [row] = await outboxOf(id);
      return row !== undefined && row.attempts >= 2;
    });
    await within((tx) => startCase(tx, id, 1));
    await emptyFor(id);
    const events = (await handleOf(id).fetchHistory()).events ?? [];
    expect(events.map((e) => e.workflowExecutionSignaledEventAttributes?.signalName).filter(Boolean)).toContain(
      'promised',
    );

    await service.db
      .updateTable('invoices')
      .set({ stage: 'settled', balance_minor: 0n })
      .where('id', '=', id)
      .execute();
    await handleOf(id).terminate();
    await within((tx) => signalCase(tx, id, 'promised', 'pro_later'));
    await emptyFor(id);
  });

  it('starts the next run only after the one before has closed', async () => {
    const { id } = await opened('2026-04-01');
    await turned(id);
    await emptyFor(id);
    // Run 2 is wanted while the workflow of run 1 still runs: its start waits.
    await service.db.updateTable('invoices').set({ run: 2 }).where('id', '=', id).execute();
    await within((tx) => startCase(tx, id, 2));
    await until('an attempt', async () => ((await outboxOf(id))[0]?.attempts ?? 0) >= 2);
    expect((await handleOf(id).describe()).memo).toEqual({ run: 1 });
    await within((tx) => wakeCase(tx, id));
    await until('run 2', async () => (await handleOf(id).describe()).memo?.['run'] === 2);
    await emptyFor(id);
  });

  it('delivers one poke for many that wait', async () => {
    const { customer } = await opened('2026-04-01');
    await Promise.all(Array.from({ length: 30 }, () => within((tx) => pokeOutreach(tx, customer.id))));
    await within(async (tx) => {
      for (let i = 0; i < 20; i++) await pokeOutreach(tx, customer.id);
    });
    await emptyFor(customer.id);
    const events =
      (await service.client.workflow.getHandle(outreachWorkflowId(customer.id)).fetchHistory()).events ?? [];
    const pokes = events.filter((e) => e.workflowExecutionSignaledEventAttributes).length;
    expect(pokes).toBeGreaterThan(0);
    expect(pokes).toBeLessThan(51);
  });

  describe('the sweep', () => {
    const long = () => new Date(Date.now() - 120_000);
    const past = () => new Date(service.clock.now() - 120_000);
    const swept = async () =>
      (await sweep({ ...service.deps, client: service.client }, new Map())).map((s) => `${s.kind} ${s.id}`);

    it('starts a case that nobody started, wakes one that overslept, starts again one that was terminated', async () => {
      const never = await opened('2026-04-01');
      const overslept = await opened('2026-04-01');
      const killed = await opened('2026-04-01');
      for (const { id } of [never, overslept, killed]) {
        await turned(id);
        await emptyFor(id);
      }
      await handleOf(never.id).terminate();
      await service.db
        .updateTable('invoices')
        .set({ turned_at: null, wake_at: null, recorded_at: long() })
        .where('id', '=', never.id)
        .execute();
      await handleOf(killed.id).terminate();
      for (const { id } of [overslept, killed]) {
        await service.db.updateTable('invoices').set({ wake_at: past() }).where('id', '=', id).execute();
      }
      const rung = await swept();
      for (const { id } of [never, overslept, killed]) expect(rung).toContain(`case ${id}`);
      for (const { id } of [never, overslept, killed]) {
        await running(id);
        await until('a turn that sleeps on', async () =>
          service.db
            .selectFrom('invoices')
            .select('id')
            .where('id', '=', id)
            .where('wake_at', '>', new Date(service.clock.now()) as never)
            .executeTakeFirst(),
        );
        await emptyFor(id);
      }
      const again = await swept();
      for (const { id } of [never, overslept, killed]) expect(again).not.toContain(`case ${id}`);
    });

    it('rings for a request nobody was poked for and for a bank’s message nobody drains', async () => {
      const { creditor, customer, id } = await opened('2026-04-01');
      await turned(id);
      await emptyFor(id);
      await service.db
        .insertInto('case_steps')
        .values({
          invoice_id: id,
          customer_id: customer.id,
          step: 'one',
          status: 'requested',
          channel: 'email',
          planned_at: past(),
          planned_on: '2026-03-01',
          at: past(),
          recorded_at: long(),
        })
        .execute();
      const feed = `fee_${customer.id.slice(4)}`;
      await service.db
        .insertInto('feeds')
        .values({ id: feed, creditor_id: creditor.id, kind: 'standard', name: 'Account', created_at: past() })
        .execute();
      await service.db
        .insertInto('inbox')
        .values({
          feed_id: feed,
          creditor_id: creditor.id,
          webhook_id: 'w-1',
          body: Buffer.from('{}'),
          received_at: past(),
          recorded_at: long(),
        })
        .execute();
      const rung = await swept();
      expect(rung).toContain(`outreach ${customer.id}`);
      expect(rung).toContain(`feed ${feed}`);
      await until('drained', async () =>
        service.db
          .selectFrom('inbox')
          .select('id')
          .where('feed_id', '=', feed)
          .where('status', '=', 'unreadable')
          .executeTakeFirst(),
      );
    });

    it('leaves alone what waits in good order', async () => {
      const { customer, id } = await opened('2026-02-20');
      await until('a mail', async () =>
        service.db
          .selectFrom('contacts')
          .select('id')
          .where('customer_id', '=', customer.id)
          .where('status', '=', 'sent')
          .executeTakeFirst(),
      );
      await within((tx) =>
        setHold(tx, act(), { customerId: customer.id, invoiceId: null, kind: 'customer', untilOn: null }),
      );
      await emptyFor(id);
      // A request of long ago that waits for a gap, as outreach noted.
      const waiting = await opened('2026-04-01');
      await turned(waiting.id);
      await emptyFor(waiting.id);
      await service.db
        .insertInto('case_steps')
        .values({
          invoice_id: waiting.id,
          customer_id: waiting.customer.id,
          step: 'one',
          status: 'requested',
          channel: 'email',
          planned_at: past(),
          planned_on: '2026-03-01',
          at: past(),
          recorded_at: long(),
        })
        .execute();
      await service.db
        .updateTable('customers')
        .set({ outreach_wake_at: new Date(service.clock.now() + 86_400_000) })
        .where('id', '=', waiting.customer.id)
        .execute();
      await service.db
        .updateTable('invoices')
        .set({ recorded_at: long() })
        .where('id', 'in', [id, waiting.id])
        .execute();
      const rung = await swept();
      for (const quiet of [
        `case ${id}`,
        `case ${waiting.id}`,
        `outreach ${customer.id}`,
        `outreach ${waiting.customer.id}`,
      ]) {
        expect(rung).not.toContain(quiet);
      }
    });

    it('rings less and less often for what does not move', async () => {
      const { id } = await opened('2026-04-01');
      await turned(id);
      await emptyFor(id);
      await service.db.updateTable('invoices').set({ wake_at: past() }).where('id', '=', id).execute();
      const rung: RungBefore = new Map();
      const deps = { ...service.deps, client: service.client };
      // Nothing takes the turn in between: the wake-up is put back each time.
      const first = await sweep(deps, rung);
      expect(first.map((s) => s.id)).toContain(id);
      await emptyFor(id);
      await service.db.updateTable('invoices').set({ wake_at: past() }).where('id', '=', id).execute();
      expect((await sweep(deps, rung)).map((s) => s.id)).not.toContain(id);
    });
  });

  it('closes, reopens and counts the days between as held', async () => {
    const { id } = await opened('2026-02-28');
    await until('the first step', async () =>
      service.db
        .selectFrom('case_steps')
        .select('id')
        .where('invoice_id', '=', id)
        .where('status', '=', 'left')
        .executeTakeFirst(),
    );
    const { receiptId } = await within((tx) =>
      recordPayment(
        tx,
        act(),
        { invoiceId: id, amountMinor: 120_000n, currency: 'EUR', receivedOn: '2026-03-02' },
        service.deps.holidaySet,
      ),
    );
    await until('closed', async () => (await handleOf(id).describe()).status.name === 'COMPLETED');
    await service.db.updateTable('case_runs').set({ closed_on: '2026-03-02' }).where('invoice_id', '=', id).execute();
    const { id: allocation } = await service.db
      .selectFrom('allocations')
      .select('id')
      .where('receipt_id', '=', receiptId)
      .executeTakeFirstOrThrow();
    // Twelve days later.
    await within((tx) => undoAllocation(tx, systemAct(Date.parse('2026-03-14T09:00:00Z')), allocation, 'returned'));
    await until('run 2', async () => (await handleOf(id).describe()).memo?.['run'] === 2);
    const row = await until('its turn', async () =>
      service.db
        .selectFrom('invoices')
        .select(['wake_at', 'stage', 'run'])
        .where('id', '=', id)
        .where('wake_at', 'is not', null)
        .executeTakeFirst(),
    );
    expect(row).toMatchObject({ stage: 'reminding', run: 2 });
    const steps = await service.db
      .selectFrom('case_steps')
      .select(['step', 'status'])
      .where('invoice_id', '=', id)
      .execute();
    expect(steps.filter((s) => s.step === 'one')).toEqual([{ step: 'one', status: 'left' }]);
  });
});
