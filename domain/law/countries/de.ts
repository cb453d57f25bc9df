import type { CompensationRule, CountryLaw, InterestRule } from '../country-law.ts';

/** Verzug by a date of the calendar (BGB § 286(2) no. 1): a due date is taken to be agreed. */
const BUSINESS: InterestRule = {
  regime: 'deBusiness',
  series: 'deBase',
  margin: '9',
  mode: 'floating',
  runsFrom: 'due',
  contract: {},
  source: 'BGB §§ 247, 286, 288(2)',
};

const FORTY_EUR: CompensationRule = {
  currency: 'EUR',
  bands: [{ below: null, amount: '40.00' }],
  perInstalment: true,
  notAfterJudgment: false,
  source: 'BGB § 288(5)',
};

export const GERMANY: CountryLaw = {
  country: 'DE',
  interest: {
    business: BUSINESS,
    publicBody: { ...BUSINESS, regime: 'dePublicBody' },
    consumer: {
      regime: 'deConsumer',
      series: 'deBase',
      margin: '5',
      mode: 'floating',
      runsFrom: 'due',
      source: 'BGB §§ 247, 286, 288(1)',
    },
  },
  compensation: { business: FORTY_EUR, publicBody: FORTY_EUR, consumer: null },
  imputation: {
    order: ['costs', 'interest', 'principal', 'compensation'],
    several: ['due', 'leastSecured', 'mostOnerous', 'oldest'],
    source: 'BGB §§ 366, 367',
  },
  dueDateRolls: true,
};
