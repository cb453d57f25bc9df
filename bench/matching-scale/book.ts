import { sql } from 'kysely';
import type { Db } from '../../db/database.ts';
import { parseInstant } from '../../domain/time/zones.ts';
import { openBook } from '../../test/support/book.ts';

export const BOOKED_ON = '2026-11-26';
const AT = '2026-11-26T09:00:00Z';
/** Open invoices of a customer, whatever the size of the book. */
export const PER_CUSTOMER = 20;
const AT_ONCE = 200_000;

export const numberOf = (n: number): string => `FA-2026-${String(n).padStart(7, '0')}`;
/** Minor units; spread over ten million cents, so that a book of a million has equal ones. */
export const amountOf = (n: number): bigint => 10_000n + ((BigInt(n) * 104_729n) % 9_990_000n);
export const customerOf = (prefix: string, n: number): string => `cus_${prefix}${Math.floor(n / PER_CUSTOMER)}`;
export const nameOf = (n: number): string => `Customer ${Math.floor(n / PER_CUSTOMER)} SARL`;

/** A creditor with `count` open invoices, straight in the tables that matching reads. */
export async function seed(db: Db, prefix: string, count: number): Promise<string> {
  const clock = { now: () => parseInstant(AT) } as never;
  const { id } = await openBook(
    { db, clock },
    {
      tolerance: { EUR: '0.10' },
      steps: [{ key: 'reminder', day: 5, from: 'due', channel: 'email', template: 'reminder' }],
    },
  );
  await sql`
    insert into customers (id, creditor_id, reference, name, kind, country, locale, time_zone, created_at)
    select 'cus_' || ${prefix} || n, ${id}, 'C' || n, 'Customer ' || n || ' SARL', 'business', 'FR', 'fr', 'Europe/Paris', ${AT}
    from generate_series(0, ${Math.ceil(count / PER_CUSTOMER)}::int) n`.execute(db);
  await sql`alter table invoices disable trigger all`.execute(db);
  for (let from = 0; from < count; from += AT_ONCE) {
    const to = Math.min(count, from + AT_ONCE) - 1;
    await sql`
      insert into invoices (id, creditor_id, customer_id, number, issued_on, due_on, amount_minor, currency, refs,
          policy_name, policy_version, registered_at, balance_minor, stage)
      select 'inv_' || ${prefix} || n, ${id}, 'cus_' || ${prefix} || (n / ${PER_CUSTOMER}::int), 'FA-2026-' || lpad(n::text, 7, '0'),
        '2026-10-01', '2026-11-01', 10000 + n::bigint * 104729 % 9990000, 'EUR', array['PO' || (n + 50000000)], 'test', 1, ${AT},
        10000 + n::bigint * 104729 % 9990000, 'reminding'
      from generate_series(${from}::int, ${to}::int) n`.execute(db);
    await sql`
      insert into invoice_tokens (creditor_id, token, invoice_id)
      select ${id}, token, 'inv_' || ${prefix} || n from generate_series(${from}::int, ${to}::int) n,
        lateral (values ('FA2026' || lpad(n::text, 7, '0')), ('PO' || (n + 50000000))) as t (token)`.execute(db);
  }
  await sql`alter table invoices enable trigger all`.execute(db);
  // Every tenth customer is known by its account.
  await sql`
    insert into known_payers (creditor_id, kind, value, customer_id, matches)
    select ${id}, 'account', 'FR76' || ${prefix} || n, 'cus_' || ${prefix} || n, 1
    from generate_series(0, ${Math.ceil(count / PER_CUSTOMER) - 1}::int, 10) n`.execute(db);
  return id;
}
