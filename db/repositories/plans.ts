import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import type { PlanStatus } from '../types.ts';
import { appendEvents } from './events.ts';
import { pokeOutreach, wakeCases } from './outbox.ts';

const EVENTS = { kept: 'planKept', broken: 'planBroken', cancelled: 'planCancelled' } as const;

/**
 * Ends an active plan for all of its invoices: the holds are lifted, each open case learns of it. False when it had ended
 * before. The caller holds the customer's row; `on` is the creditor's date.
 */
export async function endPlan(
  tx: Tx,
  act: Act,
  planId: string,
  status: Exclude<PlanStatus, 'active'>,
  on: LocalDate,
): Promise<boolean> {
  const plan = await tx
    .updateTable('plans')
    .set({ status, ended_on: on })
    .where('id', '=', planId)
    .where('status', '=', 'active')
    .returning('customer_id')
    .executeTakeFirst();
  if (!plan) return false;
  await tx
    .updateTable('holds')
    .set({ lifted_on: on, lifted_at: instant(act.at) })
    .where('source_id', '=', planId)
    .where('kind', '=', 'plan')
    .where('lifted_on', 'is', null)
    .execute();
  const open = await tx
    .selectFrom('plan_invoices as p')
    .innerJoin('invoices as i', 'i.id', 'p.invoice_id')
    .select('i.id')
    .where('p.plan_id', '=', planId)
    .where('i.stage', 'not in', ['writtenOff', 'settled', 'cancelled'])
    .orderBy('i.id')
    .execute();
  const ids = open.map(({ id }) => id);
  await appendEvents(
    tx,
    act,
    ids.map((invoiceId) => ({ invoiceId, kind: EVENTS[status], data: { planId, on }, text: act.reason ?? null })),
  );
  await wakeCases(tx, ids);
  await pokeOutreach(tx, plan.customer_id);
  return true;
}

/** Ends the active plan over this invoice, if there is one. */
export async function endActivePlans(
  tx: Tx,
  act: Act,
  invoiceId: string,
  status: Exclude<PlanStatus, 'active'>,
  on: LocalDate,
): Promise<void> {
  const rows = await tx
    .selectFrom('plan_invoices as i')
    .innerJoin('plans as p', 'p.id', 'i.plan_id')
    .select('p.id')
    .where('i.invoice_id', '=', invoiceId)
    .where('p.status', '=', 'active')
    .execute();
  for (const { id } of rows) await endPlan(tx, act, id, status, on);
}
