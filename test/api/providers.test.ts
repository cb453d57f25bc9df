import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { verifyAndSplit } from '../../api/webhooks/providers.ts';
import type { FeedKind } from '../../db/types.ts';
import {
  signBridge,
  signGoCardless,
  signQonto,
  signStandard,
  signStripe,
  type Signer,
} from '../support/webhook-signing.ts';

const NOW = Date.parse('2026-11-20T09:00:00Z');
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value), 'utf8');
const sha256 = (body: Buffer): string => `sha256:${createHash('sha256').update(body).digest('hex')}`;
const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

interface Provider {
  kind: FeedKind;
  sign: Signer;
  body: unknown;
  /** The header of the signature, and how two of them stand in one. */
  header: string;
  join: (first: string, second: string) => string;
  /** Whether the signature ends: else only the key of a message tells a replay. */
  timed: boolean;
  keys: string[];
}

const event = (id: string) => ({ id, resource_type: 'payments', action: 'confirmed', links: { payment: 'PM1' } });

const qonto = {
  id: '8d2c5a4b-0000-4000-8000-000000000001',
  type: 'v1/transactions',
  data: {
    event: 'updated',
    transaction_id: 'acme-1-transaction-7',
    status: 'completed',
    updated_at: '2026-11-20T08:59:00Z',
  },
};
const bridge = { type: 'item.account.updated', timestamp: 1_763_629_200_123, content: { account_id: 22_908_770 } };

const PROVIDERS: Provider[] = [
  {
    kind: 'standard',
    sign: signStandard,
    body: { type: 'transaction.booked', data: { id: 't-1' } },
    header: 'webhook-signature',
    join: (first, second) => `${first} ${second}`,
    timed: true,
    keys: ['msg_1'],
  },
  {
    kind: 'qonto',
    sign: signQonto,
    body: qonto,
    header: 'x-qonto-signature',
    join: (first, second) => `${first},v1=${second.split('v1=')[1]}`,
    timed: true,
    keys: ['acme-1-transaction-7|2026-11-20T08:59:00Z|completed'],
  },
  {
    kind: 'bridge',
    sign: signBridge,
    body: bridge,
    header: 'bridgeapi-signature',
    join: (first, second) => `${first},${second}`,
    timed: false,
    keys: [sha256(bytes(bridge))],
  },
  {
    kind: 'stripe',
    sign: signStripe,
    body: { id: 'evt_1', object: 'event', type: 'charge.succeeded' },
    header: 'stripe-signature',
    join: (first, second) => `${first},v1=${second.split('v1=')[1]!}`,
    timed: true,
    keys: ['evt_1'],
  },
  {
    kind: 'gocardless',
    sign: signGoCardless,
    body: { events: [event('EV1'), event('EV2')] },
    header: 'webhook-signature',
    // One signature only: GoCardless has no second one.
    join: (_, second) => second,
    timed: false,
    keys: ['EV1', 'EV2'],
  },
];

describe.each(PROVIDERS)('$kind', ({ kind, sign, body: value, header, join, timed, keys }) => {
  const secret = newSecret();
  const body = bytes(value);
  const headers = sign(body, secret, NOW);
  const verify = (of = body, under: Record<string, string> = headers, secrets = [secret], now = NOW) =>
    verifyAndSplit(kind, of, under, secrets, now);

  test('proves its sender and keeps what tells a repeat', () => {
    expect(verify()?.map(({ webhookId }) => webhookId)).toEqual(keys);
    // A replay is the same messages under the same keys: the inbox takes them once.
    expect(verify()).toEqual(verify());
  });

  test('not with a byte altered, anywhere', () => {
    for (let at = 0; at < body.length; at += 1) {
      const altered = Buffer.from(body);
      altered[at] = altered[at]! ^ 0x01;
      expect([at, verify(altered)]).toEqual([at, null]);
    }
    expect(verify(Buffer.concat([body, Buffer.from(' ')]))).toBeNull();
    expect(verify(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]))).toBeNull();
    expect(verify(body.subarray(0, -1))).toBeNull();
    expect(verify(Buffer.alloc(0))).toBeNull();
  });

  test('not where bytes that are no text stand in for each other', () => {
    const written = Buffer.from(`{"id":"x\u{fffd}"}`, 'utf8');
    const raw = Buffer.from(written.toString('latin1').replace('ï¿½', 'ÿ'), 'latin1');
    expect(raw.length).toBe(written.length - 2);
    expect(verify(raw, sign(written, secret, NOW))).toBeNull();
  });

  test('not when older than five minutes, where the time is signed', () => {
    expect(verify(body, sign(body, secret, NOW - 300_000))).not.toBeNull();
    const old = verify(body, sign(body, secret, NOW - 301_000));
    if (timed) expect(old).toBeNull();
    else expect(old).toEqual(verify());
  });

  test('with either of two active secrets, not with another tenant’s', () => {
    const [next, other] = [newSecret(), newSecret()];
    expect(verify(body, headers, [next, secret])).not.toBeNull();
    expect(verify(body, sign(body, next, NOW), [next, secret])).not.toBeNull();
    expect(verify(body, sign(body, other, NOW), [next, secret])).toBeNull();
    expect(verify(body, headers, [])).toBeNull();
  });

  test('with a second signature beside one that is another’s', () => {
    const other = sign(body, newSecret(), NOW);
    expect(verify(body, { ...headers, [header]: join(other[header]!, headers[header]!) })).not.toBeNull();
  });

  test('not without a signature, with one that is none, or under a secret that is empty', () => {
    expect(verify(body, {})).toBeNull();
    for (const none of ['', 'v1=', 't=,v1=', 'v1,', '=,=', 'x'.repeat(5000), headers[header]!.slice(0, -2)]) {
      expect([none, verify(body, { ...headers, [header]: none })]).toEqual([none, null]);
    }
    if (kind !== 'stripe' && kind !== 'standard') {
      expect(verify(body, sign(body, '', NOW), [''])).toBeNull();
    }
  });

  test('keeps a body that is signed but cannot be read', () => {
    for (const text of ['not { json', '[]', 'null', '{"id":"\\u0000"}', '"x"', '{"events":{}}']) {
      const unreadable = Buffer.from(text, 'utf8');
      const [message, ...others] = verify(unreadable, sign(unreadable, secret, NOW))!;
      expect([message!.body.toString(), others]).toEqual([text, []]);
      expect(message!.webhookId).toBe(kind === 'standard' ? 'msg_1' : sha256(unreadable));
      expect(message!.dataKey).toBeNull();
    }
  });
});

describe('GoCardless', () => {
  const secret = newSecret();
  const split = (value: unknown) => {
    const body = bytes(value);
    return verifyAndSplit('gocardless', body, signGoCardless(body, secret, NOW), [secret], NOW)!;
  };

  test('tells up to 250 events at once: each becomes a message with its own JSON', () => {
    const events = Array.from({ length: 250 }, (_, index) => event(`EV${index}`));
    const messages = split({ events, meta: { webhook_id: 'WB1' } });
    expect(messages.map(({ webhookId, body }) => [webhookId, JSON.parse(body.toString())])).toEqual(
      events.map((one) => [one.id, one]),
    );
  });

  test('says nothing with no events, and one without an id goes under its hash', () => {
    expect(split({ events: [] })).toEqual([]);
    const odd = { action: 'confirmed', id: 'two words' };
    expect(split({ events: [odd] })).toEqual([{ webhookId: sha256(bytes(odd)), dataKey: null, body: bytes(odd) }]);
  });

  test('is kept whole where it is nested too deep to be written again', () => {
    const body = Buffer.from(`{"events":[${'['.repeat(100_000)}${']'.repeat(100_000)}]}`);
    const messages = verifyAndSplit('gocardless', body, signGoCardless(body, secret, NOW), [secret], NOW)!;
    expect(messages.map((message) => message.webhookId)).toEqual([sha256(body)]);
  });
});

test('Qonto: without a time of change the hash tells repeats, and each status counts', () => {
  const secret = newSecret();
  const keyOf = (value: unknown): string => {
    const body = bytes(value);
    return verifyAndSplit('qonto', body, signQonto(body, secret, NOW), [secret], NOW)![0]!.webhookId;
  };
  const data = (change: object) => ({ ...qonto, data: { ...qonto.data, ...change } });
  expect(keyOf(data({ updated_at: null }))).toBe(sha256(bytes(data({ updated_at: null }))));
  expect(keyOf(data({ status: 'pending' }))).not.toBe(keyOf(qonto));
  // Sent again under another id of its own it is the same.
  expect(keyOf({ ...qonto, id: 'another' })).toBe(keyOf(qonto));
});

test('Bridge: small letters are as good as capitals, and only v1 counts', () => {
  const secret = newSecret();
  const body = bytes(bridge);
  const signature = signBridge(body, secret, NOW)['bridgeapi-signature']!;
  const verify = (header: string) =>
    verifyAndSplit('bridge', body, { 'bridgeapi-signature': header }, [secret], NOW) !== null;
  expect(verify(signature.toLowerCase())).toBe(true);
  expect(verify(` ${signature} , v1=00`)).toBe(true);
  expect(verify(signature.replace('v1', 'v0'))).toBe(false);
});

test('the standard one is known by what it is about, too', () => {
  const secret = newSecret();
  const body = bytes({ type: 'transaction.booked', data: { id: 't-1' } });
  const [message] = verifyAndSplit('standard', body, signStandard(body, secret, NOW), [secret], NOW)!;
  expect(message).toEqual({ webhookId: 'msg_1', dataKey: 'transaction.booked:t-1', body });
});

test('nobody sends to a feed of files', () => {
  const secret = newSecret();
  const body = bytes({});
  expect(verifyAndSplit('file', body, signStandard(body, secret, NOW), [secret], NOW)).toBeNull();
});
