import { sql } from 'kysely';
import type { Tx } from '../database.ts';
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
