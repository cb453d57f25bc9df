import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { takeFiles } from '../../worker/relays/statement-folder.ts';
import { addFeed, NOW, openBook, type Book } from '../db/book.ts';

/** A folder in which bank files appear. */

let book: Book;
let feedId: string;
let folder: string;
beforeAll(async () => {
  book = await openBook();
});
afterAll(() => book.drop());
beforeEach(async () => {
  later = 60_000;
  feedId = await addFeed(book);
  folder = mkdtempSync(join(tmpdir(), 'relance-folder-'));
  mkdirSync(join(folder, feedId));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Some seconds after everything on the disk was written. */
let later = 60_000;
const deps = () => ({
  db: book.db,
  clock: { now: () => NOW, dayMs: 86_400_000 },
  folder,
  log: { info: () => undefined, warn: () => undefined },
  realNow: () => Date.now() + later,
});
const put = (name: string, text: string): void => writeFileSync(join(folder, feedId, name), text);
const names = (part: string): string[] => readdirSync(join(folder, feedId, part)).sort();
const TABLE = 'Date;Montant;Devise;Libellé\n2026-03-02;12,00;EUR;FOLDER-1\n';

test('files are taken in, once they rest, and moved on', async () => {
  put('one.csv', TABLE);
  put('two.txt', 'no statement at all');
  put('.hidden', TABLE);
  later = 0;
  expect(await takeFiles(deps())).toBe(0);
  later = 60_000;
  expect(await takeFiles(deps())).toBe(2);
  expect(names('done')).toEqual(['one.csv']);
  expect(names('refused')).toEqual(['two.txt', 'two.txt.reason.txt']);
  expect(readFileSync(join(folder, feedId, 'refused', 'two.txt.reason.txt'), 'utf8')).toMatch(
    /^statementFormatUnknown: /,
  );
  expect(names('working')).toEqual([]);
  const rows = await book.db.selectFrom('statements').selectAll().where('feed_id', '=', feedId).execute();
  expect(rows).toMatchObject([{ filename: 'one.csv', receipts: 1, actor: 'folder' }]);

  put('again.csv', TABLE);
  expect(await takeFiles(deps())).toBe(1);
  expect(names('done')).toEqual(['again.csv', 'one.csv']);
  expect(await book.db.selectFrom('statements').select('id').where('feed_id', '=', feedId).execute()).toHaveLength(1);
});

test('two watchers take a file once', async () => {
  put('one.csv', TABLE);
  const both = await Promise.all([takeFiles(deps()), takeFiles(deps())]);
  expect(both.reduce((sum, n) => sum + n, 0)).toBe(1);
  expect(names('done')).toEqual(['one.csv']);
});

test('what somebody took and died over is taken again', async () => {
  mkdirSync(join(folder, feedId, 'working'));
  put(join('working', 'lost.csv'), TABLE);
  expect(await takeFiles(deps())).toBe(0);
  later = 20 * 60_000;
  expect(await takeFiles(deps())).toBe(1);
  expect(names('done')).toEqual(['lost.csv']);
});

test('a folder that is no feed’s is left alone', async () => {
  mkdirSync(join(folder, 'fee_00000000000000000000000000'));
  writeFileSync(join(folder, 'fee_00000000000000000000000000', 'one.csv'), TABLE);
  expect(await takeFiles(deps())).toBe(0);
  expect(readdirSync(join(folder, 'fee_00000000000000000000000000'))).toEqual(['one.csv']);
});
