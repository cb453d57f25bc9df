import { isUtf8 } from 'node:buffer';
import Stripe from 'stripe';
import { jsonOf } from '../../domain/statement/json-message.ts';
import { fieldOf, hashKey, isKey, single, TOLERANCE_SECONDS, type VerifyAndSplit } from './signed.ts';

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Stripe (docs.stripe.com/webhooks/signature): `Stripe-Signature: t=,v1=`, verified by its own package, which calls nobody
 * for that. The event's id tells its repeats; Stripe tries for three days.
 */
export const verifyStripe: VerifyAndSplit = (body, headers, secrets, realNow) => {
  // The package signs the body as decoded text: to it, bytes that are no UTF-8 all look alike, and a byte order mark
  // is not there at all.
  if (!isUtf8(body) || body.subarray(0, 3).equals(BYTE_ORDER_MARK)) return null;
  const header = single(headers['stripe-signature']);
  if (!secrets.some((secret) => isSignedBy(secret, body, header, realNow))) return null;
  const id = fieldOf(jsonOf(body), 'id');
  return [{ webhookId: isKey(id) ? id : hashKey(body), dataKey: null, body }];
};

function isSignedBy(secret: string, body: Buffer, header: string, realNow: number): boolean {
  const { signature } = Stripe.webhooks;
  try {
    // Not `constructEvent`: a body that is signed but no JSON is kept, and that would throw for it, too.
    return signature?.verifyHeader(body, header, secret, TOLERANCE_SECONDS, undefined, realNow) ?? false;
  } catch {
    return false;
  }
}
