import { jsonOf } from '../../domain/statement/json-message.ts';
import {
  fieldOf,
  hashKey,
  isHexSigned,
  isKey,
  pairsOf,
  single,
  TOLERANCE_SECONDS,
  type VerifyAndSplit,
} from './signed.ts';

/**
 * Qonto (docs.qonto.com, Webhooks, Setup): `X-Qonto-Signature: t=<seconds>,v1=<hex>`, HMAC-SHA256 over `t.body` with the
 * secret of the subscription, five minutes. Qonto waits one second for the 2xx and sends again.
 */
export const verifyQonto: VerifyAndSplit = (body, headers, secrets, realNow) => {
  const pairs = pairsOf(single(headers['x-qonto-signature']));
  const timestamp = pairs.find(([name]) => name === 't')?.[1] ?? '';
  const signatures = pairs.filter(([name]) => name === 'v1').map(([, value]) => value);
  if (!/^\d{1,12}$/.test(timestamp)) return null;
  if (Math.abs(Math.floor(realNow / 1000) - Number(timestamp)) > TOLERANCE_SECONDS) return null;
  if (!isHexSigned(signatures, secrets, `${timestamp}.`, body)) return null;
  return [{ webhookId: versionOf(body), dataKey: null, body }];
};

/**
 * The transaction and its version: the moment of its last change, and its status, so that a booking is never taken for
 * the announcement of the same second. The message's own id is not used: nothing says that it stays when it is sent again.
 */
function versionOf(body: Buffer): string {
  const data = fieldOf(jsonOf(body), 'data');
  const parts = ['transaction_id', 'updated_at', 'status'].map((name) => fieldOf(data, name));
  const key = parts.join('|');
  return parts.every(isKey) && isKey(key) ? key : hashKey(body);
}
