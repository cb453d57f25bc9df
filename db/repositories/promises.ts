import { sql, type Selectable } from 'kysely';
import { admitPromise } from '../../domain/case/promises.ts';
import { DomainError } from '../../domain/errors.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import { instantAt, localDate } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database } from '../types.ts';
import { cancelChaseTasks } from './chase-tasks.ts';
import { findCreditor } from './creditors.ts';
import { appendEvent } from './events.ts';
import { findInvoice, lockOwnInvoice, requireOpen, type InvoiceRow } from './invoices.ts';
import { withdrawLetters } from './letters.ts';
import { mayAcknowledge } from './limitation-events.ts';
import { pokeOutreach, signalCase } from './outbox.ts';
import { activePlanOver } from './plans.ts';
import { findPolicy } from './policies.ts';
import { openTask } from './tasks.ts';

export type PromiseRow = Selectable<Database['promises']>;

export interface NewPromise {
  invoiceId: string;
  payOn: LocalDate;
  /** Minor units of the invoice's currency; `null` for the whole balance. */
  amountMinor: bigint | null;
  /** Who promised, in a person's words. */
  by: string | null;
}

/**
 * Takes a customer's promise: within the policy's limits it holds reminders back, beyond them it is kept without a hold
 * and a person reviews it. A promise for the whole, and one that together with those there are exceeds the balance,
 * takes the place of the active ones, which are withdrawn. Throws `notFound`, `caseClosed`, `promiseInPast`, and `planExists` under an active
 * plan, which is such a word already.
 */
export async function makePromise(tx: Tx, act: Act, creditorId: string, input: NewPromise): Promise<PromiseRow> {
  const invoice = await lockOwnInvoice(tx, creditorId, input.invoiceId);
  requireOpen(invoice);
  if ((await activePlanOver(tx, invoice.id)) !== null) {
    throw new DomainError('planExists', 'A plan says when the invoice is paid: change the plan instead.');
  }
  const { today, zone, policy } = await surroundings(tx, act, invoice);
  const earlier = await promisesOf(tx, invoice.id);
  const admission = admitPromise(policy, earlier, input.payOn, today);

  for (const replaced of replacedBy(input, earlier, invoice)) await end(tx, act, replaced, today, 'replaced');

  const row = await tx
    .insertInto('promises')
    .values({
      id: newId('pro'),
      invoice_id: invoice.id,
      amount_minor: input.amountMinor,
      pay_on: input.payOn,
      grace_days: admission.graceDays,
      promised_by: input.by,
      holds: admission.holds,
      made_on: today,
      paid_before_minor: await paidSoFar(tx, invoice.id),
      at: instant(act.at),
    })
    .returningAll()
    .executeTakeFirstOrThrow();

  const eventId = await appendEvent(tx, act, {
    invoiceId: invoice.id,
    kind: 'promised',
    data: {
      promiseId: row.id,
      payOn: row.pay_on,
      amount: row.amount_minor === null ? null : formatAmount(row.amount_minor, invoice.currency),
      currency: invoice.currency,
      holds: row.holds,
      graceDays: row.grace_days,
      ...(admission.reason ? { notHeldBecause: admission.reason } : {}),
    },
    text: act.reason ?? null,
  });
  if (row.holds) {
    await cancelChaseTasks(tx, act, [invoice.id], 'promise');
  } else {
    await openTask(tx, act, {
      creditorId,
      kind: 'reviewPromise',
      key: `reviewPromise:${row.id}`,
      invoiceId: invoice.id,
      customerId: invoice.customer_id,
      subject: `Promise on ${invoice.number} is beyond the policy’s limits`,
      body: 'The promise is kept, but reminders go on. Agree another date, or let it stand.',
      data: { promiseId: row.id, payOn: row.pay_on, reason: admission.reason },
      dueAt: instantAt(today, '24:00', zone),
    });
  }
  await mayAcknowledge(tx, act, invoice, 'askedForTime');
  await signalCase(tx, invoice.id, 'promised', eventId);
  await pokeOutreach(tx, invoice.customer_id);
  return row;
}

/** Takes an active promise back. Throws `notFound`, `promiseEnded` when it was kept, broken or withdrawn before. */
export async function withdrawPromise(tx: Tx, act: Act, creditorId: string, promiseId: string): Promise<void> {
  const seen = await tx.selectFrom('promises').select('invoice_id').where('id', '=', promiseId).executeTakeFirst();
  if (!seen) throw new DomainError('notFound', 'There is no such promise.');
  const invoice = await lockOwnInvoice(tx, creditorId, seen.invoice_id);
  const promise = await tx.selectFrom('promises').selectAll().where('id', '=', promiseId).executeTakeFirstOrThrow();
  if (promise.status !== 'active') throw new DomainError('promiseEnded', `The promise is ${promise.status} already.`);
  const { today } = await surroundings(tx, act, invoice);
  await end(tx, act, promise, today, 'byHand');
  await pokeOutreach(tx, invoice.customer_id);
}

/** Promises on an invoice, in the order they were made. */
export async function promisesOf(db: Db | Tx, invoiceId: string): Promise<PromiseRow[]> {
  return await db.selectFrom('promises').selectAll().where('invoice_id', '=', invoiceId).orderBy('seq').execute();
}

/** The promise with its invoice's currency; `undefined` when it is another creditor's or none. */
export async function findPromise(
  db: Db | Tx,
  creditorId: string,
  promiseId: string,
): Promise<{ promise: PromiseRow; currency: string } | undefined> {
  const promise = await db.selectFrom('promises').selectAll().where('id', '=', promiseId).executeTakeFirst();
  const invoice = promise && (await findInvoice(db, creditorId, promise.invoice_id));
  return promise && invoice && { promise, currency: invoice.currency };
}

function replacedBy(input: NewPromise, earlier: readonly PromiseRow[], invoice: InvoiceRow): PromiseRow[] {
  const active = earlier.filter((promise) => promise.status === 'active');
  const whole = active.some((promise) => promise.amount_minor === null);
  const sum = active.reduce((total, promise) => total + (promise.amount_minor ?? 0n), input.amountMinor ?? 0n);
  return input.amountMinor === null || whole || sum > invoice.balance_minor ? active : [];
}

/** Takes the active promises on these invoices back, since something stronger ends them. The caller holds the locks. */
export async function withdrawActivePromises(
  tx: Tx,
  act: Act,
  invoiceIds: readonly string[],
  today: LocalDate,
  why: 'plan' | 'insolvency',
): Promise<void> {
  if (invoiceIds.length === 0) return;
  const active = await tx
    .selectFrom('promises')
    .selectAll()
    .where('invoice_id', 'in', invoiceIds)
    .where('status', '=', 'active')
    .orderBy('invoice_id')
    .orderBy('seq')
    .execute();
  for (const promise of active) await end(tx, act, promise, today, why);
}

type WhyEnded = 'replaced' | 'byHand' | 'plan' | 'insolvency';

async function end(tx: Tx, act: Act, promise: PromiseRow, today: LocalDate, why: WhyEnded): Promise<void> {
  await tx.updateTable('promises').set({ status: 'withdrawn', ended_on: today }).where('id', '=', promise.id).execute();
  const eventId = await appendEvent(tx, act, {
    invoiceId: promise.invoice_id,
    kind: 'promiseWithdrawn',
    data: { promiseId: promise.id, why },
    text: act.reason ?? null,
  });
  // Written while a part was promised, it asks for another amount than is asked for now.
  await withdrawLetters(tx, act, [promise.invoice_id], 'promiseWithdrawn');
  await signalCase(tx, promise.invoice_id, 'promiseWithdrawn', eventId);
}

/** Money, not credit, that stands on the invoice. */
async function paidSoFar(tx: Tx, invoiceId: string): Promise<bigint> {
  const { rows } = await sql<{ paid: bigint }>`
    select coalesce(sum(a.amount_minor - a.accessories_minor), 0)::bigint as paid from allocations a
    where a.invoice_id = ${invoiceId} and a.receipt_id is not null
      and not exists (select 1 from allocation_reversals r where r.allocation_id = a.id)`.execute(tx);
  return rows[0]?.paid ?? 0n;
}

/** The creditor's date and zone, and the policy the case pinned. */
export async function surroundings(tx: Tx, act: Act, invoice: InvoiceRow) {
  const creditor = await findCreditor(tx, invoice.creditor_id);
  const pinned = await findPolicy(tx, invoice.creditor_id, invoice.policy_name, invoice.policy_version);
  if (!creditor || !pinned) throw new Error('An invoice has a creditor and a policy.');
  return { today: localDate(act.at, creditor.time_zone), zone: creditor.time_zone, policy: pinned.policy };
}
