import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { errorText } from '../../scripts/stack/errors.ts';
import { readRecord, writeAtomically } from '../../scripts/stack/files.ts';
import { isAlive, ownIdentity, parseIdentity } from '../../scripts/stack/identity.ts';
import { removeDistantDatabase } from '../../scripts/stack/postgres-home.ts';
import { startPostgres, type PostgresServer } from '../../scripts/stack/postgres.ts';
import { endLeftovers } from '../../scripts/stack/processes.ts';
import { relanceSearchAttributes } from '../../scripts/stack/search-attributes.ts';
import { findTestServer, startTemporal, type TemporalServer } from '../../scripts/stack/temporal.ts';
import { holdStages } from './hold-stages.ts';
import './servers.ts';

const folderPrefix = 'relance-test-';

/** Starts what the tests share, once a run, in a temporary folder; returns what stops and removes it all. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeFoldersOfKilledRuns();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), folderPrefix)));
  writeAtomically(join(folder, 'owner.json'), JSON.stringify(ownIdentity()));
  const started: Array<{ stop(): Promise<void> }> = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.stop()));
    await removeDistantDatabase(folder);
    rmSync(folder, { recursive: true, force: true });
  };
  const keep = <T extends { stop(): Promise<void> }>(server: T): T => {
    started.push(server);
    return server;
  };
  try {
    const [[postgres, template], temporal, testServer] = await allOrFirstProblem([
      startTestPostgres(folder, keep),
      startTestTemporal(folder, keep),
      findTestServer(log).then(
        ({ path }) => ({ path, problem: '' }),
        (error: unknown) => ({ path: '', problem: errorText(error) }),
      ),
    ]);
    project.provide('databaseUrl', postgres.url);
    project.provide('templateDatabase', template.name);
    project.provide('temporalAddress', temporal.address);
    project.provide('temporalNamespace', temporal.namespace);
    project.provide('testServerPath', testServer.path);
    project.provide('testServerProblem', testServer.problem);
    return async () => {
      // A server that was given keeps nothing of ours.
      if (postgres.process === undefined) await template.drop();
      await stop();
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Keep = <T extends { stop(): Promise<void> }>(server: T) => T;

async function startTestPostgres(folder: string, keep: Keep): Promise<[PostgresServer, Template]> {
  const server = keep(await startPostgres({ dataDir: folder, log, durable: false }));
  return [server, await createTemplate(server.url)];
}

async function startTestTemporal(folder: string, keep: Keep): Promise<TemporalServer> {
  const namespace = process.env['TEMPORAL_NAMESPACE'] ?? 'default';
  return keep(await startTemporal({ dataDir: folder, namespace, searchAttributes: relanceSearchAttributes, log }));
}

interface Template {
  readonly name: string;
  drop(): Promise<void>;
}

/** A database with the current schema. Nobody may connect to it afterwards, since a database in use cannot be copied. */
async function createTemplate(databaseUrl: string): Promise<Template> {
  const name = `template_${randomBytes(6).toString('hex')}`;
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  await administer(databaseUrl, [`CREATE DATABASE ${name}`]);
  const migrations = fileURLToPath(new URL('../../db/migrate.ts', import.meta.url));
  if (existsSync(migrations)) {
    const { migrateToLatest } = (await import(pathToFileURL(migrations).href)) as {
      migrateToLatest: (databaseUrl: string) => Promise<void>;
    };
    await migrateToLatest(url.href);
    await administer(url.href, holdStages());
  }
  await administer(databaseUrl, [
    `ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
  ]);
  return { name, drop: () => administer(databaseUrl, [`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`]) };
}

async function administer(databaseUrl: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** A run that was killed could not clean up; the next one does, including the servers that it left. */
async function removeFoldersOfKilledRuns(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(folderPrefix)) continue;
    const folder = join(tmpdir(), name);
    try {
      const owner = parseIdentity(readRecord(join(folder, 'owner.json')));
      if (owner === undefined || isAlive(owner)) continue;
      await endLeftovers(folder);
      await removeDistantDatabase(folder);
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another user's, or being removed by another run: neither is our business.
    }
  }
}

/** Like Promise.all, but waits for every part before it fails, so that whatever has started is known and can be stopped. */
async function allOrFirstProblem<T extends readonly unknown[]>(parts: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(parts);
  return Promise.all(parts);
}

function log(line: string): void {
  process.stderr.write(`test servers: ${line}\n`);
}
