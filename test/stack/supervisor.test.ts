import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Connection } from '@temporalio/client';
import { startTimeOf } from '../../scripts/stack/identity.ts';
import { isPortFree, rememberedPort } from '../../scripts/stack/ports.ts';
import { startPostgres } from '../../scripts/stack/postgres.ts';
import { relanceSearchAttributes } from '../../scripts/stack/search-attributes.ts';
import { createSupervisor, nodeCommand, type Supervisor } from '../../scripts/stack/supervisor.ts';
import { collected, dataFolder } from './folders.ts';

const service = fileURLToPath(new URL('service.ts', import.meta.url));
const starter = fileURLToPath(new URL('starter.ts', import.meta.url));
const temporal = { namespace: 'relance', searchAttributes: relanceSearchAttributes };

// These tests start servers of their own, whatever this machine has set.
beforeEach(() => {
  vi.stubEnv('DATABASE_URL', '');
  vi.stubEnv('TEMPORAL_ADDRESS', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test(
  'whatever is killed comes back at the same place with its data, and a stop leaves nothing',
  { timeout: 60_000 },
  async () => {
    const { lines, log } = collected();
    const supervisor = await createSupervisor({ dataDir: dataFolder(), log });
    try {
      const { url } = await supervisor.startPostgres();
      const { address, uiUrl } = await supervisor.startTemporal(temporal);
      await supervisor.start({ name: 'service', ...nodeCommand(service) });
      expect((await fetch(uiUrl ?? '')).status).toBe(200);
      await query(url, 'CREATE TABLE kept (id int); INSERT INTO kept VALUES (42)');
      await createNamespace(address, 'kept-namespace');

      const before = pids(supervisor);
      for (const pid of before) process.kill(pid, 'SIGKILL');
      await vi.waitUntil(
        () => supervisor.services().every((each) => each.restarts === 1 && each.pid !== undefined),
        40_000,
      );

      expect(await query(url, 'SELECT id FROM kept')).toEqual([{ id: 42 }]);
      expect(await namespaces(address)).toEqual(expect.arrayContaining(['kept-namespace', 'relance']));
      expect(lines.filter((line) => line.includes('ended unasked (SIGKILL)'))).toHaveLength(3);

      const after = pids(supervisor);
      await supervisor.stop();
      expect(after).toHaveLength(3);
      expect([...before, ...after].filter((pid) => startTimeOf(pid) !== undefined)).toEqual([]);
      expect(await isPortFree(Number(new URL(url).port))).toBe(true);
    } finally {
      await supervisor.stop();
    }
    expect(readdirSync(join(supervisor.dataDir, 'run'))).toEqual([]);
    expect(existsSync(join(supervisor.dataDir, 'lock'))).toBe(false);
  },
);

test(
  'a killed starter takes its services with it, and the next start carries on with the data',
  { timeout: 60_000 },
  async () => {
    const dataDir = dataFolder();
    const [child, { url, services }] = await startStarter(dataDir);
    await query(url, 'CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)');
    const second = createSupervisor({ dataDir, log: () => undefined });
    await expect(second).rejects.toThrow(`already running on ${dataDir}, pid ${child.pid}`);

    child.kill('SIGKILL');
    await once(child, 'exit');
    const [postgresPid, servicePid] = services.map(({ pid }) => pid);
    await vi.waitUntil(() => startTimeOf(servicePid ?? 0) === undefined, 10_000);
    expect(startTimeOf(postgresPid ?? 0)).toBeDefined();

    const { lines, log } = collected();
    const supervisor = await createSupervisor({ dataDir, log });
    try {
      expect(lines).toEqual(['ended what an earlier start had left behind: postgres; all data is kept']);
      expect(startTimeOf(postgresPid ?? 0)).toBeUndefined();
      const again = await supervisor.startPostgres();
      expect(again.url).toBe(url);
      expect(await query(again.url, 'SELECT id FROM kept')).toEqual([{ id: 7 }]);
    } finally {
      await supervisor.stop();
    }
  },
);

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s stops all', { timeout: 60_000 }, async (signal) => {
  const [child, { services }] = await startStarter(dataFolder());
  child.kill(signal);
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
  expect(services.map(({ pid }) => startTimeOf(pid))).toEqual([undefined, undefined]);
});

test('a taken port is left to its owner', async () => {
  const dataDir = dataFolder();
  const first = await startPostgres({ dataDir, log: () => undefined, durable: false });
  await query(first.url, 'CREATE TABLE kept (id int)');
  await first.stop();
  const port = Number(new URL(first.url).port);
  expect(rememberedPort(dataDir, 'postgres')).toBe(port);
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  const again = await startPostgres({ dataDir, log: () => undefined, durable: false });
  try {
    expect(new URL(again.url).port).not.toBe(String(port));
    expect(await query(again.url, 'SELECT id FROM kept')).toEqual([]);
  } finally {
    other.close();
    await again.stop();
  }
});

test('a cluster is made with checksums, a password kept by its owner alone, and nobody gets in without it', async () => {
  const dataDir = dataFolder();
  const server = await startPostgres({ dataDir, log: () => undefined });
  try {
    expect(await query(server.url, 'SHOW data_checksums')).toEqual([{ data_checksums: 'on' }]);
    expect(await query(server.url, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
    expect(await query(server.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    expect(statSync(join(dataDir, 'postgres-password')).mode & 0o777).toBe(0o600);
    const url = new URL(server.url);
    url.password = 'guessed';
    await expect(query(url.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  } finally {
    await server.stop();
  }
});

test('a service that cannot start is a sentence with its last words', async () => {
  const supervisor = await createSupervisor({ dataDir: dataFolder(), log: () => undefined });
  try {
    const ready = (): Promise<boolean> => Promise.resolve(false);
    const failing = { command: process.execPath, args: ['-e', 'console.error("no such setting"); process.exit(3)'] };
    await expect(supervisor.start({ name: 'failing', ...failing, ready })).rejects.toThrow(
      /^failing ended with exit code 3 \(no such setting\); its log is .*failing\.log\.$/,
    );
    await expect(supervisor.start({ name: 'absent', command: '/nowhere/program', args: [] })).rejects.toThrow(
      'Cannot start absent (/nowhere/program): the program or its working folder does not exist.',
    );
    expect(supervisor.services()).toEqual([]);
  } finally {
    await supervisor.stop();
  }
});

test('a stop in the middle of a start ends what was starting', async () => {
  const supervisor = await createSupervisor({ dataDir: dataFolder(), log: () => undefined });
  const starting = supervisor.startPostgres();
  const refused = expect(starting).rejects.toThrow('Stopped while starting.');
  const record = join(supervisor.dataDir, 'run', 'postgres.json');
  await vi.waitUntil(() => existsSync(record), { timeout: 20_000, interval: 5 });
  await supervisor.stop();
  await refused;
  expect(existsSync(record)).toBe(false);
  expect(existsSync(join(supervisor.dataDir, 'lock'))).toBe(false);
  await expect(supervisor.startPostgres()).rejects.toThrow('Stopped while starting.');
});

test('fresh wipes a folder of ours and no other', async () => {
  const ours = dataFolder();
  await (await createSupervisor({ dataDir: ours, log: () => undefined })).stop();
  writeFileSync(join(ours, 'something'), '');
  await (await createSupervisor({ dataDir: ours, log: () => undefined, fresh: true })).stop();
  expect(existsSync(join(ours, 'something'))).toBe(false);

  const theirs = dataFolder();
  writeFileSync(join(theirs, 'photograph'), '');
  await (await createSupervisor({ dataDir: theirs, log: () => undefined })).stop();
  await expect(createSupervisor({ dataDir: theirs, log: () => undefined, fresh: true })).rejects.toThrow(
    'is not wiped',
  );
  expect(existsSync(join(theirs, 'photograph'))).toBe(true);
});

function pids(supervisor: Supervisor): number[] {
  return supervisor.services().flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
}

interface Started {
  readonly url: string;
  readonly services: ReadonlyArray<{ readonly pid: number }>;
}

async function startStarter(dataDir: string): Promise<[ChildProcess, Started]> {
  const { command, args } = nodeCommand(starter, [dataDir]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) return [child, JSON.parse(line) as Started];
  }
  throw new Error('the starter ended before it was ready');
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function createNamespace(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await connection.close();
}

async function namespaces(address: string): Promise<unknown[]> {
  const connection = await Connection.connect({ address });
  const answer = await connection.workflowService.listNamespaces({});
  await connection.close();
  return answer.namespaces.map((each) => each.namespaceInfo?.name);
}
