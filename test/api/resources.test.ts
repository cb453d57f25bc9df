import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { check } from '../../db/repositories/ledger.ts';
import { verifyChain } from '../../db/repositories/events.ts';
import { invoiceBody, newInvoice, NOW, startApi, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;

beforeAll(async () => {
  h = await startApi();
  c = await h.creditor();
});
afterAll(async () => {
  // Whatever the tests did, books and chains hold.
  expect(await check(h.db)).toEqual([]);
  for (const { id } of await h.db.selectFrom('invoices').select('id').execute()) {
    expect(await verifyChain(h.db, id)).toEqual([]);
  }
  await h.stop();
});

describe('creditors', () => {
  test('are made with presets and a first key, shown once', async () => {
    const made = await h.call(h.adminKey, 'POST', '/v1/creditors', {
      name: 'Müller GmbH',
      country: 'DE',
      timeZone: 'Europe/Berlin',
      locale: 'de',
      senderEmail: 'buchhaltung@mueller.example',
      iban: 'DE89 3704 0044 0532 0130 00',
      closedWeeks: [{ from: '2026-12-24', to: '2027-01-03' }],
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      country: 'DE',
      paymentDays: 30,
      iban: 'DE89370400440532013000',
      defaultPolicy: null,
    });
    const { apiKey } = made.body;
    expect(apiKey).toMatch(/^rel_[\w-]{43}$/);

    const own = await h.call(apiKey, 'GET', '/v1/creditor');
    expect(own.body).toEqual(Object.fromEntries(Object.entries(made.body).filter(([name]) => name !== 'apiKey')));
    const policies = await h.call(apiKey, 'GET', '/v1/policies?limit=4');
    expect(policies.body.data.map((p: { name: string; version: number }) => [p.name, p.version])).toEqual([
      ['business', 1],
      ['de-business', 1],
      ['de-consumer', 1],
      ['fr-business', 1],
    ]);
    const rest = await h.call(apiKey, 'GET', `/v1/policies?cursor=${policies.body.nextCursor}`);
    expect(rest.body.data.map((p: { name: string }) => p.name)).toEqual(['fr-consumer', 'fr-public-body']);

    const patched = await h.call(apiKey, 'PATCH', '/v1/creditor', { defaultPolicy: 'de-business', replyTo: null });
    expect(patched.body).toMatchObject({ defaultPolicy: 'de-business', name: 'Müller GmbH' });
  });

  test('have keys that end at once when they are revoked', async () => {
    const made = await h.call(h.adminKey, 'POST', `/v1/creditors/${c.id}/keys`, { name: 'temp', role: 'operator' });
    expect((await h.call(made.body.key, 'GET', '/v1/creditor')).status).toBe(200);
    const ended = await h.call(h.adminKey, 'DELETE', `/v1/creditors/${c.id}/keys/${made.body.id}`);
    expect(ended.status).toBe(204);
    expect((await h.call(made.body.key, 'GET', '/v1/creditor')).status).toBe(401);
    const listed = await h.call(h.adminKey, 'GET', `/v1/creditors/${c.id}/keys`);
    expect(listed.body.data.find((k: { id: string }) => k.id === made.body.id).revokedAt).not.toBeNull();
    expect(JSON.stringify(listed.body)).not.toContain(made.body.key);
  });
});

describe('policies', () => {
  const policy = {
    name: 'mine',
    steps: [{ key: 'one', day: 5, channel: 'email', template: 'reminder' }],
  };

  test('get a new version each time and keep the old ones', async () => {
    const first = await h.call(c.approver, 'PUT', '/v1/policies/mine', policy);
    expect(first.status).toBe(200);
    const second = await h.call(c.approver, 'PUT', '/v1/policies/mine', { ...policy, entry: 'byAge' });
    expect([first.body.version, second.body.version]).toEqual([1, 2]);
    expect((await h.call(c.operator, 'GET', '/v1/policies/mine?version=1')).body.entry).toBe('first');
    expect((await h.call(c.operator, 'GET', '/v1/policies/mine')).body.entry).toBe('byAge');
    expect((await h.call(c.operator, 'GET', '/v1/policies/mine?version=9')).status).toBe(404);
  });

  test('say every fault with its place', async () => {
    const reply = await h.call(c.approver, 'PUT', '/v1/policies/bad', {
      name: 'bad',
      steps: [
        { key: 'b', day: 9, channel: 'email', template: 'reminder' },
        { key: 'a', day: 4, channel: 'email', template: 'nonsense' },
        { key: 'c', day: 9999, channel: 'email', template: 'reminder' },
      ],
    });
    expect(reply.status).toBe(422);
    expect(reply.body.code).toBe('invalidPolicy');
    expect(reply.body.errors.map((e: { pointer: string }) => e.pointer)).toEqual(
      expect.arrayContaining(['/steps/1/template', '/steps/2/day']),
    );
  });

  test('show what they would do, creating nothing', async () => {
    const before = await h.db.selectFrom('invoices').select('id').execute();
    const reply = await h.call(c.operator, 'POST', '/v1/policies/fr-business/preview', {
      invoice: { issuedOn: '2026-11-20', dueOn: '2026-12-20', amount: '1200.00', currency: 'EUR' },
    });
    expect(reply.status).toBe(200);
    expect(reply.body.data.map((l: { action: string; step: string | null }) => [l.action, l.step]).slice(0, 5)).toEqual(
      [
        ['contact', 'before-due'],
        ['contact', 'reminder-1'],
        ['contact', 'reminder-2'],
        ['task', 'call'],
        ['task', 'last'],
      ],
    );
    expect(await h.db.selectFrom('invoices').select('id').execute()).toEqual(before);
  });

  test('preview an invoice just as it would be registered, its customer included', async () => {
    const invoice = {
      number: 'PREVIEWED-1',
      customer: {
        reference: 'nobody-yet',
        name: 'Nobody Yet SARL',
        kind: 'business',
        country: 'FR',
        contacts: [{ role: 'billing', email: 'billing@nobody.example' }],
      },
      issuedOn: '2026-11-20',
      dueOn: '2026-12-20',
      amount: '1200.00',
      currency: 'EUR',
      references: ['PO-1'],
    };
    const transfer = await h.call(c.operator, 'POST', '/v1/policies/fr-business/preview', { invoice });
    expect(transfer.status).toBe(200);
    expect(transfer.body.data[0]).toMatchObject({ action: 'contact', step: 'before-due' });
    const debit = await h.call(c.operator, 'POST', '/v1/policies/fr-business/preview', {
      invoice: { ...invoice, collection: { method: 'directDebit' } },
    });
    expect(debit.body.data[0]).toMatchObject({ action: 'task', reason: 'collectionMissing' });
    const both = await h.call(c.operator, 'POST', '/v1/policies/fr-business/preview', {
      invoice: { ...invoice, customerId: `cus_${'0'.repeat(26)}` },
    });
    expect(both.status).toBe(422);
  });
});

describe('customers', () => {
  test('are created, repeated, changed, listed', async () => {
    const body = {
      reference: 'K-1',
      name: "O'Hara; drop table customers; <script>",
      kind: 'business',
      country: 'DE',
      contacts: [{ role: 'billing', email: 'a@hara.example' }],
    };
    const made = await h.call(c.operator, 'POST', '/v1/customers', body);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ name: body.name, timeZone: 'Europe/Berlin', locale: 'de', policy: null });
    expect((await h.call(c.operator, 'POST', '/v1/customers', body)).status).toBe(200);
    const other = await h.call(c.operator, 'POST', '/v1/customers', { ...body, name: 'Someone else' });
    expect([other.status, other.body.code]).toEqual([409, 'customerExists']);

    await h.db
      .insertInto('stopped_addresses')
      .values({ creditor_id: c.id, email: 'b@hara.example', reason: 'bounced', at: new Date(NOW) })
      .execute();
    const patched = await h.call(c.operator, 'PATCH', `/v1/customers/${made.body.id}`, {
      contacts: [{ role: 'billing', email: 'b@hara.example' }],
      policy: 'business',
    });
    expect(patched.body).toMatchObject({
      policy: 'business',
      contacts: [{ role: 'billing', email: 'b@hara.example' }],
    });
    const stop = await h.db
      .selectFrom('stopped_addresses')
      .select('lifted_at')
      .where('email', '=', 'b@hara.example')
      .executeTakeFirstOrThrow();
    expect(stop.lifted_at).toBe(NOW);
    const found = await h.call(c.operator, 'GET', '/v1/customers?reference=K-1');
    expect(found.body.data.map((row: { id: string }) => row.id)).toEqual([made.body.id]);
  });

  test('can be held, and their credit waits for an invoice', async () => {
    const invoice = await newInvoice(h, c.operator);
    const held = await h.call(c.operator, 'POST', `/v1/customers/${invoice.customerId}/holds`, {
      reason: 'Merger under way',
      until: '2026-12-01',
    });
    expect(held.status).toBe(201);
    expect(held.body).toMatchObject({ kind: 'customer', from: '2026-11-20', until: '2026-12-01', invoiceId: null });
    const now = await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}`);
    expect(now.body.holds).toEqual([{ id: held.body.id, kind: 'customer', until: '2026-12-01', amount: null }]);
    const listed = await h.call(c.operator, 'GET', '/v1/invoices?hold=customer');
    expect(listed.body.data.map((row: { id: string }) => row.id)).toEqual([invoice.id]);

    expect((await h.call(c.operator, 'DELETE', `/v1/holds/${held.body.id}`)).status).toBe(204);
    expect((await h.call(c.operator, 'DELETE', `/v1/holds/${held.body.id}`)).body.code).toBe('holdLifted');
    const note = await h.call(c.operator, 'POST', `/v1/customers/${invoice.customerId}/credit-notes`, {
      number: 'CN-C-1',
      amount: '50',
      issuedOn: '2026-11-19',
    });
    expect(note.status).toBe(201);
    expect(note.body).toMatchObject({ amount: '50.00', unapplied: '50.00', currency: 'EUR', invoiceId: null });
  });
});

describe('invoices', () => {
  test('are registered with their case, once a number', async () => {
    const body = invoiceBody({
      references: ['PO 77'],
      vat: [{ rate: '20', net: '1000.00', vat: '200.00' }],
      amount: '1200',
    });
    const made = await h.call(c.operator, 'POST', '/v1/invoices', body, { 'relance-actor': 'Zoé' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      number: body['number'],
      workflowId: `case/${made.body.id}`,
      stage: 'upcoming',
      holds: [],
      amount: '1200.00',
      balance: '1200.00',
      disputed: '0.00',
      promised: '0.00',
      policy: { name: 'fr-business', version: 1 },
      next: null,
    });
    const again = await h.call(c.operator, 'POST', '/v1/invoices', body);
    expect([again.status, again.body.id]).toEqual([200, made.body.id]);
    const other = await h.call(c.operator, 'POST', '/v1/invoices', { ...body, amount: '1300.00' });
    expect([other.status, other.body.code]).toEqual([409, 'invoiceExists']);
    expect(other.body.errors).toEqual([{ pointer: '/amount', code: 'invoiceExists', message: expect.any(String) }]);

    const starts = await h.db.selectFrom('outbox').selectAll().where('target', '=', made.body.id).execute();
    expect(starts.map((row) => [row.kind, row.payload])).toEqual([['startCase', { run: 1 }]]);
    const timeline = await h.call(c.operator, 'GET', `/v1/invoices/${made.body.id}/timeline`);
    expect(timeline.body.data).toMatchObject([{ kind: 'invoiceRegistered', actor: 'operator (Zoé)' }]);
    expect(timeline.body.data[0].summary).toContain('1200.00 EUR');
  });

  test('foretell what will happen', async () => {
    const invoice = await newInvoice(h, c.operator, {
      dueOn: '2026-12-10',
      customer: {
        reference: 'CAL-1',
        name: 'Calendar SA',
        contacts: [{ role: 'billing', email: 'cal@example.com' }],
      },
    });
    const calendar = await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}/calendar`);
    expect(calendar.status).toBe(200);
    expect(calendar.body.data[0]).toMatchObject({ action: 'contact', step: 'before-due', channel: 'email' });
    expect(calendar.body.data[0].at).toMatch(/^2026-12-0/);
  });

  test('move their due date and take a PDF', async () => {
    const invoice = await newInvoice(h, c.operator);
    const moved = await h.call(c.operator, 'PATCH', `/v1/invoices/${invoice.id}`, {
      dueOn: '2026-12-31',
      reason: 'Agreed with their CFO',
    });
    expect([moved.status, moved.body.dueOn]).toEqual([200, '2026-12-31']);
    const early = await h.call(c.operator, 'PATCH', `/v1/invoices/${invoice.id}`, { dueOn: '2026-01-01', reason: 'x' });
    expect([early.status, early.body.code]).toEqual([422, 'dueBeforeIssue']);

    const file = await h.app.inject({
      method: 'PUT',
      url: `/v1/invoices/${invoice.id}/file`,
      headers: { authorization: `Bearer ${c.operator}`, 'content-type': 'application/pdf' },
      payload: Buffer.from('%PDF-1.7\nnot much of one'),
    });
    expect(file.statusCode).toBe(200);
    const wrong = await h.app.inject({
      method: 'PUT',
      url: `/v1/invoices/${invoice.id}/file`,
      headers: { authorization: `Bearer ${c.operator}`, 'content-type': 'application/pdf' },
      payload: Buffer.from('<html>'),
    });
    expect([wrong.statusCode, wrong.json().code]).toEqual([422, 'pdfInvalid']);
    const timeline = await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}/timeline`);
    expect(timeline.body.data.map((e: { kind: string }) => e.kind)).toEqual([
      'invoiceRegistered',
      'dueDateChanged',
      'fileAttached',
    ]);
    expect(timeline.body.data[1].summary).toBe('Due date moved from 2026-11-19 to 2026-12-31 — Agreed with their CFO');
  });

  test('are chosen a policy for: own, customer’s, creditor’s, preset, else 422', async () => {
    const consumer = (reference: string, more = {}) => ({
      customer: { reference, name: 'A person', kind: 'consumer', country: 'GB', ...more },
    });
    const none = await h.call(c.operator, 'POST', '/v1/invoices', invoiceBody(consumer('P-1')));
    expect([none.status, none.body.code]).toEqual([422, 'noPolicy']);
    expect(await h.db.selectFrom('customers').select('id').where('reference', '=', 'P-1').execute()).toEqual([]);
    const customers = await newInvoice(h, c.operator, consumer('P-2', { policy: 'business' }));
    expect(customers.policy.name).toBe('business');
    const own = await newInvoice(h, c.operator, { ...consumer('P-3', { policy: 'business' }), policy: 'fr-consumer' });
    expect(own.policy.name).toBe('fr-consumer');
    const unknown = await h.call(c.operator, 'POST', '/v1/invoices', invoiceBody({ policy: 'no-such' }));
    expect([unknown.status, unknown.body.errors[0].pointer]).toEqual([422, '/policy']);
  });
});

describe('money', () => {
  test('paid in part, in whole and beyond', async () => {
    const invoice = await newInvoice(h, c.operator);
    const pay = (amount: string, extra = {}) =>
      h.call(c.operator, 'POST', `/v1/invoices/${invoice.id}/payments`, {
        amount,
        currency: 'EUR',
        receivedOn: '2026-11-20',
        ...extra,
      });
    const part = await pay('200.00', { method: 'cheque', reference: 'no 77' });
    expect(part.status).toBe(201);
    expect(part.body).toMatchObject({ amount: '200.00', unapplied: '0.00', allocations: [{ amount: '200.00' }] });
    expect((await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}`)).body.balance).toBe('1000.00');
    const more = await pay('1100.00');
    expect(more.body).toMatchObject({ unapplied: '100.00', allocations: [{ amount: '1000.00' }] });

    const unapplied = await h.call(c.operator, 'GET', '/v1/receipts?status=unapplied');
    expect(unapplied.body.data.map((r: { id: string }) => r.id)).toContain(more.body.id);
    const tasks = await h.call(c.operator, 'GET', '/v1/tasks?kind=unappliedCash&status=open');
    expect(tasks.body.data.map((t: { receiptId: string }) => t.receiptId)).toContain(more.body.id);

    const next = await newInvoice(h, c.operator);
    const allocated = await h.call(c.operator, 'POST', `/v1/receipts/${more.body.id}/allocations`, {
      invoiceId: next.id,
      amount: '100.00',
    });
    expect(allocated.status).toBe(201);
    expect((await h.call(c.operator, 'GET', `/v1/invoices/${next.id}`)).body.balance).toBe('1100.00');
    const tooMuch = await h.call(c.operator, 'POST', `/v1/receipts/${more.body.id}/allocations`, {
      invoiceId: next.id,
      amount: '0.01',
    });
    expect([tooMuch.status, tooMuch.body.code]).toEqual([422, 'exceedsUnapplied']);
    expect((await h.call(c.operator, 'DELETE', `/v1/allocations/${allocated.body.id}`)).status).toBe(204);
    expect((await h.call(c.operator, 'DELETE', `/v1/allocations/${allocated.body.id}`)).body.code).toBe(
      'alreadyReversed',
    );
    expect((await h.call(c.operator, 'GET', `/v1/invoices/${next.id}`)).body.balance).toBe('1200.00');
  });

  test('in another currency, of tomorrow, for a settled invoice', async () => {
    const invoice = await newInvoice(h, c.operator);
    const pay = (body: object) => h.call(c.operator, 'POST', `/v1/invoices/${invoice.id}/payments`, body);
    const dollars = await pay({ amount: '1', currency: 'USD', receivedOn: '2026-11-20' });
    expect([dollars.status, dollars.body.code]).toEqual([422, 'currencyMismatch']);
    const tomorrow = await pay({ amount: '1', currency: 'EUR', receivedOn: '2026-11-21' });
    expect([tomorrow.status, tomorrow.body.code]).toEqual([422, 'futureDate']);
    await h.db.updateTable('invoices').set({ stage: 'settled' }).where('id', '=', invoice.id).execute();
    const late = await pay({ amount: '30.00', currency: 'EUR', receivedOn: '2026-11-20' });
    expect(late.body).toMatchObject({ unapplied: '30.00', allocations: [] });
    await h.db.updateTable('invoices').set({ stage: 'upcoming' }).where('id', '=', invoice.id).execute();
  });

  test('credited, once a number', async () => {
    const invoice = await newInvoice(h, c.operator);
    const body = { number: 'CN-9', amount: '200.00', issuedOn: '2026-11-20', reason: 'Damaged' };
    const url = `/v1/invoices/${invoice.id}/credit-notes`;
    const made = await h.call(c.operator, 'POST', url, body);
    expect([made.status, made.body.unapplied]).toEqual([201, '0.00']);
    expect((await h.call(c.operator, 'POST', url, body)).status).toBe(200);
    expect((await h.call(c.operator, 'POST', url, { ...body, amount: '1.00' })).body.code).toBe('creditNoteExists');
    expect((await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}`)).body.balance).toBe('1000.00');
  });
});

describe('promises', () => {
  test('hold the whole or a part, and are withdrawn', async () => {
    const invoice = await newInvoice(h, c.operator);
    const url = `/v1/invoices/${invoice.id}/promises`;
    const part = await h.call(c.operator, 'POST', url, { payOn: '2026-11-27', amount: '500.00', by: 'Ms Martin' });
    expect(part.status).toBe(201);
    expect(part.body).toMatchObject({ holds: true, graceDays: 2, status: 'active', amount: '500.00', by: 'Ms Martin' });
    const held = await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}`);
    expect(held.body).toMatchObject({
      promised: '500.00',
      holds: [{ kind: 'promise', until: '2026-11-29', amount: '500.00' }],
    });

    const whole = await h.call(c.operator, 'POST', url, { payOn: '2026-12-01' });
    const replaced = await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}`);
    expect(replaced.body).toMatchObject({ promised: '1200.00', holds: [{ id: whole.body.id, amount: null }] });
    expect(
      (await h.call(c.operator, 'GET', '/v1/invoices?hold=promise')).body.data.map((i: { id: string }) => i.id),
    ).toContain(invoice.id);
    expect((await h.call(c.operator, 'DELETE', `/v1/promises/${whole.body.id}`)).status).toBe(204);
    expect((await h.call(c.operator, 'DELETE', `/v1/promises/${whole.body.id}`)).body.code).toBe('promiseEnded');
    expect((await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}`)).body).toMatchObject({
      promised: '0.00',
      holds: [],
    });
  });

  test('in the past are refused, beyond the limits kept without a hold', async () => {
    const invoice = await newInvoice(h, c.operator);
    const url = `/v1/invoices/${invoice.id}/promises`;
    const past = await h.call(c.operator, 'POST', url, { payOn: '2026-11-19' });
    expect([past.status, past.body.code, past.body.errors[0].pointer]).toEqual([422, 'promiseInPast', '/payOn']);
    const far = await h.call(c.operator, 'POST', url, { payOn: '2027-11-19' });
    expect([far.status, far.body.holds]).toEqual([201, false]);
    expect((await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}`)).body.holds).toEqual([]);
    const tasks = await h.call(c.operator, 'GET', `/v1/tasks?invoiceId=${invoice.id}`);
    expect(tasks.body.data).toMatchObject([{ kind: 'reviewPromise', status: 'open' }]);
    const done = await h.call(c.operator, 'POST', `/v1/tasks/${tasks.body.data[0].id}/completion`, {
      note: 'Let it be',
    });
    expect(done.body).toMatchObject({ status: 'done', closedBy: 'operator' });
    const again = await h.call(c.operator, 'POST', `/v1/tasks/${tasks.body.data[0].id}/completion`, {});
    expect([again.status, again.body.code]).toEqual([409, 'taskClosed']);
  });
});

describe('disputes', () => {
  test('split an invoice, never beyond its balance, and are decided', async () => {
    const invoice = await newInvoice(h, c.operator);
    const url = `/v1/invoices/${invoice.id}/disputes`;
    const made = await h.call(c.operator, 'POST', url, { amount: '300.00', category: 'quantity', note: 'Two missing' });
    expect(made.status).toBe(201);
    expect((await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}`)).body).toMatchObject({
      disputed: '300.00',
      holds: [{ kind: 'dispute', amount: '300.00' }],
    });
    const more = await h.call(c.operator, 'POST', url, { amount: '900.01', category: 'price' });
    expect([more.status, more.body.code, more.body.errors[0].pointer]).toEqual([
      422,
      'disputeExceedsBalance',
      '/amount',
    ]);
    const resolve = (body: object) => h.call(c.operator, 'POST', `/v1/disputes/${made.body.id}/resolution`, body);
    expect((await resolve({ outcome: 'partly' })).body.code).toBe('creditInvalid');
    expect((await resolve({ outcome: 'rejected', creditAmount: '1' })).body.code).toBe('creditInvalid');
    expect((await resolve({ outcome: 'partly', creditAmount: '300.01' })).body.code).toBe('disputeExceedsBalance');
    const done = await resolve({ outcome: 'partly', creditAmount: '100.00', note: 'One was late' });
    expect(done.body).toMatchObject({
      status: 'partly',
      resolvedOn: '2026-11-20',
      creditNoteId: expect.stringMatching(/^cno_/),
    });
    expect((await resolve({ outcome: 'rejected' })).body.code).toBe('disputeResolved');
    expect((await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}`)).body).toMatchObject({
      balance: '1100.00',
      disputed: '0.00',
      holds: [],
    });
    const tasks = await h.call(c.operator, 'GET', `/v1/tasks?invoiceId=${invoice.id}&kind=reviewDispute`);
    expect(tasks.body.data[0].status).toBe('done');
  });

  test('upheld as a whole credit the invoice in full', async () => {
    const invoice = await newInvoice(h, c.operator);
    const made = await h.call(c.operator, 'POST', `/v1/invoices/${invoice.id}/disputes`, { category: 'duplicate' });
    const done = await h.call(c.operator, 'POST', `/v1/disputes/${made.body.id}/resolution`, { outcome: 'upheld' });
    expect(done.body.status).toBe('upheld');
    expect((await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}`)).body.balance).toBe('0.00');
  });
});

describe('feeds, imports, clock', () => {
  test('a feed’s secret is shown, rotated and stored encrypted', async () => {
    const made = await h.call(c.approver, 'POST', '/v1/feeds', { kind: 'standard', name: 'Main' });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      id: expect.stringMatching(/^fee_/),
      webhookUrl: `https://relance.example/v1/webhooks/feeds/${made.body.id}`,
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
    });
    const rotated = await h.call(c.approver, 'POST', `/v1/feeds/${made.body.id}/rotate`);
    expect(rotated.body.secret).not.toBe(made.body.secret);
    const row = await h.db
      .selectFrom('feeds')
      .select('secrets')
      .where('id', '=', made.body.id)
      .executeTakeFirstOrThrow();
    expect(row.secrets).toHaveLength(2);
    expect(JSON.stringify(row.secrets)).not.toContain(made.body.secret.slice(6));
    expect((await h.call(c.approver, 'GET', '/v1/feeds')).body.data[0]).toMatchObject({
      id: made.body.id,
      kind: 'standard',
    });
  });

  test('an import is kept and started; its rows are paged', async () => {
    const reply = await h.app.inject({
      method: 'POST',
      url: `/v1/imports?columns=${encodeURIComponent('number="Document Number",references=A+B')}`,
      headers: { authorization: `Bearer ${c.operator}`, 'content-type': 'text/csv; charset=utf-8' },
      payload: 'Document Number;A;B\n1;2;3\n',
    });
    expect(reply.statusCode).toBe(202);
    const { id } = reply.json();
    const row = await h.db.selectFrom('imports').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    expect(row.body.toString()).toBe('Document Number;A;B\n1;2;3\n');
    expect(row.content_type).toBe('text/csv');
    expect(await h.db.selectFrom('outbox').select('kind').where('target', '=', id).execute()).toEqual([
      { kind: 'startImport' },
    ]);
    const got = await h.call(c.operator, 'GET', `/v1/imports/${id}`);
    expect(got.body).toMatchObject({ id, status: 'running', accepted: 0, rows: [], nextCursor: null });
  });

  test('the clock shows business time', async () => {
    expect((await h.call(c.operator, 'GET', '/v1/clock')).body).toEqual({
      now: '2026-11-20T09:00:00.000Z',
      dayMs: 86_400_000,
    });
  });
});
