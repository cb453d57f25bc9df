import { sql } from 'kysely';
import type { Db } from './database.ts';
import { MIGRATIONS } from './migrate.ts';

/** Whether the database answers with every migration this program knows applied. Throws when it does not answer. */
export async function databaseIsCurrent(db: Db): Promise<boolean> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  const applied = new Set(rows.map((row) => row.name));
  return MIGRATIONS.every((name) => applied.has(name));
}
