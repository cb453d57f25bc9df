import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemAct } from '../../db/act.ts';
import { inTransaction } from '../../db/database.ts';
import { dueFetches, postponeFetches } from '../../db/repositories/feed-fetches.ts';
import { findFeed } from '../../db/repositories/feeds.ts';
import { NOW, signed, startApi, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;
beforeAll(async () => {
  h = await startApi();
  c = await h.creditor();
});
afterAll(() => h.stop());

const BRIDGE = {
  clientId: 'bridge-client-id',
  clientSecret: 'bridge-client-secret-of-tests',
  userUuid: '766b2f5d-0000-4000-8000-000000000001',
  accountId: '22908770',
};
const GOCARDLESS = { accessToken: 'sandbox_access_token_of_tests', environment: 'sandbox' };
const add = (body: object) => h.call(c.approver, 'POST', '/v1/feeds', body);
const feedOf = async (id: string) => (await h.call(c.approver, 'GET', `/v1/feeds/${id}`)).body;
const change = (id: string, body: object) => h.call(c.approver, 'PATCH', `/v1/feeds/${id}`, body);
const rotate = (id: string, body?: object) => h.call(c.approver, 'POST', `/v1/feeds/${id}/rotate`, body);
const faults = (reply: { body: { errors: { pointer: string; code: string }[] } }) =>
  reply.body.errors.map(({ pointer, code }) => `${pointer} ${code}`);

describe('adding a feed', () => {
  test('a standard one gets a secret, shown this once, or takes the one of its sender', async () => {
    const made = await add({ kind: 'standard', name: 'Main', iban: 'FR76 3000 6000 0112 3456 7890 189' });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      id: expect.stringMatching(/^fee_/),
      webhookUrl: `https://relance.example/v1/webhooks/feeds/${made.body.id}`,
      secret: expect.stringMatching(/^whsec_/),
    });
    const secret = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;
    expect((await add({ kind: 'standard', name: 'Given', secret })).body.secret).toBe(secret);
    expect(await feedOf(made.body.id)).toEqual({
      id: made.body.id,
      kind: 'standard',
      name: 'Main',
      iban: 'FR7630006000011234567890189',
      webhookUrl: made.body.webhookUrl,
      missing: [],
      createdAt: '2026-11-20T09:00:00.000Z',
      activeSecrets: 1,
      pending: 0,
      toFetch: 0,
      waiting: 0,
      lastMessageAt: null,
      fetching: null,
    });
  });

  test.each([
    ['qonto', undefined, ['secret']],
    ['stripe', undefined, ['secret']],
    ['bridge', undefined, ['secret', 'credentials']],
    ['bridge', BRIDGE, ['secret']],
    ['gocardless', GOCARDLESS, ['secret']],
    ['file', undefined, []],
  ])('%s says what it still misses', async (kind, credentials, missing) => {
    const made = await add({ kind, name: 'x', ...(credentials ? { credentials } : {}) });
    expect([made.status, made.body.secret]).toEqual([201, null]);
    const shown = await feedOf(made.body.id);
    expect(shown.missing).toEqual(missing);
    expect(shown.webhookUrl === null).toBe(kind === 'file');
  });

  test.each<[string, object, string[]]>([
    ['no kind', { name: 'x' }, ['/kind notAllowed']],
    ['another kind', { kind: 'paypal', name: 'x' }, ['/kind notAllowed']],
    ['a short secret', { kind: 'standard', name: 'x', secret: 'whsec_AAAA' }, ['/secret invalidFormat']],
    ['no secret of Stripe', { kind: 'stripe', name: 'x', secret: 'an-api-key-of-stripe' }, ['/secret invalidFormat']],
    ['a secret with blanks', { kind: 'qonto', name: 'x', secret: 'eight or more' }, ['/secret invalidFormat']],
    ['a secret for files', { kind: 'file', name: 'x', secret: 'x'.repeat(20) }, ['/secret unknownField']],
    ['credentials of nobody', { kind: 'stripe', name: 'x', credentials: BRIDGE }, ['/credentials unknownField']],
    [
      'credentials of another',
      { kind: 'gocardless', name: 'x', credentials: { accessToken: 'x'.repeat(20), environment: 'test' } },
      ['/credentials/environment notAllowed'],
    ],
    [
      'half of the credentials',
      { kind: 'bridge', name: 'x', credentials: { ...BRIDGE, accountId: 'main', userUuid: undefined } },
      ['/credentials/userUuid required', '/credentials/accountId invalidFormat'],
    ],
    ['no IBAN', { kind: 'file', name: 'x', iban: 'FR00' }, ['/iban ibanInvalid']],
  ])('%s is refused', async (_, body, expected) => {
    const reply = await add(body);
    expect([reply.status, faults(reply)]).toEqual([422, expected]);
  });

  test('what is secret is encrypted, and shown and logged nowhere', async () => {
    const secret = 'qonto-secret-of-this-very-test';
    const made = await add({ kind: 'qonto', name: 'Secret', secret });
    const bridge = await add({ kind: 'bridge', name: 'Secret', credentials: BRIDGE, secret });
    const rows = await h.db.selectFrom('feeds').selectAll().where('name', '=', 'Secret').execute();
    const listed = await h.call(c.approver, 'GET', '/v1/feeds');
    const shown = [made, bridge, listed].map((reply) => reply.body);
    const everything = JSON.stringify([...rows, ...shown], (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v));
    for (const text of [secret, BRIDGE.clientSecret, BRIDGE.clientId]) {
      expect(everything).not.toContain(text);
      expect(h.logs()).not.toContain(text);
    }
    expect(rows.every((row) => row.secrets.length === 1)).toBe(true);
  });
});

describe('changing a feed', () => {
  test('by name and by credentials of its kind', async () => {
    const { id } = (await add({ kind: 'gocardless', name: 'Debits' })).body;
    expect((await change(id, { name: 'Direct debits' })).body).toMatchObject({
      name: 'Direct debits',
      missing: ['secret', 'credentials'],
    });
    expect(faults(await change(id, { credentials: BRIDGE }))).toContain('/credentials/accessToken required');
    expect((await change(id, { credentials: GOCARDLESS })).body.missing).toEqual(['secret']);
    const stripe = (await add({ kind: 'stripe', name: 'Cards' })).body;
    expect(faults(await change(stripe.id, { credentials: GOCARDLESS }))).toEqual(['/credentials unknownField']);
    expect(faults(await change(id, { kind: 'bridge' }))).toEqual(['/kind unknownField']);
  });

  test('a secret of its provider comes by rotation; two are active, the newest again changes nothing', async () => {
    const { id } = (await add({ kind: 'stripe', name: 'Cards' })).body;
    expect(faults(await rotate(id))).toEqual(['/secret required']);
    expect(faults(await rotate(id, { secret: 'whsec_short' }))).toEqual(['/secret invalidFormat']);
    for (const [n, active] of [
      [1, 1],
      [2, 2],
      [2, 2],
      [3, 2],
    ]) {
      const reply = await rotate(id, { secret: `whsec_${String(n).repeat(32)}` });
      expect([reply.status, reply.body.secret]).toEqual([200, null]);
      expect((await feedOf(id)).activeSecrets).toBe(active);
    }
    expect((await feedOf(id)).missing).toEqual([]);
    const file = (await add({ kind: 'file', name: 'Files' })).body;
    expect(await rotate(file.id)).toMatchObject({ status: 409, body: { code: 'feedHasNoWebhook' } });
  });

  test('shows what waits; new credentials are tried at once, of another account from the start', async () => {
    const { id } = (await add({ kind: 'bridge', name: 'Bridge', credentials: BRIDGE })).body;
    const row = { feed_id: id, creditor_id: c.id, body: Buffer.from('{}'), received_at: new Date(NOW) };
    await h.db
      .insertInto('inbox')
      .values([
        { ...row, webhook_id: 'w-1', status: 'fetch' },
        { ...row, webhook_id: 'w-2', status: 'fetch' },
        { ...row, webhook_id: 'w-3' },
      ])
      .execute();
    const feed = (await findFeed(h.db, id))!;
    const [first] = await dueFetches(h.db, id, 10);
    await inTransaction(h.db, (tx) =>
      postponeFetches(tx, systemAct(NOW), feed, [first!], { code: 'unauthorized', pauseMs: 60_000, askPerson: true }),
    );
    expect(await dueFetches(h.db, id, 10)).toEqual([]);
    expect(await feedOf(id)).toMatchObject({
      pending: 1,
      toFetch: 2,
      lastMessageAt: '2026-11-20T09:00:00.000Z',
      fetching: { attempts: 1, errorCode: 'unauthorized', notBefore: expect.any(String) },
    });

    await h.db.updateTable('feeds').set({ read_to: '2026-11-19T00:00:00Z' }).where('id', '=', id).execute();
    await change(id, { credentials: { ...BRIDGE, clientSecret: 'another-client-secret' } });
    expect((await findFeed(h.db, id))!.read_to).toBe('2026-11-19T00:00:00Z');
    expect(await dueFetches(h.db, id, 10)).toHaveLength(2);
    expect((await feedOf(id)).fetching).toBeNull();
    await change(id, { credentials: { ...BRIDGE, accountId: '1' } });
    expect((await findFeed(h.db, id))!.read_to).toBeNull();
    const poked = await h.db.selectFrom('outbox').select('kind').where('target', '=', id).execute();
    expect(poked).toEqual([{ kind: 'pokeFeed' }]);

    await h.call(c.approver, 'DELETE', `/v1/feeds/${id}`);
    const left = await h.db.selectFrom('inbox').select(['status', 'error_code']).where('feed_id', '=', id).execute();
    expect(left.map((one) => one.status).sort()).toEqual(['pending', 'unreadable', 'unreadable']);
    const [task] = await h.db.selectFrom('tasks').selectAll().where('kind', '=', 'feedUnreachable').execute();
    expect(task).toMatchObject({ status: 'done', role: 'approver', outcome: { outcome: 'feedDeleted' } });
  });
});

test('a deleted feed is gone, its webhooks are refused without a trace, its secrets are forgotten', async () => {
  const { id, secret } = (await add({ kind: 'standard', name: 'Old' })).body;
  const body = JSON.stringify({ type: 'transaction.booked', data: { id: 't-1' } });
  const send = (webhook: string) =>
    h.app.inject({
      method: 'POST',
      url: `/v1/webhooks/feeds/${id}`,
      payload: body,
      headers: signed(secret, webhook, body),
    });
  expect((await send('m-1')).statusCode).toBe(204);
  expect((await h.call(c.approver, 'DELETE', `/v1/feeds/${id}`)).status).toBe(204);
  expect((await send('m-2')).statusCode).toBe(401);
  const rows = await h.db.selectFrom('inbox').select('webhook_id').where('feed_id', '=', id).execute();
  expect(rows).toEqual([{ webhook_id: 'm-1' }]);
  for (const [method, path] of [
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/rotate'],
  ] as const) {
    expect((await h.call(c.approver, method, `/v1/feeds/${id}${path}`, {})).status).toBe(404);
  }
  const listed = await h.call(c.approver, 'GET', '/v1/feeds');
  expect(listed.body.data.map((feed: { id: string }) => feed.id)).not.toContain(id);
  const kept = await h.db.selectFrom('feeds').select(['secrets', 'deleted_at']).where('id', '=', id).execute();
  expect(kept).toEqual([{ secrets: [], deleted_at: NOW }]);
});
