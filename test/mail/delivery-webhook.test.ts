import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { verifyDelivery } from '../../api/webhooks/delivery.ts';
import { DomainError } from '../../domain/errors.ts';
import { signWebhook } from '../../scripts/mail-server/webhooks.ts';
import { SECRET } from './fixtures.ts';

const NOW = Date.parse('2026-11-20T09:00:00Z');
const OTHER = `whsec_${Buffer.from('another secret').toString('base64')}`;
const EVENT = { type: 'email.delivered', created_at: '2026-11-20T08:59:58.000Z', data: { email_id: 'mail-1' } };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

function signed(body: string, ageSeconds = 0, secret = SECRET): [Buffer, Record<string, string>] {
  const timestamp = NOW / 1000 - ageSeconds;
  return [
    Buffer.from(body),
    {
      'svix-id': 'msg_1',
      'svix-timestamp': String(timestamp),
      'svix-signature': signWebhook(secret, 'msg_1', timestamp, body),
    },
  ];
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof DomainError ? error.code : String(error);
  }
  return 'passed';
}

describe('the signature', () => {
  test('of a secret that is active passes, also while two are', () => {
    const [body, headers] = signed(JSON.stringify(EVENT));
    const expected = {
      id: 'msg_1',
      event: { providerId: 'mail-1', contactTag: null, status: 'delivered', at: NOW - 2_000, bounce: null },
    };
    expect(verifyDelivery(body, headers, [SECRET])).toEqual(expected);
    expect(verifyDelivery(body, headers, [OTHER, SECRET])).toEqual(expected);
    expect(codeOf(() => verifyDelivery(body, headers, [OTHER]))).toBe('signatureInvalid');
    expect(codeOf(() => verifyDelivery(body, headers, []))).toBe('signatureInvalid');
  });

  test('covers every byte of the body, and the id', () => {
    const [body, headers] = signed(JSON.stringify(EVENT));
    for (const at of [0, Math.floor(body.length / 2), body.length - 1]) {
      const altered = Buffer.from(body);
      altered[at]! ^= 1;
      expect(codeOf(() => verifyDelivery(altered, headers, [SECRET]))).toBe('signatureInvalid');
    }
    expect(codeOf(() => verifyDelivery(body, { ...headers, 'svix-id': 'msg_2' }, [SECRET]))).toBe('signatureInvalid');
    const [broken, brokenHeaders] = signed('{"a":"\ufffd"}');
    const latin = Buffer.from(broken.toString('latin1').replace('ï¿½', 'é'), 'latin1');
    expect(codeOf(() => verifyDelivery(latin, brokenHeaders, [SECRET]))).toBe('signatureInvalid');
  });

  test('holds for five minutes either way', () => {
    for (const [age, code] of [
      [300, 'passed'],
      [301, 'signatureStale'],
      [-300, 'passed'],
      [-301, 'signatureStale'],
    ] as const) {
      const [body, headers] = signed(JSON.stringify(EVENT), age);
      expect(codeOf(() => verifyDelivery(body, headers, [SECRET]))).toBe(code);
    }
  });

  test.each(['svix-id', 'svix-timestamp', 'svix-signature'])('cannot do without %s', (name) => {
    const [body, headers] = signed(JSON.stringify(EVENT));
    expect(codeOf(() => verifyDelivery(body, { ...headers, [name]: undefined }, [SECRET]))).toBe('signatureInvalid');
  });

  test.each(['not json', '[]', '{}', '{"type":"email.sent","created_at":"yesterday"}', 'null'])(
    'of %s is good but there is no event',
    (text) => {
      const [body, headers] = signed(text);
      expect(codeOf(() => verifyDelivery(body, headers, [SECRET]))).toBe('webhookUnreadable');
    },
  );
});

test.each([
  ['email.sent', 'sent'],
  ['email.delivered', 'delivered'],
  ['email.bounced', 'bounced'],
  ['email.complained', 'complained'],
  ['email.failed', 'failed'],
  ['email.delivery_delayed', 'delayed'],
  ['email.suppressed', 'suppressed'],
  ['email.opened', 'other'],
  ['email.clicked', 'other'],
  ['contact.created', 'other'],
  ['__proto__', 'other'],
])('%s means %s', (type, status) => {
  const [body, headers] = signed(JSON.stringify({ ...EVENT, type }));
  expect(verifyDelivery(body, headers, [SECRET]).event.status).toBe(status);
});

test.each([
  ['Permanent', 'permanent'],
  ['Transient', 'transient'],
  ['Undetermined', 'undetermined'],
  [undefined, 'undetermined'],
])('a bounce of type %s is %s', (type, bounce) => {
  const data = { email_id: 'mail-1', bounce: { type, subType: 'General', message: 'x' } };
  const [body, headers] = signed(JSON.stringify({ ...EVENT, type: 'email.bounced', data }));
  expect(verifyDelivery(body, headers, [SECRET]).event.bounce).toBe(bounce);
});
