import type { Decision } from './types.ts';

/** How a decision agrees with where the money stands: the same shares, others, or a person would look. */
export function useOf(
  decision: Decision,
  standing: readonly { invoiceId: string; amountMinor: bigint }[],
): 'same' | 'other' | 'review' {
  if (decision.kind === 'review') return 'review';
  const { shares } = decision.proposal;
  const same =
    shares.length === standing.length &&
    shares.every((share) =>
      standing.some((one) => one.invoiceId === share.invoiceId && one.amountMinor === share.amountMinor),
    );
  return same ? 'same' : 'other';
}
