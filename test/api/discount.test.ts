import { describe, expect, test } from 'vitest';
import { withBankAccount } from './bank-account.ts';
import type { TestFeed } from './feed.ts';
import { invoiceBody, newInvoice, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;
let feed: TestFeed;
const { get, post } = withBankAccount((account) => ({ h, c, feed } = account));

const discounts = async (invoiceId: string) => {
  const rows = await h.db
    .selectFrom('postings')
    .select('amount_minor')
    .where('invoice_id', '=', invoiceId)
    .where('account', '=', 'discounts')
    .execute();
  return rows.map((row) => row.amount_minor);
};

describe('a discount for paying early', () => {
  test('is a term of the invoice: an amount or per cent, rounded half up', async () => {
    const byAmount = await newInvoice(h, c.operator, { discount: { until: '2026-11-18', amount: '24' } });
    expect(byAmount.discount).toEqual({ until: '2026-11-18', amount: '24.00' });
    const byRate = await newInvoice(h, c.operator, {
      amount: '100.20',
      discount: { until: '2026-11-18', rate: '2.5' },
    });
    // 2.505 is rounded up.
    expect(byRate.discount).toEqual({ until: '2026-11-18', amount: '2.51' });
    expect((await newInvoice(h, c.operator)).discount).toBeNull();
  });

  test('is compared when the invoice comes again', async () => {
    const body = invoiceBody({ discount: { until: '2026-11-18', rate: '2' } });
    expect((await post('/v1/invoices', body)).status).toBe(201);
    expect((await post('/v1/invoices', body)).status).toBe(200);
    expect((await post('/v1/invoices', { ...body, discount: { until: '2026-11-18', amount: '24.00' } })).status).toBe(
      200,
    );
    for (const discount of [{ until: '2026-11-17', rate: '2' }, { until: '2026-11-18', rate: '3' }, undefined]) {
      const other = await post('/v1/invoices', { ...body, discount });
      expect([other.status, other.body.errors[0].pointer]).toEqual([409, '/discount']);
    }
  });

  test('is refused where it does not fit', async () => {
    for (const [discount, pointer, code] of [
      [{ until: '2026-11-18', amount: '1200.00' }, '/discount', 'discountInvalid'],
      [{ until: '2026-10-19', amount: '1.00' }, '/discount/until', 'discountInvalid'],
      [{ until: '2026-11-20', amount: '1.00' }, '/discount/until', 'discountInvalid'],
      [{ until: '2026-11-18', amount: '0' }, '/discount/amount', 'amountInvalid'],
    ] as const) {
      const reply = await post('/v1/invoices', invoiceBody({ discount }));
      expect([reply.status, reply.body.errors[0]?.pointer, reply.body.code]).toEqual([422, pointer, code]);
    }
    const both = invoiceBody({ discount: { until: '2026-11-18', amount: '1', rate: '2' } });
    expect((await post('/v1/invoices', both)).status).toBe(422);
  });

  test('taken in time settles, by a feed and by hand', async () => {
    const discount = { until: '2026-11-18', rate: '2' };
    const a = await newInvoice(h, c.operator, { discount });
    const receiptId = await feed.pays({ amount: '1176.00', bookedOn: '2026-11-18', remittance: a.number });
    expect((await get(`/v1/receipts/${receiptId}`)).decision).toMatchObject({
      rule: 'discountInTime',
      allocations: [{ amount: '1176.00', writeOff: { kind: 'discount', amount: '24.00' } }],
    });
    const b = await newInvoice(h, c.operator, { discount });
    await post(`/v1/invoices/${b.id}/payments`, { amount: '1176.00', currency: 'EUR', receivedOn: '2026-11-18' });
    for (const { id } of [a, b]) {
      expect((await get(`/v1/invoices/${id}`)).balance).toBe('0.00');
      expect(await discounts(id)).toEqual([2_400n]);
    }
  });

  test('taken late is a short payment, by a feed and by hand', async () => {
    const discount = { until: '2026-11-17', rate: '2' };
    const a = await newInvoice(h, c.operator, { discount });
    await feed.pays({ amount: '1176.00', bookedOn: '2026-11-18', remittance: a.number });
    const b = await newInvoice(h, c.operator, { discount });
    await post(`/v1/invoices/${b.id}/payments`, { amount: '1176.00', currency: 'EUR', receivedOn: '2026-11-18' });
    for (const { id } of [a, b]) {
      expect((await get(`/v1/invoices/${id}`)).balance).toBe('24.00');
      expect(await discounts(id)).toEqual([]);
    }
  });

  test('comes back to the cent when the payment is undone', async () => {
    const a = await newInvoice(h, c.operator, { discount: { until: '2026-11-18', amount: '24.00' } });
    const paid = await post(`/v1/invoices/${a.id}/payments`, {
      amount: '1176.00',
      currency: 'EUR',
      receivedOn: '2026-11-18',
    });
    await h.call(c.operator, 'DELETE', `/v1/allocations/${paid.body.allocations[0].id}`);
    expect((await get(`/v1/invoices/${a.id}`)).balance).toBe('1200.00');
    expect((await discounts(a.id)).reduce((sum, one) => sum + one, 0n)).toBe(0n);
  });
});

describe('a parent', () => {
  const company = (reference: string, more: object = {}) =>
    post('/v1/customers', { reference, name: `${reference} SAS`, kind: 'business', country: 'FR', ...more });

  test('pays the invoice of its subsidiary, and is still itself the next time', async () => {
    const parent = (await company('HOLDING')).body;
    const first = (await company('SUB-1', { parentId: parent.id })).body;
    const second = (await company('SUB-2', { parentId: parent.id })).body;
    expect((await get(`/v1/customers/${first.id}`)).parentId).toBe(parent.id);
    expect(parent.parentId).toBeNull();
    const bill = (customerId: string, amount: string) =>
      newInvoice(h, c.operator, { customer: undefined, customerId, amount });
    const a = await bill(first.id, '4321.00');
    const b = await bill(second.id, '5432.00');
    await bill(second.id, '999.00');
    const counterparty = { name: 'HOLDING SAS', iban: 'FR7630006000011234567890189' };
    for (const one of [a, b]) {
      const receiptId = await feed.pays({ amount: one.amount, counterparty, remittance: 'divers' });
      const receipt = await get(`/v1/receipts/${receiptId}`);
      expect(receipt).toMatchObject({ customerId: one.customerId, unapplied: '0.00' });
      expect(receipt.decision).toMatchObject({ rule: 'payerUniqueAmount' });
      expect(receipt.decision.reasons[0].text).toBe('The payer is the parent of the customer.');
    }
  });

  test('whose payment exceeds the invoice leaves credit of the subsidiary', async () => {
    const parent = (await company('GROUP')).body;
    const sub = (await company('GROUP-SUB', { parentId: parent.id })).body;
    const a = await newInvoice(h, c.operator, { customer: undefined, customerId: sub.id, amount: '700.00' });
    const receiptId = await feed.pays({
      amount: '750.00',
      counterparty: { name: 'GROUP SAS' },
      remittance: `facture ${a.number}`,
    });
    expect(await get(`/v1/receipts/${receiptId}`)).toMatchObject({ customerId: sub.id, unapplied: '50.00' });
  });

  test('whose account was learned of a subsidiary first is forgotten there when that is undone', async () => {
    const parent = (await company('LATE-TOP')).body;
    const sub = (await company('LATE-SUB', { parentId: parent.id })).body;
    const bill = (customerId: string) =>
      newInvoice(h, c.operator, { customer: undefined, customerId, amount: '71.00' });
    const [of, own] = [await bill(sub.id), await bill(parent.id)];
    const counterparty = { name: 'Tresorerie', iban: 'NL91ABNA0417164300' };
    const first = await feed.pays({ amount: '71.00', counterparty, remittance: of.number });
    await feed.pays({ amount: '71.00', counterparty, remittance: own.number });
    const [allocation] = (await get(`/v1/receipts/${first}`)).allocations;
    expect((await h.call(c.operator, 'DELETE', `/v1/allocations/${allocation.id}`)).status).toBe(204);
    const known = h.db.selectFrom('known_payers').select('customer_id').where('value', '=', counterparty.iban);
    expect(await known.execute()).toEqual([{ customer_id: parent.id }]);
  });

  test('is another customer of the creditor, and nobody’s own', async () => {
    const top = (await company('TOP')).body;
    const middle = (await company('MIDDLE', { parentId: top.id })).body;
    const patch = (id: string, parentId: string | null) =>
      h.call(c.operator, 'PATCH', `/v1/customers/${id}`, { parentId });
    const cycle = await patch(top.id, middle.id);
    expect([cycle.status, cycle.body.code, cycle.body.errors[0].pointer]).toEqual([422, 'parentCycle', '/parentId']);
    expect((await patch(top.id, top.id)).body.code).toBe('parentCycle');
    const other = await h.creditor({ name: 'Another' });
    const theirs = await h.call(other.operator, 'POST', '/v1/customers', {
      reference: 'T',
      name: 'Theirs',
      kind: 'business',
      country: 'FR',
    });
    expect([(await patch(top.id, theirs.body.id)).status, (await patch(top.id, theirs.body.id)).body.code]).toEqual([
      422,
      'unknownParent',
    ]);
    expect((await company('LOST', { parentId: theirs.body.id })).body.code).toBe('unknownParent');
    expect((await company('MIDDLE', { parentId: top.id })).status).toBe(200);
    expect((await company('MIDDLE', { parentId: null })).body.code).toBe('customerExists');
    expect((await patch(middle.id, null)).body.parentId).toBeNull();
  });
});

test('erasing a customer forgets from where its money came', async () => {
  const a = await newInvoice(h, c.operator);
  const known = () => h.db.selectFrom('known_payers').select('value').where('customer_id', '=', a.customerId).execute();
  const counterparty = { name: 'Somebody Known', iban: 'DE89370400440532013000' };
  await feed.pays({ amount: '1200.00', remittance: a.number, counterparty });
  expect((await known()).length).toBe(2);
  await h.db.updateTable('invoices').set({ stage: 'settled' }).where('id', '=', a.id).execute();
  const erased = await h.call(c.approver, 'POST', `/v1/customers/${a.customerId}/erasure`, {
    all: true,
    reason: 'Asked',
  });
  expect(erased.status).toBe(200);
  expect(await known()).toEqual([]);
});
