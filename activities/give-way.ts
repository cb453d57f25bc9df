import { setTimeout as pause } from 'node:timers/promises';
import type { Db } from '../db/database.ts';
import { isOutboxBusy } from '../db/repositories/outbox.ts';
import { stayAlive } from './import-alive.ts';

/** Messages to Temporal that may wait when the next part of a long work begins. */
const MAY_WAIT = 100;
const PAUSE_MS = 100;
/** Real time after which it goes on all the same: a message may wait for long because its receiver is away. */
const PATIENCE_MS = 10_000;

/**
 * Between the parts of what is done to thousands of cases: lets payments and single commands go first, tells Temporal
 * that the work goes on, and ends it when it was cancelled. `rows` is how many are done.
 */
export async function giveWay(db: Db, rows: number): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    await stayAlive({ rows });
    if (!(await isOutboxBusy(db, MAY_WAIT)) || performance.now() > end) return;
    await pause(PAUSE_MS);
  }
}
