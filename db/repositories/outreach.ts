import { sql } from 'kysely';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Instant } from '../../domain/time/zones.ts';
import { instant, type Tx } from '../database.ts';

export interface Asking {
  invoiceId: string;
  plannedAt: Instant;
  plannedOn: LocalDate;
}

/** The cases of a customer that ask outreach for something, and for when. */
export async function requestingInvoices(tx: Tx, customerId: string): Promise<Asking[]> {
  const rows = await tx
    .selectFrom('case_steps')
    .select(['invoice_id', 'planned_at', 'planned_on'])
    .where('customer_id', '=', customerId)
    .where('status', '=', 'requested')
    .orderBy('invoice_id')
    .execute();
  return rows.map((r) => ({ invoiceId: r.invoice_id, plannedAt: r.planned_at, plannedOn: r.planned_on }));
}

export interface Lag {
  /** Cases of the customer whose own moment has come and that have not yet taken their turn. */
  cases: number;
  /** A file of this creditor is being imported. */
  importing: boolean;
}

/**
 * Who is about to ask as well: cases due by `now` or never turned, as far as they are not older than `patienceMs` of real
 * time (a case that is stuck does not hold up the others), and imports under way.
 */
export async function laggingCases(tx: Tx, customerId: string, now: Instant, patienceMs: number): Promise<Lag> {
  const { rows } = await sql<{ cases: number; importing: boolean }>`
    select
      (select count(*)::int from invoices i
        where i.customer_id = ${customerId}
          and i.stage not in ('writtenOff', 'settled', 'cancelled')
          and ((i.turned_at is null and i.recorded_at > clock_timestamp() - make_interval(secs => ${patienceMs / 1000}::float8))
            or (i.wake_at <= ${instant(now)}::timestamptz and i.turned_at < i.wake_at
                and exists (select 1 from case_steps s where s.customer_id = i.customer_id and s.status = 'requested'
                            and s.recorded_at > clock_timestamp() - make_interval(secs => ${patienceMs / 1000}::float8))))
      ) as cases,
      exists (select 1 from imports m join customers u on u.creditor_id = m.creditor_id
        where u.id = ${customerId} and m.status = 'running'
          and m.recorded_at > clock_timestamp() - interval '15 minutes') as importing`.execute(tx);
  return rows[0] ?? { cases: 0, importing: false };
}

/** Notes when outreach looks at a customer again, so that the sweep can tell waiting from being stuck. */
export async function noteNextLook(tx: Tx, customerId: string, at: Instant): Promise<void> {
  await tx.updateTable('customers').set({ outreach_wake_at: instant(at) }).where('id', '=', customerId).execute();
}
