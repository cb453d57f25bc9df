/** A step before a court or a bailiff that a creditor can take next. */
export interface LegalStep {
  code: 'smallClaims' | 'paymentOrder' | 'courtClaim' | 'preActionLetter';
  /** For whoever decides. */
  text: string;
  source: string;
  /** What the step is open to; null: no ceiling. Minor units of `currency`. */
  upTo: { amountMinor: bigint; currency: string } | null;
  /** Only against these debtors; null: against all. */
  against: readonly ('business' | 'consumer' | 'publicBody')[] | null;
}

/**
 * The steps that are open for an amount, in the order in which they are listed for the country: the first is the one that
 * is proposed. A ceiling in another currency is not converted: the step is left out.
 */
export function openSteps(
  steps: readonly LegalStep[],
  claim: { kind: 'business' | 'consumer' | 'publicBody'; amountMinor: bigint; currency: string },
): LegalStep[] {
  return steps.filter(
    ({ upTo, against }) =>
      (against === null || against.includes(claim.kind)) &&
      (upTo === null || (upTo.currency === claim.currency && claim.amountMinor <= upTo.amountMinor)),
  );
}
