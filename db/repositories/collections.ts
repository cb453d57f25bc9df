import { sql } from 'kysely';
import type { BankMessage } from '../../domain/statement/bank-message.ts';
import { normaliseToken } from '../../domain/matching/tokens.ts';
import type { Act } from '../act.ts';
import type { Tx } from '../database.ts';
import type { FeedKind } from '../types.ts';
import { creditorsDate } from './creditors.ts';
import { appendEvent } from './events.ts';
import { lockCustomers, lockInvoice } from './locks.ts';
import { pokeOutreach, wakeCase } from './outbox.ts';
import { openTask } from './tasks.ts';

type Failed = Extract<BankMessage, { kind: 'collectionFailed' }>;

/**
 * A provider could not collect: the one invoice that the collection names is chased from now on (api.md, `collection`).
 * Where it names none, or several, a person is asked.
 */
export async function failCollection(tx: Tx, act: Act, creditorId: string, failed: Failed): Promise<void> {
  const tokens = failed.references.map(normaliseToken).filter((token) => token.length >= 3);
  const rows =
    tokens.length === 0
      ? []
      : await tx
          .selectFrom('invoice_tokens as t')
          .innerJoin('invoices as i', 'i.id', 't.invoice_id')
          .select(['i.id', 'i.customer_id'])
          .distinct()
          .where('t.creditor_id', '=', creditorId)
          .where('t.token', 'in', tokens)
          .where('i.collection_method', '=', 'directDebit')
          .limit(2)
          .execute();
  const [only, ...others] = rows;
  if (only === undefined || others.length > 0) {
    await openTask(tx, act, {
      creditorId,
      kind: 'unknownCollection',
      key: `unknownCollection:${failed.paymentId}`,
      subject: 'A collection failed that no single invoice is known for',
      data: { paymentId: failed.paymentId, reasonCode: failed.reasonCode },
      dueAt: act.at,
    });
    return;
  }
  await lockCustomers(tx, [only.customer_id]);
  await recordFailedCollection(tx, act, only.id, await creditorsDate(tx, act, creditorId), failed.reasonCode);
}

/**
 * Whether a collection that failed had worked before, as its credit says that is booked or still to be asked for: then it is
 * a late failure that takes the money back, and the provider is asked for it. Only GoCardless tells it so.
 */
export async function isLateFailure(tx: Tx, feed: { id: string; kind: FeedKind }, paymentId: string): Promise<boolean> {
  if (feed.kind !== 'gocardless') return false;
  const { rows } = await sql<{ late: boolean }>`
    select exists (select 1 from bank_transactions
        where feed_id = ${feed.id} and bank_id = ${paymentId} and amount_minor > 0)
      or exists (select 1 from inbox where feed_id = ${feed.id} and status = 'fetch'
        and ask ->> 'id' = ${paymentId} and ask ->> 'event' = 'payments.confirmed') as late`.execute(tx);
  return rows[0]?.late === true;
}

/** From now on it is chased like any other: direct debit is left alone only until it fails. The customer is locked. */
export async function recordFailedCollection(
  tx: Tx,
  act: Act,
  invoiceId: string,
  on: string,
  reasonCode: string | null = null,
): Promise<void> {
  const invoice = await lockInvoice(tx, invoiceId);
  await tx.updateTable('invoices').set({ collection_failed_on: on }).where('id', '=', invoiceId).execute();
  await appendEvent(tx, act, {
    invoiceId,
    kind: 'collectionFailed',
    data: { on, ...(reasonCode === null ? {} : { reasonCode }) },
    text: act.reason ?? null,
  });
  await wakeCase(tx, invoiceId);
  await pokeOutreach(tx, invoice.customer_id);
}
