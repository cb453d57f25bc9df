import { sql, type RawBuilder } from 'kysely';
import { addMonths, firstOfMonth, type LocalDate } from '../../domain/time/dates.ts';
import type { Db, Tx } from '../database.ts';
import type { InvoiceRow } from './invoices.ts';

/**
 * The roll-up behind the aged balance: what is owed by due day, so that a report reads hundreds of rows and not a million
 * invoices. Triggers write a delta with each posting to a receivable (migration 0009), in its transaction; the worker folds
 * the deltas into sums of all time and of each year, month and day of posting. Both together are the journal, always.
 */

/** Any number that nobody else in the database uses for an advisory lock. */
const FOLD_LOCK = 7_226_512;
/** Deltas that one round takes: a transaction of some tens of milliseconds. */
export const FOLD_AT_ONCE = 20_000;

/** Folds deltas that are committed into the sums. Returns how many it took; 0 also where another worker is at it. */
export async function foldReceivables(db: Db, most = FOLD_AT_ONCE): Promise<number> {
  return await db.transaction().execute(async (tx) => {
    const { rows: lock } = await sql<{ got: boolean }>`select pg_try_advisory_xact_lock(${FOLD_LOCK}) as got`.execute(
      tx,
    );
    if (!lock[0]!.got) return 0;
    const { rows } = await sql<{ taken: bigint }>`
      with taken as (
        delete from receivable_deltas where id in (select id from receivable_deltas order by id limit ${most})
        returning creditor_id, currency, due_on, on_date, amount_minor
      ),
      parts as (
        select t.creditor_id, g.grain, g.from_on, t.currency, g.due_on, sum(t.amount_minor)::bigint as amount
        from taken t cross join lateral (values
          ('all', '-infinity'::date, t.due_on),
          ('old', '-infinity'::date, date_trunc('month', t.due_on)::date),
          ('year', date_trunc('year', t.on_date)::date, t.due_on),
          ('month', date_trunc('month', t.on_date)::date, t.due_on),
          ('day', t.on_date, t.due_on)) as g (grain, from_on, due_on)
        group by 1, 2, 3, 4, 5 having sum(t.amount_minor) <> 0
      ),
      folded as (
        insert into receivable_sums as s (creditor_id, grain, from_on, currency, due_on, amount_minor)
        select * from parts
        on conflict (creditor_id, grain, from_on, due_on, currency)
          do update set amount_minor = s.amount_minor + excluded.amount_minor
      )
      select count(*) as taken from taken`.execute(tx);
    return Number(rows[0]!.taken);
  });
}

/**
 * Forgets the due days on which nothing is owed any more, of all time and all creditors; the sums of years, months and days
 * stay few by themselves. Returns how many. Only whoever folds may call it.
 */
export async function dropPaidDays(db: Db): Promise<number> {
  return await db.transaction().execute(async (tx) => {
    const { rows: lock } = await sql<{ got: boolean }>`select pg_try_advisory_xact_lock(${FOLD_LOCK}) as got`.execute(
      tx,
    );
    if (!lock[0]!.got) return 0;
    const { numAffectedRows } = await sql`delete from receivable_sums where amount_minor = 0`.execute(tx);
    return Number(numAffectedRows ?? 0n);
  });
}

/**
 * What was owed at the end of `asOf`, as rows of `currency, due_on, amount`, several a due day: all there is less what was
 * posted for later days, so that today's report, and one of the last days, reads next to nothing else. Due months take the
 * place of due days before `fineFrom`, the first day of a month: of these the rows say only that they are before it.
 */
export const owedByDueDay = (
  creditorId: string,
  asOf: LocalDate,
  currency: string | undefined,
  fineFrom: LocalDate = '-infinity',
): RawBuilder<unknown> => {
  const of = (grain: string, amount: RawBuilder<unknown>, where: RawBuilder<unknown>): RawBuilder<unknown> => sql`
    select currency, due_on, ${amount} as amount from receivable_sums
    where creditor_id = ${creditorId} and grain = ${sql.lit(grain)} ${where}
      ${currency === undefined ? sql`` : sql`and currency = ${currency}`}`;
  const nextMonth = addMonths(firstOfMonth(asOf), 1);
  const nextYear = `${Number(asOf.slice(0, 4)) + 1}-01-01`;
  const all = sql`amount_minor`;
  const later = sql`-amount_minor`;
  return sql`
    ${of('all', all, sql`and from_on = '-infinity' and due_on >= ${fineFrom}::date`)}
    union all ${of('old', all, sql`and from_on = '-infinity' and due_on < ${fineFrom}::date`)}
    union all ${of('year', later, sql`and from_on > ${asOf}::date`)}
    union all ${of('month', later, sql`and from_on > ${asOf}::date and from_on < ${nextYear}::date`)}
    union all ${of('day', later, sql`and from_on > ${asOf}::date and from_on < ${nextMonth}::date`)}
    union all
    select currency, due_on, amount_minor from receivable_deltas
    where creditor_id = ${creditorId} and on_date <= ${asOf}::date
      ${currency === undefined ? sql`` : sql`and currency = ${currency}`}`;
};

/** Keeps when a due date was moved, and moves what is owed with it: from `on`, the creditor's date, not before. */
export async function recordDueDateMove(
  tx: Tx,
  invoice: Pick<InvoiceRow, 'id' | 'due_on'>,
  on: LocalDate,
  dueOn: LocalDate,
): Promise<void> {
  // Never before an earlier move, whatever a change of the creditor's time zone does to its date.
  await sql`
    insert into due_date_changes (invoice_id, on_date, from_on, to_on)
    select ${invoice.id}, greatest(${on}::date, max(on_date)), ${invoice.due_on}, ${dueOn}
    from due_date_changes where invoice_id = ${invoice.id}`.execute(tx);
}
