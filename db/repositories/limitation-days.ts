import type { CustomerKind } from '../../domain/policy/types.ts';
import { limitationIn, type Limitation, type LimitationEvent } from '../../domain/law/limitation.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db, Tx } from '../database.ts';

/** What the last day of an invoice is reckoned from besides its events. */
export interface LimitedInvoice {
  id: string;
  issued_on: LocalDate;
  due_on: LocalDate;
  limitation_years: number | null;
}

/** The last day in time with all that counts for it on record; null where the law of the place is not covered. */
export async function limitationOfInvoice(
  db: Db | Tx,
  invoice: LimitedInvoice,
  customer: { country: string; kind: CustomerKind },
): Promise<Limitation | null> {
  return limitationIn(customer.country, customer.kind, {
    issuedOn: invoice.issued_on,
    dueOn: invoice.due_on,
    contractYears: invoice.limitation_years,
    events: await countingEvents(db, invoice.id),
  });
}

async function countingEvents(db: Db | Tx, invoiceId: string): Promise<LimitationEvent[]> {
  const rows = await db
    .selectFrom('limitation_events')
    .select(['kind', 'on_date', 'until_date'])
    .where('invoice_id', '=', invoiceId)
    .where('status', '=', 'counts')
    .execute();
  return rows.map((row) => ({ kind: row.kind, on: row.on_date, until: row.until_date }));
}
