import type { StepFact } from './facts.ts';

/** What changes the amount that a call is about. */
const CHANGES_AMOUNT: readonly string[] = ['paymentAllocated', 'creditNoted', 'allocationReversed'];

/**
 * Whether the call of a step is to be written again with the new amount: it was taken back since money or credit came in or
 * was undone. Whatever else took it back, it stays so. `why` is the reason in its task's outcome.
 */
export const isRedrawn = (
  step: { status: string; channel: StepFact['channel'] },
  taskStatus: string | null,
  why: string | null,
): boolean =>
  step.status === 'left' &&
  step.channel === 'call' &&
  taskStatus === 'cancelled' &&
  why !== null &&
  CHANGES_AMOUNT.includes(why);
