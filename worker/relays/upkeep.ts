import type { Logger } from 'pino';
import type { BusinessClock } from '../../activities/deps.ts';
import type { Db } from '../../db/database.ts';
import { creditorsForUpkeep } from '../../db/repositories/creditors.ts';
import { anchorCreditor, type Head } from '../../db/repositories/heads.ts';
import { dropPaidDays, FOLD_AT_ONCE, foldReceivables } from '../../db/repositories/receivable-sums.ts';
import { applyRetention } from '../../db/repositories/retention.ts';
import { localDate } from '../../domain/time/zones.ts';
import { startRelay, type Relay } from './loop.ts';

const EVERY_MS = 5_000;

export interface UpkeepDeps {
  db: Db;
  clock: BusinessClock;
  log: Pick<Logger, 'info'>;
}

/** What was done for each creditor so far, by its id: the creditor's date of its last upkeep. */
export type UpkeepDone = Map<string, string>;

/**
 * What has time, off the way of everything else: every few seconds what was posted is folded into the sums of the aged balance
 * (`receivable-sums.ts`); once a business day a head is set over the chains of each creditor (`heads.ts`), and what was kept
 * long enough is erased (`retention.ts`).
 */
export function startUpkeep(deps: UpkeepDeps & { log: Logger }): Relay {
  const done: UpkeepDone = new Map();
  return startRelay('upkeep', deps.log, async () => {
    const more = await upkeep(deps, done);
    return { worked: more, pauseMs: EVERY_MS };
  });
}

/** One round. True where something is left to fold or to erase: the next round goes on. */
export async function upkeep({ db, clock, log }: UpkeepDeps, done: UpkeepDone): Promise<boolean> {
  const now = clock.now();
  let more = (await foldReceivables(db)) === FOLD_AT_ONCE;
  let newDay = false;
  for (const creditor of await creditorsForUpkeep(db)) {
    const today = localDate(now, creditor.time_zone);
    if (done.get(creditor.id) === today) continue;
    newDay = true;
    const head = await anchorCreditor(db, creditor, now);
    if (head) tell(log, head);
    const left = await applyRetention(db, creditor, now);
    if (left) more = true;
    else done.set(creditor.id, today);
  }
  if (newDay) await dropPaidDays(db);
  return more;
}

/** The log leaves the machine: a head that stands there cannot be rewritten with the rest. */
function tell(log: Pick<Logger, 'info'>, head: Head): void {
  log.info({ creditor: head.creditorId, head: head.n, cases: head.cases, hash: head.hash }, 'the chains were anchored');
}
