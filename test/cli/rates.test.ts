import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeApi, problem, run, towards, type Answer, type FakeApi, type Heard } from './fake-api.ts';

const rate = {
  series: 'frLegalProfessional',
  from: '2026-07-01',
  to: '2026-12-31',
  rate: '2.65',
  source: 'JORF of the day',
};
const known = { series: 'ecbMro', from: '2026-07-01', to: '2026-12-31', rate: '2.40', source: 'ECB', addedBy: null };

let api: FakeApi;
let answer: (heard: Heard) => Answer | undefined;
let folder: string;
beforeEach(async () => {
  answer = () => undefined;
  api = await fakeApi((heard) => answer(heard) ?? { body: { data: [known, { ...rate, addedBy: 'admin' }] } });
  folder = await mkdtemp(join(tmpdir(), 'relance-rates-'));
});
afterEach(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});
const sent = () => JSON.parse(api.heard.find((one) => one.method === 'PUT')!.body.toString()) as unknown;

test('one rate is added by options, and shown as it is kept', async () => {
  const options = Object.entries(rate).flatMap(([name, value]) => [`--${name}`, value]);
  const { exitCode, out } = await run(['rates', 'add', ...options], towards(api));
  expect(exitCode).toBe(0);
  expect(sent()).toEqual({ rates: [rate] });
  expect(out).toContain('frLegalProfessional  2026-07-01  2026-12-31  2.65');
  expect(out).not.toContain('ecbMro');
});

test('a file of rates is sent whole; what is refused says which row and why', async () => {
  const file = join(folder, 'rates.json');
  await writeFile(file, JSON.stringify([rate]));
  answer = () => problem(422, 'ratesInvalid', 'The rates do not fit', 'One of them leaves a gap.');
  const { exitCode, err } = await run(['rates', 'add', file], towards(api));
  expect(exitCode).toBe(1);
  expect(sent()).toEqual({ rates: [rate] });
  expect(err).toContain('ratesInvalid');
});

test('a file that is no list, and options that are missing, are refused before anything is sent', async () => {
  const file = join(folder, 'rates.json');
  await writeFile(file, '{}');
  expect((await run(['rates', 'add', file], towards(api))).exitCode).toBe(1);
  expect((await run(['rates', 'add', '--series', 'ecbMro'], towards(api))).exitCode).toBe(2);
  expect(api.heard).toEqual([]);
});

test('lists what is known, of one series where it is named', async () => {
  const { out } = await run(['rates', 'list', '--series', 'ecbMro'], towards(api));
  expect(out).toContain('2.40');
  expect(out).not.toContain('frLegalProfessional');
});
