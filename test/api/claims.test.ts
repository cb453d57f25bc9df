import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { check } from '../../db/repositories/ledger.ts';
import { invoiceBody, newInvoice, startApi, type Harness, type TestCreditor } from './harness.ts';

/** What is claimed on an invoice, how payments are imputed on it, and the rates it rests on. */

let h: Harness;
let own: TestCreditor;
beforeAll(async () => {
  h = await startApi();
  own = await h.creditor();
  for (const [name, interest] of Object.entries({
    'claims-all': { claim: 'always', whenPrincipalPaid: 'claim' },
    'claims-until-paid': { claim: 'always', whenPrincipalPaid: 'waive' },
    'claims-from-100': { claim: 'always', whenPrincipalPaid: 'claim', minimum: { EUR: '100.00' } },
    'claims-nothing': { claim: 'never' },
    'contract-low': { claim: 'always', contractRate: '5' },
  })) {
    const steps = [{ key: 'one', day: 5, from: 'due', channel: 'email', template: 'reminder' }];
    const put = await h.call(own.approver, 'PUT', `/v1/policies/${name}`, { name, steps, interest });
    expect(put.status).toBe(200);
  }
});
afterAll(() => h.stop());

/** The invoice of the worked examples V1 and E5 of our legal reference. */
const lateInvoice = (policy: string, overrides: Record<string, unknown> = {}) =>
  newInvoice(h, own.operator, {
    issuedOn: '2025-03-31',
    dueOn: '2025-04-30',
    amount: '12000.00',
    vat: [{ rate: '20', net: '10000.00', vat: '2000.00' }],
    policy,
    ...overrides,
  });
const claim = async (id: string, asOf?: string) =>
  (await h.call(own.operator, 'GET', `/v1/invoices/${id}/claim${asOf === undefined ? '' : `?asOf=${asOf}`}`)).body;
const pay = (id: string, amount: string, receivedOn: string) =>
  h.call(own.operator, 'POST', `/v1/invoices/${id}/payments`, { amount, currency: 'EUR', receivedOn });
const read = async (id: string) => (await h.call(own.operator, 'GET', `/v1/invoices/${id}`)).body;
const events = async (id: string) =>
  (await h.call(own.operator, 'GET', `/v1/invoices/${id}/timeline`)).body.data as {
    kind: string;
    summary: string;
    data: Record<string, unknown>;
  }[];

describe('GET …/claim', () => {
  test('gives V1 (C. com. L441-10 II), period by period with its source, until the day the money came', async () => {
    const invoice = await lateInvoice('claims-nothing');
    await pay(invoice.id, '12000.00', '2026-09-15');
    const before = await claim(invoice.id, '2026-09-14');
    expect(before).toMatchObject({ principal: '12000.00', interest: '2031.55', compensation: '40.00' });
    const got = await claim(invoice.id, '2026-09-15');
    expect(got).toMatchObject({
      currency: 'EUR',
      principal: '0.00',
      interest: '2035.63',
      compensation: '40.00',
      costs: '0.00',
      total: '2075.63',
      regime: 'frBusiness',
      notes: [],
    });
    expect(
      got.periods.map((p: Record<string, unknown>) => [p['from'], p['to'], p['days'], p['rate'], p['amount']]),
    ).toEqual([
      ['2025-05-01', '2025-06-30', 61, '13.15', '263.72'],
      ['2025-07-01', '2025-12-31', 184, '12.15', '734.99'],
      ['2026-01-01', '2026-06-30', 181, '12.15', '723.01'],
      ['2026-07-01', '2026-09-15', 77, '12.40', '313.91'],
    ]);
    expect(got.periods[0].source).toContain('ECB');
    // What came later changes nothing of an earlier day, and a paid invoice bears no more interest.
    expect(await claim(invoice.id, '2026-11-20')).toMatchObject({ interest: '2035.63', perDay: '0.00' });
  });

  test('says what a further day costs', async () => {
    const invoice = await lateInvoice('claims-nothing');
    expect(await claim(invoice.id, '2025-07-31')).toMatchObject({
      interest: '387.55',
      perDay: '3.99',
      total: '12427.55',
    });
  });

  test('claims nothing beside the principal where the law is not covered, and says so', async () => {
    const { body: customer } = await h.call(own.operator, 'POST', '/v1/customers', {
      reference: 'CL-US',
      name: 'Far Away Inc.',
      kind: 'business',
      country: 'US',
    });
    const body = invoiceBody({
      customerId: customer.id,
      policy: 'claims-all',
      dueOn: '2025-04-30',
      issuedOn: '2025-03-31',
    });
    delete body['customer'];
    const { body: invoice } = await h.call(own.operator, 'POST', '/v1/invoices', body);
    const got = await claim(invoice.id);
    expect(got).toMatchObject({ interest: '0.00', compensation: '0.00', regime: null });
    expect(got.notes[0]).toMatchObject({ code: 'lawUnknown' });
  });

  test('says that a clause is below the floor (3 x legal rate)', async () => {
    const invoice = await lateInvoice('contract-low');
    const got = await claim(invoice.id, '2025-07-31');
    expect(got.notes.map((note: { code: string }) => note.code)).toEqual(['contractRateBelowFloor']);
    expect(got.periods[0]).toMatchObject({ rate: '5.00', source: 'contract' });
  });

  test('refuses a day to come, a written-off invoice, and what belongs to another creditor', async () => {
    const invoice = await lateInvoice('claims-all');
    const future = await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}/claim?asOf=2026-11-21`);
    expect([future.status, future.body.code, future.body.errors[0].pointer]).toEqual([422, 'futureDate', '/asOf']);
    const other = await h.creditor();
    expect((await h.call(other.operator, 'GET', `/v1/invoices/${invoice.id}/claim`)).status).toBe(404);
    await h.db.updateTable('invoices').set({ stage: 'writtenOff' }).where('id', '=', invoice.id).execute();
    const gone = await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}/claim`);
    expect([gone.status, gone.body.code]).toEqual([409, 'invoiceClosed']);
    await h.db.updateTable('invoices').set({ stage: 'upcoming' }).where('id', '=', invoice.id).execute();
  });
});

describe('a payment on a claim', () => {
  test('is for interest first, then principal (E5, C. civ. 1343-1); the 40 EUR come last', async () => {
    const invoice = await lateInvoice('claims-all');
    const first = await pay(invoice.id, '5000.00', '2025-07-31');
    expect(first.body.allocations).toMatchObject([{ amount: '5000.00', principal: '4612.45' }]);
    expect(await read(invoice.id)).toMatchObject({ balance: '7387.55', accessories: '0.00' });
    expect((await events(invoice.id)).findLast((e) => e.kind === 'paymentAllocated')).toMatchObject({
      summary: 'Paid 5000.00 EUR, of which 387.55 interest, 7387.55 left',
      data: { amount: '5000.00', interest: '387.55', principal: '4612.45' },
    });
    expect(await claim(invoice.id, '2025-09-30')).toMatchObject({
      principal: '7387.55',
      interest: '150.01',
      compensation: '40.00',
      total: '7577.56',
      accrued: '537.56',
    });
    const second = await pay(invoice.id, '7537.56', '2025-09-30');
    expect(second.body.allocations).toMatchObject([{ amount: '7537.56', principal: '7387.55' }]);
    // The principal is paid; the policy goes on claiming the compensation.
    expect(await read(invoice.id)).toMatchObject({ balance: '0.00', accessories: '40.00' });
    const third = await pay(invoice.id, '50.00', '2025-10-10');
    expect(third.body).toMatchObject({ unapplied: '10.00', allocations: [{ amount: '40.00', principal: '0.00' }] });
    expect(await read(invoice.id)).toMatchObject({ balance: '0.00', accessories: '0.00' });
    expect(await claim(invoice.id)).toMatchObject({ total: '0.00' });
    expect(await check(h.db, own.id)).toEqual([]);
  });

  test('is undone exactly, with its interest', async () => {
    const invoice = await lateInvoice('claims-all');
    const { body: receipt } = await pay(invoice.id, '5000.00', '2025-07-31');
    await h.call(own.operator, 'DELETE', `/v1/allocations/${receipt.allocations[0].id}`);
    expect(await read(invoice.id)).toMatchObject({ balance: '12000.00', accessories: '0.00' });
    expect(await claim(invoice.id, '2025-07-31')).toMatchObject({ principal: '12000.00', interest: '387.55' });
    expect(await check(h.db, own.id)).toEqual([]);
  });

  test('goes to the principal where the policy waives the rest, which is booked as waived', async () => {
    const invoice = await lateInvoice('claims-until-paid');
    await pay(invoice.id, '12000.00', '2025-07-31');
    expect(await read(invoice.id)).toMatchObject({ balance: '0.00', accessories: '0.00' });
    expect((await events(invoice.id)).find((e) => e.kind === 'interestWaived')).toMatchObject({
      data: { interest: '387.55', compensation: '40.00', total: '427.55' },
    });
    const rows = await h.db
      .selectFrom('postings')
      .select(['account', 'amount_minor'])
      .where('invoice_id', '=', invoice.id)
      .where('account', 'in', ['interest', 'compensation', 'interestWaived'])
      .orderBy('account')
      .execute();
    expect(rows.map((row) => [row.account, row.amount_minor])).toEqual([
      ['compensation', -4_000n],
      ['interest', -38_755n],
      ['interestWaived', 42_755n],
    ]);
    expect(await claim(invoice.id)).toMatchObject({ total: '0.00' });
    expect(await check(h.db, own.id)).toEqual([]);
  });

  test('ends a claim under the minimum that the policy bothers for', async () => {
    const invoice = await lateInvoice('claims-from-100');
    await pay(invoice.id, '12387.55', '2025-07-31');
    expect(await read(invoice.id)).toMatchObject({ balance: '0.00', accessories: '0.00' });
    expect((await events(invoice.id)).find((e) => e.kind === 'interestWaived')?.data).toMatchObject({ total: '40.00' });
  });

  test('takes no part in interest that the policy does not claim', async () => {
    const invoice = await lateInvoice('claims-nothing');
    const { body } = await pay(invoice.id, '5000.00', '2025-07-31');
    expect(body.allocations).toMatchObject([{ principal: '5000.00' }]);
    expect(await read(invoice.id)).toMatchObject({ balance: '7000.00' });
  });

  test('counts for an instalment plan first: what that agrees on is principal', async () => {
    const invoice = await lateInvoice('claims-all');
    const plan = await h.call(own.approver, 'POST', '/v1/plans', {
      invoiceIds: [invoice.id],
      instalments: [
        { dueOn: '2026-12-01', amount: '5000.00' },
        { dueOn: '2027-01-01', amount: '7000.00' },
      ],
    });
    expect(plan.status).toBe(201);
    const { body } = await pay(invoice.id, '5000.00', '2026-11-20');
    expect(body.allocations).toMatchObject([{ amount: '5000.00', principal: '5000.00' }]);
    expect(await read(invoice.id)).toMatchObject({ balance: '7000.00' });
    await pay(invoice.id, '7000.00', '2026-11-20');
    // The plan is paid; the policy claims on what had run until then.
    const { balance, accessories } = await read(invoice.id);
    const { interest } = await claim(invoice.id);
    expect([balance, Number(accessories)]).toEqual(['0.00', Number(interest) + 40]);
  });

  test('is for the principal while the rate of its day is missing', async () => {
    const { body: customer } = await h.call(own.operator, 'POST', '/v1/customers', {
      reference: 'CL-OLD',
      name: 'Vieux client',
      kind: 'business',
      country: 'FR',
    });
    const body = invoiceBody({
      customerId: customer.id,
      policy: 'claims-all',
      issuedOn: '2018-03-01',
      dueOn: '2018-03-31',
    });
    delete body['customer'];
    const { body: invoice } = await h.call(own.operator, 'POST', '/v1/invoices', body);
    const refused = await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}/claim`);
    expect([refused.status, refused.body.code]).toEqual([409, 'rateUnknown']);
    expect(refused.body.detail).toContain('ecbMro');
    const { body: receipt } = await pay(invoice.id, '100.00', '2026-11-19');
    expect(receipt.allocations).toMatchObject([{ amount: '100.00', principal: '100.00' }]);
    const { body: tasks } = await h.call(own.operator, 'GET', '/v1/tasks?kind=rateUnknown');
    expect(tasks.data).toMatchObject([{ invoiceId: invoice.id, status: 'open' }]);
  });
});

describe('a person', () => {
  test('waives interest with a reason, an approver alone, and only once', async () => {
    const invoice = await lateInvoice('claims-all');
    const path = `/v1/invoices/${invoice.id}/interest-waiver`;
    expect((await h.call(own.operator, 'POST', path, { reason: 'gesture' })).status).toBe(403);
    const waived = await h.call(own.approver, 'POST', path, { reason: 'gesture' });
    expect(waived.body).toMatchObject({ principal: '12000.00', interest: '0.00', compensation: '0.00' });
    const again = await h.call(own.approver, 'POST', path, { reason: 'gesture' });
    expect([again.status, again.body.code]).toEqual([409, 'nothingToWaive']);
    expect((await events(invoice.id)).find((e) => e.kind === 'interestWaived')?.summary).toContain('gesture');
    expect(await check(h.db, own.id)).toEqual([]);
  });

  test('adds costs that a title grants (CPCE L111-8), which are paid first', async () => {
    const invoice = await lateInvoice('claims-all');
    const costs = { amount: '51.07', on: '2025-07-01', basis: 'Order for payment of 1 July 2025' };
    const added = await h.call(own.approver, 'POST', `/v1/invoices/${invoice.id}/costs`, costs);
    expect(added.body).toMatchObject({ costs: '51.07' });
    await pay(invoice.id, '100.00', '2025-07-31');
    expect(await claim(invoice.id, '2025-07-31')).toMatchObject({
      costs: '0.00',
      interest: '338.62',
      principal: '12000.00',
    });
    const late = await h.call(own.approver, 'POST', `/v1/invoices/${invoice.id}/costs`, { ...costs, on: '2026-12-01' });
    expect([late.status, late.body.code]).toEqual([422, 'futureDate']);
  });
});

describe('reference rates', () => {
  const next = {
    series: 'frLegalProfessional',
    from: '2026-07-01',
    to: '2026-12-31',
    rate: '2.65',
    source: 'Arrêté of June 2026',
  };
  const put = (rates: object[], key = h.adminKey) => h.call(key, 'PUT', '/v1/rates', { rates });

  test('are added by the admin with their source; the whole list or nothing', async () => {
    expect((await put([next], own.approver)).status).toBe(403);
    const gap = await put([next, { ...next, series: 'ecbMro', from: '2027-07-01', to: '2027-12-31' }]);
    expect([gap.status, gap.body.code]).toEqual([422, 'ratesInvalid']);
    expect(gap.body.errors).toMatchObject([{ pointer: '/rates/1/from', code: 'ratesGap' }]);
    const unchanged = await h.call(h.adminKey, 'GET', '/v1/rates');
    expect(
      unchanged.body.data.some(
        (row: { from: string; series: string }) => row.series === next.series && row.from === next.from,
      ),
    ).toBe(false);
    const added = await put([next]);
    expect(added.status).toBe(200);
    expect(added.body.data).toContainEqual({ ...next, addedBy: expect.any(String) });
    expect((await put([next])).status).toBe(200);
    const other = await put([{ ...next, rate: '2.66' }]);
    expect(other.body.errors).toMatchObject([{ pointer: '/rates/0/rate', code: 'rateConflict' }]);
    const half = await put([{ ...next, from: '2027-01-01', to: '2027-05-31' }]);
    expect(half.body.errors).toMatchObject([{ pointer: '/rates/0/to', code: 'periodInvalid' }]);
  });
});

test('a credit note of before the payments leaves what it would have left before them, and so does taking one back', async () => {
  const credit = (id: string) =>
    h.call(own.operator, 'POST', `/v1/invoices/${id}/credit-notes`, {
      number: `CORR-${id.slice(-6)}`,
      amount: '11000.00',
      currency: 'EUR',
      issuedOn: '2025-05-01',
    });
  const payments: [amount: string, on: string][] = [
    ['400.00', '2025-07-31'],
    ['50.00', '2025-12-15'],
  ];
  const late = await lateInvoice('claims-all');
  for (const [amount, on] of payments) expect((await pay(late.id, amount, on)).status).toBe(201);
  expect((await credit(late.id)).status).toBe(201);
  const early = await lateInvoice('claims-all');
  expect((await credit(early.id)).status).toBe(201);
  for (const [amount, on] of payments) expect((await pay(early.id, amount, on)).status).toBe(201);

  const figures = async (id: string) => {
    const { principal, interest, compensation, total } = await claim(id, '2026-06-30');
    return { principal, interest, compensation, total, balance: (await read(id)).balance };
  };
  expect(await figures(late.id)).toEqual(await figures(early.id));
  const corrections = (await events(late.id)).filter(({ kind }) => kind === 'interestCorrected');
  expect(corrections.length).toBeGreaterThan(0);

  // The corrections go with the payment they are of.
  for (const { id } of [late, early]) {
    const first = await h.db
      .selectFrom('allocations')
      .select('id')
      .where('invoice_id', '=', id)
      .where('amount_minor', '=', 40_000n)
      .executeTakeFirstOrThrow();
    expect((await h.call(own.operator, 'DELETE', `/v1/allocations/${first.id}`)).status).toBeLessThan(300);
  }
  expect((await read(late.id)).balance).not.toBe('0.00');
  expect(await check(h.db, own.id)).toEqual([]);
  const interest = await h.db
    .selectFrom('postings')
    .select('amount_minor')
    .where('invoice_id', '=', late.id)
    .where('account', '=', 'interest')
    .execute();
  expect(interest.reduce((sum, { amount_minor: minor }) => sum + minor, 0n)).toBeLessThanOrEqual(0n);
});

test('interest that was paid on what a credit note takes back wholly is a person’s task', async () => {
  const invoice = await lateInvoice('claims-all');
  expect((await pay(invoice.id, '300.00', '2025-07-31')).status).toBe(201);
  const credit = await h.call(own.operator, 'POST', `/v1/invoices/${invoice.id}/credit-notes`, {
    number: `ALL-${invoice.id.slice(-6)}`,
    amount: '12000.00',
    currency: 'EUR',
    issuedOn: '2025-04-30',
  });
  expect(credit.status, JSON.stringify(credit.body)).toBe(201);
  const tasks = (await h.call(own.operator, 'GET', '/v1/tasks?limit=200')).body.data as {
    kind: string;
    invoiceId: string;
    subject: string;
  }[];
  const found = tasks.filter((task) => task.kind === 'interestOverpaid' && task.invoiceId === invoice.id);
  expect(found).toHaveLength(1);
  expect(found[0]!.subject).toContain('of interest were paid on invoice');
  expect((await read(invoice.id)).balance).toBe('0.00');
  expect(await check(h.db, own.id)).toEqual([]);
});
