import { sql } from 'kysely';
import { mayBeOwnRefund } from '../../domain/statement/own-refund.ts';
import { onlyLikely, type PossibleOriginal } from '../../domain/statement/return-original.ts';
import { partsOfReturn, wantedOf } from '../../domain/statement/return-parts.ts';
import type { ReturnInformation } from '../../domain/statement/transaction.ts';
import { DomainError } from '../../domain/errors.ts';
import { formatAmount } from '../../domain/money.ts';
import type { Act } from '../act.ts';
import type { Tx } from '../database.ts';
import { pokeFeeds } from './outbox.ts';
import { confirmRefund, REFUND, returnReceipt } from './returns.ts';
import { streamOf } from './stream-intake.ts';
import { closeTaskByKey, openTask } from './tasks.ts';
import { findTransaction, returnsOf, type TransactionRow } from './transactions.ts';

/** What became of a return: `refused` where it cannot be of what it names. */
export type ReturnOutcome =
  { kind: 'returned'; receiptId: string } | { kind: 'waiting' } | { kind: 'refused'; code: 'currencyMismatch' };

interface Original {
  id: string;
  amount_minor: bigint;
  returned_minor: bigint;
  currency: string;
  customer_id: string | null;
}

/**
 * The bank took money back: the receipt it was is found by the bank's id, by its end-to-end id, or, where a format tells
 * neither, as the only one of its amount with the same payer or reference; its allocations are undone, a fee that the bank
 * added is booked apart. A refund that a person recorded before is that one, and moves nothing again. A return that comes
 * before its payment waits for it, with a task.
 */
export async function applyReturn(
  tx: Tx,
  act: Act,
  row: TransactionRow,
  returns: ReturnInformation,
): Promise<ReturnOutcome> {
  const bookedMinor = -row.amount_minor;
  const original = await findOriginal(tx, row, returns);
  if (!original) {
    await askAboutOriginal(tx, act, row, returns, bookedMinor);
    return { kind: 'waiting' };
  }
  if (original.currency !== row.currency) {
    await closeTaskByKey(tx, act, row.creditor_id, waitingKey(row), 'done', { outcome: 'currencyMismatch' });
    return { kind: 'refused', code: 'currencyMismatch' };
  }
  if (!mayBeOwnRefund(returns) || !(await isRecorded(tx, act, row, returns, original))) {
    await applyTo(tx, act, row, returns, original);
  }
  await closeTaskByKey(tx, act, row.creditor_id, waitingKey(row), 'done', { outcome: 'transactionCame' });
  return { kind: 'returned', receiptId: original.id };
}

const partsOf = (row: TransactionRow, returns: ReturnInformation, original: Original) =>
  partsOfReturn({
    bookedMinor: -row.amount_minor,
    originalAmountMinor: returns.originalAmountMinor,
    feesMinor: row.fees_minor,
    leftMinor: original.amount_minor - original.returned_minor,
  });

/** Whether it is the refund that a person had recorded, which has been told now. */
async function isRecorded(
  tx: Tx,
  act: Act,
  row: TransactionRow,
  returns: ReturnInformation,
  original: Original,
): Promise<boolean> {
  const { wantedMinor, feesMinor } = partsOf(row, returns, original);
  return confirmRefund(tx, act, {
    receiptId: original.id,
    amountMinor: wantedMinor,
    feesMinor,
    bookedOn: row.booked_on,
    feedId: row.feed_id,
    externalId: row.id,
  });
}

async function applyTo(
  tx: Tx,
  act: Act,
  row: TransactionRow,
  returns: ReturnInformation,
  original: Original,
): Promise<void> {
  const { wantedMinor, amountMinor, feesMinor } = partsOf(row, returns, original);
  if (amountMinor > 0n) {
    await returnReceipt(tx, act, {
      receiptId: original.id,
      amountMinor,
      feesMinor,
      bookedOn: row.booked_on,
      reasonCode: returns.reasonCode,
      feedId: row.feed_id,
      externalId: row.id,
    });
  }
  if (amountMinor < wantedMinor) {
    const surplus = formatAmount(wantedMinor - amountMinor, row.currency);
    await openTask(tx, act, {
      creditorId: row.creditor_id,
      kind: 'returnExceeds',
      key: `returnExceeds:${row.id}`,
      receiptId: original.id,
      customerId: original.customer_id,
      subject: `The bank took back ${surplus} ${row.currency} more than it had paid in`,
      data: { transactionId: row.id, amount: surplus, currency: row.currency },
      dueAt: act.at,
    });
  }
}

/**
 * A person says of which receipt a return is that waits for its payment. Locks its feed, as a drain does. Throws `notFound`,
 * also where it does not wait any more, `currencyMismatch`, `exceedsReceipt`.
 */
export async function returnByHand(
  tx: Tx,
  act: Act,
  creditorId: string,
  transactionId: string,
  receiptId: string,
): Promise<void> {
  const seen = await findTransaction(tx, creditorId, transactionId);
  const original = await tx
    .selectFrom('receipts')
    .select(['id', 'amount_minor', 'returned_minor', 'currency', 'customer_id'])
    .where('creditor_id', '=', creditorId)
    .where('id', '=', receiptId)
    .executeTakeFirst();
  if (!seen || !original) throw new DomainError('notFound', 'There is no such receipt.');
  await tx.selectFrom('feeds').select('id').where('id', '=', seen.feed_id).forNoKeyUpdate().execute();
  const row = (await findTransaction(tx, creditorId, transactionId))!;
  const returns = returnsOf(row);
  if (row.state !== 'waiting' || returns === null) {
    throw new DomainError('taskClosed', 'The return has found its payment meanwhile.');
  }
  const fault = (code: string, message: string) =>
    new DomainError(code, message, [{ pointer: '/receiptId', code, message }]);
  if (original.currency !== row.currency) {
    throw fault('currencyMismatch', `The receipt is in ${original.currency}.`);
  }
  const { wantedMinor, amountMinor } = partsOf(row, returns, original);
  // Whatever reason the bank gives: here a person says what it is.
  const recorded = await isRecorded(tx, act, row, returns, original);
  if (!recorded && amountMinor < wantedMinor) {
    throw fault(
      'exceedsReceipt',
      `Only ${formatAmount(amountMinor, row.currency)} of the receipt can still be returned.`,
    );
  }
  await tx
    .updateTable('bank_transactions')
    .set({ state: 'done', outcome: 'return', receipt_id: receiptId })
    .where('id', '=', row.id)
    .execute();
  if (!recorded) await applyTo(tx, act, row, returns, original);
}

/** What money that comes back undoes: `own` where it never was a customer's. */
export type Undone = { kind: 'return'; payment: PaymentDetails } | { kind: 'waiting' } | { kind: 'own' };

/** Who paid and what for, as the payment told it that had been returned. */
type PaymentDetails = Pick<
  TransactionRow,
  | 'counterparty_name'
  | 'counterparty_account'
  | 'ultimate_name'
  | 'remittance'
  | 'structured_references'
  | 'end_to_end_id'
>;

interface UndoneRow {
  state: TransactionRow['state'];
  outcome: TransactionRow['outcome'];
  receipt_id: string | null;
}

/**
 * A return is undone itself: a refund that the customer's bank did not take, a chargeback that was won. The customer's money
 * is there again, so it counts as another payment of theirs, for what the first one was for. A provider that names a
 * return which was not told yet will still tell it; money that comes back of anything else is our own.
 */
export async function findUndone(tx: Tx, act: Act, row: TransactionRow, returns: ReturnInformation): Promise<Undone> {
  const found = await undoneBy(tx, row, returns);
  if (found === 'own' || found?.outcome === 'debit' || found?.outcome === 'duplicate') return { kind: 'own' };
  if (found?.outcome !== 'return' || found.receipt_id === null) {
    await askAboutOriginal(tx, act, row, returns, row.amount_minor);
    return { kind: 'waiting' };
  }
  const receipt = await tx
    .selectFrom('receipts')
    .select([
      'payer_name as counterparty_name',
      'payer_iban as counterparty_account',
      'ultimate_name',
      'remittance',
      'structured_references',
      'end_to_end_id',
    ])
    .where('id', '=', found.receipt_id)
    .executeTakeFirstOrThrow();
  await closeTaskByKey(tx, act, row.creditor_id, waitingKey(row), 'done', { outcome: 'transactionCame' });
  return { kind: 'return', payment: receipt };
}

/** Undefined where it is still to come. */
async function undoneBy(
  tx: Tx,
  row: TransactionRow,
  returns: ReturnInformation,
): Promise<UndoneRow | undefined | 'own'> {
  const { originalBankId } = returns;
  const endToEndId = returns.originalEndToEndId ?? row.end_to_end_id;
  const of = sql`select state, outcome, receipt_id from bank_transactions
    where creditor_id = ${row.creditor_id} and account_key = ${row.account_key} and amount_minor < 0
      and returns is not null and status = 'booked'`;
  if (originalBankId !== null) {
    const { rows } = await sql<UndoneRow>`${of} and bank_id = ${originalBankId} order by seq limit 1`.execute(tx);
    if (rows[0]) return rows[0];
  }
  if (endToEndId !== null) {
    const { rows } = await sql<UndoneRow>`${of} and end_to_end_id = ${endToEndId}
      and amount_minor = ${(-row.amount_minor).toString()}::bigint order by seq desc limit 1`.execute(tx);
    if (rows[0]) return rows[0];
  }
  const feed = await tx.selectFrom('feeds').select('kind').where('id', '=', row.feed_id).executeTakeFirstOrThrow();
  // A bank's account has payments of the creditor itself, too.
  if (feed.kind !== 'stripe' && feed.kind !== 'gocardless') return 'own';
  if (originalBankId !== null || endToEndId !== null) return undefined;
  const { rows } = await sql<UndoneRow>`${of} and feed_id = ${row.feed_id}
    and amount_minor = ${(-row.amount_minor).toString()}::bigint limit 2`.execute(tx);
  return rows.length === 1 ? rows[0] : 'own';
}

const waitingKey = (row: TransactionRow): string => `unknownReturn:${row.id}`;

async function askAboutOriginal(
  tx: Tx,
  act: Act,
  row: TransactionRow,
  returns: ReturnInformation,
  bookedMinor: bigint,
): Promise<void> {
  const amount = formatAmount(bookedMinor, row.currency);
  await openTask(tx, act, {
    creditorId: row.creditor_id,
    kind: 'unknownReturn',
    key: waitingKey(row),
    subject: `${amount} ${row.currency} returned of an unknown transaction`,
    body: 'The bank reports a return before the transaction it belongs to. It is handled when that comes.',
    data: {
      transactionId: row.id,
      originalId: returns.originalBankId,
      reasonCode: returns.reasonCode,
      amount,
      currency: row.currency,
      bookedOn: row.booked_on,
    },
    dueAt: act.at,
  });
}

/** Days after a payment within which it can come back without an id that names it (SEPA core refunds: 13 months). */
const MOST_DAYS = 400;

async function findOriginal(tx: Tx, row: TransactionRow, returns: ReturnInformation): Promise<Original | undefined> {
  const of = sql`select r.id, r.amount_minor, r.returned_minor, r.currency, r.customer_id
    from bank_transactions t join receipts r on r.id = t.receipt_id
    where t.creditor_id = ${row.creditor_id} and t.account_key = ${row.account_key} and t.outcome = 'receipt'`;
  if (returns.originalBankId !== null) {
    const { rows } = await sql<Original>`${of} and t.bank_id = ${returns.originalBankId}
      order by r.returned_minor < r.amount_minor desc, r.seq limit 1`.execute(tx);
    if (rows[0]) return rows[0];
    const told = await sql<Original>`${of} and t.id = (select transaction_id from sightings
      where document = ${streamOf(row.feed_id)} and position = ${`+${returns.originalBankId}`})`.execute(tx);
    if (told.rows[0]) return told.rows[0];
    const named = await sql<Original>`select id, amount_minor, returned_minor, currency, customer_id from receipts
      where feed_id = ${row.feed_id} and external_id = ${returns.originalBankId}`.execute(tx);
    if (named.rows[0]) return named.rows[0];
  }
  const amountMinor = returns.originalAmountMinor ?? -row.amount_minor - (row.fees_minor ?? 0n);
  const endToEndId = returns.originalEndToEndId ?? row.end_to_end_id;
  if (mayBeOwnRefund(returns)) {
    const refunded = await findRefunded(tx, row, returns, endToEndId);
    if (refunded) return refunded;
  }
  if (endToEndId !== null) {
    // Ids recur: of several equal ones any will do, they are the same payer's and amount.
    const { rows } = await sql<Original>`${of} and t.end_to_end_id = ${endToEndId}
      and r.currency = ${row.currency} and r.amount_minor = ${amountMinor.toString()}::bigint and r.returned_minor = 0
      order by r.seq limit 1`.execute(tx);
    if (rows[0]) return rows[0];
  }
  // A bank's own id that is not known here may still come: nothing is guessed then.
  if (returns.originalBankId !== null) return undefined;
  return onlyLikelyOf(tx, row, amountMinor);
}

/**
 * The receipt of which a person recorded a refund of this amount that no bank has told of yet. Of two equal payments of one
 * payer it is the one that was refunded, not the one that stands.
 */
async function findRefunded(
  tx: Tx,
  row: TransactionRow,
  returns: ReturnInformation,
  endToEndId: string | null,
): Promise<Original | undefined> {
  const bookedMinor = -row.amount_minor;
  const wantedMinor = wantedOf({ ...returns, bookedMinor, feesMinor: row.fees_minor });
  const { rows } = await sql<Original & PossibleOriginal & { endToEndId: string | null }>`
    select r.id, r.amount_minor, r.returned_minor, r.currency, r.customer_id, r.payer_iban as "payerAccount",
      coalesce(r.remittance, t.bank_text) as remittance, r.end_to_end_id as "endToEndId"
    from receipt_returns b join receipts r on r.id = b.receipt_id join bank_transactions t on t.id = r.transaction_id
    where b.feed_id is null and b.reason_code = ${REFUND} and b.amount_minor = ${wantedMinor.toString()}::bigint
      and b.booked_on >= ${row.booked_on}::date - ${MOST_DAYS}::int and r.currency = ${row.currency}
      and t.creditor_id = ${row.creditor_id} and t.account_key = ${row.account_key}
    order by r.seq desc limit 50`.execute(tx);
  const named = rows.find((one) => endToEndId !== null && one.endToEndId === endToEndId);
  if (named || returns.originalBankId !== null) return named;
  return onlyLikely({ counterpartyAccount: row.counterparty_account, text: row.remittance ?? row.bank_text }, rows);
}

/** Among the latest receipts of this amount that are not returned. */
async function onlyLikelyOf(tx: Tx, row: TransactionRow, amountMinor: bigint): Promise<Original | undefined> {
  const { rows } = await sql<Original & PossibleOriginal>`
    select r.id, r.amount_minor, r.returned_minor, r.currency, r.customer_id, r.payer_iban as "payerAccount",
      coalesce(r.remittance, t.bank_text) as remittance
    from bank_transactions t join receipts r on r.id = t.receipt_id
    where t.creditor_id = ${row.creditor_id} and t.account_key = ${row.account_key} and t.outcome = 'receipt'
      and t.amount_minor = ${amountMinor.toString()}::bigint and t.currency = ${row.currency}
      and t.booked_on between ${row.booked_on}::date - ${MOST_DAYS}::int and ${row.booked_on}::date and r.returned_minor = 0
    order by r.seq desc limit 50`.execute(tx);
  return onlyLikely({ counterpartyAccount: row.counterparty_account, text: row.remittance ?? row.bank_text }, rows);
}

/** A receipt or a return came: what waited on its account for one looks for its own again, after what is under way. */
export async function releaseWaiting(tx: Tx, row: TransactionRow): Promise<void> {
  const released = await tx
    .updateTable('bank_transactions')
    .set({ state: 'pending' })
    .where('creditor_id', '=', row.creditor_id)
    .where('account_key', '=', row.account_key)
    .where('state', '=', 'waiting')
    .where((eb) =>
      eb.or([
        ...(row.bank_id === null ? [] : [eb(sql`returns ->> 'originalBankId'`, '=', row.bank_id)]),
        ...(row.end_to_end_id === null ? [] : [eb('end_to_end_id', '=', row.end_to_end_id)]),
        eb.and([
          eb(sql`returns ->> 'originalBankId'`, 'is', null),
          eb.or([
            eb('amount_minor', '=', -row.amount_minor),
            eb(sql`returns ->> 'originalAmountMinor'`, '=', row.amount_minor.toString()),
          ]),
        ]),
      ]),
    )
    .returning('feed_id')
    .execute();
  // Another feed of the account may have told it: that one applies it.
  await pokeFeeds(
    tx,
    released.map((one) => one.feed_id).filter((feedId) => feedId !== row.feed_id),
  );
}
