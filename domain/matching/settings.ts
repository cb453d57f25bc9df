import { amountFor } from '../money.ts';
import type { AmountsByCurrency } from '../policy/types.ts';
import { RULES, type MatchingSettings, type Rule, type RuleMode } from './types.ts';

/**
 * What each rule may do unless the creditor says otherwise: the surest ones apply by themselves; sums that nobody named,
 * differences and single slips of the pen are proposed to a person.
 */
export const DEFAULT_MODES: Readonly<Record<Rule, RuleMode>> = {
  structuredReference: 'automatic',
  numbersEqualSum: 'automatic',
  discountInTime: 'automatic',
  numberLowerAmount: 'automatic',
  payerUniqueAmount: 'automatic',
  nearNumbersEqualSum: 'automatic',
  twoNumbersAgree: 'automatic',
  remittanceAdvice: 'automatic',
  completion: 'propose',
  subsetSum: 'propose',
  tolerance: 'propose',
  bankFees: 'propose',
  numbersExceeded: 'automatic',
  nearNumberLowerAmount: 'propose',
  numbersShared: 'propose',
};

const all = (mode: RuleMode): Readonly<Record<Rule, RuleMode>> =>
  Object.fromEntries(RULES.map((rule) => [rule, mode])) as Record<Rule, RuleMode>;

/** Every rule applies what it alone finds. */
export const ALL_AUTOMATIC = all('automatic');

/** A person confirms everything. */
export const ALL_PROPOSE = all('propose');

/** What a creditor says of matching. Rules that are left out do what they do by default. */
export interface MatchingDocument {
  modes: Partial<Record<Rule, RuleMode>>;
  /** Fees that a payer's bank may keep at most, by currency; none where a currency is not listed. */
  bankFees: AmountsByCurrency;
}

export const DEFAULT_MATCHING: MatchingDocument = { modes: {}, bankFees: {} };

/** What counts for a payment in this currency. */
export const settingsOf = (document: MatchingDocument, currency: string): MatchingSettings => ({
  modes: { ...DEFAULT_MODES, ...document.modes },
  feesMinor: amountFor(document.bankFees, currency) ?? 0n,
});
