import { DomainError } from '../../domain/errors.ts';
import type { Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, json, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { JsonObject, TaskRole, TaskStatus } from '../types.ts';
import { customersHeldBy, liftHoldsOfSource } from './holds.ts';
import { lockCustomers } from './locks.ts';

export { cancelChaseTasks } from './chase-tasks.ts';

export interface NewTask {
  creditorId: string;
  /** `call`, `letter`, `approve`, `unappliedCash`, … (api.md, "Resources"). */
  kind: string;
  /** Unique for the creditor: the same task is opened once, however often it is asked for. */
  key: string;
  role?: TaskRole;
  invoiceId?: string | null;
  customerId?: string | null;
  contactId?: string | null;
  receiptId?: string | null;
  step?: string | null;
  subject: string;
  body?: string;
  data?: JsonObject;
  dueAt: Instant;
}

/** Opens a task for a person, or finds the one that has its key, be it open or closed. */
export async function openTask(tx: Tx, act: Act, task: NewTask): Promise<{ taskId: string; created: boolean }> {
  const id = newId('tsk');
  const inserted = await tx
    .insertInto('tasks')
    .values({
      id,
      creditor_id: task.creditorId,
      kind: task.kind,
      key: task.key,
      role: task.role ?? 'operator',
      invoice_id: task.invoiceId ?? null,
      customer_id: task.customerId ?? null,
      contact_id: task.contactId ?? null,
      receipt_id: task.receiptId ?? null,
      step: task.step ?? null,
      subject: task.subject,
      body: task.body ?? '',
      data: json(task.data ?? {}),
      due_at: instant(task.dueAt),
      opened_at: instant(act.at),
    })
    .onConflict((conflict) => conflict.columns(['creditor_id', 'key']).doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows === 1n) return { taskId: id, created: true };
  const existing = await tx
    .selectFrom('tasks')
    .select('id')
    .where('creditor_id', '=', task.creditorId)
    .where('key', '=', task.key)
    .executeTakeFirstOrThrow();
  return { taskId: existing.id, created: false };
}

/**
 * Closes an open task with its outcome and returns its row as it was. Closing the task of unapplied money lifts the holds
 * of that money, closing an entry review that of its case, reading a reply that of the reply. Throws `notFound`, and `taskClosed` when somebody was faster or it was cancelled.
 */
export async function completeTask(
  tx: Tx,
  act: Act,
  taskId: string,
  outcome: JsonObject,
  status: Exclude<TaskStatus, 'open'> = 'done',
) {
  const known = await tx
    .selectFrom('tasks')
    .select(['kind', 'receipt_id', 'data'])
    .where('id', '=', taskId)
    .executeTakeFirst();
  if (!known) throw new DomainError('notFound', 'There is no such task.');
  const source = sourceOf(taskId, known);
  if (source !== null) await lockCustomers(tx, await customersHeldBy(tx, source));

  const task = await tx.selectFrom('tasks').selectAll().where('id', '=', taskId).forUpdate().executeTakeFirstOrThrow();
  if (task.status !== 'open') {
    throw new DomainError('taskClosed', `The task is ${task.status} and can no longer be completed.`);
  }
  await closeTasks(tx, act, [taskId], status, outcome);
  if (source !== null) await liftHoldsOfSource(tx, act, source);
  return task;
}

/** What the holds hang on that end with a task. */
function sourceOf(taskId: string, task: { kind: string; receipt_id: string | null; data: JsonObject }): string | null {
  switch (task.kind) {
    case 'unappliedCash':
      return task.receipt_id;
    case 'entryReview':
      return taskId;
    case 'supplyDocument':
    case 'reissueInvoice':
    case 'checkPayee':
    case 'reviewLifecycle':
      return typeof task.data['lifecycleId'] === 'string' ? task.data['lifecycleId'] : null;
    case 'readReply':
      return typeof task.data['inboundId'] === 'string' ? task.data['inboundId'] : null;
    default:
      return null;
  }
}

/** Closes the open task with this key, if there is one: what it was about has been dealt with otherwise. */
export async function closeTaskByKey(
  tx: Tx,
  act: Act,
  creditorId: string,
  key: string,
  status: Exclude<TaskStatus, 'open'>,
  outcome: JsonObject,
): Promise<void> {
  const task = await tx
    .selectFrom('tasks')
    .select('id')
    .where('creditor_id', '=', creditorId)
    .where('key', '=', key)
    .executeTakeFirst();
  if (task) await closeTasks(tx, act, [task.id], status, outcome);
}

/** Closes the open tasks whose keys begin so: what they were about has been dealt with otherwise. */
export async function closeOpenTasks(
  tx: Tx,
  act: Act,
  creditorId: string,
  keyPrefix: string,
  outcome: JsonObject,
): Promise<void> {
  const rows = await tx
    .selectFrom('tasks')
    .select('id')
    .where('creditor_id', '=', creditorId)
    .where('key', 'like', `${keyPrefix}%`)
    .where('status', '=', 'open')
    .execute();
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await closeTasks(tx, act, ids, 'done', outcome);
}

/** Closes those of these tasks that are open. */
export async function closeTasks(
  tx: Tx,
  act: Act,
  taskIds: readonly string[],
  status: Exclude<TaskStatus, 'open'>,
  outcome: JsonObject,
): Promise<void> {
  await tx
    .updateTable('tasks')
    .set({ status, closed_at: instant(act.at), closed_by: act.actor, outcome: json(outcome) })
    .where('id', 'in', taskIds)
    .where('status', '=', 'open')
    .execute();
}
