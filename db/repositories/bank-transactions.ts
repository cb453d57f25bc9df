import { setTimeout as delay } from 'node:timers/promises';
import { sql, type Selectable, type Updateable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import type { BankMessage } from '../../domain/statement/bank-message.ts';
import { readProvider } from '../../domain/statement/providers/read.ts';
import type { Instant } from '../../domain/time/zones.ts';
import { bankAct, type Act } from '../act.ts';
import { inTransaction, json, sqlState, type Db, type Tx } from '../database.ts';
import type { Database, FeedKind, TransactionOutcome } from '../types.ts';
import { applyReturn, findUndone, releaseWaiting } from './bank-returns.ts';
import { applyCredit, lookAgain } from './cash-application.ts';
import { failCollection, isLateFailure } from './collections.ts';
import { openTask } from './tasks.ts';
import { takeInMessages } from './stream-intake.ts';
import { findTransaction, returnsOf, type TransactionRow } from './transactions.ts';
import type { HolidaysOf } from './unapplied.ts';

export interface DrainOptions {
  /** Business time, at which everything that is drained happens. */
  now: Instant;
  holidays: HolidaysOf;
  /** Rows handled at most (500). */
  batch?: number;
  /** What is done, and how long, before looking again at a feed that somebody else has locked (50 ms). */
  pause?: () => Promise<unknown>;
}

export interface Drained {
  /** Rows handled: applied, put on the worklist, kept as unreadable or told to wait. */
  applied: number;
  /** Rows that can be handled and were not yet. */
  left: number;
}

type InboxRow = Selectable<Database['inbox']>;

/**
 * Works through what a bank told us, in the order it came, each in a transaction of its own: a crash between two repeats
 * nothing and loses nothing. Two drains of one feed take turns, and both wait for a file that is taken in, which may take minutes:
 * without a connection, of which a process has few. First come transactions that are known and not applied (a
 * statement's, a return whose payment has come), then messages, then money to which something came that it may be for.
 */
export async function drainFeed(db: Db, feedId: string, options: DrainOptions): Promise<Drained> {
  const batch = options.batch ?? 500;
  const pause = options.pause ?? (() => delay(50));
  let applied = 0;
  while (applied < batch) {
    const next = await handleNext(db, feedId, options);
    if (next === 'nothing') break;
    if (next === 'busy') await pause();
    else applied += 1;
  }
  const { rows } = await sql<{ left: bigint }>`
    select (select count(*) from inbox where feed_id = ${feedId} and status = 'pending')
      + (select count(*) from bank_transactions where feed_id = ${feedId} and state = 'pending')
      + (select count(*) from receipts where feed_id = ${feedId} and look_again) as left`.execute(db);
  return { applied, left: Number(rows[0]?.left ?? 0n) };
}

type Next =
  | { kind: 'transaction'; row: TransactionRow }
  | { kind: 'message'; row: InboxRow; feed: Feed }
  | { kind: 'receipt'; id: string };

interface Feed {
  id: string;
  creditor_id: string;
  kind: FeedKind;
  iban: string | null;
}

/** `busy` while somebody else has the feed. */
async function handleNext(db: Db, feedId: string, options: DrainOptions): Promise<'handled' | 'nothing' | 'busy'> {
  const act = bankAct(options.now);
  let next: Next | 'nothing' | 'busy' = 'nothing';
  try {
    return await inTransaction(db, async (tx) => {
      next = await takeNext(tx, feedId);
      if (typeof next === 'string') return next;
      await handle(tx, act, next, options.holidays);
      return 'handled';
    });
  } catch (error) {
    // What is refused, or cannot be stored, will not get better: it becomes a task instead of a dead end.
    const failed = next as Next | 'nothing' | 'busy';
    const code = lastingCode(error);
    if (typeof failed === 'string' || code === null) throw error;
    return inTransaction(db, async (tx) => {
      const again = await takeNext(tx, feedId);
      if (typeof again === 'string') return again;
      if (keyOf(again) === keyOf(failed)) await setApart(tx, act, again, code);
      return 'handled';
    });
  }
}

const keyOf = (next: Next): string => `${next.kind} ${next.kind === 'receipt' ? next.id : next.row.id}`;

/** Why it will fail again: the code of a rule, or that PostgreSQL does not take such data (class 22, 23). Null where it may not. */
function lastingCode(error: unknown): string | null {
  if (error instanceof DomainError) return error.code;
  return /^2[23]/.test(sqlState(error) ?? '') ? 'notStorable' : null;
}

/** What cannot be handled lets what is behind it pass, and a person is asked. */
async function setApart(tx: Tx, act: Act, next: Next, code: string): Promise<void> {
  switch (next.kind) {
    case 'message':
      return keepUnreadable(tx, act, next.row, code);
    case 'receipt':
      // It stays on the worklist, where it is already.
      await tx.updateTable('receipts').set({ look_again: false }).where('id', '=', next.id).execute();
      return;
    case 'transaction':
      await tx
        .updateTable('bank_transactions')
        .set({ state: 'suspect', outcome: null })
        .where('id', '=', next.row.id)
        .execute();
      await openTask(tx, act, {
        creditorId: next.row.creditor_id,
        kind: 'transactionFailed',
        key: `transactionFailed:${next.row.id}`,
        subject: 'A transaction of the bank cannot be applied',
        body: 'It is kept and shown, and moves nothing: look at the account, then record the payment with its invoice.',
        data: { transactionId: next.row.id, bookedOn: next.row.booked_on, code },
        dueAt: act.at,
      });
  }
}

/** Locks the feed first, so that rows are handled one after the other whoever drains. */
async function takeNext(tx: Tx, feedId: string): Promise<Next | 'nothing' | 'busy'> {
  const feed = await tx
    .selectFrom('feeds')
    .select(['id', 'creditor_id', 'kind', 'iban'])
    .where('id', '=', feedId)
    .forNoKeyUpdate()
    .skipLocked()
    .executeTakeFirst();
  if (!feed) return (await feedExists(tx, feedId)) ? 'busy' : 'nothing';
  const transaction = await tx
    .selectFrom('bank_transactions')
    .selectAll()
    .where('feed_id', '=', feedId)
    .where('state', '=', 'pending')
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
  if (transaction) return { kind: 'transaction', row: transaction };
  const message = await tx
    .selectFrom('inbox')
    .selectAll()
    .where('feed_id', '=', feedId)
    .where('status', '=', 'pending')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  if (message) return { kind: 'message', row: message, feed };
  const receipt = await tx
    .selectFrom('receipts')
    .select('id')
    .where('feed_id', '=', feedId)
    .where('look_again', '=', true)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
  return receipt ? { kind: 'receipt', id: receipt.id } : 'nothing';
}

async function feedExists(tx: Tx, feedId: string): Promise<boolean> {
  const row = await tx.selectFrom('feeds').select('id').where('id', '=', feedId).executeTakeFirst();
  return row !== undefined;
}

async function handle(tx: Tx, act: Act, next: Next, holidays: HolidaysOf): Promise<void> {
  if (next.kind === 'receipt') {
    await lookAgain(tx, act, next.id, holidays);
    return;
  }
  if (next.kind === 'transaction') {
    const { refused } = await applyTransaction(tx, act, next.row, holidays);
    if (refused !== null) await setApart(tx, act, next, refused);
    return;
  }
  await handleMessage(tx, act, next.row, next.feed, holidays);
}

async function handleMessage(tx: Tx, act: Act, row: InboxRow, feed: Feed, holidays: HolidaysOf): Promise<void> {
  let messages: BankMessage[];
  try {
    // A feed of files gets no messages; one that did before its kind was known is read as the generic webhook.
    messages = readProvider(feed.kind === 'file' ? 'standard' : feed.kind, row.body);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return keepUnreadable(tx, act, row, error.code);
  }
  let receiptId: string | null = null;
  for (const message of messages) {
    if (message.kind === 'fetch') {
      await finish(tx, row, {
        status: 'fetch',
        ask: json({ resource: message.resource, id: message.id, event: message.event }),
      });
      return;
    }
    if (message.kind === 'collectionFailed') {
      if (await isLateFailure(tx, feed, message.paymentId)) {
        const ask = { resource: 'payment', id: message.paymentId, event: 'payments.failed' };
        await finish(tx, row, { status: 'fetch', ask: json(ask) });
        return;
      }
      await failCollection(tx, act, row.creditor_id, message);
    }
    if (message.kind !== 'transaction') continue;
    const account = { feedId: feed.id, creditorId: feed.creditor_id, iban: feed.iban };
    const [taken] = await takeInMessages(tx, act, account, [message.transaction]);
    if (taken!.intake === 'suspect')
      await askAboutSuspect(tx, act, (await findTransaction(tx, feed.creditor_id, taken!.transactionId))!);
    const transaction = (await findTransaction(tx, feed.creditor_id, taken!.transactionId))!;
    // Another source may have told it by another id: what waits for this one is told now.
    if (taken!.intake === 'duplicate')
      await releaseWaiting(tx, { ...transaction, bank_id: message.transaction.bankId });
    if (taken!.intake !== 'new' && taken!.intake !== 'booked') continue;
    const done = await applyTransaction(tx, act, transaction, holidays);
    if (done.refused !== null) return keepUnreadable(tx, act, row, done.refused);
    receiptId = done.receiptId;
  }
  await finish(tx, row, { status: 'applied', receipt_id: receiptId });
}

/** Applies one transaction that is booked: receipt, return, or the record of money that is none of our customers'. */
async function applyTransaction(
  tx: Tx,
  act: Act,
  row: TransactionRow,
  holidays: HolidaysOf,
): Promise<{ receiptId: string | null; refused: string | null }> {
  const returns = returnsOf(row);
  if (row.amount_minor > 0n) {
    const undone = returns === null ? null : await findUndone(tx, act, row, returns);
    // Money of our own that comes back was never a customer's.
    if (undone?.kind === 'own') return finished(tx, row, 'ownReturn', null);
    if (undone?.kind === 'waiting') return wait(tx, row);
    const receiptId = await applyCredit(tx, act, undone === null ? row : { ...row, ...undone.payment }, holidays);
    await finished(tx, row, 'receipt', receiptId);
    await releaseWaiting(tx, row);
    return { receiptId, refused: null };
  }
  if (returns === null) return finished(tx, row, 'debit', null);
  const outcome = await applyReturn(tx, act, row, returns);
  switch (outcome.kind) {
    case 'returned':
      await finished(tx, row, 'return', outcome.receiptId);
      await releaseWaiting(tx, row);
      return { receiptId: outcome.receiptId, refused: null };
    case 'waiting':
      return wait(tx, row);
    case 'refused':
      return { ...(await finished(tx, row, 'debit', null)), refused: outcome.code };
  }
}

/** Until what it undoes has come. */
async function wait(tx: Tx, row: TransactionRow) {
  await tx.updateTable('bank_transactions').set({ state: 'waiting' }).where('id', '=', row.id).execute();
  return { receiptId: null, refused: null };
}

async function finished(tx: Tx, row: TransactionRow, outcome: TransactionOutcome, receiptId: string | null) {
  await tx
    .updateTable('bank_transactions')
    .set({ state: 'done', outcome, receipt_id: receiptId })
    .where('id', '=', row.id)
    .execute();
  return { receiptId, refused: null };
}

/** It may be a transaction that another source told already: a person says whether it is. */
export async function askAboutSuspect(tx: Tx, act: Act, row: TransactionRow): Promise<void> {
  await openTask(tx, act, {
    creditorId: row.creditor_id,
    kind: 'possibleDuplicate',
    key: `possibleDuplicate:${row.id}`,
    subject: 'A transaction may have been told before',
    body: 'Two sources of one account tell transactions of this amount that may be one. Say whether they are.',
    data: { transactionId: row.id, sameAs: row.same_as, bookedOn: row.booked_on },
    dueAt: act.at,
  });
}

/** What a person says about a suspect: one transaction, or two. Throws `notFound` where it is none. */
export async function answerSuspect(
  tx: Tx,
  creditorId: string,
  transactionId: string,
  answer: 'same' | 'different',
): Promise<string> {
  const change =
    answer === 'same' ? { state: 'done' as const, outcome: 'duplicate' as const } : { state: 'pending' as const };
  const row = await tx
    .updateTable('bank_transactions')
    .set(change)
    .where('creditor_id', '=', creditorId)
    .where('id', '=', transactionId)
    .where('state', '=', 'suspect')
    .returning('feed_id')
    .executeTakeFirst();
  if (!row) throw new DomainError('notFound', 'There is no such transaction in doubt.');
  return row.feed_id;
}

/** What a bank said and we do not understand is kept as it came, and a person is asked. */
async function keepUnreadable(tx: Tx, act: Act, row: InboxRow, code: string): Promise<void> {
  await finish(tx, row, { status: 'unreadable', error_code: code });
  await openTask(tx, act, {
    creditorId: row.creditor_id,
    kind: 'unreadableWebhook',
    key: `unreadableWebhook:${row.id}`,
    subject: 'A message of the bank cannot be used',
    body: `The bank sent a signed message that cannot be used (${code}). It is kept as it came; check the account.`,
    data: { inboxId: row.id.toString(), feedId: row.feed_id, webhookId: row.webhook_id, code },
    dueAt: act.at,
  });
}

async function finish(
  tx: Tx,
  row: InboxRow,
  change: Pick<Updateable<Database['inbox']>, 'status' | 'receipt_id' | 'error_code' | 'ask'>,
): Promise<void> {
  await tx.updateTable('inbox').set(change).where('id', '=', row.id).execute();
}
