import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { BusinessClock } from '../../activities/deps.ts';
import type { Db } from '../../db/database.ts';
import { claimStrays, ringAgain, type Stray } from '../../db/repositories/strays.ts';
import { caseWorkflowId } from '../../workflows/ids.ts';
import { startRelay, type Relay } from './loop.ts';

const EVERY_MS = 5_000;
const TOUCH_MS = 500;

/**
 * Repairs what a crash left half done, and finds what should not exist: cases that never started or overslept, requests
 * that nobody poked outreach for, inbox rows that nobody drains. It also notes the business clock, so that compressed
 * time goes on from there after a crash.
 */
export function startSweep(deps: {
  db: Db;
  client: Client;
  clock: BusinessClock;
  log: Logger;
  touch: () => Promise<void>;
}): Relay {
  let lastSweep = 0;
  return startRelay('sweep', deps.log, async () => {
    await deps.touch();
    if (Date.now() - lastSweep >= EVERY_MS) {
      lastSweep = Date.now();
      await sweep(deps);
    }
    return { worked: false, pauseMs: TOUCH_MS };
  });
}

async function sweep(deps: { db: Db; client: Client; clock: BusinessClock; log: Logger }): Promise<void> {
  const strays = await claimStrays(deps.db, deps.clock.now(), deps.clock.setting.dayMs);
  if (strays.length === 0) return;
  for (const stray of strays) {
    const restart = stray.kind === 'case' && !(await runs(deps.client, stray));
    await ringAgain(deps.db, stray, restart);
  }
  deps.log.warn({ strays: strays.length, kinds: [...new Set(strays.map((s) => s.kind))] }, 'the sweep rang again');
}

async function runs(client: Client, stray: Stray): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(caseWorkflowId(stray.id)).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
