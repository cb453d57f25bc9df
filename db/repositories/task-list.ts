import type { Selectable } from 'kysely';
import type { Db, Tx } from '../database.ts';
import type { Database, TaskStatus } from '../types.ts';

export type TaskRow = Selectable<Database['tasks']>;

export interface TaskFilter {
  kind?: string | undefined;
  status?: TaskStatus | undefined;
  invoiceId?: string | undefined;
  customerId?: string | undefined;
}

/** Tasks of a creditor, newest first, behind the position `after`. */
export async function listTasks(
  db: Db,
  creditorId: string,
  filter: TaskFilter,
  after: bigint | null,
  count: number,
): Promise<TaskRow[]> {
  let query = db.selectFrom('tasks').selectAll().where('creditor_id', '=', creditorId);
  if (filter.kind !== undefined) query = query.where('kind', '=', filter.kind);
  if (filter.status !== undefined) query = query.where('status', '=', filter.status);
  if (filter.invoiceId !== undefined) query = query.where('invoice_id', '=', filter.invoiceId);
  if (filter.customerId !== undefined) query = query.where('customer_id', '=', filter.customerId);
  if (after !== null) query = query.where('seq', '<', after);
  return await query.orderBy('seq', 'desc').limit(count).execute();
}

export async function findTask(db: Db | Tx, creditorId: string, taskId: string): Promise<TaskRow | undefined> {
  return await db
    .selectFrom('tasks')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', taskId)
    .executeTakeFirst();
}
