import { sql } from 'kysely';
import { invoiceTokens } from '../../domain/matching/invoice-tokens.ts';
import { normaliseToken } from '../../domain/matching/tokens.ts';
import { MOST_ITEMS } from '../../domain/matching/types.ts';
import { inTransaction, type Db, type Tx } from '../database.ts';
import { pokeFeeds } from './outbox.ts';

/** Receipts that are looked at again for one number, one amount of a customer, or one advice: the latest ones. */
const MOST_RECEIPTS = 500;

/**
 * Invoices became known that money on the worklist may be for: by a number that it quotes, or as the same amount of the
 * customer it is taken to be from, or as an open advice says. Their feeds look again, in their own time. A person's decision is
 * left alone.
 *
 * Bounded however many share a number, such as a contract that stands on every bill and in every payment: matching reads
 * nothing from what more than `MOST_ITEMS` invoices have in common, so nothing is looked at again for it, and of the money
 * that quotes a number of fewer, or is of one amount of one customer, for each only the latest `MOST_RECEIPTS`.
 */
export async function lookAgainFor(
  tx: Tx,
  creditorId: string,
  invoices: readonly { customerId: string; amountMinor: bigint; currency: string; tokens: readonly string[] }[],
): Promise<void> {
  const tokens = await namingTokens(tx, creditorId, [...new Set(invoices.flatMap((invoice) => invoice.tokens))]);
  const { rows } = await sql<{ feed_id: string }>`
    update receipts set look_again = true
    where feed_id is not null and unapplied_minor > 0 and not by_person and id in (
      select k.receipt_id from unnest(${tokens}::text[]) as t (token) cross join lateral (
        select receipt_id from receipt_tokens where creditor_id = ${creditorId} and token = t.token
        order by receipt_id desc limit ${MOST_RECEIPTS}) k
      union
      select k.id from (select distinct * from unnest(
          ${invoices.map((one) => one.customerId)}::text[], ${invoices.map((one) => one.currency)}::text[],
          ${invoices.map((one) => one.amountMinor.toString())}::bigint[]) as g (customer_id, currency, amount_minor)) given
        cross join lateral (
          select r.id from receipts r where r.creditor_id = ${creditorId} and r.currency = given.currency
            and r.unapplied_minor = given.amount_minor and r.unapplied_minor > 0
            and r.customer_id = given.customer_id
          order by r.seq desc limit ${MOST_RECEIPTS}) k
    )
    returning feed_id`.execute(tx);
  await pokeFeeds(
    tx,
    rows.map(({ feed_id: feedId }) => feedId),
  );
  await lookAgainByAdvice(tx, creditorId, tokens);
}

/** Those of these tokens that money quotes or an advice awaits and that few enough invoices have to name one of them. */
async function namingTokens(tx: Tx, creditorId: string, tokens: readonly string[]): Promise<string[]> {
  if (tokens.length === 0) return [];
  const { rows } = await sql<{ token: string }>`
    select t.token from unnest(${[...tokens]}::text[]) as t (token)
    where (exists (select from receipt_tokens where creditor_id = ${creditorId} and token = t.token)
        or exists (select from remittance_lines where creditor_id = ${creditorId} and awaited = t.token))
      and (select count(*) from (
        select from invoice_tokens where creditor_id = ${creditorId} and token = t.token limit ${MOST_ITEMS + 1}) sharing
      ) <= ${MOST_ITEMS}`.execute(tx);
  return rows.map((row) => row.token);
}

/** Open advices that await one number and are looked at for an invoice that has it, the latest ones. */
const MOST_ADVICES = 100;

/** Money that open advices with these numbers may be for waited until they are known: it quotes none of them itself. */
async function lookAgainByAdvice(tx: Tx, creditorId: string, tokens: readonly string[]): Promise<void> {
  const { rows } = await sql<{ advice_id: string }>`
    select distinct l.advice_id from unnest(${[...tokens]}::text[]) as t (token) cross join lateral (
      select advice_id from remittance_lines where creditor_id = ${creditorId} and awaited = t.token
      order by advice_id desc limit ${MOST_ADVICES}) l`.execute(tx);
  await lookAgainForAdvices(
    tx,
    creditorId,
    rows.map((row) => row.advice_id),
  );
}

/**
 * Money of the totals of these advices that nobody assigned is looked at again where they are open: what quotes their
 * reference, what is of their customer, and other money, of each the latest.
 */
export async function lookAgainForAdvices(tx: Tx, creditorId: string, adviceIds: readonly string[]): Promise<void> {
  if (adviceIds.length === 0) return;
  const advices = await tx
    .selectFrom('remittance_advices')
    .select(['reference', 'customer_id', 'currency', 'total_minor'])
    .where('creditor_id', '=', creditorId)
    .where('id', 'in', [...adviceIds])
    .where('status', '=', 'open')
    .execute();
  const fits = sql`r.creditor_id = ${creditorId} and r.currency = a.currency and r.unapplied_minor = a.total_minor
    and r.unapplied_minor > 0 and r.unapplied_minor = r.amount_minor and r.feed_id is not null and not r.by_person`;
  const { rows } = await sql<{ feed_id: string }>`
    update receipts set look_again = true
    where feed_id is not null and unapplied_minor > 0 and not by_person and id in (
      select found.id from unnest(
          ${advices.map((one) => normaliseToken(one.reference ?? ''))}::text[],
          ${advices.map((one) => one.customer_id)}::text[], ${advices.map((one) => one.currency)}::text[],
          ${advices.map((one) => one.total_minor.toString())}::bigint[]) as a (token, customer_id, currency, total_minor)
        cross join lateral (
          (select r.id from receipt_tokens k join receipts r on r.id = k.receipt_id
            where k.creditor_id = ${creditorId} and k.token = a.token and ${fits}
            order by k.receipt_id desc limit ${MOST_RECEIPTS})
          union
          (select r.id from receipts r where ${fits} and r.customer_id = a.customer_id
            order by r.seq desc limit ${MOST_RECEIPTS})
          union
          (select r.id from receipts r where ${fits} order by r.seq desc limit ${MOST_RECEIPTS})
        ) found
    )
    returning feed_id`.execute(tx);
  await pokeFeeds(
    tx,
    rows.map(({ feed_id: feedId }) => feedId),
  );
}

/** Real seconds back to which a payment and its invoice may have missed each other. */
const MISSED_SECONDS = 20;

/**
 * A payment and its invoice that are written down at the same moment see nothing of each other, each in its own transaction:
 * what came in the last seconds is looked at once more. Returns how many invoices that was.
 */
export async function lookAgainAtMissed(db: Db): Promise<number> {
  const since = sql<number>`clock_timestamp() - make_interval(secs => ${MISSED_SECONDS})`;
  const waiting = await db
    .selectFrom('receipts')
    .select('creditor_id')
    .distinct()
    .where('recorded_at', '>', since)
    .where('unapplied_minor', '>', 0n)
    .where('by_person', '=', false)
    .execute();
  let looked = 0;
  for (const { creditor_id: creditorId } of waiting) {
    const invoices = await db
      .selectFrom('invoices')
      .select(['customer_id', 'balance_minor', 'currency', 'number', 'refs', 'order_reference'])
      .where('recorded_at', '>', since)
      .where('creditor_id', '=', creditorId)
      .where('balance_minor', '>', 0n)
      .limit(2_000)
      .execute();
    if (invoices.length === 0) continue;
    looked += invoices.length;
    await inTransaction(db, (tx) =>
      lookAgainFor(
        tx,
        creditorId,
        invoices.map((row) => ({
          customerId: row.customer_id,
          amountMinor: row.balance_minor,
          currency: row.currency,
          tokens: invoiceTokens({ number: row.number, references: row.refs, orderReference: row.order_reference }),
        })),
      ),
    );
  }
  return looked;
}
