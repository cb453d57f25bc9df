import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** The service said no, for good: repeating the request would not help. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
  }
}

export interface Page<T> {
  readonly data: T[];
  readonly nextCursor: string | null;
}

/**
 * The public REST API as a billing system or a person's page would use it. Whatever is not answered, or answered with
 * "not now", is sent again with the same key until it is: the service may be killed at any moment.
 */
export class Client {
  readonly #url: string;
  readonly #key: string;
  readonly #stopped: AbortSignal;

  constructor(url: string, key: string, stopped: AbortSignal) {
    this.#url = url;
    this.#key = key;
    this.#stopped = stopped;
  }

  /** The same service as somebody else. */
  withKey(key: string): Client {
    return new Client(this.#url, key, this.#stopped);
  }

  get<T>(path: string): Promise<T> {
    return this.#json<T>('GET', path);
  }

  /** A document, as it is. */
  async getBytes(path: string, headers: Record<string, string> = {}): Promise<Uint8Array> {
    return (await this.#send('GET', path, undefined, headers)).bytes;
  }

  /** All pages of a list, in its order. */
  async list<T>(path: string): Promise<T[]> {
    const found: T[] = [];
    for (let cursor: string | null = null; ;) {
      const from = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: Page<T> = await this.get<Page<T>>(`${path}${path.includes('?') ? '&' : '?'}limit=200${from}`);
      found.push(...page.data);
      if (page.nextCursor === null) return found;
      cursor = page.nextCursor;
    }
  }

  /** @param key the same for every attempt of the same wish, and only for them */
  post<T>(path: string, key: string, body: unknown, actor?: string): Promise<T> {
    return this.#json<T>('POST', path, body, {
      'idempotency-key': `demo:${key}`,
      ...(actor === undefined ? {} : { 'relance-actor': actor }),
    });
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.#json<T>('PUT', path, body);
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.#json<T>('PATCH', path, body);
  }

  async putPdf(path: string, pdf: Uint8Array): Promise<void> {
    await this.#send('PUT', path, Buffer.from(pdf), { 'content-type': 'application/pdf' });
  }

  /** A bank's file, as it is; the same bytes again change nothing. */
  async postFile<T>(path: string, xml: string): Promise<T> {
    const { bytes } = await this.#send('POST', path, xml, { 'content-type': 'application/xml' });
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as T;
  }

  async delete(path: string): Promise<void> {
    await this.#send('DELETE', path);
  }

  /** A bank's message, signed as Standard Webhooks has it. A message that is not acknowledged is sent again, as banks do. */
  async webhook(feed: { id: string; secret: string }, webhookId: string, message: unknown): Promise<void> {
    const body = JSON.stringify(message);
    await this.#send('POST', `/v1/webhooks/feeds/${feed.id}`, body, () => {
      const timestamp = Math.floor(Date.now() / 1000);
      const key = Buffer.from(feed.secret.replace(/^whsec_/, ''), 'base64');
      const signature = createHmac('sha256', key).update(`${webhookId}.${timestamp}.${body}`).digest('base64');
      return {
        'content-type': 'application/json',
        'webhook-id': webhookId,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': `v1,${signature}`,
      };
    });
  }

  async #json<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const type = sent === undefined ? {} : { 'content-type': 'application/json' };
    const { bytes } = await this.#send(method, path, sent, { ...type, ...headers });
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as T;
  }

  async #send(
    method: string,
    path: string,
    body?: string | Buffer,
    headers: Record<string, string> | (() => Record<string, string>) = {},
  ): Promise<Answer> {
    for (;;) {
      this.#stopped.throwIfAborted();
      const answer = await this.#attempt(method, path, body, typeof headers === 'function' ? headers() : headers);
      if (answer !== undefined && answer.status < 300) return answer;
      if (answer !== undefined && !isPassing(answer)) throw refusalOf(answer);
      await sleep(250, undefined, { signal: this.#stopped });
    }
  }

  async #attempt(
    method: string,
    path: string,
    body: string | Buffer | undefined,
    headers: Record<string, string>,
  ): Promise<Answer | undefined> {
    try {
      const response = await fetch(`${this.#url}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#key}`, ...headers },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.any([this.#stopped, AbortSignal.timeout(15_000)]),
      });
      return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
    } catch {
      return undefined;
    }
  }
}

interface Answer {
  readonly status: number;
  readonly bytes: Uint8Array;
}

const textOf = ({ bytes }: Answer): string => Buffer.from(bytes).toString('utf8');

const isPassing = (answer: Answer): boolean =>
  answer.status >= 500 ||
  answer.status === 429 ||
  (answer.status === 409 && textOf(answer).includes('"requestRunning"'));

function refusalOf(answer: Answer): Refusal {
  const { status } = answer;
  const text = textOf(answer);
  try {
    const problem = JSON.parse(text) as {
      code?: string;
      detail?: string;
      errors?: { pointer: string; message: string }[];
    };
    const where = (problem.errors ?? []).map(({ pointer, message }) => `${pointer}: ${message}`).join('; ');
    return new Refusal(status, problem.code ?? '', [problem.detail ?? '', where].filter(Boolean).join(' '));
  } catch {
    return new Refusal(status, '', text.slice(0, 200));
  }
}
