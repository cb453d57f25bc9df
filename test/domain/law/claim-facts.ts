import type { ClaimFacts } from '../../../domain/law/claim.ts';

/** An invoice of V1 in our legal reference: 12,000 EUR due on 30 April 2025, a French business, nothing paid. */
export const claimFacts = (own: Partial<ClaimFacts> = {}): ClaimFacts => ({
  country: 'FR',
  kind: 'business',
  currency: 'EUR',
  amountMinor: 1_200_000n,
  dueOn: '2025-04-30',
  contractRate: null,
  movements: [],
  accessories: [],
  costs: [],
  noticeReceivedOn: null,
  judgmentOn: null,
  lateInstalments: [],
  holidays: new Set(),
  ...own,
});
