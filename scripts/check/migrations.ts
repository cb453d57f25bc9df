/** Migration drift: the schema that the migrations build must be the one that the table types describe. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { CheckPart } from './part.ts';

/**
 * Builds the schema in a database of its own (`DATABASE_URL` if set, like everything here) and lists how it differs
 * from `db/types.ts`. Imports late, so that the parts that need no database start at once.
 */
export const migrations: CheckPart = {
  name: 'migrations',
  run: async () => {
    const { schemaDrift } = await import('../../db/drift.ts');
    const { migrateToLatest } = await import('../../db/migrate.ts');
    const { startPostgres } = await import('../stack/postgres.ts');
    const dataDir = await mkdtemp(join(tmpdir(), 'relance-check-'));
    const said: string[] = [];
    try {
      const postgres = await startPostgres({ dataDir, log: (line: string) => void said.push(line) });
      try {
        await migrateToLatest(postgres.url);
        return await schemaDrift(postgres.url);
      } finally {
        await postgres.stop();
      }
    } catch (error) {
      throw new Error(`no schema to compare (${said.join('; ')})`, { cause: error });
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  },
};
