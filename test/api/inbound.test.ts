import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newInvoice, startApi, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;

beforeAll(async () => {
  h = await startApi();
  c = await h.creditor();
});
afterAll(() => h.stop());

const get = async (url: string) => (await h.call(c.operator, 'GET', url)).body;
const reply = (customerId: string, body: object = {}) =>
  h.call(c.operator, 'POST', `/v1/customers/${customerId}/inbound`, {
    channel: 'email',
    receivedAt: '2026-11-20T08:12:00Z',
    text: 'SECRET: my husband is ill, we pay next week.',
    ...body,
  });
const read = (taskId: string, body: object = {}) => h.call(c.operator, 'POST', `/v1/tasks/${taskId}/completion`, body);
const holdsOf = async (invoiceId: string) => (await get(`/v1/invoices/${invoiceId}`)).holds;
const kinds = async (invoiceId: string): Promise<string[]> =>
  (await get(`/v1/invoices/${invoiceId}/timeline`)).data.map((e: { kind: string }) => e.kind);

async function owing() {
  const first = await newInvoice(h, c.operator);
  const { customerId } = first;
  const second = await newInvoice(h, c.operator, { customer: undefined, customerId });
  return { customerId, first: first.id as string, second: second.id as string };
}

describe('a reply', () => {
  test('holds the customer for three working days at most; its task shows it', async () => {
    const { customerId, first, second } = await owing();
    const made = await reply(customerId);
    expect(made.status).toBe(201);
    // Friday the 20th: Monday, Tuesday, Wednesday.
    expect(made.body).toMatchObject({ until: '2026-11-25', channel: 'email', invoiceIds: [], readAt: null });
    for (const id of [first, second]) {
      expect(await holdsOf(id)).toMatchObject([{ kind: 'customer', until: '2026-11-25' }]);
      expect(await kinds(id)).toEqual(['invoiceRegistered', 'replied', 'held']);
    }
    expect(await get(`/v1/tasks/${made.body.taskId}`)).toMatchObject({
      kind: 'readReply',
      status: 'open',
      customerId,
      body: 'SECRET: my husband is ill, we pay next week.',
    });
    expect((await get(`/v1/customers/${customerId}/inbound`)).data).toEqual([made.body]);
  });

  test('is on the timelines of the invoices it names, and holds all of them', async () => {
    const { customerId, first, second } = await owing();
    await reply(customerId, { invoiceIds: [second] });
    expect(await kinds(first)).toEqual(['invoiceRegistered', 'held']);
    expect(await kinds(second)).toEqual(['invoiceRegistered', 'replied', 'held']);
    expect(await holdsOf(first)).toHaveLength(1);
  });

  test('once read lets the customer go; another one still holds', async () => {
    const { customerId, first } = await owing();
    const one = await reply(customerId);
    const two = await reply(customerId, { channel: 'letter' });
    expect((await read(one.body.taskId, { note: 'Thanks' })).status).toBe(200);
    expect(await holdsOf(first)).toMatchObject([{ id: two.body.holdId }]);
    await read(two.body.taskId);
    expect(await holdsOf(first)).toEqual([]);
    const [latest] = (await get(`/v1/customers/${customerId}/inbound`)).data;
    expect(latest).toMatchObject({ id: two.body.id, readAt: expect.any(String) });
    const again = await read(two.body.taskId);
    expect([again.status, again.body.code]).toEqual([409, 'taskClosed']);
  });

  test('read as a promise or a dispute holds as that would', async () => {
    const { customerId, first, second } = await owing();
    const named = await reply(customerId, { invoiceIds: [first] });
    await read(named.body.taskId, { promise: { payOn: '2026-11-25' } });
    expect(await holdsOf(first)).toMatchObject([{ kind: 'promise' }]);
    expect(await holdsOf(second)).toEqual([]);

    const open = await reply(customerId);
    const vague = await read(open.body.taskId, { dispute: { category: 'quality', amount: '10.00' } });
    expect([vague.status, vague.body.errors[0].pointer]).toEqual([422, '/invoiceId']);
    expect((await get(`/v1/tasks/${open.body.taskId}`)).status).toBe('open');
    const stranger = await owing();
    const foreign = await read(open.body.taskId, { invoiceId: stranger.first, dispute: { category: 'quality' } });
    expect(foreign.status).toBe(404);
    await read(open.body.taskId, { invoiceId: second, dispute: { category: 'quality', amount: '10.00' } });
    expect((await get(`/v1/invoices/${second}`)).disputed).toBe('10.00');
    const refused = await reply(customerId, { invoiceIds: [first] });
    const past = await read(refused.body.taskId, { promise: { payOn: '2020-01-01' } });
    expect([past.status, past.body.code, past.body.errors[0].pointer]).toEqual([
      422,
      'promiseInPast',
      '/promise/payOn',
    ]);
    expect((await get(`/v1/tasks/${refused.body.taskId}`)).status).toBe('open');
  });

  test('holds for as long as the creditor says, or not at all', async () => {
    const { customerId, first } = await owing();
    const set = (days: unknown) => h.call(c.approver, 'PATCH', '/v1/creditor', { replyHoldWorkingDays: days });
    expect((await set(61)).status).toBe(422);
    expect((await set(0)).body.replyHoldWorkingDays).toBe(0);
    const free = await reply(customerId);
    expect(free.body).toMatchObject({ holdId: null, until: null, taskId: expect.any(String) });
    expect(await holdsOf(first)).toEqual([]);
    expect((await read(free.body.taskId)).status).toBe(200);
    await set(1);
    expect((await reply(customerId)).body.until).toBe('2026-11-23');
    await set(3);
  });

  test('is refused when it comes from the future, without offset, or names a stranger’s invoice', async () => {
    const { customerId, first } = await owing();
    const stranger = await owing();
    for (const [body, status, code] of [
      [{ receivedAt: '2026-11-20T09:00:00.001Z' }, 422, 'futureDate'],
      [{ receivedAt: '2026-11-20T09:00:00' }, 422, 'instantInvalid'],
      [{ invoiceIds: [first, stranger.first] }, 422, 'customerMismatch'],
      [{ text: '' }, 422, 'validationFailed'],
      [{ channel: 'pigeon' }, 422, 'validationFailed'],
    ] as const) {
      const made = await reply(customerId, body);
      expect([made.status, made.body.code]).toEqual([status, code]);
    }
    expect(await holdsOf(first)).toEqual([]);
    expect((await get(`/v1/customers/${customerId}/inbound`)).data).toEqual([]);
  });

  test('stays out of events, outbox and logs', async () => {
    const { customerId, first } = await owing();
    await reply(customerId);
    const events = await h.db.selectFrom('events').select('data').where('invoice_id', '=', first).execute();
    const outbox = await h.db.selectFrom('outbox').select('payload').execute();
    const texts = await h.db.selectFrom('event_texts').select('text').execute();
    expect(JSON.stringify([events, outbox, texts])).not.toContain('SECRET');
    expect(h.logs()).not.toContain('SECRET');
  });

  test('pages newest first', async () => {
    const { customerId } = await owing();
    for (const text of ['one', 'two', 'three']) await reply(customerId, { text });
    const page = await get(`/v1/customers/${customerId}/inbound?limit=2`);
    expect(page.data.map((m: { text: string }) => m.text)).toEqual(['three', 'two']);
    const rest = await get(`/v1/customers/${customerId}/inbound?limit=2&cursor=${page.nextCursor}`);
    expect(rest.data.map((m: { text: string }) => m.text)).toEqual(['one']);
  });
});
