import { z } from 'zod';
import type { Act } from '../db/act.ts';
import type { Tx } from '../db/database.ts';
import { answerUnreachable } from '../db/repositories/agency-messages.ts';
import { answerSuspect } from '../db/repositories/bank-transactions.ts';
import { returnByHand } from '../db/repositories/bank-returns.ts';
import { resolveUnknown } from '../db/repositories/sending.ts';
import { findCustomer } from '../db/repositories/customers.ts';
import { openDispute } from '../db/repositories/disputes.ts';
import { appendEvent } from '../db/repositories/events.ts';
import { findInvoice, type InvoiceRow } from '../db/repositories/invoices.ts';
import { recordPost } from '../db/repositories/letters.ts';
import { answerAcknowledgement } from '../db/repositories/limitation-events.ts';
import { lockCustomers } from '../db/repositories/locks.ts';
import { pokeFeed, pokeOutreach, wakeCase } from '../db/repositories/outbox.ts';
import { findPolicy } from '../db/repositories/policies.ts';
import { makePromise } from '../db/repositories/promises.ts';
import type { TaskRow } from '../db/repositories/task-list.ts';
import { answerCollection, retryCall } from '../db/repositories/task-outcomes.ts';
import { completeTask, openTask } from '../db/repositories/tasks.ts';
import type { JsonObject } from '../db/types.ts';
import { DomainError } from '../domain/errors.ts';
import { localDate as dateAt } from '../domain/time/zones.ts';
import type { ApiDeps } from './deps.ts';
import { holidaysAround } from './holidays.ts';
import { Problem } from './problem.ts';
import { disputeBody } from './routes/disputes.ts';
import { promiseBody } from './routes/promises.ts';
import { id, line, localDate, prose } from './schemas/common.ts';
import { faultsOf, positiveAmount, within } from './validation.ts';

/** What completing a task says, by its kind; every other kind takes a note. */
const note = prose(2000).optional();

export const COMPLETIONS = {
  approve: z.strictObject({ decision: z.enum(['approved', 'refused']), agencyId: id('agy').optional(), note }),
  call: z.strictObject({
    outcome: z.enum(['reached', 'noAnswer', 'wrongNumber']),
    promise: promiseBody.optional(),
    dispute: disputeBody.optional(),
    note,
  }),
  letter: z.strictObject({
    sentOn: localDate,
    deliveredOn: localDate.optional(),
    trackingNumber: line(60).optional(),
    note,
  }),
  unknownSend: z.strictObject({ outcome: z.enum(['sent', 'notSent']), note }),
  collectionMissing: z.strictObject({ outcome: z.enum(['failed', 'pending']), note }),
  readReply: z.strictObject({
    invoiceId: id('inv')
      .optional()
      .meta({ description: 'What is promised or disputed; needed unless the reply names one.' }),
    promise: promiseBody.optional(),
    dispute: disputeBody.optional(),
    note,
  }),
  confirmAcknowledgement: z.strictObject({ decision: z.enum(['confirmed', 'refused']), note }),
  agencyUnreachable: z.strictObject({ outcome: z.enum(['retry', 'toldByHand']), note }),
  possibleDuplicate: z.strictObject({ outcome: z.enum(['same', 'different']), note }),
  unknownReturn: z.strictObject({
    receiptId: id('rec')
      .optional()
      .meta({ description: 'The money that went back; without it the return goes on waiting.' }),
    note,
  }),
  other: z.strictObject({ note }),
} as const;

type CompletionKind = keyof typeof COMPLETIONS;

/** Reads a completion by the rules of its kind. Throws `validationFailed` with every fault. */
export function parseCompletion<Kind extends CompletionKind>(
  kind: Kind,
  body: unknown,
): z.output<(typeof COMPLETIONS)[Kind]> {
  const result = COMPLETIONS[kind].safeParse(body);
  if (result.success) return result.data as z.output<(typeof COMPLETIONS)[Kind]>;
  const faults = faultsOf(result.error.issues);
  throw new Problem('validationFailed', 'The completion does not fit the kind of the task.', { faults });
}

/**
 * Closes a task that a person has done, with everything that follows from its outcome, in one transaction; the case
 * looks again. An approval is no business of this function: its case decides. Throws `taskClosed` and what the promise,
 * dispute or other consequence refuses.
 */
export async function completeByHand(
  deps: ApiDeps,
  tx: Tx,
  act: Act,
  creditorId: string,
  task: TaskRow,
  body: unknown,
): Promise<void> {
  // Customers are locked first (design rule 4); the task of unapplied money locks its own.
  if (task.customer_id !== null && task.kind !== 'unappliedCash') await lockCustomers(tx, [task.customer_id]);
  const outcome = await carryOut(deps, tx, act, creditorId, task, body);
  if (task.invoice_id !== null) {
    const { note: text, ...codes } = outcome;
    await appendEvent(tx, act, {
      invoiceId: task.invoice_id,
      kind: 'taskClosed',
      data: { taskId: task.id, kind: task.kind, ...codes },
      text: typeof text === 'string' ? text : null,
    });
    await wakeCase(tx, task.invoice_id);
  }
  if (task.customer_id !== null) await pokeOutreach(tx, task.customer_id);
}

async function carryOut(
  deps: ApiDeps,
  tx: Tx,
  act: Act,
  creditorId: string,
  task: TaskRow,
  body: unknown,
): Promise<JsonObject> {
  switch (task.kind) {
    case 'call':
      return await afterCall(deps, tx, act, creditorId, task, parseCompletion('call', body));
    case 'letter': {
      const said = parseCompletion('letter', body);
      await posted(tx, act, creditorId, task, said);
      return said;
    }
    case 'unknownSend': {
      const said = parseCompletion('unknownSend', body);
      await completeTask(tx, act, task.id, said);
      if (task.contact_id !== null) await resolveUnknown(tx, act, task.contact_id, said.outcome);
      return said;
    }
    case 'collectionMissing': {
      const said = parseCompletion('collectionMissing', body);
      await completeTask(tx, act, task.id, said);
      if (task.invoice_id !== null) {
        await answerCollection(tx, { ...act, reason: said.note ?? null }, creditorId, task.invoice_id, said.outcome);
      }
      return said;
    }
    case 'readReply':
      return await afterReading(tx, act, creditorId, task, parseCompletion('readReply', body));
    case 'confirmAcknowledgement': {
      const said = parseCompletion('confirmAcknowledgement', body);
      await completeTask(tx, act, task.id, said);
      const { limitationEventId } = task.data;
      if (typeof limitationEventId === 'string') {
        const why = { ...act, reason: said.note ?? null };
        await answerAcknowledgement(tx, why, creditorId, limitationEventId, said.decision);
      }
      return said;
    }
    case 'agencyUnreachable': {
      const said = parseCompletion('agencyUnreachable', body);
      await completeTask(tx, act, task.id, said);
      const { messageId } = task.data;
      if (typeof messageId === 'string') await answerUnreachable(tx, act, BigInt(messageId), said.outcome);
      return said;
    }
    case 'possibleDuplicate': {
      const said = parseCompletion('possibleDuplicate', body);
      await completeTask(tx, act, task.id, said);
      const { transactionId } = task.data;
      if (typeof transactionId === 'string') {
        await pokeFeed(tx, await answerSuspect(tx, creditorId, transactionId, said.outcome));
      }
      return said;
    }
    case 'unknownReturn': {
      const said = parseCompletion('unknownReturn', body);
      const { transactionId } = task.data;
      if (said.receiptId !== undefined && typeof transactionId === 'string') {
        await returnByHand(tx, { ...act, reason: null }, creditorId, transactionId, said.receiptId);
      }
      await completeTask(tx, act, task.id, said);
      return said;
    }
    default: {
      const said = parseCompletion('other', body);
      await completeTask(tx, act, task.id, said);
      return said;
    }
  }
}

async function afterCall(
  deps: ApiDeps,
  tx: Tx,
  act: Act,
  creditorId: string,
  task: TaskRow,
  said: z.output<(typeof COMPLETIONS)['call']>,
): Promise<JsonObject> {
  if (said.outcome !== 'reached' && (said.promise || said.dispute)) {
    const message = 'Only a customer who was reached promises or disputes.';
    throw new Problem('validationFailed', message, {
      faults: [{ pointer: said.promise ? '/promise' : '/dispute', code: 'notAllowed', message }],
    });
  }
  const codes: JsonObject = { outcome: said.outcome };
  await completeTask(tx, act, task.id, {
    outcome: said.outcome,
    ...(said.note === undefined ? {} : { note: said.note }),
  });
  const invoice = task.invoice_id === null ? undefined : await findInvoice(tx, creditorId, task.invoice_id);
  if (invoice) Object.assign(codes, await takeWord(tx, act, creditorId, invoice, said));
  if (invoice && said.outcome === 'noAnswer') {
    const customer = (await findCustomer(tx, creditorId, invoice.customer_id))!;
    const pinned = (await findPolicy(tx, creditorId, invoice.policy_name, invoice.policy_version))!;
    const holidays = holidaysAround(deps, act.at)(customer.country, customer.address?.postalCode ?? null);
    const again = await retryCall(tx, act, task, pinned.policy, { zone: customer.time_zone, holidays });
    if (again !== null) codes['retryTaskId'] = again;
  }
  if (said.outcome === 'wrongNumber' && task.customer_id !== null) {
    await openTask(tx, act, {
      creditorId,
      kind: 'missingContact',
      key: `missingContact:${task.id}`,
      customerId: task.customer_id,
      subject: 'The telephone number of the customer is wrong',
      body: 'The call counts as made and the reminders go on. Find the right number and enter it with the customer.',
      data: { channel: 'call', taskId: task.id, phone: task.data['phone'] ?? null },
      dueAt: act.at,
    });
  }
  return { ...codes, ...(said.note === undefined ? {} : { note: said.note }) };
}

/** A letter was posted, and perhaps arrived: the same as the news of the post (`POST /v1/contacts/{id}/delivery`). */
async function posted(
  tx: Tx,
  act: Act,
  creditorId: string,
  task: TaskRow,
  said: z.output<(typeof COMPLETIONS)['letter']>,
): Promise<void> {
  await requireNotFuture(tx, act, creditorId, task, said.sentOn);
  const { sentOn, deliveredOn, trackingNumber = null } = said;
  if (deliveredOn !== undefined && deliveredOn < sentOn) {
    const message = 'A letter arrives on the day it was posted or later.';
    throw new DomainError('dateInvalid', message, [{ pointer: '/deliveredOn', code: 'dateInvalid', message }]);
  }
  await completeTask(tx, act, task.id, said);
  if (task.contact_id === null) return;
  const dispatched = { status: 'dispatched', on: sentOn, trackingNumber, pointer: '/sentOn' } as const;
  await recordPost(tx, act, creditorId, task.contact_id, dispatched);
  if (deliveredOn !== undefined) {
    await recordPost(tx, act, creditorId, task.contact_id, {
      status: 'delivered',
      on: deliveredOn,
      pointer: '/deliveredOn',
    });
  }
}

type Word = Pick<z.output<(typeof COMPLETIONS)['call']>, 'promise' | 'dispute'>;

/** A promise or a dispute that a customer gave by word of mouth or in a reply, as if it were posted to the invoice. */
async function takeWord(
  tx: Tx,
  act: Act,
  creditorId: string,
  invoice: InvoiceRow,
  said: Word,
): Promise<{ disputeId?: string; promiseId?: string }> {
  const codes: { disputeId?: string; promiseId?: string } = {};
  if (said.dispute) {
    const { amount, category, note: text = null } = said.dispute;
    const amountMinor = amount === undefined ? null : positiveAmount('/dispute/amount', amount, invoice.currency);
    const row = await within('/dispute', () =>
      openDispute(tx, act, creditorId, { invoiceId: invoice.id, amountMinor, category, note: text }),
    );
    codes.disputeId = row.id;
  }
  if (said.promise) {
    const { payOn, amount, by = null } = said.promise;
    const amountMinor = amount === undefined ? null : positiveAmount('/promise/amount', amount, invoice.currency);
    const row = await within('/promise', () =>
      makePromise(tx, act, creditorId, { invoiceId: invoice.id, payOn, amountMinor, by }),
    );
    codes.promiseId = row.id;
  }
  return codes;
}

/** Somebody has read a reply: its hold is lifted at once, and what it promises or disputes takes its place. */
async function afterReading(
  tx: Tx,
  act: Act,
  creditorId: string,
  task: TaskRow,
  said: z.output<(typeof COMPLETIONS)['readReply']>,
): Promise<JsonObject> {
  const named = Array.isArray(task.data['invoiceIds']) ? task.data['invoiceIds'] : [];
  const only: unknown = named.length === 1 ? named[0] : null;
  const invoiceId = said.invoiceId ?? (typeof only === 'string' ? only : null);
  const invoice = invoiceId === null ? undefined : await findInvoice(tx, creditorId, invoiceId);
  if (said.invoiceId !== undefined && invoice?.customer_id !== task.customer_id) {
    throw new DomainError('notFound', 'There is no such invoice.');
  }
  if (!invoice && (said.promise || said.dispute)) {
    const message = 'Say which invoice is meant.';
    throw new Problem('validationFailed', message, { faults: [{ pointer: '/invoiceId', code: 'required', message }] });
  }
  const kept = said.note === undefined ? {} : { note: said.note };
  await completeTask(tx, act, task.id, { ...(invoice ? { invoiceId: invoice.id } : {}), ...kept });
  const codes = invoice ? await takeWord(tx, act, creditorId, invoice, said) : {};
  return { ...codes, ...kept };
}

async function requireNotFuture(tx: Tx, act: Act, creditorId: string, task: TaskRow, sentOn: string): Promise<void> {
  const customer = task.customer_id === null ? undefined : await findCustomer(tx, creditorId, task.customer_id);
  const today = dateAt(act.at, customer?.time_zone ?? 'UTC');
  if (sentOn <= today) return;
  const message = `Today is ${today}.`;
  throw new DomainError('futureDate', message, [{ pointer: '/sentOn', code: 'futureDate', message }]);
}
