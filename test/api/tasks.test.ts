import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../db/ids.ts';
import { openTask, type NewTask } from '../../db/repositories/tasks.ts';
import { newInvoice, NOW, startApi, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;

beforeAll(async () => {
  h = await startApi();
  c = await h.creditor();
});
afterAll(() => h.stop());

async function given(kind: string, more: Partial<NewTask> = {}) {
  const invoice = await newInvoice(h, c.operator);
  const { taskId } = await h.db.transaction().execute((tx) =>
    openTask(
      tx,
      { actor: 'system', at: NOW },
      {
        creditorId: c.id,
        kind,
        key: `${kind}:${newId('tsk')}`,
        invoiceId: invoice.id,
        customerId: invoice.customerId,
        subject: `A ${kind}`,
        dueAt: NOW,
        ...more,
      },
    ),
  );
  return { invoice, taskId };
}

const complete = (taskId: string, body: unknown, key = c.operator) =>
  h.call(key, 'POST', `/v1/tasks/${taskId}/completion`, body);
const invoiceNow = async (id: string) => (await h.call(c.operator, 'GET', `/v1/invoices/${id}`)).body;
const wakes = (id: string) =>
  h.db.selectFrom('outbox').select('payload').where('coalesce_key', '=', `wake:${id}`).execute();

describe('a call', () => {
  test('reached with a promise holds the case as the route would', async () => {
    const { invoice, taskId } = await given('call', { step: 'call' });
    const done = await complete(taskId, {
      outcome: 'reached',
      promise: { payOn: '2026-11-25', by: 'CFO' },
      note: 'Nice',
    });
    expect(done.status).toBe(200);
    expect(done.body).toMatchObject({ status: 'done', outcome: { outcome: 'reached', note: 'Nice' } });
    expect((await invoiceNow(invoice.id)).holds).toMatchObject([{ kind: 'promise', until: '2026-11-27' }]);
    expect(await wakes(invoice.id)).toHaveLength(1);
    const timeline = await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}/timeline`);
    expect(timeline.body.data.map((e: { kind: string }) => e.kind)).toEqual([
      'invoiceRegistered',
      'promised',
      'taskClosed',
    ]);
  });

  test('reached with a dispute opens it', async () => {
    const { invoice, taskId } = await given('call');
    await complete(taskId, { outcome: 'reached', dispute: { category: 'quality', amount: '10.00' } });
    expect((await invoiceNow(invoice.id)).disputed).toBe('10.00');
  });

  test('whose promise is refused stays open: nothing is half done', async () => {
    const { invoice, taskId } = await given('call');
    const past = await complete(taskId, { outcome: 'reached', promise: { payOn: '2020-01-01' } });
    expect([past.status, past.body.code]).toEqual([422, 'promiseInPast']);
    expect(past.body.errors[0].pointer).toBe('/promise/payOn');
    expect((await h.call(c.operator, 'GET', `/v1/tasks/${taskId}`)).body.status).toBe('open');
    expect((await invoiceNow(invoice.id)).holds).toEqual([]);
    const odd = await complete(taskId, { outcome: 'noAnswer', promise: { payOn: '2026-11-25' } });
    expect([odd.status, odd.body.errors[0].pointer]).toEqual([422, '/promise']);
    const unknown = await complete(taskId, { outcome: 'reached', mood: 'good' });
    expect(unknown.body.errors).toMatchObject([{ pointer: '/mood', code: 'unknownField' }]);
  });

  test('not answered is tried again two working days later, three times in all', async () => {
    const { invoice, taskId } = await given('call', { key: 'call:retry' });
    let id = taskId;
    const dueDays: string[] = [];
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      expect((await complete(id, { outcome: 'noAnswer' })).status).toBe(200);
      const open = await h.call(c.operator, 'GET', `/v1/tasks?invoiceId=${invoice.id}&kind=call&status=open`);
      if (open.body.data.length === 0) break;
      id = open.body.data[0].id;
      dueDays.push(open.body.data[0].dueAt.slice(0, 10));
    }
    // Friday the 20th and two working days of France: Tuesday the 24th.
    expect(dueDays).toEqual(['2026-11-24', '2026-11-24']);
  });

  test('to a wrong number asks for the right one', async () => {
    const { invoice, taskId } = await given('call');
    await complete(taskId, { outcome: 'wrongNumber' });
    const asked = await h.call(c.operator, 'GET', `/v1/tasks?kind=missingContact&customerId=${invoice.customerId}`);
    expect(asked.body.data).toMatchObject([{ status: 'open', data: { channel: 'call' } }]);
  });
});

test('a letter was sent on a day that has come', async () => {
  const { taskId } = await given('letter');
  expect((await complete(taskId, { sentOn: '2026-11-21' })).body.code).toBe('futureDate');
  expect((await complete(taskId, { note: 'x' })).body.errors).toMatchObject([{ pointer: '/sentOn', code: 'required' }]);
  const done = await complete(taskId, { sentOn: '2026-11-20', trackingNumber: 'RK1' });
  expect(done.body.outcome).toEqual({ sentOn: '2026-11-20', trackingNumber: 'RK1' });
});

test('a direct debit failed, or is still pending', async () => {
  const failed = await given('collectionMissing');
  await complete(failed.taskId, { outcome: 'failed' });
  const pending = await given('collectionMissing');
  await complete(pending.taskId, { outcome: 'pending', note: 'The bank says tomorrow' });
  const rows = await h.db
    .selectFrom('invoices')
    .select(['id', 'collection_failed_on', 'collection_asked_on'])
    .where('id', 'in', [failed.invoice.id, pending.invoice.id])
    .orderBy('id')
    .execute();
  expect(rows.map((row) => [row.collection_failed_on, row.collection_asked_on])).toEqual([
    ['2026-11-20', null],
    [null, '2026-11-20'],
  ]);
});

describe('a send nobody knows the outcome of', () => {
  async function unknown() {
    const { invoice, taskId } = await given('other');
    const contactId = newId('con');
    await h.db
      .insertInto('contacts')
      .values({
        id: contactId,
        creditor_id: c.id,
        customer_id: invoice.customerId,
        kind: 'reminder',
        channel: 'email',
        status: 'unknown',
        sender: 'Atelier <a@atelier.example>',
        reference: `R-${contactId.slice(-8)}`,
        recipients: ['a@example.com'],
        recipient_key: 'k',
        day: '2026-11-20',
        planned_at: new Date(NOW),
        queued_at: new Date(NOW),
        template: 'reminder',
        tone: 'neutral',
        locale: 'fr',
      })
      .execute();
    await h.db
      .updateTable('tasks')
      .set({ kind: 'unknownSend', contact_id: contactId })
      .where('id', '=', taskId)
      .execute();
    return { taskId, contactId };
  }

  test.each([
    ['sent', 'sent'],
    ['notSent', 'failed'],
  ])('%s', async (outcome, status) => {
    const { taskId, contactId } = await unknown();
    expect((await complete(taskId, { outcome: 'perhaps' })).status).toBe(422);
    expect((await complete(taskId, { outcome })).status).toBe(200);
    expect((await h.call(c.operator, 'GET', `/v1/contacts/${contactId}`)).body.status).toBe(status);
  });
});

test('an approval goes to the running case as a command', async () => {
  const { invoice, taskId } = await given('approve', { role: 'approver', step: 'reminder-1' });
  const handed: { name: string; commandId: string }[] = [];
  h.commands.execute = async (command) => {
    handed.push(command);
    return { accepted: true, code: null };
  };
  expect((await complete(taskId, { decision: 'maybe' }, c.approver)).status).toBe(422);
  const done = await complete(taskId, { decision: 'refused', note: 'Not them' }, c.approver);
  expect(done.status).toBe(200);
  expect(handed).toMatchObject([{ invoiceId: invoice.id, name: 'approve' }]);
  const row = await h.db
    .selectFrom('commands')
    .selectAll()
    .where('id', '=', handed[0]!.commandId)
    .executeTakeFirstOrThrow();
  expect(row).toMatchObject({ args: { taskId, decision: 'refused' }, reason: 'Not them' });
  h.commands.execute = async () => ({ accepted: false, code: 'nothingToApprove' });
  const late = await complete(taskId, { decision: 'approved' }, c.approver);
  expect([late.status, late.body.code]).toEqual([409, 'nothingToApprove']);
});

test('tasks are filtered and paged', async () => {
  const mine = await h.call(c.operator, 'GET', '/v1/tasks?limit=1&status=done');
  expect(mine.body.data).toHaveLength(1);
  const next = await h.call(c.operator, 'GET', `/v1/tasks?limit=1&status=done&cursor=${mine.body.nextCursor}`);
  expect(next.body.data[0].id).not.toBe(mine.body.data[0].id);
});
