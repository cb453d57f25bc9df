import { createHmac, timingSafeEqual } from 'node:crypto';
import { single, TOLERANCE_SECONDS, type WebhookHeaders } from './signed.ts';

/**
 * Whether a webhook is signed by one of these secrets (Standard Webhooks 1.0): HMAC-SHA256 over `id.timestamp.body`, the
 * body as the bytes that came, compared in constant time, the timestamp within five minutes. Own code rather than the
 * package of that name, which decodes the body to text first: bytes that are no UTF-8 would all look alike to it.
 * Returns the webhook's id, `null` where nothing proves the sender. `headers` in lower case.
 */
export function verifyStandard(
  body: Buffer,
  headers: WebhookHeaders,
  secrets: readonly string[],
  realNow: number,
): string | null {
  const id = single(headers['webhook-id']);
  const timestamp = single(headers['webhook-timestamp']);
  const signatures = single(headers['webhook-signature']);
  if (!/^[\x21-\x7e]{1,256}$/.test(id) || !/^\d{1,12}$/.test(timestamp) || signatures === '') return null;
  if (Math.abs(Math.floor(realNow / 1000) - Number(timestamp)) > TOLERANCE_SECONDS) return null;
  const given = signatures
    .split(' ')
    .slice(0, 10)
    .flatMap((one) => (one.startsWith('v1,') ? [Buffer.from(one.slice(3), 'base64')] : []));
  const proven = secrets.some((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    const wanted = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
    return given.some((signature) => signature.length === wanted.length && timingSafeEqual(signature, wanted));
  });
  return proven ? id : null;
}
