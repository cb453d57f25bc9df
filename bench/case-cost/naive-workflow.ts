import { CancellationScope, condition, isCancellation, proxyActivities, setHandler, sleep } from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineSignal, upsertSearchAttributes } from '@temporalio/workflow';
import type { NaiveActivities } from './naive-activities.ts';

/**
 * The twin that one would write first: an activity per effect, an upsert per step, and a timer that every message cancels
 * and sets again. It takes the same number of steps and hears the same messages as the case it is compared with.
 */
export const paidSignal = defineSignal<[{ id: string; closes: boolean }]>('paid');

const activities = proxyActivities<NaiveActivities>({ startToCloseTimeout: '20 seconds' });
const nextAction = defineSearchAttributeKey('NextAction', SearchAttributeType.KEYWORD);

export async function naiveCase(input: { invoiceId: string; steps: number; everyMs: number }): Promise<void> {
  const { invoiceId } = input;
  let closed = false;
  let disturb: (() => void) | null = null;
  setHandler(paidSignal, ({ closes }) => {
    if (closes) closed = true;
    disturb?.();
  });

  for (let step = 1; step <= input.steps && !closed; step++) {
    await waitFor(input.everyMs);
    if (closed) break;
    const { open } = await activities.loadInvoice({ invoiceId });
    if (!open) break;
    const { allowed } = await activities.checkHolds({ invoiceId });
    if (!allowed) continue;
    const { contactId } = await activities.renderMessage({ invoiceId, step });
    await activities.sendMessage({ contactId });
    await activities.recordContact({ contactId });
    upsertSearchAttributes([{ key: nextAction, value: `step ${step + 1}` }]);
  }
  await condition(() => closed);

  /** Sleeps until the step falls due; a message sets the timer anew for what is left. */
  async function waitFor(ms: number): Promise<void> {
    const due = Date.now() + ms;
    while (!closed && Date.now() < due) {
      const scope = new CancellationScope();
      disturb = () => scope.cancel();
      try {
        await scope.run(() => sleep(Math.max(1, due - Date.now())));
      } catch (error) {
        if (!isCancellation(error)) throw error;
      }
      disturb = null;
    }
  }
}
