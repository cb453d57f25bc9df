import { DomainError } from '../../domain/errors.ts';
import { THANK_YOU } from '../../domain/case/requests.ts';
import { FIRST_STAGE, isOpen, reopenedAt, type Stage } from '../../domain/case/stages.ts';
import { localDate } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import type { Tx } from '../database.ts';
import { appendEvent } from './events.ts';
import { holdUnderInsolvency } from './insolvency-holds.ts';
import { startCase } from './outbox.ts';

/** Whether a case in this stage has a workflow that runs. */
export const isOpenStage = (stage: Stage): boolean => isOpen(stage);

/**
 * What money an invoice still takes: what is owed, interest and the like included once the principal is paid, or of what was
 * given up as much as has not come since. Minor units.
 */
export function payableMinor(invoice: {
  stage: Stage;
  balance_minor: bigint;
  accessories_minor: bigint;
  written_off_minor: bigint;
  recovered_minor: bigint;
}): bigint {
  if (isOpenStage(invoice.stage)) return invoice.balance_minor + invoice.accessories_minor;
  return invoice.stage === 'writtenOff' ? invoice.written_off_minor - invoice.recovered_minor : 0n;
}

/**
 * Begins a new run of a case that was closed and has a balance again, at the stage it had before it closed: row, event
 * and the start of its workflow. False, and nothing happens, while the case is open or there is nothing to collect.
 * Locks the invoice. Throws `notFound`.
 */
export async function reopenCase(tx: Tx, act: Act, invoiceId: string): Promise<boolean> {
  const invoice = await tx
    .selectFrom('invoices as i')
    .innerJoin('creditors as c', 'c.id', 'i.creditor_id')
    .select([
      'i.stage',
      'i.run',
      'i.balance_minor',
      'i.accessories_minor',
      'i.customer_id',
      'i.issued_on',
      'c.time_zone',
    ])
    .where('i.id', '=', invoiceId)
    .forNoKeyUpdate('i')
    .executeTakeFirst();
  if (!invoice) throw new DomainError('notFound', 'There is no such invoice.');
  if (isOpenStage(invoice.stage) || invoice.balance_minor + invoice.accessories_minor === 0n) return false;

  const run = invoice.run + 1;
  const today = localDate(act.at, invoice.time_zone);
  const closed = await tx
    .selectFrom('case_runs')
    .select('stage_before')
    .where('invoice_id', '=', invoiceId)
    .where('run', '=', invoice.run)
    .executeTakeFirst();
  const stage = reopenedAt(closed?.stage_before ?? FIRST_STAGE);
  await tx.insertInto('case_runs').values({ invoice_id: invoiceId, run, opened_on: today }).execute();
  await tx.updateTable('invoices').set({ run, stage, next: null, wake_at: null }).where('id', '=', invoiceId).execute();
  // Thanks that were not yet given would now come too early.
  await tx
    .updateTable('case_steps')
    .set({ status: 'withdrawn', reason: 'reopened' })
    .where('invoice_id', '=', invoiceId)
    .where('step', '=', THANK_YOU)
    .where('status', '=', 'requested')
    .execute();
  const data = { run, stage, from: invoice.stage };
  await appendEvent(tx, act, { invoiceId, kind: 'reopened', data, text: act.reason ?? null });
  // Without the customer's row: the case does not run yet, so nothing of it waits to be sent, and who enters proceedings
  // locks every invoice.
  const claim = { invoiceId, customerId: invoice.customer_id, issuedOn: invoice.issued_on };
  await holdUnderInsolvency(tx, act, [claim], today);
  await startCase(tx, invoiceId, run);
  return true;
}
