import { Resend } from 'resend';
import { oneLine } from './format.ts';

/** One e-mail, its text frozen before the first call. */
export interface MailMessage {
  /** `Name <address>` or an address. */
  from: string;
  /** 1 to 50 mailboxes. */
  to: string[];
  cc: string[];
  replyTo: string | null;
  subject: string;
  html: string;
  text: string;
  /** Names and values of `[A-Za-z0-9_-]`, at most 256 characters each. */
  tags: { name: string; value: string }[];
  /** Together at most 40 MB after base64. */
  attachments: { filename: string; content: Buffer; contentType: string }[];
  headers: Record<string, string>;
}

/**
 * What one call to the provider came to. No text in it carries an address or a word of the mail.
 *
 * - `accepted`: the provider has it; `providerId` is its id there.
 * - `refused`: it will never be accepted as it is; nothing was sent.
 * - `retryLater`: call again with the same key and body after `afterMs`. `maybeAccepted` is false only for the rate
 *   limit, which turns a call away at the door; in every other case the provider may have the mail already.
 * - `paused`: the account, not the mail, is in trouble (quota, key, sender's domain): no mail will pass; tell a person.
 * - `unknown`: it may or may not have been accepted; only the same key and body may be sent again, within 23 hours.
 */
export type SendOutcome =
  | { kind: 'accepted'; providerId: string }
  | { kind: 'refused'; code: string; message: string }
  | { kind: 'retryLater'; afterMs: number; code: string; maybeAccepted: boolean }
  | { kind: 'paused'; code: string }
  | { kind: 'unknown'; code: string };

export interface Mailer {
  /**
   * One call; never throws for what the provider or the network does.
   * @param idempotencyKey 1 to 256 visible ASCII characters; the provider keeps it for 24 hours
   */
  send(message: MailMessage, idempotencyKey: string): Promise<SendOutcome>;
  /**
   * The newest mail the provider holds under this tag. Null when there is none among those looked at, or when the
   * provider could not be asked: either way a person decides next.
   * @param sinceHint epoch milliseconds by the real clock of the first call: what is older is not looked at
   */
  findByTag(name: string, value: string, sinceHint?: number): Promise<{ id: string } | null>;
}

export interface MailerOptions {
  apiKey: string;
  /** Resend's own (or `RESEND_BASE_URL`, which the package reads) when left out. */
  baseUrl?: string;
  /** How long one call may take, in real milliseconds. The package itself would wait for ever. */
  timeoutMs: number;
  /** How to wait between two calls of a search; real time when left out. */
  sleep?: (ms: number) => Promise<void>;
}

/**
 * `Name <address>` for `from` and `to`, whatever the name holds: quotes, brackets and control characters are left out,
 * and a name with a comma or the like is quoted (RFC 5322 section 3.4). The address alone where no name is left.
 */
export function mailboxOf(name: string | null, address: string): string {
  const clean = oneLine(name ?? '')
    .replace(/["<>\\]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  if (clean === '') return address;
  return /^[\p{L}\p{M}\p{N} '&+_/-]+$/u.test(clean) ? `${clean} <${address}>` : `"${clean}" <${address}>`;
}

type Reply<T> = { data: T | null; error: unknown; headers: Record<string, string> | null };

const KEY_TROUBLE = new Set(['missing_api_key', 'invalid_api_key', 'restricted_api_key', 'invalid_access']);
const QUOTA_TROUBLE = new Set(['daily_quota_exceeded', 'monthly_quota_exceeded']);
/** Of errors the provider answers in its own JSON with a 5xx status: it asks for a repeat. */
const PROVIDER_TROUBLE = new Set(['application_error', 'internal_server_error']);
const IN_PROGRESS_DELAY_MS = 2_000;
const PROVIDER_TROUBLE_DELAY_MS = 5_000;
const RATE_LIMIT_DELAY_MS = 1_000;
/** A longer `retry-after` is not believed: the caller looks at the balances again before any later call. */
const LONGEST_DELAY_MS = 15 * 60_000;

/** Wraps the official client. Throws only when `apiKey` is empty. */
export function createMailer(options: MailerOptions): Mailer {
  const resend = new Resend(options.apiKey, options.baseUrl === undefined ? {} : { baseUrl: options.baseUrl });
  const sleep = options.sleep ?? ((ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)));
  const inTime = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(options.timeoutMs) });

  return {
    async send(message, idempotencyKey) {
      // An unusable key would make the client throw, or be ignored and lose the guard against a second mail.
      if (!/^[\x21-\x7e]{1,256}$/.test(idempotencyKey)) {
        return refused('invalid_idempotency_key');
      }
      try {
        const reply = await resend.emails.send(toPayload(message), { ...inTime(), idempotencyKey });
        return outcomeOf(reply);
      } catch {
        return { kind: 'unknown', code: 'client_error' };
      }
    },

    async findByTag(name, value, sinceHint) {
      try {
        return await search(resend, inTime, sleep, { name, value }, sinceHint ?? 0);
      } catch {
        return null;
      }
    },
  };
}

function toPayload(message: MailMessage): Parameters<Resend['emails']['send']>[0] {
  return {
    from: message.from,
    to: message.to,
    ...(message.cc.length > 0 ? { cc: message.cc } : {}),
    ...(message.replyTo === null ? {} : { replyTo: message.replyTo }),
    subject: message.subject,
    html: message.html,
    text: message.text,
    tags: message.tags,
    ...(message.attachments.length > 0 ? { attachments: message.attachments } : {}),
    headers: message.headers,
  };
}

/** Reads a reply of the package (resend 6.38) by the provider's error names; whatever is not understood is `unknown`. */
function outcomeOf(reply: Reply<{ id: string }>): SendOutcome {
  if (!reply.error) {
    const id: unknown = reply.data?.id;
    return typeof id === 'string' && id !== ''
      ? { kind: 'accepted', providerId: id }
      : { kind: 'unknown', code: 'no_id' };
  }
  const { code, status } = readError(reply.error);
  // No status: cut off, timed out, or a 200 nobody can read. Not JSON: some proxy spoke, not the provider.
  if (status === null) return { kind: 'unknown', code: 'no_answer' };
  if (!/json/i.test(reply.headers?.['content-type'] ?? '')) return { kind: 'unknown', code: `not_json_${status}` };

  if (QUOTA_TROUBLE.has(code) || KEY_TROUBLE.has(code)) return { kind: 'paused', code };
  if (code === 'rate_limit_exceeded' || (status === 429 && code === 'unnamed')) {
    const afterMs = delayOf(reply.headers) ?? RATE_LIMIT_DELAY_MS;
    return { kind: 'retryLater', afterMs, code: 'rate_limit_exceeded', maybeAccepted: false };
  }
  if (code === 'concurrent_idempotent_requests') {
    const afterMs = delayOf(reply.headers) ?? IN_PROGRESS_DELAY_MS;
    return { kind: 'retryLater', afterMs, code, maybeAccepted: true };
  }
  // Another body went out under this key: a mistake of ours, and a mail that exists. A person must look.
  if (code === 'invalid_idempotent_request') return { kind: 'unknown', code };
  if (PROVIDER_TROUBLE.has(code) && status >= 500) {
    const afterMs = delayOf(reply.headers) ?? PROVIDER_TROUBLE_DELAY_MS;
    return { kind: 'retryLater', afterMs, code, maybeAccepted: true };
  }
  // 401 and 403 speak of the account (an unverified sender's domain among them), 404 and 405 of the base URL.
  if ([401, 403, 404, 405].includes(status)) return { kind: 'paused', code };
  if (status >= 400 && status < 500 && code !== 'unnamed' && status !== 408) return refused(code);
  return { kind: 'unknown', code: `status_${status}` };
}

/** The sentence is ours: the provider's may quote the address it did not like. */
function refused(code: string): SendOutcome {
  return { kind: 'refused', code, message: `The e-mail provider refuses this message (${code}).` };
}

/** Name and status of whatever JSON came back; a name that is not one of an error is not passed on. */
function readError(error: unknown): { code: string; status: number | null } {
  const { name, statusCode } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  return {
    code: typeof name === 'string' && /^[a-z_]{1,64}$/.test(name) ? name : 'unnamed',
    status: typeof statusCode === 'number' ? statusCode : null,
  };
}

/** Milliseconds from `retry-after` (seconds or an HTTP date), else from `ratelimit-reset` (seconds). */
function delayOf(headers: Record<string, string> | null): number | null {
  const after = headers?.['retry-after'] ?? headers?.['ratelimit-reset'];
  if (after === undefined) return null;
  const ms = /^\d+(\.\d+)?$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(Math.max(Math.ceil(ms), 0), LONGEST_DELAY_MS);
}

const SEARCH_PAGE = 100;
const SEARCH_PAGES = 20;
/** Resend's list leaves tags out, so each candidate costs a call of its own: no more than these. */
const SEARCH_READS = 500;
const SEARCH_REPEATS = 5;

async function search(
  resend: Resend,
  inTime: () => { signal: AbortSignal },
  sleep: (ms: number) => Promise<void>,
  tag: { name: string; value: string },
  since: number,
): Promise<{ id: string } | null> {
  /** Repeats a read while the provider says "later"; throws when it does not answer. */
  const ask = async <T>(call: () => Promise<Reply<T>>): Promise<T> => {
    for (let attempt = 0; attempt <= SEARCH_REPEATS; attempt += 1) {
      const reply = await call();
      if (!reply.error && reply.data) return reply.data;
      const { status } = readError(reply.error);
      if (status !== 429 && (status === null || status < 500)) break;
      await sleep(delayOf(reply.headers) ?? RATE_LIMIT_DELAY_MS);
    }
    throw new Error('The e-mail provider does not answer.');
  };

  let after: string | undefined;
  let reads = 0;
  for (let page = 0; page < SEARCH_PAGES; page += 1) {
    const cursor = after === undefined ? {} : { after };
    const list = await ask(() => resend.emails.list({ limit: SEARCH_PAGE, ...cursor }, inTime()));
    for (const row of list.data) {
      if (instantOf(row.created_at) < since) return null;
      let tags: unknown = (row as { tags?: unknown }).tags;
      if (tags === undefined) {
        if ((reads += 1) > SEARCH_READS) return null;
        tags = (await ask(() => resend.emails.get(row.id, inTime()))).tags;
      }
      if (hasTag(tags, tag)) return { id: row.id };
    }
    after = list.data.at(-1)?.id;
    if (!list.has_more || after === undefined) return null;
  }
  return null;
}

/** Tags are an array of pairs in answers and an object in webhooks; either is understood. */
function hasTag(tags: unknown, tag: { name: string; value: string }): boolean {
  if (Array.isArray(tags)) {
    return (tags as { name?: unknown; value?: unknown }[]).some(
      (one) => one.name === tag.name && one.value === tag.value,
    );
  }
  return typeof tags === 'object' && tags !== null && (tags as Record<string, unknown>)[tag.name] === tag.value;
}

/** Epoch ms of `2026-11-20T09:00:00Z` or `2026-11-20 09:00:00.123456+00`; what cannot be read counts as new. */
function instantOf(text: string): number {
  const at = Date.parse(text.replace(' ', 'T').replace(/([+-]\d{2})$/, '$1:00'));
  return Number.isNaN(at) ? Number.POSITIVE_INFINITY : at;
}
