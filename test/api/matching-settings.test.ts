import { describe, expect, test } from 'vitest';
import { withBankAccount } from './bank-account.ts';
import type { TestFeed } from './feed.ts';
import { newInvoice, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;
let feed: TestFeed;
const { get, post } = withBankAccount((account) => ({ h, c, feed } = account));

const put = (body: object) => h.call(c.approver, 'PUT', '/v1/matching', body);
const preview = (body: object) => post('/v1/matching/preview', body);
const november = { from: '2026-11-01', to: '2026-11-30' };

describe('settings of matching', () => {
  test('begin with the defaults, and get a new version each time', async () => {
    const first = await get('/v1/matching');
    expect(first).toMatchObject({ version: 0, bankFees: {} });
    expect(first.modes).toMatchObject({ numbersEqualSum: 'automatic', subsetSum: 'propose' });
    const set = await put({ modes: { subsetSum: 'automatic', numberLowerAmount: 'off' }, bankFees: { EUR: '5' } });
    expect(set.status).toBe(200);
    expect(set.body).toMatchObject({ version: 1, bankFees: { EUR: '5.00' } });
    expect(set.body.modes).toMatchObject({
      subsetSum: 'automatic',
      numberLowerAmount: 'off',
      numbersEqualSum: 'automatic',
    });
    expect((await put({ modes: {}, bankFees: {} })).body).toMatchObject({ ...first, version: 2 });
  });

  test('are an approver’s, and refused where they make no sense', async () => {
    expect((await h.call(c.operator, 'PUT', '/v1/matching', { modes: {}, bankFees: {} })).status).toBe(403);
    for (const [body, pointer] of [
      [{ modes: { noRule: 'off' }, bankFees: {} }, '/modes'],
      [{ modes: { subsetSum: 'perhaps' }, bankFees: {} }, '/modes/subsetSum'],
      [{ modes: {}, bankFees: { XXX: '1' } }, '/bankFees/XXX'],
      [{ modes: {}, bankFees: { EUR: '1.001' } }, '/bankFees/EUR'],
      [{ modes: {}, bankFees: { EUR: '-1' } }, '/bankFees/EUR'],
      [{ modes: {} }, '/bankFees'],
    ] as const) {
      const reply = await put(body);
      expect(reply.status).toBe(422);
      expect(reply.body.errors[0].pointer).toContain(pointer);
    }
  });

  test('count for the money that comes then', async () => {
    await put({ modes: { numbersEqualSum: 'propose' }, bankFees: {} });
    const a = await newInvoice(h, c.operator, { number: 'MODE-0001', amount: '111.00' });
    const proposed = await feed.pays({ amount: '111.00', remittance: a.number, bookedOn: '2026-10-30' });
    expect(await get(`/v1/receipts/${proposed}`)).toMatchObject({
      unapplied: '111.00',
      decision: { outcome: 'review', reason: { code: 'proposeOnly' }, settingsVersion: 3 },
    });
    await put({ modes: {}, bankFees: {} });
  });
});

describe('a preview', () => {
  test('shows what settings would have done with the books as they were, and writes nothing', async () => {
    const a = await newInvoice(h, c.operator, { number: 'PREV-0001', amount: '210.00' });
    const b = await newInvoice(h, c.operator, { number: 'PREV-0002', amount: '320.00' });
    const whole = await feed.pays({ amount: '210.00', remittance: a.number });
    const part = await feed.pays({ amount: '120.00', remittance: b.number });
    const rest = await feed.pays({ amount: '200.00', remittance: b.number });
    const nobody = await feed.pays({ amount: '17.17', remittance: 'divers' });
    const before = await everything();
    const shown = await preview({ modes: {}, ...november });
    expect(shown.status).toBe(200);
    const of = (id: string) => shown.body.data.find((one: { receiptId: string }) => one.receiptId === id);
    // All of them are settled by now; each is judged by what was open when it came.
    expect(of(whole)).toMatchObject({
      outcome: 'applied',
      rule: 'numbersEqualSum',
      compared: 'same',
      allocations: [{ invoiceId: a.id, number: 'PREV-0001', amount: '210.00' }],
    });
    expect(of(part)).toMatchObject({ rule: 'numberLowerAmount', compared: 'same' });
    expect(of(rest)).toMatchObject({ rule: 'numbersEqualSum', compared: 'same', allocations: [{ amount: '200.00' }] });
    expect(of(nobody)).toMatchObject({ outcome: 'review', rule: null, reason: 'nothingQuoted', compared: 'review' });
    expect(shown.body.totals).toEqual({
      receipts: 4,
      same: 3,
      other: 0,
      review: 1,
      byRule: {
        numbersEqualSum: { same: 2, other: 0, review: 0 },
        numberLowerAmount: { same: 1, other: 0, review: 0 },
        none: { same: 0, other: 0, review: 1 },
      },
    });
    const strict = await preview({ modes: { numbersEqualSum: 'propose', numberLowerAmount: 'off' }, ...november });
    expect(strict.body.totals).toMatchObject({ same: 0, review: 4 });
    expect(await everything()).toEqual(before);
  });

  test('says where a person moved the money since', async () => {
    const a = await newInvoice(h, c.operator, { number: 'PREV-0003', amount: '515.00' });
    const b = await newInvoice(h, c.operator, { number: 'PREV-0004', amount: '515.00' });
    const receiptId = await feed.pays({ amount: '515.00', remittance: a.number, bookedOn: '2026-09-15' });
    const { allocations } = await get(`/v1/receipts/${receiptId}`);
    await h.call(c.operator, 'DELETE', `/v1/allocations/${allocations[0].id}`);
    await h.call(c.operator, 'POST', `/v1/receipts/${receiptId}/allocations`, { invoiceId: b.id, amount: '515.00' });
    const shown = await preview({ modes: {}, from: '2026-09-01', to: '2026-09-30' });
    expect(shown.body.data).toMatchObject([
      { receiptId, compared: 'other', allocations: [{ invoiceId: a.id, number: 'PREV-0003' }] },
    ]);
  });

  test('knows a payer only from earlier money', async () => {
    const counterparty = { name: 'Tresorerie Centrale', iban: 'DE89370400440532013000' };
    const a = await newInvoice(h, c.operator, { number: 'PREV-0005', amount: '611.00', issuedOn: '2026-07-01' });
    const body = { customer: undefined, customerId: a.customerId, issuedOn: '2026-07-01' };
    await newInvoice(h, c.operator, { ...body, amount: '612.00' });
    await newInvoice(h, c.operator, { ...body, amount: '613.00' });
    const paid = (amount: string, remittance: string) =>
      feed.pays({ amount, remittance, counterparty, bookedOn: '2026-08-15' });
    const before = await paid('612.00', 'divers');
    await paid('611.00', a.number);
    const after = await paid('613.00', 'divers');
    const shown = await preview({ modes: {}, from: '2026-08-01', to: '2026-08-31' });
    const of = (id: string) => shown.body.data.find((one: { receiptId: string }) => one.receiptId === id);
    expect(of(before)).toMatchObject({ outcome: 'review', compared: 'review' });
    expect(of(after)).toMatchObject({ outcome: 'applied', rule: 'payerUniqueAmount', compared: 'same' });
  });

  test('is paged, bounded by its days, and refuses nonsense', async () => {
    const first = await preview({ modes: {}, ...november, limit: 1 });
    expect(first.body.data).toHaveLength(1);
    const second = await preview({ modes: {}, ...november, limit: 1, cursor: first.body.nextCursor });
    expect(second.body.data[0].receiptId).not.toBe(first.body.data[0].receiptId);
    const backwards = await preview({ modes: {}, from: '2026-11-30', to: '2026-11-01' });
    expect([backwards.status, backwards.body.errors[0].pointer]).toEqual([422, '/to']);
    expect((await preview({ modes: {}, ...november, cursor: 'x' })).body.code).toBe('cursorInvalid');
  });
});

const everything = async () => ({
  decisions: await h.db.selectFrom('match_decisions').selectAll().execute(),
  receipts: await h.db.selectFrom('receipts').selectAll().execute(),
  allocations: await h.db.selectFrom('allocations').selectAll().execute(),
  settings: await h.db.selectFrom('matching_settings').selectAll().execute(),
});
