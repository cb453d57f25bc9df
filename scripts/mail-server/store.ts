import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Journal } from './journal.ts';

export interface Tag {
  name: string;
  value: string;
}

export interface StoredAttachment {
  id: string;
  filename: string;
  contentType: string;
  contentId: string | null;
  /** Bytes after decoding. */
  size: number;
  /** Names the file that holds the content. */
  sha256: string;
}

/** A mail as it was accepted. Instants are epoch milliseconds. */
export interface StoredMail {
  id: string;
  messageId: string;
  createdAt: number;
  scheduledAt: number | null;
  from: string;
  to: string[];
  cc: string[];
  bcc: string[];
  replyTo: string[];
  subject: string;
  html: string | null;
  text: string | null;
  tags: Tag[];
  headers: Record<string, string>;
  attachments: StoredAttachment[];
  idempotencyKey: string | null;
}

/** Something that happened to a mail; `id` is the webhook's svix-id. */
export interface MailEvent {
  id: string;
  mailId: string;
  /** Resend's name, such as `email.delivered`. */
  type: string;
  at: number;
  detail: Record<string, unknown>;
  /** Whether a webhook was wanted when it happened. */
  notify: boolean;
}

export interface WebhookTry {
  eventId: string;
  at: number;
  /** HTTP status, or what kept it from getting one. */
  result: string;
  /** When the next attempt is due; null when it was delivered or given up. */
  nextAt: number | null;
}

export interface IdempotencyRecord {
  /** Method, endpoint and key. */
  scope: string;
  bodyHash: string;
  ids: string[];
  at: number;
}

type Entry =
  | { kind: 'accepted'; mails: StoredMail[]; key: IdempotencyRecord | null; events: MailEvent[] }
  | { kind: 'events'; events: MailEvent[] }
  | { kind: 'try'; try: WebhookTry }
  | { kind: 'rescheduled'; mailId: string; scheduledAt: number };

export type Accepted = Omit<Extract<Entry, { kind: 'accepted' }>, 'kind'>;

/** The mailbox: a journal on disk and its sum in memory. State changes only after the journal has it. */
export class MailStore {
  /** Oldest first. */
  readonly mails: StoredMail[] = [];
  readonly #byId = new Map<string, StoredMail>();
  readonly #events = new Map<string, MailEvent[]>();
  readonly #eventById = new Map<string, MailEvent>();
  readonly #tries = new Map<string, WebhookTry[]>();
  readonly #keys = new Map<string, IdempotencyRecord>();
  readonly #attachmentFolder: string;
  #journal!: Journal<Entry>;

  private constructor(attachmentFolder: string) {
    this.#attachmentFolder = attachmentFolder;
  }

  static async open(folder: string): Promise<MailStore> {
    const attachmentFolder = join(folder, 'attachments');
    mkdirSync(attachmentFolder, { recursive: true, mode: 0o700 });
    const store = new MailStore(attachmentFolder);
    store.#journal = await Journal.open<Entry>(join(folder, 'journal.jsonl'), (entry) => store.#apply(entry));
    return store;
  }

  async close(): Promise<void> {
    await this.#journal.close();
  }

  mail(id: string): StoredMail | undefined {
    return this.#byId.get(id);
  }

  event(id: string): MailEvent | undefined {
    return this.#eventById.get(id);
  }

  events(mailId: string): readonly MailEvent[] {
    return this.#events.get(mailId) ?? [];
  }

  tries(eventId: string): readonly WebhookTry[] {
    return this.#tries.get(eventId) ?? [];
  }

  /** Webhooks that are neither delivered nor given up, with the instant their next attempt is due. */
  pendingWebhooks(): { event: MailEvent; dueAt: number }[] {
    const pending: { event: MailEvent; dueAt: number }[] = [];
    for (const event of this.#eventById.values()) {
      if (!event.notify) continue;
      const last = this.tries(event.id).at(-1);
      if (!last) pending.push({ event, dueAt: event.at });
      else if (last.nextAt !== null) pending.push({ event, dueAt: last.nextAt });
    }
    return pending;
  }

  /** The record of a key that is still kept: younger than `retentionMs`. */
  idempotencyRecord(scope: string, now: number, retentionMs: number): IdempotencyRecord | null {
    const record = this.#keys.get(scope);
    return record && now - record.at < retentionMs ? record : null;
  }

  async accept(accepted: Accepted): Promise<void> {
    await this.#record({ kind: 'accepted', ...accepted });
  }

  async addEvents(events: MailEvent[]): Promise<void> {
    await this.#record({ kind: 'events', events });
  }

  async addTry(attempt: WebhookTry): Promise<void> {
    await this.#record({ kind: 'try', try: attempt });
  }

  async reschedule(mailId: string, scheduledAt: number): Promise<void> {
    await this.#record({ kind: 'rescheduled', mailId, scheduledAt });
  }

  /** Keeps the content, once per distinct content, synced before the mail that names it is journalled. */
  async saveAttachment(content: Buffer): Promise<string> {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const path = join(this.#attachmentFolder, sha256);
    if (!existsSync(path)) {
      const draft = `${path}.${randomUUID()}.part`;
      const file = await open(draft, 'wx', 0o600);
      try {
        await file.writeFile(content);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    }
    return sha256;
  }

  async readAttachment(sha256: string): Promise<Buffer> {
    return readFile(join(this.#attachmentFolder, sha256));
  }

  async #record(entry: Entry): Promise<void> {
    await this.#journal.append(entry);
    this.#apply(entry);
  }

  #apply(entry: Entry): void {
    switch (entry.kind) {
      case 'accepted':
        for (const mail of entry.mails) {
          this.mails.push(mail);
          this.#byId.set(mail.id, mail);
        }
        if (entry.key) this.#keys.set(entry.key.scope, entry.key);
        this.#applyEvents(entry.events);
        break;
      case 'events':
        this.#applyEvents(entry.events);
        break;
      case 'try': {
        const tries = this.#tries.get(entry.try.eventId);
        if (tries) tries.push(entry.try);
        else this.#tries.set(entry.try.eventId, [entry.try]);
        break;
      }
      case 'rescheduled': {
        const mail = this.#byId.get(entry.mailId);
        if (mail) mail.scheduledAt = entry.scheduledAt;
        break;
      }
    }
  }

  #applyEvents(events: MailEvent[]): void {
    for (const event of events) {
      this.#eventById.set(event.id, event);
      const ofMail = this.#events.get(event.mailId);
      if (ofMail) ofMail.push(event);
      else this.#events.set(event.mailId, [event]);
    }
  }
}
