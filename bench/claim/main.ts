import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { sql } from 'kysely';
import { holidaysOf } from '../../activities/holidays.ts';
import { printBatch } from '../../activities/letters/index.ts';
import { renderAgain } from '../../activities/render-again.ts';
import { createTemplateTexts } from '../../activities/template-texts.ts';
import { buildApp } from '../../api/app.ts';
import type { App } from '../../api/routing.ts';
import { systemAct } from '../../db/act.ts';
import { createDatabase, inTransaction, type Db } from '../../db/database.ts';
import { IntakeWriter } from '../../db/repositories/inbox.ts';
import { ensureKey } from '../../db/repositories/keys.ts';
import { recordPayment } from '../../db/repositories/receipts.ts';
import { addDays } from '../../domain/time/dates.ts';
import { parseInstant } from '../../domain/time/zones.ts';
import { addCustomer, addInvoice, openBook } from '../../test/support/book.ts';
import type { Benchmark } from '../main.ts';
import { bound, controlHolds, print, show, spread, table, type Spread } from '../support/report.ts';
import { withServers } from '../support/servers.ts';

const MOST_TIMES = 3;
const NOW = '2026-06-30T09:00:00Z';
/** Requests of each kind a round. */
const REQUESTS = 40;

export const benchmark: Benchmark = {
  about: 'GET …/claim on a case with many movements against a plain read of the same invoice',
  options: { movements: 200, rounds: 15 },
  run: async (options) =>
    withServers({ temporal: false }, async ({ databaseUrl }) => {
      const db = createDatabase(databaseUrl, { max: 4, applicationName: 'bench' });
      const key = `adm_${randomBytes(24).toString('base64url')}`;
      const app = await api(db);
      try {
        return await measure(app, key, await movedInvoice(db, key, options['movements']!), options['rounds']!);
      } finally {
        await app.close();
        await db.destroy();
      }
    }),
};

const api = (db: Db): Promise<App> =>
  buildApp({
    db,
    clock: { now: () => parseInstant(NOW), dayMs: 86_400_000 },
    commands: { execute: () => Promise.reject(new Error('No commands here.')), isUp: () => Promise.resolve(true) },
    intake: new IntakeWriter(db),
    holidays: holidaysOf,
    texts: createTemplateTexts(null),
    printer: printBatch,
    renderMessage: renderAgain,
    logger: false,
    config: {
      secretKey: randomBytes(32),
      rateLimitPerMinute: 10_000_000,
      trustProxy: false,
      metricsPublic: false,
      publicUrl: null,
    },
  });

const noHolidays = (): ReadonlySet<string> => new Set();

/** An invoice that is late since the autumn and was paid in so many parts, one a day, each imputed on interest and principal. */
async function movedInvoice(db: Db, key: string, movements: number): Promise<string> {
  const clock = { now: () => parseInstant(NOW) } as never;
  const creditor = await openBook(
    { db, clock },
    {
      steps: [{ key: 'reminder', day: 5, from: 'due', channel: 'email', template: 'reminder' }],
      interest: { claim: 'always', whenPrincipalPaid: 'claim' },
    },
  );
  await ensureKey(db, parseInstant(NOW), key, { creditorId: creditor.id, name: 'bench', role: 'operator' });
  const customer = await addCustomer({ db, clock }, creditor);
  const dueOn = '2025-11-01';
  const amountMinor = BigInt(movements) * 20_000n;
  const invoiceId = await addInvoice({ db, clock }, creditor, customer, { issuedOn: '2025-10-01', dueOn, amountMinor });
  for (let n = 0; n < movements; n++) {
    const payment = { invoiceId, amountMinor: 10_000n, currency: 'EUR', receivedOn: addDays(dueOn, 1 + n) };
    await inTransaction(db, (tx) => recordPayment(tx, systemAct(parseInstant(NOW)), payment, noHolidays));
  }
  // As autovacuum would beside a service.
  await sql`analyze`.execute(db);
  return invoiceId;
}

async function measure(app: App, key: string, invoiceId: string, rounds: number): Promise<boolean> {
  const read = async (path: string): Promise<number> => {
    const begin = performance.now();
    for (let n = 0; n < REQUESTS; n++) {
      const { statusCode, body } = await app.inject({ url: path, headers: { authorization: `Bearer ${key}` } });
      if (statusCode !== 200) throw new Error(`${path} answered ${statusCode}: ${body}`);
    }
    return (performance.now() - begin) / REQUESTS;
  };
  const plain = `/v1/invoices/${invoiceId}`;
  const claim = `${plain}/claim`;
  const times = { invoice: [] as number[], claim: [] as number[], control: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    const now = { invoice: await read(plain), claim: await read(claim), control: await read(plain) };
    // The first round warms everything up.
    if (round >= 0) for (const [what, ms] of Object.entries(now)) times[what as keyof typeof times].push(ms);
  }
  print();
  table(
    ['milliseconds a request', 'median', 'low quartile', 'high quartile'],
    Object.entries(times).map(([what, ms]) => {
      const { median, low, high } = spread(ms);
      return [what, median.toFixed(2), low.toFixed(2), high.toFixed(2)];
    }),
  );
  print();
  const against = (what: keyof typeof times): Spread => spread(times[what].map((ms, n) => ms / times.invoice[n]!));
  const control = against('control');
  const ratio = against('claim');
  return [
    bound(`the control is ${show(control)}`, controlHolds(control)),
    bound(`a claim takes ${show(ratio)} times a plain read (at most ${MOST_TIMES})`, ratio.median <= MOST_TIMES),
  ].every(Boolean);
}
