import { hashKey, isHexSigned, pairsOf, single, type VerifyAndSplit } from './signed.ts';

/**
 * Bridge (docs.bridgeapi.io, Secure your webhooks; not bridge.xyz): `BridgeApi-Signature: v1=<HEX>`, one for each of the
 * two secrets that are good while one is being replaced, HMAC-SHA256 over the body. Other versions are not looked at: an
 * attacker could choose them. No time is signed and a message has no id, so its hash tells its repeats; each holds the
 * millisecond it was made in.
 */
export const verifyBridge: VerifyAndSplit = (body, headers, secrets) => {
  const signatures = pairsOf(single(headers['bridgeapi-signature']))
    .filter(([name]) => name === 'v1')
    .map(([, value]) => value);
  return isHexSigned(signatures, secrets, body) ? [{ webhookId: hashKey(body), dataKey: null, body }] : null;
};
