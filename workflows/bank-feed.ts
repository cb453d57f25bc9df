import {
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { drainOptions } from './activity-options.ts';
import { pokeSignal } from './messages.ts';

const { drainFeed } = proxyActivities<Pick<Activities, 'drainFeed'>>({ ...drainOptions, summary: 'drain inbox' });

export interface BankFeedInput {
  feedId: string;
}

/**
 * Applies what a bank account's feed brought, in the order it came. Webhooks only write the inbox and poke; one feed is
 * drained by one workflow, so its transactions never overtake each other (design rule 4).
 */
export async function bankFeed({ feedId }: BankFeedInput): Promise<void> {
  let poked = true;
  setHandler(
    pokeSignal,
    () => {
      poked = true;
    },
    { description: 'The inbox of this feed has something.' },
  );
  for (;;) {
    await condition(() => poked);
    poked = false;
    const { applied, left } = await drainFeed({ feedId });
    if (left > 0) poked = true;
    setCurrentDetails(`**Last batch** ${applied} · **backlog** ${left}`);
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof bankFeed>({ feedId });
  }
}
