import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inTransaction, json } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { addDocument } from '../../db/repositories/documents.ts';
import { anchorCreditor } from '../../db/repositories/heads.ts';
import { applyRetention } from '../../db/repositories/retention.ts';
import { closeCase } from '../db/book.ts';
import { newInvoice, NOW, startApi, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;

beforeAll(async () => {
  h = await startApi();
  c = await h.creditor();
});
afterAll(() => h.stop());

const DAY = 86_400_000;

async function verification(key = c.operator, query = '') {
  const sum = { cases: 0, events: 0, anchored: 0, heads: 0, problems: [] as string[], parts: 0 };
  for (let cursor: string | null = ''; cursor !== null;) {
    const url = `/v1/verification?limit=2${cursor === '' ? query : `&cursor=${cursor}`}`;
    const { status, body } = await h.call(key, 'GET', url);
    expect(status).toBe(200);
    for (const name of ['cases', 'events', 'anchored', 'heads'] as const) sum[name] += body[name];
    sum.problems.push(...body.problems.map((p: { message: string }) => p.message));
    sum.parts += 1;
    cursor = body.nextCursor;
  }
  return sum;
}

/** A customer with two people and one invoice, a message to each of them with its source, and words said about it. */
async function known() {
  const invoice = await newInvoice(h, c.operator, {
    customer: {
      reference: newId('cus'),
      name: 'Dupont SARL',
      kind: 'business',
      country: 'FR',
      contacts: [
        { name: 'Jane Martin', role: 'billing', email: 'Jane@dupont.example' },
        { name: 'Paul Durand', role: 'manager', email: 'paul@dupont.example', phone: '+33 1 00 00 00 00' },
      ],
    },
  });
  const messages: string[] = [];
  for (const email of ['Jane@dupont.example', 'paul@dupont.example']) {
    const contact = newId('con');
    messages.push(contact);
    await h.db
      .insertInto('contacts')
      .values({
        id: contact,
        creditor_id: c.id,
        customer_id: invoice.customerId,
        kind: 'reminder',
        channel: 'email',
        status: 'sent',
        sender: 'Atelier <a@atelier.example>',
        reference: `R-${contact}`,
        recipients: [email],
        recipient_key: email,
        day: '2026-11-20',
        planned_at: new Date(NOW),
        queued_at: new Date(NOW),
        subject: 'Reminder',
        body_text: `Hello ${email}`,
        template: 'reminder',
        tone: 'neutral',
        locale: 'fr',
      })
      .execute();
    await h.db
      .insertInto('contact_items')
      .values({
        contact_id: contact,
        invoice_id: invoice.id,
        step: email,
        occurrence: 1,
        amount_minor: 120_000n,
        currency: 'EUR',
        asks: true,
      })
      .execute();
    await inTransaction(h.db, (tx) =>
      addDocument(
        tx,
        { actor: 'system', at: NOW },
        {
          creditorId: c.id,
          customerId: invoice.customerId,
          contactId: contact,
          kind: 'email',
          contentType: 'message/rfc822',
          bytes: Buffer.from(`To: ${email}`),
          invoiceIds: [invoice.id],
        },
      ),
    );
  }
  await h.call(c.operator, 'PATCH', `/v1/invoices/${invoice.id}`, {
    dueOn: '2026-12-31',
    reason: 'Agreed with Jane Martin',
  });
  await h.call(c.operator, 'POST', `/v1/invoices/${invoice.id}/disputes`, {
    category: 'price',
    amount: '1.00',
    note: 'PAUL@dupont.example says so',
  });
  return { invoice, messages, customer: invoice.customerId as string };
}

const erase = (customer: string, body: object, key = c.approver) =>
  h.call(key, 'POST', `/v1/customers/${customer}/erasure`, { reason: 'asked by post', ...body });

const everything = async (customer: string): Promise<string> =>
  JSON.stringify((await h.call(c.approver, 'GET', `/v1/customers/${customer}/export`)).body);

describe('verification', () => {
  test('adds up over its parts, and says which hash to keep', async () => {
    const own = await h.creditor();
    for (let n = 0; n < 5; n += 1) await newInvoice(h, own.operator);
    const head = await anchorCreditor(h.db, { id: own.id, time_zone: 'Europe/Paris' }, NOW);
    const sum = await verification(own.operator, `&head=${head!.hash}`);
    expect(sum).toEqual({ cases: 5, events: 5, anchored: 5, heads: 1, problems: [], parts: 4 });
    const part = await h.call(own.operator, 'GET', '/v1/verification');
    expect(part.body).toMatchObject({
      totalCases: 5,
      latestHead: { n: 1, on: '2026-11-20', hash: head!.hash },
    });
    expect((await verification(own.operator, `&head=${'0'.repeat(64)}`)).problems).toEqual([
      `there is no head with the hash ${'0'.repeat(64)}`,
    ]);
    expect((await h.call(own.operator, 'GET', '/v1/verification?cursor=x')).body.code).toBe('cursorInvalid');
  });

  test('names what was tampered with', async () => {
    const own = await h.creditor();
    const invoice = await newInvoice(h, own.operator);
    await h.db.transaction().execute(async (tx) => {
      await sql`set local session_replication_role = replica`.execute(tx);
      await sql`update events set actor = 'somebody' where invoice_id = ${invoice.id}`.execute(tx);
    });
    const { problems } = await verification(own.operator);
    expect(problems).toEqual([`${invoice.id}: event 1 was changed`]);
    const pdf = await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}/timeline?format=pdf`);
    expect(JSON.parse(pdf.raw.body.slice('%PDF-1.7\n'.length)).verification).toMatchObject({
      holds: false,
      problems: [`${invoice.id}: event 1 was changed`],
    });
  });
});

test('a timeline as a document carries its hashes and whether they hold', async () => {
  const { invoice } = await known();
  await anchorCreditor(h.db, { id: c.id, time_zone: 'Europe/Paris' }, NOW);
  const pdf = await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}/timeline?format=pdf`);
  expect([pdf.status, pdf.headers['content-type']]).toEqual([200, 'application/pdf']);
  const document = JSON.parse(pdf.raw.body.slice('%PDF-1.7\n'.length));
  expect(document).toMatchObject({
    creditor: { name: 'Atelier Ravel' },
    customer: { name: 'Dupont SARL' },
    invoice: { number: invoice.number, amount: '1200.00', balance: '1200.00', currency: 'EUR' },
    verification: { holds: true, problems: [], anchored: 3, head: { on: '2026-11-20' } },
  });
  const listed = await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}/timeline`);
  expect(document.events.map((e: { hash: string }) => e.hash)).toEqual(
    listed.body.data.map((e: { hash: string }) => e.hash),
  );
});

test('a case that did nothing yet replays as equal, and a message of before the record is told apart', async () => {
  const fresh = await newInvoice(h, c.operator);
  expect((await h.call(c.operator, 'GET', `/v1/invoices/${fresh.id}/replay`)).body).toEqual({
    invoiceId: fresh.id,
    number: fresh.number,
    equal: true,
    decisions: 0,
    messages: 0,
    erased: 0,
    unrecorded: 0,
    notRebuilt: [],
    differences: [],
    moreDifferences: 0,
  });
  const { invoice } = await known();
  const older = await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}/replay`);
  expect(older.body).toMatchObject({ equal: true, messages: 0, unrecorded: 2 });
});

describe('erasure', () => {
  test('of one person takes what names them, and leaves the other and the chain', async () => {
    const { invoice, customer } = await known();
    const reply = await erase(customer, { contactEmail: 'jane@DUPONT.example' });
    expect([reply.status, reply.body]).toEqual([200, { people: 1, messages: 1, documents: 1, texts: 1 }]);
    const kept = await everything(customer);
    expect(kept).not.toMatch(/jane/i);
    expect(kept).toMatch(/PAUL@dupont\.example says so/);
    const timeline = (await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}/timeline`)).body.data;
    expect(timeline.map((e: { kind: string; erased: boolean }) => [e.kind, e.erased])).toEqual([
      ['invoiceRegistered', false],
      ['dueDateChanged', true],
      ['disputed', false],
      ['personalDataErased', false],
    ]);
    expect(timeline.at(-1)).toMatchObject({ actor: 'first', data: { what: 'contact' } });
    expect(timeline.at(-1).summary).toContain('asked by post');
    const contacts = (await h.call(c.operator, 'GET', `/v1/contacts?customerId=${customer}`)).body.data;
    expect(contacts.map((m: { erased: boolean; to: string[] }) => [m.erased, m.to])).toEqual([
      [false, ['paul@dupont.example']],
      [true, []],
    ]);
    const documents = (await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}/documents`)).body.data;
    expect(documents.map((d: { erased: boolean }) => d.erased)).toEqual([false, true]);
    const gone = await h.call(c.operator, 'GET', `/v1/invoices/${invoice.id}/documents/${documents[1].id}`);
    expect([gone.status, gone.body.code]).toEqual([410, 'erased']);
    expect((await verification()).problems).toEqual([]);

    // What is left is the only address of an open case.
    const last = await erase(customer, { contactEmail: 'paul@dupont.example' });
    expect([last.status, last.body.code]).toEqual([409, 'onlyAddress']);
    const again = await erase(customer, { contactEmail: 'jane@dupont.example' });
    expect([again.status, again.body.code]).toEqual([422, 'unknownContact']);
  });

  test('of all waits for the last case to close, and leaves amounts, dates and books', async () => {
    const { invoice, customer } = await known();
    const early = await erase(customer, { all: true });
    expect([early.status, early.body.code]).toEqual([409, 'customerOpen']);
    await closeCase(h.db, invoice.id, 'settled', 'reminding');
    const done = await erase(customer, { all: true });
    expect(done.body).toEqual({ people: 2, messages: 2, documents: 2, texts: 4 });
    const kept = await everything(customer);
    expect(kept).not.toMatch(/jane|paul|\+33/i);
    expect(JSON.parse(kept).invoices[0]).toMatchObject({
      number: invoice.number,
      amount: '1200.00',
      dueOn: '2026-12-31',
    });
    expect(JSON.parse(kept).events.at(-1)).toMatchObject({ kind: 'personalDataErased', text: 'asked by post' });
    expect((await verification()).problems).toEqual([]);
  });

  test('is refused while a message is on its way, without a body that fits, and to operators', async () => {
    const { customer, messages } = await known();
    await h.db.updateTable('contacts').set({ status: 'unknown' }).where('id', '=', messages[0]!).execute();
    expect((await erase(customer, { contactEmail: 'jane@dupont.example' })).body.code).toBe('contactUnderWay');
    expect((await erase(customer, {})).status).toBe(422);
    expect((await erase(customer, { all: true, contactEmail: 'a@b.example' })).status).toBe(422);
    expect((await erase(customer, { all: true }, c.operator)).status).toBe(403);
  });
});

test('the export has everything about one customer and nothing of another', async () => {
  const { invoice, customer, messages } = await known();
  await known();
  await h.call(c.operator, 'POST', `/v1/invoices/${invoice.id}/payments`, {
    amount: '10.00',
    currency: 'EUR',
    receivedOn: '2026-11-20',
  });
  const reply = await h.call(c.approver, 'GET', `/v1/customers/${customer}/export`);
  expect([reply.status, reply.headers['content-disposition']]).toEqual([
    200,
    `attachment; filename="${customer}.json"`,
  ]);
  expect(reply.body).toMatchObject({
    customer: { id: customer, name: 'Dupont SARL', contacts: [{ name: 'Jane Martin' }, { name: 'Paul Durand' }] },
    invoices: [{ id: invoice.id, amount: '1200.00', balance: '1190.00', registeredAt: '2026-11-20T09:00:00.000Z' }],
    receipts: [{ amount: '10.00' }],
    allocations: [{ amount: '10.00' }],
    disputes: [{ amount: '1.00', note: 'PAUL@dupont.example says so' }],
    contacts: [{ id: messages[0], bodyText: 'Hello Jane@dupont.example' }, { id: messages[1] }],
    documents: [{ kind: 'email' }, { kind: 'email' }],
  });
  expect(reply.body.events.map((e: { kind: string }) => e.kind)).toContain('paymentAllocated');
  expect(reply.raw.body).not.toContain('creditorId');
});

describe('retention', () => {
  test('is shown with its defaults and changed by kind', async () => {
    const own = await h.creditor();
    const before = await h.call(own.approver, 'GET', '/v1/creditor');
    expect(before.body.retention).toEqual({
      mailBodies: 3650,
      documents: 3650,
      eventTexts: 3650,
      inbox: 730,
      imports: 730,
      idempotencyKeys: 7,
    });
    await h.call(own.approver, 'PATCH', '/v1/creditor', { retention: { mailBodies: 30 } });
    const after = await h.call(own.approver, 'PATCH', '/v1/creditor', { retention: { inbox: null } });
    expect(after.body.retention).toMatchObject({ mailBodies: 30, inbox: null, documents: 3650 });
    const wrong = await h.call(own.approver, 'PATCH', '/v1/creditor', { retention: { mailBodies: 0, mails: 3 } });
    expect(wrong.status).toBe(422);
  });

  test('erases what is old enough and whose cases are closed, in batches', async () => {
    const { invoice, customer, messages } = await known();
    const creditor = {
      id: c.id,
      time_zone: 'Europe/Paris',
      retention: { mailBodies: 30, documents: 60, eventTexts: 90 },
    };
    const state = async () => {
      const contacts = await h.db
        .selectFrom('contacts')
        .select('id')
        .where('id', 'in', messages)
        .where('erased_at', 'is', null)
        .execute();
      const documents = await h.db
        .selectFrom('documents')
        .select('id')
        .where('customer_id', '=', customer)
        .where('erased_at', 'is', null)
        .execute();
      const texts = await h.db
        .selectFrom('event_texts as t')
        .innerJoin('events as e', 'e.id', 't.event_id')
        .select('t.event_id')
        .where('e.invoice_id', '=', invoice.id)
        .execute();
      return [contacts.length, documents.length, texts.length];
    };
    await applyRetention(h.db, creditor, NOW + 100 * DAY);
    expect(await state()).toEqual([2, 2, 2]);
    await closeCase(h.db, invoice.id, 'settled', 'reminding');
    await applyRetention(h.db, creditor, NOW + 30 * DAY);
    expect(await state()).toEqual([2, 2, 2]);
    await applyRetention(h.db, creditor, NOW + 31 * DAY);
    expect(await state()).toEqual([0, 2, 2]);
    await applyRetention(h.db, creditor, NOW + 61 * DAY);
    expect(await state()).toEqual([0, 0, 2]);
    expect(await applyRetention(h.db, { ...creditor, retention: { eventTexts: null } }, NOW + 4_000 * DAY)).toBe(false);
    expect((await state())[2]).toBe(2);
    await applyRetention(h.db, creditor, NOW + 91 * DAY);
    expect(await state()).toEqual([0, 0, 0]);
    expect((await verification()).problems).toEqual([]);
  });

  test('forgets answers, files and bank messages, but not that they came', async () => {
    const own = await h.creditor();
    const feed = await h.call(own.approver, 'POST', '/v1/feeds', { kind: 'standard', name: 'x' });
    for (let n = 0; n < 250; n += 1) {
      await h.db
        .insertInto('inbox')
        .values({
          feed_id: feed.body.id,
          creditor_id: own.id,
          webhook_id: `w-${n}`,
          body: Buffer.from('secret'),
          received_at: new Date(NOW),
          status: n === 0 ? 'pending' : 'applied',
        })
        .execute();
    }
    await h.db
      .insertInto('imports')
      .values({
        id: newId('imp'),
        creditor_id: own.id,
        actor: 'x',
        content_type: 'text/csv',
        body: Buffer.from('names'),
        status: 'done',
        at: new Date(NOW),
      })
      .execute();
    await h.db
      .insertInto('idempotency_keys')
      .values(
        [8, 3].map((days) => ({
          owner: own.id,
          key: `k-${days}`,
          request_hash: Buffer.from('x'),
          state: 'done' as const,
          body: json({ name: 'x' }),
          recorded_at: new Date(Date.now() - days * DAY),
        })),
      )
      .execute();
    const creditor = { id: own.id, time_zone: 'Europe/Paris', retention: { inbox: 10, imports: 10 } };
    expect(await applyRetention(h.db, creditor, NOW + 11 * DAY)).toBe(true);
    expect(await applyRetention(h.db, creditor, NOW + 11 * DAY)).toBe(false);
    const bodies = await h.db.selectFrom('inbox').select('body').where('creditor_id', '=', own.id).execute();
    expect(bodies.filter(({ body }) => body.length > 0)).toHaveLength(1);
    expect(bodies).toHaveLength(250);
    const imports = await h.db.selectFrom('imports').select('body').where('creditor_id', '=', own.id).execute();
    expect(imports.map(({ body }) => body.length)).toEqual([0]);
    const keys = await h.db.selectFrom('idempotency_keys').select('key').where('owner', '=', own.id).execute();
    expect(keys).toEqual([{ key: 'k-3' }]);
  });
});
