import { randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrateToLatest } from '../../db/migrate.ts';
import { startPostgres } from '../../scripts/stack/postgres.ts';
import { removeDistantDatabase } from '../../scripts/stack/postgres-home.ts';
import { relanceSearchAttributes } from '../../scripts/stack/search-attributes.ts';
import { startTemporal } from '../../scripts/stack/temporal.ts';
import { print } from './report.ts';

/** What a benchmark works with: a migrated database of its own and, where asked for, a Temporal namespace of its own. */
export interface Servers {
  databaseUrl: string;
  /** The folder that goes when the servers do; for files of the benchmark. */
  folder: string;
  temporal: { address: string; namespace: string };
}

const NAMESPACE = 'relance-bench';
const running = new Set<() => Promise<void>>();

/**
 * Starts PostgreSQL (durable: fsync and synchronous_commit as in production) and Temporal in a temporary folder, prints
 * what they are, and stops them when `work` is done. A server of DATABASE_URL or TEMPORAL_ADDRESS is used instead.
 */
export async function withServers(
  needs: { temporal: boolean },
  work: (servers: Servers) => Promise<boolean>,
): Promise<boolean> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'relance-bench-')));
  const closing: (() => Promise<void>)[] = [
    async () => {
      await removeDistantDatabase(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  ];
  const stop = async (): Promise<void> => {
    running.delete(stop);
    for (const close of closing.splice(0).toReversed()) await close();
  };
  running.add(stop);
  const log = (line: string): void => print(`  ${line}`);
  try {
    const postgres = await startPostgres({ dataDir: folder, log });
    closing.push(() => postgres.stop());
    const database = await createDatabase(postgres.url);
    closing.push(() => database.drop());
    print(`node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`);
    print(`${postgres.origin}; ${database.settings}`);
    const temporal = { address: '', namespace: NAMESPACE };
    if (needs.temporal) {
      const options = { dataDir: folder, namespace: NAMESPACE, searchAttributes: relanceSearchAttributes, log };
      const server = await startTemporal(options);
      closing.push(() => server.stop());
      temporal.address = server.address;
      print(`Temporal: ${server.origin}`);
    }
    return await work({ databaseUrl: database.url, folder, temporal });
  } finally {
    await stop();
  }
}

/** Stops the servers of a benchmark that is interrupted. */
export async function stopServers(): Promise<void> {
  await Promise.all([...running].map((stop) => stop()));
}

const SHOWN = ['server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers'] as const;

async function createDatabase(serverUrl: string): Promise<{ url: string; settings: string; drop(): Promise<void> }> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const settings = await administer(serverUrl, async (client) => {
    await client.query(`CREATE DATABASE ${name}`);
    const { rows } = await client.query<Record<string, string>>(
      `SELECT ${SHOWN.map((setting) => `current_setting('${setting}') AS ${setting}`).join(', ')}`,
    );
    return SHOWN.map((setting) => `${setting} ${rows[0]![setting]}`).join(', ');
  });
  await migrateToLatest(url.href);
  const drop = async (): Promise<void> => {
    await administer(serverUrl, async (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  };
  return { url: url.href, settings, drop };
}

async function administer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
