import {
  condition,
  continueAsNew,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { shortTransaction } from './activity-options.ts';
import { pokeSignal } from './messages.ts';
import { WakeTimer } from './wake-timer.ts';

const { planOutreach } = proxyLocalActivities<Pick<Activities, 'planOutreach'>>({
  ...shortTransaction,
  summary: 'plan contacts',
});

export interface OutreachInput {
  customerId: string;
}

/**
 * The single mouth towards one customer. A poke or the timer makes it look at what the customer's cases ask to be sent;
 * what may leave now is queued in one transaction, the relay sends it, and the timer is set for what has to wait. It
 * keeps nothing of its own, so it can continue as new whenever no poke is unheard.
 */
export async function customerOutreach({ customerId }: OutreachInput): Promise<void> {
  const timer = new WakeTimer();
  let poked = true;
  setHandler(
    pokeSignal,
    () => {
      poked = true;
    },
    { description: 'A case asks for a contact, or something that was asked is no longer true.' },
  );

  for (;;) {
    await condition(() => poked || timer.fired !== null);
    poked = false;
    timer.fired = null;
    const result = await planOutreach({ customerId });
    timer.arm(result.wakeAt, result.wakeInMs ?? 0, result.collecting ? 'collecting' : 'next allowed moment');
    setCurrentDetails(`**Waiting** ${result.waiting} · **next look** ${result.wakeAt ?? 'when a case asks'}`);
    if (workflowInfo().continueAsNewSuggested && !poked && timer.fired === null) {
      await continueAsNew<typeof customerOutreach>({ customerId });
    }
  }
}
