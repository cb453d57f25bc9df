import type { Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { FeedKind } from '../types.ts';

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
  created_at: number;
}

/** Secrets that are taken at the same time: the one before keeps working until the next rotation. */
const ACTIVE_SECRETS = 2;

/** Adds a feed. The id is the caller's, since the secret is bound to it. */
export async function createFeed(
  tx: Tx,
  act: Act,
  feed: { id: string; creditorId: string; kind: FeedKind; name: string; iban: string | null; sealedSecret: string },
): Promise<void> {
  await tx
    .insertInto('feeds')
    .values({
      id: feed.id,
      creditor_id: feed.creditorId,
      kind: feed.kind,
      name: feed.name,
      iban: feed.iban,
      secrets: json([{ sealed: feed.sealedSecret, createdAt: act.at }]),
      created_at: instant(act.at),
    })
    .execute();
}

export const newFeedId = (): string => newId('fee');

/** Puts a new secret in front; the one before it stays valid, older ones end. False when there is no such feed. */
export async function rotateSecret(
  tx: Tx,
  act: Act,
  creditorId: string,
  feedId: string,
  sealedSecret: string,
): Promise<boolean> {
  const row = await tx
    .selectFrom('feeds')
    .select('secrets')
    .where('creditor_id', '=', creditorId)
    .where('id', '=', feedId)
    .where('deleted_at', 'is', null)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!row) return false;
  const secrets = [{ sealed: sealedSecret, createdAt: act.at }, ...(row.secrets as StoredSecret[])];
  await tx
    .updateTable('feeds')
    .set({ secrets: json(secrets.slice(0, ACTIVE_SECRETS)) })
    .where('id', '=', feedId)
    .execute();
  return true;
}

/** A feed that takes webhooks; the creditor follows from it. */
export async function findFeed(db: Db | Tx, feedId: string): Promise<FeedRow | undefined> {
  const row = await db
    .selectFrom('feeds')
    .select(['id', 'seq', 'creditor_id', 'kind', 'name', 'iban', 'secrets', 'created_at'])
    .where('id', '=', feedId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return row && { ...row, secrets: row.secrets as StoredSecret[] };
}

/** Feeds of a creditor, newest first, behind the position `after`. */
export async function listFeeds(db: Db, creditorId: string, after: bigint | null, count: number): Promise<FeedRow[]> {
  const rows = await db
    .selectFrom('feeds')
    .select(['id', 'seq', 'creditor_id', 'kind', 'name', 'iban', 'secrets', 'created_at'])
    .where('creditor_id', '=', creditorId)
    .where('deleted_at', 'is', null)
    .$if(after !== null, (query) => query.where('seq', '<', after))
    .orderBy('seq', 'desc')
    .limit(count)
    .execute();
  return rows.map((row) => ({ ...row, secrets: row.secrets as StoredSecret[] }));
}
