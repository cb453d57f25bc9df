import type { CompensationRule, CountryLaw, InterestRule } from '../country-law.ts';
import type { LimitationRule } from '../limitation.ts';
import type { TermLimit } from '../payment-terms.ts';

/** Verzug by a date of the calendar (BGB § 286(2) no. 1): a due date is taken to be agreed. */
const PUBLIC_BODY: InterestRule = {
  regime: 'dePublicBody',
  series: 'deBase',
  margin: '9',
  mode: 'floating',
  runsFrom: 'due',
  source: 'BGB §§ 247, 286, 288(2)',
};

/** A higher rate on other grounds stays possible (BGB § 288(3)): a contract's. */
const BUSINESS: InterestRule = { ...PUBLIC_BODY, regime: 'deBusiness', contract: {} };

const FORTY_EUR: CompensationRule = {
  currency: 'EUR',
  bands: [{ below: null, amount: '40.00' }],
  perInstalment: true,
  notAfterJudgment: false,
  source: 'BGB § 288(5)',
};

/** The end of proceedings stops the suspension six months later (BGB § 204(2)). */
const PROCEEDINGS = { effect: 'suspends', goesOnMonths: 6, source: 'BGB § 204' } as const;
const ACKNOWLEDGED = { effect: 'restarts', source: 'BGB § 212(1) no. 1' } as const;

const LIMITATION: LimitationRule = {
  years: 3,
  endOfYear: true,
  source: 'BGB §§ 195, 199',
  events: {
    acknowledgement: ACKNOWLEDGED,
    partPayment: ACKNOWLEDGED,
    askedForTime: ACKNOWLEDGED,
    courtClaim: PROCEEDINGS,
    paymentOrder: PROCEEDINGS,
    enforcementMeasure: { effect: 'restarts', source: 'BGB § 212(1) no. 2' },
  },
  longStop: null,
  contract: null,
};

const SIXTY: TermLimit = {
  from: 'receipt',
  days: 60,
  monthEnd: null,
  unlessExpress: true,
  sure: 'law',
  source: 'BGB § 271a(1)',
};

export const GERMANY: CountryLaw = {
  country: 'DE',
  interest: {
    business: BUSINESS,
    publicBody: PUBLIC_BODY,
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
  limitation: { business: LIMITATION, consumer: LIMITATION, publicBody: LIMITATION },
  paymentTerms: {
    business: { terms: {}, sectors: {}, unsaid: [SIXTY] },
    publicBody: { usual: { ...SIXTY, days: 30, source: 'BGB § 271a(2)' }, sectors: {} },
  },
  invoiceMentions: null,
  notice: {
    title: 'Mahnung mit Fristsetzung',
    texts: ['§ 286'],
    deadline: /innerhalb von \d+ Tagen|bis spätestens|sofort nach Erhalt/,
    whatFollows: /gesetzlich vorgesehenen Schritte/,
    source: 'BGB § 286(1)',
  },
  deadlines: { movesOffFreeDays: true, source: 'BGB §§ 187, 188, 193' },
  legalSteps: [
    {
      code: 'paymentOrder',
      text: 'An order to pay (gerichtliches Mahnverfahren): served, it suspends limitation.',
      source: 'BGB § 204(1) no. 3; ZPO §§ 688 ff.',
      upTo: null,
      against: null,
    },
    {
      code: 'courtClaim',
      text: 'A claim before the court: it suspends limitation.',
      source: 'BGB § 204(1) no. 1',
      upTo: null,
      against: null,
    },
  ],
};
