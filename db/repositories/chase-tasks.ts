import type { Act } from '../act.ts';
import { instant, json, type Tx } from '../database.ts';
import { withdrawLetters } from './letters.ts';

/**
 * Takes back what a person was asked to do about these invoices and has not done: calls, and letters that nobody has
 * posted. What they ask for is no longer what is owed, or no longer to be asked for. The case that opened one reads it at
 * its next turn. The caller holds the rows of the customers.
 */
export async function cancelChaseTasks(tx: Tx, act: Act, invoiceIds: readonly string[], why: string): Promise<void> {
  if (invoiceIds.length === 0) return;
  await tx
    .updateTable('tasks')
    .set({ status: 'cancelled', closed_at: instant(act.at), closed_by: act.actor, outcome: json({ why }) })
    .where('invoice_id', 'in', invoiceIds)
    .where('kind', '=', 'call')
    .where('status', '=', 'open')
    .execute();
  await withdrawLetters(tx, act, invoiceIds, why);
}
