import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Header names in lower case, as Node gives them. */
export type WebhookHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** One thing that a sender told us, to be kept as it is. */
export interface IncomingMessage {
  /** What tells its repeats: the sender's own id of it, or a key made of what it is about. Unique within a feed. */
  webhookId: string;
  /** What tells the same thing under another `webhookId`; null where nothing does. Unique within a feed, too. */
  dataKey: string | null;
  /** The bytes as they came, or the JSON of one event of several that came together. */
  body: Buffer;
}

/** How one provider proves itself: the messages of a body, null where nothing proves its sender. */
export type VerifyAndSplit = (
  body: Buffer,
  headers: WebhookHeaders,
  secrets: readonly string[],
  realNow: number,
) => IncomingMessage[] | null;

/** Seconds a signature may be old or ahead, by the real clock, where its provider signs the time. */
export const TOLERANCE_SECONDS = 300;

/** The value of a header that came once; empty where it did not. */
export const single = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : '');

/**
 * Whether one of the hex signatures is the HMAC-SHA256 of the parts under one of the secrets, used as UTF-8 text. Compared
 * as bytes in constant time, so capital and small letters are one.
 */
export function isHexSigned(
  signatures: readonly string[],
  secrets: readonly string[],
  ...parts: (string | Buffer)[]
): boolean {
  const given = signatures.flatMap((one) => (/^[0-9a-f]{64}$/i.test(one) ? [Buffer.from(one, 'hex')] : []));
  return secrets.some((secret) => {
    const hmac = createHmac('sha256', secret);
    for (const part of parts) hmac.update(part);
    const wanted = hmac.digest();
    return given.some((signature) => timingSafeEqual(signature, wanted));
  });
}

/** The pairs of a header such as `t=1700000000,v1=5257…`; ten at most, a name may come more than once. */
export function pairsOf(header: string): [name: string, value: string][] {
  return header
    .split(',', 10)
    .map((pair) => pair.trim().split('='))
    .flatMap(([name, value]): [string, string][] => (name !== undefined && value !== undefined ? [[name, value]] : []));
}

/** The key of a message that has no usable one of its own: `sha256:` and the hash of its bytes. */
export const hashKey = (body: Buffer): string => `sha256:${createHash('sha256').update(body).digest('hex')}`;

/** Whether a text can be kept as a key: visible ASCII, 200 characters at most. */
export const isKey = (text: unknown): text is string => typeof text === 'string' && /^[\x21-\x7e]{1,200}$/.test(text);

/** A field of an object; undefined where the value is no object or lacks it. */
export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
