import type { Policy } from '../../domain/policy/types.ts';
import { addWorkingDays, type Holidays } from '../../domain/time/working-days.ts';
import { instantAt, localDate } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import type { Tx } from '../database.ts';
import { recordFailedCollection } from './collections.ts';
import { appendEvent } from './events.ts';
import { lockOwnInvoice } from './invoices.ts';
import { pokeOutreach, wakeCase } from './outbox.ts';
import type { TaskRow } from './task-list.ts';
import { openTask } from './tasks.ts';
import { creditorsDate } from './creditors.ts';

/** What follows from the outcome of a task, in the transaction that closes it. */

/**
 * Nobody answered: the call is to be tried again after the policy's working days of the customer's country, as often as
 * the policy says. Returns the id of the new task, `null` when it was the last attempt.
 */
export async function retryCall(
  tx: Tx,
  act: Act,
  task: TaskRow,
  policy: Policy,
  place: { zone: string; holidays: Holidays },
): Promise<string | null> {
  const attempt = typeof task.data['attempt'] === 'number' ? task.data['attempt'] : 1;
  if (attempt >= policy.call.attempts) return null;
  const today = localDate(act.at, place.zone);
  const day = addWorkingDays(today, policy.call.retryWorkingDays, place.holidays);
  const { taskId } = await openTask(tx, act, {
    creditorId: task.creditor_id,
    kind: 'call',
    key: `${task.key.replace(/#\d+$/, '')}#${attempt + 1}`,
    role: task.role,
    invoiceId: task.invoice_id,
    customerId: task.customer_id,
    contactId: task.contact_id,
    step: task.step,
    subject: task.subject,
    body: task.body,
    data: { ...task.data, attempt: attempt + 1 },
    dueAt: instantAt(day, policy.contact.from, place.zone),
  });
  // The step follows its newest task: when that is cancelled by money, the step is drawn again.
  await tx.updateTable('case_steps').set({ task_id: taskId }).where('task_id', '=', task.id).execute();
  return taskId;
}

/**
 * What a person found out about a direct debit that was not booked: it failed, and is chased from now on; or it is still
 * pending, and is waited for once more. Locks the customer, then the invoice.
 */
export async function answerCollection(
  tx: Tx,
  act: Act,
  creditorId: string,
  invoiceId: string,
  outcome: 'failed' | 'pending',
): Promise<void> {
  const invoice = await lockOwnInvoice(tx, creditorId, invoiceId);
  const today = await creditorsDate(tx, act, creditorId);
  if (outcome === 'failed') return recordFailedCollection(tx, act, invoiceId, today);
  await tx.updateTable('invoices').set({ collection_asked_on: today }).where('id', '=', invoiceId).execute();
  await appendEvent(tx, act, { invoiceId, kind: 'collectionAsked', data: { on: today }, text: act.reason ?? null });
  await wakeCase(tx, invoiceId);
  await pokeOutreach(tx, invoice.customer_id);
}
