import { sql, type Selectable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { matchStandard, type QuotedInvoice, type UnappliedReason } from '../../domain/matching/standard.ts';
import { namedTokens, quotedTokens } from '../../domain/matching/tokens.ts';
import { formatAmount } from '../../domain/money.ts';
import {
  parseStandardWebhook,
  type BankTransaction,
  type BookedTransaction,
  type ReturnedTransaction,
} from '../../domain/statement/standard-webhook.ts';
import type { Instant } from '../../domain/time/zones.ts';
import { bankAct, type Act } from '../act.ts';
import { inTransaction, sqlState, type Db, type Tx } from '../database.ts';
import type { Database } from '../types.ts';
import { allocate } from './allocations.ts';
import { lockCustomers } from './locks.ts';
import { recordReceipt } from './receipts.ts';
import { returnReceipt } from './returns.ts';
import { payableOn } from './imputation.ts';
import { isOpenStage, payableMinor } from './runs.ts';
import { closeTaskByKey, openTask } from './tasks.ts';
import { customersConcerned, presumeCustomer, reviewUnapplied, type HolidaysOf } from './unapplied.ts';

export interface DrainOptions {
  /** Business time, at which everything that is drained happens. */
  now: Instant;
  holidays: HolidaysOf;
  /** Rows handled at most (500). */
  batch?: number;
}

export interface Drained {
  /** Rows handled: applied, put on the worklist, kept as unreadable or told to wait. */
  applied: number;
  /** Rows that can be handled and were not yet. */
  left: number;
}

type InboxRow = Selectable<Database['inbox']>;

/**
 * Works through what a bank told us, in the order it came, each row in a transaction of its own: a crash between two rows
 * repeats nothing and loses nothing. Two drains of one feed take turns row by row. A return that comes before its
 * transaction waits for it and is handled right after it.
 */
export async function drainFeed(db: Db, feedId: string, options: DrainOptions): Promise<Drained> {
  const batch = options.batch ?? 500;
  let applied = 0;
  while (applied < batch && (await handleNext(db, feedId, options))) applied += 1;
  const { rows } = await sql<{ left: bigint }>`
    select count(*) as left from inbox i
    where feed_id = ${feedId} and (status = 'pending' or status = 'waiting' and exists (
      select 1 from receipts r where r.feed_id = i.feed_id and r.external_id = i.original_id))`.execute(db);
  return { applied, left: Number(rows[0]?.left ?? 0n) };
}

/** The next row: a return whose transaction has come meanwhile, else the oldest pending one. False when there is none. */
async function handleNext(db: Db, feedId: string, options: DrainOptions): Promise<boolean> {
  const act = bankAct(options.now);
  let row: InboxRow | undefined;
  try {
    return await inTransaction(db, async (tx) => {
      row = await takeNext(tx, feedId);
      if (!row) return false;
      await handle(tx, act, row, options.holidays);
      return true;
    });
  } catch (error) {
    // Data that PostgreSQL cannot store (class 22, 23) will not get better: it becomes a task instead of a dead end.
    if (!row || !/^2[23]/.test(sqlState(error) ?? '')) throw error;
    const { id } = row;
    return inTransaction(db, async (tx) => {
      const again = await takeNext(tx, feedId);
      if (again?.id === id) await keepUnreadable(tx, act, again, 'notStorable');
      return true;
    });
  }
}

/** Locks the feed first, so that rows are handled one after the other whoever drains. */
async function takeNext(tx: Tx, feedId: string): Promise<InboxRow | undefined> {
  await tx.selectFrom('feeds').select('id').where('id', '=', feedId).forNoKeyUpdate().execute();
  return (
    (await tx
      .selectFrom('inbox as i')
      .innerJoin('receipts as r', (join) =>
        join.onRef('r.feed_id', '=', 'i.feed_id').onRef('r.external_id', '=', 'i.original_id'),
      )
      .selectAll('i')
      .where('i.feed_id', '=', feedId)
      .where('i.status', '=', 'waiting')
      .orderBy('i.id')
      .limit(1)
      .executeTakeFirst()) ??
    (await tx
      .selectFrom('inbox')
      .selectAll()
      .where('feed_id', '=', feedId)
      .where('status', '=', 'pending')
      .orderBy('id')
      .limit(1)
      .executeTakeFirst())
  );
}

async function handle(tx: Tx, act: Act, row: InboxRow, holidays: HolidaysOf): Promise<void> {
  let transaction: BankTransaction;
  try {
    transaction = parseStandardWebhook(row.body);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return keepUnreadable(tx, act, row, error.code);
  }
  if (transaction.kind === 'returned') return handleReturn(tx, act, row, transaction);
  // Money that leaves the account is none of our invoices'; the row stays as the record of it.
  if (transaction.direction === 'debit') return finish(tx, row, { status: 'applied' });
  return handleCredit(tx, act, row, transaction, holidays);
}

async function handleCredit(
  tx: Tx,
  act: Act,
  row: InboxRow,
  transaction: BookedTransaction,
  holidays: HolidaysOf,
): Promise<void> {
  const { amountMinor, currency } = transaction;
  const texts = [transaction.remittance, transaction.endToEndId].filter((text) => text !== null);
  const quoted = await quotedInvoices(tx, row.creditor_id, texts, transaction);
  const match = matchStandard({ amountMinor, currency }, quoted);
  const payer = {
    id: '',
    creditor_id: row.creditor_id,
    payer_iban: transaction.payerIban,
    payer_name: transaction.payerName,
  };
  await lockCustomers(tx, customersConcerned(await presumeCustomer(tx, payer, quoted), quoted));
  const receiptId = await recordReceipt(tx, act, {
    creditorId: row.creditor_id,
    feedId: row.feed_id,
    externalId: transaction.id,
    bookedOn: transaction.bookedOn,
    amountMinor,
    currency,
    payerName: transaction.payerName,
    payerIban: transaction.payerIban,
    remittance: transaction.remittance,
    endToEndId: transaction.endToEndId,
  });
  const reason =
    match.kind === 'apply' ? await tryToApply(tx, act, receiptId, match.invoiceId, amountMinor) : match.reason;
  if (reason !== null) {
    await reviewUnapplied(tx, act, { receiptId, reason, quoted }, holidays);
  }
  await finish(tx, row, { status: 'applied', receipt_id: receiptId });
}

/** Null when it was applied; else why not: somebody else's payment may have come between the look and the locks. */
async function tryToApply(
  tx: Tx,
  act: Act,
  receiptId: string,
  invoiceId: string,
  amountMinor: bigint,
): Promise<UnappliedReason | null> {
  try {
    await allocate(tx, act, { receiptId, invoiceId, amountMinor, rule: 'standard' });
    return null;
  } catch (error) {
    // `allocate` refuses before it writes, so the transaction is as it was.
    if (error instanceof DomainError && error.code === 'exceedsBalance') return 'exceedsBalance';
    if (error instanceof DomainError && error.code === 'invoiceClosed') return 'closedQuoted';
    throw error;
  }
}

/** The creditor's invoices whose number or reference the texts name; open means that something is open on them. */
async function quotedInvoices(
  tx: Tx,
  creditorId: string,
  texts: readonly string[],
  money: Pick<BookedTransaction, 'amountMinor' | 'bookedOn'>,
): Promise<QuotedInvoice[]> {
  const tokens = [...new Set(texts.flatMap(quotedTokens))];
  if (tokens.length === 0) return [];
  const { rows } = await sql<{
    token: string;
    id: string;
    customer_id: string;
    stage: Selectable<Database['invoices']>['stage'];
    balance_minor: bigint;
    accessories_minor: bigint;
    written_off_minor: bigint;
    recovered_minor: bigint;
    currency: string;
  }>`
    select t.token, i.id, i.customer_id, i.stage, i.balance_minor, i.accessories_minor, i.written_off_minor, i.recovered_minor, i.currency
    from invoice_tokens t join invoices i on i.id = t.invoice_id
    where t.creditor_id = ${creditorId} and t.token = any(${tokens}::text[])
    order by i.id`.execute(tx);
  const named = new Set(namedTokens(texts, new Set(rows.map((row) => row.token))));
  const found = new Map<string, QuotedInvoice>();
  for (const row of rows.filter(({ token }) => named.has(token))) {
    const payable = payableMinor(row);
    found.set(row.id, {
      invoiceId: row.id,
      customerId: row.customer_id,
      open: payable > 0n,
      chased: isOpenStage(row.stage),
      // Who pays more than the balance may pay the interest that was claimed with it.
      balanceMinor: money.amountMinor > payable ? await payableOn(tx, row, money.bookedOn) : payable,
      currency: row.currency,
    });
  }
  return [...found.values()];
}

async function handleReturn(tx: Tx, act: Act, row: InboxRow, back: ReturnedTransaction): Promise<void> {
  const original = await tx
    .selectFrom('receipts')
    .select(['id', 'amount_minor', 'returned_minor', 'currency', 'customer_id'])
    .where('feed_id', '=', row.feed_id)
    .where('external_id', '=', back.originalId)
    .executeTakeFirst();
  if (!original) {
    await finish(tx, row, { status: 'waiting', original_id: back.originalId });
    await openTask(tx, act, {
      creditorId: row.creditor_id,
      kind: 'unknownReturn',
      key: waitingKey(row),
      subject: `${formatAmount(back.amountMinor, back.currency)} ${back.currency} returned of an unknown transaction`,
      body: 'The bank reports a return before the transaction it belongs to. It is handled when that comes.',
      data: { inboxId: row.id.toString(), originalId: back.originalId, transactionId: back.id },
      dueAt: act.at,
    });
    return;
  }
  if (original.currency !== back.currency) return keepUnreadable(tx, act, row, 'currencyMismatch');

  // A bank may add its fee to what it takes back (reference: statement formats); the fee is not the customer's payment.
  const left = original.amount_minor - original.returned_minor;
  const amountMinor = back.amountMinor < left ? back.amountMinor : left;
  if (amountMinor > 0n) {
    await returnReceipt(tx, act, {
      receiptId: original.id,
      amountMinor,
      bookedOn: back.bookedOn,
      reasonCode: back.reasonCode,
      feedId: row.feed_id,
      externalId: back.id,
    });
  }
  if (amountMinor < back.amountMinor) {
    const surplus = formatAmount(back.amountMinor - amountMinor, back.currency);
    await openTask(tx, act, {
      creditorId: row.creditor_id,
      kind: 'returnExceeds',
      key: `returnExceeds:${row.id}`,
      receiptId: original.id,
      customerId: original.customer_id,
      subject: `The bank took back ${surplus} ${back.currency} more than it had paid in`,
      data: { inboxId: row.id.toString(), amount: surplus, currency: back.currency },
      dueAt: act.at,
    });
  }
  await closeTaskByKey(tx, act, row.creditor_id, waitingKey(row), 'done', { outcome: 'transactionCame' });
  await finish(tx, row, { status: 'applied', receipt_id: original.id });
}

const waitingKey = (row: InboxRow): string => `unknownReturn:${row.id}`;

/** What a bank said and we do not understand is kept as it came, and a person is asked. */
async function keepUnreadable(tx: Tx, act: Act, row: InboxRow, code: string): Promise<void> {
  await finish(tx, row, { status: 'unreadable', error_code: code });
  await closeTaskByKey(tx, act, row.creditor_id, waitingKey(row), 'done', { outcome: 'unreadable' });
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
  change: Partial<Pick<InboxRow, 'status' | 'receipt_id' | 'error_code' | 'original_id'>>,
): Promise<void> {
  await tx.updateTable('inbox').set(change).where('id', '=', row.id).execute();
}
