import type { CompensationRule, CountryLaw } from '../country-law.ts';
import type { EventRule, LimitationRule } from '../limitation.ts';
import type { TermLimit } from '../payment-terms.ts';

const FORTY_EUR: CompensationRule = {
  currency: 'EUR',
  bands: [{ below: null, amount: '40.00' }],
  perInstalment: false,
  notAfterJudgment: true,
  source: 'C. com. art. L441-10 II, D441-5',
};

// ---- Limitation ---------------------------------------------------------------------------------------------------

const ACKNOWLEDGED: EventRule = { effect: 'restarts', source: 'C. civ. art. 2231, 2240' };
const TALKS: EventRule = { effect: 'suspends', leavesMonths: 6, source: 'C. civ. art. 2238' };

/** Part payment and asking for time may acknowledge the debt: a person says whether they did. */
const EVENTS: LimitationRule['events'] = {
  acknowledgement: ACKNOWLEDGED,
  partPayment: ACKNOWLEDGED,
  askedForTime: ACKNOWLEDGED,
  courtClaim: { effect: 'restarts', source: 'C. civ. art. 2231, 2241' },
  paymentOrder: { effect: 'restarts', source: 'C. civ. art. 2231, 2241' },
  enforcementMeasure: { effect: 'restarts', source: 'C. civ. art. 2231, 2244' },
  mediation: TALKS,
  conciliation: TALKS,
  smallClaimsConsent: TALKS,
};

const FIVE_YEARS: LimitationRule = {
  years: 5,
  endOfYear: false,
  source: 'C. com. art. L110-4; C. civ. art. 2224, 2233',
  events: EVENTS,
  longStop: { years: 20, source: 'C. civ. art. 2232' },
  contract: { from: 1, to: 10, source: 'C. civ. art. 2254' },
};

/** No period of their own is known here for public buyers; a contract between firms is none with them. */
const PUBLIC_LIMITATION: LimitationRule = { ...FIVE_YEARS, contract: null };

/** No contract changes it (C. conso. art. L218-1). */
const CONSUMER_LIMITATION: LimitationRule = {
  ...FIVE_YEARS,
  years: 2,
  source: 'C. conso. art. L218-1, L218-2',
  contract: null,
};

// ---- Payment terms ------------------------------------------------------------------------------------------------

const limit = (from: TermLimit['from'], days: number, own: Partial<TermLimit> = {}): TermLimit => ({
  from,
  days,
  monthEnd: null,
  unlessExpress: false,
  sure: 'law',
  source: 'C. com. art. L441-10 I',
  ...own,
});

const SIXTY = limit('issue', 60);
/** Both readings of "45 days end of month" are taken to be valid; which one was agreed is stored. */
const MONTH_END_AFTER = limit('issue', 45, { monthEnd: 'after', sure: 'secondary' });
const MONTH_END_BEFORE = limit('issue', 45, { monthEnd: 'before', sure: 'secondary' });
const TRANSPORT = limit('issue', 30, { sure: 'secondary', source: 'C. com. art. L441-11' });

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
  limitation: { business: FIVE_YEARS, consumer: CONSUMER_LIMITATION, publicBody: PUBLIC_LIMITATION },
  paymentTerms: {
    business: {
      terms: {
        notAgreed: limit('receipt', 30),
        fromIssue: SIXTY,
        endOfMonthAfter: MONTH_END_AFTER,
        endOfMonthBefore: MONTH_END_BEFORE,
        periodic: limit('issue', 45),
      },
      sectors: {
        perishableFood: limit('receipt', 30, { source: 'C. com. art. L441-11' }),
        transport: TRANSPORT,
        vehicleHire: TRANSPORT,
      },
      unsaid: [SIXTY, MONTH_END_AFTER, MONTH_END_BEFORE],
    },
    publicBody: {
      usual: limit('receipt', 30, { sure: 'unconfirmed', source: 'Code de la commande publique art. R2192-10' }),
      sectors: {
        hospital: limit('receipt', 50, { sure: 'unconfirmed', source: 'Code de la commande publique art. R2192-11' }),
      },
    },
  },
  invoiceMentions: {
    penaltyRate: /p[ée]nalit[ée]s?(?: de retard)?|int[ée]r[êe]ts? (?:de retard|moratoires?)|taux/i,
    compensation: /indemnit[ée] forfaitaire|\b40(?:[.,]00)?\s*(?:€|EUR|euros?)/i,
    source: 'C. com. art. L441-9, L441-10 II',
  },
  notice: {
    title: 'MISE EN DEMEURE',
    texts: ['1344', 'L441-10'],
    deadline: /délai de \d+ jours|au plus tard le|dès réception/,
    whatFollows: /démarches prévues par la loi/,
    source: 'C. civ. art. 1344; C. com. art. L441-10',
  },
  deadlines: { movesOffFreeDays: true, source: 'CPC art. 641, 642' },
  legalSteps: [
    {
      code: 'smallClaims',
      text:
        'The simplified procedure for small claims by a bailiff (commissaire de justice): up to 5,000 EUR with ' +
        'interest, at the creditor’s cost; the debtor’s consent suspends limitation.',
      source: 'CPCE art. L125-1, R125-1',
      upTo: { amountMinor: 500_000n, currency: 'EUR' },
      against: null,
    },
    {
      code: 'paymentOrder',
      text:
        'An order to pay (injonction de payer); the debtor may oppose it within a month of service. Orders from ' +
        '1 September 2026 are to be served within 3 months.',
      source: 'CPC art. 1405, 1416; decree 2026-96',
      upTo: null,
      against: ['business', 'consumer'],
    },
    {
      code: 'courtClaim',
      text: 'A claim before the court, also in summary proceedings: it restarts limitation.',
      source: 'C. civ. art. 2241',
      upTo: null,
      against: null,
    },
  ],
};
