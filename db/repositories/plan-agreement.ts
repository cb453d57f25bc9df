import { admitPlan, type PlannedInvoice } from '../../domain/case/plan-admission.ts';
import { DomainError } from '../../domain/errors.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { cancelChaseTasks } from './chase-tasks.ts';
import { appendEvents } from './events.ts';
import { pinnedPolicy } from './pinned-policies.ts';
import { mayAcknowledge } from './limitation-events.ts';
import { lockCustomers, lockInvoices } from './locks.ts';
import { pokeOutreach, signalCase } from './outbox.ts';
import { activePlanOver, endPlan, findPlan, type PlanRow } from './plans.ts';
import { withdrawActivePromises } from './promises.ts';
import { isOpenStage } from './runs.ts';
import { creditorsDate } from './creditors.ts';

/** Instalments as they are asked for; amounts are decimal text in the currency of the invoices. */
export type NewInstalments = readonly { dueOn: LocalDate; amount: string }[];

type InvoiceRow = Awaited<ReturnType<typeof lockInvoices>>[number];

/**
 * Agrees a plan over invoices of one customer, under the locks of the customer and of all of them (design rule 5): each
 * is held from today on, its open call and letter tasks are cancelled, promises on it are replaced by the plan, and its
 * case is told. Returns the plan's id. Throws `notFound` for an invoice that is not the creditor's, and what `admitPlan`
 * refuses.
 */
export async function agreePlan(
  tx: Tx,
  act: Act,
  creditorId: string,
  input: { invoiceIds: readonly string[]; instalments: NewInstalments },
): Promise<string> {
  const invoices = await lockPlanned(tx, creditorId, input.invoiceIds);
  return await agree(tx, act, creditorId, invoices, input.instalments, null);
}

/** Cancels an active plan: its invoices are asked for again, later by the days it held. Throws `notFound`, `planEnded`. */
export async function cancelPlan(tx: Tx, act: Act, creditorId: string, planId: string): Promise<void> {
  await lockActive(tx, creditorId, planId);
  await endPlan(tx, act, planId, 'cancelled', await creditorsDate(tx, act, creditorId));
}

/**
 * Puts another plan in the place of an active one, over what its invoices still owe: the old one is cancelled and kept,
 * the new one names it. Returns the new plan's id. Throws `notFound`, `planEnded`, and what `admitPlan` refuses.
 */
export async function changePlan(
  tx: Tx,
  act: Act,
  creditorId: string,
  planId: string,
  instalments: NewInstalments,
): Promise<string> {
  const { invoiceIds } = await lockActive(tx, creditorId, planId);
  const invoices = await lockPlanned(tx, creditorId, invoiceIds);
  await endPlan(tx, act, planId, 'cancelled', await creditorsDate(tx, act, creditorId), 'changed');
  const owed = invoices.filter((invoice) => isOpenStage(invoice.stage) && invoice.balance_minor > 0n);
  return await agree(tx, act, creditorId, owed, instalments, planId);
}

/** The active plan under the lock of its customer. */
async function lockActive(tx: Tx, creditorId: string, planId: string): Promise<PlanRow> {
  const seen = await findPlan(tx, creditorId, planId);
  if (!seen) throw new DomainError('notFound', 'There is no such plan.');
  await lockCustomers(tx, [seen.customer_id]);
  const plan = (await findPlan(tx, creditorId, planId))!;
  if (plan.status !== 'active') throw new DomainError('planEnded', `The plan is ${plan.status} already.`);
  return plan;
}

/** The invoices under the locks of their customers and their own, in the order in which they were named, repeats too. */
async function lockPlanned(tx: Tx, creditorId: string, invoiceIds: readonly string[]): Promise<InvoiceRow[]> {
  const seen = await tx
    .selectFrom('invoices')
    .select(['id', 'customer_id'])
    .where('id', 'in', invoiceIds)
    .where('creditor_id', '=', creditorId)
    .execute();
  if (invoiceIds.some((id) => !seen.some((row) => row.id === id))) {
    throw new DomainError('notFound', 'There is no such invoice.');
  }
  await lockCustomers(
    tx,
    seen.map((row) => row.customer_id),
  );
  const locked = new Map((await lockInvoices(tx, invoiceIds)).map((row) => [row.id, row]));
  return invoiceIds.map((id) => locked.get(id)!);
}

async function agree(
  tx: Tx,
  act: Act,
  creditorId: string,
  invoices: readonly InvoiceRow[],
  wished: NewInstalments,
  replaces: string | null,
): Promise<string> {
  const today = await creditorsDate(tx, act, creditorId);
  const admitted = admitPlan(await surroundingsOf(tx, invoices, today), wished, today);
  const { customerId, currency, totalMinor, graceDays, instalments } = admitted;
  const ids = invoices.map((invoice) => invoice.id);
  await withdrawActivePromises(tx, act, ids, today, 'plan');

  const planId = newId('pla');
  const made = { actor: act.actor, at: instant(act.at) };
  await tx
    .insertInto('plans')
    .values({
      id: planId,
      creditor_id: creditorId,
      customer_id: customerId,
      currency,
      total_minor: totalMinor,
      grace_days: graceDays,
      agreed_on: today,
      replaces,
      ...made,
    })
    .execute();
  await tx
    .insertInto('plan_instalments')
    .values(
      instalments.map(({ n, dueOn, amountMinor }) => ({
        plan_id: planId,
        n,
        due_on: dueOn,
        amount_minor: amountMinor,
      })),
    )
    .execute();
  await tx
    .insertInto('plan_invoices')
    .values(invoices.map(({ id, balance_minor }) => ({ plan_id: planId, invoice_id: id, amount_minor: balance_minor })))
    .execute();
  await tx
    .insertInto('holds')
    .values(
      ids.map((invoiceId) => ({
        id: newId('hol'),
        creditor_id: creditorId,
        customer_id: customerId,
        invoice_id: invoiceId,
        kind: 'plan' as const,
        reason: null,
        from_on: today,
        source_id: planId,
        ...made,
      })),
    )
    .execute();
  const events = await appendEvents(
    tx,
    act,
    ids.map((invoiceId) => ({
      invoiceId,
      kind: 'planAgreed',
      data: {
        planId,
        amount: formatAmount(totalMinor, currency),
        currency,
        invoices: ids.length,
        instalments: instalments.length,
        firstOn: instalments[0]!.dueOn,
        lastOn: instalments.at(-1)!.dueOn,
        graceDays,
        ...(replaces === null ? {} : { replaces }),
      },
      text: act.reason ?? null,
    })),
  );
  for (const invoice of invoices) await mayAcknowledge(tx, act, invoice, 'askedForTime');
  await cancelChaseTasks(tx, act, ids, 'plan');
  for (const [invoiceId, id] of events) await signalCase(tx, invoiceId, 'planAgreed', id);
  await pokeOutreach(tx, customerId);
  return planId;
}

/** What lies over these invoices, as admission judges it. */
async function surroundingsOf(tx: Tx, invoices: readonly InvoiceRow[], today: LocalDate): Promise<PlannedInvoice[]> {
  const ids = invoices.map((invoice) => invoice.id);
  if (ids.length === 0) return [];
  const disputed = await tx
    .selectFrom('disputes')
    .select('invoice_id')
    .where('invoice_id', 'in', ids)
    .where('status', '=', 'open')
    .execute();
  const placed = await tx
    .selectFrom('placements')
    .select('invoice_id')
    .where('invoice_id', 'in', ids)
    .where('status', 'in', ['active', 'givenUp'])
    .execute();
  const insolvent = await tx
    .selectFrom('holds')
    .select(['invoice_id', 'customer_id'])
    .where(
      'customer_id',
      'in',
      invoices.map((invoice) => invoice.customer_id),
    )
    .where('kind', '=', 'insolvency')
    .where('lifted_on', 'is', null)
    .where((eb) => eb.or([eb('until_on', 'is', null), eb('until_on', '>=', today)]))
    .execute();
  const known: PlannedInvoice[] = [];
  for (const row of invoices) {
    known.push({
      id: row.id,
      number: row.number,
      customerId: row.customer_id,
      currency: row.currency,
      balanceMinor: row.balance_minor,
      policy: await pinnedPolicy(tx, row.creditor_id, row.policy_name, row.policy_version),
      closed: !isOpenStage(row.stage),
      placed: row.stage === 'placed' || placed.some((p) => p.invoice_id === row.id),
      disputed: disputed.some((d) => d.invoice_id === row.id),
      insolvent: insolvent.some(
        (h) => h.invoice_id === row.id || (h.invoice_id === null && h.customer_id === row.customer_id),
      ),
      planned: (await activePlanOver(tx, row.id)) !== null,
    });
  }
  return known;
}
