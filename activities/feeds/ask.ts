/**
 * Asking a provider of payments over HTTP: with a timeout, again where that may help and not without end. Answers are
 * JSON objects.
 */

/**
 * Why a provider gave no answer that can be used.
 *
 * - `unauthorized`: it does not know our credentials (401, 403); a person must look.
 * - `notFound`: it does not have what was asked for.
 * - `refused`: it will never answer this question (other 4xx, a redirect).
 * - `throttled`: too many questions; ask again after `afterMs`.
 * - `unavailable`: it was asked several times and answered 5xx, nothing, or not in time.
 * - `unreadable`: it answered something else than it should.
 */
export type AskCode = 'unauthorized' | 'notFound' | 'refused' | 'throttled' | 'unavailable' | 'unreadable';

/** Says who was asked and what went wrong, and nothing of the question, the credentials or the answer. */
export class AskError extends Error {
  readonly code: AskCode;
  /** HTTP status of the last answer; null where there was none. */
  readonly status: number | null;
  /** Real milliseconds after which it may be asked again; null where the provider does not say. */
  readonly afterMs: number | null;

  constructor(provider: string, code: AskCode, status: number | null = null, afterMs: number | null = null) {
    super(`${provider} gave no answer (${code}${status === null ? '' : `, status ${status}`}).`);
    this.name = 'AskError';
    this.code = code;
    this.status = status;
    this.afterMs = afterMs;
  }

  /** Whether the same question may be answered later. */
  get temporary(): boolean {
    return this.code === 'throttled' || this.code === 'unavailable';
  }
}

export interface AskOptions {
  /** Real milliseconds that one question may take, its answer read (20,000). */
  timeoutMs?: number;
  /** Questions at most, the first one among them (4). */
  attempts?: number;
  /** How to wait between two of them; real time when left out. */
  sleep?: (ms: number) => Promise<void>;
}

export interface Question {
  method: 'GET' | 'POST';
  url: URL;
  headers: Record<string, string>;
  body?: string;
}

/** Asks and gives the JSON object of a 2xx answer. Throws `AskError`. */
export type Ask = (question: Question) => Promise<Record<string, unknown>>;

const FIRST_PAUSE_MS = 500;
/** A longer wait is the caller's business: nobody sits in a call for that long. */
const LONGEST_PAUSE_MS = 30_000;

/** Asks one provider, called `provider` in errors. */
export function createAsk(provider: string, options: AskOptions = {}): Ask {
  const { timeoutMs = 20_000, attempts = 4 } = options;
  const sleep = options.sleep ?? ((ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)));

  return async (question) => {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await askOnce(question, timeoutMs);
      if (answer.kind === 'told') return answer.value;
      const { code, status, afterMs } = answer;
      const error = new AskError(provider, code, status, afterMs);
      const pauseMs = afterMs ?? FIRST_PAUSE_MS * 2 ** (attempt - 1);
      if (!error.temporary || attempt >= attempts || pauseMs > LONGEST_PAUSE_MS) throw error;
      await sleep(pauseMs);
    }
  };
}

type Answer =
  | { kind: 'told'; value: Record<string, unknown> }
  | { kind: 'failed'; code: AskCode; status: number | null; afterMs: number | null };

async function askOnce({ method, url, headers, body }: Question, timeoutMs: number): Promise<Answer> {
  const failed = (code: AskCode, status: number | null = null, afterMs: number | null = null): Answer => ({
    kind: 'failed',
    code,
    status,
    afterMs,
  });
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      // A redirect would carry the credentials to wherever it points.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: 'application/json', 'user-agent': 'Relance', ...headers },
      ...(body === undefined ? {} : { body }),
    });
    text = await response.text();
  } catch {
    // What the error says may hold the address that was asked.
    return failed('unavailable');
  }
  const { status } = response;
  if (response.ok) {
    const value = objectOf(text);
    return value === null ? failed('unreadable', status) : { kind: 'told', value };
  }
  if (status === 429) return failed('throttled', status, pauseOf(response.headers));
  if (status >= 500 || status === 408) return failed('unavailable', status, pauseOf(response.headers));
  if (status === 401 || status === 403) return failed('unauthorized', status);
  return failed(status === 404 ? 'notFound' : 'refused', status);
}

/** Milliseconds from `retry-after`, else from `ratelimit-reset`: seconds or an HTTP date. Null where neither is there. */
function pauseOf(headers: Headers): number | null {
  const after = headers.get('retry-after') ?? headers.get('ratelimit-reset');
  if (after === null) return null;
  const ms = /^\d+(\.\d+)?$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now();
  return Number.isFinite(ms) ? Math.max(Math.ceil(ms), 0) : null;
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** Where a path lies under a base URL, whose own path is kept. */
export const under = (baseUrl: string, path: string): URL => new URL(`${baseUrl.replace(/\/+$/, '')}${path}`);
