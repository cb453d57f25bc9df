import { sql } from 'kysely';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db } from '../database.ts';

/** What a creditor sold in a month, by currency, VAT included, less its credit notes; minor units. */
export interface MonthlySales {
  currency: string;
  /** First day of the month. */
  month: LocalDate;
  salesMinor: bigint;
}

/** Sales from `from` to `to`, both counted, from the journal: by month, newest first. */
export async function monthlySales(
  db: Db,
  creditorId: string,
  from: LocalDate,
  to: LocalDate,
): Promise<MonthlySales[]> {
  const { rows } = await sql<MonthlySales>`
    select p.currency, date_trunc('month', e.on_date)::date as month, -sum(p.amount_minor)::bigint as "salesMinor"
    from journal_entries e join postings p on p.entry_id = e.id and p.account in ('sales', 'creditNotes')
    where e.creditor_id = ${creditorId} and e.on_date between ${from} and ${to}
      and e.kind in ('invoiceRegistered', 'creditNoted')
    group by 1, 2 order by 1, 2 desc`.execute(db);
  return rows;
}
