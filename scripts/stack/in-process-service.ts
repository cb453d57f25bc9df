import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivities, type Activities, type ActivityDeps } from '../../activities/create-activities.ts';
import type { FeedDeps } from '../../activities/deps.ts';
import { holidaysOf } from '../../activities/holidays.ts';
import type { MailMessage, Mailer, SendOutcome } from '../../activities/mail/resend-client.ts';
import { createDatabase, type Db } from '../../db/database.ts';
import { MAIL_CHANNEL } from '../../db/repositories/contacts.ts';
import { OUTBOX_CHANNEL } from '../../db/repositories/outbox.ts';
import type { ClockSetting } from '../../domain/time/business-clock.ts';
import { activityDeps } from '../../worker/activity-deps.ts';
import { buildIdOf } from '../../worker/build-id.ts';
import { createBusinessClock } from '../../worker/business-clock.ts';
import { discreetFailures } from '../../worker/interceptors.ts';
import { ringRelays } from '../../worker/listen.ts';
import { startMailRelay } from '../../worker/relays/mail-relay.ts';
import { startOutboxRelay } from '../../worker/relays/outbox-relay.ts';
import { buildWorkflowBundle } from '../build-bundle.ts';

export interface InProcessOptions {
  /** A database with the current schema. */
  databaseUrl: string;
  temporal: { address: string; namespace: string };
  clock: ClockSetting;
  mailer: Mailer;
  log: Logger;
  /** One of its own when left out. */
  taskQueue?: string;
  /** The key that secrets are sealed under; a fixed one when left out. */
  secretKey?: Buffer;
  /** Real milliseconds after which an agency that does not answer becomes a task. */
  agencyPatienceMs?: number;
  /** Where providers of payments are asked, and after what pause again; nowhere when left out. */
  feeds?: Omit<FeedDeps, 'openCredentials'>;
  /** Stands between Temporal and the activities: for faults. */
  around?: (activities: Activities) => Activities;
}

export interface InProcessService {
  db: Db;
  client: Client;
  clock: ActivityDeps['clock'];
  deps: ActivityDeps;
  taskQueue: string;
  stop(): Promise<void>;
}

/** Nothing listens on the port of discarding. */
const NOWHERE = {
  bridge: 'http://127.0.0.1:9',
  gocardless: 'http://127.0.0.1:9',
  gocardlessSandbox: 'http://127.0.0.1:9',
};

let bundle: Promise<string> | null = null;

async function workflowBundle(): Promise<string> {
  bundle ??= buildWorkflowBundle(join(tmpdir(), `relance-bundle-${process.pid}.js`), {
    cacheDir: join(import.meta.dirname, '../../node_modules/.cache/relance'),
  }).then((b) => b.file);
  return await bundle;
}

/** Once a process, before its first worker: only errors are worth a line where servers come and go. */
let quiet = false;

/**
 * The service as it runs, in this process, for tests and benchmarks: a worker on a task queue of its own and the relays,
 * without the sweep. Servers, clock and mail provider are the caller's.
 */
export async function startInProcess(options: InProcessOptions): Promise<InProcessService> {
  if (!quiet) Runtime.install({ logger: new DefaultLogger('ERROR') });
  quiet = true;
  const { databaseUrl, temporal, mailer, log } = options;
  const db = createDatabase(databaseUrl, { max: 8, applicationName: 'relance-in-process' });
  const clock = createBusinessClock(options.clock);
  const secretKey = options.secretKey ?? Buffer.alloc(32, 7);
  const taskQueue = options.taskQueue ?? `in-process-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const clientConnection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection: clientConnection, namespace: temporal.namespace });
  const { agencyPatienceMs, feeds = { urls: NOWHERE } } = options;
  const deps = activityDeps({ db, clock, log, client, mailer, secretKey, feeds, agencyPatienceMs });
  const outbox = startOutboxRelay({ ...deps, client, log, taskQueue });
  const mail = startMailRelay({ db, mailer, clock, holidays: holidaysOf, log });
  const listener = ringRelays(databaseUrl, { [OUTBOX_CHANNEL]: outbox, [MAIL_CHANNEL]: mail }, log);
  const connection = await NativeConnection.connect({ address: temporal.address });
  const codePath = await workflowBundle();
  const worker = await Worker.create({
    connection,
    namespace: temporal.namespace,
    taskQueue,
    activities: (options.around ?? ((activities) => activities))(createActivities(deps)),
    interceptors: { activity: [discreetFailures(log)] },
    workflowBundle: { codePath },
    buildId: await buildIdOf(codePath),
    shutdownGraceTime: 500,
  });
  const running = worker.run();
  return {
    db,
    client,
    clock,
    deps,
    taskQueue,
    async stop() {
      worker.shutdown();
      await running;
      await Promise.all([outbox.stop(), mail.stop(), listener.close()]);
      await connection.close();
      await clientConnection.close();
      await db.destroy();
    },
  };
}

/** A mail as the fake provider took it, and the key it came with. */
export interface SentMail {
  key: string;
  message: MailMessage;
}

/** A mail provider that takes everything, each key once, unless `answers` says otherwise for the next calls. */
export function fakeMailer(mails: SentMail[], answers: SendOutcome[] = []): Mailer {
  return {
    async send(message, key) {
      const answer = answers.shift() ?? { kind: 'accepted' as const, providerId: '' };
      if (answer.kind !== 'accepted' && answer.kind !== 'unknown') return answer;
      if (!mails.some((m) => m.key === key)) mails.push({ key, message });
      if (answer.kind === 'unknown') return answer;
      const number = mails.findIndex((m) => m.key === key) + 1;
      return { kind: 'accepted', providerId: answer.providerId || `mail-${number}` };
    },
    async findByTag(_name, value) {
      const index = mails.findIndex((m) => m.key === value);
      return index < 0 ? null : { id: `mail-${index + 1}` };
    },
  };
}
