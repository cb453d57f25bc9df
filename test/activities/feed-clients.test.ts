import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AskError, type AskCode, type AskOptions } from '../../activities/feeds/ask.ts';
import { createBridgeClient } from '../../activities/feeds/bridge-client.ts';
import { createGoCardlessClient } from '../../activities/feeds/gocardless-client.ts';
import { transactionOfBridge } from '../../domain/statement/providers/bridge.ts';
import { eventOfGoCardless, transactionOfPayment } from '../../domain/statement/providers/gocardless.ts';
import { BRIDGE_CREDENTIALS, startFakeBridge, type FakeBridge } from '../support/fakes/bridge.ts';
import { GOCARDLESS_TOKEN, startFakeGoCardless, type FakeGoCardless } from '../support/fakes/gocardless.ts';
import type { Fault } from '../support/fakes/provider-server.ts';
import {
  bridgeTransaction,
  bytes,
  gocardlessEvent,
  gocardlessPayment,
  gocardlessRefund,
} from '../support/webhook-bodies.ts';

/** Pauses that were asked for; nobody waits. */
let pauses: number[];
const options = (more: AskOptions = {}): AskOptions => ({
  timeoutMs: 5_000,
  sleep: (ms) => {
    pauses.push(ms);
    return Promise.resolve();
  },
  ...more,
});
beforeEach(() => void (pauses = []));

const status = (code: number, headers: Record<string, string> = {}): Fault => ({
  kind: 'status',
  status: code,
  headers,
});

async function errorOf(asked: Promise<unknown>): Promise<AskError> {
  const error: unknown = await asked.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AskError)) throw new Error(`no AskError but ${inspect(error)}`);
  return error;
}

describe('Bridge', () => {
  const ACCOUNT = 22_908_770;
  let bridge: FakeBridge;
  beforeEach(async () => {
    bridge = await startFakeBridge();
    bridge.transactions = [1, 2, 3, 4, 5].map((id) => ({
      ...bridgeTransaction({ id, amount: id, updated_at: `2026-11-2${id}T08:00:00.000Z` }),
      id,
      account_id: ACCOUNT,
      updated_at: `2026-11-2${id}T08:00:00.000Z`,
    }));
  });
  afterEach(() => bridge.stop());

  const client = (more: AskOptions = {}) =>
    createBridgeClient({ ...BRIDGE_CREDENTIALS, baseUrl: bridge.url, ...options(more) });
  const idsOf = (resources: unknown[]) => resources.map((one) => (one as { id: number }).id);

  test('reads to the last page, and says what to ask with the next time', async () => {
    const { resources, since } = await client().changes(String(ACCOUNT), null);
    expect(idsOf(resources)).toEqual([1, 2, 3, 4, 5]);
    expect(since).toBe('2026-11-25T08:00:00.000Z');
    const lists = bridge.requests.filter((request) => request.method === 'GET');
    expect(lists.map(({ url }) => [url.searchParams.get('limit'), url.searchParams.get('since')])).toEqual(
      Array.from({ length: 3 }, () => ['500', null]),
    );
    expect(resources.map(transactionOfBridge).map((message) => message.kind)).toEqual(Array(5).fill('transaction'));
  });

  test('asks for what changed since, and keeps the moment where nothing did', async () => {
    const one = client();
    const later = await one.changes(String(ACCOUNT), '2026-11-24T08:00:00.000Z');
    expect([idsOf(later.resources), later.since]).toEqual([[4, 5], '2026-11-25T08:00:00.000Z']);
    const none = await one.changes(String(ACCOUNT), '2027-01-01T00:00:00.000Z');
    expect(none).toEqual({ resources: [], since: '2027-01-01T00:00:00.000Z' });
    expect(await one.changes('1', null)).toEqual({ resources: [], since: null });
    expect(bridge.requests.filter((request) => request.method === 'POST')).toHaveLength(1);
  });

  test('a transaction that comes on two pages comes twice: its id tells', async () => {
    bridge.repeats = true;
    const { resources } = await client().changes(String(ACCOUNT), null);
    expect(idsOf(resources)).toEqual([1, 2, 2, 3, 4, 4, 5]);
  });

  test('a page that fails is asked for again, and no list is given in part', async () => {
    bridge.failNext(status(503), { kind: 'drop' });
    expect(idsOf((await client().changes(String(ACCOUNT), null)).resources)).toHaveLength(5);
    const one = client();
    bridge.transactions.length = 3;
    await one.changes(String(ACCOUNT), null);
    bridge.nextUri = (uri) => {
      bridge.failNext(...Array<Fault>(4).fill(status(500)));
      return uri;
    };
    expect((await errorOf(one.changes(String(ACCOUNT), null))).code).toBe('unavailable');
  });

  test('takes a new token when Bridge no longer takes the old one, and does not ask for ever', async () => {
    const one = client();
    await one.changes(String(ACCOUNT), null);
    bridge.expireTokens();
    expect(idsOf((await one.changes(String(ACCOUNT), null)).resources)).toHaveLength(5);
    expect(bridge.requests.filter((request) => request.method === 'POST')).toHaveLength(2);
    bridge.expireTokens();
    bridge.failNext(status(401), { kind: 'status', status: 401 });
    expect((await errorOf(one.changes(String(ACCOUNT), null))).code).toBe('unauthorized');
  });

  test('follows no page to another host, and none twice', async () => {
    const elsewhere = await startFakeBridge();
    for (const nextUri of [
      `${elsewhere.url}/v3/aggregation/transactions`,
      '//other.example/x',
      'http://[',
      'file:///x',
    ]) {
      bridge.nextUri = () => nextUri;
      expect((await errorOf(client().changes(String(ACCOUNT), null))).code).toBe('unreadable');
    }
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.stop();
    bridge.nextUri = () => `/v3/aggregation/transactions?account_id=${ACCOUNT}&after=2`;
    expect((await errorOf(client().changes(String(ACCOUNT), null))).code).toBe('unreadable');
  });
});

describe('GoCardless', () => {
  let gocardless: FakeGoCardless;
  beforeEach(async () => {
    gocardless = await startFakeGoCardless();
    gocardless.payments.set('PM0001', gocardlessPayment());
    gocardless.refunds.set('RF0001', gocardlessRefund());
  });
  afterEach(() => gocardless.stop());

  const client = (more: AskOptions = {}, accessToken = GOCARDLESS_TOKEN) =>
    createGoCardlessClient({ accessToken, baseUrl: gocardless.url, ...options(more) });

  test('gives the payment and the refund that events are about', async () => {
    const payment = await client().payment('PM0001');
    expect(transactionOfPayment(eventOfGoCardless(bytes(gocardlessEvent('confirmed'))), payment)).toMatchObject({
      kind: 'transaction',
      transaction: { amountMinor: 120_000n },
    });
    expect(await client().refund('RF0001')).toEqual(gocardlessRefund());
    expect((await errorOf(client().payment('PM0002'))).code).toBe('notFound');
    expect((await errorOf(client().payment('../refunds/RF0001'))).code).toBe('notFound');
  });

  test('waits as long as it is told to when throttled', async () => {
    const soon = new Date(Date.now() + 5_000).toUTCString();
    gocardless.failNext(status(429, { 'retry-after': '2' }), status(429, { 'ratelimit-reset': soon }), status(429));
    expect(await client().payment('PM0001')).toEqual(gocardlessPayment());
    expect(pauses[0]).toBe(2_000);
    expect(pauses[1]).toBeGreaterThan(2_000);
    expect(pauses[1]).toBeLessThanOrEqual(5_000);
    expect(pauses[2]).toBe(2_000);
  });

  test('hands a long wait to its caller', async () => {
    gocardless.failNext(status(429, { 'retry-after': '600' }));
    const error = await errorOf(client().payment('PM0001'));
    expect([error.code, error.afterMs, error.temporary]).toEqual(['throttled', 600_000, true]);
    expect(pauses).toEqual([]);
  });

  test('asks four times at most, with longer pauses', async () => {
    gocardless.failNext(status(500), { kind: 'drop' }, status(503), status(502));
    const error = await errorOf(client().payment('PM0001'));
    expect([error.code, error.status, error.temporary]).toEqual(['unavailable', 502, true]);
    expect(pauses).toEqual([500, 1_000, 2_000]);
    expect(gocardless.requests).toHaveLength(4);
  });

  test('no answer in time is none', async () => {
    gocardless.failNext({ kind: 'hang' }, { kind: 'hang' });
    const error = await errorOf(client({ timeoutMs: 100, attempts: 2 }).payment('PM0001'));
    expect([error.code, error.status]).toEqual(['unavailable', null]);
  });

  test('what will not get better is asked once', async () => {
    const cases: [Fault, AskCode][] = [
      [{ kind: 'notJson' }, 'unreadable'],
      [status(400), 'refused'],
      [status(401), 'unauthorized'],
      [status(403), 'unauthorized'],
      [status(302, { location: 'http://other.example/' }), 'refused'],
    ];
    for (const [fault, code] of cases) {
      gocardless.failNext(fault);
      const error = await errorOf(client().payment('PM0001'));
      expect([error.code, error.temporary]).toEqual([code, false]);
    }
    expect(gocardless.requests).toHaveLength(cases.length);
    gocardless.payments.set('PM0003', null);
    expect((await errorOf(client().payment('PM0003'))).code).toBe('unreadable');
  });
});

test('no error tells the credentials, the question or what the provider said', async () => {
  const [bridge, gocardless] = [await startFakeBridge(), await startFakeGoCardless()];
  const errors: string[] = [];
  const faults: Fault[] = [
    status(401),
    status(400),
    status(500),
    { kind: 'drop' },
    { kind: 'hang' },
    { kind: 'notJson' },
  ];
  for (const fault of faults) {
    const more = options({ timeoutMs: 100, attempts: 1 });
    bridge.failNext(fault);
    const ofBridge = createBridgeClient({ ...BRIDGE_CREDENTIALS, baseUrl: bridge.url, ...more });
    errors.push(inspect(await errorOf(ofBridge.changes('account-77', null)), { depth: 9, showHidden: true }));
    gocardless.failNext(fault);
    const ofGoCardless = createGoCardlessClient({ accessToken: GOCARDLESS_TOKEN, baseUrl: gocardless.url, ...more });
    errors.push(inspect(await errorOf(ofGoCardless.payment('PM-private')), { depth: 9, showHidden: true }));
  }
  const secrets = [
    ...Object.values(BRIDGE_CREDENTIALS),
    GOCARDLESS_TOKEN,
    'account-77',
    'PM-private',
    'secret words',
    '127.0.0.1',
  ];
  for (const secret of secrets) expect(errors.filter((text) => text.includes(secret))).toEqual([]);
  await Promise.all([bridge.stop(), gocardless.stop()]);
});
