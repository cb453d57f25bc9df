/** Hosts that never leave the machine: a receiver under test or beside the service. */
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Networks that are nobody's on the internet (RFC 1918, 6598, 3927, 4193, 4291): a webhook there would probe ours. */
const PRIVATE = [
  /^10\./,
  /^127\./,
  /^0\./,
  /^169\.254\./,
  /^192\.168\./,
  /^172\.(1[6-9]|2\d|3[01])\./,
  /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./,
  /^\[(::|::ffff:|f[cd]|fe[89ab])/i,
];

/**
 * What is wrong with the address that an agency's messages are posted to, in words; null when it is usable: `https`
 * without user, password or fragment, on the internet. On the machine itself `http` is taken too.
 */
export function webhookUrlFault(text: string): string | null {
  const url = urlOf(text);
  if (url === null) return 'is not a URL';
  if (url.username !== '' || url.password !== '') return 'must not hold a user or a password';
  if (url.hash !== '') return 'must not hold a fragment';
  if (LOOPBACK.has(url.hostname)) {
    return url.protocol === 'https:' || url.protocol === 'http:' ? null : 'must be https';
  }
  if (url.protocol !== 'https:') return 'must be https';
  if (PRIVATE.some((network) => network.test(url.hostname))) return 'must be an address on the internet';
  return null;
}

function urlOf(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
