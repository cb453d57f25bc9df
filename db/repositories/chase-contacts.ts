import { sql } from 'kysely';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { markLeft } from './contacts.ts';
import { addDocument } from './documents.ts';
import { openTask } from './tasks.ts';

/** Opens the task of a call or letter step with its rendered text: opening it is the step (api.md). */
export async function openStepTask(
  tx: Tx,
  act: Act,
  step: {
    creditorId: string;
    customerId: string;
    invoiceId: string;
    contactId: string | null;
    channel: 'call' | 'letter' | 'registeredLetter';
    step: string;
    occurrence: number;
    /** How often it was written again, 0 at first. */
    drawing: number;
    subject: string;
    body: string;
    amount: string;
    currency: string;
    /** The first number to call; null where none is known or nothing is called. */
    phone?: string | null;
  },
): Promise<string> {
  const kind = step.channel === 'call' ? 'call' : 'letter';
  const { taskId } = await openTask(tx, act, {
    creditorId: step.creditorId,
    kind,
    key: `${kind}:${step.invoiceId}:${step.step}:${step.occurrence}:${step.drawing}`,
    invoiceId: step.invoiceId,
    customerId: step.customerId,
    contactId: step.contactId,
    step: step.step,
    subject: step.subject,
    body: step.body,
    data: {
      channel: step.channel,
      amount: step.amount,
      currency: step.currency,
      drawing: step.drawing,
      ...(kind === 'call' ? { phone: step.phone ?? null } : {}),
    },
    dueAt: act.at,
  });
  await tx
    .updateTable('case_steps')
    .set({ task_id: taskId })
    .where('invoice_id', '=', step.invoiceId)
    .where('step', '=', step.step)
    .where('occurrence', '=', step.occurrence)
    .where('status', 'in', ['queued', 'left'])
    .execute();
  if (step.contactId !== null) {
    // Where one contact covers several invoices each has its task; the contact names the first.
    await tx
      .updateTable('contacts')
      .set({ task_id: taskId })
      .where('id', '=', step.contactId)
      .where('task_id', 'is', null)
      .execute();
  }
  await addDocument(tx, act, {
    creditorId: step.creditorId,
    customerId: step.customerId,
    contactId: step.contactId,
    taskId,
    kind: kind === 'call' ? 'callScript' : 'letter',
    contentType: 'text/plain; charset=utf-8',
    bytes: Buffer.from(step.body, 'utf8'),
    invoiceIds: [step.invoiceId],
  });
  return taskId;
}

/** A call or letter contact is done as soon as its tasks are open. */
export async function markTasksOpened(tx: Tx, act: Act, contactId: string): Promise<string[]> {
  await tx
    .updateTable('contacts')
    .set({
      status: 'sent',
      sending_at: instant(act.at),
      sending_real: sql<Date>`clock_timestamp()`,
      sent_at: instant(act.at),
    })
    .where('id', '=', contactId)
    .execute();
  return await markLeft(tx, act, contactId);
}
