import { Connection } from '@temporalio/client';
import pg from 'pg';
import { expect, test } from 'vitest';
import { relanceSearchAttributes } from '../../scripts/stack/search-attributes.ts';
import { createTestDatabase, temporalServer } from '../support/servers.ts';

test('each test has a database of its own, which is gone afterwards', async () => {
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  expect(one.url).not.toBe(two.url);
  const client = new pg.Client({ connectionString: one.url });
  await client.connect();
  await client.query('CREATE TABLE only_here (id int)');
  await client.end();
  const other = new pg.Client({ connectionString: two.url });
  await other.connect();
  await expect(other.query('SELECT * FROM only_here')).rejects.toThrow('does not exist');
  await other.end();
  await Promise.all([one.drop(), two.drop()]);
  await expect(new pg.Client({ connectionString: one.url }).connect()).rejects.toThrow('does not exist');
});

test('the database is UTF-8 with C collation and checksums', async () => {
  const database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query(
    `SELECT pg_encoding_to_char(encoding) AS encoding, datcollate AS collation, current_setting('TimeZone') AS zone
       FROM pg_database WHERE datname = current_database()`,
  );
  await client.end();
  await database.drop();
  expect(rows).toEqual([{ encoding: 'UTF8', collation: 'C', zone: 'UTC' }]);
});

test('the Temporal server knows the search attributes', async () => {
  const { address, namespace } = temporalServer();
  const connection = await Connection.connect({ address });
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  await connection.close();
  expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(Object.keys(relanceSearchAttributes)));
});
