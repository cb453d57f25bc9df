import type { CompensationRule, CountryLaw, InterestRule } from '../country-law.ts';

const BUSINESS: InterestRule = {
  regime: 'gbBusiness',
  series: 'gbBankRate',
  margin: '8',
  mode: 'fixed',
  runsFrom: 'due',
  // A substantial contractual remedy takes the place of statutory interest (sections 8 and 9 of the Act).
  contract: {},
  source: 'Late Payment of Commercial Debts (Interest) Act 1998; SI 2002/1675',
};

const BANDS: CompensationRule = {
  currency: 'GBP',
  bands: [
    { below: '1000.00', amount: '40.00' },
    { below: '10000.00', amount: '70.00' },
    { below: null, amount: '100.00' },
  ],
  perInstalment: false,
  notAfterJudgment: false,
  source: 'Late Payment of Commercial Debts (Interest) Act 1998, section 5A',
};

export const UNITED_KINGDOM: CountryLaw = {
  country: 'GB',
  interest: { business: BUSINESS, publicBody: { ...BUSINESS, regime: 'gbPublicBody' }, consumer: null },
  compensation: { business: BANDS, publicBody: BANDS, consumer: null },
  imputation: {
    // The debtor's choice, else the creditor's: without one of the creditor's, what is kindest to the debtor.
    order: ['principal', 'interest', 'compensation', 'costs'],
    several: ['due', 'oldest'],
    source: 'common law: the payer appropriates, else the creditor',
  },
  dueDateRolls: false,
};
