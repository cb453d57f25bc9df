import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createDatabase, type Db } from '../../db/database.ts';
import { migrateToLatest } from '../../db/migrate.ts';
import { businessNow, REAL_TIME, type ClockSetting } from '../../domain/time/business-clock.ts';
import type { Instant } from '../../domain/time/zones.ts';
import { TASK_QUEUE } from '../../workflows/ids.ts';
import { connectClient } from '../../worker/temporal-connection.ts';
import type { Client } from '@temporalio/client';
import { buildWorkflowBundle } from '../build-bundle.ts';
import { errorCode, errorText, StackError } from '../stack/errors.ts';
import { choosePort } from '../stack/ports.ts';
import type { Log } from '../stack/processes.ts';
import { relanceSearchAttributes } from '../stack/search-attributes.ts';
import { createSupervisor, nodeCommand, type Supervisor } from '../stack/supervisor.ts';
import { apiPort } from './api-port.ts';
import { noteClock, startClock } from './clock.ts';
import { ensureCreditor } from './creditor.ts';
import { stackKeys } from './keys.ts';
import { checkMode, keepMode, keptMode, type Mode } from './kept-mode.ts';
import type { StartOptions } from './options.ts';
import { removeReady, writeReady, type Ready } from './ready-file.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUNDLE_CACHE = join(ROOT, 'node_modules', '.cache', 'relance');
/** About what worker and API take to come up; real milliseconds. */
const STAND_STILL_MS = 6_000;
/** Milliseconds between attempts of the local mail server to deliver a webhook: a restart of the API is over in seconds. */
const WEBHOOK_SCHEDULE = '0,300,1000,2000,3000,5000,5000,10000,10000,30000,60000,60000,300000,300000';

/** A stack that answers. */
export interface Stack {
  readonly ready: Ready;
  readonly supervisor: Supervisor;
  readonly db: Db;
  readonly temporal: Client;
  readonly clock: ClockSetting;
}

/** What may be running when a stop comes, at whatever point of the start. */
export interface Running {
  supervisor?: Supervisor;
  /** What is closed before the processes are stopped. */
  readonly closing: Array<() => Promise<unknown>>;
  /** What is given back once they are. */
  readonly released: Array<() => void>;
}

export interface StackPlan {
  readonly mode: Mode;
  /** Which book, in words; only where the mode is `book`. */
  readonly book?: string;
  /** The clock of new data where the command line does not say. */
  readonly clock: { readonly dayMs?: number; readonly now?: Instant };
  /** How long new data's compressed time stands still besides, while it is filled; real milliseconds. */
  readonly fillingMs: number;
}

/**
 * Brings everything up in order and says so: PostgreSQL, schema, clock, Temporal, mail server, worker, API; then writes
 * ready.json. What has been started is noted in `running` as it comes, for {@link stopStack}.
 * @throws StackError a sentence with the remedy
 */
export async function startStack(options: StartOptions, plan: StackPlan, running: Running, log: Log): Promise<Stack> {
  const supervisor = await createSupervisor({ dataDir: options.dataDir, log, fresh: options.fresh });
  running.supervisor = supervisor;
  const { dataDir } = supervisor;
  removeReady(dataDir);
  checkMode(dataDir, plan.mode, plan.book);
  const claimed = await apiPort(options.port);
  const { port } = claimed;
  running.released.push(() => claimed.release());
  const keys = stackKeys(dataDir);
  const bundle = workflowBundle(join(dataDir, 'workflow-bundle.js'));
  // Awaited further down: until then its failure must not count as unheard.
  bundle.catch(() => undefined);

  const postgres = await supervisor.startPostgres();
  log(`PostgreSQL    ${postgres.origin}`);
  await migrate(postgres.url);
  const db = createDatabase(postgres.url, { max: 4, applicationName: 'relance-start' });
  running.closing.push(() => db.destroy());

  const namespace = process.env['TEMPORAL_NAMESPACE'] || 'relance';
  const temporal = await supervisor.startTemporal({ namespace, searchAttributes: relanceSearchAttributes });
  log(`Temporal      ${temporal.origin}`);
  const { client, ...connection } = connectClient({
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: namespace,
    TEMPORAL_API_KEY: process.env['TEMPORAL_API_KEY'],
  });
  running.closing.unshift(() => connection.close());
  const workflows = await bundle;

  const apiUrl = `http://127.0.0.1:${port}`;
  const mailPort = await choosePort(dataDir, 'mail');
  const mailUrl = `http://127.0.0.1:${mailPort}`;
  const common = {
    ...process.env,
    DATABASE_URL: postgres.url,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: namespace,
  };
  await supervisor.start({
    name: 'mail',
    ...nodeCommand(join(ROOT, 'scripts', 'start', 'mail-server.ts')),
    env: {
      ...process.env,
      MAIL_DATA: join(dataDir, 'mail'),
      MAIL_PORT: String(mailPort),
      MAIL_HOST: '127.0.0.1',
      MAIL_API_KEY: keys.mailKey,
      MAIL_WEBHOOK_URL: `${apiUrl}/v1/webhooks/resend`,
      MAIL_WEBHOOK_SECRET: keys.mailWebhookSecret,
      MAIL_WEBHOOK_SCHEDULE: WEBHOOK_SCHEDULE,
    },
    ready: () => answers(`${mailUrl}/healthz`),
  });
  log('mail server   a local stand-in for Resend; nothing leaves this machine');

  // As late as can be: from here on business time runs.
  const clock = await patiently(() =>
    startClock(db, {
      dayMs: options.dayMs,
      now: options.now,
      defaults: plan.clock,
      standStillMs: STAND_STILL_MS + (keptMode(dataDir) === undefined ? plan.fillingMs : 0),
    }),
  );
  running.closing.unshift(() => noteClock(db, clock));
  keepMode(dataDir, plan.mode, plan.book);
  const creditorId = await patiently(() => ensureCreditor(db, businessNow(clock, Date.now()), keys.apiKey));

  await supervisor.start({
    name: 'worker',
    ...nodeCommand(join(ROOT, 'worker', 'main.ts')),
    env: {
      ...common,
      RELANCE_SECRET_KEY: keys.secretKey,
      RESEND_API_KEY: keys.mailKey,
      RESEND_BASE_URL: mailUrl,
      WORKFLOW_BUNDLE: workflows,
    },
    ready: workerPolls(client, namespace),
    graceMs: 12_000,
  });
  log('worker        looks after the cases');
  await supervisor.start({
    name: 'api',
    ...nodeCommand(join(ROOT, 'api', 'server.ts')),
    env: {
      ...common,
      HOST: '127.0.0.1',
      PORT: String(port),
      PUBLIC_URL: apiUrl,
      RELANCE_SECRET_KEY: keys.secretKey,
      RELANCE_ADMIN_KEY: keys.adminKey,
      RESEND_WEBHOOK_SECRET: keys.mailWebhookSecret,
    },
    // Asked with our own key too: another program's API would be ready as well.
    ready: async () => (await answers(`${apiUrl}/readyz`)) && (await answers(`${apiUrl}/v1/creditor`, keys.apiKey)),
  });
  log('API           answers');

  const ready: Ready = {
    apiUrl,
    docsUrl: `${apiUrl}/docs`,
    temporalUiUrl: temporal.uiUrl,
    temporalAddress: temporal.address,
    temporalNamespace: namespace,
    databaseUrl: postgres.url,
    mailUrl,
    adminKey: keys.adminKey,
    creditorId,
    apiKey: keys.apiKey,
    pid: process.pid,
    startedAt: new Date().toISOString(),
  };
  writeReady(dataDir, ready);
  return { ready, supervisor, db, temporal: client, clock };
}

/** Takes ready.json back, then stops everything, last started first. */
export async function stopStack(running: Running): Promise<void> {
  const { supervisor, closing } = running;
  if (supervisor !== undefined) removeReady(supervisor.dataDir);
  for (const close of closing.splice(0)) {
    // A server that is already gone has nothing left to be told.
    await Promise.race([close().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 3_000).unref())]);
  }
  await supervisor?.stop();
  for (const release of running.released.splice(0)) release();
}

/** Whether the business clock of this stack differs from the real one. */
export const isCompressed = (stack: Stack): boolean => stack.clock !== REAL_TIME;

/**
 * Once more, for half a minute, where PostgreSQL went away: the supervisor brings it back.
 * @throws StackError when it stays away; whatever else `work` throws
 */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      if (Date.now() > deadline) {
        throw new StackError(`PostgreSQL went away while starting (${errorText(error)}); start again.`, {
          cause: error,
        });
      }
      await sleep(500);
    }
  }
}

/** A refused or broken connection, or a server that is starting or stopping (SQLSTATE class 08 and 57P). */
function isConnectionLost(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isConnectionLost);
  return (
    /^(ECONNREFUSED|ECONNRESET|EPIPE|08\w{3}|57P\w{2})$/.test(errorCode(error) ?? '') ||
    /Connection terminated/.test(errorText(error))
  );
}

async function migrate(url: string): Promise<void> {
  try {
    await patiently(() => migrateToLatest(url));
  } catch (error) {
    throw new StackError(`The database cannot be brought to the newest schema: ${errorText(error)}.`, { cause: error });
  }
}

async function workflowBundle(file: string): Promise<string> {
  try {
    return (await buildWorkflowBundle(file, { cacheDir: BUNDLE_CACHE })).file;
  } catch (error) {
    // A checkout that belongs to somebody else takes no cache.
    if (!['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '')) throw error;
    return (await buildWorkflowBundle(file)).file;
  }
}

async function answers(url: string, key?: string): Promise<boolean> {
  try {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Says whether a worker has begun to wait for workflows, by asking Temporal. */
function workerPolls(client: Client, namespace: string): () => Promise<boolean> {
  // The number of `temporal.api.enums.v1.TaskQueueType` for workflow tasks.
  const WORKFLOW_TASKS = 1 as never;
  return async () => {
    try {
      const { pollers } = await client.connection.withDeadline(Date.now() + 3_000, () =>
        client.connection.workflowService.describeTaskQueue({
          namespace,
          taskQueue: { name: TASK_QUEUE },
          taskQueueType: WORKFLOW_TASKS,
        }),
      );
      return (pollers ?? []).length > 0;
    } catch {
      return false;
    }
  };
}
