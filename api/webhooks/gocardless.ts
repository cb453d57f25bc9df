import { verifySignature } from 'gocardless-nodejs/webhooks';
import { jsonOf } from '../../domain/statement/json-message.ts';
import { fieldOf, hashKey, isKey, single, type IncomingMessage, type VerifyAndSplit } from './signed.ts';

/**
 * GoCardless (developer.gocardless.com, Webhooks): `Webhook-Signature`, the hex HMAC-SHA256 of the body, checked by its
 * own package on the raw bytes in constant time. No time is signed: a replay is told by the ids of its events. Up to 250
 * events come in one body; each becomes a message of its own, so that one that cannot be used holds up no other.
 */
export const verifyGoCardless: VerifyAndSplit = (body, headers, secrets) => {
  const header = single(headers['webhook-signature']);
  // The package reads hex up to the first character that is none.
  if (!/^[0-9a-f]{64}$/i.test(header) || !secrets.some((secret) => isSignedBy(secret, body, header))) return null;
  const events = fieldOf(jsonOf(body), 'events');
  if (!Array.isArray(events)) return [whole(body)];
  try {
    return events.map(messageOf);
  } catch {
    // Nested deeper than it can be written again: nothing that GoCardless sends. It is kept as it came.
    return [whole(body)];
  }
};

function messageOf(event: unknown): IncomingMessage {
  const body = Buffer.from(JSON.stringify(event), 'utf8');
  const id = fieldOf(event, 'id');
  return { webhookId: isKey(id) ? id : hashKey(body), dataKey: null, body };
}

const whole = (body: Buffer): IncomingMessage => ({ webhookId: hashKey(body), dataKey: null, body });

function isSignedBy(secret: string, body: Buffer, header: string): boolean {
  try {
    verifySignature(body, secret, header);
    return true;
  } catch {
    return false;
  }
}
