import { sql } from 'kysely';
import type { Account, Entry, Posting } from '../../domain/ledger/postings.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import type { Db, Tx } from '../database.ts';

/**
 * Writes an entry and moves the kept totals with it, in the caller's transaction, which holds the locks of the rows
 * concerned: `invoices.balance_minor`, `receipts.unapplied_minor`, `credit_notes.unapplied_minor`. The database refuses
 * an entry that does not balance, a key that was used, and a total below zero.
 */
export async function post(tx: Tx, act: Act, creditorId: string, onDate: LocalDate, entry: Entry): Promise<void> {
  await postOpenings(tx, act, creditorId, [{ onDate, entry }]);
  for (const [invoiceId, sum] of sums(entry.postings, 'receivable', (posting) => posting.invoiceId)) {
    await tx
      .updateTable('invoices')
      .set((eb) => ({ balance_minor: eb('balance_minor', '+', sum) }))
      .where('id', '=', invoiceId)
      .execute();
  }
  for (const [receiptId, sum] of sums(entry.postings, 'unappliedCash', (posting) => posting.receiptId)) {
    await tx
      .updateTable('receipts')
      .set((eb) => ({ unapplied_minor: eb('unapplied_minor', '-', sum) }))
      .where('id', '=', receiptId)
      .execute();
  }
  for (const [creditNoteId, sum] of sums(entry.postings, 'unappliedCredit', (posting) => posting.creditNoteId)) {
    await tx
      .updateTable('credit_notes')
      .set((eb) => ({ unapplied_minor: eb('unapplied_minor', '-', sum) }))
      .where('id', '=', creditNoteId)
      .execute();
  }
}

/**
 * Writes the entries with which invoices, receipts and credit notes begin, many in one statement. Their rows are
 * inserted with these totals already, so nothing is moved: use it for `invoiceRegistered`, `received`, `creditNoted`.
 */
export async function postOpenings(
  tx: Tx,
  act: Act,
  creditorId: string,
  entries: readonly { onDate: LocalDate; entry: Entry }[],
): Promise<void> {
  if (entries.length === 0) return;
  const lines = entries.flatMap(({ entry }) =>
    entry.postings.map((posting, index) => ({ ...posting, key: entry.key, line: index + 1 })),
  );
  await sql`
    with entries as (
      insert into journal_entries (creditor_id, kind, key, on_date, at, actor)
      select ${creditorId}, kind, key, on_date, ${new Date(act.at)}::timestamptz, ${act.actor}
      from unnest(${entries.map(({ entry }) => entry.kind)}::text[], ${entries.map(({ entry }) => entry.key)}::text[],
                  ${entries.map(({ onDate }) => onDate)}::date[]) as given (kind, key, on_date)
      returning id, key
    )
    insert into postings
      (entry_id, line, creditor_id, account, invoice_id, customer_id, receipt_id, credit_note_id, currency, amount_minor)
    select e.id, line, ${creditorId}, account, invoice_id, customer_id, receipt_id, credit_note_id, currency, amount
    from unnest(
      ${lines.map((l) => l.key)}::text[], ${lines.map((l) => l.line)}::int[],
      ${lines.map((l) => l.account)}::text[], ${lines.map((l) => l.invoiceId)}::text[],
      ${lines.map((l) => l.customerId)}::text[], ${lines.map((l) => l.receiptId)}::text[],
      ${lines.map((l) => l.creditNoteId)}::text[], ${lines.map((l) => l.currency)}::text[],
      ${lines.map((l) => l.amountMinor.toString())}::bigint[])
      as given (key, line, account, invoice_id, customer_id, receipt_id, credit_note_id, currency, amount)
    join entries e on e.key = given.key
    order by e.id, line`.execute(tx);
}

/** The postings of an entry, as they were written. */
export async function postingsOf(db: Db | Tx, creditorId: string, key: string): Promise<Posting[]> {
  const rows = await db
    .selectFrom('postings as p')
    .innerJoin('journal_entries as j', 'j.id', 'p.entry_id')
    .selectAll('p')
    .where('j.creditor_id', '=', creditorId)
    .where('j.key', '=', key)
    .orderBy('p.line')
    .execute();
  return rows.map((row) => ({
    account: row.account,
    amountMinor: row.amount_minor,
    currency: row.currency,
    invoiceId: row.invoice_id,
    customerId: row.customer_id,
    receiptId: row.receipt_id,
    creditNoteId: row.credit_note_id,
  }));
}

/**
 * What does not add up, one sentence each, of one creditor or of all; empty when the books balance: entries, the kept
 * totals and the roll-up against sums of postings, and each receipt and credit note against where its money went. Reads everything, in
 * one snapshot.
 */
export async function check(db: Db | Tx, creditorId: string | null = null): Promise<string[]> {
  const { rows } = await sql<{ problem: string }>`
    with
    entries as (
      select entry_id, currency, sum(amount_minor) as sum from postings
      where ${creditorId}::text is null or creditor_id = ${creditorId} group by entry_id, currency
    ),
    receivable as (
      select invoice_id, sum(amount_minor) as sum, count(distinct currency) as currencies, min(currency) as currency
      from postings where account = 'receivable' group by invoice_id
    ),
    cash as (
      select receipt_id, -sum(amount_minor) as sum from postings
      where account = 'unappliedCash' and receipt_id is not null group by receipt_id
    ),
    credit as (
      select credit_note_id, -sum(amount_minor) as sum from postings
      where account = 'unappliedCredit' and credit_note_id is not null group by credit_note_id
    ),
    standing as (
      select a.* from allocations a
      where not exists (select 1 from allocation_reversals r where r.allocation_id = a.id)
    ),
    due as (
      select i.creditor_id, i.currency, i.due_on, sum(r.sum) as sum from receivable r join invoices i on i.id = r.invoice_id
      where ${creditorId}::text is null or i.creditor_id = ${creditorId} group by 1, 2, 3
    ),
    rolled_up as (
      select creditor_id, currency, due_on, sum(amount_minor) as sum from (
        select creditor_id, currency, due_on, amount_minor from receivable_sums where grain = 'all'
        union all select creditor_id, currency, due_on, amount_minor from receivable_deltas
      ) as parts
      where ${creditorId}::text is null or creditor_id = ${creditorId} group by 1, 2, 3
    ),
    of_receipts as (select receipt_id, sum(amount_minor) as sum from standing where receipt_id is not null group by 1),
    of_credits as (
      select credit_note_id, sum(amount_minor) as sum from standing where credit_note_id is not null group by 1
    ),
    given_back as (select receipt_id, sum(amount_minor) as sum from receipt_returns group by receipt_id),
    remitted as (
      select receipt_id, sum(amount_minor) as sum from agency_remittances where undone_on is null group by receipt_id
    ),
    aside as (
      select receipt_id, -sum(amount_minor) as sum from postings where account = 'setAside' group by receipt_id
    )
    select 'journal entry ' || entry_id || ' is off by ' || sum || ' ' || currency as problem
      from entries where sum <> 0
    union all
    select 'journal entry ' || j.id || ' has no postings' from journal_entries j
      where (${creditorId}::text is null or j.creditor_id = ${creditorId})
        and not exists (select 1 from postings p where p.entry_id = j.id)
    union all
    select 'invoice ' || i.id || ': balance ' || i.balance_minor || ', receivable ' || coalesce(r.sum, 0)
      from invoices i left join receivable r on r.invoice_id = i.id
      where (${creditorId}::text is null or i.creditor_id = ${creditorId})
        and (i.balance_minor is distinct from coalesce(r.sum, 0) or r.currencies > 1 or r.currency <> i.currency)
    union all
    select 'receipt ' || r.id || ': unapplied ' || r.unapplied_minor || ', journal ' || coalesce(c.sum, 0)
      from receipts r left join cash c on c.receipt_id = r.id
      where (${creditorId}::text is null or r.creditor_id = ${creditorId})
        and r.unapplied_minor is distinct from coalesce(c.sum, 0)
    union all
    select 'receipt ' || r.id || ': ' || r.amount_minor || ' is not ' || coalesce(a.sum, 0) || ' allocated, '
        || r.unapplied_minor || ' unapplied, ' || coalesce(m.sum, 0) || ' remitted, ' || coalesce(p.sum, 0)
        || ' put aside and ' || coalesce(g.sum, 0) || ' returned'
      from receipts r left join of_receipts a on a.receipt_id = r.id left join given_back g on g.receipt_id = r.id
        left join remitted m on m.receipt_id = r.id left join aside p on p.receipt_id = r.id
      where (${creditorId}::text is null or r.creditor_id = ${creditorId})
        and (r.amount_minor <> coalesce(a.sum, 0) + r.unapplied_minor + coalesce(m.sum, 0) + coalesce(p.sum, 0)
            + coalesce(g.sum, 0)
          or r.returned_minor <> coalesce(g.sum, 0) or r.set_aside_minor <> coalesce(p.sum, 0))
    union all
    select 'credit note ' || n.id || ': unapplied ' || n.unapplied_minor || ', journal ' || coalesce(c.sum, 0)
      from credit_notes n left join credit c on c.credit_note_id = n.id
      where (${creditorId}::text is null or n.creditor_id = ${creditorId})
        and n.unapplied_minor is distinct from coalesce(c.sum, 0)
    union all
    select 'credit note ' || n.id || ': ' || n.amount_minor || ' is not ' || coalesce(a.sum, 0) || ' allocated and '
        || n.unapplied_minor || ' unapplied'
      from credit_notes n left join of_credits a on a.credit_note_id = n.id
      where (${creditorId}::text is null or n.creditor_id = ${creditorId})
        and n.amount_minor <> coalesce(a.sum, 0) + n.unapplied_minor
    union all
    select 'the sums of ' || coalesce(r.creditor_id, s.creditor_id) || ' due on ' || coalesce(r.due_on, s.due_on) || ' are '
        || coalesce(s.sum, 0) || ' ' || coalesce(r.currency, s.currency) || ', the journal has ' || coalesce(r.sum, 0)
      from due r full join rolled_up s
        on s.creditor_id = r.creditor_id and s.currency = r.currency and s.due_on = r.due_on
      where coalesce(r.sum, 0) <> coalesce(s.sum, 0)
    union all
    select 'allocation ' || a.id || ' is in another currency than its ' || case when r.id is null then 'credit note'
        else 'receipt' end || ' or invoice'
      from allocations a join invoices i on i.id = a.invoice_id
        left join receipts r on r.id = a.receipt_id left join credit_notes n on n.id = a.credit_note_id
      where (${creditorId}::text is null or a.creditor_id = ${creditorId})
        and i.currency <> coalesce(r.currency, n.currency)`.execute(db);
  return rows.map(({ problem }) => problem);
}

function sums(
  postings: readonly Posting[],
  account: Account,
  keyOf: (posting: Posting) => string | null,
): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (const posting of postings) {
    const key = keyOf(posting);
    if (posting.account !== account || key === null) continue;
    found.set(key, (found.get(key) ?? 0n) + posting.amountMinor);
  }
  return found;
}
