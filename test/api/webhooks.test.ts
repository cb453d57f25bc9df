import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../db/ids.ts';
import { DELIVERY_SECRET, newInvoice, NOW, signed, startApi, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;
let feed: { id: string; secret: string };

beforeAll(async () => {
  h = await startApi({}, 20);
  c = await h.creditor();
  feed = (await h.call(c.approver, 'POST', '/v1/feeds', { kind: 'standard', name: 'Main' })).body;
});
afterAll(() => h.stop());

const transaction = (id: string) =>
  JSON.stringify({
    type: 'transaction.booked',
    timestamp: '2026-11-20T09:00:00Z',
    data: { id, bookedOn: '2026-11-20', amount: '1200.00', currency: 'EUR', direction: 'credit', remittance: 'INV-1' },
  });

const send = (body: string | Buffer, headers: Record<string, string>, feedId = feed.id) =>
  h.app.inject({ method: 'POST', url: `/v1/webhooks/feeds/${feedId}`, payload: body, headers });

const inbox = () => h.db.selectFrom('inbox').selectAll().where('feed_id', '=', feed.id).orderBy('id').execute();

describe('a bank’s webhook', () => {
  test('is on disk before its 2xx, byte for byte, and pokes its feed', async () => {
    const body = transaction('t-1').replace('{', '{ ');
    const reply = await send(body, signed(feed.secret, 'msg-1', body));
    expect(reply.statusCode).toBe(204);
    const [row] = await inbox();
    expect(row).toMatchObject({
      webhook_id: 'msg-1',
      data_key: 'transaction.booked:t-1',
      received_at: NOW,
      creditor_id: c.id,
    });
    expect(row!.body.toString()).toBe(body);
    const pokes = await h.db.selectFrom('outbox').select('kind').where('target', '=', feed.id).execute();
    expect(pokes).toEqual([{ kind: 'pokeFeed' }]);
  });

  test('needs no content type', async () => {
    const body = transaction('t-bare');
    const { 'content-type': _, ...headers } = signed(feed.secret, 'msg-bare', body);
    expect((await send(Buffer.from(body), headers)).statusCode).toBe(204);
  });

  test('a thousand copies at once are one row', async () => {
    const body = transaction('t-1000');
    const headers = signed(feed.secret, 'msg-1000', body);
    const replies = await Promise.all(Array.from({ length: 1000 }, () => send(body, headers)));
    expect(new Set(replies.map((reply) => reply.statusCode))).toEqual(new Set([204]));
    expect((await inbox()).filter((row) => row.webhook_id === 'msg-1000')).toHaveLength(1);
    // The same transaction under another message id is the same transaction.
    const other = await send(body, signed(feed.secret, 'msg-1001', body));
    expect(other.statusCode).toBe(204);
    expect((await inbox()).filter((row) => row.data_key === 'transaction.booked:t-1000')).toHaveLength(1);
  });

  test('tampered, stale, early, unsigned or another feed’s: 401 and no row', async () => {
    const before = (await inbox()).length;
    const body = transaction('t-2');
    const good = signed(feed.secret, 'msg-2', body);
    const real = Date.now();
    const other = (await h.call(c.approver, 'POST', '/v1/feeds', { kind: 'standard', name: 'Other' })).body;
    const attempts: [string, string | Buffer, Record<string, string>, string?][] = [
      ['tampered body', body.replace('1200.00', '9200.00'), good],
      ['tampered id', body, { ...good, 'webhook-id': 'msg-3' }],
      ['tampered time', body, { ...good, 'webhook-timestamp': String(Number(good['webhook-timestamp']) + 1) }],
      ['stale', body, signed(feed.secret, 'msg-4', body, new Date(real - 301_000))],
      // So far ahead that no slow machine catches up with it meanwhile.
      ['from the future', body, signed(feed.secret, 'msg-5', body, new Date(real + 400_000))],
      ['no signature', body, { 'content-type': 'application/json' }],
      ['empty signature', body, { ...good, 'webhook-signature': 'v1,' }],
      ['another version', body, { ...good, 'webhook-signature': good['webhook-signature']!.replace('v1,', 'v2,') }],
      ['another secret', body, signed(other.secret, 'msg-6', body)],
      ['another feed', body, good, other.id],
      ['no feed', body, good, newId('fee')],
      ['a feed id that is none', body, good, 'x'],
    ];
    const words = new Set<string>();
    for (const [what, payload, headers, feedId] of attempts) {
      const reply = await send(payload, headers, feedId);
      expect([what, reply.statusCode]).toEqual([what, 401]);
      words.add(reply.body);
    }
    // One answer for all of them: nothing is learnt about which feeds there are.
    expect(words.size).toBe(1);
    expect(await inbox()).toHaveLength(before);
  });

  test('is taken under both secrets while rotating, not under the one before', async () => {
    const body = transaction('t-rotate');
    const second = (await h.call(c.approver, 'POST', `/v1/feeds/${feed.id}/rotate`)).body.secret;
    expect((await send(body, signed(feed.secret, 'r-1', body))).statusCode).toBe(204);
    expect((await send(body, signed(second, 'r-2', body))).statusCode).toBe(204);
    const third = (await h.call(c.approver, 'POST', `/v1/feeds/${feed.id}/rotate`)).body.secret;
    expect((await send(body, signed(feed.secret, 'r-3', body))).statusCode).toBe(401);
    expect((await send(body, signed(second, 'r-4', body))).statusCode).toBe(204);
    feed.secret = third;
  });

  test('signed but unreadable is kept, also where it is not text at all', async () => {
    const text = 'not { json';
    expect((await send(text, signed(feed.secret, 'u-1', text))).statusCode).toBe(204);
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]);
    const stamp = String(Math.floor(Date.now() / 1000));
    const { createHmac } = await import('node:crypto');
    const key = Buffer.from(feed.secret.slice(6), 'base64');
    const signature = createHmac('sha256', key).update(`u-2.${stamp}.`).update(bytes).digest('base64');
    const reply = await send(bytes, {
      'content-type': 'application/octet-stream',
      'webhook-id': 'u-2',
      'webhook-timestamp': stamp,
      'webhook-signature': `v1,AAAA v1,${signature}`,
    });
    expect(reply.statusCode).toBe(204);
    const kept = (await inbox()).filter((row) => row.webhook_id.startsWith('u-'));
    expect(
      kept.map((row) => [
        row.webhook_id,
        row.data_key,
        row.body.equals(row.webhook_id === 'u-2' ? bytes : Buffer.from(text)),
      ]),
    ).toEqual([
      ['u-1', null, true],
      ['u-2', null, true],
    ]);
  });
});

describe('the mail provider’s webhook', () => {
  const deliver = (id: string, event: object, secret = DELIVERY_SECRET) => {
    const body = JSON.stringify(event);
    const at = new Date();
    return h.app.inject({
      method: 'POST',
      url: '/v1/webhooks/resend',
      payload: body,
      headers: {
        'content-type': 'application/json',
        'svix-id': id,
        'svix-timestamp': String(Math.floor(at.getTime() / 1000)),
        'svix-signature': new Webhook(secret).sign(id, at, body),
      },
    });
  };

  async function sentContact(status: 'sent' | 'sending' = 'sent') {
    const invoice = await newInvoice(h, c.operator);
    const id = newId('con');
    await h.db
      .insertInto('contacts')
      .values({
        id,
        creditor_id: c.id,
        customer_id: invoice.customerId,
        kind: 'reminder',
        channel: 'email',
        status,
        sender: 'Atelier <a@atelier.example>',
        reference: `R-${id.slice(-8)}`,
        recipients: [`${id.slice(-8)}@example.com`],
        recipient_key: 'k',
        day: '2026-11-20',
        planned_at: new Date(NOW),
        queued_at: new Date(NOW),
        provider_id: status === 'sent' ? `mail-${id}` : null,
        template: 'reminder',
        tone: 'neutral',
        locale: 'fr',
      })
      .execute();
    await h.db
      .insertInto('contact_items')
      .values({
        contact_id: id,
        invoice_id: invoice.id,
        step: 'reminder-1',
        occurrence: 1,
        amount_minor: 120_000n,
        currency: 'EUR',
        asks: true,
      })
      .execute();
    return { id, invoice, mail: `mail-${id}`, to: `${id.slice(-8)}@example.com` };
  }

  const event = (type: string, contact: { id: string; mail: string }, more = {}) => ({
    type: `email.${type}`,
    created_at: new Date().toISOString(),
    data: { email_id: contact.mail, tags: { contact: contact.id }, ...more },
  });
  const shown = async (id: string) => (await h.call(c.operator, 'GET', `/v1/contacts/${id}`)).body;

  test('moves a contact forward only, each event once', async () => {
    const contact = await sentContact();
    expect((await deliver('d-1', event('delivered', contact))).statusCode).toBe(204);
    expect(await shown(contact.id)).toMatchObject({
      status: 'delivered',
      items: [{ step: 'reminder-1', amount: '1200.00' }],
    });
    expect((await deliver('d-2', event('sent', contact))).statusCode).toBe(204);
    expect((await deliver('d-1', event('delivered', contact))).statusCode).toBe(204);
    expect((await shown(contact.id)).status).toBe('delivered');
    const timeline = await h.call(c.operator, 'GET', `/v1/invoices/${contact.invoice.id}/timeline`);
    expect(timeline.body.data.map((e: { kind: string }) => e.kind)).toEqual(['invoiceRegistered', 'contactDelivered']);
  });

  test('a bounce fails the contact, opens a task and stops the address', async () => {
    const contact = await sentContact();
    await deliver('b-1', event('bounced', contact, { bounce: { type: 'Permanent' } }));
    expect(await shown(contact.id)).toMatchObject({ status: 'failed', errorCode: 'bounced' });
    const stopped = await h.db
      .selectFrom('stopped_addresses')
      .select('email')
      .where('email', '=', contact.to)
      .execute();
    expect(stopped).toHaveLength(1);
    const tasks = await h.call(c.operator, 'GET', '/v1/tasks?kind=returnedMail');
    expect(tasks.body.data.map((t: { contactId: string }) => t.contactId)).toContain(contact.id);
    const listed = await h.call(c.operator, 'GET', `/v1/contacts?status=failed&invoiceId=${contact.invoice.id}`);
    expect(listed.body.data.map((row: { id: string }) => row.id)).toEqual([contact.id]);
  });

  test('a busy mailbox fails the contact but stays a good address', async () => {
    const contact = await sentContact();
    await deliver('b-2', event('bounced', contact, { bounce: { type: 'Transient' } }));
    expect((await shown(contact.id)).status).toBe('failed');
    expect(
      await h.db.selectFrom('stopped_addresses').select('email').where('email', '=', contact.to).execute(),
    ).toEqual([]);
  });

  test('a mail whose acceptance was never heard of is known by its tag', async () => {
    const contact = await sentContact('sending');
    await deliver('t-1', event('delivered', contact));
    expect((await shown(contact.id)).status).toBe('delivered');
  });

  test('unsigned is refused, signed nonsense is taken and changes nothing', async () => {
    const contact = await sentContact();
    const wrong = `whsec_${Buffer.from('another-secret-another-secret-00').toString('base64')}`;
    expect((await deliver('x-1', event('bounced', contact), wrong)).statusCode).toBe(401);
    expect((await deliver('x-2', { hello: 'world' })).statusCode).toBe(204);
    expect((await deliver('x-3', event('opened', contact))).statusCode).toBe(204);
    expect((await shown(contact.id)).status).toBe('sent');
  });
});
