import {
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { agencyOptions } from './activity-options.ts';
import { pokeSignal } from './messages.ts';

const { deliverToAgency } = proxyActivities<Pick<Activities, 'deliverToAgency'>>({
  ...agencyOptions,
  summary: 'tell agency',
});

export interface AgencyDeskInput {
  agencyId: string;
}

/**
 * Tells a collection agency what it has to know, in the order in which it arose: cases placed with it, new balances,
 * recalls. Whoever places or recalls only writes the message and pokes; an agency that does not answer is asked again
 * and again, by the retries of the activity, and what comes behind waits, so that no balance overtakes its case.
 */
export async function agencyDesk({ agencyId }: AgencyDeskInput): Promise<void> {
  let poked = true;
  setHandler(
    pokeSignal,
    () => {
      poked = true;
    },
    { description: 'There is something to tell this agency.' },
  );
  for (;;) {
    await condition(() => poked);
    poked = false;
    const { left } = await deliverToAgency({ agencyId });
    if (left > 0) poked = true;
    setCurrentDetails(`**Waiting** ${left}`);
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof agencyDesk>({ agencyId });
  }
}
