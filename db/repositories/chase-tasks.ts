import type { Act } from '../act.ts';
import { instant, json, type Tx } from '../database.ts';

/**
 * Cancels the open call and letter tasks of these invoices: what they ask for is no longer what is owed, or no longer to
 * be asked for. The case that opened one reads it at its next turn. Returns the ids of the tasks.
 */
export async function cancelChaseTasks(
  tx: Tx,
  act: Act,
  invoiceIds: readonly string[],
  why: string,
): Promise<string[]> {
  if (invoiceIds.length === 0) return [];
  const rows = await tx
    .updateTable('tasks')
    .set({ status: 'cancelled', closed_at: instant(act.at), closed_by: act.actor, outcome: json({ why }) })
    .where('invoice_id', 'in', invoiceIds)
    .where('kind', 'in', ['call', 'letter'])
    .where('status', '=', 'open')
    .returning('id')
    .execute();
  return rows.map(({ id }) => id);
}
