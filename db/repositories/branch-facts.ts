import { sql } from 'kysely';
import type { NoticeFact, PlacementFact, PlanFact } from '../../domain/case/facts.ts';
import { FORMAL_NOTICE } from '../../domain/case/requests.ts';
import { earlier, type LocalDate } from '../../domain/time/dates.ts';
import { localDate, type Instant } from '../../domain/time/zones.ts';
import type { Db, Tx } from '../database.ts';

/** The formal notice that left, and how far the post has brought it. A mail has reached the post when it leaves. */
export function noticeOf(
  steps: readonly {
    step: string;
    status: string;
    channel: string;
    left_at: Instant | null;
    dispatched_on: LocalDate | null;
    delivered_on: LocalDate | null;
    refused_on: LocalDate | null;
  }[],
  zone: string,
  today: LocalDate,
): NoticeFact | null {
  const left = steps.findLast((s) => s.step === FORMAL_NOTICE && s.status === 'left');
  if (!left || left.left_at === null) return null;
  const leftOn = earlier(localDate(left.left_at, zone), today);
  return {
    leftOn,
    dispatchedOn: left.dispatched_on ?? (left.channel === 'email' ? leftOn : null),
    deliveredOn: left.delivered_on ?? left.refused_on,
  };
}

export function placementOf(
  row: { id: string; status: PlacementFact['status']; placed_on: LocalDate; ended_on: LocalDate | null } | undefined,
  today: LocalDate,
): PlacementFact | null {
  if (!row) return null;
  return { id: row.id, status: row.status, placedOn: earlier(row.placed_on, today), endedOn: row.ended_on };
}

/** The plans over these invoices, each with what has been paid on all of its invoices since it was agreed. */
export async function loadPlans(db: Db | Tx, ids: readonly string[]): Promise<(PlanFact & { invoice_id: string })[]> {
  const { rows } = await sql<{
    invoice_id: string;
    id: string;
    status: PlanFact['status'];
    agreed_on: LocalDate;
    ended_on: LocalDate | null;
    grace_days: number;
    total_minor: bigint;
    paid_minor: bigint;
    leader: string | null;
    notes_elsewhere: string[];
    disputed: boolean;
    instalments: { n: number; dueOn: LocalDate; amountMinor: string }[];
  }>`
    select c.invoice_id, p.id, p.status, p.agreed_on, p.ended_on, p.grace_days, p.total_minor,
      coalesce(p.paid_minor, (select coalesce(sum(greatest(o.amount_minor - i.balance_minor, 0)), 0)::bigint
         from plan_invoices o join invoices i on i.id = o.invoice_id where o.plan_id = p.id)) as paid_minor,
      (select min(i.id) from plan_invoices o join invoices i on i.id = o.invoice_id
         where o.plan_id = p.id and i.stage not in ('writtenOff', 'settled', 'cancelled')) as leader,
      (select coalesce(jsonb_agg(s.step), '[]') from plan_invoices o join case_steps s on s.invoice_id = o.invoice_id
         where o.plan_id = p.id and o.invoice_id <> c.invoice_id and s.status <> 'withdrawn'
           and starts_with(s.step, '~plan:' || p.id || ':')) as notes_elsewhere,
      exists (select 1 from plan_invoices o join disputes d on d.invoice_id = o.invoice_id
         where o.plan_id = p.id and d.status = 'open') as disputed,
      (select jsonb_agg(jsonb_build_object('n', n, 'dueOn', due_on, 'amountMinor', amount_minor::text) order by n)
         from plan_instalments where plan_id = p.id) as instalments
    from plan_invoices c join plans p on p.id = c.plan_id
    where c.invoice_id = any(${ids}::text[])
    order by p.seq`.execute(db);
  return rows.map((row) => ({
    invoice_id: row.invoice_id,
    id: row.id,
    status: row.status,
    agreedOn: row.agreed_on,
    endedOn: row.ended_on,
    graceDays: row.grace_days,
    instalments: row.instalments.map(({ n, dueOn, amountMinor }) => ({ n, dueOn, amountMinor: BigInt(amountMinor) })),
    totalMinor: row.total_minor,
    paidMinor: row.paid_minor,
    leads: row.leader === row.invoice_id,
    notesElsewhere: row.notes_elsewhere,
    disputed: row.disputed,
  }));
}
