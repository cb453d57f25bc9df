import { sql } from 'kysely';
import { FORMAL_NOTICE, THANK_YOU } from '../../domain/case/requests.ts';
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
  /** For how long the one that is late by most has been expected: real milliseconds of new cases, business ones of others. */
  newForMs: number;
  overdueForMs: number;
  /** A file of this creditor is being imported. */
  importing: boolean;
}

/**
 * Who is about to ask as well: cases whose moment came by `now`, the business clock, or that are new, as far as that is
 * no more than `patience` ago (a case that is stuck does not hold up the others), and imports under way.
 */
export async function laggingCases(
  tx: Tx,
  customerId: string,
  now: Instant,
  patience: { realMs: number; businessMs: number },
): Promise<Lag> {
  const { rows } = await sql<Lag>`
    select count(*)::int as cases,
      coalesce(1000 * extract(epoch from clock_timestamp() - min(recorded_at) filter (where wake_at is null)), 0)::float8
        as "newForMs",
      coalesce(1000 * extract(epoch from ${instant(now)}::timestamptz - min(wake_at)), 0)::float8 as "overdueForMs",
      exists (select 1 from imports m join customers u on u.creditor_id = m.creditor_id
        where u.id = ${customerId} and m.status = 'running'
          and m.recorded_at > clock_timestamp() - interval '15 minutes') as importing
    from (
      select i.recorded_at, case when i.turned_at is not null then i.wake_at end as wake_at from invoices i
      where i.customer_id = ${customerId}
        and i.stage not in ('writtenOff', 'settled', 'cancelled')
        and ((i.turned_at is null
              and i.recorded_at > clock_timestamp() - make_interval(secs => ${patience.realMs / 1000}::float8))
          or (i.turned_at < i.wake_at and i.wake_at <= ${instant(now)}::timestamptz
              and i.wake_at > ${instant(now - patience.businessMs)}::timestamptz))
        -- Who has asked already asks for nothing else, however often it looks whether that has left.
        and not exists (select 1 from case_steps s where s.invoice_id = i.id
          and s.status in ('requested', 'queued', 'awaitingApproval')
          and (s.step not like '~%' or s.step = ${FORMAL_NOTICE}))
    ) lagging`.execute(tx);
  return rows[0]!;
}

/** What outreach has behind and before it, as business instants: its latest message, and the look it planned last; the customer's zone. */
export async function outreachMoments(
  tx: Tx,
  customerId: string,
): Promise<{ lastMessage: Instant | null; nextLook: Instant | null; zone: string }> {
  const customer = await tx
    .selectFrom('customers')
    .select(['outreach_wake_at', 'time_zone'])
    .where('id', '=', customerId)
    .executeTakeFirstOrThrow();
  const latest = await tx
    .selectFrom('contacts')
    .select('planned_at')
    .where('customer_id', '=', customerId)
    .where('status', 'not in', ['withdrawn', 'failed'])
    .orderBy('planned_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return { lastMessage: latest?.planned_at ?? null, nextLook: customer.outreach_wake_at, zone: customer.time_zone };
}

/** Notes when outreach looks at a customer again, so that the sweep can tell waiting from being stuck. */
export async function noteNextLook(tx: Tx, customerId: string, at: Instant | null): Promise<void> {
  await tx
    .updateTable('customers')
    .set({ outreach_wake_at: at === null ? null : instant(at) })
    .where('id', '=', customerId)
    .execute();
}

/** Thanks that can be given to nobody are not asked for any longer. */
export async function dropThanks(tx: Tx, invoiceIds: readonly string[]): Promise<void> {
  if (invoiceIds.length === 0) return;
  await tx
    .updateTable('case_steps')
    .set({ status: 'withdrawn', reason: 'noAddress' })
    .where('invoice_id', 'in', invoiceIds)
    .where('step', '=', THANK_YOU)
    .where('status', '=', 'requested')
    .execute();
}

/** Notes of plans and copies of notices that are no longer true are not asked for any longer; should they be true again, their case asks anew. */
export async function dropNotes(tx: Tx, notes: readonly { invoiceId: string; step: string }[]): Promise<void> {
  for (const { invoiceId, step } of notes) {
    await tx
      .updateTable('case_steps')
      .set({ status: 'withdrawn', reason: 'noLongerTrue' })
      .where('invoice_id', '=', invoiceId)
      .where('step', '=', step)
      .where('status', '=', 'requested')
      .execute();
  }
}

/** The customers of a creditor that something waits to be sent to. */
export async function waitingCustomers(tx: Tx, creditorId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('case_steps as s')
    .innerJoin('customers as u', 'u.id', 's.customer_id')
    .select('u.id')
    .distinct()
    .where('u.creditor_id', '=', creditorId)
    .where('s.status', '=', 'requested')
    .execute();
  return rows.map((row) => row.id);
}
