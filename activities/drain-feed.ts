import { heartbeat, sleep } from '@temporalio/activity';
import { drainFeed } from '../db/repositories/bank-transactions.ts';
import { fetchesLeft } from '../db/repositories/feed-fetches.ts';
import type { ActivityDeps } from './deps.ts';

export interface DrainResult {
  applied: number;
  /** What can be applied and was not yet. */
  left: number;
  /** Messages whose provider must be asked; absent in what was drained before there were any. */
  toFetch?: number;
}

/** Rows of the inbox handled by one call; the workflow calls again while some are left. */
const BATCH = 500;
/** Between two heartbeats; each row of the bank is a transaction of its own. */
const SLICE = 25;
/** Between two looks at a feed into which a file is being taken. */
const PAUSE_MS = 200;

/** Applies what a bank told us: normalise, match, post, allocate, each row in one transaction. */
export function createDrainFeed(deps: ActivityDeps) {
  return async function drain({ feedId }: { feedId: string }): Promise<DrainResult> {
    let applied = 0;
    for (;;) {
      const slice = await drainFeed(deps.db, feedId, {
        now: deps.clock.now(),
        holidays: (country, postalCode) => deps.holidaySet(country, postalCode),
        batch: SLICE,
        pause: () => {
          heartbeat(applied);
          return sleep(PAUSE_MS);
        },
      });
      applied += slice.applied;
      if (slice.left === 0 || slice.applied === 0 || applied >= BATCH) {
        const { toFetch } = await fetchesLeft(deps.db, feedId);
        return { applied, left: slice.left, toFetch };
      }
      heartbeat(applied);
    }
  };
}
