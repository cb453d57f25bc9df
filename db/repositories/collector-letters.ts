import { sql } from 'kysely';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import type { Db, Tx } from '../database.ts';
import { openTask } from './tasks.ts';

/** The letter of R124-4 that a debtor got about an invoice. */
export interface CollectorLetter {
  reference: string;
  on: LocalDate;
}

/**
 * The first letter in which a collector presented itself, by invoice, of those that left. A text that was erased since
 * counts as none: then the letter is written once more.
 */
export async function collectorLetters(
  db: Db | Tx,
  invoiceIds: readonly string[],
): Promise<Map<string, CollectorLetter>> {
  if (invoiceIds.length === 0) return new Map();
  const { rows } = await sql<{ invoice_id: string; reference: string; on: LocalDate }>`
    select distinct on (i.invoice_id) i.invoice_id, c.reference, m.model ->> 'today' as "on"
    from contact_items i join contacts c on c.id = i.contact_id join message_models m on m.contact_id = c.id
    where i.invoice_id = any(${invoiceIds}::text[]) and c.channel in ('letter', 'registeredLetter')
      and c.status in ('sending', 'sent', 'delivered') and m.model -> 'collector' -> 'letters' = '[]'::jsonb
    order by i.invoice_id, c.seq`.execute(db);
  return new Map(rows.map(({ invoice_id, reference, on }) => [invoice_id, { reference, on }]));
}

/** Days within which what was received is remitted (CPCE R124-6). */
const REMIT_DAYS = 30;

/**
 * Who collects for others owes a receipt for each payment, tells whom it collects for, and remits within a month (CPCE
 * R124-5, R124-6): a task for each payment. Not for a creditor of its own claims.
 */
export async function oweReceipt(
  tx: Tx,
  act: Act,
  paid: {
    creditorId: string;
    invoiceId: string;
    customerId: string;
    number: string;
    allocationId: string;
    paidOn: LocalDate;
  },
): Promise<void> {
  await openTask(tx, act, {
    creditorId: paid.creditorId,
    kind: 'giveReceipt',
    key: `giveReceipt:${paid.allocationId}`,
    customerId: paid.customerId,
    subject: `A receipt is due for a payment on invoice ${paid.number}`,
    body: 'Give the debtor a receipt, tell whom you collect for, and remit the money within a month (CPCE R124-5, R124-6).',
    data: { invoiceId: paid.invoiceId, allocationId: paid.allocationId, paidOn: paid.paidOn },
    dueAt: act.at + REMIT_DAYS * 86_400_000,
  });
}
