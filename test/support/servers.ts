import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

/** What global-setup.ts has started for this run. */
declare module 'vitest' {
  export interface ProvidedContext {
    /** An administrator's URL; tests work in databases of their own. */
    databaseUrl: string;
    /** The migrated database that test databases are copied from. */
    templateDatabase: string;
    temporalAddress: string;
    temporalNamespace: string;
    /** Empty when it could not be had; `testServerProblem` then says why and what to do. */
    testServerPath: string;
    testServerProblem: string;
  }
}

/** A Temporal development server with Relance's search attributes, shared by all tests: use ids and task queues of your own. */
export function temporalServer(): { address: string; namespace: string } {
  return { address: inject('temporalAddress'), namespace: inject('temporalNamespace') };
}

/** Where the time-skipping test server is. @throws Error with the remedy when it could not be had. */
export function testServerPath(): string {
  const path = inject('testServerPath');
  if (path === '') throw new Error(inject('testServerProblem'));
  return path;
}

/** A database of the test's own. */
export interface TestDatabase {
  readonly url: string;
  /** Removes it; sessions that are still open are ended, so close pools first. */
  drop(): Promise<void>;
}

/** Creates a database with the current schema, a copy of the migrated template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${process.pid}_${randomBytes(6).toString('hex')}`;
  await administer(`CREATE DATABASE ${name} TEMPLATE ${inject('templateDatabase')}`);
  const url = new URL(inject('databaseUrl'));
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('databaseUrl') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
