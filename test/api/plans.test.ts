import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newInvoice, NOW, startApi, type Harness, type Reply, type TestCreditor } from './harness.ts';

/** Friday 20 November 2026; invoices over 1,200.00 EUR that fell due the day before. */
let h: Harness;
let own: TestCreditor;
let customer: { reference: string; name: string; kind: string; country: string };
let counter = 0;
beforeAll(async () => {
  h = await startApi();
  own = await h.creditor();
});
afterAll(() => h.stop());
beforeEach(() => {
  h.setNow(NOW);
  counter += 1;
  customer = { reference: `PLAN-${counter}`, name: 'Maison Plan', kind: 'business', country: 'FR' };
});

const post = (url: string, body: unknown, headers = {}): Promise<Reply> =>
  h.call(own.operator, 'POST', url, body, headers);
const get = (url: string): Promise<Reply> => h.call(own.operator, 'GET', url);
const invoice = (over = {}) => newInvoice(h, own.operator, { customer, ...over });
const HALVES = [
  { dueOn: '2026-12-15', amount: '600.00' },
  { dueOn: '2027-01-15', amount: '600' },
];
const refused = (reply: Reply): string =>
  [reply.status, reply.body.code, ...reply.body.errors.map((e: { pointer: string }) => e.pointer)].join(' ');

describe('a plan', () => {
  test('is agreed, read, listed and held', async () => {
    const one = await invoice();
    const made = await post('/v1/plans', { invoiceIds: [one.id], instalments: HALVES });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      id: expect.stringMatching(/^pla_/),
      status: 'active',
      customerId: one.customerId,
      invoiceIds: [one.id],
      currency: 'EUR',
      total: '1200.00',
      paid: '0.00',
      graceDays: 5,
      agreedOn: '2026-11-20',
      endedOn: null,
      replaces: null,
      instalments: [
        { n: 1, dueOn: '2026-12-15', amount: '600.00', paid: '0.00', status: 'open' },
        { n: 2, dueOn: '2027-01-15', amount: '600.00', paid: '0.00', status: 'open' },
      ],
      createdAt: '2026-11-20T09:00:00.000Z',
    });
    expect((await get(`/v1/plans/${made.body.id}`)).body).toEqual(made.body);
    const held = (await get(`/v1/invoices/${one.id}`)).body;
    expect(held.holds).toMatchObject([{ kind: 'plan', until: null, amount: null }]);
    expect((await get(`/v1/invoices?hold=plan&customerId=${one.customerId}`)).body.data).toHaveLength(1);
    expect(refused(await h.call(own.operator, 'DELETE', `/v1/holds/${held.holds[0].id}`))).toBe('409 holdNotLiftable');

    for (const query of [`invoiceId=${one.id}`, `customerId=${one.customerId}`, `status=active&invoiceId=${one.id}`]) {
      expect((await get(`/v1/plans?${query}`)).body.data).toEqual([made.body]);
    }
    expect((await get(`/v1/plans?status=kept&invoiceId=${one.id}`)).body.data).toEqual([]);
    const { data } = (await get(`/v1/invoices/${one.id}/timeline`)).body;
    expect(data.at(-1)).toMatchObject({
      kind: 'planAgreed',
      summary: 'Instalment plan agreed: 1200.00 EUR in 2 from 2026-12-15 to 2027-01-15, over this invoice',
    });
    const calendar = (await get(`/v1/invoices/${one.id}/calendar`)).body.data;
    expect(calendar.slice(-1)[0]).toBeDefined();
    expect(calendar.map((l: { action: string; reason: string }) => `${l.action} ${l.reason}`)).toContain(
      'planEnds planBroken',
    );
  });

  test('counts what is paid, by instalment and by day', async () => {
    const one = await invoice();
    const two = await invoice();
    const instalments = [
      { dueOn: '2026-11-25', amount: '1500.00' },
      { dueOn: '2026-12-25', amount: '900.00' },
    ];
    const { id } = (await post('/v1/plans', { invoiceIds: [one.id, two.id], instalments })).body;
    const statuses = async () => {
      const { paid, instalments: all } = (await get(`/v1/plans/${id}`)).body;
      return [paid, ...all.map((i: { paid: string; status: string }) => `${i.paid} ${i.status}`)];
    };
    await post(`/v1/invoices/${two.id}/payments`, { amount: '1000.00', currency: 'EUR', receivedOn: '2026-11-20' });
    expect(await statuses()).toEqual(['1000.00', '1000.00 partly', '0.00 open']);
    h.setNow(Date.parse('2026-11-25T09:00:00Z'));
    expect(await statuses()).toEqual(['1000.00', '1000.00 due', '0.00 open']);
    h.setNow(Date.parse('2026-11-26T09:00:00Z'));
    expect(await statuses()).toEqual(['1000.00', '1000.00 late', '0.00 open']);
    await post(`/v1/invoices/${one.id}/payments`, { amount: '600.00', currency: 'EUR', receivedOn: '2026-11-26' });
    expect(await statuses()).toEqual(['1600.00', '1500.00 paid', '100.00 partly']);
  });

  test('is cancelled with a reason, once', async () => {
    const one = await invoice();
    const { id } = (await post('/v1/plans', { invoiceIds: [one.id], instalments: HALVES })).body;
    const cancelled = await post(`/v1/plans/${id}/cancel`, { reason: 'They pay at once.' });
    expect([cancelled.status, cancelled.body.status, cancelled.body.endedOn]).toEqual([200, 'cancelled', '2026-11-20']);
    expect(refused(await post(`/v1/plans/${id}/cancel`, { reason: 'again' }))).toBe('409 planEnded');
    expect((await get(`/v1/invoices/${one.id}`)).body.holds).toEqual([]);
    const { data } = (await get(`/v1/invoices/${one.id}/timeline`)).body;
    expect(data.at(-1).summary).toBe('The instalment plan was cancelled — They pay at once.');
  });

  test('is changed over what is still owed; the old one is kept', async () => {
    const one = await invoice();
    const { id } = (await post('/v1/plans', { invoiceIds: [one.id], instalments: HALVES })).body;
    await post(`/v1/invoices/${one.id}/payments`, { amount: '200.00', currency: 'EUR', receivedOn: '2026-11-20' });
    const wrong = await post(`/v1/plans/${id}/change`, { instalments: HALVES, reason: 'x' });
    expect(refused(wrong)).toBe('422 planDoesNotAddUp /instalments');
    expect(wrong.body.detail).toBe('The instalments add up to 1200.00 EUR, the invoices owe 1000.00 EUR.');
    const changed = await post(`/v1/plans/${id}/change`, {
      instalments: [{ dueOn: '2027-02-15', amount: '1000' }],
      reason: 'One month more.',
    });
    expect([changed.status, changed.body.total, changed.body.replaces]).toEqual([201, '1000.00', id]);
    expect((await get(`/v1/plans/${id}`)).body).toMatchObject({ status: 'cancelled', paid: '200.00' });
    const summaries = (await get(`/v1/invoices/${one.id}/timeline`)).body.data.map(
      (e: { summary: string }) => e.summary,
    );
    expect(summaries.slice(-2)).toEqual([
      'The instalment plan was changed — One month more.',
      'Instalment plan agreed: 1000.00 EUR in 1 from 2027-02-15 to 2027-02-15, over this invoice — One month more.',
    ]);
    expect(refused(await post(`/v1/plans/${id}/change`, { instalments: HALVES, reason: 'x' }))).toBe('409 planEnded');
  });

  test('is agreed once a key', async () => {
    const one = await invoice();
    const body = { invoiceIds: [one.id], instalments: HALVES };
    const key = { 'idempotency-key': `plan-${counter}` };
    const first = await post('/v1/plans', body, key);
    expect((await post('/v1/plans', body, key)).body).toEqual(first.body);
    expect(refused(await post('/v1/plans', body))).toBe('409 planExists /invoiceIds/0');
    expect((await get(`/v1/plans?invoiceId=${one.id}`)).body.data).toHaveLength(1);
  });

  test('leaves no room for a promise, and takes the place of one', async () => {
    const one = await invoice();
    const promised = await post(`/v1/invoices/${one.id}/promises`, { payOn: '2026-11-30' });
    expect(promised.status).toBe(201);
    await post('/v1/plans', { invoiceIds: [one.id], instalments: HALVES });
    expect((await get(`/v1/invoices/${one.id}`)).body.holds.map((x: { kind: string }) => x.kind)).toEqual(['plan']);
    expect(refused(await post(`/v1/invoices/${one.id}/promises`, { payOn: '2026-11-30' }))).toBe('409 planExists');
    const disputed = await post(`/v1/invoices/${one.id}/disputes`, { amount: '10.00', category: 'price' });
    expect(disputed.status).toBe(201);
    const tasks = await get(`/v1/tasks?invoiceId=${one.id}&kind=reviewPlan`);
    expect(tasks.body.data).toMatchObject([{ kind: 'reviewPlan', status: 'open', role: 'operator' }]);
    const done = await post(`/v1/tasks/${tasks.body.data[0].id}/completion`, { note: 'Let it stand.' });
    expect(done.status).toBe(200);
  });
});

describe('bad input', () => {
  /** What a refused request must leave as it was. */
  const rows = async (): Promise<number> =>
    Number(
      (
        await h.db
          .selectFrom('plans')
          .select((eb) => eb.fn.countAll().as('n'))
          .executeTakeFirstOrThrow()
      ).n,
    );

  async function refuses(expected: string, body: unknown): Promise<void> {
    const before = await rows();
    expect(refused(await post('/v1/plans', body))).toBe(expected);
    expect(await rows()).toBe(before);
  }

  test('sums, dates, order, amounts', async () => {
    const { id } = await invoice();
    const plan = (...instalments: [string, string][]) => ({
      invoiceIds: [id],
      instalments: instalments.map(([dueOn, amount]) => ({ dueOn, amount })),
    });
    await refuses('422 planDoesNotAddUp /instalments', plan(['2026-12-15', '600.00'], ['2027-01-15', '599.99']));
    await refuses(
      '422 instalmentInPast /instalments/0/dueOn',
      plan(['2026-11-19', '600.00'], ['2027-01-15', '600.00']),
    );
    await refuses('422 instalmentOrder /instalments/1/dueOn', plan(['2026-12-15', '600.00'], ['2026-12-14', '600.00']));
    await refuses('422 tooManyDecimals /instalments/0/amount', plan(['2026-12-15', '1200.001']));
    await refuses('422 amountInvalid /instalments/1/amount', plan(['2026-12-15', '1200'], ['2026-12-16', '0']));
    await refuses('422 validationFailed /instalments/0/amount', plan(['2026-12-15', '-5']));
    await refuses('422 validationFailed /instalments/0/dueOn', plan(['2026-02-30', '1200']));
    await refuses('422 validationFailed /instalments', plan());
    await refuses('422 validationFailed /invoiceIds', { invoiceIds: [], instalments: HALVES });
    const many = Array.from({ length: 13 }, (_, i): [string, string] => [`2026-12-${String(i + 10)}`, '1.00']);
    await refuses('422 tooManyInstalments /instalments', plan(...many));
  });

  test('invoices of two customers, in two currencies, twice, unknown or foreign', async () => {
    const mine = await invoice();
    const other = await newInvoice(h, own.operator);
    const dollars = await invoice({ currency: 'USD' });
    const foreign = await newInvoice(h, (await h.creditor()).operator);
    const over = (...invoiceIds: string[]) => ({ invoiceIds, instalments: HALVES });
    await refuses('422 planSeveralCustomers /invoiceIds/1', over(mine.id, other.id));
    await refuses('422 planSeveralCurrencies /invoiceIds/1', over(mine.id, dollars.id));
    await refuses('422 duplicateInvoice /invoiceIds/1', over(mine.id, mine.id));
    await refuses('404 notFound', over(mine.id, foreign.id));
    await refuses('404 notFound', over(`inv_${'0'.repeat(26)}`));
    await refuses('422 validationFailed /invoiceIds/0', over('inv_x'));
  });

  test('over a disputed part, a paid or closed invoice, with an agency, in insolvency, without the branch', async () => {
    const over = async (one: { id: string }, code: string): Promise<void> =>
      refuses(code, { invoiceIds: [one.id], instalments: HALVES });
    const disputed = await invoice();
    await post(`/v1/invoices/${disputed.id}/disputes`, { amount: '1.00', category: 'price' });
    await over(disputed, '409 partDisputed /invoiceIds/0');
    const paid = await invoice();
    await post(`/v1/invoices/${paid.id}/payments`, { amount: '1200.00', currency: 'EUR', receivedOn: '2026-11-20' });
    await over(paid, '409 nothingOwed /invoiceIds/0');
    await h.db.updateTable('invoices').set({ stage: 'settled' }).where('id', '=', paid.id).execute();
    await over(paid, '409 invoiceClosed /invoiceIds/0');
    const placed = await invoice();
    for (const stage of ['reminding', 'formalNotice', 'placed'] as const) {
      await h.db.updateTable('invoices').set({ stage }).where('id', '=', placed.id).execute();
    }
    await over(placed, '409 stageForbids /invoiceIds/0');
    const insolvent = await invoice();
    await h.db
      .insertInto('holds')
      .values({
        id: `hol_${'1'.repeat(25)}${counter % 10}`,
        creditor_id: own.id,
        customer_id: insolvent.customerId,
        invoice_id: insolvent.id,
        kind: 'insolvency',
        from_on: '2026-11-20',
        actor: 'system',
        at: new Date(NOW),
      })
      .execute();
    await over(insolvent, '409 held /invoiceIds/0');
    await h.call(own.approver, 'PUT', '/v1/policies/no-plans', {
      name: 'no-plans',
      steps: [{ key: 'a', day: 1, channel: 'email', template: 'reminder' }],
      plan: null,
    });
    await over(await invoice({ policy: 'no-plans' }), '409 branchOff /invoiceIds/0');
  });
});
