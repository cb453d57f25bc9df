import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { BusinessClock } from '../../activities/deps.ts';
import type { Db } from '../../db/database.ts';
import { lookAgainAtMissed } from '../../db/repositories/look-again.ts';
import { claimStrays, ringAgain, type Stray } from '../../db/repositories/strays.ts';
import { caseWorkflowId, outreachWorkflowId } from '../../workflows/ids.ts';
import { startRelay, type Relay } from './loop.ts';

const EVERY_MS = 5_000;
const TOUCH_MS = 500;
/** One that does not move although it was rung is rung less and less often, in real time. */
const LONGEST_SILENCE_MS = 3_600_000;

/**
 * Repairs what a crash left half done, and finds what should not exist: cases that never started or overslept, requests
 * that nobody poked outreach for, inbox rows that nobody drains, messages that no agency is told. It also notes the business clock, so that compressed
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
  const rung: RungBefore = new Map();
  return startRelay('sweep', deps.log, async () => {
    await deps.touch();
    if (Date.now() - lastSweep >= EVERY_MS) {
      lastSweep = Date.now();
      await sweep(deps, rung);
      await lookAgainAtMissed(deps.db);
    }
    return { worked: false, pauseMs: TOUCH_MS };
  });
}

/** When each stray was last rung, and how long it is left alone since; milliseconds of the real clock. */
export type RungBefore = Map<string, { at: number; silence: number }>;

/** One sweep; returns what it rang for. */
export async function sweep(
  deps: { db: Db; client: Client; clock: BusinessClock; log: Pick<Logger, 'warn'> },
  rung: RungBefore,
): Promise<Stray[]> {
  const strays = await claimStrays(deps.db, deps.clock.now(), deps.clock.setting.dayMs);
  const rang: Stray[] = [];
  for (const stray of strays) {
    if (!isTurnOf(rung, stray)) continue;
    const state = await stateOf(deps.client, stray);
    // Its turn is queued behind others: a message would only be one more thing to do.
    if (state === 'busy' || (stray.fresh && state === 'waits')) continue;
    const restart = stray.kind === 'case' && state === 'gone';
    await ringAgain(deps.db, stray, restart);
    rang.push(stray);
  }
  forgetOthers(rung, strays);
  if (rang.length > 0) {
    deps.log.warn({ strays: rang.length, kinds: [...new Set(rang.map((s) => s.kind))] }, 'the sweep rang again');
  }
  return rang;
}

function isTurnOf(rung: RungBefore, stray: Stray): boolean {
  const now = Date.now();
  const before = rung.get(keyOf(stray));
  if (before && now < before.at + before.silence) return false;
  rung.set(keyOf(stray), { at: now, silence: Math.min(LONGEST_SILENCE_MS, (before?.silence ?? EVERY_MS) * 2) });
  return true;
}

/** What moves again is forgotten. */
function forgetOthers(rung: RungBefore, strays: readonly Stray[]): void {
  const still = new Set(strays.map(keyOf));
  for (const key of rung.keys()) if (!still.has(key)) rung.delete(key);
}

const keyOf = ({ kind, id, run }: Stray): string => `${kind} ${id} ${run}`;

/** Whether the workflow of a case or of outreach runs, and whether it has a task that is queued or under way. */
async function stateOf(client: Client, stray: Stray): Promise<'gone' | 'waits' | 'busy'> {
  if (stray.kind !== 'case' && stray.kind !== 'outreach') return 'waits';
  const workflowId = stray.kind === 'case' ? caseWorkflowId(stray.id) : outreachWorkflowId(stray.id);
  try {
    const { status, raw } = await client.workflow.getHandle(workflowId).describe();
    if (status.name !== 'RUNNING') return 'gone';
    return raw.pendingWorkflowTask ? 'busy' : 'waits';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'gone';
    throw error;
  }
}
