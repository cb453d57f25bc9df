import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { Instant } from '../../domain/time/zones.ts';
import type { Db } from '../database.ts';
import { OUTBOX_CHANNEL } from './outbox.ts';

/** A webhook as it came, its signature verified. */
export interface IncomingWebhook {
  feedId: string;
  creditorId: string;
  /** The message's own id at the sender. */
  webhookId: string;
  /** Type and id of what it is about (`dataKeyOf`); null where the body cannot be read. */
  dataKey: string | null;
  body: Buffer;
  receivedAt: Instant;
}

/** `duplicate`: its webhook id or its data key was there before, and nothing was written. */
export type Intake = 'stored' | 'duplicate';

export interface IntakeOptions {
  /** Rows of one commit at most. */
  batch?: number;
  /** Rows that may wait at most; more are refused with `overloaded`. */
  queue?: number;
}

interface Waiting {
  row: IncomingWebhook;
  resolve: (intake: Intake) => void;
  reject: (error: unknown) => void;
}

/**
 * Writes webhooks so that many share one commit: what arrives while a commit is under way goes into the next one. A caller
 * hears `stored` only when its row is on disk. When a batch fails its rows are tried one by one, so that a bad row takes
 * no other with it.
 */
export class IntakeWriter {
  readonly #db: Db;
  readonly #batch: number;
  readonly #queue: number;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;

  constructor(db: Db, options: IntakeOptions = {}) {
    this.#db = db;
    this.#batch = options.batch ?? 256;
    this.#queue = options.queue ?? 10_000;
  }

  /** Resolves after COMMIT. Throws `overloaded` at once when too many wait already. */
  write(row: IncomingWebhook): Promise<Intake> {
    if (this.#waiting.length >= this.#queue) {
      return Promise.reject(new DomainError('overloaded', 'Too many webhooks wait to be written.'));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ row, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when everything that was given has been written or refused. */
  async drained(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    // One tick, so that requests that are read from their sockets together make the first batch together.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) await this.#writeBatch(this.#waiting.splice(0, this.#batch));
    this.#running = null;
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const stored = await insert(
        this.#db,
        batch.map(({ row }) => row),
      );
      for (const { row, resolve } of batch) {
        // Of two equal rows in one batch the first one was stored.
        resolve(stored.delete(keyOf(row.feedId, row.webhookId)) ? 'stored' : 'duplicate');
      }
    } catch {
      await Promise.all(batch.map(({ row, resolve, reject }) => storeSingly(this.#db, row).then(resolve, reject)));
    }
  }
}

/** The same for one row in a commit of its own. */
export async function storeSingly(db: Db, row: IncomingWebhook): Promise<Intake> {
  const stored = await insert(db, [row]);
  return stored.size === 1 ? 'stored' : 'duplicate';
}

/**
 * Rows and the pokes of their feeds in one statement, which is one transaction and one round trip. Rows go in in the
 * order of their keys, so that two processes that write the same ones wait for each other in the same order. Returns the
 * keys of the rows that were not there before.
 */
async function insert(db: Db, rows: readonly IncomingWebhook[]): Promise<Set<string>> {
  const ordered = rows
    .map((row, index) => ({ ...row, index, key: keyOf(row.feedId, row.webhookId) }))
    .sort((a, b) => (a.key === b.key ? a.index - b.index : a.key < b.key ? -1 : 1));
  const result = await sql<{ feed_id: string; webhook_id: string }>`
    with stored as (
      insert into inbox (feed_id, creditor_id, webhook_id, data_key, body, received_at)
      select * from unnest(
        ${ordered.map((r) => r.feedId)}::text[], ${ordered.map((r) => r.creditorId)}::text[],
        ${ordered.map((r) => r.webhookId)}::text[], ${ordered.map((r) => r.dataKey)}::text[],
        ${ordered.map((r) => r.body)}::bytea[], ${ordered.map((r) => new Date(r.receivedAt))}::timestamptz[])
      on conflict do nothing
      returning feed_id, webhook_id
    ),
    poked as (
      insert into outbox (kind, target, payload, coalesce_key)
      select 'pokeFeed', feed_id, '{}', 'feed:' || feed_id from (select distinct feed_id from stored order by 1) feeds
      on conflict (coalesce_key) where status = 'pending' and coalesce_key is not null
        do update set attempts = outbox.attempts
      returning pg_notify(${OUTBOX_CHANNEL}, '')
    )
    select feed_id, webhook_id from stored, (select count(*) from poked) rung`.execute(db);
  return new Set(result.rows.map((row) => keyOf(row.feed_id, row.webhook_id)));
}

/** A space is in no feed's id. */
const keyOf = (feedId: string, webhookId: string): string => `${feedId} ${webhookId}`;
