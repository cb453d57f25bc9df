import type { CaseTaskKind } from './decision.ts';
import type { CaseFacts } from './facts.ts';

/** How `tasksOpened` remembers a task of this run. */
export function onceKey(facts: CaseFacts, task: CaseTaskKind): string {
  if (task !== 'ladderEnded') return task;
  if (facts.placement?.status === 'givenUp' || facts.placement?.status === 'active') return 'ladderEnded:placed';
  return facts.notice === null ? 'ladderEnded' : 'ladderEnded:formalNotice';
}
