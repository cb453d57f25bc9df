import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeApi, problem, run, towards, type Answer, type FakeApi, type Heard } from './fake-api.ts';

let api: FakeApi;
let answer: (heard: Heard) => Answer | undefined;
let folder: string;
beforeEach(async () => {
  answer = () => undefined;
  const headers = {
    'content-disposition': 'attachment; filename="552100554FEC20261231.txt"',
    'export-number': '3',
  };
  api = await fakeApi((heard) => answer(heard) ?? { body: 'the file', headers });
  folder = await mkdtemp(join(tmpdir(), 'relance-export-'));
});
afterEach(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

test('an export is written as it came, and says its number', async () => {
  const out = join(folder, 'books.txt');
  const options = ['--from', '2026-01-01', '--to', '2026-12-31', '--omit-foreign', '--out', out];
  const done = await run(['export', 'fec', ...options], towards(api));
  expect([done.exitCode, done.err]).toEqual([0, '']);
  expect(done.out).toContain('fec no. 3');
  expect(api.heard[0]).toMatchObject({
    path: '/v1/exports/fec',
    query: { from: '2026-01-01', to: '2026-12-31', foreign: 'omit' },
  });
  expect(await readFile(out, 'utf8')).toBe('the file');
});

test('a file that is there stays, unless it is to be overwritten', async () => {
  const out = join(folder, 'books.csv');
  await writeFile(out, 'mine');
  const kept = await run(['export', 'journal', '--out', out], towards(api));
  expect([kept.exitCode, await readFile(out, 'utf8')]).toEqual([1, 'mine']);
  expect((await run(['export', 'journal', '--out', out, '--force'], towards(api))).exitCode).toBe(0);
  expect(await readFile(out, 'utf8')).toBe('the file');
});

test('what is refused says why and writes nothing; what does not exist is no request', async () => {
  answer = () => problem(422, 'registrationIdMissing', 'A number is needed', 'Give the creditor its registrationId.');
  const out = join(folder, 'fec.txt');
  const refused = await run(['export', 'fec', '--out', out], towards(api));
  expect([refused.exitCode, refused.err]).toEqual([1, expect.stringContaining('registrationId')]);
  await expect(readFile(out)).rejects.toThrow();
  const before = api.heard.length;
  expect((await run(['export', 'balance'], towards(api))).exitCode).toBe(2);
  expect((await run(['export', 'journal', '--omit-foreign'], towards(api))).exitCode).toBe(2);
  expect(api.heard).toHaveLength(before);
});
