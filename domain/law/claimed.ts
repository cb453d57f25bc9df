import type { ClaimPart } from './country-law.ts';
import { impute, NO_PARTS, sumOfParts, type Parts } from './imputation.ts';
import { FORMAL_NOTICE } from '../case/requests.ts';
import type { InterestPolicy } from '../policy/types.ts';
import { amountFor } from '../money.ts';
import { addDays, type LocalDate } from '../time/dates.ts';
import type { Claim } from './claim.ts';

/** What decides from when a policy claims interest. */
export interface ClaimStart {
  dueOn: LocalDate;
  /** The day a formal notice left; null before. */
  noticeLeftOn: LocalDate | null;
  /** The day the step named by `interest.claim` left; null before. */
  stepLeftOn: LocalDate | null;
}

/**
 * The first day on which the policy claims interest, compensation and costs: from then on they take part in the
 * imputation of payments. Null while, or where, it does not.
 */
export function claimedFrom(policy: InterestPolicy | null, start: ClaimStart): LocalDate | null {
  switch (policy?.claim) {
    case undefined:
    case 'never':
      return null;
    case 'always':
      return addDays(start.dueOn, 1);
    case 'fromNotice':
      return start.noticeLeftOn;
    default:
      return start.stepLeftOn;
  }
}

/**
 * Whether a message of `today` claims more than the principal: its invoice's policy does by then, or the step that the
 * message takes is the one it begins with.
 */
export function asksWithClaim(
  policy: InterestPolicy | null,
  from: LocalDate | null,
  step: string | null,
  today: LocalDate,
): boolean {
  if (policy === null || policy.claim === 'never') return false;
  if (from !== null && from <= today) return true;
  return step !== null && step === (policy.claim === 'fromNotice' ? FORMAL_NOTICE : policy.claim);
}

/** The open parts of a claim, as imputation sees them. */
export const partsOf = (claim: Claim): Parts => ({
  costs: claim.costsMinor,
  interest: claim.interestMinor,
  principal: claim.principalMinor,
  compensation: claim.compensationMinor,
});

/** What a payment does to a claim. Minor units. */
export interface Imputed {
  parts: Parts;
  /** What exceeds all that is claimed. */
  restMinor: bigint;
  /** What becomes of the accessories that are open still, if nothing of the principal is. */
  onceSettled: OnceSettled;
}

/** Claimed accessories beside a principal of which nothing is open any more, paid or given up. Minor units. */
export interface OnceSettled {
  /** They end unpaid, since the policy drops them. */
  waived: Parts;
  /** They stay claimed. */
  leftMinor: bigint;
}

export const NOTHING_CLAIMED: OnceSettled = { waived: NO_PARTS, leftMinor: 0n };

/**
 * What a payment extinguishes where the policy claims interest: the law's order, except that where the policy waives what
 * is open once the principal is paid, money that covers the principal goes to it first. Less than `minimum` is always
 * waived then. The creditor may renounce an order that favours it alone. Under an instalment plan (`underPlan`) the principal
 * comes first too: it is what was agreed on, and money counts for the plan first.
 */
export function imputeClaimed(
  amountMinor: bigint,
  claim: Claim,
  order: readonly ClaimPart[],
  policy: InterestPolicy,
  underPlan = false,
): Imputed {
  const open = partsOf(claim);
  const waives = policy.whenPrincipalPaid === 'waive' && amountMinor >= open.principal;
  const principalFirst = waives || underPlan;
  const { parts, restMinor } = impute(
    amountMinor,
    open,
    principalFirst ? ['principal', ...order.filter((part) => part !== 'principal')] : order,
  );
  const left: Parts = {
    costs: open.costs - parts.costs,
    interest: open.interest - parts.interest,
    principal: 0n,
    compensation: open.compensation - parts.compensation,
  };
  return { parts, restMinor, onceSettled: onceSettled(left, policy, claim.currency) };
}

function onceSettled(left: Parts, policy: InterestPolicy, currency: string): OnceSettled {
  const leftMinor = sumOfParts(left);
  const minimum = amountFor(policy.minimum, currency) ?? 0n;
  const drops = policy.whenPrincipalPaid === 'waive' || leftMinor < minimum;
  return drops ? { waived: left, leftMinor: 0n } : { waived: NO_PARTS, leftMinor };
}
