import { DomainError } from '../../domain/errors.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { AgencyReportKind } from '../types.ts';
import { allocate } from './allocations.ts';
import { appendEvent } from './events.ts';
import { payableOn } from './imputation.ts';
import { lockCustomers, lockInvoice } from './locks.ts';
import { wakeCase } from './outbox.ts';
import { findPlacement, type PlacementReach, type PlacementRow, type ReportRow } from './placement-list.ts';
import { recordReceipt } from './receipts.ts';
import { openTask } from './tasks.ts';
import { creditorsDate } from './creditors.ts';

export interface NewReport {
  kind: AgencyReportKind;
  /** The agency's own; the same one again is the same report. */
  reference: string | null;
  /** Positive minor units of the placement's currency; of a payment alone. */
  amountMinor: bigint | null;
  /** The creditor's today when left out. */
  on: LocalDate | null;
  note: string | null;
}

/**
 * What an agency says of a placement. A payment is money that the agency has: it is applied to the invoice in this
 * transaction. Giving up wakes the case, which then proposes what comes next; wanted documents become a task.
 *
 * Locks the customer, then the invoice. Throws, before anything is written: `notFound`, `reportExists` (the reference
 * names another report), `placementEnded`, `alreadyGivenUp`, `futureDate`, `exceedsBalance`.
 */
export async function reportPlacement(
  tx: Tx,
  act: Act,
  reach: PlacementReach,
  placementId: string,
  report: NewReport,
): Promise<{ report: ReportRow; created: boolean }> {
  const known = await findPlacement(tx, reach, placementId);
  if (!known) throw new DomainError('notFound', 'There is no such placement.');
  await lockCustomers(tx, [known.customer_id]);
  const invoice = await lockInvoice(tx, known.invoice_id);
  // Read again under the locks: nobody ends it, pays or reports meanwhile.
  const placement = (await findPlacement(tx, reach, placementId))!;

  const before = await sameReference(tx, placementId, report.reference);
  if (before) {
    if (!isSame(before, report)) {
      throw new DomainError('reportExists', 'The placement has another report with this reference.', [
        { pointer: '/reference', code: 'reportExists', message: 'names another report' },
      ]);
    }
    return { report: before, created: false };
  }
  const today = await creditorsDate(tx, act, placement.creditor_id);
  const on = report.on ?? today;
  judge(placement, report, on, today, report.amountMinor === null ? 0n : await payableOn(tx, invoice, on));

  const id = newId('rep');
  const receiptId = report.amountMinor === null ? null : await takePayment(tx, act, placement, report, on);
  const taskId = report.kind === 'documentsWanted' ? await askForDocuments(tx, act, placement, id, report.note) : null;
  const row = await tx
    .insertInto('agency_reports')
    .values({
      id,
      placement_id: placementId,
      kind: report.kind,
      reference: report.reference,
      amount_minor: report.amountMinor,
      on_date: on,
      receipt_id: receiptId,
      task_id: taskId,
      note: report.note,
      actor: act.actor,
      at: instant(act.at),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await appendEvent(tx, act, {
    invoiceId: placement.invoice_id,
    kind: report.kind === 'givenUp' ? 'agencyGaveUp' : 'agencyReported',
    data: {
      placementId,
      agencyId: placement.agency_id,
      reportId: id,
      report: report.kind,
      on,
      ...(report.amountMinor === null
        ? {}
        : { amount: formatAmount(report.amountMinor, placement.currency), currency: placement.currency }),
      ...(receiptId === null ? {} : { receiptId }),
    },
    text: report.note,
  });
  if (report.kind === 'givenUp') {
    await tx.updateTable('placements').set({ status: 'givenUp' }).where('id', '=', placementId).execute();
    await wakeCase(tx, placement.invoice_id);
  }
  return { report: row, created: true };
}

function judge(placement: PlacementRow, report: NewReport, on: LocalDate, today: LocalDate, payable: bigint): void {
  if (placement.status === 'recalled' || placement.status === 'ended') {
    throw new DomainError('placementEnded', `The placement ended on ${placement.ended_on ?? today}.`);
  }
  if (report.kind === 'givenUp' && placement.status === 'givenUp') {
    throw new DomainError('alreadyGivenUp', 'The agency has given the placement up before.');
  }
  if (on > today) {
    const message = `Today is ${today}.`;
    throw new DomainError('futureDate', message, [{ pointer: '/on', code: 'futureDate', message }]);
  }
  const { currency } = placement;
  if (report.amountMinor !== null && report.amountMinor > payable) {
    const message = `Only ${formatAmount(payable, currency)} ${currency} are open on the invoice.`;
    throw new DomainError('exceedsBalance', message, [{ pointer: '/amount', code: 'exceedsBalance', message }]);
  }
}

/** The money is at the agency, not at the bank: it stands in an account of its own until it is sent on. */
async function takePayment(
  tx: Tx,
  act: Act,
  placement: PlacementRow,
  report: NewReport,
  on: LocalDate,
): Promise<string> {
  const amountMinor = report.amountMinor!;
  const receiptId = await recordReceipt(tx, act, {
    creditorId: placement.creditor_id,
    customerId: placement.customer_id,
    bookedOn: on,
    amountMinor,
    currency: placement.currency,
    remittance: report.reference,
    method: 'agency',
    account: 'agency',
  });
  await allocate(tx, act, { receiptId, invoiceId: placement.invoice_id, amountMinor, rule: 'agencyReport' });
  return receiptId;
}

async function askForDocuments(
  tx: Tx,
  act: Act,
  placement: PlacementRow,
  reportId: string,
  note: string | null,
): Promise<string> {
  const { taskId } = await openTask(tx, act, {
    creditorId: placement.creditor_id,
    kind: 'agencyDocuments',
    key: `agencyDocuments:${reportId}`,
    invoiceId: placement.invoice_id,
    customerId: placement.customer_id,
    subject: `The agency asks for documents on invoice ${placement.invoice_number}`,
    body: note ?? '',
    data: { placementId: placement.id, agencyId: placement.agency_id, reportId },
    dueAt: act.at,
  });
  return taskId;
}

async function sameReference(tx: Tx, placementId: string, reference: string | null): Promise<ReportRow | undefined> {
  if (reference === null) return undefined;
  return await tx
    .selectFrom('agency_reports')
    .selectAll()
    .where('placement_id', '=', placementId)
    .where('reference', '=', reference)
    .executeTakeFirst();
}

/** A date that was left out then or now says nothing. */
const isSame = (row: ReportRow, report: NewReport): boolean =>
  row.kind === report.kind &&
  row.amount_minor === report.amountMinor &&
  (report.on === null || row.on_date === report.on) &&
  row.note === report.note;
