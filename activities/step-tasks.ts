import type { Act } from '../db/act.ts';
import type { Tx } from '../db/database.ts';
import type { TurningCase } from '../db/repositories/case-steps.ts';
import { drawingsOf } from '../db/repositories/case-tasks.ts';
import { openStepTask } from '../db/repositories/chase-contacts.ts';
import { tellNotWritten } from '../db/repositories/unwritten.ts';
import { stepByKey } from '../domain/policy/parse.ts';
import { standing } from '../domain/case/standing.ts';
import type { CaseFacts, CustomerFacts } from '../domain/case/facts.ts';
import { formatAmount } from '../domain/money.ts';
import { localDate } from '../domain/time/zones.ts';
import { unwritten, writeMessage, type MessageOrder } from './write-message.ts';

/**
 * Writes a call or letter task again after money or credit changed what is asked: the old one was cancelled in the
 * transaction that brought the money. It is no new contact.
 */
export async function redrawTask(
  tx: Tx,
  act: Act,
  one: TurningCase,
  facts: CaseFacts,
  customer: CustomerFacts,
  stepKey: string,
): Promise<void> {
  const step = stepByKey(facts.policy, stepKey);
  const record = facts.steps.find((s) => s.step === stepKey && s.redraw);
  if (!step || !record || record.channel === 'email') return;
  const amountMinor = standing(facts, localDate(act.at, customer.creditorZone)).asksMinor;
  const { customerId, invoiceId } = one;
  const message = await writtenOrNull(tx, {
    customerId,
    template: step.template,
    tone: step.tone,
    channel: record.channel,
    roles: step.to,
    to: [],
    cc: [],
    today: localDate(act.at, customer.creditorZone),
    items: [{ invoiceId, amountMinor, currency: facts.currency }],
  });
  if (message === null) {
    await tellNotWritten(tx, act, { ...one, step: stepKey, occurrence: record.occurrence, code: 'templateFailed' });
    return;
  }
  await openStepTask(tx, act, {
    creditorId: one.creditorId,
    customerId: one.customerId,
    invoiceId: one.invoiceId,
    contactId: null,
    channel: record.channel,
    step: stepKey,
    occurrence: record.occurrence,
    drawing: await drawingsOf(tx, one.invoiceId, stepKey),
    subject: message.subject,
    body: message.text,
    amount: formatAmount(amountMinor, facts.currency),
    currency: facts.currency,
    phone: message.phone,
  });
}

async function writtenOrNull(tx: Tx, order: MessageOrder): Promise<Awaited<ReturnType<typeof writeMessage>> | null> {
  try {
    return await writeMessage(tx, order);
  } catch (error) {
    if (unwritten(error) === null) throw error;
    return null;
  }
}
