import { z } from 'zod';

/**
 * Every setting of the program, from the environment only and checked at start. The README's table is made from the
 * descriptions here (`settingsTable`). A process reads the settings it needs: `readSettings(process.env, API_SETTINGS)`.
 */

/** Whether the text is the base64 of exactly `bytes` bytes. */
const isBase64Key = (text: string, bytes: number): boolean =>
  /^[A-Za-z0-9+/]+={0,2}$/.test(text) && Buffer.from(text, 'base64').length === bytes;

const port = z.coerce.number().int().min(0).max(65_535);
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

export const SETTINGS = {
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .describe('PostgreSQL, `postgresql://user:password@host:port/database`. Where it is set no server is started.'),
  DATABASE_POOL_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(200)
    .default(10)
    .describe('Connections a process keeps at most, and turns of cases that a worker takes at once.'),
  WORKFLOW_CACHE: z.coerce
    .number()
    .int()
    .min(10)
    .max(100_000)
    .default(600)
    .describe('Workflows that a worker keeps in memory; the others are read again from their history when they wake.'),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s:]+:\d{1,5}$|^\[[^\s\]]+\]:\d{1,5}$/, 'must be host:port')
    .default('127.0.0.1:7233')
    .describe('Temporal frontend, `host:port`. Where it is set no server is started.'),
  TEMPORAL_NAMESPACE: z.string().min(1).max(200).default('default').describe('Namespace the workflows live in.'),
  TEMPORAL_API_KEY: z.string().min(1).optional().describe('Key for Temporal Cloud; turns TLS on.'),
  HOST: z.string().min(1).default('127.0.0.1').describe('Address the API listens on.'),
  PORT: port.default(3000).describe('Port of the API; 0 takes a free one.'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where the outside reaches the API; webhook URLs begin with it. Default: the address it listens on.'),
  RELANCE_SECRET_KEY: z
    .string()
    .refine((text) => isBase64Key(text, 32), 'must be 32 bytes in base64: openssl rand -base64 32')
    .describe('32 bytes in base64: the key under which secrets of feeds and agencies are encrypted (AES-256-GCM).'),
  RELANCE_ADMIN_KEY: z
    .string()
    .min(32)
    .max(200)
    .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')
    .optional()
    .describe('The admin key; stored as a hash at start. Without it an admin key must already be in the database.'),
  RESEND_API_KEY: z.string().min(1).describe('Key of Resend, or of the local mail server.'),
  RESEND_BASE_URL: z
    .url({ protocol: /^https?$/ })
    .default('https://api.resend.com')
    .describe('Where mails are handed in; the local mail server in the demo.'),
  RESEND_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]+={0,2}$/, 'must be whsec_ and base64')
    .optional()
    .describe('Signing secret of Resend’s delivery webhooks. Without it they are refused.'),
  BRIDGE_BASE_URL: z
    .url({ protocol: /^https?$/ })
    .default('https://api.bridgeapi.io')
    .describe('Where Bridge is asked for transactions.'),
  GOCARDLESS_BASE_URL: z
    .url({ protocol: /^https?$/ })
    .default('https://api.gocardless.com')
    .describe('Where GoCardless is asked for payments and refunds.'),
  GOCARDLESS_SANDBOX_URL: z
    .url({ protocol: /^https?$/ })
    .default('https://api-sandbox.gocardless.com')
    .describe('The same for feeds whose credentials are of its sandbox.'),
  WORKFLOW_BUNDLE: z
    .string()
    .min(1)
    .optional()
    .describe('File with the workflows, bundled beforehand. Without it the worker bundles them when it starts.'),
  STATEMENT_FOLDER: z
    .string()
    .min(1)
    .optional()
    .describe('Folder that is watched for bank files: `FOLDER/{feedId}/FILE`. Without it none is.'),
  RATE_LIMIT_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .default(6_000)
    .describe('Requests an API key may make a minute (real time).'),
  TRUST_PROXY: flag.default(false).describe('`true` behind a reverse proxy that sets X-Forwarded-For.'),
  METRICS_PUBLIC: flag.default(false).describe('`true` answers /metrics to any address, not only the local network.'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Least severe line that is logged.'),
} as const;

export type SettingName = keyof typeof SETTINGS;
export type Settings<Name extends SettingName = SettingName> = {
  readonly [Key in Name]: z.output<(typeof SETTINGS)[Key]>;
};

/** What the API process reads. */
export const API_SETTINGS = [
  'DATABASE_URL',
  'DATABASE_POOL_MAX',
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
  'TEMPORAL_API_KEY',
  'HOST',
  'PORT',
  'PUBLIC_URL',
  'RELANCE_SECRET_KEY',
  'RELANCE_ADMIN_KEY',
  'RESEND_WEBHOOK_SECRET',
  'RATE_LIMIT_PER_MINUTE',
  'TRUST_PROXY',
  'METRICS_PUBLIC',
  'LOG_LEVEL',
] as const satisfies readonly SettingName[];

/** What the worker reads. */
export const WORKER_SETTINGS = [
  'DATABASE_URL',
  'DATABASE_POOL_MAX',
  'WORKFLOW_CACHE',
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
  'TEMPORAL_API_KEY',
  'RELANCE_SECRET_KEY',
  'RESEND_API_KEY',
  'RESEND_BASE_URL',
  'BRIDGE_BASE_URL',
  'GOCARDLESS_BASE_URL',
  'GOCARDLESS_SANDBOX_URL',
  'WORKFLOW_BUNDLE',
  'STATEMENT_FOLDER',
  'LOG_LEVEL',
] as const satisfies readonly SettingName[];

/** Settings that are missing or wrong, one sentence a setting. */
export class SettingsError extends Error {
  constructor(faults: readonly string[]) {
    super(`The environment is not complete:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'SettingsError';
  }
}

/**
 * The named settings, checked, defaults filled in; an empty value counts as not set. Throws `SettingsError` that names
 * every fault at once. Values are not repeated in the message: they may be secrets.
 */
export function readSettings<const Names extends readonly SettingName[]>(
  environment: Readonly<Record<string, string | undefined>>,
  names: Names,
): Settings<Names[number]> {
  const faults: string[] = [];
  const settings: Record<string, unknown> = {};
  for (const name of names) {
    const text = environment[name];
    const result = SETTINGS[name].safeParse(text === '' ? undefined : text);
    if (result.success) settings[name] = result.data;
    else if (text === undefined || text === '') faults.push(`${name} is not set. ${SETTINGS[name].description ?? ''}`);
    else faults.push(`${name}: ${result.error.issues.map((issue) => issue.message).join('; ')}`);
  }
  if (faults.length > 0) throw new SettingsError(faults);
  return settings as Settings<Names[number]>;
}

/** The README's table of settings in Markdown. */
export function settingsTable(): string {
  const rows = Object.entries(SETTINGS).map(([name, schema]) => {
    const unset = schema.safeParse(undefined);
    const fallback = !unset.success ? 'required' : unset.data === undefined ? '' : `\`${String(unset.data)}\``;
    return `| \`${name}\` | ${fallback} | ${schema.description ?? ''} |`;
  });
  return ['| setting | default | what it is |', '|---|---|---|', ...rows].join('\n');
}
