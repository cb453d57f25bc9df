import { setImmediate } from 'node:timers/promises';
import { asyncLocalStorage } from '@temporalio/activity';

/**
 * Tells Temporal that the reading goes on, lets the process do other things, and ends the reading when the activity was
 * cancelled. Outside of an activity it only lets others run. `progress` is numbers only.
 */
export async function stayAlive(progress: { rows: number }): Promise<void> {
  await setImmediate();
  const context = asyncLocalStorage.getStore();
  if (!context) return;
  context.heartbeat(progress);
  if (context.cancellationSignal.aborted) await context.cancelled;
}
