import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createActivities, type ActivityDeps } from '../../activities/create-activities.ts';
import { holidaysOf } from '../../activities/holidays.ts';
import type { MailMessage, Mailer, SendOutcome } from '../../activities/mail/resend-client.ts';
import { createDatabase, type Db } from '../../db/database.ts';
import { MAIL_CHANNEL } from '../../db/repositories/contacts.ts';
import { OUTBOX_CHANNEL } from '../../db/repositories/outbox.ts';
import type { ClockSetting } from '../../domain/time/business-clock.ts';
import { parseInstant } from '../../domain/time/zones.ts';
import { buildWorkflowBundle } from '../../scripts/build-bundle.ts';
import { createBusinessClock } from '../../worker/business-clock.ts';
import { holidaySets } from '../../worker/holiday-sets.ts';
import { ringRelays } from '../../worker/listen.ts';
import { startMailRelay } from '../../worker/relays/mail-relay.ts';
import { startOutboxRelay } from '../../worker/relays/outbox-relay.ts';
import { createTestDatabase, temporalServer } from './servers.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** A mail as the fake provider took it, and the key it came with. */
export interface SentMail {
  key: string;
  message: MailMessage;
}

export interface TestService {
  db: Db;
  url: string;
  client: Client;
  clock: ActivityDeps['clock'];
  mails: SentMail[];
  /** What the provider answers next; afterwards it accepts again. */
  answers: SendOutcome[];
  deps: ActivityDeps;
  stop(): Promise<void>;
}

let bundle: Promise<string> | null = null;

async function workflowBundle(): Promise<string> {
  bundle ??= buildWorkflowBundle(join(tmpdir(), `relance-test-bundle-${process.pid}.js`), {
    cacheDir: join(import.meta.dirname, '../../node_modules/.cache/relance'),
  }).then((b) => b.file);
  return await bundle;
}

/**
 * The service as it runs, in this process: a database of its own, a worker on a task queue of its own, the relays, and a
 * mail provider that takes everything unless told otherwise. Business time begins at `now` and a day of it lasts `dayMs`.
 */
export async function startTestService(options: { now: string; dayMs: number }): Promise<TestService> {
  const database = await createTestDatabase();
  const db = createDatabase(database.url, { max: 8, applicationName: 'test' });
  const setting: ClockSetting = {
    anchorReal: Date.now(),
    anchorBusiness: parseInstant(options.now),
    dayMs: options.dayMs,
  };
  const clock = createBusinessClock(setting);
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const deps: ActivityDeps = { db, clock, holidays: holidaysOf, holidaySet: holidaySets(clock), log };
  const mails: SentMail[] = [];
  const answers: SendOutcome[] = [];
  const mailer = fakeMailer(mails, answers);
  const temporal = temporalServer();
  const taskQueue = `test-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const clientConnection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection: clientConnection, namespace: temporal.namespace });
  const outbox = startOutboxRelay({ db, client, log, taskQueue });
  const mail = startMailRelay({ db, mailer, clock, holidays: holidaysOf, log });
  const listener = ringRelays(database.url, { [OUTBOX_CHANNEL]: outbox, [MAIL_CHANNEL]: mail }, log);
  const connection = await NativeConnection.connect({ address: temporal.address });
  const worker = await Worker.create({
    connection,
    namespace: temporal.namespace,
    taskQueue,
    activities: createActivities(deps),
    workflowBundle: { codePath: await workflowBundle() },
    shutdownGraceTime: 500,
  });
  const running = worker.run();
  return {
    db,
    url: database.url,
    client,
    clock,
    mails,
    answers,
    deps,
    async stop() {
      worker.shutdown();
      await running;
      await Promise.all([outbox.stop(), mail.stop(), listener.close()]);
      await connection.close();
      await clientConnection.close();
      await db.destroy();
      await database.drop();
    },
  };
}

function fakeMailer(mails: SentMail[], answers: SendOutcome[]): Mailer {
  return {
    async send(message, key) {
      const answer = answers.shift() ?? { kind: 'accepted' as const, providerId: `mail-${mails.length + 1}` };
      const known = mails.find((m) => m.key === key);
      const takes = answer.kind === 'accepted' || answer.kind === 'unknown';
      if (takes && !known) mails.push({ key, message });
      return answer;
    },
    async findByTag(_name, value) {
      const index = mails.findIndex((m) => m.key === value);
      return index < 0 ? null : { id: `mail-${index + 1}` };
    },
  };
}

/** Waits, by the real clock, until `check` gives something; throws what it looked for when it does not come. */
export async function until<T>(what: string, check: () => Promise<T | null | undefined | false>, ms = 20_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
