import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activities, TurnInput, TurnResult } from '../../activities/create-activities.ts';
import { buildWorkflowBundle } from '../../scripts/build-bundle.ts';
import { relanceSearchAttributes } from '../../scripts/stack/search-attributes.ts';
import type { invoiceCase, customerOutreach } from '../../workflows/index.ts';
import { factSignals, pokeSignal, stateQuery } from '../../workflows/messages.ts';
import { testServerPath } from '../support/servers.ts';

const DAY = 86_400_000;
/** What the server calls the types of search attributes. */
const TYPES = { Keyword: 2, Int: 3, Datetime: 6, KeywordList: 7 } as const;

/** The workflows alone, over months that pass in seconds: their activities are stubs that say how long to wait. */
describe('months of a case', { timeout: 120_000 }, () => {
  let environment: TestWorkflowEnvironment;
  let codePath: string;
  let folder: string;

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    folder = mkdtempSync(join(tmpdir(), 'relance-months-'));
    ({ file: codePath } = await buildWorkflowBundle(join(folder, 'bundle.js'), {
      cacheDir: join(import.meta.dirname, '../../node_modules/.cache/relance'),
    }));
    environment = await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path: testServerPath() } },
    });
    await environment.connection.operatorService.addSearchAttributes({
      namespace: 'default',
      searchAttributes: Object.fromEntries(
        Object.entries(relanceSearchAttributes).map(([name, type]) => [name, TYPES[type]]),
      ),
    });
  }, 120_000);
  afterAll(async () => {
    await environment.teardown();
    rmSync(folder, { recursive: true });
  });

  async function running<T>(activities: Partial<Activities>, work: (taskQueue: string) => Promise<T>): Promise<T> {
    const taskQueue = `months-${Math.random().toString(36).slice(2)}`;
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      activities,
      workflowBundle: { codePath },
    });
    return await worker.runUntil(() => work(taskQueue));
  }

  /** A case that waits through the given days, one turn after the other, and then closes. */
  function waits(days: readonly number[], turns: TurnInput[]): Pick<Activities, 'turn'> {
    let at = Date.parse('2026-03-02T09:00:00Z');
    return {
      async turn(input): Promise<TurnResult> {
        turns.push(input);
        const first = { balance: '10.00', balanceMinor: '1000', currency: 'EUR' };
        const wait = days[turns.length - 1];
        if (wait === undefined) return { stage: 'settled', closed: true, wakeAt: null, next: null };
        at += wait * DAY;
        return {
          ...(turns.length === 1 ? first : {}),
          wakeAt: new Date(at).toISOString(),
          wakeInMs: wait * DAY,
          next: null,
        };
      },
    };
  }

  it('wakes it at each of its dates and closes with the last', async () => {
    const turns: TurnInput[] = [];
    const before = await environment.currentTimeMs();
    await running(waits([30, 45, 60], turns), async (taskQueue) => {
      const result = await environment.client.workflow.execute<typeof invoiceCase>('invoiceCase', {
        workflowId: 'case/inv_months',
        taskQueue,
        args: [{ invoiceId: 'inv_months', run: 1 }],
      });
      expect(result).toEqual({ stage: 'settled' });
    });
    expect(turns).toHaveLength(4);
    const passed = (await environment.currentTimeMs()) - before;
    expect(passed).toBeGreaterThanOrEqual(135 * DAY);
    const events = (await environment.client.workflow.getHandle('case/inv_months').fetchHistory()).events ?? [];
    expect(events.filter((e) => e.timerStartedEventAttributes)).toHaveLength(3);
    expect(events.filter((e) => e.timerFiredEventAttributes)).toHaveLength(3);
  });

  it('hears a fact in the middle of a wait, once, and keeps the timer where the date stays', async () => {
    const turns: TurnInput[] = [];
    const activities: Pick<Activities, 'turn'> = {
      async turn(input): Promise<TurnResult> {
        turns.push(input);
        const wakeAt = '2026-06-01T09:00:00.000Z';
        if (turns.length === 1) {
          return { balance: '10.00', balanceMinor: '1000', currency: 'EUR', wakeAt, wakeInMs: 90 * DAY, next: null };
        }
        return turns.length < 3 ? {} : { stage: 'settled', closed: true, wakeAt: null, next: null };
      },
    };
    await running(activities, async (taskQueue) => {
      const handle = await environment.client.workflow.start<typeof invoiceCase>('invoiceCase', {
        workflowId: 'case/inv_heard',
        taskQueue,
        args: [{ invoiceId: 'inv_heard', run: 1 }],
      });
      await environment.sleep(10 * DAY);
      await handle.signal(factSignals.promised, { id: 'pro_1' });
      await handle.signal(factSignals.promised, { id: 'pro_1' });
      await environment.sleep(10 * DAY);
      expect(await handle.query(stateQuery)).toMatchObject({ balance: '10.00', stage: 'upcoming' });
      expect(turns).toHaveLength(2);
      await handle.result();
    });
    expect(turns).toHaveLength(3);
    const events = (await environment.client.workflow.getHandle('case/inv_heard').fetchHistory()).events ?? [];
    expect(events.filter((e) => e.timerStartedEventAttributes)).toHaveLength(1);
    expect(events.filter((e) => e.timerFiredEventAttributes)).toHaveLength(1);
  });

  it('lets outreach look again when it said it would, and at once when poked', async () => {
    const looks: number[] = [];
    const activities: Pick<Activities, 'planOutreach'> = {
      async planOutreach() {
        looks.push(await environment.currentTimeMs());
        const wait = looks.length === 1 ? 3 * DAY : null;
        const wakeAt = wait === null ? null : new Date(looks[0]! + wait).toISOString();
        return { wakeAt, wakeInMs: wait, queued: 0, waiting: wait === null ? 0 : 1, collecting: false };
      },
    };
    await running(activities, async (taskQueue) => {
      const handle = await environment.client.workflow.signalWithStart<typeof customerOutreach, []>(
        'customerOutreach',
        {
          workflowId: 'outreach/cus_months',
          taskQueue,
          args: [{ customerId: 'cus_months' }],
          signal: pokeSignal,
        },
      );
      await environment.sleep(4 * DAY);
      expect(looks).toHaveLength(2);
      expect(looks[1]! - looks[0]!).toBeGreaterThanOrEqual(3 * DAY);
      await environment.sleep(30 * DAY);
      expect(looks).toHaveLength(2);
      await handle.signal(pokeSignal);
      await environment.sleep(1_000);
      expect(looks).toHaveLength(3);
      await handle.terminate();
    });
  });
});
