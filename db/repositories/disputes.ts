import type { Selectable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { formatAmount } from '../../domain/money.ts';
import { addDays } from '../../domain/time/dates.ts';
import { instantAt, type Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database, DisputeCategory } from '../types.ts';
import { cancelChaseTasks } from './chase-tasks.ts';
import { recordCreditNote } from './credit-notes.ts';
import { appendEvent } from './events.ts';
import { findInvoice, lockOwnInvoice, requireOpen, type InvoiceRow } from './invoices.ts';
import { withdrawLetters } from './letters.ts';
import { pokeOutreach, signalCase } from './outbox.ts';
import { activePlanOver, wakePlanMates } from './plans.ts';
import { surroundings } from './promises.ts';
import { closeTaskByKey, openTask } from './tasks.ts';

export type DisputeRow = Selectable<Database['disputes']>;

export interface NewDispute {
  invoiceId: string;
  /** Minor units of the invoice's currency; `null` for the whole balance. */
  amountMinor: bigint | null;
  category: DisputeCategory;
  note: string | null;
}

/**
 * The customer contests all or part of an invoice: that part is not asked for until a person has decided, for which a
 * task is opened. Throws `notFound`, `caseClosed`, `disputeExceedsBalance` when more is contested than is owed, open
 * disputes counted together.
 */
export async function openDispute(tx: Tx, act: Act, creditorId: string, input: NewDispute): Promise<DisputeRow> {
  const invoice = await lockOwnInvoice(tx, creditorId, input.invoiceId);
  requireOpen(invoice);
  requireWithinBalance(input, invoice, await openDisputesOf(tx, invoice.id));
  const { today, zone, policy } = await surroundings(tx, act, invoice);

  const row = await tx
    .insertInto('disputes')
    .values({
      id: newId('dis'),
      invoice_id: invoice.id,
      amount_minor: input.amountMinor,
      category: input.category,
      note: input.note,
      opened_on: today,
      at: instant(act.at),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const amount = input.amountMinor === null ? null : formatAmount(input.amountMinor, invoice.currency);
  const eventId = await appendEvent(tx, act, {
    invoiceId: invoice.id,
    kind: 'disputed',
    data: { disputeId: row.id, amount, currency: invoice.currency, category: row.category },
    text: input.note,
  });
  if (policy.dispute !== null) {
    await openTask(tx, act, {
      creditorId,
      kind: 'reviewDispute',
      key: reviewKey(row.id),
      invoiceId: invoice.id,
      customerId: invoice.customer_id,
      subject: `Dispute (${row.category}) on ${invoice.number}`,
      body: input.note ?? '',
      data: { disputeId: row.id, amount, currency: invoice.currency, category: row.category },
      dueAt: instantAt(addDays(today, policy.dispute.reviewDays), '24:00', zone),
    });
  }
  await reviewPlanOf(tx, act, invoice, row.id, instantAt(today, '24:00', zone));
  await cancelChaseTasks(tx, act, [invoice.id], 'dispute');
  await signalCase(tx, invoice.id, 'disputed', eventId);
  await pokeOutreach(tx, invoice.customer_id);
  return row;
}

export interface Resolution {
  outcome: 'upheld' | 'rejected' | 'partly';
  /** What is credited, minor units of the invoice's currency; `null`: for `upheld` the contested part. */
  creditMinor: bigint | null;
  note: string | null;
}

/**
 * Decides a dispute. Upheld, what was contested is credited by a credit note with the dispute's id as its number, or as
 * much as is given; partly, the amount given; rejected, nothing. Its task is done. Throws `notFound`,
 * `disputeResolved`, and `creditInvalid` for an amount that does not fit the outcome, `disputeExceedsBalance` for one
 * above the contested part.
 */
export async function resolveDispute(
  tx: Tx,
  act: Act,
  creditorId: string,
  disputeId: string,
  resolution: Resolution,
): Promise<DisputeRow> {
  const seen = await tx.selectFrom('disputes').select('invoice_id').where('id', '=', disputeId).executeTakeFirst();
  if (!seen) throw new DomainError('notFound', 'There is no such dispute.');
  const invoice = await lockOwnInvoice(tx, creditorId, seen.invoice_id);
  const dispute = await tx.selectFrom('disputes').selectAll().where('id', '=', disputeId).executeTakeFirstOrThrow();
  if (dispute.status !== 'open') throw new DomainError('disputeResolved', `The dispute is ${dispute.status} already.`);
  const creditMinor = creditOf(resolution, dispute, invoice);

  const { today } = await surroundings(tx, act, invoice);
  const credit =
    creditMinor === 0n
      ? null
      : await recordCreditNote(tx, act, {
          customerId: invoice.customer_id,
          invoiceId: invoice.id,
          number: disputeId,
          amountMinor: creditMinor,
          currency: invoice.currency,
          issuedOn: today,
          reason: resolution.note,
        });
  const row = await tx
    .updateTable('disputes')
    .set({
      status: resolution.outcome,
      resolved_on: today,
      resolution_note: resolution.note,
      credit_note_id: credit?.creditNoteId ?? null,
    })
    .where('id', '=', disputeId)
    .returningAll()
    .executeTakeFirstOrThrow();
  const eventId = await appendEvent(tx, act, {
    invoiceId: invoice.id,
    kind: 'disputeResolved',
    data: {
      disputeId,
      outcome: resolution.outcome,
      credited: formatAmount(creditMinor, invoice.currency),
      currency: invoice.currency,
      ...(credit ? { creditNoteId: credit.creditNoteId } : {}),
    },
    text: resolution.note,
  });
  await closeTaskByKey(tx, act, creditorId, reviewKey(disputeId), 'done', { outcome: resolution.outcome });
  await closeTaskByKey(tx, act, creditorId, planReviewKey(disputeId), 'done', { outcome: resolution.outcome });
  await wakePlanMates(tx, act, invoice.id);
  // Written while a part was contested, it asks for another amount than is asked for now.
  await withdrawLetters(tx, act, [invoice.id], 'disputeResolved');
  await signalCase(tx, invoice.id, 'disputeResolved', eventId);
  await pokeOutreach(tx, invoice.customer_id);
  return row;
}

/** The dispute with its invoice; `undefined` when it is another creditor's or none. */
export async function findDispute(
  db: Db | Tx,
  creditorId: string,
  disputeId: string,
): Promise<{ dispute: DisputeRow; invoice: InvoiceRow } | undefined> {
  const dispute = await db.selectFrom('disputes').selectAll().where('id', '=', disputeId).executeTakeFirst();
  const invoice = dispute && (await findInvoice(db, creditorId, dispute.invoice_id));
  return dispute && invoice && { dispute, invoice };
}

/**
 * What is contested under a plan can hardly be paid by it: a person changes the plan or lets it stand. Meanwhile it holds
 * the reminders as before, asks for nothing by its notes, and its dates go on.
 */
async function reviewPlanOf(tx: Tx, act: Act, invoice: InvoiceRow, disputeId: string, dueAt: Instant): Promise<void> {
  const planId = await activePlanOver(tx, invoice.id);
  if (planId === null) return;
  await openTask(tx, act, {
    creditorId: invoice.creditor_id,
    kind: 'reviewPlan',
    key: planReviewKey(disputeId),
    invoiceId: invoice.id,
    customerId: invoice.customer_id,
    subject: `Invoice ${invoice.number} is disputed while a plan covers it`,
    body: 'The plan stays in force, but nothing is sent about it until the dispute is decided. Change it, cancel it, or let it stand.',
    data: { planId, disputeId },
    dueAt,
  });
  await wakePlanMates(tx, act, invoice.id);
}

const planReviewKey = (disputeId: string): string => `reviewPlan:${disputeId}`;

const reviewKey = (disputeId: string): string => `reviewDispute:${disputeId}`;

async function openDisputesOf(tx: Tx, invoiceId: string): Promise<DisputeRow[]> {
  return await tx
    .selectFrom('disputes')
    .selectAll()
    .where('invoice_id', '=', invoiceId)
    .where('status', '=', 'open')
    .orderBy('seq')
    .execute();
}

/** A dispute of the whole may follow one of a part; nothing more can follow one of the whole. */
function requireWithinBalance(input: NewDispute, invoice: InvoiceRow, open: readonly DisputeRow[]): void {
  const wholeAlready = open.some((dispute) => dispute.amount_minor === null);
  const sum = open.reduce((total, dispute) => total + (dispute.amount_minor ?? 0n), input.amountMinor ?? 0n);
  if (!wholeAlready && invoice.balance_minor > 0n && (input.amountMinor === null || sum <= invoice.balance_minor))
    return;
  const balance = formatAmount(invoice.balance_minor, invoice.currency);
  const message = `Open disputes together exceed the balance of ${balance} ${invoice.currency}.`;
  throw new DomainError('disputeExceedsBalance', message, [
    { pointer: '/amount', code: 'disputeExceedsBalance', message },
  ]);
}

function creditOf(resolution: Resolution, dispute: DisputeRow, invoice: InvoiceRow): bigint {
  const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
  const contested = smaller(dispute.amount_minor ?? invoice.balance_minor, invoice.balance_minor);
  const { outcome, creditMinor } = resolution;
  if (outcome === 'rejected') {
    if (creditMinor === null) return 0n;
    throw creditFault('creditInvalid', 'A dispute that is rejected credits nothing.');
  }
  if (creditMinor === null) {
    if (outcome === 'upheld') return contested;
    throw creditFault('creditInvalid', 'Say how much is credited.');
  }
  if (creditMinor > contested) {
    const message = `At most ${formatAmount(contested, invoice.currency)} ${invoice.currency} were contested and are owed.`;
    throw creditFault('disputeExceedsBalance', message);
  }
  return creditMinor;
}

const creditFault = (code: string, message: string): DomainError =>
  new DomainError(code, message, [{ pointer: '/creditAmount', code, message }]);
