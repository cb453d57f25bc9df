import { Client } from '@temporalio/client';
import pino, { type Logger } from 'pino';
import { holidaysOf } from '../activities/holidays.ts';
import {
  customerStatementPdf,
  printBatch,
  renderPreviewPdf,
  renderVatCorrection,
  timelinePdf,
} from '../activities/letters/index.ts';
import { createTemplateTexts } from '../activities/template-texts.ts';
import { renderAgain } from '../activities/render-again.ts';
import { API_SETTINGS, readSettings, SettingsError } from '../config.ts';
import { createDatabase, type Db } from '../db/database.ts';
import { loadClock } from '../db/repositories/clock.ts';
import { forgetAnswers } from '../db/repositories/idempotency.ts';
import { IntakeWriter } from '../db/repositories/inbox.ts';
import { ensureKey } from '../db/repositories/keys.ts';
import { businessNow } from '../domain/time/business-clock.ts';
import { buildApp } from './app.ts';
import { createCaseCommands, lazyConnection } from './case-commands.ts';
import type { ApiClock } from './deps.ts';
import { withoutContent } from './plugins/errors.ts';
import { LOG_OPTIONS } from './plugins/request-log.ts';

/** How long requests under way are waited for when the process is told to stop, in real milliseconds. */
const CLOSE_MS = 10_000;
const HOUR_MS = 3_600_000;
/** Answers are repeated for this long. */
const ANSWERS_HOURS = 7 * 24;

/** Starts the API from the environment; resolves once it listens. */
async function main(): Promise<void> {
  const settings = readSettings(process.env, API_SETTINGS);
  const logger: Logger = pino({ ...LOG_OPTIONS, level: settings.LOG_LEVEL, base: { process: 'api' } });
  const db = createDatabase(settings.DATABASE_URL, {
    max: settings.DATABASE_POOL_MAX,
    applicationName: 'relance-api',
    onIdleError: (error) => logger.warn({ err: withoutContent(error) }, 'a database connection broke'),
  });
  const connection = lazyConnection(settings.TEMPORAL_ADDRESS, settings.TEMPORAL_API_KEY);
  const client = new Client({ connection, namespace: settings.TEMPORAL_NAMESPACE });
  const clock = await readClock(db);
  if (settings.RELANCE_ADMIN_KEY) {
    await ensureKey(db, clock.now(), settings.RELANCE_ADMIN_KEY, { name: 'admin', role: 'admin' });
  }
  const intake = new IntakeWriter(db);

  const app = await buildApp({
    db,
    clock,
    commands: createCaseCommands(client),
    intake,
    holidays: holidaysOf,
    texts: createTemplateTexts(renderPreviewPdf),
    printer: printBatch,
    renderMessage: renderAgain,
    renderTimeline: timelinePdf,
    renderStatement: customerStatementPdf,
    renderVatCorrection,
    logger,
    config: {
      secretKey: Buffer.from(settings.RELANCE_SECRET_KEY, 'base64'),
      ...(settings.RESEND_WEBHOOK_SECRET ? { deliveryWebhookSecret: settings.RESEND_WEBHOOK_SECRET } : {}),
      rateLimitPerMinute: settings.RATE_LIMIT_PER_MINUTE,
      trustProxy: settings.TRUST_PROXY,
      metricsPublic: settings.METRICS_PUBLIC,
      publicUrl: settings.PUBLIC_URL ?? null,
    },
  });

  const sweep = setInterval(() => {
    forgetAnswers(db, ANSWERS_HOURS).catch((error: unknown) =>
      logger.warn({ err: withoutContent(error) }, 'old answers were not forgotten'),
    );
  }, HOUR_MS);
  sweep.unref();

  let closing: Promise<void> | null = null;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      clearInterval(sweep);
      // Stops accepting, lets what is under way finish, then lets go of what it used.
      await app.close();
      await intake.drained();
      await connection.close();
      await db.destroy();
    })());
  endWith(close, logger);

  await app.listen({ host: settings.HOST, port: settings.PORT });
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : settings.PORT;
  logger.info({ port }, 'listening');
  process.send?.({ type: 'listening', port });
}

/** The business clock as it is kept with the data; whoever starts the stack has anchored it. */
async function readClock(db: Db): Promise<ApiClock> {
  const setting = await loadClock(db);
  return { now: () => businessNow(setting, Date.now()), dayMs: setting.dayMs };
}

function endWith(close: () => Promise<void>, logger: Logger): void {
  const leave = (why: string, code: number): void => {
    logger.info({ why }, 'stopping');
    setTimeout(() => process.exit(1), CLOSE_MS).unref();
    close().then(
      () => process.exit(code),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', () => leave('SIGTERM', 0));
  process.once('SIGINT', () => leave('SIGINT', 0));
  // Whoever started this process is gone, even by SIGKILL: it does not stay behind.
  process.once('disconnect', () => leave('disconnect', 1));
}

main().catch((error: unknown) => {
  const text = error instanceof SettingsError ? error.message : 'The API could not start.';
  const why = error instanceof SettingsError ? '' : `\n${JSON.stringify(withoutContent(error))}`;
  process.stderr.write(`${text}${why}\n`);
  process.exit(1);
});
