import { sql, type Selectable } from 'kysely';
import type { Transaction } from '../../domain/statement/transaction.ts';
import type { Act } from '../act.ts';
import type { Db, Tx } from '../database.ts';
import type { Database } from '../types.ts';
import { askAboutSuspect } from './bank-transactions.ts';
import { lockFeed, unreachableKey, type FeedRow } from './feeds.ts';
import { takeInMessages } from './stream-intake.ts';
import { closeOpenTasks, openTask } from './tasks.ts';
import { findTransaction } from './transactions.ts';

/** A message that only points at something: its provider must be asked. */
export type FetchRow = Selectable<Database['inbox']>;

/** Messages whose provider may be asked now, by the real clock: those that were asked for in vain come last. */
export async function dueFetches(db: Db, feedId: string, count: number): Promise<FetchRow[]> {
  return await db
    .selectFrom('inbox')
    .selectAll()
    .where('feed_id', '=', feedId)
    .where('status', '=', 'fetch')
    .where((eb) => eb.or([eb('not_before', 'is', null), eb('not_before', '<=', sql<number>`clock_timestamp()`)]))
    .orderBy('attempts')
    .orderBy('id')
    .limit(count)
    .execute();
}

/** How many messages wait to be fetched, and after how many real milliseconds the first of them may be; null for none. */
export async function fetchesLeft(db: Db, feedId: string): Promise<{ toFetch: number; waitMs: number | null }> {
  const { rows } = await sql<{ left: bigint; wait: number | null }>`
    select count(*) as left,
      ceil(extract(epoch from min(coalesce(not_before, clock_timestamp())) - clock_timestamp()) * 1000)::float8 as wait
    from inbox where feed_id = ${feedId} and status = 'fetch'`.execute(db);
  const { left, wait } = rows[0]!;
  return { toFetch: Number(left), waitMs: wait === null ? null : Math.max(wait, 0) };
}

/** What a provider told when it was asked. */
export interface Fetched {
  /** The messages that are answered by it. */
  rows: readonly FetchRow[];
  transactions: readonly Transaction[];
  /** Records in the answer that cannot be used: their ids at the provider, and why. */
  rejected: readonly { id: string; code: string }[];
  /** How far a list was read; left out where there is none. */
  readTo?: string | null;
}

/**
 * Keeps an answer: transactions, each once for its account, and the messages as applied. They are applied by the next
 * drain. Nothing is kept where another call was faster or the feed was ended meanwhile. Returns how many were kept.
 */
export async function keepFetched(tx: Tx, act: Act, feed: FeedRow, fetched: Fetched): Promise<number> {
  const locked = await lockFeed(tx, feed.creditor_id, feed.id);
  const ids = fetched.rows.map(({ id }) => id);
  if (!locked || ids.length === 0) return 0;
  const answered = await tx
    .updateTable('inbox')
    .set({ status: 'applied', not_before: null, error_code: null })
    .where('id', 'in', ids)
    .where('status', '=', 'fetch')
    .returning('id')
    .execute();
  if (answered.length === 0) return 0;
  const account = { feedId: feed.id, creditorId: feed.creditor_id, iban: locked.iban };
  const taken = await takeInMessages(tx, act, account, fetched.transactions);
  for (const { transactionId, intake } of taken) {
    if (intake !== 'suspect') continue;
    await askAboutSuspect(tx, act, (await findTransaction(tx, feed.creditor_id, transactionId))!);
  }
  for (const { id, code } of fetched.rejected) await askAboutRejected(tx, act, feed, id, code);
  if (fetched.readTo !== undefined) {
    await tx.updateTable('feeds').set({ read_to: fetched.readTo }).where('id', '=', feed.id).execute();
  }
  await closeOpenTasks(tx, act, feed.creditor_id, unreachableKey(feed.id), { outcome: 'reached' });
  return taken.filter(({ intake }) => intake === 'new' || intake === 'booked').length;
}

/** The provider will never answer this: the message is kept as it came, and a person is asked. */
export async function keepUnfetchable(tx: Tx, act: Act, row: FetchRow, code: string): Promise<void> {
  const kept = await tx
    .updateTable('inbox')
    .set({ status: 'unreadable', error_code: code })
    .where('id', '=', row.id)
    .where('status', '=', 'fetch')
    .executeTakeFirst();
  if (kept.numUpdatedRows === 0n) return;
  await openTask(tx, act, {
    creditorId: row.creditor_id,
    kind: 'unreadableWebhook',
    key: `unreadableWebhook:${row.id}`,
    subject: 'What a message points at cannot be fetched',
    body: `The provider was asked what its message is about and gave nothing that can be used (${code}). Check the account.`,
    data: { inboxId: row.id.toString(), feedId: row.feed_id, webhookId: row.webhook_id, code, ask: row.ask },
    dueAt: act.at,
  });
}

export interface Postponed {
  /** Stable words: why the provider gave no answer. */
  code: string;
  /** Real milliseconds until it is asked again. */
  pauseMs: number;
  /** Whether a person must know. */
  askPerson: boolean;
}

/** The provider did not answer: these messages were tried once more, and all that is due of the feed waits with them. */
export async function postponeFetches(
  tx: Tx,
  act: Act,
  feed: Pick<FeedRow, 'id' | 'creditor_id' | 'kind'>,
  rows: readonly FetchRow[],
  { code, pauseMs, askPerson }: Postponed,
): Promise<void> {
  const ids = rows.map(({ id }) => id.toString());
  await sql`
    update inbox set not_before = clock_timestamp() + make_interval(secs => ${pauseMs / 1000}),
      attempts = attempts + (id = any(${ids}::bigint[]))::int,
      error_code = case when id = any(${ids}::bigint[]) then ${code} else error_code end
    where feed_id = ${feed.id} and status = 'fetch' and (not_before is null or not_before <= clock_timestamp())`.execute(
    tx,
  );
  const first = rows[0];
  if (!askPerson || !first || (await isAsked(tx, feed))) return;
  await openTask(tx, act, {
    creditorId: feed.creditor_id,
    kind: 'feedUnreachable',
    key: `${unreachableKey(feed.id)}${first.id}.${first.attempts}`,
    role: 'approver',
    subject: 'A payment provider gives no answer',
    body: `${feed.kind} said that something happened and does not answer what (${code}). It is asked again; until it answers, money that has come is not known. Check the credentials of the feed.`,
    data: { feedId: feed.id, kind: feed.kind, code },
    dueAt: act.at,
  });
}

/** One task at a time says that a provider is silent. */
async function isAsked(tx: Tx, feed: Pick<FeedRow, 'id' | 'creditor_id'>): Promise<boolean> {
  const open = await tx
    .selectFrom('tasks')
    .select('id')
    .where('creditor_id', '=', feed.creditor_id)
    .where('key', 'like', `${unreachableKey(feed.id)}%`)
    .where('status', '=', 'open')
    .executeTakeFirst();
  return open !== undefined;
}

async function askAboutRejected(tx: Tx, act: Act, feed: FeedRow, id: string, code: string): Promise<void> {
  await openTask(tx, act, {
    creditorId: feed.creditor_id,
    kind: 'unreadableTransaction',
    key: `unreadableTransaction:${feed.id}:${id}`,
    subject: 'A transaction of the provider cannot be used',
    body: `The provider tells a transaction that cannot be used (${code}). Check the account.`,
    data: { feedId: feed.id, id, code },
    dueAt: act.at,
  });
}
