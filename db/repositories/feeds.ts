import { sql } from 'kysely';
import type { Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { FeedKind } from '../types.ts';
import { pokeFeed } from './outbox.ts';
import { closeOpenTasks } from './tasks.ts';

/** A signing secret as it is stored: encrypted by the caller, who has the key. */
export interface StoredSecret {
  sealed: string;
  createdAt: Instant;
}

export interface FeedRow {
  id: string;
  seq: bigint;
  creditor_id: string;
  kind: FeedKind;
  name: string;
  iban: string | null;
  secrets: StoredSecret[];
  /** Sealed; null where there are none. */
  credentials: string | null;
  /** How far its provider's list was read, in the provider's words. */
  read_to: string | null;
  created_at: number;
}

export interface NewFeed {
  id: string;
  creditorId: string;
  kind: FeedKind;
  name: string;
  iban: string | null;
  /** Null until the provider's is known, and where there is none. */
  sealedSecret: string | null;
  sealedCredentials: string | null;
}

/** Secrets that are taken at the same time: the one before keeps working until the next rotation. */
const ACTIVE_SECRETS = 2;

const COLUMNS = [
  'id',
  'seq',
  'creditor_id',
  'kind',
  'name',
  'iban',
  'secrets',
  'credentials',
  'read_to',
  'created_at',
] as const;

/** Adds a feed. The id is the caller's, since what is sealed is bound to it. */
export async function createFeed(tx: Tx, act: Act, feed: NewFeed): Promise<void> {
  await tx
    .insertInto('feeds')
    .values({
      id: feed.id,
      creditor_id: feed.creditorId,
      kind: feed.kind,
      name: feed.name,
      iban: feed.iban,
      secrets: json(feed.sealedSecret === null ? [] : [{ sealed: feed.sealedSecret, createdAt: act.at }]),
      credentials: feed.sealedCredentials,
      created_at: instant(act.at),
    })
    .execute();
}

export const newFeedId = (): string => newId('fee');

/** Puts a new secret in front; the one before it stays valid, older ones end. The feed is locked. */
export async function rotateSecret(tx: Tx, act: Act, feed: FeedRow, sealedSecret: string): Promise<void> {
  const secrets = [{ sealed: sealedSecret, createdAt: act.at }, ...feed.secrets];
  await tx
    .updateTable('feeds')
    .set({ secrets: json(secrets.slice(0, ACTIVE_SECRETS)) })
    .where('id', '=', feed.id)
    .execute();
}

/** A feed that takes webhooks; the creditor follows from it. */
export async function findFeed(db: Db | Tx, feedId: string): Promise<FeedRow | undefined> {
  const row = await db
    .selectFrom('feeds')
    .select(COLUMNS)
    .where('id', '=', feedId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return row && { ...row, secrets: row.secrets as StoredSecret[] };
}

/** The creditor's feed, locked until the end of the transaction; undefined where it has none of this id. */
export async function lockFeed(tx: Tx, creditorId: string, feedId: string): Promise<FeedRow | undefined> {
  const row = await tx
    .selectFrom('feeds')
    .select(COLUMNS)
    .where('creditor_id', '=', creditorId)
    .where('id', '=', feedId)
    .where('deleted_at', 'is', null)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row && { ...row, secrets: row.secrets as StoredSecret[] };
}

/** Feeds of a creditor, newest first, behind the position `after`. */
export async function listFeeds(db: Db, creditorId: string, after: bigint | null, count: number): Promise<FeedRow[]> {
  const rows = await db
    .selectFrom('feeds')
    .select(COLUMNS)
    .where('creditor_id', '=', creditorId)
    .where('deleted_at', 'is', null)
    .$if(after !== null, (query) => query.where('seq', '<', after))
    .orderBy('seq', 'desc')
    .limit(count)
    .execute();
  return rows.map((row) => ({ ...row, secrets: row.secrets as StoredSecret[] }));
}

export const renameFeed = (tx: Tx, feedId: string, name: string) =>
  tx.updateTable('feeds').set({ name }).where('id', '=', feedId).execute();

/**
 * New credentials are tried at once, on everything that waits to be asked for. `fromStart`: they are for another list of
 * the provider, which is read from its beginning.
 */
export async function changeCredentials(tx: Tx, feedId: string, sealed: string, fromStart: boolean): Promise<void> {
  await tx
    .updateTable('feeds')
    .set({ credentials: sealed, ...(fromStart ? { read_to: null } : {}) })
    .where('id', '=', feedId)
    .execute();
  await tx
    .updateTable('inbox')
    .set({ attempts: 0, not_before: null, error_code: null })
    .where('feed_id', '=', feedId)
    .where('status', '=', 'fetch')
    .execute();
  await pokeFeed(tx, feedId);
}

/**
 * Ends a feed: nothing is taken under its secrets any more, and they and the credentials are forgotten. What came before
 * is still applied; what the provider would have to be asked for is not any more. Receipts stay.
 */
export async function deleteFeed(tx: Tx, act: Act, feed: FeedRow): Promise<void> {
  await tx
    .updateTable('feeds')
    .set({ deleted_at: instant(act.at), secrets: json([]), credentials: null })
    .where('id', '=', feed.id)
    .execute();
  await tx
    .updateTable('inbox')
    .set({ status: 'unreadable', error_code: 'feedDeleted' })
    .where('feed_id', '=', feed.id)
    .where('status', '=', 'fetch')
    .execute();
  await closeOpenTasks(tx, act, feed.creditor_id, unreachableKey(feed.id), { outcome: 'feedDeleted' });
}

/** What the keys of a feed's tasks begin with that say that its provider does not answer. */
export const unreachableKey = (feedId: string): string => `feedUnreachable:${feedId}:`;

/** What of a feed is not done yet. */
export interface FeedBacklog {
  /** Messages and transactions that are about to be applied. */
  pending: number;
  /** Messages whose provider must be asked. */
  toFetch: number;
  /** Transactions that wait for the one they undo. */
  waiting: number;
  lastMessageAt: Instant | null;
  /** Of the messages to fetch, the one that was asked for most often in vain. */
  attempts: number;
  errorCode: string | null;
  /** Real time before which the provider is not asked again; null where nothing puts it off. */
  notBefore: number | null;
}

export async function feedBacklog(db: Db, feed: Pick<FeedRow, 'id' | 'creditor_id' | 'iban'>): Promise<FeedBacklog> {
  const { rows } = await sql<{
    pending: bigint;
    to_fetch: bigint;
    waiting: bigint;
    last_at: number | null;
    attempts: number | null;
    error_code: string | null;
    not_before: number | null;
  }>`
    select (select count(*) from inbox where feed_id = ${feed.id} and status = 'pending')
        + (select count(*) from bank_transactions where feed_id = ${feed.id} and state = 'pending') as pending,
      (select count(*) from inbox where feed_id = ${feed.id} and status = 'fetch') as to_fetch,
      (select count(*) from bank_transactions where creditor_id = ${feed.creditor_id}
        and account_key = ${feed.iban ?? feed.id} and feed_id = ${feed.id} and state = 'waiting') as waiting,
      (select received_at from inbox where feed_id = ${feed.id} order by id desc limit 1) as last_at,
      asked.attempts, asked.error_code,
      (select min(coalesce(not_before, '-infinity')) from inbox where feed_id = ${feed.id} and status = 'fetch'
        having min(coalesce(not_before, '-infinity')) > clock_timestamp()) as not_before
    from (select 1) one left join lateral (
      select attempts, error_code from inbox where feed_id = ${feed.id} and status = 'fetch' and attempts > 0
      order by attempts desc, id limit 1) asked on true`.execute(db);
  const row = rows[0]!;
  return {
    pending: Number(row.pending),
    toFetch: Number(row.to_fetch),
    waiting: Number(row.waiting),
    lastMessageAt: row.last_at,
    attempts: row.attempts ?? 0,
    errorCode: row.error_code,
    notBefore: row.not_before,
  };
}
