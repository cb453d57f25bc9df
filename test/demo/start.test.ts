import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { nodeCommand } from '../../scripts/stack/supervisor.ts';
import { stackKeys } from '../../scripts/start/keys.ts';
import { checkMode, keepMode } from '../../scripts/start/kept-mode.ts';
import { apiPort } from '../../scripts/start/api-port.ts';
import { dataFolder } from '../stack/folders.ts';

const START = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url));
const SLOW = 240_000;

test('keys are made once, kept for their owner alone, and never replaced by others', () => {
  const folder = dataFolder();
  const keys = stackKeys(folder);
  expect(stackKeys(folder)).toEqual(keys);
  expect(statSync(join(folder, 'keys.json')).mode & 0o777).toBe(0o600);
  expect(new Set(Object.values(keys)).size).toBe(5);
  expect(keys.adminKey.length).toBeGreaterThanOrEqual(32);
  expect(Buffer.from(keys.secretKey, 'base64')).toHaveLength(32);
  expect(stackKeys(dataFolder()).apiKey).not.toBe(keys.apiKey);
});

test("the demo is not played into somebody's own data, nor the other way round", () => {
  const folder = dataFolder();
  checkMode(folder, 'demo');
  keepMode(folder, 'empty');
  checkMode(folder, 'empty');
  expect(() => checkMode(folder, 'demo')).toThrow(/was started with --empty .*--fresh/);

  const other = dataFolder();
  keepMode(other, 'book', 'single 2017, rules default');
  checkMode(other, 'book', 'single 2017, rules default');
  expect(() => checkMode(other, 'book', 'single 2018, rules default')).toThrow(/holds the book single 2017/);
  expect(() => checkMode(other, 'demo')).toThrow(/holds the book single 2017/);
});

test('a port that was asked for and is taken is a sentence; without one the next free one is taken', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  await expect(apiPort(port)).rejects.toThrow(new RegExp(`^Port ${port} cannot be used.*--port`));
  const [one, other] = [await apiPort(undefined), await apiPort(undefined)];
  expect(one.port).toBeGreaterThanOrEqual(3_000);
  // Two that start at the same time do not meet, though neither listens yet.
  expect(other.port).toBeGreaterThan(one.port);
  await expect(apiPort(one.port)).rejects.toThrow(/cannot be used/);
  one.release();
  const again = await apiPort(one.port);
  again.release();
  other.release();
});

test('what cannot be followed ends with status 2 and one line', async () => {
  const { status, errors } = await finished(start(['--fast']));
  expect(status).toBe(2);
  expect(errors.trim().split('\n')).toHaveLength(1);
  expect(errors).toContain('--fast');
});

test(
  'a stack comes up, says where, keeps its keys and its clock over a SIGKILL, refuses another clock, and leaves nothing behind',
  { timeout: SLOW },
  async () => {
    const folder = dataFolder();
    const first = start(['--empty', '--day', '10m', '--now', '2026-03-02', '--data', folder]);
    const ready = await readyOf(first, folder);
    expect(statSync(join(folder, 'ready.json')).mode & 0o777).toBe(0o600);
    expect(Object.keys(ready).toSorted()).toEqual(
      [
        'adminKey',
        'apiKey',
        'apiUrl',
        'creditorId',
        'databaseUrl',
        'docsUrl',
        'mailUrl',
        'pid',
        'startedAt',
        'temporalAddress',
        'temporalNamespace',
        'temporalUiUrl',
      ].toSorted(),
    );
    expect(ready['pid']).toBe(first.child.pid);
    const before = await clockOf(ready);
    expect(before.dayMs).toBe(600_000);
    expect(before.now.slice(0, 10)).toBe('2026-03-02');
    const mails = await fetch(`${String(ready['mailUrl'])}/emails?limit=1`);
    expect(await mails.json()).toMatchObject({ object: 'list', data: [] });

    first.child.kill('SIGKILL');
    await first.exit;
    const refused = await finished(start(['--empty', '--day', '5m', '--data', folder]));
    expect(refused.status).toBe(1);
    expect(refused.errors).toMatch(/business clock.*--fresh/s);
    expect(refused.errors).not.toMatch(/\n\s+at /);
    expect(existsSync(join(folder, 'ready.json'))).toBe(false);

    const second = start(['--empty', '--data', folder]);
    const again = await readyOf(second, folder);
    for (const name of ['adminKey', 'apiKey', 'creditorId', 'temporalNamespace']) expect(again[name]).toBe(ready[name]);
    const after = await clockOf(again);
    expect(after.dayMs).toBe(600_000);
    expect(after.now >= before.now.slice(0, 10)).toBe(true);
    expect(after.now.slice(0, 10)).toBe('2026-03-02');

    second.child.kill('SIGINT');
    expect(await second.exit).toBe(130);
    expect(existsSync(join(folder, 'ready.json'))).toBe(false);
    expect(readdirSync(join(folder, 'run'))).toEqual([]);
    expect(existsSync(join(folder, 'lock'))).toBe(false);
    expect(commandLinesWith(folder)).toEqual([]);
  },
);

interface Started {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  output(): string;
  errors(): string;
}

function start(args: readonly string[]): Started {
  const { DATABASE_URL: _, TEMPORAL_ADDRESS: __, TEMPORAL_NAMESPACE: ___, ...env } = process.env;
  const { command, args: all } = nodeCommand(START, args);
  const child = spawn(command, all, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exit = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exit;
  });
  return { child, exit, output: () => output, errors: () => errors };
}

async function finished(started: Started): Promise<{ status: number | null; errors: string }> {
  return { status: await started.exit, errors: started.errors() };
}

async function readyOf(started: Started, folder: string): Promise<Record<string, unknown>> {
  const path = join(folder, 'ready.json');
  while (!existsSync(path)) {
    if (started.child.exitCode !== null) throw new Error(`It ended: ${started.output()}${started.errors()}`);
    await sleep(100);
  }
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

async function clockOf(ready: Record<string, unknown>): Promise<{ now: string; dayMs: number }> {
  const response = await fetch(`${String(ready['apiUrl'])}/v1/clock`, {
    headers: { authorization: `Bearer ${String(ready['apiKey'])}` },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as { now: string; dayMs: number };
}

/** Processes that still name the folder. Linux only; elsewhere the run folder has to do. */
function commandLinesWith(folder: string): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.includes(folder) ? [line] : [];
      } catch {
        return [];
      }
    });
}
