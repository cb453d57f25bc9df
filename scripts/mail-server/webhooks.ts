import { createHmac } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Faults } from './faults.ts';
import { webhookBody } from './lifecycle.ts';
import type { MailEvent, MailStore } from './store.ts';

/** Resend's published schedule: at once, then after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h. */
export const RETRY_SCHEDULE_MS: readonly number[] = [
  0,
  5_000,
  5 * 60_000,
  30 * 60_000,
  2 * 3_600_000,
  5 * 3_600_000,
  10 * 3_600_000,
  10 * 3_600_000,
];

/** How long an endpoint may take to answer; Svix waits as long. */
const ANSWER_TIMEOUT_MS = 15_000;
const PARALLEL = 8;
/** A held-back webhook leaves after the next one, or after this long when none follows. */
const REORDER_MS = 1_000;

export interface WebhookTarget {
  url: string;
  /** `whsec_` and the key in base64. */
  secret: string;
}

/**
 * The `svix-signature` of a body: HMAC-SHA256 over `id.timestamp.body`, as Standard Webhooks has it.
 * @param timestamp whole seconds since the epoch
 */
export function signWebhook(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

/** Sends what happened to mails to the endpoint until it says 2xx or the schedule ends; what is pending survives a kill. */
export class WebhookSender {
  readonly #store: MailStore;
  readonly #target: WebhookTarget;
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #schedule: readonly number[];
  readonly #timers = new Set<{ cancel(): void }>();
  readonly #stopping = new AbortController();
  #queue: MailEvent[] = [];
  #running = new Set<Promise<void>>();
  #heldBack: MailEvent | null = null;

  constructor(options: {
    store: MailStore;
    target: WebhookTarget;
    clock: Clock;
    faults: Faults;
    schedule?: readonly number[];
  }) {
    this.#store = options.store;
    this.#target = options.target;
    this.#clock = options.clock;
    this.#faults = options.faults;
    this.#schedule = options.schedule ?? RETRY_SCHEDULE_MS;
  }

  /** Takes up what an earlier run left undelivered. */
  resume(): void {
    for (const { event, dueAt } of this.#store.pendingWebhooks()) this.#sendAfter(event, dueAt - this.#clock.now());
  }

  /** Sends a new event, subject to the faults that are switched on. */
  notify(event: MailEvent): void {
    if (this.#heldBack === null && this.#faults.takeWebhook('reorder')) {
      this.#heldBack = event;
      this.#later(REORDER_MS, () => this.#letGo(event));
      return;
    }
    this.#sendAfter(event, this.#faults.webhookDelayMs);
    if (this.#faults.takeWebhook('duplicate')) this.#sendAfter(event, this.#faults.webhookDelayMs);
    if (this.#heldBack) this.#letGo(this.#heldBack);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const timer of this.#timers) timer.cancel();
    this.#queue = [];
    await Promise.allSettled(this.#running);
  }

  #letGo(event: MailEvent): void {
    if (this.#heldBack !== event) return;
    this.#heldBack = null;
    this.#sendAfter(event, this.#faults.webhookDelayMs);
  }

  #sendAfter(event: MailEvent, ms: number): void {
    if (ms <= 0) this.#enqueue(event);
    else this.#later(ms, () => this.#enqueue(event));
  }

  #later(ms: number, task: () => void): void {
    const timer = this.#clock.after(ms, () => {
      this.#timers.delete(timer);
      task();
    });
    this.#timers.add(timer);
  }

  #enqueue(event: MailEvent): void {
    this.#queue.push(event);
    this.#pump();
  }

  #pump(): void {
    while (this.#running.size < PARALLEL && !this.#stopping.signal.aborted) {
      const event = this.#queue.shift();
      if (!event) return;
      const attempt = this.#attempt(event).finally(() => {
        this.#running.delete(attempt);
        this.#pump();
      });
      this.#running.add(attempt);
    }
  }

  async #attempt(event: MailEvent): Promise<void> {
    const result = await this.#post(event);
    if (this.#stopping.signal.aborted) return;
    const attempts = this.#store.tries(event.id).length + 1;
    const wait = /^2\d\d$/.test(result) ? undefined : this.#schedule[attempts];
    const at = this.#clock.now();
    const nextAt = wait === undefined ? null : at + wait;
    try {
      await this.#store.addTry({ eventId: event.id, at, result, nextAt });
    } catch {
      // The disk would not take the note: the webhook is sent again after a restart, and receivers drop repeats by svix-id.
    }
    if (wait !== undefined) this.#sendAfter(event, wait);
  }

  async #post(event: MailEvent): Promise<string> {
    const mail = this.#store.mail(event.mailId);
    if (!mail) return 'mail is gone';
    const body = webhookBody(event, mail);
    const age = this.#faults.takeWebhook('stale') ? 301 : 0;
    const timestamp = Math.floor(this.#clock.now() / 1000) - age;
    const signed = this.#faults.takeWebhook('badSignature') ? `${body} ` : body;
    try {
      const response = await fetch(this.#target.url, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Svix-Webhooks/relance-local',
          'svix-id': event.id,
          'svix-timestamp': String(timestamp),
          'svix-signature': signWebhook(this.#target.secret, event.id, timestamp, signed),
        },
        body,
        signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      });
      await response.body?.cancel();
      return String(response.status);
    } catch (error) {
      return error instanceof Error && error.name === 'TimeoutError' ? 'timed out' : 'no connection';
    }
  }
}
