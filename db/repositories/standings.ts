import { sql } from 'kysely';
import { standing, type Standing } from '../../domain/case/standing.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db, Tx } from '../database.ts';
import type { InvoiceRow } from './invoices.ts';

/**
 * Where these invoices stand on `today`, the creditor's date, by id: the same pure function that cases decide with, over
 * facts read in four queries however many invoices there are.
 */
export async function standingsOf(
  db: Db | Tx,
  invoices: readonly InvoiceRow[],
  today: LocalDate,
): Promise<Map<string, Standing>> {
  const ids = invoices.map((invoice) => invoice.id);
  if (ids.length === 0) return new Map();
  const customerIds = [...new Set(invoices.map((invoice) => invoice.customer_id))];
  const promises = await db.selectFrom('promises').selectAll().where('invoice_id', 'in', ids).orderBy('seq').execute();
  const disputes = await db.selectFrom('disputes').selectAll().where('invoice_id', 'in', ids).orderBy('seq').execute();
  const holds = await db
    .selectFrom('holds')
    .selectAll()
    .where('customer_id', 'in', customerIds)
    .where((eb) => eb.or([eb('invoice_id', 'is', null), eb('invoice_id', 'in', ids)]))
    .where('lifted_on', 'is', null)
    .orderBy('seq')
    .execute();
  const { rows: paid } = await sql<{ invoice_id: string; paid: bigint }>`
    select a.invoice_id, sum(a.amount_minor - a.accessories_minor)::bigint as paid from allocations a
    where a.invoice_id = any(${ids}::text[]) and a.receipt_id is not null
      and not exists (select 1 from allocation_reversals r where r.allocation_id = a.id)
    group by a.invoice_id`.execute(db);
  const paidOf = new Map(paid.map((row) => [row.invoice_id, row.paid]));

  return new Map(
    invoices.map((invoice) => [
      invoice.id,
      standing(
        {
          balanceMinor: invoice.balance_minor + invoice.accessories_minor,
          movements: [{ on: invoice.issued_on, amountMinor: -(paidOf.get(invoice.id) ?? 0n), kind: 'payment' }],
          promises: promises
            .filter((promise) => promise.invoice_id === invoice.id)
            .map((promise) => ({
              id: promise.id,
              amountMinor: promise.amount_minor,
              payOn: promise.pay_on,
              graceDays: promise.grace_days,
              holds: promise.holds,
              madeOn: promise.made_on,
              status: promise.status,
              endedOn: promise.ended_on,
              paidBeforeMinor: promise.paid_before_minor,
            })),
          disputes: disputes
            .filter((dispute) => dispute.invoice_id === invoice.id)
            .map((dispute) => ({
              id: dispute.id,
              amountMinor: dispute.amount_minor,
              openedOn: dispute.opened_on,
              resolvedOn: dispute.resolved_on,
            })),
          holds: holds
            .filter((hold) => hold.customer_id === invoice.customer_id)
            .filter((hold) => hold.invoice_id === null || hold.invoice_id === invoice.id)
            .map((hold) => ({
              id: hold.id,
              kind: hold.kind,
              fromOn: hold.from_on,
              untilOn: hold.until_on,
              liftedOn: hold.lifted_on,
            })),
        },
        today,
      ),
    ]),
  );
}
