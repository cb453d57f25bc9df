import type { Act } from '../act.ts';
import type { Tx } from '../database.ts';
import { lockOwnInvoice } from './invoices.ts';
import { isOpenStage, reopenCase } from './runs.ts';
import { undoWriteOff } from './write-offs.ts';
import { creditorsDate } from './creditors.ts';

/**
 * Starts a closed case again because a person wants it; what was written off and has not come since is owed again. Why it
 * can not, as a stable code; null where it did. Locks the customer, then the invoice. Throws `notFound`.
 */
export async function reopenByHand(
  tx: Tx,
  act: Act,
  creditorId: string,
  invoiceId: string,
): Promise<'caseOpen' | 'nothingOwed' | null> {
  const row = await lockOwnInvoice(tx, creditorId, invoiceId);
  if (isOpenStage(row.stage)) return 'caseOpen';
  await undoWriteOff(tx, act, invoiceId, await creditorsDate(tx, act, creditorId));
  return (await reopenCase(tx, act, invoiceId)) ? null : 'nothingOwed';
}
