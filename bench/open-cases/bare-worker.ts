import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { bareCase } from './bare-workflow.ts';

/** What the benchmark asks for, and how long it took in real milliseconds. */
export interface BareOrder {
  count: number;
}
export interface BareAnswer {
  /** Until the server had taken every start. */
  startedMs: number;
  /** Until every workflow had run its first task and waited. */
  restingMs: number;
}

const TASK_QUEUE = 'bare';
/** As the outbox relay has it, and the worker its cache. */
const PARALLEL = 20;
const CACHED_WORKFLOWS = 600;

const [address, namespace, codePath] = process.argv.slice(2) as [string, string, string];
Runtime.install({ logger: new DefaultLogger('ERROR') });
const client = new Client({ connection: await Connection.connect({ address }), namespace });
let opened = 0;
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  namespace,
  taskQueue: TASK_QUEUE,
  workflowBundle: { codePath },
  maxCachedWorkflows: CACHED_WORKFLOWS,
  sinks: {
    bare: {
      opened: {
        fn: () => {
          opened += 1;
        },
        callDuringReplay: false,
      },
    },
  },
});
const running = worker.run();
process.once('disconnect', () => process.exit(0));
running.catch(() => process.exit(1));

process.on('message', ({ count }: BareOrder) => {
  void startBare(count).then((answer) => process.send!(answer));
});
process.send!('ready');

async function startBare(count: number): Promise<BareAnswer> {
  const run = randomBytes(6).toString('hex');
  const target = opened + count;
  const begin = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (let index = next++; index < count; index = next++) {
        const invoiceId = `inv_${run}_${index}`;
        await client.workflow.start<typeof bareCase>('bareCase', {
          workflowId: `bare/${invoiceId}`,
          taskQueue: TASK_QUEUE,
          args: [{ invoiceId }],
        });
      }
    }),
  );
  const startedMs = performance.now() - begin;
  while (opened < target) await new Promise((resolve) => setTimeout(resolve, 10));
  return { startedMs, restingMs: performance.now() - begin };
}
