import type { Client } from '@temporalio/client';
import { pino } from 'pino';
import type { Activities, ActivityDeps } from '../../activities/create-activities.ts';
import type { Mailer, SendOutcome } from '../../activities/mail/resend-client.ts';
import type { Db } from '../../db/database.ts';
import { parseInstant } from '../../domain/time/zones.ts';
import { fakeMailer, startInProcess, type SentMail } from '../../scripts/stack/in-process-service.ts';
import { createTestDatabase, temporalServer } from './servers.ts';

export type { SentMail } from '../../scripts/stack/in-process-service.ts';

export interface TestService {
  db: Db;
  url: string;
  client: Client;
  clock: ActivityDeps['clock'];
  mails: SentMail[];
  /** What the provider answers next; afterwards it accepts again. */
  answers: SendOutcome[];
  deps: ActivityDeps;
  taskQueue: string;
  stop(): Promise<void>;
}

export interface TestOptions {
  now: string;
  dayMs: number;
  /** The shared server when left out. */
  temporal?: { address: string; namespace: string };
  /** Real milliseconds after which an agency that does not answer becomes a task. */
  agencyPatienceMs?: number;
  /** Where providers of payments are asked. */
  feeds?: Omit<ActivityDeps['feeds'], 'openCredentials'>;
  /** Stands between Temporal and the activities. */
  around?: (activities: Activities) => Activities;
  /** Stands between the relay and the fake provider. */
  mailer?: (provider: Mailer) => Mailer;
}

/**
 * The service as it runs, in this process: a database of its own, a worker on a task queue of its own, the relays, and a
 * mail provider that takes everything unless told otherwise. Business time begins at `now` and a day of it lasts `dayMs`.
 */
export async function startTestService(options: TestOptions): Promise<TestService> {
  const database = await createTestDatabase();
  const mails: SentMail[] = [];
  const answers: SendOutcome[] = [];
  const service = await startInProcess({
    databaseUrl: database.url,
    temporal: options.temporal ?? temporalServer(),
    clock: { anchorReal: Date.now(), anchorBusiness: parseInstant(options.now), dayMs: options.dayMs },
    mailer: options.mailer?.(fakeMailer(mails, answers)) ?? fakeMailer(mails, answers),
    log: pino({ level: process.env['TEST_LOG'] ?? 'silent' }),
    ...(options.agencyPatienceMs === undefined ? {} : { agencyPatienceMs: options.agencyPatienceMs }),
    ...(options.feeds ? { feeds: options.feeds } : {}),
    ...(options.around ? { around: options.around } : {}),
  });
  return {
    ...service,
    url: database.url,
    mails,
    answers,
    async stop() {
      await service.stop();
      await database.drop();
    },
  };
}

/** Waits, by the real clock, until `check` gives something; throws what it looked for when it does not come. */
export async function until<T>(
  what: string,
  check: () => Promise<T | null | undefined | false>,
  ms = 60_000,
): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
