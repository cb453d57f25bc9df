import { sql, type RawBuilder } from 'kysely';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db } from '../database.ts';

/** What is owed by how long it has been due, minor units of one currency. Interest and the like are not in it. */
export interface Buckets {
  notDue: bigint;
  from1To30: bigint;
  from31To60: bigint;
  from61To90: bigint;
  over90: bigint;
  total: bigint;
  /** Of the total, what is disputed on that day. */
  disputed: bigint;
}

export interface AgedCustomer {
  seq: bigint;
  customerId: string;
  reference: string;
  name: string;
  /** One for each currency in which something is owed, in the order of their codes. */
  balances: (Buckets & { currency: string })[];
}

type AgedRow = Buckets & { seq: bigint; customer_id: string; reference: string; name: string; currency: string };

export type AgedTotal = Buckets & { currency: string; customers: bigint };

/**
 * What the invoices of a creditor were owed at the end of `asOf`, from the journal: the sum of the postings to each
 * receivable with a date up to then, by the due date that it has now. Only `receivable` counts, so that a balance leaves out
 * interest, compensation and costs, and money that is not applied yet.
 */
const owed = (creditorId: string, asOf: LocalDate, currency: string | undefined): RawBuilder<unknown> => sql`
  select i.id, i.customer_id, i.currency, i.due_on, sum(p.amount_minor)::bigint as amount
  from invoices i
  join postings p on p.invoice_id = i.id and p.account = 'receivable'
  join journal_entries e on e.id = p.entry_id and e.on_date <= ${asOf}
  where i.creditor_id = ${creditorId} ${currency === undefined ? sql`` : sql`and i.currency = ${currency}`}
  group by i.id
  having sum(p.amount_minor) <> 0`;

const buckets = (asOf: LocalDate): RawBuilder<unknown> => sql`
  coalesce(sum(o.amount) filter (where o.due_on >= ${asOf}::date), 0)::bigint as "notDue",
  coalesce(sum(o.amount) filter (where ${asOf}::date - o.due_on between 1 and 30), 0)::bigint as "from1To30",
  coalesce(sum(o.amount) filter (where ${asOf}::date - o.due_on between 31 and 60), 0)::bigint as "from31To60",
  coalesce(sum(o.amount) filter (where ${asOf}::date - o.due_on between 61 and 90), 0)::bigint as "from61To90",
  coalesce(sum(o.amount) filter (where ${asOf}::date - o.due_on > 90), 0)::bigint as "over90",
  sum(o.amount)::bigint as total,
  coalesce(sum((
    select least(o.amount, coalesce(sum(coalesce(d.amount_minor, o.amount)), 0)) from disputes d
    where d.invoice_id = o.id and d.opened_on <= ${asOf}::date and (d.resolved_on is null or d.resolved_on > ${asOf}::date)
  )), 0)::bigint as disputed`;

/** The aged balance by customer and currency, behind the position `after`, in the order in which customers were added. */
export async function agedByCustomer(
  db: Db,
  creditorId: string,
  filter: { asOf: LocalDate; currency?: string | undefined },
  after: bigint | null,
  count: number,
): Promise<AgedCustomer[]> {
  const { rows } = await sql<AgedRow>`
    with owed as (${owed(creditorId, filter.asOf, filter.currency)}),
    page as (
      select u.id, u.seq, u.reference, u.name from customers u
      where u.creditor_id = ${creditorId} and u.seq > ${after ?? 0n} and exists (select from owed o where o.customer_id = u.id)
      order by u.seq limit ${count}
    )
    select c.seq, c.id as customer_id, c.reference, c.name, o.currency, ${buckets(filter.asOf)}
    from page c join owed o on o.customer_id = c.id
    group by c.seq, c.id, c.reference, c.name, o.currency
    order by c.seq, o.currency`.execute(db);
  const found = new Map<bigint, AgedCustomer>();
  for (const { seq, customer_id: customerId, reference, name, ...balance } of rows) {
    const customer = found.get(seq) ?? { seq, customerId, reference, name, balances: [] };
    customer.balances.push(balance);
    found.set(seq, customer);
  }
  return [...found.values()];
}

/** The aged balance of all customers together, by currency. */
export async function agedTotals(
  db: Db,
  creditorId: string,
  filter: { asOf: LocalDate; currency?: string | undefined },
): Promise<AgedTotal[]> {
  const { rows } = await sql<AgedTotal>`
    with owed as (${owed(creditorId, filter.asOf, filter.currency)})
    select o.currency, count(distinct o.customer_id) as customers, ${buckets(filter.asOf)}
    from owed o group by o.currency order by o.currency`.execute(db);
  return rows;
}
