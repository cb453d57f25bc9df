import type { Selectable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import {
  COMPLETES,
  LIFECYCLE_TASKS,
  lifecycleStatus,
  type LifecycleCode,
  type LifecycleTaskKind,
} from '../../domain/law/lifecycle.ts';
import { formatAmount } from '../../domain/money.ts';
import { addDays } from '../../domain/time/dates.ts';
import { isoInstant, localDate, type Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, instantValue, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database, LifecycleOutcome } from '../types.ts';
import { openDispute } from './disputes.ts';
import { appendEvent } from './events.ts';
import { liftHoldsOfSource, setHold } from './holds.ts';
import { lockOwnInvoice, type InvoiceRow } from './invoices.ts';
import { pokeOutreach, wakeCase } from './outbox.ts';
import { isOpenStage } from './runs.ts';
import { closeTaskByKey, openTask } from './tasks.ts';

export type LifecycleRow = Selectable<Database['lifecycle_statuses']>;

export interface NewLifecycleStatus {
  invoiceId: string;
  code: LifecycleCode;
  /** When the platform says it happened. */
  at: Instant;
  /** Of 206 what was approved, of 207 what is contested, of 211 and 212 what was paid; minor units of the invoice's currency. */
  amountMinor: bigint | null;
  /** In the platform's or the customer's words. */
  reason: string | null;
}

/** Clocks of platforms may be ahead of ours by so much. */
const CLOCK_SKEW_MS = 5 * 60_000;

/**
 * A status of the e-invoice, as its platforms report it, is kept as a fact and does to the case what `domain/law/lifecycle.ts`
 * says of it: holds and tasks, a dispute, or nothing. The same status of the same moment again is the one there is. A case
 * that is closed, or a status that a later one has overtaken, is only kept. Throws `notFound`, `futureDate`, `required`
 * where 206 does not say what was approved, `lifecycleExists` for another amount, and what opening a dispute refuses.
 */
export async function recordLifecycle(
  tx: Tx,
  act: Act,
  creditorId: string,
  input: NewLifecycleStatus,
): Promise<{ row: LifecycleRow; created: boolean }> {
  const invoice = await lockOwnInvoice(tx, creditorId, input.invoiceId);
  const { code, at } = input;
  const known = await tx
    .selectFrom('lifecycle_statuses')
    .selectAll()
    .where('invoice_id', '=', invoice.id)
    .where('code', '=', code)
    .where('status_at', '=', instantValue(at))
    .executeTakeFirst();
  if (known) {
    if (known.amount_minor === input.amountMinor) return { row: known, created: false };
    throw refusal('lifecycleExists', '/amount', 'The same status of that moment is known with another amount.');
  }
  if (at > act.at + CLOCK_SKEW_MS) throw refusal('futureDate', '/at', `It is ${isoInstant(act.at)} now.`);
  if (code === '206' && input.amountMinor === null) throw refusal('required', '/amount', 'Say how much was approved.');

  const id = newId('lif');
  const done = await takeEffect(tx, { ...act, reason: input.reason }, invoice, id, input);
  const row = await tx
    .insertInto('lifecycle_statuses')
    .values({
      id,
      invoice_id: invoice.id,
      code,
      status_at: instant(at),
      amount_minor: input.amountMinor,
      effect: done.effect,
      hold_id: done.holdId ?? null,
      task_id: done.taskId ?? null,
      dispute_id: done.disputeId ?? null,
      actor: act.actor,
      at: instant(act.at),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await appendEvent(tx, act, {
    invoiceId: invoice.id,
    kind: 'lifecycleReported',
    data: {
      lifecycleId: id,
      status: code,
      name: lifecycleStatus(code).name,
      statusAt: isoInstant(at),
      effect: done.effect,
      ...(input.amountMinor === null
        ? {}
        : { amount: formatAmount(input.amountMinor, invoice.currency), currency: invoice.currency }),
    },
    text: input.reason,
  });
  if (isOpenStage(invoice.stage)) {
    await wakeCase(tx, invoice.id);
    await pokeOutreach(tx, invoice.customer_id);
  }
  return { row, created: true };
}

/** Statuses of an invoice in the order of their moments. */
export async function lifecycleOf(db: Db | Tx, invoiceId: string): Promise<LifecycleRow[]> {
  return await db
    .selectFrom('lifecycle_statuses')
    .selectAll()
    .where('invoice_id', '=', invoiceId)
    .orderBy('status_at')
    .orderBy('seq')
    .execute();
}

interface Done {
  effect: LifecycleOutcome;
  holdId?: string;
  taskId?: string;
  disputeId?: string;
}

const KEPT: Done = { effect: 'kept' };

async function takeEffect(tx: Tx, act: Act, invoice: InvoiceRow, id: string, input: NewLifecycleStatus): Promise<Done> {
  const { effect } = lifecycleStatus(input.code);
  if (effect === 'proof' || effect === 'none' || effect === 'collected') return { effect };
  if (!isOpenStage(invoice.stage)) return KEPT;
  switch (effect) {
    case 'resume':
      return await resume(tx, act, invoice, input.at);
    case 'disputeRest':
    case 'dispute':
      return await dispute(tx, act, invoice, input);
    case 'paymentSent':
      return await paymentSent(tx, act, invoice, id, input.at);
    case 'supplyDocument':
      if (await isCompleted(tx, invoice.id, input.at)) return KEPT;
      return await holdWithTask(tx, act, invoice, id, input.code);
    default:
      return await holdWithTask(tx, act, invoice, id, input.code);
  }
}

/** The document has come, or is not needed any more: what a 208 of before this moment holds goes on. */
async function resume(tx: Tx, act: Act, invoice: InvoiceRow, at: Instant): Promise<Done> {
  const suspended = await tx
    .selectFrom('lifecycle_statuses')
    .select('id')
    .where('invoice_id', '=', invoice.id)
    .where('code', '=', '208')
    .where('status_at', '<=', instantValue(at))
    .execute();
  for (const { id } of suspended) {
    await liftHoldsOfSource(tx, act, id);
    await closeTaskByKey(tx, act, invoice.creditor_id, taskKey('supplyDocument', id), 'done', { why: 'completed' });
  }
  return { effect: 'resume' };
}

async function isCompleted(tx: Tx, invoiceId: string, since: Instant): Promise<boolean> {
  const row = await tx
    .selectFrom('lifecycle_statuses')
    .select('id')
    .where('invoice_id', '=', invoiceId)
    .where('code', 'in', COMPLETES)
    .where('status_at', '>=', instantValue(since))
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * 207 contests what it names, else everything; 206 what it did not approve. What is contested already is not contested
 * twice, and nothing more than is owed.
 */
async function dispute(tx: Tx, act: Act, invoice: InvoiceRow, input: NewLifecycleStatus): Promise<Done> {
  const open = await tx
    .selectFrom('disputes')
    .select('amount_minor')
    .where('invoice_id', '=', invoice.id)
    .where('status', '=', 'open')
    .execute();
  if (open.some(({ amount_minor }) => amount_minor === null)) return KEPT;
  const left = open.reduce((rest, { amount_minor }) => rest - (amount_minor ?? 0n), invoice.balance_minor);
  if (left <= 0n) return KEPT;
  const said = input.amountMinor;
  // What is approved is asked for; what came in meanwhile is taken to have been paid on it.
  const paid = invoice.amount_minor - invoice.balance_minor;
  const approvedLeft = said === null ? 0n : atLeastZero(said - paid);
  const wanted = input.code === '206' ? left - approvedLeft : said;
  if (wanted !== null && wanted <= 0n) return KEPT;
  const row = await openDispute(tx, act, invoice.creditor_id, {
    invoiceId: invoice.id,
    amountMinor: wanted !== null && wanted < left ? wanted : open.length === 0 ? null : left,
    category: 'other',
    note: input.reason,
  });
  return { effect: lifecycleStatus(input.code).effect, disputeId: row.id };
}

const atLeastZero = (minor: bigint): bigint => (minor < 0n ? 0n : minor);

/** The money is on its way: the case rests for the creditor's days, counted from the status. */
async function paymentSent(tx: Tx, act: Act, invoice: InvoiceRow, id: string, at: Instant): Promise<Done> {
  const creditor = await tx
    .selectFrom('creditors')
    .select(['time_zone', 'payment_sent_days'])
    .where('id', '=', invoice.creditor_id)
    .executeTakeFirstOrThrow();
  const days = creditor.payment_sent_days;
  const untilOn = addDays(localDate(at, creditor.time_zone), days);
  if (days === 0 || untilOn < localDate(act.at, creditor.time_zone)) return KEPT;
  const holdId = await setHold(tx, act, { ...holdOf(invoice, id), untilOn });
  return { effect: 'paymentSent', holdId };
}

/** Holds until a person has done the task that comes with it. */
async function holdWithTask(tx: Tx, act: Act, invoice: InvoiceRow, id: string, code: LifecycleCode): Promise<Done> {
  const { effect, name } = lifecycleStatus(code);
  const task = LIFECYCLE_TASKS[effect];
  if (!task) throw new Error(`The effect ${effect} has no task.`);
  const holdId = await setHold(tx, act, { ...holdOf(invoice, id), untilOn: null });
  const { taskId } = await openTask(tx, act, {
    creditorId: invoice.creditor_id,
    kind: task.kind,
    key: taskKey(task.kind, id),
    role: task.role,
    invoiceId: invoice.id,
    customerId: invoice.customer_id,
    subject: SUBJECTS[task.kind](invoice.number),
    body: [`The platform reports the status ${code} (${name}).`, act.reason ?? '', BODIES[task.kind]]
      .filter((line) => line !== '')
      .join('\n'),
    data: { lifecycleId: id, status: code },
    dueAt: act.at,
  });
  return { effect, holdId, taskId };
}

const holdOf = (invoice: InvoiceRow, id: string) => ({
  customerId: invoice.customer_id,
  invoiceId: invoice.id,
  kind: 'pause' as const,
  sourceId: id,
});

const taskKey = (kind: LifecycleTaskKind, id: string): string => `${kind}:${id}`;

const SUBJECTS: Record<LifecycleTaskKind, (number: string) => string> = {
  supplyDocument: (n) => `A document is wanted for invoice ${n}`,
  reissueInvoice: (n) => `Invoice ${n} was not taken: credit or reissue it`,
  checkPayee: (n) => `Who is to be paid for invoice ${n}?`,
  reviewLifecycle: (n) => `Look at what happened to invoice ${n}`,
};

const BODIES: Record<LifecycleTaskKind, string> = {
  supplyDocument: 'Supply what is missing. The case goes on when the platform says so, or when this task is completed.',
  reissueInvoice:
    'Nothing is asked for meanwhile. Record a credit note and issue the invoice anew, or complete this task to go on.',
  checkPayee:
    'Nothing is asked for meanwhile. See whose claim it is now and to which account it is paid, then complete this.',
  reviewLifecycle: 'Nothing is asked for meanwhile. See who is to pay whom, then complete this task.',
};

const refusal = (code: string, pointer: string, message: string): DomainError =>
  new DomainError(code, message, [{ pointer, code, message }]);
