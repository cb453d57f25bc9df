import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createActivities } from '../activities/create-activities.ts';
import { createMailer } from '../activities/mail/resend-client.ts';
import { holidaysOf } from '../activities/holidays.ts';
import { readSettings, SettingsError, WORKER_SETTINGS } from '../config.ts';
import { createDatabase } from '../db/database.ts';
import { MAIL_CHANNEL } from '../db/repositories/contacts.ts';
import { loadClock, touchClock } from '../db/repositories/clock.ts';
import { OUTBOX_CHANNEL } from '../db/repositories/outbox.ts';
import { TASK_QUEUE } from '../workflows/ids.ts';
import { activityDeps } from './activity-deps.ts';
import { buildIdOf } from './build-id.ts';
import { createBusinessClock } from './business-clock.ts';
import { discreetFailures } from './interceptors.ts';
import { ringRelays } from './listen.ts';
import { startMailRelay } from './relays/mail-relay.ts';
import { startOutboxRelay } from './relays/outbox-relay.ts';
import { startStatementFolder } from './relays/statement-folder.ts';
import { startSweep } from './relays/sweep.ts';
import { startUpkeep } from './relays/upkeep.ts';
import { connectClient, connectWorker } from './temporal-connection.ts';

const MAIL_TIMEOUT_MS = 20_000;
const GRACE_MS = 8_000;

async function main(): Promise<void> {
  const settings = readSettings(process.env, WORKER_SETTINGS);
  const log = pino({ name: 'worker', level: settings.LOG_LEVEL });
  Runtime.install({
    logger: new DefaultLogger('WARN', (entry) => log.warn({ temporal: entry.meta?.['workflowId'] }, entry.message)),
  });

  const db = createDatabase(settings.DATABASE_URL, {
    max: settings.DATABASE_POOL_MAX,
    applicationName: 'relance-worker',
    onIdleError: (error) => log.warn({ err: error }, 'a database connection was lost'),
  });
  const clock = createBusinessClock(await loadClock(db));
  const temporal = connectClient(settings);
  const { client } = temporal;
  const mailer = createMailer({
    apiKey: settings.RESEND_API_KEY,
    baseUrl: settings.RESEND_BASE_URL,
    timeoutMs: MAIL_TIMEOUT_MS,
  });
  const secretKey = Buffer.from(settings.RELANCE_SECRET_KEY, 'base64');
  const urls = {
    bridge: settings.BRIDGE_BASE_URL,
    gocardless: settings.GOCARDLESS_BASE_URL,
    gocardlessSandbox: settings.GOCARDLESS_SANDBOX_URL,
  };
  const deps = activityDeps({ db, clock, log, client, mailer, secretKey, feeds: { urls } });

  const outbox = startOutboxRelay({ ...deps, client, log });
  const mail = startMailRelay({ db, mailer, clock, holidays: holidaysOf, log });
  const sweep = startSweep({ db, client, clock, log, touch: () => touchClock(db, clock.now()) });
  const upkeep = startUpkeep({ db, clock, log });
  const folder =
    settings.STATEMENT_FOLDER === undefined
      ? null
      : startStatementFolder({ db, clock, log, folder: settings.STATEMENT_FOLDER });
  const listener = ringRelays(settings.DATABASE_URL, { [OUTBOX_CHANNEL]: outbox, [MAIL_CHANNEL]: mail }, log);

  const connection: NativeConnection = await connectWorker(settings, () => log.warn('Temporal does not answer yet'));
  const worker = await Worker.create({
    connection,
    namespace: settings.TEMPORAL_NAMESPACE,
    taskQueue: TASK_QUEUE,
    activities: createActivities(deps),
    interceptors: { activity: [discreetFailures(log)] },
    buildId: await buildIdOf(settings.WORKFLOW_BUNDLE),
    // Idle cases are dropped from memory and replayed when something comes: a replay costs milliseconds.
    maxCachedWorkflows: Math.max(settings.WORKFLOW_CACHE, settings.DATABASE_POOL_MAX),
    // A turn needs a connection to the database: more of them at once would only wait for one within their task's time,
    // and what is more urgent than they are behind them.
    maxConcurrentWorkflowTaskExecutions: Math.max(2, settings.DATABASE_POOL_MAX),
    shutdownGraceTime: GRACE_MS,
    ...(settings.WORKFLOW_BUNDLE
      ? { workflowBundle: { codePath: settings.WORKFLOW_BUNDLE } }
      : { workflowsPath: workflowsPath() }),
  });

  const stop = (): void => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // The supervisor that started this process is gone: nothing may be left behind.
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), GRACE_MS).unref();
    stop();
  });
  process.channel?.unref();
  process.send?.('ready');
  log.info({ namespace: settings.TEMPORAL_NAMESPACE, queue: TASK_QUEUE }, 'worker runs');

  try {
    await worker.run();
  } finally {
    await Promise.all([outbox.stop(), mail.stop(), sweep.stop(), upkeep.stop(), folder?.stop(), listener.close()]);
    await connection.close();
    await temporal.close();
    await db.destroy();
    log.info('worker stopped');
  }
}

/** The workflows beside this file: `.ts` when run from source, `.js` when built. */
function workflowsPath(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return createRequire(import.meta.url).resolve(
    fileURLToPath(new URL(`../workflows/index.${extension}`, import.meta.url)),
  );
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(
      `${error instanceof SettingsError ? error.message : String((error as Error).stack ?? error)}\n`,
    );
    process.exit(1);
  },
);
