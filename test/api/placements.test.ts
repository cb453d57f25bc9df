import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemAct } from '../../db/act.ts';
import { inTransaction } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { check } from '../../db/repositories/ledger.ts';
import { endPlacement, placeWithAgency } from '../../db/repositories/placements.ts';
import { recordReceipt } from '../../db/repositories/receipts.ts';
import { returnReceipt } from '../../db/repositories/returns.ts';
import { newInvoice, NOW, startApi, type Harness, type TestCreditor } from './harness.ts';

/** Agencies, what is placed with them and what they report. */

let h: Harness;
let own: TestCreditor;
beforeAll(async () => {
  h = await startApi();
  own = await h.creditor();
});
afterAll(() => h.stop());

const act = systemAct(NOW);

async function place(agencyId = own.agencyId, overrides: Record<string, unknown> = {}) {
  const invoice = await newInvoice(h, own.operator, overrides);
  const placementId = await inTransaction(h.db, (tx) =>
    placeWithAgency(
      tx,
      act,
      { creditorId: own.id, customerId: invoice.customerId, invoiceId: invoice.id, run: 1, currency: 'EUR' },
      { agencyId, amountMinor: 120_000n, on: '2026-11-20' },
    ),
  );
  return { invoice, placementId };
}

async function agencyWithKey(body: object = { name: 'Zweite', deliverBy: 'download' }) {
  const agency = await h.call(own.approver, 'POST', '/v1/agencies', body);
  const key = await h.call(h.adminKey, 'POST', `/v1/creditors/${own.id}/keys`, {
    name: 'other agency',
    role: 'agency',
    agencyId: agency.body.id,
  });
  return { id: agency.body.id as string, key: key.body.key as string };
}

const report = (key: string, placementId: string, body: object) =>
  h.call(key, 'POST', `/v1/placements/${placementId}/reports`, body);
const balanceOf = async (invoiceId: string) =>
  (await h.call(own.operator, 'GET', `/v1/invoices/${invoiceId}`)).body.balance;
const kindsOf = async (invoiceId: string): Promise<string[]> =>
  (await h.call(own.operator, 'GET', `/v1/invoices/${invoiceId}/timeline`)).body.data.map(
    (event: { kind: string }) => event.kind,
  );
const pokesOf = (target: string) =>
  h.db.selectFrom('outbox').select(['kind', 'payload']).where('target', '=', target).execute();

describe('agencies', () => {
  test('are told by webhook with a secret that is shown once and stored sealed', async () => {
    const made = await h.call(own.approver, 'POST', '/v1/agencies', {
      name: 'Inkasso Nord',
      reference: 'K-1',
      feeText: '10 %',
      address: { lines: ['Hafen 1'], postalCode: '20457', city: 'Hamburg', country: 'DE' },
      deliverBy: 'webhook',
      webhookUrl: 'https://inkasso.example/relance',
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ name: 'Inkasso Nord', deliverBy: 'webhook', held: [], closedAt: null });
    expect(made.body.secret).toMatch(/^whsec_/);
    const got = await h.call(own.operator, 'GET', `/v1/agencies/${made.body.id}`);
    expect(got.body).toEqual({ ...made.body, secret: undefined });
    const row = await h.db.selectFrom('agencies').select('secrets').where('id', '=', made.body.id).executeTakeFirst();
    expect(JSON.stringify(row!.secrets)).not.toContain(made.body.secret.slice(6));
    const rotated = await h.call(own.approver, 'POST', `/v1/agencies/${made.body.id}/rotate`);
    expect(rotated.body.secret).not.toBe(made.body.secret);
    expect(h.logs()).not.toContain(made.body.secret);
  });

  test.each([
    [{ name: 'x', deliverBy: 'email' }, '/email', 'required'],
    [{ name: 'x', deliverBy: 'webhook' }, '/webhookUrl', 'required'],
    [{ name: 'x', deliverBy: 'webhook', webhookUrl: 'http://agency.example/' }, '/webhookUrl', 'webhookUrlInvalid'],
    [
      { name: 'x', deliverBy: 'webhook', webhookUrl: 'https://u:p@agency.example/' },
      '/webhookUrl',
      'webhookUrlInvalid',
    ],
    [{ name: 'x', deliverBy: 'webhook', webhookUrl: 'https://169.254.169.254/' }, '/webhookUrl', 'webhookUrlInvalid'],
    [{ name: 'x', deliverBy: 'webhook', webhookUrl: 'file:///etc/passwd' }, '/webhookUrl', 'webhookUrlInvalid'],
  ])('refuse a way that leads nowhere: %j', async (body, pointer, code) => {
    const reply = await h.call(own.approver, 'POST', '/v1/agencies', body);
    expect(reply.status).toBe(422);
    expect(reply.body.errors[0]).toMatchObject({ pointer, code });
  });

  test('change their way, and get a secret with their first webhook', async () => {
    const { id } = await agencyWithKey();
    const refused = await h.call(own.approver, 'PATCH', `/v1/agencies/${id}`, { deliverBy: 'email' });
    expect(refused.body.errors[0].pointer).toBe('/email');
    const mailed = await h.call(own.approver, 'PATCH', `/v1/agencies/${id}`, {
      deliverBy: 'email',
      email: 'a@b.example',
    });
    expect(mailed.body).toMatchObject({ name: 'Zweite', deliverBy: 'email', email: 'a@b.example' });
    expect(mailed.body.secret).toBeUndefined();
    const hooked = await h.call(own.approver, 'PATCH', `/v1/agencies/${id}`, {
      deliverBy: 'webhook',
      webhookUrl: 'http://127.0.0.1:9/hook',
    });
    expect(hooked.body.secret).toMatch(/^whsec_/);
  });

  test('are a creditor’s default until they are closed', async () => {
    const { id } = await agencyWithKey();
    const chosen = await h.call(own.approver, 'PATCH', '/v1/creditor', { defaultAgency: id });
    expect(chosen.body.defaultAgency).toBe(id);
    const closed = await h.call(own.approver, 'PATCH', `/v1/agencies/${id}`, { closed: true });
    expect(closed.body.closedAt).toBe(new Date(NOW).toISOString());
    expect((await h.call(own.operator, 'GET', '/v1/creditor')).body.defaultAgency).toBeNull();
    const again = await h.call(own.approver, 'PATCH', '/v1/creditor', { defaultAgency: id });
    expect([again.status, again.body.code]).toEqual([422, 'unknownAgency']);
    const unknown = await h.call(own.approver, 'PATCH', '/v1/creditor', { defaultAgency: newId('agy') });
    expect([unknown.status, unknown.body.code]).toEqual([422, 'unknownAgency']);
  });

  test('have keys of their own, which name them', async () => {
    const keys = `/v1/creditors/${own.id}/keys`;
    for (const body of [
      { name: 'k', role: 'agency' },
      { name: 'k', role: 'operator', agencyId: own.agencyId },
    ]) {
      const reply = await h.call(own.approver, 'POST', keys, body);
      expect([reply.status, reply.body.errors[0]?.code]).toEqual([422, 'agencyIdNotAllowed']);
    }
    const other = await h.creditor();
    const foreign = await h.call(own.approver, 'POST', keys, { name: 'k', role: 'agency', agencyId: other.agencyId });
    expect([foreign.status, foreign.body.code]).toEqual([422, 'unknownAgency']);
    const listed = await h.call(own.approver, 'GET', keys);
    expect(listed.body.data).toContainEqual(expect.objectContaining({ role: 'agency', agencyId: own.agencyId }));
  });

  test('without naming an agency a key of the role reaches nothing', async () => {
    const { key, id } = await agencyWithKey();
    await h.db.updateTable('api_keys').set({ agency_id: null }).where('agency_id', '=', id).execute();
    expect((await h.call(key, 'GET', '/v1/placements')).status).toBe(403);
  });
});

describe('placements', () => {
  test('are seen by their agency alone', async () => {
    const { id, key } = await agencyWithKey();
    const { placementId, invoice } = await place(id);
    const seen = await h.call(key, 'GET', '/v1/placements');
    expect(seen.body.data).toEqual([
      {
        id: placementId,
        invoiceId: invoice.id,
        invoiceNumber: invoice.number,
        agencyId: id,
        status: 'active',
        amount: '1200.00',
        balance: '1200.00',
        currency: 'EUR',
        placedOn: '2026-11-20',
        endedOn: null,
        endReason: null,
        fileReady: false,
        reports: [],
        messages: [
          {
            type: 'placed',
            status: 'pending',
            attempts: 0,
            errorCode: null,
            createdAt: new Date(NOW).toISOString(),
            sentAt: null,
          },
        ],
      },
    ]);
    expect((await h.call(own.agency, 'GET', '/v1/placements')).body.data).toEqual([]);
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['GET', '/file', undefined],
      ['POST', '/reports', { kind: 'payment', amount: '1.00' }],
    ] as const) {
      const reply = await h.call(own.agency, method, `/v1/placements/${placementId}${path}`, body);
      expect([reply.status, reply.body.code]).toEqual([404, 'notFound']);
    }
    expect((await h.call(own.agency, 'GET', `/v1/placements?agencyId=${id}`)).body.data).toEqual([]);
    expect((await h.call(own.operator, 'GET', `/v1/placements?agencyId=${id}&status=active`)).body.data).toHaveLength(
      1,
    );
    expect((await h.call(own.operator, 'GET', `/v1/placements?agencyId=${id}&status=ended`)).body.data).toEqual([]);
    expect(await pokesOf(id)).toEqual([{ kind: 'pokeAgency', payload: {} }]);
  });

  test('have a file as soon as it is made, and a new one on demand', async () => {
    const { placementId, invoice } = await place();
    const early = await h.call(own.agency, 'GET', `/v1/placements/${placementId}/file`);
    expect([early.status, early.body.code]).toEqual([409, 'fileNotReady']);
    const asked = await h.call(own.operator, 'POST', `/v1/placements/${placementId}/files`);
    expect(asked.body.messages).toHaveLength(1);

    const document = newId('doc');
    await h.db
      .insertInto('documents')
      .values({
        id: document,
        creditor_id: own.id,
        customer_id: invoice.customerId,
        kind: 'agencyFile',
        content_type: 'application/zip',
        bytes: Buffer.from('zip'),
        at: new Date(NOW),
      })
      .execute();
    await h.db
      .updateTable('agency_messages')
      .set({ document_id: document, status: 'sent' })
      .where('placement_id', '=', placementId)
      .execute();
    const file = await h.call(own.agency, 'GET', `/v1/placements/${placementId}/file`);
    expect([file.status, file.raw.body, file.headers['content-type']]).toEqual([200, 'zip', 'application/zip']);
    const renewed = await h.call(own.operator, 'POST', `/v1/placements/${placementId}/files`);
    expect(renewed.body.messages.map((one: { status: string }) => one.status)).toEqual(['sent', 'pending']);
    expect((await h.call(own.agency, 'POST', `/v1/placements/${placementId}/files`)).status).toBe(403);
  });
});

describe('reports', () => {
  test('of a payment are money of the agency, applied once', async () => {
    const { placementId, invoice } = await place();
    const body = { kind: 'payment', amount: '400.00', on: '2026-11-19', reference: 'P-1', note: 'by transfer' };
    const first = await report(own.agency, placementId, body);
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({ kind: 'payment', amount: '400.00', currency: 'EUR', on: '2026-11-19' });
    const again = await report(own.agency, placementId, body);
    expect([again.status, again.body]).toEqual([200, first.body]);
    const differing = await report(own.agency, placementId, { ...body, amount: '401.00' });
    expect([differing.status, differing.body.code]).toEqual([409, 'reportExists']);
    expect(await balanceOf(invoice.id)).toBe('800.00');

    const receipts = await h.call(own.operator, 'GET', `/v1/receipts?customerId=${invoice.customerId}`);
    expect(receipts.body.data).toHaveLength(1);
    expect(receipts.body.data[0]).toMatchObject({ method: 'agency', unapplied: '0.00', bookedOn: '2026-11-19' });
    expect(receipts.body.data[0].allocations[0]).toMatchObject({ rule: 'agencyReport', amount: '400.00' });
    const postings = await h.db
      .selectFrom('postings')
      .select(['account', 'amount_minor'])
      .where('receipt_id', '=', receipts.body.data[0].id)
      .orderBy('entry_id')
      .orderBy('line')
      .execute();
    expect(postings).toEqual([
      { account: 'agency', amount_minor: 40_000n },
      { account: 'unappliedCash', amount_minor: -40_000n },
      { account: 'unappliedCash', amount_minor: 40_000n },
    ]);
    expect(await kindsOf(invoice.id)).toEqual(expect.arrayContaining(['placed', 'paymentAllocated', 'agencyReported']));
    expect(await check(h.db, own.id)).toEqual([]);
  });

  test('that are sent at the same time count once', async () => {
    const { placementId, invoice } = await place();
    const body = { kind: 'payment', amount: '100.00', reference: 'P-2' };
    const replies = await Promise.all(Array.from({ length: 6 }, () => report(own.agency, placementId, body)));
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(1);
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(5);
    expect(new Set(replies.map((reply) => reply.body.id)).size).toBe(1);
    expect(await balanceOf(invoice.id)).toBe('1100.00');
  });

  test('that cannot be true change nothing', async () => {
    const { placementId, invoice } = await place();
    const before = await kindsOf(invoice.id);
    for (const [body, status, code] of [
      [{ kind: 'payment', amount: '1200.01' }, 422, 'exceedsBalance'],
      [{ kind: 'payment', amount: '1.00', on: '2026-11-21' }, 422, 'futureDate'],
      [{ kind: 'payment', amount: '0' }, 422, 'amountInvalid'],
      [{ kind: 'payment', amount: '1.001' }, 422, 'tooManyDecimals'],
      [{ kind: 'payment' }, 422, 'validationFailed'],
      [{ kind: 'note', amount: '1.00' }, 422, 'validationFailed'],
      [{ kind: 'note', currency: 'USD' }, 422, 'validationFailed'],
    ] as const) {
      const reply = await report(own.agency, placementId, body);
      expect([reply.status, reply.body.code]).toEqual([status, code]);
    }
    expect(await kindsOf(invoice.id)).toEqual(before);
    expect(await balanceOf(invoice.id)).toBe('1200.00');
    expect((await h.call(own.agency, 'GET', `/v1/placements/${placementId}`)).body.reports).toEqual([]);
    expect(
      await h.db.selectFrom('receipts').selectAll().where('customer_id', '=', invoice.customerId).execute(),
    ).toEqual([]);
  });

  test('give up, once, and wake the case', async () => {
    const { placementId, invoice } = await place();
    await h.db.deleteFrom('outbox').where('target', '=', invoice.id).execute();
    expect((await report(own.agency, placementId, { kind: 'givenUp', note: 'insolvent' })).status).toBe(201);
    const placement = await h.call(own.operator, 'GET', `/v1/placements/${placementId}`);
    expect(placement.body).toMatchObject({ status: 'givenUp', endedOn: null, reports: [{ kind: 'givenUp' }] });
    expect(await pokesOf(invoice.id)).toEqual([{ kind: 'signalCase', payload: { signal: 'wake' } }]);
    const again = await report(own.agency, placementId, { kind: 'givenUp' });
    expect([again.status, again.body.code]).toEqual([409, 'alreadyGivenUp']);
    expect((await kindsOf(invoice.id)).filter((kind) => kind === 'agencyGaveUp')).toHaveLength(1);
    // Money may come after all.
    expect((await report(own.agency, placementId, { kind: 'payment', amount: '50.00' })).status).toBe(201);
  });

  test('ask for documents with a task; a note stays on the timeline, its words beside the chain', async () => {
    const { placementId, invoice } = await place();
    await report(own.agency, placementId, { kind: 'documentsWanted', note: 'the signed order, please' });
    const tasks = await h.call(own.operator, 'GET', `/v1/tasks?kind=agencyDocuments&invoiceId=${invoice.id}`);
    expect(tasks.body.data[0]).toMatchObject({ role: 'operator', body: 'the signed order, please', status: 'open' });
    await report(own.operator, placementId, { kind: 'note', note: 'spoke to Mrs Secret' });
    const events = await h.db.selectFrom('events').select('data').where('invoice_id', '=', invoice.id).execute();
    expect(JSON.stringify(events)).not.toContain('Secret');
    const timeline = await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}/timeline`);
    expect(timeline.body.data.at(-1).summary).toBe('A note of the agency — spoke to Mrs Secret');
  });

  test('on what the agency no longer has are refused, but for a repeat', async () => {
    const { placementId, invoice } = await place();
    const body = { kind: 'payment', amount: '10.00', reference: 'late' };
    const first = await report(own.agency, placementId, body);
    await inTransaction(h.db, (tx) =>
      endPlacement(tx, act, invoice.id, { status: 'recalled', reason: 'asked', on: '2026-11-20' }),
    );
    const late = await report(own.agency, placementId, { ...body, reference: 'later' });
    expect([late.status, late.body.code]).toEqual([409, 'placementEnded']);
    expect((await report(own.agency, placementId, body)).body).toEqual(first.body);
    const file = await h.call(own.operator, 'POST', `/v1/placements/${placementId}/files`);
    expect([file.status, file.body.code]).toEqual([409, 'placementEnded']);
  });

  test('do not answer one agency what another was answered under the same idempotency key', async () => {
    const { placementId } = await place();
    const { key } = await agencyWithKey();
    const url = `/v1/placements/${placementId}/reports`;
    const headers = { 'idempotency-key': 'k-1' };
    expect((await h.call(own.agency, 'POST', url, { kind: 'note', note: 'x' }, headers)).status).toBe(201);
    expect((await h.call(key, 'POST', url, { kind: 'note', note: 'x' }, headers)).status).toBe(404);
  });
});

describe('remittances', () => {
  const arrived = (amountMinor: bigint) =>
    inTransaction(h.db, (tx) =>
      recordReceipt(tx, act, { creditorId: own.id, bookedOn: '2026-11-20', amountMinor, currency: 'EUR' }),
    );
  const remit = (agencyId: string, receiptId: string, amount: string) =>
    h.call(own.operator, 'POST', `/v1/agencies/${agencyId}/remittances`, { receiptId, amount });
  const heldBy = async (agencyId: string) => (await h.call(own.operator, 'GET', `/v1/agencies/${agencyId}`)).body.held;

  test('settle what the agency holds, never more', async () => {
    const { id, key } = await agencyWithKey();
    const { placementId } = await place(id);
    await report(key, placementId, { kind: 'payment', amount: '500.00' });
    expect(await heldBy(id)).toEqual([{ amount: '500.00', currency: 'EUR' }]);
    const receiptId = await arrived(60_000n);
    const above = await remit(id, receiptId, '500.01');
    expect([above.status, above.body.code]).toEqual([422, 'exceedsCollected']);
    const beyond = await remit(id, receiptId, '600.01');
    expect([beyond.status, beyond.body.code]).toEqual([422, 'exceedsUnapplied']);
    const done = await remit(id, receiptId, '450.00');
    expect(done.status).toBe(201);
    expect(done.body).toMatchObject({ agencyId: id, receiptId, amount: '450.00', on: '2026-11-20' });
    expect(await heldBy(id)).toEqual([{ amount: '50.00', currency: 'EUR' }]);
    expect((await remit(id, receiptId, '50.01')).body.code).toBe('exceedsCollected');
    expect(await check(h.db, own.id)).toEqual([]);
  });

  test('close the task of the money they use up, and are undone when the bank takes it back', async () => {
    const { id, key } = await agencyWithKey();
    const { placementId } = await place(id);
    await report(key, placementId, { kind: 'payment', amount: '300.00' });
    const receiptId = await arrived(30_000n);
    const task = newId('tsk');
    await h.db
      .insertInto('tasks')
      .values({
        id: task,
        creditor_id: own.id,
        kind: 'unappliedCash',
        key: `unappliedCash:${receiptId}`,
        role: 'operator',
        receipt_id: receiptId,
        subject: 'x',
        due_at: new Date(NOW),
        opened_at: new Date(NOW),
      })
      .execute();
    await remit(id, receiptId, '300.00');
    const closed = await h.call(own.operator, 'GET', `/v1/tasks/${task}`);
    expect(closed.body).toMatchObject({ status: 'done', outcome: { outcome: 'remitted' } });
    expect(await heldBy(id)).toEqual([]);
    await inTransaction(h.db, (tx) =>
      returnReceipt(tx, act, { receiptId, amountMinor: 30_000n, bookedOn: '2026-11-20' }),
    );
    expect(await heldBy(id)).toEqual([{ amount: '300.00', currency: 'EUR' }]);
    expect(await check(h.db, own.id)).toEqual([]);
  });
});
