import { sql } from 'kysely';
import type { Db, Tx } from '../database.ts';

/** Both must stay 0 (issue "The spine", section 3). */
export interface ContactCounters {
  /** Contacts beyond the first that reached `sending` for the same step of the same invoice. */
  duplicate: number;
  /**
   * Items that asked for more than was open on the invoice, or for an instalment on the invoices of its plan, when their
   * contact was committed as `sending`.
   */
  afterPayment: number;
}

/**
 * Counts over all contacts ever sent. What was open at that moment is the sum of the journal up to it: payments, credits
 * and tolerated differences committed before, less what was undone before; beside a principal that is paid, the interest and
 * compensation that its last event left open (an amount in the full scale of its currency). A send and an allocation exclude each other by
 * the locks they hold, so the two clocks that are compared, both the database's, tell which of them was first.
 */
export async function contactCounters(db: Db | Tx): Promise<ContactCounters> {
  const { rows } = await sql<{ duplicate: bigint; after_payment: bigint }>`
    with reached as (
      select i.*, c.status, c.sending_real from contact_items i join contacts c on c.id = i.contact_id
      where c.sending_real is not null and c.status <> 'withdrawn'
    )
    select
      (select coalesce(sum(n - 1), 0)::bigint from (
        select count(distinct contact_id) as n from reached where status <> 'failed'
        group by invoice_id, step, occurrence) steps) as duplicate,
      (select count(*) from reached r where r.asks and r.amount_minor > (
        select coalesce(sum(p.amount_minor), 0) from postings p join journal_entries j on j.id = p.entry_id
        where p.account = 'receivable' and (p.invoice_id = r.invoice_id or p.invoice_id in (
            select o.invoice_id from plan_invoices o where o.plan_id = split_part(r.step, ':', 2)))
          and (j.kind = 'invoiceRegistered' or j.recorded_at < r.sending_real)) + coalesce((
        select replace(e.data ->> 'claimedOpen', '.', '')::bigint from events e
        where e.invoice_id = r.invoice_id and e.data ? 'claimedOpen' and e.recorded_at < r.sending_real
        order by e.n desc limit 1), 0)) as after_payment`.execute(db);
  const [row] = rows;
  return { duplicate: Number(row?.duplicate ?? 0n), afterPayment: Number(row?.after_payment ?? 0n) };
}

export interface Backlog {
  /** Messages that wait to be delivered, and how long the oldest has been due, in real seconds. */
  outboxPending: number;
  outboxOldestSeconds: number;
  /** Messages of banks that wait to be handled. */
  inboxPending: number;
  /** Returns that wait for their transaction. */
  inboxWaiting: number;
  /** Receipts with money that nobody has assigned. */
  unappliedReceipts: number;
  openTasks: number;
}

/** How much work is waiting, for the gauges of `/metrics`. */
export async function backlog(db: Db | Tx): Promise<Backlog> {
  const { rows } = await sql<Record<keyof Backlog, number>>`
    select
      (select count(*) from outbox)::float8 as "outboxPending",
      (select coalesce(greatest(0, extract(epoch from clock_timestamp() - min(due_real))), 0) from outbox)::float8
        as "outboxOldestSeconds",
      (select count(*) from inbox where status = 'pending')::float8 as "inboxPending",
      (select count(*) from bank_transactions where state = 'waiting')::float8 as "inboxWaiting",
      (select count(*) from receipts where unapplied_minor > 0)::float8 as "unappliedReceipts",
      (select count(*) from tasks where status = 'open')::float8 as "openTasks"`.execute(db);
  return rows[0] as Backlog;
}
