import { Kysely, PostgresDialect, sql, type RawBuilder, type Transaction } from 'kysely';
import pg from 'pg';
import type { Database, JsonText } from './types.ts';

export type Db = Kysely<Database>;
export type Tx = Transaction<Database>;

export interface DatabaseOptions {
  /** Connections at most (10). */
  max?: number;
  /** What `pg_stat_activity` shows. */
  applicationName?: string;
  /** Told when an idle connection breaks; the pool replaces it by itself, so nothing else has to happen. */
  onIdleError?: (error: Error) => void;
}

const { INT8, DATE, TIMESTAMPTZ, NUMERIC } = pg.types.builtins;

const readTimestamp = pg.types.getTypeParser(TIMESTAMPTZ);
const readerOfDriver = pg.types.getTypeParser as (oid: number, format?: 'text' | 'binary') => (text: string) => unknown;

/** How this program reads the types of PostgreSQL; per pool, so that nobody else's use of the driver changes. */
const readers = new Map<number, (text: string) => unknown>([
  [INT8, BigInt],
  [DATE, (text) => text],
  [TIMESTAMPTZ, (text) => Math.round((readTimestamp(text) as Date).getTime())],
  [
    NUMERIC,
    () => {
      // The sum of bigints is numeric; as a JavaScript number it would round silently.
      throw new Error('A numeric left a query without a cast to bigint.');
    },
  ],
]);

/** A pool of connections for one process. `destroy()` closes it. Connects when the first query runs. */
export function createDatabase(url: string, options: DatabaseOptions = {}): Db {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: options.applicationName ?? 'relance',
    connectionTimeoutMillis: 15_000,
    idle_in_transaction_session_timeout: 60_000,
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') => readers.get(oid) ?? readerOfDriver(oid, format),
    },
  });
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', (error) => options.onIdleError?.(error));
  // The same for one that breaks between two statements of a transaction; the next statement is refused then.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}

/** An instant on its way into a `timestamptz` column. */
export function instant(ms: number): Date {
  return new Date(ms);
}

/** An instant to compare a `timestamptz` column with in a query. */
export function instantValue(ms: number): RawBuilder<number> {
  return sql<number>`${new Date(ms)}::timestamptz`;
}

/** A value on its way into a `jsonb` column; bigints are refused, amounts travel as decimal strings. */
export function json(value: unknown): JsonText {
  return JSON.stringify(value) as JsonText;
}

/** The SQLSTATE of a failed query (`23505` unique violation, …); null when the error is not PostgreSQL's. */
export function sqlState(error: unknown): string | null {
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null;
}

const TRANSIENT = new Set(['40001', '40P01']);
const ATTEMPTS = 5;

/**
 * Runs `work` in a transaction, again from the start when PostgreSQL chose it as the victim of a deadlock. The lock order
 * keeps rows from blocking each other; two transactions that poke several receivers in different orders still can.
 * `work` must therefore have no effect outside of the database.
 */
export async function inTransaction<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (attempt >= ATTEMPTS || !TRANSIENT.has(sqlState(error) ?? '')) throw error;
    }
  }
}
