import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import type { Logger } from 'pino';
import type { Db } from '../../db/database.ts';
import {
  claimOutbox,
  finishOutbox,
  outboxDelay,
  retryOutbox,
  type OutboxMessage,
} from '../../db/repositories/outbox.ts';
import { caseStart, type CaseStart, type Foresight } from '../../db/repositories/case-starts.ts';
import { formatAmount } from '../../domain/money.ts';
import { isOpen } from '../../domain/case/facts.ts';
import {
  agencyWorkflowId,
  bulkWorkflowId,
  caseWorkflowId,
  feedWorkflowId,
  importWorkflowId,
  outreachWorkflowId,
  rolloutWorkflowId,
  TASK_QUEUE,
} from '../../workflows/ids.ts';
import { factSignals, pokeSignal, wakeSignal, type FactSignalName } from '../../workflows/messages.ts';
import { searchAttributes } from '../../workflows/search-attributes.ts';
import type {
  agencyDesk,
  bankFeed,
  bulkCommand,
  customerOutreach,
  importFile,
  invoiceCase,
  policyRollout,
} from '../../workflows/index.ts';
import { startRelay, type Relay } from './loop.ts';

const BATCH = 100;
/** Calls to Temporal under way at once. */
const PARALLEL = 20;
const IDLE_MS = 2_000;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 30_000;
/** A message that finds no case this often has its case started. */
const STARTS_MISSING_AFTER = 5;

/** A call to Temporal that takes longer, in real time, is given up and made again. */
const CALL_MS = 10_000;

/**
 * Money and files do not queue behind thousands of cases that an import has opened, and what may leave not behind those
 * that only look: priorities of tasks, 1 before 3, the default of a case. What is done to thousands of cases comes last.
 */
const FIRST = { priorityKey: 1 };
const SOON = { priorityKey: 2 };
const LAST = { priorityKey: 4 };

/** Work that is done once: a message that comes again, even after the end, starts nothing. */
const ONCE = {
  workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
  workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
};

/** What became of one message: delivered, no longer needed, or to be tried again. */
type Delivery = 'done' | 'again';

interface OutboxRelayDeps extends Foresight {
  db: Db;
  client: Client;
  log: Logger;
  taskQueue?: string;
}

/** Carries messages of the outbox to Temporal: starts, signals and pokes, each until it was accepted or is moot. */
export function startOutboxRelay(deps: OutboxRelayDeps): Relay {
  const deliver = deliverer(deps, deps.taskQueue ?? TASK_QUEUE);
  return startRelay('outbox', deps.log, async () => {
    const claimed = await claimOutbox(deps.db, BATCH);
    if (claimed.length === 0)
      return { worked: false, pauseMs: Math.min(IDLE_MS, (await outboxDelay(deps.db)) ?? IDLE_MS) };
    const done: bigint[] = [];
    await inParallel(claimed, async (message) => {
      const outcome = await deps.client
        .withDeadline(Date.now() + CALL_MS, () => deliver(message))
        .catch((error: unknown) => {
          deps.log.warn({ err: error, kind: message.kind, target: message.target }, 'not delivered to Temporal yet');
          return 'again' as const;
        });
      if (outcome === 'done') done.push(message.id);
      else await retryOutbox(deps.db, message.id, backOff(message.attempts));
    });
    await finishOutbox(deps.db, done);
    return { worked: true, pauseMs: 0 };
  });
}

const backOff = (attempts: number): number => Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 10));

/** Messages of one receiver stay in their order; different receivers go side by side. */
async function inParallel(
  messages: readonly OutboxMessage[],
  work: (m: OutboxMessage) => Promise<void>,
): Promise<void> {
  const lanes = new Map<string, OutboxMessage[]>();
  for (const m of messages) lanes.set(m.target, [...(lanes.get(m.target) ?? []), m]);
  const queue = [...lanes.values()];
  const runners = Array.from({ length: Math.min(PARALLEL, queue.length) }, async () => {
    for (let lane = queue.shift(); lane; lane = queue.shift()) for (const m of lane) await work(m);
  });
  await Promise.all(runners);
}

function deliverer(deps: OutboxRelayDeps, taskQueue: string): (message: OutboxMessage) => Promise<Delivery> {
  const { client } = deps;
  return async (message) => {
    switch (message.kind) {
      case 'startCase':
        return await startCase(deps, taskQueue, message.target, Number(message.payload['run']));
      case 'signalCase':
        return await signalCase(deps, taskQueue, message);
      case 'pokeOutreach':
        await client.workflow.signalWithStart<typeof customerOutreach, []>('customerOutreach', {
          workflowId: outreachWorkflowId(message.target),
          taskQueue,
          args: [{ customerId: message.target }],
          signal: pokeSignal,
          priority: SOON,
          staticSummary: `Outreach to ${message.target}`,
        });
        return 'done';
      case 'pokeFeed':
        await client.workflow.signalWithStart<typeof bankFeed, []>('bankFeed', {
          workflowId: feedWorkflowId(message.target),
          taskQueue,
          args: [{ feedId: message.target }],
          signal: pokeSignal,
          priority: FIRST,
          staticSummary: `Bank feed ${message.target}`,
        });
        return 'done';
      case 'pokeAgency':
        await client.workflow.signalWithStart<typeof agencyDesk, []>('agencyDesk', {
          workflowId: agencyWorkflowId(message.target),
          taskQueue,
          args: [{ agencyId: message.target }],
          signal: pokeSignal,
          priority: SOON,
          staticSummary: `Agency ${message.target}`,
        });
        return 'done';
      case 'startImport':
        return await unlessRunning(
          client.workflow.start<typeof importFile>('importFile', {
            workflowId: importWorkflowId(message.target),
            taskQueue,
            args: [{ importId: message.target }],
            priority: FIRST,
            staticSummary: `Import ${message.target}`,
            ...ONCE,
          }),
        );
      case 'startRollout':
        return await unlessRunning(
          client.workflow.start<typeof policyRollout>('policyRollout', {
            workflowId: rolloutWorkflowId(message.target),
            taskQueue,
            args: [{ rolloutId: message.target }],
            priority: LAST,
            staticSummary: `Roll-out ${message.target}`,
            ...ONCE,
          }),
        );
      case 'startBulk':
        return await unlessRunning(
          client.workflow.start<typeof bulkCommand>('bulkCommand', {
            workflowId: bulkWorkflowId(message.target),
            taskQueue,
            args: [{ bulkId: message.target }],
            priority: LAST,
            staticSummary: `Bulk command ${message.target}`,
            ...ONCE,
          }),
        );
    }
  };
}

/**
 * Starts a run of a case. A run of an older generation that has not closed yet is waited for; a run of this generation
 * means that an earlier try got through.
 */
async function startCase(deps: OutboxRelayDeps, taskQueue: string, invoiceId: string, run: number): Promise<Delivery> {
  const { client, db } = deps;
  const start = await caseStart(db, invoiceId, deps);
  if (!start || start.run !== run || !isOpen(start.stage)) return 'done';
  try {
    await client.workflow.start<typeof invoiceCase>('invoiceCase', {
      workflowId: caseWorkflowId(invoiceId),
      taskQueue,
      args: [{ invoiceId, run }],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      memo: { run },
      ...titleOf(start),
    });
    return 'done';
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const running = await client.workflow.getHandle(caseWorkflowId(invoiceId)).describe();
    return running.memo?.['run'] === run ? 'done' : 'again';
  }
}

function titleOf(start: CaseStart) {
  const amount = `${formatAmount(start.amountMinor, start.currency)} ${start.currency}`;
  return {
    staticSummary: `${amount}, due ${start.dueOn}, run ${start.run}`,
    staticDetails: `Customer \`${start.customerId}\`, policy \`${start.policyName}\` version ${start.policyVersion}`,
    typedSearchAttributes: [
      { key: searchAttributes.creditorId, value: start.creditorId },
      { key: searchAttributes.customerId, value: start.customerId },
      { key: searchAttributes.caseStage, value: start.stage },
      { key: searchAttributes.dueAt, value: new Date(`${start.dueOn}T00:00:00Z`) },
      { key: searchAttributes.balanceMinor, value: Number(start.balanceMinor) },
      ...(start.next
        ? [
            { key: searchAttributes.nextAction, value: start.next.action },
            { key: searchAttributes.nextActionAt, value: new Date(start.next.at) },
          ]
        : []),
    ],
  };
}

/** A case that does not run is either about to start, and the message waits, or closed, and its facts are on record. */
async function signalCase(deps: OutboxRelayDeps, taskQueue: string, message: OutboxMessage): Promise<Delivery> {
  const { client, db } = deps;
  const handle = client.workflow.getHandle(caseWorkflowId(message.target));
  const name = message.payload['signal'] as FactSignalName | 'wake';
  try {
    if (name === 'wake') await handle.signal(wakeSignal, { factId: `wake:${message.id}` });
    else await handle.signal(factSignals[name], { id: String(message.payload['factId']) });
    return 'done';
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    const start = await caseStart(db, message.target, deps);
    if (!start || !isOpen(start.stage)) return 'done';
    // Its start should long have come: Temporal may have lost it. The record says it should run, so it does.
    if (message.attempts > STARTS_MISSING_AFTER) await startCase(deps, taskQueue, start.invoiceId, start.run);
    return 'again';
  }
}

async function unlessRunning(start: Promise<unknown>): Promise<Delivery> {
  try {
    await start;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return 'done';
}
