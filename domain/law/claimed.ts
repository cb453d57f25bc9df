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

/** What a payment does to a claim, and what is left of it. Minor units. */
export interface Imputed {
  parts: Parts;
  /** What exceeds all that is claimed. */
  restMinor: bigint;
  /** Claimed accessories that end with this payment, since the principal is paid and the policy drops them. */
  waived: Parts;
  /** Claimed accessories that stay open although the principal is paid. */
  leftMinor: bigint;
}

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
  const principalPaid = parts.principal === open.principal;
  const left: Parts = {
    costs: open.costs - parts.costs,
    interest: open.interest - parts.interest,
    principal: 0n,
    compensation: open.compensation - parts.compensation,
  };
  const leftMinor = sumOfParts(left);
  const minimum = amountFor(policy.minimum, claim.currency) ?? 0n;
  const drops = principalPaid && leftMinor > 0n && (policy.whenPrincipalPaid === 'waive' || leftMinor < minimum);
  return {
    parts,
    restMinor,
    waived: drops ? left : NO_PARTS,
    leftMinor: principalPaid && !drops ? leftMinor : 0n,
  };
}
