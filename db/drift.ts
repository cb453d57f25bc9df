import { sql } from 'kysely';
import { createDatabase } from './database.ts';
import { TABLES } from './types.ts';

/** What kysely's migrator keeps for itself. */
const MIGRATORS = new Set(['kysely_migration', 'kysely_migration_lock']);

/** Where a live database and `db/types.ts` disagree, one sentence each; empty when they agree. */
export async function schemaDrift(databaseUrl: string): Promise<string[]> {
  const db = createDatabase(databaseUrl, { max: 1, applicationName: 'relance-drift' });
  try {
    const { rows } = await sql<{ name: string; spec: string }>`
      select table_name || '.' || column_name as name,
        udt_name || case when is_generated = 'ALWAYS' or identity_generation = 'ALWAYS' then '!'
                         when is_nullable = 'YES' then '?'
                         when column_default is not null then '=' else '' end as spec
      from information_schema.columns
      where table_schema = current_schema() and table_name <> all(${[...MIGRATORS]}::text[])
      order by 1`.execute(db);
    const live = new Map(rows.map(({ name, spec }) => [name, spec]));
    const declared = new Map(
      Object.entries(TABLES).flatMap(([table, columns]) =>
        Object.entries(columns).map(([column, spec]): [string, string] => [`${table}.${column}`, spec]),
      ),
    );
    return [
      ...[...declared].flatMap(([name, spec]) => {
        const found = live.get(name);
        if (found === undefined) return [`${name} is in db/types.ts but not in the database`];
        return found === spec ? [] : [`${name} is "${spec}" in db/types.ts and "${found}" in the database`];
      }),
      ...[...live.keys()]
        .filter((name) => !declared.has(name))
        .map((name) => `${name} is in the database but not in db/types.ts`),
    ];
  } finally {
    await db.destroy();
  }
}
