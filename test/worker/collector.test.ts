import { afterEach, expect, test } from 'vitest';
import { printBatch } from '../../activities/letters/index.ts';
import { fenceLetters, keepBatch, lettersToPrint } from '../../db/repositories/print-batches.ts';
import { json } from '../../db/database.ts';
import { L111_8, type CollectsFor } from '../../domain/law/collector.ts';
import { addInvoice } from '../support/book.ts';
import { openWorld, type World } from './world.ts';
import { COLLECTS_FOR } from '../support/collects-for.ts';

const SET: CollectsFor = {
  ...COLLECTS_FOR,
  insurance: { ...COLLECTS_FOR.insurance, validUntil: '2026-12-31' },
};
const ADDRESS = { lines: ['12 rue du Moulin'], postalCode: '44000', city: 'Nantes', country: 'FR' };
const LETTER = { key: 'letter', day: 5, from: 'due', channel: 'letter', template: 'reminder', tone: 'courteous' };
const EMAIL = { key: 'email', day: 12, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' };

let world: World;
afterEach(() => world.close());

async function opened(steps: object[], set: CollectsFor = SET): Promise<string> {
  world = await openWorld({ steps });
  await world.db
    .updateTable('creditors')
    .set({ collects_for: json(set), address: json(ADDRESS) })
    .execute();
  await world.db
    .updateTable('customers')
    .set({ address: json(ADDRESS) })
    .execute();
  return addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, { dueOn: '2026-02-27' });
}

async function print(): Promise<void> {
  const act = world.act();
  const which = { channels: ['letter'] as const, limit: 50, holidays: world.deps.holidays };
  await fenceLetters(world.db, act, world.creditor.id, which);
  const waiting = await lettersToPrint(world.db, world.creditor.id, ['letter'], 50);
  const printed = await printBatch(waiting, { date: '2026-03-05', duplex: true });
  await world.within((tx) => keepBatch(tx, act, world.creditor.id, waiting, printed));
}

const texts = async () =>
  (await world.db.selectFrom('contacts').select(['body_text', 'reference']).orderBy('seq').execute()).map((one) => ({
    reference: one.reference,
    text: (one.body_text ?? '').replace(/\s+/g, ' '),
  }));
const refusals = () =>
  world.db.selectFrom('tasks').select(['kind', 'data', 'body']).where('kind', '=', 'notWritten').execute();

test('CPCE R124-4: the first letter says it all, what follows repeats its reference and date, each payment owes a receipt', async () => {
  const id = await opened([LETTER, EMAIL]);
  await world.turn(id);
  await world.plan();
  await print();
  world.goTo('2026-03-12T09:00:00Z');
  await world.turn(id);
  await world.plan();
  const [letter, email] = await texts();
  for (const paragraph of L111_8) expect(letter!.text).toContain(paragraph);
  expect(letter!.text).toContain('Imprimerie Vasseur SARL, 3 quai Perrache');
  expect(letter!.text.replace(/\s/g, '')).toContain(SET.dedicatedIban);
  expect(email!.text).toContain(`${letter!.reference}, 5 mars 2026`);
  expect(email!.text).not.toContain(L111_8[0]);
  expect(await refusals()).toEqual([]);
  await world.pay(id, 20_000n);
  const receipts = await world.db.selectFrom('tasks').select('data').where('kind', '=', 'giveReceipt').execute();
  expect(receipts).toMatchObject([{ data: { invoiceId: id } }]);
});

test('CPCE R124-4: no e-mail is written before the letter has left; a person is told', async () => {
  const id = await opened([{ ...EMAIL, day: 5 }]);
  await world.turn(id);
  await world.plan();
  expect(await world.contacts()).toEqual([]);
  expect(await refusals()).toMatchObject([{ data: { code: 'collectorLetterFirst' } }]);
});

test('CPCE R124-2: once the insurance has ended nothing is written', async () => {
  const id = await opened([LETTER], { ...SET, insurance: { ...SET.insurance, validUntil: '2026-03-01' } });
  await world.turn(id);
  await world.plan();
  expect(await world.contacts()).toEqual([]);
  const [refused] = await refusals();
  expect(refused).toMatchObject({ data: { code: 'collectorSetIncomplete' } });
  expect(refused!.body).toContain('R124-2');
});
