import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import { CliError, NotNow, Refusal } from './errors.ts';

export interface ApiRequest {
  method?: 'GET' | 'POST' | 'PUT';
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: { bytes: Uint8Array | Blob; contentType: string };
  /** Real milliseconds until the answer is given up; a minute unless said. */
  timeoutMs?: number;
  idempotencyKey?: string;
  /** What is taken; JSON unless said. */
  accept?: string;
  /** Statuses besides 2xx whose body is the answer. */
  alsoAnswers?: readonly number[];
  /** Default: the creditor's. */
  as?: 'creditor' | 'admin' | 'nobody';
}

/** A page of a list. */
export interface Page<T> {
  data: T[];
  nextCursor: string | null;
}

const REQUEST_MS = 60_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/** Answers that say nothing about the request itself: it may be sent again. */
const PASSING = new Set([408, 429, 502, 503, 504]);

/** The API of a running stack. */
export class Api {
  private readonly connect: () => Connection;
  private readonly patienceMs: number;
  private readonly onWaiting: (why: string) => void;
  private reached = false;

  /** `patienceMs`: how long `patiently` goes on trying; `onWaiting` hears once why it waits. */
  constructor(connect: () => Connection, patienceMs: number, onWaiting: (why: string) => void) {
    this.connect = connect;
    this.patienceMs = patienceMs;
    this.onWaiting = onWaiting;
  }

  /** Where the API is at this moment. Throws `NotNow` when nothing runs. */
  connection(): Connection {
    return this.connect();
  }

  /**
   * One request; its JSON answer. Throws `NotNow` where nobody answers or the API is busy, `Refusal` with the problem it
   * answered otherwise.
   */
  async call<T>(path: string, request: ApiRequest = {}): Promise<T> {
    const connection = this.connect();
    const answer = await send(connection, path, request);
    this.reached = true;
    const text = await answer.text().catch(() => {
      throw new NotNow(`The API at ${connection.url} broke off its answer.`);
    });
    const body = parsed(text);
    if (answer.ok || request.alsoAnswers?.includes(answer.status)) {
      if (body === undefined) throw new CliError(`${connection.url} does not answer as Relance does.`);
      return body as T;
    }
    const message = problemText(answer.status, body, connection.url);
    if (PASSING.has(answer.status)) throw new NotNow(message, retryAfter(answer));
    throw new Refusal(answer.status, codeOf(body), message);
  }

  /** A file as it is, with the headers it came with. Throws as `call` does. */
  async download(path: string): Promise<{ bytes: Uint8Array; headers: Headers }> {
    const connection = this.connect();
    const answer = await send(connection, path, { accept: '*/*' });
    if (!answer.ok) {
      const body = parsed(await answer.text().catch(() => ''));
      throw new Refusal(answer.status, codeOf(body), problemText(answer.status, body, connection.url));
    }
    const bytes = new Uint8Array(
      await answer.arrayBuffer().catch(() => {
        throw new NotNow(`The API at ${connection.url} broke off its answer.`);
      }),
    );
    return { bytes, headers: answer.headers };
  }

  /**
   * `call`, again and again while nobody answers: an API that was there and is started anew is waited for, one that never
   * answered is not. Only for what may be repeated.
   */
  async patiently<T>(path: string, request: ApiRequest = {}): Promise<T> {
    const until = performance.now() + this.patienceMs;
    let pauseMs = FIRST_PAUSE_MS;
    for (let told = false; ;) {
      try {
        return await this.call<T>(path, request);
      } catch (error) {
        if (!(error instanceof NotNow) || !this.reached) throw error;
        const waitMs = error.retryAfterMs ?? pauseMs;
        if (performance.now() + waitMs > until) throw error;
        if (!told && error.retryAfterMs === null) this.onWaiting(error.message);
        told = true;
        await pause(waitMs);
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      }
    }
  }

  /** A list page by page, to its end. */
  async *pages<T>(path: string, query: Record<string, string | undefined>): AsyncGenerator<T[]> {
    let cursor: string | null = null;
    do {
      const page: Page<T> = await this.patiently(
        withQuery(path, { ...query, limit: '200', cursor: cursor ?? undefined }),
      );
      yield page.data;
      cursor = page.nextCursor;
    } while (cursor !== null);
  }

  /** The first `most` of a list, whatever number of pages that takes, and whether there are more. */
  async list<T>(
    path: string,
    query: Record<string, string | undefined>,
    most: number,
  ): Promise<{ data: T[]; more: boolean }> {
    const data: T[] = [];
    let cursor: string | null = null;
    do {
      const limit = String(Math.min(200, most - data.length));
      const page: Page<T> = await this.patiently(withQuery(path, { ...query, limit, cursor: cursor ?? undefined }));
      data.push(...page.data);
      cursor = page.nextCursor;
    } while (cursor !== null && data.length < most);
    return { data, more: cursor !== null };
  }
}

/** A path with its query; what is undefined is left out. */
export function withQuery(path: string, query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

async function send(connection: Connection, path: string, request: ApiRequest): Promise<Response> {
  const { json, body, idempotencyKey, as = 'creditor' } = request;
  const key = as === 'admin' ? connection.adminKey : connection.apiKey;
  const contentType = body ? body.contentType : json === undefined ? null : 'application/json';
  const sent = body
    ? body.bytes instanceof Blob
      ? body.bytes
      : Buffer.from(body.bytes)
    : json === undefined
      ? null
      : JSON.stringify(json);
  try {
    return await fetch(`${connection.url}${path}`, {
      method: request.method ?? 'GET',
      headers: {
        accept: request.accept ?? 'application/json',
        ...(as === 'nobody' ? {} : { authorization: `Bearer ${key}` }),
        ...(contentType === null ? {} : { 'content-type': contentType }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      body: sent,
      signal: AbortSignal.timeout(request.timeoutMs ?? REQUEST_MS),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') {
      throw new NotNow(`The API at ${connection.url} does not answer in time.`);
    }
    // A refused or broken connection; anything else is a fault of the request, such as a key that no header can hold.
    if ((error as Error).cause === undefined) throw new CliError('The key or the address is not usable.', 2);
    throw new NotNow(`The API at ${connection.url} does not answer.`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function retryAfter(answer: Response): number | null {
  const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.max(1, seconds) * 1_000 : null;
}

interface Problem {
  title?: unknown;
  detail?: unknown;
  code?: unknown;
  errors?: { pointer?: unknown; message?: unknown }[];
}

const codeOf = (body: unknown): string => {
  const { code } = (body ?? {}) as Problem;
  return typeof code === 'string' ? code : 'unknown';
};

/** A problem as one or two lines: what, why and its code; then the fields concerned. */
function problemText(status: number, body: unknown, url: string): string {
  const { title, detail, errors } = (body ?? {}) as Problem;
  if (typeof title !== 'string') return `${url} answered ${status} and not as Relance does.`;
  const code = codeOf(body);
  const why = typeof detail === 'string' && detail !== title ? `: ${detail}` : '.';
  const fields = (Array.isArray(errors) ? errors : [])
    .filter((one) => typeof one.pointer === 'string' && typeof one.message === 'string')
    .map((one) => `${String(one.pointer)} ${String(one.message)}`);
  const told = fields.length === 0 ? '' : `\n${fields.slice(0, 8).join('; ')}${fields.length > 8 ? '; …' : ''}`;
  return `${title}${why} (${code})${told}`;
}
