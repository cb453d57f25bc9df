import { sql, type RawBuilder } from 'kysely';
import { addDays, firstOfMonth, type LocalDate } from '../../domain/time/dates.ts';
import type { Db } from '../database.ts';
import { owedByDueDay } from './receivable-sums.ts';

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

export type AgedTotal = Buckets & { currency: string };

/**
 * What each invoice of a customer was owed at the end of `asOf`, from the journal: the sum of the postings to its receivable
 * with a date up to then. Only `receivable` counts, so that a balance leaves out interest, compensation and costs, and money
 * that is not applied yet.
 */
const owedBy = (
  customer: RawBuilder<unknown>,
  asOf: LocalDate,
  currency: string | undefined,
): RawBuilder<unknown> => sql`
  select p.invoice_id as id, p.currency, sum(p.amount_minor)::bigint as amount
  from postings p
  -- An entry at a time by its key: of a customer there are few, of all there may be millions.
  cross join lateral (select e.on_date from journal_entries e where e.id = p.entry_id limit 1) as e
  where p.customer_id = ${customer} and p.account = 'receivable' and e.on_date <= ${asOf}::date
    ${currency === undefined ? sql`` : sql`and p.currency = ${currency}`}
  group by p.invoice_id, p.currency
  having sum(p.amount_minor) <> 0`;

/** Sums of the rows `o (due_on, amount)` by how long they have been due on `asOf`. */
export const buckets = (asOf: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  coalesce(sum(o.amount) filter (where o.due_on >= ${asOf}), 0)::bigint as "notDue",
  coalesce(sum(o.amount) filter (where ${asOf} - o.due_on between 1 and 30), 0)::bigint as "from1To30",
  coalesce(sum(o.amount) filter (where ${asOf} - o.due_on between 31 and 60), 0)::bigint as "from31To60",
  coalesce(sum(o.amount) filter (where ${asOf} - o.due_on between 61 and 90), 0)::bigint as "from61To90",
  coalesce(sum(o.amount) filter (where ${asOf} - o.due_on > 90), 0)::bigint as "over90",
  sum(o.amount)::bigint as total`;

/** What of `owed` was disputed at the end of `asOf` by the invoice's dispute `d`. */
const disputedPart = (asOf: LocalDate): RawBuilder<unknown> => sql`
  d.opened_on <= ${asOf}::date and coalesce(d.resolved_on, 'infinity') > ${asOf}::date`;

/** The aged balance by customer and currency, behind the position `after`, in the order in which customers were added. */
export async function agedByCustomer(
  db: Db,
  creditorId: string,
  filter: { asOf: LocalDate; currency?: string | undefined },
  after: bigint | null,
  count: number,
): Promise<AgedCustomer[]> {
  const { rows } = await sql<AgedRow>`
    with page as (
      select u.id, u.seq, u.reference, u.name from customers u
      where u.creditor_id = ${creditorId} and u.seq > ${after ?? 0n}
        and exists (${owedBy(sql`u.id`, filter.asOf, filter.currency)})
      order by u.seq limit ${count}
    )
    select c.seq, c.id as customer_id, c.reference, c.name, o.currency, ${buckets(sql`${filter.asOf}::date`)},
      coalesce(sum((
        select least(o.amount, coalesce(sum(coalesce(d.amount_minor, o.amount)), 0)) from disputes d
        where d.invoice_id = o.id and ${disputedPart(filter.asOf)}
      )), 0)::bigint as disputed
    from page c
    cross join lateral (
      select q.*, due_on_at(i.id, i.due_on, ${filter.asOf}::date) as due_on
      from (${owedBy(sql`c.id`, filter.asOf, filter.currency)}) as q join invoices i on i.id = q.id
    ) as o
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

/** The aged balance of all customers together, by currency: from the roll-up (`receivable-sums.ts`), which is the journal. */
export async function agedTotals(
  db: Db,
  creditorId: string,
  filter: { asOf: LocalDate; currency?: string | undefined },
): Promise<AgedTotal[]> {
  const rows = await bucketTotals(db, creditorId, filter);
  const disputed = await disputedTotals(db, creditorId, filter.asOf);
  return rows.map((row) => ({ ...row, disputed: disputed.get(row.currency) ?? 0n }));
}

/** The same without what is disputed. */
export async function bucketTotals(
  db: Db,
  creditorId: string,
  filter: { asOf: LocalDate; currency?: string | undefined },
): Promise<Omit<AgedTotal, 'disputed'>[]> {
  // Days are told apart up to the oldest bucket.
  const fineFrom = firstOfMonth(addDays(filter.asOf, -90));
  const { rows } = await sql<Omit<AgedTotal, 'disputed'>>`
    select o.currency, ${buckets(sql`${filter.asOf}::date`)}
    from (${owedByDueDay(creditorId, filter.asOf, filter.currency, fineFrom)}) as o
    group by o.currency`.execute(db);
  return rows
    .filter((row) => BUCKETS.some((bucket) => row[bucket] !== 0n))
    .sort((a, b) => (a.currency < b.currency ? -1 : 1));
}

const BUCKETS = ['notDue', 'from1To30', 'from31To60', 'from61To90', 'over90'] as const;

/** What was disputed at the end of `asOf`, by currency: never more than the invoice was owed. */
async function disputedTotals(db: Db, creditorId: string, asOf: LocalDate): Promise<Map<string, bigint>> {
  const { rows } = await sql<{ currency: string; amount: bigint }>`
    select i.currency, sum(greatest(0, least(o.amount, d.claimed + o.amount * d.wholly)))::bigint as amount
    from (
      select d.invoice_id, coalesce(sum(d.amount_minor), 0) as claimed, count(*) filter (where d.amount_minor is null) as wholly
      from disputes d where ${disputedPart(asOf)} group by d.invoice_id
    ) as d
    join invoices i on i.id = d.invoice_id and i.creditor_id = ${creditorId}
    cross join lateral (
      select coalesce(sum(p.amount_minor), 0) as amount from postings p
      join journal_entries e on e.id = p.entry_id and e.on_date <= ${asOf}
      where p.invoice_id = i.id and p.account = 'receivable'
    ) as o
    group by i.currency`.execute(db);
  return new Map(rows.map(({ currency, amount }) => [currency, amount]));
}
