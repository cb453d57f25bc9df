import { createHash, randomUUID } from 'node:crypto';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { systemClock, type Clock } from './clock.ts';
import { ApiError } from './errors.ts';
import { errorOfFault, Faults, tooManyRequests, type RequestFault } from './faults.ts';
import { registerInbox } from './inbox.ts';
import { fateOf, lastEventOf } from './lifecycle.ts';
import { readBatchRequest, readSendRequest, scheduledAtOf, type SendRequest } from './requests.ts';
import { MailStore, type MailEvent, type StoredMail } from './store.ts';
import { WebhookSender, type WebhookTarget } from './webhooks.ts';

export interface MailServerOptions {
  /** Where mails, keys and attachments are kept; created when missing. One server at a time. */
  dataFolder: string;
  /** 0 (the default) takes a free port. */
  port?: number;
  host?: string;
  /** Bearer keys that are good; any is when left out. */
  apiKeys?: readonly string[];
  /** Where delivery webhooks go; none are sent when left out. */
  webhook?: WebhookTarget;
  /** Milliseconds between attempts of a webhook, the first being 0; Resend's schedule when left out. */
  webhookSchedule?: readonly number[];
  /** Requests per second and key before 429. */
  requestsPerSecond?: number;
  /** How long after "sent" a mail is delivered, bounced and so on. */
  deliveryDelayMs?: number;
  /** Lets others than this machine read the inbox, for a container whose port is published on loopback only. */
  openInbox?: boolean;
  clock?: Clock;
}

export interface MailServer {
  app: FastifyInstance;
  /** Starts to listen and says where, such as `http://127.0.0.1:8025`. */
  listen(): Promise<string>;
  /** Closes sockets, timers and the journal; what is pending goes on at the next start. */
  close(): Promise<void>;
}

/** Resend keeps an idempotency key for 24 hours. */
export const KEY_RETENTION_MS = 24 * 3_600_000;
const DEFAULT_REQUESTS_PER_SECOND = 1_000;
const DEFAULT_DELIVERY_DELAY_MS = 50;
const DISK_TROUBLE_DELAY_MS = 5_000;
/** 40 MB of attachments in base64, and room for the texts. */
const BODY_LIMIT_BYTES = 48 * 1024 * 1024;

/**
 * A stand-in for Resend that runs beside the program: the base URL is the only switch. Mails and idempotency keys are
 * on disk before the answer leaves. Throws when the data folder cannot be used or its journal is damaged.
 */
export async function createMailServer(options: MailServerOptions): Promise<MailServer> {
  const clock = options.clock ?? systemClock;
  const store = await MailStore.open(options.dataFolder);
  const faults = new Faults();
  const sender = options.webhook
    ? new WebhookSender({
        store,
        target: options.webhook,
        clock,
        faults,
        ...(options.webhookSchedule ? { schedule: options.webhookSchedule } : {}),
      })
    : null;
  const post = new PostOffice(store, clock, sender, options.deliveryDelayMs ?? DEFAULT_DELIVERY_DELAY_MS);
  const app = fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true });

  acceptJsonOnly(app);
  answerLikeResend(app);
  registerApi(app, { ...options, clock, store, faults, post });
  registerInbox(app, store, (request) => options.openInbox === true || isLoopback(request));

  return {
    app,
    async listen() {
      const url = await app.listen({ port: options.port ?? 0, host: options.host ?? '127.0.0.1' });
      post.resume();
      sender?.resume();
      return url;
    },
    async close() {
      await app.close();
      post.stop();
      await sender?.stop();
      await store.close();
    },
  };
}

/** Moves accepted mails through their events; what is still to come is worked out anew after a restart. */
class PostOffice {
  readonly #store: MailStore;
  readonly #clock: Clock;
  readonly #sender: WebhookSender | null;
  readonly #deliveryDelayMs: number;
  readonly #timers = new Set<{ cancel(): void }>();
  #stopped = false;

  constructor(store: MailStore, clock: Clock, sender: WebhookSender | null, deliveryDelayMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#sender = sender;
    this.#deliveryDelayMs = deliveryDelayMs;
  }

  /** Keeps the mails of one request, with its key, in one journal line. */
  async accept(
    requests: SendRequest[],
    key: { scope: string; bodyHash: string; text: string } | null,
  ): Promise<string[]> {
    const at = this.#clock.now();
    const mails = await Promise.all(requests.map((request) => this.#toMail(request, at, key?.text ?? null)));
    const ids = mails.map((mail) => mail.id);
    const events = mails.map((mail) =>
      mail.scheduledAt === null ? this.#event(mail, 'email.sent') : this.#event(mail, 'email.scheduled'),
    );
    const record = key ? { scope: key.scope, bodyHash: key.bodyHash, ids, at } : null;
    await this.#store.accept({ mails, key: record, events });
    for (const event of events) this.#sender?.notify(event);
    for (const mail of mails) this.#expectNext(mail);
    return ids;
  }

  async cancel(mail: StoredMail): Promise<void> {
    if (!this.#isScheduled(mail))
      throw new ApiError(422, 'validation_error', 'Only scheduled emails can be cancelled.');
    await this.#happen(mail, 'email.canceled');
  }

  async reschedule(mail: StoredMail, scheduledAt: number): Promise<void> {
    if (!this.#isScheduled(mail)) throw new ApiError(422, 'validation_error', 'Only scheduled emails can be updated.');
    await this.#store.reschedule(mail.id, scheduledAt);
    this.#expectNext(mail);
  }

  resume(): void {
    for (const mail of this.#store.mails) this.#expectNext(mail);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
  }

  #isScheduled(mail: StoredMail): boolean {
    return lastEventOf(mail, this.#store.events(mail.id)) === 'scheduled';
  }

  /** Waits for the next thing that is to happen to the mail, judged by what has happened so far. */
  #expectNext(mail: StoredMail, atLeastMs = 0): void {
    const dueIn = this.#isScheduled(mail) ? (mail.scheduledAt ?? 0) - this.#clock.now() : this.#deliveryDelayMs;
    const next = this.#nextType(mail);
    if (next === null || this.#stopped) return;
    const timer = this.#clock.after(Math.max(dueIn, atLeastMs), () => {
      this.#timers.delete(timer);
      // Cancelled or moved meanwhile: another timer, or none, is in charge.
      const moved = this.#isScheduled(mail) && (mail.scheduledAt ?? 0) > this.#clock.now();
      if (this.#nextType(mail) !== next || moved || this.#stopped) return;
      this.#happen(mail, next).then(
        () => this.#expectNext(mail),
        // The disk would not take it: look again when there may be room.
        () => this.#expectNext(mail, DISK_TROUBLE_DELAY_MS),
      );
    });
    this.#timers.add(timer);
  }

  #nextType(mail: StoredMail): string | null {
    const happened = new Set(this.#store.events(mail.id).map((event) => event.type));
    if (happened.has('email.canceled')) return null;
    return fateOf(mail).types.find((type) => !happened.has(type)) ?? null;
  }

  async #happen(mail: StoredMail, type: string): Promise<void> {
    const event = this.#event(mail, type);
    await this.#store.addEvents([event]);
    if (event.notify) this.#sender?.notify(event);
  }

  #event(mail: StoredMail, type: string): MailEvent {
    const fate = fateOf(mail);
    const detail = fate.types.at(-1) === type ? fate.detail : {};
    // A cancellation is shown here but Resend has no webhook for it.
    const notify = this.#sender !== null && type !== 'email.canceled';
    return {
      id: `msg_${randomUUID().replaceAll('-', '')}`,
      mailId: mail.id,
      type,
      at: this.#clock.now(),
      detail,
      notify,
    };
  }

  async #toMail(request: SendRequest, at: number, idempotencyKey: string | null): Promise<StoredMail> {
    const attachments = await Promise.all(
      request.attachments.map(async ({ content, ...named }) => ({
        id: randomUUID(),
        ...named,
        size: content.length,
        sha256: await this.#store.saveAttachment(content),
      })),
    );
    const id = randomUUID();
    return { ...request, id, messageId: `<${id}@mail.local>`, createdAt: at, attachments, idempotencyKey };
  }
}

interface Context extends MailServerOptions {
  clock: Clock;
  store: MailStore;
  faults: Faults;
  post: PostOffice;
}

function registerApi(app: FastifyInstance, context: Context): void {
  const { clock, store, faults, post } = context;
  const limit = rateLimiter(context.requestsPerSecond ?? DEFAULT_REQUESTS_PER_SECOND, clock);
  const inFlight = new Set<string>();

  const authorise = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    limit(checkKey(request, context.apiKeys), reply);
  };
  const authoriseUnlessLocal = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (request.headers.authorization === undefined && isLoopback(request)) return;
    await authorise(request, reply);
  };
  const localOnly = async (request: FastifyRequest): Promise<void> => {
    if (!isLoopback(request)) throw new ApiError(403, 'invalid_access', 'Faults are switched from this machine only.');
  };
  const mailOf = (request: FastifyRequest): StoredMail => {
    const mail = store.mail((request.params as { id: string }).id);
    if (!mail) throw new ApiError(404, 'not_found', 'Email not found');
    return mail;
  };

  /** One send request, single or batch: fault, checks, idempotency, journal, answer. */
  const send = async (
    request: FastifyRequest,
    reply: FastifyReply,
    read: (body: unknown, now: number) => SendRequest[],
    answer: (ids: string[]) => unknown,
  ): Promise<unknown> => {
    const planned = faults.takeRequest();
    const error = planned && errorOfFault(planned.fault, planned.retryAfter);
    if (error) throw error;
    const fault = planned?.fault ?? null;
    if (fault === 'nonJson502') return badGatewayPage(reply);

    const mails = read(request.body, clock.now());
    const key = idempotencyKeyOf(request);
    if (key && inFlight.has(key.scope)) {
      const message = 'Same idempotency key used while original request is still in progress.';
      throw new ApiError(409, 'concurrent_idempotent_requests', message);
    }
    const known = key && store.idempotencyRecord(key.scope, clock.now(), KEY_RETENTION_MS);
    if (key && known && known.bodyHash !== key.bodyHash) {
      const message = 'Same idempotency key used with a different request payload.';
      throw new ApiError(409, 'invalid_idempotent_request', message);
    }
    if (key) inFlight.add(key.scope);
    const release = (): void => void (key && inFlight.delete(key.scope));
    if (fault === 'hang') {
      // Nothing is kept and nothing answered; the key stays taken until the caller gives up.
      request.raw.socket.once('close', release);
      return reply.hijack();
    }
    try {
      const ids = known?.ids ?? (await post.accept(mails, key));
      return answerWithFault(request, reply, fault, answer(ids));
    } finally {
      release();
    }
  };

  const reschedule = async (request: FastifyRequest): Promise<unknown> => {
    const mail = mailOf(request);
    const at = scheduledAtOf((request.body as { scheduled_at?: unknown } | undefined)?.scheduled_at, clock.now());
    if (at === null) throw new ApiError(422, 'missing_required_field', 'Missing `scheduled_at` field.');
    await post.reschedule(mail, at);
    return { object: 'email', id: mail.id };
  };
  const cancel = async (request: FastifyRequest): Promise<unknown> => {
    const mail = mailOf(request);
    await post.cancel(mail);
    return { object: 'email', id: mail.id };
  };

  app.post('/emails', { preHandler: authorise }, (request, reply) =>
    send(
      request,
      reply,
      (body, now) => [readSendRequest(body, now)],
      ([id]) => ({ id }),
    ),
  );
  app.post('/emails/batch', { preHandler: authorise }, (request, reply) =>
    send(request, reply, readBatchRequest, (ids) => ({ data: ids.map((id) => ({ id })) })),
  );
  app.get('/emails', { preHandler: authoriseUnlessLocal }, (request) => listOf(store, request.query));
  app.get('/emails/:id', { preHandler: authorise }, (request) => ({
    object: 'email',
    ...rowOf(mailOf(request), store),
  }));
  app.patch('/emails/:id', { preHandler: authorise }, (request) => reschedule(request));
  app.post('/emails/:id/cancel', { preHandler: authorise }, (request) => cancel(request));

  app.get('/_faults', { preHandler: localOnly }, () => faults.toJSON());
  app.post('/_faults', { preHandler: localOnly }, (request) => {
    faults.plan(request.body);
    return faults.toJSON();
  });
  app.delete('/_faults', { preHandler: localOnly }, () => {
    faults.clear();
    return faults.toJSON();
  });
  app.get('/healthz', () => ({ status: 'ok', mails: store.mails.length }));
}

/** What goes wrong after the mail is safely kept, or the plain answer. */
function answerWithFault(
  request: FastifyRequest,
  reply: FastifyReply,
  fault: RequestFault | null,
  answer: unknown,
): unknown {
  if (fault === 'acceptThenDrop') {
    reply.hijack();
    request.raw.socket.destroy();
    return reply;
  }
  if (fault === 'hangAfterAccept') return reply.hijack();
  if (fault === 'nonJson200') return reply.type('text/html').send('<!doctype html><title>OK</title>');
  return answer;
}

function badGatewayPage(reply: FastifyReply): FastifyReply {
  return reply.code(502).type('text/html').send('<html><body><h1>502 Bad Gateway</h1></body></html>');
}

function checkKey(request: FastifyRequest, good: readonly string[] | undefined): string {
  const key = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (!key) {
    const message =
      'Missing API key in the authorization header. Include the following header `Authorization: Bearer YOUR_API_KEY` in the request.';
    throw new ApiError(401, 'missing_api_key', message);
  }
  if (good && !good.includes(key)) throw new ApiError(403, 'invalid_api_key', 'API key is invalid.');
  return key;
}

function idempotencyKeyOf(request: FastifyRequest): { scope: string; bodyHash: string; text: string } | null {
  const text = request.headers['idempotency-key'];
  if (text === undefined) return null;
  if (typeof text !== 'string' || text.length < 1 || text.length > 256) {
    throw new ApiError(400, 'invalid_idempotency_key', 'The key must be between 1-256 chars.');
  }
  const bodyHash = createHash('sha256').update(canonical(request.body)).digest('hex');
  return { scope: `${request.method} ${request.routeOptions.url} ${text}`, bodyHash, text };
}

/** JSON with sorted names, so that the same request in another order is the same request. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const parts = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, part]) => `${JSON.stringify(name)}:${canonical(part)}`);
  return `{${parts.join(',')}}`;
}

/** Counts requests in windows of one second, sets Resend's `ratelimit-*` headers and refuses what is too much. */
function rateLimiter(perSecond: number, clock: Clock): (key: string, reply: FastifyReply) => void {
  const windows = new Map<string, { second: number; used: number }>();
  return (key, reply) => {
    const second = Math.floor(clock.now() / 1000);
    const open = windows.get(key);
    const window = open?.second === second ? open : { second, used: 0 };
    windows.set(key, window);
    window.used += 1;
    reply.header('ratelimit-limit', perSecond);
    reply.header('ratelimit-remaining', Math.max(perSecond - window.used, 0));
    reply.header('ratelimit-reset', 1);
    if (window.used > perSecond) throw tooManyRequests(1);
  };
}

function listOf(store: MailStore, query: unknown): unknown {
  const { limit: limitText, after, before } = query as Record<string, string | undefined>;
  const limit = limitText === undefined ? 20 : Number(limitText);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
    throw new ApiError(422, 'validation_error', 'The `limit` parameter must be between 1 and 100.');
  }
  if (after !== undefined && before !== undefined) {
    throw new ApiError(422, 'validation_error', 'The `after` and `before` parameters cannot be used together.');
  }
  const newestFirst = store.mails.toReversed();
  const cursor = after ?? before;
  const at = cursor === undefined ? -1 : newestFirst.findIndex((mail) => mail.id === cursor);
  if (cursor !== undefined && at === -1)
    throw new ApiError(422, 'validation_error', 'The pagination cursor is unknown.');
  const range = before === undefined ? newestFirst.slice(at + 1) : newestFirst.slice(0, at);
  const page = before === undefined ? range.slice(0, limit) : range.slice(-limit);
  return { object: 'list', has_more: range.length > page.length, data: page.map((mail) => rowOf(mail, store)) };
}

/** A mail as the list and the single answer show it. */
function rowOf(mail: StoredMail, store: MailStore): Record<string, unknown> {
  return {
    id: mail.id,
    message_id: mail.messageId,
    from: mail.from,
    to: mail.to,
    cc: mail.cc,
    bcc: mail.bcc,
    reply_to: mail.replyTo,
    subject: mail.subject,
    html: mail.html,
    text: mail.text,
    tags: mail.tags,
    attachments: mail.attachments.map((one) => ({
      id: one.id,
      filename: one.filename,
      content_type: one.contentType,
      content_id: one.contentId,
      size: one.size,
    })),
    headers: mail.headers,
    created_at: new Date(mail.createdAt).toISOString(),
    scheduled_at: mail.scheduledAt === null ? null : new Date(mail.scheduledAt).toISOString(),
    last_event: lastEventOf(mail, store.events(mail.id)),
  };
}

/**
 * Whether the request came from this machine and was meant for it: the Host check keeps a web page from reading the
 * mailbox through a name of its own that points at 127.0.0.1.
 */
function isLoopback(request: FastifyRequest): boolean {
  const from = request.socket.remoteAddress ?? '';
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  return /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(from) && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host);
}

function acceptJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') return done(null, undefined);
    try {
      done(null, JSON.parse(body as string));
    } catch {
      done(new ApiError(400, 'validation_error', 'The request body is not valid JSON.'));
    }
  });
}

function answerLikeResend(app: FastifyInstance): void {
  app.setErrorHandler((thrown, _request, reply) => {
    const error = thrown instanceof ApiError ? thrown : apiErrorOf(thrown);
    return reply.code(error.statusCode).headers(error.headers).send(error.body());
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send(new ApiError(404, 'not_found', 'The requested endpoint does not exist.').body()),
  );
}

function apiErrorOf(thrown: unknown): ApiError {
  const status = (thrown as { statusCode?: unknown }).statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new ApiError(
      status,
      'validation_error',
      thrown instanceof Error ? thrown.message : 'The request is not valid.',
    );
  }
  return new ApiError(500, 'internal_server_error', 'An unexpected error occurred.');
}
