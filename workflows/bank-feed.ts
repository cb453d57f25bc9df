import {
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { drainOptions, fetchOptions } from './activity-options.ts';
import { pokeSignal } from './messages.ts';

const { drainFeed } = proxyActivities<Pick<Activities, 'drainFeed'>>({ ...drainOptions, summary: 'drain inbox' });
const { fetchForFeed } = proxyActivities<Pick<Activities, 'fetchForFeed'>>({
  ...fetchOptions,
  summary: 'ask the provider',
});

export interface BankFeedInput {
  feedId: string;
}

/**
 * Applies what a bank account's feed brought, in the order it came. Webhooks only write the inbox and poke; one feed is
 * drained by one workflow, so its transactions never overtake each other (design rule 4). Where a message only says that
 * something happened the provider is asked what; while it does not answer, the loop waits for that too.
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
  let pauseMs: number | null = null;
  for (;;) {
    await somethingToDo(() => poked, pauseMs);
    poked = false;
    const { applied, left, toFetch } = await drainFeed({ feedId });
    const asked = toFetch ? await fetchForFeed({ feedId }) : null;
    pauseMs = asked?.waitMs ?? null;
    if (left > 0 || (asked?.taken ?? 0) > 0) poked = true;
    setCurrentDetails(details(applied, left, asked));
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof bankFeed>({ feedId });
  }
}

/** A poke, or the moment from which the provider may be asked again. */
async function somethingToDo(isPoked: () => boolean, pauseMs: number | null): Promise<void> {
  if (isPoked() || pauseMs === 0) return;
  if (pauseMs === null) await condition(isPoked);
  else await condition(isPoked, pauseMs, { summary: 'until the provider is asked again' });
}

/** What the UI shows of the feed. */
function details(applied: number, left: number, asked: { toFetch: number; waitMs: number | null } | null): string {
  const drained = `**Last batch** ${applied} · **backlog** ${left}`;
  if (!asked) return drained;
  const pause = asked.waitMs ? ` · **asked again in** ${Math.ceil(asked.waitMs / 1000)} s` : '';
  return `${drained} · **to fetch** ${asked.toFetch}${pause}`;
}
