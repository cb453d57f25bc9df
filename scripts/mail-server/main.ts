import { createMailServer, type MailServerOptions } from './server.ts';

/**
 * The local mail server as a program. Settings: MAIL_DATA (folder, default .relance/mail), MAIL_PORT (default 8025),
 * MAIL_HOST (default 127.0.0.1), MAIL_API_KEY (the one good key; any is good without), MAIL_WEBHOOK_URL and
 * MAIL_WEBHOOK_SECRET (whsec_…), MAIL_WEBHOOK_SCHEDULE (milliseconds between attempts, comma-separated),
 * MAIL_RATE_LIMIT (requests per second), MAIL_DELIVERY_DELAY (ms), MAIL_OPEN_INBOX=1.
 */
function readSettings(env: NodeJS.ProcessEnv): MailServerOptions {
  const number = (name: string, fallback: number): number => {
    const text = env[name] || String(fallback);
    if (!/^\d+$/.test(text)) throw new Error(`${name} must be a whole number, not "${text}".`);
    return Number(text);
  };
  const url = env['MAIL_WEBHOOK_URL'];
  const secret = env['MAIL_WEBHOOK_SECRET'] ?? '';
  if (url && !/^whsec_[A-Za-z0-9+/]+=*$/.test(secret)) {
    throw new Error('MAIL_WEBHOOK_SECRET must be whsec_ and a key in base64 when MAIL_WEBHOOK_URL is set.');
  }
  const schedule = env['MAIL_WEBHOOK_SCHEDULE'];
  if (schedule && !/^\d+(,\d+)*$/.test(schedule)) {
    throw new Error('MAIL_WEBHOOK_SCHEDULE must be milliseconds, comma-separated.');
  }
  return {
    dataFolder: env['MAIL_DATA'] || '.relance/mail',
    port: number('MAIL_PORT', 8025),
    host: env['MAIL_HOST'] || '127.0.0.1',
    requestsPerSecond: number('MAIL_RATE_LIMIT', 1_000),
    deliveryDelayMs: number('MAIL_DELIVERY_DELAY', 50),
    openInbox: env['MAIL_OPEN_INBOX'] === '1',
    ...(env['MAIL_API_KEY'] ? { apiKeys: [env['MAIL_API_KEY']] } : {}),
    ...(url ? { webhook: { url, secret } } : {}),
    ...(schedule ? { webhookSchedule: schedule.split(',').map(Number) } : {}),
  };
}

function sentenceFor(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') return 'The port of the mail server is taken: set MAIL_PORT to a free one.';
  if (code === 'EACCES') return 'The mail server may not use its port or its folder (MAIL_PORT, MAIL_DATA).';
  if (code === 'ENOSPC') return 'The disk is full: the mail server cannot keep mails.';
  return error instanceof Error ? error.message : String(error);
}

try {
  const server = await createMailServer(readSettings(process.env));
  const stop = (): void => {
    server.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  console.log(`Mail server: ${await server.listen()}`);
} catch (error) {
  console.error(sentenceFor(error));
  process.exitCode = 1;
}
