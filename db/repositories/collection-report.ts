import { sql } from 'kysely';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db } from '../database.ts';

/** How collecting went in a period, in one currency. Amounts in minor units. */
export interface Collections {
  currency: string;
  /** Invoices that fell due in the period, less what was credited on them up to its end. */
  dueMinor: bigint;
  /** What of these was paid up to the end of the period. */
  dueCollectedMinor: bigint;
  /** Money that was assigned to invoices in the period, whenever they fell due, less what was taken back. */
  collectedMinor: bigint;
  /** Sum of that money times the days from due date to payment; negative where it came early. */
  delayedMinorDays: bigint;
  promisesKept: bigint;
  promisesBroken: bigint;
  /** Messages, letters and calls that left in the period and asked for something. */
  contacts: bigint;
}

/** The figures of a period, both days counted, by currency in the order of their codes; from journal, promises and contacts. */
export async function collectionsOf(
  db: Db,
  creditorId: string,
  { from, to }: { from: LocalDate; to: LocalDate },
): Promise<Collections[]> {
  const { rows } = await sql<Collections>`
    with
    zone as (select time_zone from creditors where id = ${creditorId}),
    -- Money that was assigned to an invoice, or taken back from it.
    money as (
      select e.id, e.on_date, p.currency, max(p.invoice_id) as invoice_id,
        sum(p.amount_minor) filter (where p.account = 'unappliedCash') as amount
      from journal_entries e join postings p on p.entry_id = e.id
      where e.creditor_id = ${creditorId} and e.on_date between ${from} and ${to}
        and e.kind in ('allocated', 'recovered', 'allocationUndone')
      group by e.id, p.currency having sum(p.amount_minor) filter (where p.account = 'unappliedCash') <> 0
    ),
    collected as (
      select m.currency, sum(m.amount)::bigint as amount,
        sum(m.amount * (m.on_date - due_on_at(i.id, i.due_on, m.on_date)))::bigint as delayed
      from money m join invoices i on i.id = m.invoice_id group by 1
    ),
    due as (
      select i.currency, sum(i.amount_minor - o.credited)::bigint as due, sum(o.paid)::bigint as paid
      from invoices i
      cross join lateral (
        select coalesce(sum(-p.amount_minor) filter (where x.credit), 0) as credited,
          coalesce(sum(-p.amount_minor) filter (where x.cash), 0) as paid
        from postings p
        join journal_entries e on e.id = p.entry_id and e.on_date <= ${to}
        cross join lateral (
          select bool_or(q.account = 'unappliedCredit') as credit, bool_or(q.account = 'unappliedCash') as cash
          from postings q where q.entry_id = p.entry_id
        ) as x
        where p.invoice_id = i.id and p.account = 'receivable' and e.kind <> 'invoiceRegistered'
      ) as o
      where i.creditor_id = ${creditorId} and due_on_at(i.id, i.due_on, ${to}::date) between ${from} and ${to}
      group by 1
    ),
    promised as (
      select i.currency, count(*) filter (where p.status = 'kept') as kept, count(*) filter (where p.status = 'broken') as broken
      from promises p join invoices i on i.id = p.invoice_id
      where i.creditor_id = ${creditorId} and p.ended_on between ${from} and ${to} group by 1
    ),
    asked as (
      select t.currency, count(distinct c.id) as contacts
      from contacts c join contact_items t on t.contact_id = c.id and t.asks cross join zone
      where c.creditor_id = ${creditorId} and (c.sent_at at time zone zone.time_zone)::date between ${from} and ${to} group by 1
    ),
    currencies as (
      select currency from collected union select currency from due union select currency from promised
      union select currency from asked
    )
    select k.currency, coalesce(d.due, 0) as "dueMinor", coalesce(d.paid, 0) as "dueCollectedMinor",
      coalesce(c.amount, 0) as "collectedMinor", coalesce(c.delayed, 0) as "delayedMinorDays",
      coalesce(p.kept, 0) as "promisesKept", coalesce(p.broken, 0) as "promisesBroken", coalesce(a.contacts, 0) as contacts
    from currencies k left join collected c using (currency) left join due d using (currency)
      left join promised p using (currency) left join asked a using (currency)
    order by 1`.execute(db);
  return rows;
}
