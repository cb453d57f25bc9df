import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { historyCost, type HistoryCost } from './history-cost.ts';
import { naiveActivities } from './naive-activities.ts';
import type { naiveCase, paidSignal } from './naive-workflow.ts';

const TASK_QUEUE = 'naive';
const EVERY_MS = 700;

/** Lets the naive twin take as many steps and hear as many messages as the case did, on the same server. */
export async function runNaiveTwin(
  client: Client,
  temporal: { address: string; namespace: string },
  what: { steps: number; signals: number },
): Promise<HistoryCost> {
  const connection = await NativeConnection.connect({ address: temporal.address });
  const worker = await Worker.create({
    connection,
    namespace: temporal.namespace,
    taskQueue: TASK_QUEUE,
    activities: naiveActivities,
    workflowsPath: fileURLToPath(new URL('./naive-workflow.ts', import.meta.url)),
    bundlerOptions: { logger: new DefaultLogger('ERROR') } as never,
  });
  try {
    return await worker.runUntil(async () => {
      const workflowId = 'naive/inv_00000000000000000000000000';
      const handle = await client.workflow.start<typeof naiveCase>('naiveCase', {
        workflowId,
        taskQueue: TASK_QUEUE,
        args: [{ invoiceId: workflowId.slice('naive/'.length), steps: what.steps, everyMs: EVERY_MS }],
      });
      // Each message but the last falls into the wait before a step, as payments do that come between reminders.
      for (let signal = 1; signal <= what.signals; signal++) {
        const closes = signal === what.signals;
        const step = closes ? what.steps : Math.round((signal * what.steps) / what.signals) - 1;
        await recorded(client, workflowId, step);
        await handle.signal<[{ id: string; closes: boolean }]>('paid' satisfies (typeof paidSignal)['name'], {
          id: `all_${String(signal).padStart(26, '0')}`,
          closes,
        });
      }
      await handle.result();
      return await historyCost(client, workflowId);
    });
  } finally {
    await connection.close();
  }
}

/** Resolves once `steps` steps have been taken, each of which ends with an upsert. */
async function recorded(client: Client, workflowId: string, steps: number): Promise<void> {
  for (;;) {
    const { types } = await historyCost(client, workflowId);
    if ((types.get('upsertWorkflowSearchAttributes')?.events ?? 0) >= steps) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
