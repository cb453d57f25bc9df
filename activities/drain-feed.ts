import { heartbeat } from '@temporalio/activity';
import { drainFeed } from '../db/repositories/bank-transactions.ts';
import type { ActivityDeps } from './deps.ts';

/** Rows of the inbox handled by one call; the workflow calls again while some are left. */
const BATCH = 500;
/** Between two heartbeats; each row of the bank is a transaction of its own. */
const SLICE = 25;

/** Applies what a bank told us: normalise, match, post, allocate, each row in one transaction. */
export function createDrainFeed(deps: ActivityDeps) {
  return async function drain({ feedId }: { feedId: string }): Promise<{ applied: number; left: number }> {
    let applied = 0;
    for (;;) {
      const slice = await drainFeed(deps.db, feedId, {
        now: deps.clock.now(),
        holidays: (country, postalCode) => deps.holidaySet(country, postalCode),
        batch: SLICE,
      });
      applied += slice.applied;
      if (slice.left === 0 || slice.applied === 0 || applied >= BATCH) return { applied, left: slice.left };
      heartbeat(applied);
    }
  };
}
