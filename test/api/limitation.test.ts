import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newInvoice, startApi, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;

beforeAll(async () => {
  h = await startApi();
  c = await h.creditor();
});
afterAll(() => h.stop());

const OLD = { issuedOn: '2021-12-01', dueOn: '2021-12-31' };
const old = (kind = 'business', country = 'FR', more: object = {}) => {
  const reference = `L-${Math.random().toString(36).slice(2)}`;
  return newInvoice(h, c.operator, { ...OLD, customer: { reference, name: 'Somebody', kind, country }, ...more });
};
const get = async (url: string) => (await h.call(c.operator, 'GET', url)).body;
const record = (id: string, body: object, key = c.operator) =>
  h.call(key, 'POST', `/v1/invoices/${id}/limitation-events`, body);
const tasksOf = async (id: string, kind: string) => (await get(`/v1/tasks?invoiceId=${id}&kind=${kind}`)).data;
const wakesOf = async (id: string) =>
  (await h.db.selectFrom('outbox').select('payload').where('target', '=', id).execute()).filter(
    ({ payload }) => payload['signal'] === 'wake',
  ).length;

describe('the last day in time', () => {
  test('stands on the invoice, with its source on a page of its own', async () => {
    const invoice = await old();
    expect(invoice.limitationOn).toBe('2026-12-31');
    expect(await get(`/v1/invoices/${invoice.id}/limitation`)).toEqual({
      on: '2026-12-31',
      source: 'C. com. art. L110-4; C. civ. art. 2224, 2233',
      years: null,
      events: [],
    });
  });

  test('is null where the law of the place is not known', async () => {
    const invoice = await old('business', 'US', { policy: 'business' });
    expect(invoice.limitationOn).toBeNull();
    expect(await record(invoice.id, { kind: 'courtClaim', on: '2026-11-01' })).toMatchObject({
      status: 422,
      body: { code: 'limitationNotKnown' },
    });
  });

  test('follows the years that a contract agrees, where the law lets it (C. civ. 2254)', async () => {
    const invoice = await old('business', 'FR', { limitationYears: 10 });
    expect(invoice).toMatchObject({ limitationOn: '2031-12-31', limitationYears: 10 });
    for (const [kind, country] of [
      ['consumer', 'FR'],
      ['business', 'DE'],
    ] as const) {
      const reply = await h.call(c.operator, 'POST', '/v1/invoices', {
        number: `C-${kind}-${country}`,
        customer: { reference: `CY-${kind}-${country}`, name: 'X', kind, country },
        ...OLD,
        amount: '10',
        currency: 'EUR',
        limitationYears: 4,
        policy: 'business',
      });
      expect(reply).toMatchObject({ status: 422, body: { code: 'limitationYearsNotAllowed' } });
    }
  });
});

describe('what interrupts it', () => {
  test('a claim before the court counts at once, stands on the timeline and wakes the case', async () => {
    const invoice = await old();
    const before = await wakesOf(invoice.id);
    const reply = await record(invoice.id, { kind: 'courtClaim', on: '2026-11-02', note: 'Tribunal de commerce' });
    expect(reply).toMatchObject({ status: 201, body: { status: 'counts', limitationOn: '2031-11-02', until: null } });
    expect((await get(`/v1/invoices/${invoice.id}`)).limitationOn).toBe('2031-11-02');
    expect(await wakesOf(invoice.id)).toBe(before + 1);
    const timeline = (await get(`/v1/invoices/${invoice.id}/timeline`)).data;
    expect(timeline.at(-1)).toMatchObject({
      kind: 'limitationEvent',
      summary:
        'Limitation: courtClaim of 2026-11-02 counts, the claim can be pursued until 2031-11-02 — Tribunal de commerce',
    });
  });

  test('the same event again is the one there is; its end is told once and moves the day', async () => {
    const invoice = await old();
    const first = await record(invoice.id, { kind: 'mediation', on: '2026-05-01' });
    expect(first).toMatchObject({ status: 201, body: { limitationOn: '2026-12-31' } });
    const again = await record(invoice.id, { kind: 'mediation', on: '2026-05-01' });
    expect(again).toMatchObject({ status: 200, body: { id: first.body.id } });
    const ended = await record(invoice.id, { kind: 'mediation', on: '2026-05-01', until: '2026-10-31' });
    // 183 days did not run.
    expect(ended).toMatchObject({ status: 200, body: { id: first.body.id, limitationOn: '2027-07-02' } });
    expect(await record(invoice.id, { kind: 'mediation', on: '2026-05-01', until: '2026-10-30' })).toMatchObject({
      status: 409,
      body: { code: 'limitationEventExists' },
    });
    expect((await get(`/v1/invoices/${invoice.id}/limitation`)).events).toHaveLength(1);
  });

  test('an acknowledgement counts once an approver has confirmed it, and not before', async () => {
    const invoice = await old();
    const reply = await record(invoice.id, { kind: 'acknowledgement', on: '2026-11-02' });
    expect(reply).toMatchObject({ status: 201, body: { status: 'unconfirmed', limitationOn: '2026-12-31' } });
    const [task] = await tasksOf(invoice.id, 'confirmAcknowledgement');
    expect(task).toMatchObject({ status: 'open', role: 'approver' });
    const done = { decision: 'confirmed', note: 'Their e-mail of that day.' };
    expect(await h.call(c.operator, 'POST', `/v1/tasks/${task.id}/completion`, done)).toMatchObject({ status: 403 });
    expect(await h.call(c.approver, 'POST', `/v1/tasks/${task.id}/completion`, { note: 'yes' })).toMatchObject({
      status: 422,
    });
    expect(await h.call(c.approver, 'POST', `/v1/tasks/${task.id}/completion`, done)).toMatchObject({ status: 200 });
    expect(await get(`/v1/invoices/${invoice.id}/limitation`)).toMatchObject({
      on: '2031-11-02',
      events: [{ status: 'counts' }],
    });
  });

  test('refused it is kept as evidence and moves nothing', async () => {
    const invoice = await old();
    await record(invoice.id, { kind: 'acknowledgement', on: '2026-11-02' });
    const [task] = await tasksOf(invoice.id, 'confirmAcknowledgement');
    await h.call(c.approver, 'POST', `/v1/tasks/${task.id}/completion`, { decision: 'refused' });
    expect(await get(`/v1/invoices/${invoice.id}/limitation`)).toMatchObject({
      on: '2026-12-31',
      events: [{ status: 'refused' }],
    });
  });

  test('a part payment or a promise within a year of the end asks an approver; earlier nobody is asked', async () => {
    const invoice = await old();
    await h.call(c.operator, 'POST', `/v1/invoices/${invoice.id}/payments`, {
      amount: '200.00',
      currency: 'EUR',
      receivedOn: '2026-11-19',
    });
    await h.call(c.operator, 'POST', `/v1/invoices/${invoice.id}/promises`, { payOn: '2026-11-27' });
    const asked = await tasksOf(invoice.id, 'confirmAcknowledgement');
    expect(asked.map((task: { subject: string }) => task.subject)).toHaveLength(2);
    const { events } = await get(`/v1/invoices/${invoice.id}/limitation`);
    expect(events).toMatchObject([
      { kind: 'partPayment', on: '2026-11-20', status: 'unconfirmed' },
      { kind: 'askedForTime', on: '2026-11-20', status: 'unconfirmed' },
    ]);
    const recent = await newInvoice(h, c.operator);
    await h.call(c.operator, 'POST', `/v1/invoices/${recent.id}/promises`, { payOn: '2026-11-27' });
    expect(await tasksOf(recent.id, 'confirmAcknowledgement')).toEqual([]);
  });

  test('a new due date keeps what happened', async () => {
    const invoice = await old();
    await record(invoice.id, { kind: 'enforcementMeasure', on: '2026-10-01' });
    const reply = await h.call(c.operator, 'PATCH', `/v1/invoices/${invoice.id}`, {
      dueOn: '2022-01-31',
      reason: 'as agreed',
    });
    expect(reply.body.limitationOn).toBe('2031-10-01');
  });
});

describe('bad input', () => {
  test.each([
    ['a day to come', { kind: 'courtClaim', on: '2026-11-21' }, 'futureDate', '/on'],
    ['before the invoice', { kind: 'courtClaim', on: '2021-11-30' }, 'dateInvalid', '/on'],
    [
      'an end before its beginning',
      { kind: 'mediation', on: '2026-05-01', until: '2026-04-30' },
      'dateInvalid',
      '/until',
    ],
    ['an end to come', { kind: 'mediation', on: '2026-05-01', until: '2026-12-01' }, 'futureDate', '/until'],
    [
      'an acknowledgement that lasts',
      { kind: 'acknowledgement', on: '2026-05-01', until: '2026-05-02' },
      'notAllowed',
      '/until',
    ],
    ['no kind', { on: '2026-05-01' }, null, '/kind'],
    ['a reminder', { kind: 'reminder', on: '2026-05-01' }, null, '/kind'],
  ])('%s is refused and changes nothing', async (_, body, code, pointer) => {
    const invoice = await old();
    const reply = await record(invoice.id, body);
    expect(reply.status).toBe(422);
    expect(reply.body.errors[0]).toMatchObject({ pointer, ...(code === null ? {} : { code }) });
    expect((await get(`/v1/invoices/${invoice.id}/limitation`)).events).toEqual([]);
    expect((await get(`/v1/invoices/${invoice.id}/timeline`)).data).toHaveLength(1);
  });

  test('what the law of the place is not known to answer is refused, never guessed', async () => {
    const german = await old('business', 'DE', { issuedOn: '2024-12-01', dueOn: '2024-12-31' });
    expect(await record(german.id, { kind: 'mediation', on: '2026-05-01' })).toMatchObject({
      status: 422,
      body: { code: 'limitationEventNotKnown' },
    });
  });

  test('a claim that is barred stays so', async () => {
    const invoice = await old('consumer');
    expect(invoice.limitationOn).toBe('2023-12-31');
    expect(await record(invoice.id, { kind: 'courtClaim', on: '2026-05-01' })).toMatchObject({
      status: 409,
      body: { code: 'timeBarred' },
    });
  });
});

describe('warnings on an invoice', () => {
  const codes = (invoice: { warnings: { code: string }[] }) => invoice.warnings.map(({ code }) => code);

  test('a payment term beyond the maximum is taken with a warning (C. com. L441-10 I)', async () => {
    const invoice = await newInvoice(h, c.operator, {
      issuedOn: '2026-01-20',
      dueOn: '2026-03-22',
      terms: { kind: 'fromIssue' },
    });
    expect(invoice.terms).toEqual({ kind: 'fromIssue', sector: null, receivedOn: null, expresslyAgreed: false });
    expect(invoice.warnings[0]).toMatchObject({ code: 'paymentTermTooLong', limitOn: '2026-03-21' });
    const other = await newInvoice(h, c.operator, {
      issuedOn: '2026-01-20',
      dueOn: '2026-03-22',
      terms: { kind: 'endOfMonthAfter' },
    });
    expect(codes(other)).not.toContain('paymentTermTooLong');
  });

  test('that nobody saw the mandatory mentions is said where the policy claims interest, not else', async () => {
    expect(codes(await newInvoice(h, c.operator))).toEqual(['mentionsNotSeen']);
    expect(codes(await newInvoice(h, c.operator, { policy: 'business' }))).toEqual([]);
    const consumer = { reference: 'WARN-C', name: 'X', kind: 'consumer', country: 'FR' };
    expect(codes(await newInvoice(h, c.operator, { customer: consumer }))).toEqual([]);
  });

  test('the same number with other terms is another invoice', async () => {
    const first = await newInvoice(h, c.operator, { terms: { kind: 'periodic' } });
    const body = {
      number: first.number,
      customerId: first.customerId,
      issuedOn: first.issuedOn,
      dueOn: first.dueOn,
      amount: first.amount,
      currency: 'EUR',
    };
    expect(await h.call(c.operator, 'POST', '/v1/invoices', body)).toMatchObject({ status: 409 });
    expect(await h.call(c.operator, 'POST', '/v1/invoices', { ...body, terms: { kind: 'periodic' } })).toMatchObject({
      status: 200,
    });
    expect(await h.call(c.operator, 'POST', '/v1/invoices', { ...body, terms: { kind: 'whenever' } })).toMatchObject({
      status: 422,
    });
  });
});
