import { sql, type Selectable } from 'kysely';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import type { Database, PlanStatus } from '../types.ts';
import { appendEvents } from './events.ts';
import { withdrawNotes } from './letters.ts';
import { pokeOutreach, signalCase, wakeCases } from './outbox.ts';

const EVENTS = { kept: 'planKept', broken: 'planBroken', cancelled: 'planCancelled' } as const;

/**
 * Ends an active plan for all of its invoices: the holds are lifted, notes that wait are no longer asked for, each open
 * case learns of it. What had been paid of it is kept. False when it had ended before. The caller holds the customer's
 * row; `on` is the creditor's date, `why` a stable word where there is more to say than the status.
 */
export async function endPlan(
  tx: Tx,
  act: Act,
  planId: string,
  status: Exclude<PlanStatus, 'active'>,
  on: LocalDate,
  why: 'changed' | null = null,
): Promise<boolean> {
  const plan = await tx
    .updateTable('plans')
    .set({ status, ended_on: on, paid_minor: paidOf('plans') })
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
  await withdrawNotes(tx, act, planId, 'all', 'planEnded');
  await tx
    .updateTable('case_steps')
    .set({ status: 'withdrawn', reason: 'planEnded' })
    .where('customer_id', '=', plan.customer_id)
    .where('step', 'like', `~plan:${planId}:%`)
    .where('status', '=', 'requested')
    .execute();
  await tx
    .updateTable('tasks')
    .set({ status: 'cancelled', closed_at: instant(act.at), closed_by: act.actor, outcome: json({ why: 'planEnded' }) })
    .where('customer_id', '=', plan.customer_id)
    .where('kind', '=', 'reviewPlan')
    .where('status', '=', 'open')
    .where(sql<boolean>`data->>'planId' = ${planId}`)
    .execute();
  const ids = await openInvoicesOf(tx, planId);
  const data = { planId, on, ...(why === null ? {} : { why }) };
  const events = await appendEvents(
    tx,
    act,
    ids.map((invoiceId) => ({ invoiceId, kind: EVENTS[status], data, text: act.reason ?? null })),
  );
  if (status === 'cancelled')
    for (const [invoiceId, id] of events) await signalCase(tx, invoiceId, 'planCancelled', id);
  else await wakeCases(tx, ids);
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
  const planId = await activePlanOver(tx, invoiceId);
  if (planId !== null) await endPlan(tx, act, planId, status, on);
}

/** The active plan over this invoice; null without one. */
export async function activePlanOver(db: Db | Tx, invoiceId: string): Promise<string | null> {
  const row = await db
    .selectFrom('plan_invoices as i')
    .innerJoin('plans as p', 'p.id', 'i.plan_id')
    .select('p.id')
    .where('i.invoice_id', '=', invoiceId)
    .where('p.status', '=', 'active')
    .executeTakeFirst();
  return row?.id ?? null;
}

/**
 * The other cases of the active plan over this invoice look again: what was paid of it, who leads it, or whether it is
 * disputed has changed, and with that its next note and the day on which it ends. What was to be posted about an
 * instalment is written again.
 */
export async function wakePlanMates(tx: Tx, act: Act, invoiceId: string): Promise<void> {
  const planId = await activePlanOver(tx, invoiceId);
  if (planId === null) return;
  await withdrawNotes(tx, act, planId, 'instalments', 'planMoved');
  await wakeCases(
    tx,
    (await openInvoicesOf(tx, planId)).filter((id) => id !== invoiceId),
  );
}

async function openInvoicesOf(tx: Tx, planId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('plan_invoices as p')
    .innerJoin('invoices as i', 'i.id', 'p.invoice_id')
    .select('i.id')
    .where('p.plan_id', '=', planId)
    .where('i.stage', 'not in', ['writtenOff', 'settled', 'cancelled'])
    .orderBy('i.id')
    .execute();
  return rows.map(({ id }) => id);
}

/** What the balances of a plan's invoices have fallen by since it was agreed, as far as the plan goes. */
const paidOf = (plan: 'plans' | 'p') => sql<bigint>`(
  select least(coalesce(sum(greatest(o.amount_minor - i.balance_minor, 0)), 0)::bigint, ${sql.ref(`${plan}.total_minor`)})
  from plan_invoices o join invoices i on i.id = o.invoice_id where o.plan_id = ${sql.ref(`${plan}.id`)})`;

// ---- As they are shown --------------------------------------------------------------------------------------------

/** A plan with its invoices and instalments; `paid` in minor units, so far or when it ended. */
export type PlanRow = Omit<Selectable<Database['plans']>, 'paid_minor'> & {
  paid: bigint;
  invoiceIds: string[];
  instalments: { n: number; dueOn: LocalDate; amountMinor: bigint }[];
};

export interface PlanFilter {
  customerId?: string | undefined;
  invoiceId?: string | undefined;
  status?: PlanStatus | undefined;
}

/** Plans of a creditor, newest first, behind the position `after`. */
export async function listPlans(
  db: Db | Tx,
  creditorId: string,
  filter: PlanFilter & { id?: string },
  after: bigint | null,
  count: number,
): Promise<PlanRow[]> {
  let query = db
    .selectFrom('plans as p')
    .selectAll('p')
    .select(sql<bigint>`coalesce(p.paid_minor, ${paidOf('p')})`.as('paid'))
    .where('p.creditor_id', '=', creditorId);
  const { id, customerId, invoiceId, status } = filter;
  if (id !== undefined) query = query.where('p.id', '=', id);
  if (customerId !== undefined) query = query.where('p.customer_id', '=', customerId);
  if (status !== undefined) query = query.where('p.status', '=', status);
  if (invoiceId !== undefined) {
    query = query.where((eb) =>
      eb.exists(
        eb
          .selectFrom('plan_invoices as i')
          .select('i.plan_id')
          .whereRef('i.plan_id', '=', 'p.id')
          .where('i.invoice_id', '=', invoiceId),
      ),
    );
  }
  if (after !== null) query = query.where('p.seq', '<', after);
  const plans = await query.orderBy('p.seq', 'desc').limit(count).execute();
  if (plans.length === 0) return [];
  const ids = plans.map((plan) => plan.id);
  const instalments = await db
    .selectFrom('plan_instalments')
    .selectAll()
    .where('plan_id', 'in', ids)
    .orderBy('n')
    .execute();
  const covered = await db
    .selectFrom('plan_invoices')
    .select(['plan_id', 'invoice_id'])
    .where('plan_id', 'in', ids)
    .orderBy('invoice_id')
    .execute();
  return plans.map(({ paid_minor: _, ...plan }) => ({
    ...plan,
    invoiceIds: covered.filter((row) => row.plan_id === plan.id).map((row) => row.invoice_id),
    instalments: instalments
      .filter((row) => row.plan_id === plan.id)
      .map((row) => ({ n: row.n, dueOn: row.due_on, amountMinor: row.amount_minor })),
  }));
}

/** One plan of a creditor; `undefined` when it is another creditor's or none. */
export async function findPlan(db: Db | Tx, creditorId: string, planId: string): Promise<PlanRow | undefined> {
  return (await listPlans(db, creditorId, { id: planId }, null, 1))[0];
}

/** What each invoice of a plan owed when it was agreed, by invoice id: what its confirmation lists. Minor units. */
export async function sharesOfPlan(db: Db | Tx, planId: string): Promise<Map<string, bigint>> {
  const rows = await db
    .selectFrom('plan_invoices')
    .select(['invoice_id', 'amount_minor'])
    .where('plan_id', '=', planId)
    .execute();
  return new Map(rows.map((row) => [row.invoice_id, row.amount_minor]));
}
