import { DEFAULT_MATCHING, type MatchingDocument } from '../../domain/matching/settings.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';

export interface StoredMatching {
  /** 0: nobody has set any, the defaults count. */
  version: number;
  document: MatchingDocument;
}

/** What a creditor lets each rule do, as it counts now. */
export async function findMatching(db: Db | Tx, creditorId: string): Promise<StoredMatching> {
  const row = await db
    .selectFrom('matching_settings')
    .select(['version', 'document'])
    .where('creditor_id', '=', creditorId)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row
    ? { version: row.version, document: row.document as unknown as MatchingDocument }
    : { version: 0, document: DEFAULT_MATCHING };
}

/** Sets it, as a new version: decisions say under which one they were made. */
export async function putMatching(
  tx: Tx,
  act: Act,
  creditorId: string,
  document: MatchingDocument,
): Promise<StoredMatching> {
  await tx.selectFrom('creditors').select('id').where('id', '=', creditorId).forUpdate().execute();
  const version = (await findMatching(tx, creditorId)).version + 1;
  await tx
    .insertInto('matching_settings')
    .values({ creditor_id: creditorId, version, document: json(document), actor: act.actor, at: instant(act.at) })
    .execute();
  return { version, document };
}
