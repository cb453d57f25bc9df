import { createDeliverToAgency } from './deliver-to-agency.ts';
import { createCommandCases } from './command-cases.ts';
import { createDrainFeed } from './drain-feed.ts';
import type { ActivityDeps } from './deps.ts';
import { createFetchForFeed } from './fetch-feed.ts';
import { createPlanOutreach } from './plan-outreach.ts';
import { createMoveCases, createPlanRollout } from './roll-out.ts';
import { createRunImport } from './run-import.ts';
import { createTurn } from './turn.ts';

export type { TurnInput, TurnResult } from './turn.ts';
export type { OutreachResult } from './plan-outreach.ts';
export type { ActivityDeps, BusinessClock } from './deps.ts';

/** Everything workflows may ask for, over the given dependencies. Each is idempotent: Temporal may run it again. */
export function createActivities(deps: ActivityDeps) {
  return {
    turn: createTurn(deps),
    planOutreach: createPlanOutreach(deps),
    drainFeed: createDrainFeed(deps),
    fetchForFeed: createFetchForFeed(deps),
    deliverToAgency: createDeliverToAgency(deps),
    runImport: createRunImport(deps),
    planRollout: createPlanRollout(deps),
    moveCases: createMoveCases(deps),
    commandCases: createCommandCases(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
