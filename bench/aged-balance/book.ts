import { sql } from 'kysely';
import type { Db } from '../../db/database.ts';
import { foldReceivables } from '../../db/repositories/receivable-sums.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import { parseInstant } from '../../domain/time/zones.ts';
import { openBook } from '../../test/support/book.ts';
import { print } from '../support/report.ts';

export const TODAY: LocalDate = '2026-11-26';
/** Invoices were issued on as many days up to today. */
const DAYS = 1_095;
const CUSTOMERS = 20_000;
const AT_ONCE = 100_000;
/** For rows that carry it: the database has it of the service otherwise. */
const AT = '2026-11-26T09:00:00Z';

/**
 * One creditor with `count` invoices of three years: nine of ten are paid, some late and some in parts, so that about one
 * of eight is open. Written straight into the tables, with the trigger of the roll-up as it is and without the checks that
 * each row would be worth a query.
 */
export async function seed(db: Db, count: number): Promise<string> {
  const clock = { now: () => parseInstant(AT) } as never;
  const creditor = await openBook(
    { db, clock },
    { steps: [{ key: 'reminder', day: 5, from: 'due', channel: 'email', template: 'reminder' }] },
  );
  const id = creditor.id;
  const begin = Date.now();
  await sql`
    insert into customers (id, creditor_id, reference, name, kind, country, locale, time_zone, created_at)
    select 'cus_' || n, ${id}, 'C' || n, 'Customer ' || n, 'business', 'FR', 'fr', 'Europe/Paris', ${AT}
    from generate_series(1, ${CUSTOMERS}) n`.execute(db);
  for (const table of ['postings', 'journal_entries', 'invoices']) {
    await sql`alter table ${sql.table(table)} disable trigger all`.execute(db);
  }
  await sql`alter table postings enable trigger postings_receivable`.execute(db);
  for (let from = 0; from < count; from += AT_ONCE) {
    await chunk(db, id, from, Math.min(count, from + AT_ONCE));
    // What autovacuum does beside a service, but not within seconds.
    await sql`vacuum (analyze) invoices, journal_entries, postings, receivable_deltas`.execute(db);
    while ((await foldReceivables(db, AT_ONCE)) > 0);
    await sql`vacuum (analyze) receivable_deltas, receivable_sums`.execute(db);
  }
  for (const table of ['postings', 'journal_entries', 'invoices']) {
    await sql`alter table ${sql.table(table)} enable trigger all`.execute(db);
  }
  await sql`vacuum (analyze)`.execute(db);
  print(`  ${count.toLocaleString('en')} invoices were written in ${((Date.now() - begin) / 1000).toFixed(0)} s`);
  return id;
}

async function chunk(db: Db, creditorId: string, from: number, to: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`create temp table wanted on commit drop as
      select n, 'inv_' || n as id, 'cus_' || (1 + n % ${CUSTOMERS}) as customer_id,
        ${TODAY}::date - (n::bigint * 7919 % ${DAYS})::int as issued_on,
        ${TODAY}::date - (n::bigint * 7919 % ${DAYS})::int + (array[30, 45, 60])[1 + n % 3] as due_on,
        10000 + n::bigint * 104729 % 990000 as amount,
        case when n % 50 = 0 then 'GBP' else 'EUR' end as currency,
        case when n % 10 = 9 then 0 when n % 10 = 8 then 0.5 else 1 end as share,
        (n % 97 - 20)::int as late
      from generate_series(${from}::int, ${to - 1}::int) n`.execute(tx);
    // Not paid yet where the day of the payment is still to come.
    await sql`update wanted set share = 0 where due_on + late > ${TODAY}::date`.execute(tx);
    await sql`insert into invoices (id, creditor_id, customer_id, number, issued_on, due_on, amount_minor, currency, refs,
        policy_name, policy_version, registered_at, balance_minor, stage)
      select id, ${creditorId}, customer_id, 'F-' || n, issued_on, due_on, amount, currency, array['PO-' || n], 'test', 1, ${AT},
        amount - floor(amount * share)::bigint, case when share = 1 then 'settled' else 'reminding' end from wanted`.execute(
      tx,
    );
    await post(
      tx,
      creditorId,
      sql`select 'invoice:' || id as key, 'invoiceRegistered' as kind, issued_on as on_date, id,
      customer_id, currency, amount, 'sales' as other from wanted`,
    );
    await post(
      tx,
      creditorId,
      sql`select 'allocation:' || id, 'allocated', greatest(due_on + late, issued_on), id,
      customer_id, currency, -floor(amount * share)::bigint, 'unappliedCash' from wanted where share > 0`,
    );
  });
}

async function post(db: Db, creditorId: string, lines: ReturnType<typeof sql>): Promise<void> {
  await sql`
    with lines (key, kind, on_date, invoice_id, customer_id, currency, amount, other) as (${lines}),
    entries as (
      insert into journal_entries (creditor_id, kind, key, on_date, at, actor)
      select ${creditorId}, kind, key, on_date, ${AT}, 'system' from lines returning id, key
    )
    insert into postings (entry_id, line, creditor_id, account, invoice_id, customer_id, currency, amount_minor)
    select e.id, side.line, ${creditorId}, side.account, side.invoice_id, l.customer_id, l.currency, side.amount
    from lines l join entries e using (key)
    cross join lateral (values (1, 'receivable', l.invoice_id, l.amount), (2, l.other, null, -l.amount))
      as side (line, account, invoice_id, amount)`.execute(db);
}
