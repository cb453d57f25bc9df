import type { CompensationRule, CountryLaw, InterestRule } from '../country-law.ts';
import type { TermLimit } from '../payment-terms.ts';

/** Members of the European Union (ISO 3166-1 alpha-2). */
export const EU_MEMBERS: readonly string[] =
  'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' ');

const FLOOR: InterestRule = {
  regime: 'euFloor',
  series: 'ecbMro',
  margin: '8',
  mode: 'floating',
  runsFrom: 'due',
  source: 'Directive 2011/7/EU art. 2(5)-(6), 3',
};

const FORTY_EUR: CompensationRule = {
  currency: 'EUR',
  bands: [{ below: null, amount: '40.00' }],
  perInstalment: false,
  notAfterJudgment: false,
  source: 'Directive 2011/7/EU art. 6',
};

const SIXTY: TermLimit = {
  from: 'receipt',
  days: 60,
  monthEnd: null,
  unlessExpress: true,
  sure: 'secondary',
  source: 'Directive 2011/7/EU art. 3(5)',
};

/** The least that every member has to grant; national law may give more, so that it never claims too much. */
export const EU_FLOOR: CountryLaw = {
  country: 'EU',
  interest: { business: { ...FLOOR, contract: {} }, publicBody: FLOOR, consumer: null },
  compensation: { business: FORTY_EUR, publicBody: FORTY_EUR, consumer: null },
  imputation: {
    order: ['principal', 'interest', 'compensation', 'costs'],
    several: ['due', 'oldest'],
    source: 'not covered: principal first, which is kindest to the debtor',
  },
  dueDateRolls: false,
  // National law has the periods, and nothing here knows them.
  limitation: { business: null, consumer: null, publicBody: null },
  paymentTerms: {
    business: { terms: {}, sectors: {}, unsaid: [SIXTY] },
    publicBody: {
      usual: { ...SIXTY, days: 30, unlessExpress: false, source: 'Directive 2011/7/EU art. 4(3)' },
      sectors: {},
    },
  },
  invoiceMentions: null,
  notice: null,
  // As policy: no text of the country is known here.
  deadlines: { movesOffFreeDays: true, source: 'policy' },
  legalSteps: [],
};

/** Reference rate and 8 points, rounded up to the next half point. */
export const BELGIUM: CountryLaw = national('BE', 'beBusiness', 'Act of 2 August 2002 art. 5, 6', { roundUpTo: '0.5' });
export const SPAIN: CountryLaw = national('ES', 'esBusiness', 'Ley 3/2004 art. 7, 8');
export const ITALY: CountryLaw = national('IT', 'itBusiness', 'D.Lgs. 231/2002 art. 5, 6');
export const NETHERLANDS: CountryLaw = national('NL', 'nlBusiness', 'BW art. 6:119a, 6:96(4)');
/** One rate: the one in force when payment was due. */
export const IRELAND: CountryLaw = national('IE', 'ieBusiness', 'S.I. 580/2012', { mode: 'fixed' });

function national(country: string, regime: string, source: string, own: Partial<InterestRule> = {}): CountryLaw {
  const rule: InterestRule = { ...FLOOR, regime, source, ...own };
  const compensation: CompensationRule = { ...FORTY_EUR, source };
  return {
    ...EU_FLOOR,
    country,
    interest: { business: { ...rule, contract: {} }, publicBody: rule, consumer: null },
    compensation: { business: compensation, publicBody: compensation, consumer: null },
  };
}
