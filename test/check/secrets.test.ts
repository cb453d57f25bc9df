import { describe, expect, test } from 'vitest';

import { secretFaults, secrets } from '../../scripts/check/secrets.ts';

// Written in two halves, so that scanners of others do not take the planted ones for real.
const join = (...parts: string[]): string => parts.join('');

describe('what must not be committed', () => {
  test.each([
    ['a private key', `-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ`],
    ['a key of Resend', join('re_', 'AbCd1234', '_', 'AbCdEfGhIjKlMnOpQrStUvWx')],
    ['a live key of a payment provider', join('sk_', 'live_', '51HxAbCdEfGhIjKlMn')],
    ['a cloud access key', join('AKIA', 'ABCDEFGHIJKLMNOP')],
    ['a code host token', join('ghp_', 'a'.repeat(36))],
    ['a chat token', join('xoxb-', '123456789012-abcdefghij')],
    ['a webhook secret', join('whsec_', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')],
    ['a password in a URL', 'postgres://app:hunter2hunter2@db:5432/app'],
    ['the host of a package registry', join('https://registry.', 'npmjs.org/zod')],
    ['a path of one machine', join('/home/', 'someone/relance/dist')],
    ['a path of one machine', join('see /ro', 'ot/.cache')],
  ])('%s is found', (what, text) => {
    expect(secretFaults('docs/a.md', `first line\n${text}\n`)).toEqual([`docs/a.md:2: ${what}`]);
  });

  test.each([
    ['a local address', 'postgres://relance:relance@127.0.0.1:5432/relance'],
    ['a secret from the environment', 'postgres://relance:${RELANCE_DB_PASSWORD:?}@postgres:5432/relance'],
    ['a placeholder', 'RESEND_API_KEY=re_your_key'],
    ['a route', 'GET /v1/home/page'],
    ['a mail address in a URL query', 'https://example.com/a?b=c@d.example'],
  ])('%s is not', (_, text) => {
    expect(secretFaults('docs/a.md', text)).toEqual([]);
  });

  test('none in this project', async () => {
    expect(await secrets.run(process.cwd(), { write: false })).toEqual([]);
  });
});
