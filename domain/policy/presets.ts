import type { CustomerKind } from './types.ts';

/**
 * Policies that every creditor has from the start, as wire documents (read them with `parsePolicy`). They hold no texts:
 * the language follows the customer's locale. Amounts are thresholds, not law; where a currency is not listed there is
 * no minimum, and `approvalAbove` asks always.
 *
 * The ladders are those usual in each country and keep within the project's limits on contacts: a gap of at least three
 * days, at most four in 30 days.
 */

const BEFORE_DUE = {
  key: 'before-due',
  day: -5,
  from: 'due',
  channel: 'email',
  template: 'before-due',
  attachInvoice: true,
};

const OFFICE_HOURS = {
  days: 'mon-fri',
  from: '08:30',
  to: '18:30',
  minimumGapDays: 3,
  maximumPer30Days: 4,
  holidays: 'customer',
};

/** Private persons are left more air: later hours in the morning, a week between contacts, three a month. */
const CONSUMER_HOURS = { ...OFFICE_HOURS, from: '09:00', to: '18:00', minimumGapDays: 7, maximumPer30Days: 3 };

const UNAPPLIED_CASH = { holdShare: '0.5', holdWorkingDays: 3 };

const FR_BUSINESS = {
  name: 'fr-business',
  entry: 'first',
  late: 'merge',
  steps: [
    BEFORE_DUE,
    { key: 'reminder-1', day: 5, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    {
      key: 'reminder-2',
      day: 12,
      from: 'due',
      channel: 'email',
      template: 'reminder',
      tone: 'firm',
      to: ['billing'],
      cc: ['manager'],
    },
    { key: 'call', day: 19, from: 'due', channel: 'call', template: 'call-script' },
    { key: 'last', day: 25, from: 'due', channel: 'letter', template: 'last-reminder', tone: 'final' },
  ],
  noAddress: 'task',
  call: { retryWorkingDays: 2, attempts: 3 },
  thankYou: 'thank-you',
  formalNotice: {
    day: 40,
    from: 'due',
    channel: 'registeredLetter',
    deadlineDays: 8,
    dispatchDays: 3,
    approval: 'approver',
  },
  placement: { daysAfterNotice: 15, approval: 'approver' },
  writeOff: { afterPlacementDays: 180, below: { EUR: '30.00' }, approval: 'approver' },
  promise: { graceDays: 2, maxDays: 30, maxBroken: 2 },
  dispute: { reviewDays: 10 },
  plan: { maxInstalments: 12, graceDays: 5 },
  unappliedCash: UNAPPLIED_CASH,
  tolerance: { EUR: '0.10' },
  interest: { claim: 'fromNotice', whenPrincipalPaid: 'waive', contractRate: null, minimum: {} },
  contact: OFFICE_HOURS,
  minimumAmount: { EUR: '10.00' },
  approvalAbove: { EUR: '50000.00' },
};

/** No calls, a longer deadline; interest at the legal rate runs from the formal notice (C.civ. 1231-6, 1344-1). */
const FR_CONSUMER = {
  ...FR_BUSINESS,
  name: 'fr-consumer',
  steps: [
    BEFORE_DUE,
    { key: 'reminder-1', day: 7, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'reminder-2', day: 18, from: 'due', channel: 'email', template: 'reminder', tone: 'neutral' },
    { key: 'last', day: 32, from: 'due', channel: 'letter', template: 'last-reminder', tone: 'firm' },
  ],
  formalNotice: {
    day: 50,
    from: 'due',
    channel: 'registeredLetter',
    deadlineDays: 15,
    dispatchDays: 3,
    approval: 'approver',
  },
  placement: { daysAfterNotice: 30, approval: 'approver' },
  promise: { graceDays: 3, maxDays: 45, maxBroken: 2 },
  dispute: { reviewDays: 15 },
  contact: CONSUMER_HOURS,
  minimumAmount: { EUR: '5.00' },
  approvalAbove: { EUR: '10000.00' },
};

/** A public body pays through its accountant and is never handed to an agency; its interest is due by law (R2192-31). */
const FR_PUBLIC_BODY = {
  ...FR_BUSINESS,
  name: 'fr-public-body',
  steps: [
    { key: 'reminder-1', day: 8, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    {
      key: 'reminder-2',
      day: 22,
      from: 'due',
      channel: 'email',
      template: 'reminder',
      tone: 'neutral',
      to: ['accounting', 'billing'],
      attachInvoice: true,
    },
    { key: 'call', day: 32, from: 'due', channel: 'call', template: 'call-script' },
    { key: 'last', day: 45, from: 'due', channel: 'letter', template: 'last-reminder', tone: 'firm' },
  ],
  thankYou: null,
  formalNotice: {
    day: 65,
    from: 'due',
    channel: 'registeredLetter',
    deadlineDays: 30,
    dispatchDays: 3,
    approval: 'approver',
  },
  placement: null,
  writeOff: null,
  promise: { graceDays: 5, maxDays: 60, maxBroken: 2 },
  dispute: { reviewDays: 20 },
  interest: { claim: 'fromNotice', whenPrincipalPaid: 'claim', contractRate: null, minimum: {} },
};

/** Two Mahnungen after a friendly reminder; the last one by letter sets the deadline before collection. */
const DE_BUSINESS = {
  ...FR_BUSINESS,
  name: 'de-business',
  steps: [
    { ...BEFORE_DUE, day: -3 },
    { key: 'reminder-1', day: 5, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'reminder-2', day: 14, from: 'due', channel: 'email', template: 'reminder', tone: 'firm' },
    { key: 'call', day: 20, from: 'due', channel: 'call', template: 'call-script' },
    { key: 'last', day: 28, from: 'due', channel: 'letter', template: 'last-reminder', tone: 'final' },
  ],
  formalNotice: {
    day: 42,
    from: 'due',
    channel: 'registeredLetter',
    deadlineDays: 10,
    dispatchDays: 3,
    approval: 'approver',
  },
};

const DE_CONSUMER = {
  ...FR_CONSUMER,
  name: 'de-consumer',
  steps: [
    { ...BEFORE_DUE, day: -3 },
    { key: 'reminder-1', day: 7, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    { key: 'reminder-2', day: 21, from: 'due', channel: 'email', template: 'reminder', tone: 'neutral' },
    { key: 'last', day: 35, from: 'due', channel: 'letter', template: 'last-reminder', tone: 'firm' },
  ],
  formalNotice: {
    day: 55,
    from: 'due',
    channel: 'registeredLetter',
    deadlineDays: 14,
    dispatchDays: 3,
    approval: 'approver',
  },
};

/** Elsewhere post is slow and interest depends on the country: e-mail to the end, nothing claimed until a person says so. */
const BUSINESS = {
  ...FR_BUSINESS,
  name: 'business',
  steps: [
    BEFORE_DUE,
    { key: 'reminder-1', day: 5, from: 'due', channel: 'email', template: 'reminder', tone: 'courteous' },
    {
      key: 'reminder-2',
      day: 12,
      from: 'due',
      channel: 'email',
      template: 'reminder',
      tone: 'firm',
      attachInvoice: true,
    },
    { key: 'call', day: 19, from: 'due', channel: 'call', template: 'call-script' },
    { key: 'last', day: 27, from: 'due', channel: 'email', template: 'last-reminder', tone: 'final', cc: ['manager'] },
  ],
  formalNotice: {
    day: 45,
    from: 'due',
    channel: 'registeredLetter',
    deadlineDays: 14,
    dispatchDays: 5,
    approval: 'approver',
  },
  placement: { daysAfterNotice: 30, approval: 'approver' },
  writeOff: {
    afterPlacementDays: 180,
    below: { EUR: '30.00', GBP: '30.00', USD: '30.00', CHF: '30.00' },
    approval: 'approver',
  },
  tolerance: { EUR: '0.10', GBP: '0.10', USD: '0.10', CHF: '0.10' },
  interest: null,
  minimumAmount: { EUR: '10.00', GBP: '10.00', USD: '10.00', CHF: '10.00' },
  approvalAbove: { EUR: '50000.00', GBP: '50000.00', USD: '50000.00', CHF: '50000.00' },
};

export const PRESETS = {
  'fr-business': FR_BUSINESS,
  'fr-consumer': FR_CONSUMER,
  'fr-public-body': FR_PUBLIC_BODY,
  'de-business': DE_BUSINESS,
  'de-consumer': DE_CONSUMER,
  business: BUSINESS,
} as const satisfies Readonly<Record<string, object>>;

export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as readonly PresetName[];

const NATIONAL: Readonly<Record<string, Partial<Record<CustomerKind, PresetName>>>> = {
  FR: { business: 'fr-business', consumer: 'fr-consumer', publicBody: 'fr-public-body' },
  DE: { business: 'de-business', consumer: 'de-consumer' },
};

/**
 * Name of the preset for a customer of that country (ISO 3166-1 alpha-2) and kind; `null` where there is none: consumers
 * outside France and Germany and public bodies outside France, whose law we do not know well enough to choose for them.
 */
export function presetFor(country: string, kind: CustomerKind): PresetName | null {
  const national = Object.hasOwn(NATIONAL, country) ? NATIONAL[country]?.[kind] : undefined;
  return national ?? (kind === 'business' ? 'business' : null);
}
