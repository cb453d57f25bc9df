import { Kysely, Migrator, PostgresDialect, type Migration } from 'kysely';
import pg from 'pg';
import * as spine from './migrations/0001-spine.ts';
import * as branches from './migrations/0002-branches.ts';
import * as templates from './migrations/0003-templates.ts';
import * as background from './migrations/0004-background.ts';
import * as proof from './migrations/0005-proof.ts';
import * as byCase from './migrations/0006-by-case.ts';
import * as law from './migrations/0007-law.ts';
import * as lawAround from './migrations/0008-law-around.ts';
import * as receivableSums from './migrations/0009-receivable-sums.ts';
import * as books from './migrations/0010-books.ts';
import * as doubtful from './migrations/0011-doubtful.ts';
import * as cashIn from './migrations/0012-cash-in.ts';
import * as ownRefunds from './migrations/0013-own-refunds.ts';

/** In the order they run. Listed by hand, so that a compiled or bundled program needs no folder to look into. */
const migrations: Readonly<Record<string, Migration>> = {
  '0001-spine': spine,
  '0002-branches': branches,
  '0003-templates': templates,
  '0004-background': background,
  '0005-proof': proof,
  '0006-by-case': byCase,
  '0007-law': law,
  '0008-law-around': lawAround,
  '0009-receivable-sums': receivableSums,
  '0010-books': books,
  '0011-doubtful': doubtful,
  '0012-cash-in': cashIn,
  '0013-own-refunds': ownRefunds,
};

/** Names of all migrations, in their order. */
export const MIGRATIONS: readonly string[] = Object.keys(migrations);

const OLDEST_SERVER = 15;

/** Any number that nobody else in the database uses for an advisory lock. */
const LOCK = 7_226_511;

/**
 * Brings the database to the newest schema and returns the names of the migrations that ran. All of them run in one
 * transaction; whoever calls at the same time waits for it and then finds nothing to do. Throws an `Error` that says
 * what to do when the server is older than PostgreSQL 15.
 */
export async function migrateToLatest(databaseUrl: string): Promise<string[]> {
  const guard = new pg.Client({ connectionString: databaseUrl, application_name: 'relance-migrate' });
  await guard.connect();
  try {
    const version = await guard.query<{ server_version_num: string }>('show server_version_num');
    const major = Math.floor(Number(version.rows[0]?.server_version_num) / 10_000);
    if (major < OLDEST_SERVER) {
      throw new Error(
        `Relance needs PostgreSQL ${OLDEST_SERVER} or newer, this server is ${major}: upgrade it or set DATABASE_URL.`,
      );
    }
    await guard.query('select pg_advisory_lock($1)', [LOCK]);
    return await migrate(databaseUrl);
  } finally {
    // Ending the session gives the lock back, whatever happened.
    await guard.end();
  }
}

async function migrate(databaseUrl: string): Promise<string[]> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1, application_name: 'relance-migrate' });
  pool.on('error', () => undefined);
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error) throw error instanceof Error ? error : new Error('The migration failed.', { cause: error });
    return results.map((result) => result.migrationName);
  } finally {
    await db.destroy();
  }
}
