import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../db/ids.ts';
import { endPlan } from '../../db/repositories/plans.ts';
import { openTask } from '../../db/repositories/tasks.ts';
import { inTransaction } from '../../db/database.ts';
import { reopenCase } from '../../db/repositories/runs.ts';
import { invoiceBody, newInvoice, NOW, startApi, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;

beforeAll(async () => {
  h = await startApi();
  c = await h.creditor();
});
afterAll(() => h.stop());

const act = { actor: 'system', at: NOW };
const get = async (url: string) => (await h.call(c.operator, 'GET', url)).body;
const declare = (customerId: string, body: object = {}) =>
  h.call(c.operator, 'POST', `/v1/customers/${customerId}/insolvency`, {
    kind: 'receivership',
    judgmentOn: '2026-11-17',
    ...body,
  });
const close = (customerId: string, body: object) =>
  h.call(c.operator, 'POST', `/v1/customers/${customerId}/insolvency/closing`, body);
const kinds = async (invoiceId: string): Promise<string[]> =>
  (await get(`/v1/invoices/${invoiceId}/timeline`)).data.map((e: { kind: string }) => e.kind);
const signalsOf = async (invoiceId: string): Promise<unknown[]> =>
  (await h.db.selectFrom('outbox').select('payload').where('target', '=', invoiceId).orderBy('id').execute()).map(
    (row) => row.payload['signal'],
  );

/** A customer with one invoice of before the judgment and one of after it. */
async function owing() {
  const old = await newInvoice(h, c.operator);
  const { customerId } = old;
  const recent = await newInvoice(h, c.operator, { customer: undefined, customerId, issuedOn: '2026-11-18' });
  return { customerId, old: old.id as string, recent: recent.id as string };
}

async function queuedContact(customerId: string, invoiceIds: string[], status: 'queued' | 'sending' = 'queued') {
  const id = newId('con');
  await h.db
    .insertInto('contacts')
    .values({
      id,
      creditor_id: c.id,
      customer_id: customerId,
      kind: 'reminder',
      channel: 'email',
      status,
      sender: 'Atelier <a@atelier.example>',
      reference: `R-${id.slice(-8)}`,
      recipients: ['a@example.com'],
      recipient_key: id,
      day: '2026-11-20',
      planned_at: new Date(NOW),
      queued_at: new Date(NOW),
      template: 'reminder',
      tone: 'neutral',
      locale: 'fr',
    })
    .execute();
  for (const invoice_id of invoiceIds) {
    await h.db
      .insertInto('contact_items')
      .values({
        contact_id: id,
        invoice_id,
        step: `step-${id.slice(-6)}`,
        occurrence: 1,
        amount_minor: 120_000n,
        currency: 'EUR',
        asks: true,
      })
      .execute();
  }
  return id;
}

describe('insolvency proceedings', () => {
  test('hold what was issued by the judgment, and leave later invoices in their own lane', async () => {
    const { customerId, old, recent } = await owing();
    const reply = await declare(customerId, { publishedOn: '2026-11-19', trustee: 'Maître Lefèvre\nLyon' });
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({
      status: 'open',
      kind: 'receivership',
      judgmentOn: '2026-11-17',
      publishedOn: '2026-11-19',
      declareBy: '2027-01-19',
      invoiceIds: [old],
      documentId: null,
      outcome: null,
    });
    expect((await get(`/v1/invoices/${old}`)).holds).toMatchObject([{ kind: 'insolvency', until: null }]);
    expect((await get(`/v1/invoices/${old}/calendar`)).data).toEqual([]);
    expect((await get(`/v1/invoices/${recent}`)).holds).toEqual([]);
    expect((await get(`/v1/invoices/${recent}/calendar`)).data.length).toBeGreaterThan(0);
    expect(await kinds(old)).toEqual(['invoiceRegistered', 'insolvencyDeclared']);
    expect(await kinds(recent)).toEqual(['invoiceRegistered']);
    expect(await signalsOf(old)).toContain('insolvencyDeclared');
    expect(await signalsOf(recent)).not.toContain('insolvencyDeclared');
    expect((await get(`/v1/customers/${customerId}`)).insolvency).toMatchObject({ status: 'open', outcome: null });
    expect(await get(`/v1/customers/${customerId}/insolvency`)).toEqual(reply.body);

    const task = await get(`/v1/tasks/${reply.body.taskId}`);
    expect(task).toMatchObject({ kind: 'declareClaim', role: 'operator', status: 'open', customerId });
    expect(task.dueAt).toBe('2027-01-19T23:00:00.000Z');
    expect(task.data).toMatchObject({ planBy: '2027-01-18', interestUntil: '2026-11-16', provisional: null });
  });

  test('withdraw what waits to be sent, but not what is being sent; cancel calls, promises and plans', async () => {
    const { customerId, old, recent } = await owing();
    const waiting = await queuedContact(customerId, [old, recent]);
    const later = await queuedContact(customerId, [recent]);
    const going = await queuedContact(customerId, [old], 'sending');
    await h.call(c.operator, 'POST', `/v1/invoices/${old}/promises`, { payOn: '2026-11-25' });
    await h.call(c.operator, 'POST', `/v1/invoices/${recent}/promises`, { payOn: '2026-11-25' });
    const planId = newId('pla');
    const call = await inTransaction(h.db, async (tx) => {
      await tx
        .insertInto('plans')
        .values({
          id: planId,
          creditor_id: c.id,
          customer_id: customerId,
          currency: 'EUR',
          total_minor: 120_000n,
          grace_days: 5,
          agreed_on: '2026-11-20',
          actor: 'system',
          at: new Date(NOW),
        })
        .execute();
      await tx
        .insertInto('plan_invoices')
        .values({ plan_id: planId, invoice_id: old, amount_minor: 120_000n })
        .execute();
      return await openTask(tx, act, {
        creditorId: c.id,
        kind: 'call',
        key: `call:${old}`,
        invoiceId: old,
        customerId,
        subject: 'Call',
        dueAt: NOW,
      });
    });
    expect((await declare(customerId)).status).toBe(201);
    const statusOf = async (id: string) => (await get(`/v1/contacts/${id}`)).status;
    expect([await statusOf(waiting), await statusOf(later), await statusOf(going)]).toEqual([
      'withdrawn',
      'queued',
      'sending',
    ]);
    expect((await get(`/v1/tasks/${call.taskId}`)).status).toBe('cancelled');
    expect((await get(`/v1/invoices/${old}`)).holds).toMatchObject([{ kind: 'insolvency' }]);
    expect((await get(`/v1/invoices/${recent}`)).holds).toMatchObject([{ kind: 'promise' }]);
    expect(await kinds(old)).toEqual([
      'invoiceRegistered',
      'promised',
      'insolvencyDeclared',
      'contactWithdrawn',
      'promiseWithdrawn',
      'planCancelled',
    ]);
    expect(await inTransaction(h.db, (tx) => endPlan(tx, act, planId, 'kept', '2026-11-20'))).toBe(false);
  });

  test('take back an agency', async () => {
    const { customerId, old } = await owing();
    const agency = newId('agy');
    await h.db
      .insertInto('agencies')
      .values({ id: agency, creditor_id: c.id, name: 'Agency', deliver_by: 'download', created_at: new Date(NOW) })
      .execute();
    const placement = newId('plc');
    await h.db
      .insertInto('placements')
      .values({
        id: placement,
        creditor_id: c.id,
        customer_id: customerId,
        invoice_id: old,
        agency_id: agency,
        run: 1,
        amount_minor: 120_000n,
        currency: 'EUR',
        placed_on: '2026-11-19',
        actor: 'system',
        at: new Date(NOW),
      })
      .execute();
    await declare(customerId);
    const told = await h.db.selectFrom('agency_messages').selectAll().where('placement_id', '=', placement).execute();
    expect(told).toMatchObject([{ kind: 'recall', data: { reason: 'insolvency' } }]);
    expect(await kinds(old)).toContain('recalled');
  });

  test('hold from the start what is registered afterwards and was issued before', async () => {
    const { customerId } = await owing();
    await declare(customerId);
    const before = await newInvoice(h, c.operator, { customer: undefined, customerId, issuedOn: '2026-11-17' });
    expect(before.holds).toMatchObject([{ kind: 'insolvency' }]);
    const after = await newInvoice(h, c.operator, { customer: undefined, customerId, issuedOn: '2026-11-18' });
    expect(after.holds).toEqual([]);
    expect((await get(`/v1/customers/${customerId}/insolvency`)).invoiceIds).toContain(before.id);
    expect(await kinds(before.id)).toEqual(['invoiceRegistered', 'held']);
  });

  test('hold what is reopened while they run', async () => {
    const { customerId, old } = await owing();
    await declare(customerId);
    await h.db.updateTable('invoices').set({ stage: 'settled' }).where('id', '=', old).execute();
    await h.db
      .updateTable('holds')
      .set({ lifted_on: '2026-11-20', lifted_at: new Date(NOW) })
      .where('invoice_id', '=', old)
      .execute();
    expect(await inTransaction(h.db, (tx) => reopenCase(tx, act, old))).toBe(true);
    expect((await get(`/v1/invoices/${old}`)).holds).toMatchObject([{ kind: 'insolvency' }]);
  });

  test('refuse what cannot be, and change nothing then', async () => {
    const { customerId, old } = await owing();
    for (const [body, code, pointer] of [
      [{ judgmentOn: '2026-11-21' }, 'futureDate', '/judgmentOn'],
      [{ publishedOn: '2026-11-21' }, 'futureDate', '/publishedOn'],
      [{ publishedOn: '2026-11-16' }, 'beforeJudgment', '/publishedOn'],
      [{ kind: 'bankrupt' }, 'validationFailed', '/kind'],
    ] as const) {
      const reply = await declare(customerId, body);
      expect([reply.status, reply.body.code, reply.body.errors[0].pointer]).toEqual([422, code, pointer]);
    }
    expect((await get(`/v1/invoices/${old}`)).holds).toEqual([]);
    expect((await h.call(c.operator, 'GET', `/v1/customers/${customerId}/insolvency`)).status).toBe(404);
    const early = await close(customerId, { outcome: 'paid' });
    expect([early.status, early.body.code]).toEqual([409, 'noInsolvency']);
    const noticed = await h.call(c.operator, 'PATCH', `/v1/customers/${customerId}/insolvency`, {
      publishedOn: '2026-11-19',
    });
    expect([noticed.status, noticed.body.code]).toEqual([409, 'noInsolvency']);

    expect((await declare(customerId)).status).toBe(201);
    const again = await declare(customerId);
    expect([again.status, again.body.code]).toEqual([409, 'insolvencyExists']);
    for (const [on, code] of [
      ['2026-11-21', 'futureDate'],
      ['2026-11-16', 'beforeJudgment'],
    ]) {
      const reply = await close(customerId, { outcome: 'paid', on });
      expect([reply.status, reply.body.code]).toEqual([422, code]);
    }
  });

  test('reckon from the judgment until the notice is entered, which moves the task', async () => {
    const { customerId } = await owing();
    const { body } = await declare(customerId);
    expect(body.declareBy).toBe('2027-01-18');
    expect((await get(`/v1/tasks/${body.taskId}`)).data.provisional).toBe('publicationUnknown');
    const moved = await h.call(c.operator, 'PATCH', `/v1/customers/${customerId}/insolvency`, {
      publishedOn: '2026-11-20',
      trustee: 'Maître Lefèvre',
    });
    expect(moved.body).toMatchObject({ publishedOn: '2026-11-20', declareBy: '2027-01-20', trustee: 'Maître Lefèvre' });
    expect(await get(`/v1/tasks/${body.taskId}`)).toMatchObject({
      dueAt: '2027-01-20T23:00:00.000Z',
      data: { provisional: null, declareBy: '2027-01-20', publishedOn: '2026-11-20' },
    });
  });

  test('name no last day where none is known: a person looks it up within two working days', async () => {
    const german = { reference: newId('cus'), name: 'Muster GmbH', kind: 'business', country: 'DE' };
    const { customerId } = await newInvoice(h, c.operator, { customer: german });
    const { body } = await declare(customerId, { kind: 'other' });
    expect(body.declareBy).toBeNull();
    const task = await get(`/v1/tasks/${body.taskId}`);
    expect(task.dueAt).toBe('2026-11-24T23:00:00.000Z');
    expect(task.data).toMatchObject({ declareBy: null, planBy: null });
  });

  test.each(['withdrawn', 'paid'])('%s: the holds are lifted, the task is dropped', async (outcome) => {
    const { customerId, old } = await owing();
    const { body } = await declare(customerId);
    const ended = await close(customerId, { outcome, on: '2026-11-19', note: 'Called off' });
    expect(ended.body).toMatchObject({ status: 'closed', outcome, closedOn: '2026-11-19', invoiceIds: [old] });
    expect((await get(`/v1/invoices/${old}`)).holds).toEqual([]);
    expect(await kinds(old)).toEqual(['invoiceRegistered', 'insolvencyDeclared', 'insolvencyClosed', 'released']);
    expect((await get(`/v1/tasks/${body.taskId}`)).status).toBe('cancelled');
    expect((await get(`/v1/customers/${customerId}`)).insolvency).toBeNull();
    // Others may be opened afterwards.
    expect((await declare(customerId)).status).toBe(201);
  });

  test('a plan of the court keeps the holds until a person lifts them', async () => {
    const { customerId, old } = await owing();
    await declare(customerId);
    await close(customerId, { outcome: 'planAdopted' });
    const [hold] = (await get(`/v1/invoices/${old}`)).holds;
    expect(hold).toMatchObject({ kind: 'insolvency' });
    expect((await get(`/v1/customers/${customerId}`)).insolvency).toMatchObject({ outcome: 'planAdopted' });
    const late = await newInvoice(h, c.operator, { customer: undefined, customerId, issuedOn: '2026-11-01' });
    expect(late.holds).toMatchObject([{ kind: 'insolvency' }]);
    expect((await h.call(c.operator, 'DELETE', `/v1/holds/${hold.id}`)).status).toBe(204);
    expect((await get(`/v1/invoices/${old}`)).holds).toEqual([]);
  });

  test('are told in the words of the timeline, with the note of the person', async () => {
    const { customerId, old } = await owing();
    await declare(customerId);
    await close(customerId, { outcome: 'noAssets', note: 'The court wrote' });
    const summaries = (await get(`/v1/invoices/${old}/timeline`)).data.map((e: { summary: string }) => e.summary);
    expect(summaries.slice(1)).toEqual([
      'Insolvency proceedings (receivership) of 2026-11-17: nothing is asked for any more',
      'Insolvency proceedings ended on 2026-11-20: there are no assets — The court wrote',
    ]);
  });

  test('are entered once under one idempotency key', async () => {
    const { customerId } = await owing();
    const send = () =>
      h.call(
        c.operator,
        'POST',
        `/v1/customers/${customerId}/insolvency`,
        { kind: 'safeguard', judgmentOn: '2026-11-17' },
        { 'idempotency-key': customerId },
      );
    const first = await send();
    const second = await send();
    expect([first.status, second.status, second.body]).toEqual([201, 201, first.body]);
  });
});

test('an invoice of a customer without proceedings is registered as ever', async () => {
  const reply = await h.call(c.operator, 'POST', '/v1/invoices', invoiceBody());
  expect([reply.status, reply.body.holds]).toEqual([201, []]);
});
