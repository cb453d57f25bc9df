import { DomainError } from '../errors.ts';
import type { Policy, Step } from './types.ts';

/** The step with that key, `null` when the policy has none. */
export function stepByKey(policy: Policy, key: string): Step | null {
  return policy.steps.find((step) => step.key === key) ?? null;
}

/** The step with that key; throws `unknownStep`, naming the steps there are. */
export function validateStepOf(policy: Policy, key: string): Step {
  const step = stepByKey(policy, key);
  if (step) return step;
  const keys = policy.steps.map((known) => known.key).join(', ');
  throw new DomainError('unknownStep', `The policy ${policy.name} has no such step; it has: ${keys}.`);
}

/** Whether the step speaks of an invoice that is not due yet; such a step never leaves on or after the due date. */
export function isBeforeDue(step: Pick<Step, 'from' | 'day' | 'template'>): boolean {
  return step.template === 'before-due' || (step.from === 'due' && step.day < 0);
}
