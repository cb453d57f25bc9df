import { sql } from 'kysely';
import type { CustomerEntry } from '../../domain/books/statement.ts';
import type { Account, EntryKind } from '../../domain/ledger/postings.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db, Tx } from '../database.ts';

interface Row {
  id: bigint;
  on: LocalDate;
  kind: EntryKind;
  currency: string;
  delta: bigint;
  others: { account: Account; amount: string }[];
  reference: string | null;
  invoice_id: string | null;
}

/**
 * The journal entries that concern a customer up to a date, by currency (in the order of their codes), in the order of the
 * journal. Its account is made of its receivables and of the money and credit that is its and not applied yet.
 */
export async function entriesOfCustomer(
  db: Db | Tx,
  creditorId: string,
  customerId: string,
  to: LocalDate,
): Promise<Map<string, CustomerEntry[]>> {
  const { rows } = await sql<Row>`
    with mine as (
      select p.entry_id, p.currency, p.line, p.amount_minor,
        p.account in ('receivable', 'unappliedCredit') as owned
      from postings p
      where p.creditor_id = ${creditorId} and p.customer_id = ${customerId}
        and p.account in ('receivable', 'unappliedCredit', 'interest', 'compensation', 'costs', 'interestWaived')
      union all
      select p.entry_id, p.currency, p.line, p.amount_minor, true
      from receipts r join postings p on p.receipt_id = r.id and p.account = 'unappliedCash'
      where r.creditor_id = ${creditorId} and r.customer_id = ${customerId}
    ),
    entries as (
      select entry_id, currency, coalesce(sum(amount_minor) filter (where owned), 0)::bigint as delta
      from mine group by entry_id, currency
    )
    select e.id, e.on_date as "on", e.kind, m.currency, m.delta,
      coalesce(o.others, '[]'::jsonb) as others, w.reference, w.invoice_id
    from entries m
    join journal_entries e on e.id = m.entry_id
    left join lateral (
      select jsonb_agg(jsonb_build_object('account', p.account, 'amount', p.amount_minor::text) order by p.line) as others
      from postings p
      where p.entry_id = m.entry_id and p.currency = m.currency
        and p.account not in ('receivable', 'unappliedCash', 'unappliedCredit')
    ) o on true
    left join lateral (
      select max(p.invoice_id) as invoice_id, coalesce(max(i.number), max(n.number), max(r.remittance)) as reference
      from postings p
      left join invoices i on i.id = p.invoice_id
      left join credit_notes n on n.id = p.credit_note_id
      left join receipts r on r.id = p.receipt_id
      where p.entry_id = m.entry_id
    ) w on true
    where e.on_date <= ${to}
    order by m.currency, e.id`.execute(db);
  const found = new Map<string, CustomerEntry[]>();
  for (const row of rows) {
    const entry: CustomerEntry = {
      on: row.on,
      kind: row.kind,
      deltaMinor: row.delta,
      others: row.others.map(({ account, amount }) => ({ account, amountMinor: BigInt(amount) })),
      reference: row.reference,
      invoiceId: row.invoice_id,
    };
    const entries = found.get(row.currency);
    if (entries === undefined) found.set(row.currency, [entry]);
    else entries.push(entry);
  }
  return found;
}
