import { sql } from 'kysely';
import { invoiceTokens } from '../../domain/matching/invoice-tokens.ts';
import { inTransaction, type Db, type Tx } from '../database.ts';
import { pokeFeeds } from './outbox.ts';

/**
 * Invoices became known that money on the worklist may be for: by a number that it quotes, or as the same amount of the
 * customer it is taken to be from. Their feeds look again, in their own time. A person's decision is left alone.
 */
export async function lookAgainFor(
  tx: Tx,
  creditorId: string,
  invoices: readonly { customerId: string; amountMinor: bigint; currency: string; tokens: readonly string[] }[],
): Promise<void> {
  const tokens = [...new Set(invoices.flatMap((invoice) => invoice.tokens))];
  const { rows } = await sql<{ feed_id: string }>`
    update receipts set look_again = true
    where feed_id is not null and unapplied_minor > 0 and not by_person and id in (
      select receipt_id from receipt_tokens where creditor_id = ${creditorId} and token = any(${tokens}::text[])
      union
      select r.id from unnest(
          ${invoices.map((one) => one.customerId)}::text[], ${invoices.map((one) => one.currency)}::text[],
          ${invoices.map((one) => one.amountMinor.toString())}::bigint[]) as given (customer_id, currency, amount_minor)
        join receipts r on r.creditor_id = ${creditorId} and r.currency = given.currency
          and r.unapplied_minor = given.amount_minor and r.unapplied_minor > 0
          and r.customer_id = given.customer_id
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
