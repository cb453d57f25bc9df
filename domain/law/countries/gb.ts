import type { CompensationRule, CountryLaw, InterestRule } from '../country-law.ts';
import type { LimitationRule } from '../limitation.ts';

const PUBLIC_BODY: InterestRule = {
  regime: 'gbPublicBody',
  series: 'gbBankRate',
  margin: '8',
  mode: 'fixed',
  runsFrom: 'due',
  source: 'Late Payment of Commercial Debts (Interest) Act 1998; SI 2002/1675',
};

/** A substantial contractual remedy takes the place of statutory interest (sections 8 and 9 of the Act). */
const BUSINESS: InterestRule = { ...PUBLIC_BODY, regime: 'gbBusiness', contract: {} };

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

/** A signed acknowledgement or a part payment starts it anew; unconfirmed, so a person confirms each. */
const ACKNOWLEDGED = { effect: 'restarts', source: 'Limitation Act 1980, sections 29, 30 (unconfirmed)' } as const;

const LIMITATION: LimitationRule = {
  years: 6,
  endOfYear: false,
  source: 'Limitation Act 1980',
  events: { acknowledgement: ACKNOWLEDGED, partPayment: ACKNOWLEDGED },
  longStop: null,
  contract: null,
};

export const UNITED_KINGDOM: CountryLaw = {
  country: 'GB',
  interest: { business: BUSINESS, publicBody: PUBLIC_BODY, consumer: null },
  compensation: { business: BANDS, publicBody: BANDS, consumer: null },
  imputation: {
    // The debtor's choice, else the creditor's: without one of the creditor's, what is kindest to the debtor.
    order: ['principal', 'interest', 'compensation', 'costs'],
    several: ['due', 'oldest'],
    source: 'common law: the payer appropriates, else the creditor',
  },
  dueDateRolls: false,
  limitation: { business: LIMITATION, consumer: LIMITATION, publicBody: LIMITATION },
  paymentTerms: null,
  invoiceMentions: null,
  notice: {
    title: 'Formal notice to pay',
    texts: [],
    deadline: /within \d+ days of receipt|by .+ at the latest|on receipt of this/,
    whatFollows: /steps the law provides/,
    source: 'no text prescribes its form',
  },
  // No text is known here that moves the last day of a letter; that it moves is our policy.
  deadlines: { movesOffFreeDays: true, source: 'policy' },
  legalSteps: [
    {
      code: 'preActionLetter',
      text: 'A letter before action that leaves 30 days (individuals and sole traders; unconfirmed).',
      source: 'Pre-Action Protocol for Debt Claims (unconfirmed)',
      upTo: null,
      against: ['consumer'],
    },
    {
      code: 'courtClaim',
      text: 'A claim before the county court.',
      source: 'Limitation Act 1980',
      upTo: null,
      against: null,
    },
  ],
};
