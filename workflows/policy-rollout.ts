import { proxyActivities, sleep } from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { backgroundOptions } from './activity-options.ts';

const { planRollout } = proxyActivities<Pick<Activities, 'planRollout'>>({
  ...backgroundOptions,
  summary: 'list what changes',
});
const { moveCases } = proxyActivities<Pick<Activities, 'moveCases'>>({ ...backgroundOptions, summary: 'move cases' });

/** How often, and after how long in real time, cases are tried again of which a message was just leaving. */
const ROUNDS = 20;
const PAUSE = '30 seconds';

/** Lists what a roll-out of a policy changes for each case and, unless that was all that was asked, moves them. */
export async function policyRollout({ rolloutId }: { rolloutId: string }): Promise<void> {
  const { moves } = await planRollout({ rolloutId });
  for (let round = 1; moves; round++) {
    const { left } = await moveCases({ rolloutId, isLastRound: round === ROUNDS });
    if (left === 0) return;
    await sleep(PAUSE, { summary: 'messages are leaving' });
  }
}
