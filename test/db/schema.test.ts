import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase } from '../../db/database.ts';
import { schemaDrift } from '../../db/drift.ts';
import { newId } from '../../db/ids.ts';
import { migrateToLatest, MIGRATIONS } from '../../db/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/servers.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('the schema', () => {
  test('agrees with the types, and a difference is named', async () => {
    expect(await schemaDrift(database.url)).toEqual([]);
    const db = createDatabase(database.url);
    await sql`alter table feeds add column colour text`.execute(db);
    await sql`alter table tasks alter column subject drop not null`.execute(db);
    await sql`alter table imports drop column filename`.execute(db);
    await db.destroy();
    expect(await schemaDrift(database.url)).toEqual([
      'tasks.subject is "text" in db/types.ts and "text?" in the database',
      'imports.filename is in db/types.ts but not in the database',
      'feeds.colour is in the database but not in db/types.ts',
    ]);
  });

  test('is migrated once, however many try at the same time', async () => {
    const db = createDatabase(database.url);
    await sql`drop schema public cascade`.execute(db);
    await sql`create schema public`.execute(db);
    await db.destroy();
    const ran = await Promise.all([1, 2, 3].map(() => migrateToLatest(database.url)));
    expect(ran.flat()).toEqual(MIGRATIONS);
    expect(await migrateToLatest(database.url)).toEqual([]);
    expect(await schemaDrift(database.url)).toEqual([]);
  });

  test('reads bigints, dates and instants as the domain has them, and refuses a bare numeric', async () => {
    const db = createDatabase(database.url);
    const { rows } = await sql<{ big: bigint; day: string; at: number }>`
      select 9007199254740993 as big, '2026-03-29'::date as day, '2026-03-29T01:30:00.123+02:00'::timestamptz as at
    `.execute(db);
    expect(rows[0]).toEqual({
      big: 9007199254740993n,
      day: '2026-03-29',
      at: Date.parse('2026-03-28T23:30:00.123Z'),
    });
    await expect(sql`select sum(x) from (values (1::bigint)) v (x)`.execute(db)).rejects.toThrow('numeric');
    await db.destroy();
  });
});

test('ids made later sort later and are never the same', () => {
  const ids = [1, 2, 3].map((ms) => newId('inv', 1_700_000_000_000 + ms));
  expect([...ids].sort()).toEqual(ids);
  expect(ids[0]).toMatch(/^inv_[0-9a-hjkmnp-tv-z]{26}$/);
  expect(new Set(Array.from({ length: 1_000 }, () => newId('evt', 5))).size).toBe(1_000);
});
