import type { Act } from '../act.ts';
import type { Tx } from '../database.ts';
import { appendEvent } from './events.ts';
import { wakeCases } from './outbox.ts';
import { openTask } from './tasks.ts';

/**
 * Steps that could not be written, whatever the reason: they count as tried, so that neither their cases nor the other
 * messages of the customer wait for them, and a person is told. `code` says why.
 */
export async function failUnwritten(
  tx: Tx,
  act: Act,
  customerId: string,
  items: readonly { invoiceId: string; step: string; occurrence: number }[],
  code: string,
): Promise<void> {
  const { creditor_id: creditorId } = await tx
    .selectFrom('customers')
    .select('creditor_id')
    .where('id', '=', customerId)
    .executeTakeFirstOrThrow();
  for (const item of [...items].sort((a, b) => (a.invoiceId < b.invoiceId ? -1 : 1))) {
    await tx
      .updateTable('case_steps')
      .set({ status: 'failed', reason: code })
      .where('invoice_id', '=', item.invoiceId)
      .where('step', '=', item.step)
      .where('occurrence', '=', item.occurrence)
      .where('status', '=', 'requested')
      .execute();
    await appendEvent(tx, act, {
      invoiceId: item.invoiceId,
      kind: 'contactFailed',
      data: { step: item.step, code },
    });
    await tellNotWritten(tx, act, { creditorId, customerId, ...item, code });
  }
  await wakeCases(
    tx,
    items.map((i) => i.invoiceId),
  );
}

/** Where something else than the text is in the way. */
const WHY: Readonly<Record<string, string>> = {
  collectorSetIncomplete:
    'Collecting for others needs insurance, a dedicated account, a declaration and a mandate that are in force (CPCE ' +
    'R124-2, R124-3). Complete `collectsFor` of the creditor; nothing is written before.',
  collectorLetterFirst:
    'Whoever collects for others presents itself by a letter first (CPCE R124-4). Send a letter step before any other.',
};

/** A text could not be made from its template: a person writes instead. */
export async function tellNotWritten(
  tx: Tx,
  act: Act,
  what: {
    creditorId: string;
    customerId: string;
    invoiceId: string;
    step: string;
    occurrence: number;
    code: string;
  },
): Promise<void> {
  const { creditorId, customerId, invoiceId, step, occurrence, code } = what;
  await openTask(tx, act, {
    creditorId,
    customerId,
    invoiceId,
    kind: 'notWritten',
    key: `notWritten:${invoiceId}:${step}:${occurrence}`,
    step,
    subject: `The step ${step} could not be written`,
    body: WHY[code] ?? 'Its template could not be filled in from what is on record. Write to the customer by hand.',
    data: { step, code },
    dueAt: act.at,
  });
}
