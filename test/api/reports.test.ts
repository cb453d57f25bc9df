import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newInvoice, startApi, type Harness, type TestCreditor } from './harness.ts';

/** Reports as of any day, from the journal. The business clock of these tests stands on 20 November 2026. */

let h: Harness;
let own: TestCreditor;
const invoices: Record<string, { id: string; customerId: string }> = {};
beforeAll(async () => {
  h = await startApi();
  own = await h.creditor();
  const book: [number: string, dueOn: string, amount: string, currency: string, customer: string][] = [
    ['A-0', '2026-12-15', '100.00', 'EUR', 'R-1'],
    ['A-1', '2026-11-19', '200.00', 'EUR', 'R-1'],
    ['A-30', '2026-10-21', '300.00', 'EUR', 'R-1'],
    ['A-31', '2026-10-20', '400.00', 'EUR', 'R-2'],
    ['A-60', '2026-09-21', '500.00', 'EUR', 'R-2'],
    ['A-90', '2026-08-22', '600.00', 'EUR', 'R-2'],
    ['A-91', '2026-08-21', '700.00', 'EUR', 'R-2'],
    ['A-J', '2026-10-20', '90000', 'JPY', 'R-2'],
  ];
  for (const [number, dueOn, amount, currency, reference] of book) {
    invoices[number] = await newInvoice(h, own.operator, {
      number,
      issuedOn: '2026-08-01',
      dueOn,
      amount,
      currency,
      vat: [],
      customer: { reference, name: `Customer ${reference}`, kind: 'business', country: 'FR' },
    });
  }
});
afterAll(() => h.stop());

const report = async (query = '') => (await h.call(own.operator, 'GET', `/v1/reports/aged-balance${query}`)).body;

describe('GET /v1/reports/aged-balance', () => {
  test('puts what is owed where it belongs by its due date, at each edge of a bucket', async () => {
    const { asOf, totals, data, nextCursor } = await report();
    expect([asOf, nextCursor]).toEqual(['2026-11-20', null]);
    expect(totals).toEqual([
      {
        currency: 'EUR',
        notDue: '100.00',
        from1To30: '500.00',
        from31To60: '900.00',
        from61To90: '600.00',
        over90: '700.00',
        total: '2800.00',
        disputed: '0.00',
      },
      {
        currency: 'JPY',
        notDue: '0',
        from1To30: '0',
        from31To60: '90000',
        from61To90: '0',
        over90: '0',
        total: '90000',
        disputed: '0',
      },
    ]);
    expect(
      data.map((row: { reference: string; balances: { total: string }[] }) => [
        row.reference,
        row.balances.map((b) => b.total),
      ]),
    ).toEqual([
      ['R-1', ['600.00']],
      ['R-2', ['2200.00', '90000']],
    ]);
  });

  test('is of one currency where it is asked for, and page by page', async () => {
    const first = await report('?currency=EUR&limit=1');
    expect(first.data).toHaveLength(1);
    const second = await report(`?currency=EUR&limit=1&cursor=${first.nextCursor}`);
    expect(second.data).toMatchObject([{ reference: 'R-2', balances: [{ currency: 'EUR', total: '2200.00' }] }]);
    expect(second.nextCursor).toBeNull();
    expect(second.totals).toEqual(first.totals);
  });

  test('follows payments and disputes, and keeps an earlier day as it was', async () => {
    const id = invoices['A-91']!.id;
    h.setNow(Date.parse('2026-11-21T09:00:00Z'));
    await h.call(own.operator, 'POST', `/v1/invoices/${id}/payments`, {
      amount: '250.00',
      currency: 'EUR',
      receivedOn: '2026-11-21',
    });
    await h.call(own.operator, 'POST', `/v1/invoices/${id}/disputes`, { amount: '100.00', category: 'price' });
    const today = await report('?currency=EUR');
    // A day later two invoices have moved on by a bucket.
    expect(today.totals).toMatchObject([
      { over90: '1050.00', from61To90: '500.00', total: '2550.00', disputed: '100.00' },
    ]);
    expect((await report('?currency=EUR&asOf=2026-11-20')).totals).toMatchObject([
      { over90: '700.00', total: '2800.00', disputed: '0.00' },
    ]);
    const postings = await h.db
      .selectFrom('postings')
      .select('amount_minor')
      .where('creditor_id', '=', own.id)
      .where('account', '=', 'receivable')
      .where('currency', '=', 'EUR')
      .execute();
    expect(postings.reduce((sum, posting) => sum + posting.amount_minor, 0n)).toBe(255_000n);
  });

  test('refuses a day to come', async () => {
    const refused = await h.call(own.operator, 'GET', '/v1/reports/aged-balance?asOf=2026-12-01');
    expect([refused.status, refused.body.code, refused.body.errors[0].pointer]).toEqual([422, 'futureDate', '/asOf']);
  });
});

describe('GET /v1/reports/dso', () => {
  test('counts back from what is owed, and says the simple figure of the days before', async () => {
    const other = await h.creditor();
    const sold: [number: string, issuedOn: string, amount: string][] = [
      ['D-1', '2026-10-05', '100.00'],
      ['D-2', '2026-11-02', '80.00'],
    ];
    for (const [number, issuedOn, amount] of sold) {
      const fields = { number, issuedOn, dueOn: issuedOn, amount, currency: 'EUR', vat: [] };
      invoices[number] = await newInvoice(h, other.operator, fields);
    }
    await h.call(other.operator, 'POST', `/v1/invoices/${invoices['D-1']!.id}/payments`, {
      amount: '30.00',
      currency: 'EUR',
      receivedOn: '2026-11-03',
    });
    const { body } = await h.call(other.operator, 'GET', '/v1/reports/dso?asOf=2026-11-20&days=60');
    // The payment was entered on 21 November: on the 20th all was owed. 20 + 31 × 100 / 100 days.
    expect(body).toEqual({
      asOf: '2026-11-20',
      days: 60,
      data: [{ currency: 'EUR', balance: '180.00', sales: '180.00', countBack: '51.0', simple: '60.0' }],
    });
    const today = await h.call(other.operator, 'GET', '/v1/reports/dso?days=30');
    // 150 owed on the 21st: 21 + 31 × 70 / 100; of the last 30 days only November's 80 were sold.
    expect(today.body.data).toEqual([
      { currency: 'EUR', balance: '150.00', sales: '80.00', countBack: '42.7', simple: '56.3' },
    ]);
    const refused = await h.call(other.operator, 'GET', '/v1/reports/dso?asOf=2026-12-01');
    expect(refused.body.code).toBe('futureDate');
  });
});

describe('GET /v1/reports/collections', () => {
  test('says what was paid of what fell due, how late, which promises held, and how often somebody was asked', async () => {
    const other = await h.creditor();
    const bill = async (number: string, dueOn: string, amount: string) =>
      (invoices[number] = await newInvoice(h, other.operator, {
        number,
        issuedOn: '2026-08-01',
        dueOn,
        amount,
        vat: [],
      }));
    const [early, late] = [await bill('K-1', '2026-11-16', '100.00'), await bill('K-2', '2026-10-22', '300.00')];
    await bill('K-3', '2026-12-15', '500.00');
    const pay = (id: string, amount: string) =>
      h.call(other.operator, 'POST', `/v1/invoices/${id}/payments`, {
        amount,
        currency: 'EUR',
        receivedOn: '2026-11-21',
      });
    await pay(early.id, '100.00');
    await pay(late.id, '50.00');
    await h.call(other.operator, 'POST', `/v1/invoices/${late.id}/credit-notes`, {
      number: 'K-C',
      amount: '50.00',
      currency: 'EUR',
      issuedOn: '2026-11-20',
    });
    const { body } = await h.call(other.operator, 'GET', '/v1/reports/collections?from=2026-10-01');
    expect(body).toEqual({
      from: '2026-10-01',
      to: '2026-11-21',
      data: [
        {
          currency: 'EUR',
          due: '350.00',
          dueCollected: '150.00',
          recoveryRate: '0.4286',
          collected: '150.00',
          // 100.00 five days late and 50.00 thirty days: 2,000 / 150.
          averageDelayDays: '13.3',
          promisesKept: 0,
          promisesBroken: 0,
          promisesKeptRate: null,
          contacts: 0,
          contactsPerThousand: '0.000',
        },
      ],
    });
    // Taken back, it was never collected.
    const { id } = await h.db
      .selectFrom('allocations')
      .select('id')
      .where('invoice_id', '=', early.id)
      .executeTakeFirstOrThrow();
    expect((await h.call(other.operator, 'DELETE', `/v1/allocations/${id}`)).status).toBeLessThan(300);
    const { body: after } = await h.call(other.operator, 'GET', '/v1/reports/collections?from=2026-10-01');
    expect(after.data).toMatchObject([{ dueCollected: '50.00', collected: '50.00', averageDelayDays: '30.0' }]);
    const { body: empty } = await h.call(
      other.operator,
      'GET',
      '/v1/reports/collections?from=2026-01-01&to=2026-01-31',
    );
    expect(empty.data).toEqual([]);
    const refused = await h.call(other.operator, 'GET', '/v1/reports/collections?from=2026-11-02&to=2026-11-01');
    expect([refused.status, refused.body.code]).toEqual([422, 'periodInvalid']);
  });
});
