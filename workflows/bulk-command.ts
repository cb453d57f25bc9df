import { proxyActivities, sleep } from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { backgroundOptions } from './activity-options.ts';

const { commandCases } = proxyActivities<Pick<Activities, 'commandCases'>>({
  ...backgroundOptions,
  summary: 'ask each case',
});

/** How often, and after how long in real time, cases are asked again that have not answered. */
const ROUNDS = 30;
const PAUSE = '10 seconds';

/** Hands one command to each case that the dry run listed. */
export async function bulkCommand({ bulkId }: { bulkId: string }): Promise<void> {
  for (let round = 1; ; round++) {
    const { left } = await commandCases({ bulkId, isLastRound: round === ROUNDS });
    if (left === 0) return;
    await sleep(PAUSE, { summary: 'cases have not answered yet' });
  }
}
