import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db } from '../database.ts';
import type { TransactionState } from '../types.ts';
import type { TransactionRow } from './transactions.ts';

export interface TransactionFilter {
  feedId?: string | undefined;
  state?: TransactionState | undefined;
  bookedBefore?: LocalDate | undefined;
  bookedAfter?: LocalDate | undefined;
}

/** What banks told of a creditor's accounts, newest first, behind the position `after`. */
export async function listTransactions(
  db: Db,
  creditorId: string,
  filter: TransactionFilter,
  after: bigint | null,
  count: number,
): Promise<TransactionRow[]> {
  let query = db.selectFrom('bank_transactions').selectAll().where('creditor_id', '=', creditorId);
  if (filter.feedId !== undefined) query = query.where('feed_id', '=', filter.feedId);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.bookedBefore !== undefined) query = query.where('booked_on', '<', filter.bookedBefore);
  if (filter.bookedAfter !== undefined) query = query.where('booked_on', '>', filter.bookedAfter);
  if (after !== null) query = query.where('seq', '<', after);
  return await query.orderBy('seq', 'desc').limit(count).execute();
}
