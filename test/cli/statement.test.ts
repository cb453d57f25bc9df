import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeApi, problem, run, towards, type Answer, type FakeApi, type Heard } from './fake-api.ts';

let folder: string;
let api: FakeApi;
let feeds: object[];
let interfere: (heard: Heard) => Answer | null;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'relance-cli-'));
  feeds = [{ id: 'fee_1', name: 'Main', iban: null }];
  interfere = () => null;
  api = await fakeApi((heard) => interfere(heard) ?? answer(heard));
});
afterEach(async () => {
  await api.close();
  rmSync(folder, { recursive: true });
});

const view = {
  id: 'sta_1',
  format: 'camt.053',
  entries: 3,
  receipts: 2,
  duplicates: 0,
  suspects: 0,
  provisional: 1,
  rejectedCount: 1,
  rejected: [{ position: 'statement 1, entry 4', code: 'dateInvalid', message: 'There is no such day.' }],
  balance: 'holds',
};
function answer({ method }: Heard): Answer {
  if (method === 'GET') return { body: { data: feeds, nextCursor: null } };
  return { status: 201, body: view };
}
const file = (name: string, text = '<Document/>'): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test('hands a bank file to the only feed and says what became of it', async () => {
  const result = await run(['statement', file('nov.xml'), '--require-balance'], towards(api));
  expect(result.exitCode).toBe(0);
  expect(result.out).toContain(
    'nov.xml: camt.053, 3 entries, 2 new receipts, 0 known, 1 provisional, 1 rejected, balance holds',
  );
  expect(result.out).toContain('statement 1, entry 4  dateInvalid: There is no such day.');
  const sent = api.heard.at(-1)!;
  expect(sent.path).toBe('/v1/feeds/fee_1/statements');
  expect(sent.query).toEqual({ balance: 'require', filename: 'nov.xml' });
  expect(sent.body.toString()).toBe('<Document/>');
});

test('asks which feed where there are several, and takes the one that is said', async () => {
  feeds = [...feeds, { id: 'fee_2', name: 'Other', iban: 'FR76' }];
  const refused = await run(['statement', file('a.xml')], towards(api));
  expect(refused.exitCode).toBe(2);
  expect(refused.err).toContain('fee_2  Other  FR76');
  const taken = await run(['statement', file('a.xml'), '--feed', 'fee_2'], towards(api));
  expect(taken.exitCode).toBe(0);
  expect(api.heard.at(-1)!.path).toBe('/v1/feeds/fee_2/statements');
});

test('one file that is refused or not there keeps no other out', async () => {
  interfere = ({ query }) =>
    query['filename'] === 'bad.xml'
      ? problem(422, 'wrongAccount', 'The statement is of another account', 'It is.')
      : null;
  const result = await run(['statement', join(folder, 'none.xml'), file('bad.xml'), file('good.xml')], towards(api));
  expect(result.exitCode).toBe(1);
  expect(result.err).toContain('none.xml: there is no such file.');
  expect(result.err).toContain('wrongAccount');
  expect(result.out).toContain('good.xml: camt.053');
});
