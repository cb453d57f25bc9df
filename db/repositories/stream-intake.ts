import { formatAmount } from '../../domain/money.ts';
import type { Transaction } from '../../domain/statement/transaction.ts';
import type { Act } from '../act.ts';
import type { Tx } from '../database.ts';
import { openTask } from './tasks.ts';
import { bookAnnounced, takeIn, type AccountRef, type Intake, type TransactionRow } from './transactions.ts';

/** All messages of a feed, and all answers of its provider, are one document. */
export const streamOf = (feedId: string): string => `feed:${feedId}`;

/**
 * Takes in what a feed's provider tells, in messages or when it is asked. In its stream a transaction is known by the
 * provider's id, however often and in whatever order it is told: an announcement behind its booking changes nothing, a
 * booking books what was announced. What the stream has not told before is compared with what other sources of the
 * account told (`takeIn`). The caller holds the feed's row. Returns one result for each id.
 */
export async function takeInMessages(
  tx: Tx,
  act: Act,
  account: AccountRef,
  told: readonly Transaction[],
): Promise<{ transactionId: string; intake: Intake }[]> {
  const placed = [...latestOfEach(told).values()];
  const known = await knownInStream(tx, account, placed);
  const fresh = placed.filter(({ position }) => !known.has(position));
  const results = await takeIn(tx, act, account, streamOf(account.feedId), fresh);
  for (const one of placed) {
    const row = known.get(one.position);
    if (!row) continue;
    const books = row.status !== 'booked' && one.status === 'booked';
    if (books) await bookAnnounced(tx, account.feedId, [{ id: row.id, told: one }]);
    else if (one.status === 'booked' && differs(row, one)) await askAboutChange(tx, act, row, one);
    results.push({ transactionId: row.id, intake: books ? 'booked' : 'duplicate' });
  }
  return results;
}

/** Money that comes and money that goes are two things, whatever a sender calls them. */
const placeOf = (told: Transaction): string => `${told.amountMinor < 0n ? '-' : '+'}${told.bankId ?? told.position}`;

/** One answer may tell a transaction twice: then the last word on it counts, a booking before an announcement. */
function latestOfEach(told: readonly Transaction[]): Map<string, Transaction> {
  const latest = new Map<string, Transaction>();
  for (const one of told) {
    const position = placeOf(one);
    if (latest.get(position)?.status === 'booked' && one.status !== 'booked') continue;
    latest.set(position, { ...one, position });
  }
  return latest;
}

async function knownInStream(
  tx: Tx,
  account: AccountRef,
  placed: readonly Transaction[],
): Promise<Map<string, TransactionRow>> {
  if (placed.length === 0) return new Map();
  const rows = await tx
    .selectFrom('sightings as s')
    .innerJoin('bank_transactions as t', 't.id', 's.transaction_id')
    .selectAll('t')
    .select('s.position')
    .where('s.document', '=', streamOf(account.feedId))
    .where(
      's.position',
      'in',
      placed.map(({ position }) => position),
    )
    .execute();
  return new Map(rows.map(({ position, ...row }) => [position, row]));
}

const differs = (row: TransactionRow, told: Transaction): boolean =>
  row.amount_minor !== told.amountMinor || row.currency !== told.currency;

/** What is booked is not booked otherwise by a later word: a person looks. */
async function askAboutChange(tx: Tx, act: Act, row: TransactionRow, told: Transaction): Promise<void> {
  await openTask(tx, act, {
    creditorId: row.creditor_id,
    kind: 'transactionChanged',
    key: `transactionChanged:${row.id}`,
    subject: 'A booked transaction is told with another amount',
    body: 'The provider tells a transaction that is booked with another amount now. Nothing was changed; check the account.',
    data: {
      transactionId: row.id,
      amount: formatAmount(row.amount_minor, row.currency),
      currency: row.currency,
      toldAmount: formatAmount(told.amountMinor, told.currency),
      toldCurrency: told.currency,
    },
    dueAt: act.at,
  });
}
