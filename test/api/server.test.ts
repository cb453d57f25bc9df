import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { API_SETTINGS, readSettings, settingsTable, SettingsError } from '../../config.ts';
import { createTestDatabase, temporalServer, type TestDatabase } from '../support/servers.ts';

const entry = fileURLToPath(new URL('../../api/server.ts', import.meta.url));
const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const adminKey = 'adm_0123456789012345678901234567890123456789';

let database: TestDatabase;
const children: ChildProcess[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  await database.drop();
});

function start(environment: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, ['--import', loader, entry], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { PATH: process.env['PATH'] ?? '', LOG_LEVEL: 'warn', PORT: '0', ...environment },
  });
  children.push(child);
  return child;
}

const complete = () => ({
  DATABASE_URL: database.url,
  TEMPORAL_ADDRESS: temporalServer().address,
  TEMPORAL_NAMESPACE: temporalServer().namespace,
  RELANCE_SECRET_KEY: Buffer.alloc(32, 1).toString('base64'),
  RELANCE_ADMIN_KEY: adminKey,
});

test('listens, is ready, lets requests finish and ends with 0', async () => {
  const child = start(complete());
  const [message] = (await once(child, 'message')) as [{ port: number }];
  const url = `http://127.0.0.1:${message.port}`;
  const ready = await fetch(`${url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([
    200,
    { status: 'ready', checks: { database: 'ok', migrations: 'ok', temporal: 'ok' } },
  ]);
  const creditors = await fetch(`${url}/v1/creditors`, { headers: { authorization: `Bearer ${adminKey}` } });
  expect([creditors.status, await creditors.json()]).toEqual([200, { data: [], nextCursor: null }]);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
}, 60_000);

test('ends when whoever started it is gone', async () => {
  const child = start(complete());
  await once(child, 'message');
  child.disconnect();
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(1);
}, 60_000);

test('says every setting that is wrong, and no value', async () => {
  const child = start({ PORT: 'eighty', RELANCE_SECRET_KEY: 'short-secret', DATABASE_URL: 'mysql://x' });
  let text = '';
  child.stderr!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(text).toMatch(/DATABASE_URL: /);
  expect(text).toMatch(/RELANCE_SECRET_KEY: must be 32 bytes/);
  expect(text).toMatch(/PORT: /);
  expect(text).not.toMatch(/short-secret|mysql:|at .*\.ts/);
}, 60_000);

test('settings have defaults, and a table that names each', () => {
  const settings = readSettings({ ...complete(), PUBLIC_URL: '' }, API_SETTINGS);
  expect(settings).toMatchObject({ HOST: '127.0.0.1', PORT: 3000, TRUST_PROXY: false, PUBLIC_URL: undefined });
  expect(() => readSettings({}, ['DATABASE_URL', 'RESEND_API_KEY'])).toThrow(SettingsError);
  for (const name of API_SETTINGS) expect(settingsTable()).toContain(`| \`${name}\` |`);
});
