import type { CompensationRule, CountryLaw } from '../country-law.ts';

const FORTY_EUR: CompensationRule = {
  currency: 'EUR',
  bands: [{ below: null, amount: '40.00' }],
  perInstalment: false,
  notAfterJudgment: true,
  source: 'C. com. art. L441-10 II, D441-5',
};

export const FRANCE: CountryLaw = {
  country: 'FR',
  interest: {
    business: {
      regime: 'frBusiness',
      series: 'ecbMro',
      margin: '10',
      mode: 'floating',
      runsFrom: 'due',
      // The floor tests a clause only: the default rate applies even where it is lower (first half of 2024).
      contract: { floor: { series: 'frLegalProfessional', times: 3n } },
      source: 'C. com. art. L441-10 II',
    },
    publicBody: {
      regime: 'frPublicBody',
      series: 'ecbMro',
      margin: '8',
      mode: 'fixed',
      runsFrom: 'due',
      source: 'Code de la commande publique art. L2192-13, R2192-31',
    },
    // The column of the legal rate goes by the creditor: a firm has "all other cases".
    consumer: {
      regime: 'frConsumer',
      series: 'frLegalProfessional',
      margin: '0',
      mode: 'floating',
      runsFrom: 'notice',
      source: 'C. civ. art. 1231-6, 1344-1',
    },
  },
  compensation: {
    business: FORTY_EUR,
    publicBody: { ...FORTY_EUR, source: 'Code de la commande publique art. L2192-13, D2192-35' },
    consumer: null,
  },
  imputation: {
    // Article 1343-1 says interest, then principal; that the 40 EUR come last is the kinder reading.
    order: ['costs', 'interest', 'principal', 'compensation'],
    several: ['due', 'mostOnerous', 'oldest'],
    source: 'C. civ. art. 1343-1, 1342-10',
  },
  dueDateRolls: false,
};
