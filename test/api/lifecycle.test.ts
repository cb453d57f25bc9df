import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LIFECYCLE_CODES } from '../../domain/law/lifecycle.ts';
import { newInvoice, startApi, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;

beforeAll(async () => {
  h = await startApi();
  c = await h.creditor();
});
afterAll(() => h.stop());

const AT = '2026-11-19T08:00:00.000Z';
const get = async (url: string) => (await h.call(c.operator, 'GET', url)).body;
const report = (id: string, status: string, more: object = {}) =>
  h.call(c.operator, 'POST', `/v1/invoices/${id}/lifecycle`, { status, at: AT, ...more });
const holdsOf = async (id: string) => (await get(`/v1/invoices/${id}`)).holds;
const tasksOf = async (id: string) => (await get(`/v1/tasks?invoiceId=${id}&status=open`)).data;
const complete = (taskId: string, key = c.operator) =>
  h.call(key, 'POST', `/v1/tasks/${taskId}/completion`, { note: 'done' });

describe('a status of the e-invoice (law.md §11, XP Z12-012)', () => {
  test.each(['200', '201', '202', '203'])('%s is kept as proof and holds nothing', async (status) => {
    const { id } = await newInvoice(h, c.operator);
    expect(await report(id, status)).toMatchObject({ status: 201, body: { effect: 'proof', at: AT } });
    expect(await holdsOf(id)).toEqual([]);
    expect((await get(`/v1/invoices/${id}/timeline`)).data.at(-1)).toMatchObject({
      kind: 'lifecycleReported',
      data: { status, statusAt: AT },
    });
  });

  test.each([
    ['204', 'none'],
    ['214', 'none'],
    ['212', 'collected'],
  ])('%s is kept and changes nothing', async (status, effect) => {
    const { id } = await newInvoice(h, c.operator);
    expect(await report(id, status, { amount: '1200.00' })).toMatchObject({ status: 201, body: { effect } });
    expect(await get(`/v1/invoices/${id}`)).toMatchObject({ holds: [], balance: '1200.00' });
    expect(await tasksOf(id)).toEqual([]);
  });

  test('207 stops the case and opens a dispute, of all or of what it names', async () => {
    const whole = await newInvoice(h, c.operator);
    expect(await report(whole.id, '207', { reason: 'Not ours' })).toMatchObject({
      body: { effect: 'dispute', disputeId: expect.stringMatching(/^dis_/) },
    });
    expect(await get(`/v1/invoices/${whole.id}`)).toMatchObject({ disputed: '1200.00', holds: [{ kind: 'dispute' }] });
    const part = await newInvoice(h, c.operator);
    await report(part.id, '207', { amount: '200.00' });
    expect(await get(`/v1/invoices/${part.id}`)).toMatchObject({ disputed: '200.00' });
    // More than is owed is all there is; what is contested already is not contested twice.
    const much = await newInvoice(h, c.operator);
    await report(much.id, '207', { amount: '5000.00' });
    expect(await get(`/v1/invoices/${much.id}`)).toMatchObject({ disputed: '1200.00' });
    expect(await report(whole.id, '207', { at: '2026-11-19T09:00:00Z' })).toMatchObject({ body: { effect: 'kept' } });
  });

  test('206 duns what was approved and disputes the rest', async () => {
    const { id } = await newInvoice(h, c.operator);
    expect(await report(id, '206')).toMatchObject({ status: 422, body: { code: 'required' } });
    await h.call(c.operator, 'POST', `/v1/invoices/${id}/payments`, {
      amount: '100.00',
      currency: 'EUR',
      receivedOn: '2026-11-18',
    });
    expect(await report(id, '206', { amount: '900.00' })).toMatchObject({ body: { effect: 'disputeRest' } });
    expect(await get(`/v1/invoices/${id}`)).toMatchObject({ balance: '1100.00', disputed: '300.00' });
  });

  test('208 holds and asks for a document; 209 goes on and closes the task', async () => {
    const { id } = await newInvoice(h, c.operator);
    const suspended = (await report(id, '208', { reason: 'Order number?' })).body;
    expect(await holdsOf(id)).toMatchObject([{ id: suspended.holdId, kind: 'pause', until: null }]);
    expect(await tasksOf(id)).toMatchObject([{ id: suspended.taskId, kind: 'supplyDocument' }]);
    expect(await report(id, '209', { at: '2026-11-19T10:00:00Z' })).toMatchObject({ body: { effect: 'resume' } });
    expect(await holdsOf(id)).toEqual([]);
    expect(await tasksOf(id)).toEqual([]);
    // A 208 that comes late was overtaken.
    expect(await report(id, '208', { at: '2026-11-19T09:30:00Z' })).toMatchObject({ body: { effect: 'kept' } });
    expect(await holdsOf(id)).toEqual([]);
  });

  test('205 goes on from a suspension too, and lifts nothing else', async () => {
    const { id } = await newInvoice(h, c.operator);
    await report(id, '208');
    await report(id, '225');
    await report(id, '205', { at: '2026-11-19T10:00:00Z' });
    expect(await tasksOf(id)).toMatchObject([{ kind: 'checkPayee' }]);
    expect(await holdsOf(id)).toHaveLength(1);
  });

  test.each(['210', '213', '220', '221', '501'])(
    '%s stops until a person has credited, reissued or released it',
    async (status) => {
      const { id } = await newInvoice(h, c.operator);
      const { body } = await report(id, status);
      expect(body.effect).toBe('stop');
      expect(await holdsOf(id)).toMatchObject([{ kind: 'pause', until: null }]);
      const [task] = await tasksOf(id);
      expect(task.kind).toBe('reissueInvoice');
      expect((await complete(task.id)).status).toBe(200);
      expect(await holdsOf(id)).toEqual([]);
    },
  );

  test('211 rests the case for the days of the creditor, from the day of the status', async () => {
    const own = await h.creditor();
    const { id } = await newInvoice(h, own.operator);
    await h.call(own.approver, 'PATCH', '/v1/creditor', { paymentSentDays: 4 });
    const say = (at: string) => h.call(own.operator, 'POST', `/v1/invoices/${id}/lifecycle`, { status: '211', at });
    expect(await say(AT)).toMatchObject({ body: { effect: 'paymentSent' } });
    const { holds } = (await h.call(own.operator, 'GET', `/v1/invoices/${id}`)).body;
    expect(holds).toMatchObject([{ kind: 'pause', until: '2026-11-23' }]);
    // One that is older than its days rests nothing.
    expect(await say('2026-11-10T08:00:00Z')).toMatchObject({ body: { effect: 'kept' } });
  });

  test.each(['225', '226', '227', '228'])(
    '%s holds until an approver has looked at creditor and account',
    async (status) => {
      const { id } = await newInvoice(h, c.operator);
      await report(id, status);
      const [task] = await tasksOf(id);
      expect(task).toMatchObject({ kind: 'checkPayee', role: 'approver' });
      expect((await complete(task.id)).status).toBe(403);
      expect((await complete(task.id, c.approver)).status).toBe(200);
      expect(await holdsOf(id)).toEqual([]);
    },
  );

  test('224 holds for a look', async () => {
    const { id } = await newInvoice(h, c.operator);
    await report(id, '224');
    expect(await tasksOf(id)).toMatchObject([{ kind: 'reviewLifecycle' }]);
    expect(await holdsOf(id)).toHaveLength(1);
  });

  test('a closed case keeps what is reported and is not held', async () => {
    const { id } = await newInvoice(h, c.operator);
    await h.db.updateTable('invoices').set({ stage: 'settled' }).where('id', '=', id).execute();
    expect(await report(id, '210')).toMatchObject({ status: 201, body: { effect: 'kept', taskId: null } });
    expect(await report(id, '203')).toMatchObject({ body: { effect: 'proof' } });
  });
});

describe('reported again', () => {
  test.each(LIFECYCLE_CODES)('%s of the same moment is one, whatever it does', async (status) => {
    const { id } = await newInvoice(h, c.operator);
    const body = { amount: '1000.00' };
    const first = await report(id, status, body);
    const state = async () => [await get(`/v1/invoices/${id}`), (await tasksOf(id)).length];
    const before = await state();
    expect(first.status).toBe(201);
    expect(await report(id, status, body)).toMatchObject({ status: 200, body: { id: first.body.id } });
    expect(await state()).toEqual(before);
    expect((await get(`/v1/invoices/${id}/lifecycle`)).data).toHaveLength(1);
    expect(await report(id, status, { amount: '999.00' })).toMatchObject({
      status: 409,
      body: { code: 'lifecycleExists' },
    });
  });

  test('each wakes the case once more', async () => {
    const { id } = await newInvoice(h, c.operator);
    const wakes = async () =>
      (await h.db.selectFrom('outbox').select('payload').where('target', '=', id).execute()).filter(
        ({ payload }) => payload['signal'] === 'wake',
      ).length;
    const before = await wakes();
    await report(id, '208');
    expect(await wakes()).toBe(before + 1);
  });
});

describe('bad input', () => {
  test.each([
    ['299', {}, 'lifecycleUnknown', '/status'],
    ['20', {}, 'lifecycleUnknown', '/status'],
    ['toString', {}, 'lifecycleUnknown', '/status'],
    ['210', { at: '2026-11-21T08:00:00Z' }, 'futureDate', '/at'],
    ['210', { at: 'yesterday' }, 'instantInvalid', '/at'],
    ['206', {}, 'required', '/amount'],
    ['207', { amount: '0' }, 'amountInvalid', '/amount'],
  ])('%s %o', async (status, more, code, pointer) => {
    const { id } = await newInvoice(h, c.operator);
    const reply = await report(id, status, more);
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer, code }] } });
    expect((await get(`/v1/invoices/${id}/lifecycle`)).data).toEqual([]);
    expect((await get(`/v1/invoices/${id}/timeline`)).data).toHaveLength(1);
  });
});
