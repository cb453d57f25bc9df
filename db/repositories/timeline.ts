import type { Db } from '../database.ts';
import type { JsonObject } from '../types.ts';

export interface TimelineRow {
  id: string;
  n: number;
  at: number;
  kind: string;
  actor: string;
  data: JsonObject;
  /** Free text of a person; `null` where there is none or it was erased. */
  text: string | null;
  /** There was a text, and it was erased. */
  erased: boolean;
  /** What the next event is chained to. */
  hash: Buffer;
}

/** Events of a case, oldest first, behind number `after`. */
export async function listTimeline(
  db: Db,
  invoiceId: string,
  after: bigint | null,
  count: number,
): Promise<TimelineRow[]> {
  const rows = await db
    .selectFrom('events as e')
    .leftJoin('event_texts as t', 't.event_id', 'e.id')
    .select(['e.id', 'e.n', 'e.at', 'e.kind', 'e.actor', 'e.data', 'e.text_digest', 'e.hash', 't.text'])
    .where('e.invoice_id', '=', invoiceId)
    .$if(after !== null, (query) => query.where('e.n', '>', Number(after)))
    .orderBy('e.n')
    .limit(count)
    .execute();
  return rows.map(({ text_digest: digest, ...row }) => ({ ...row, erased: digest !== null && row.text === null }));
}
