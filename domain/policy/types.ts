import type { LocalDate } from '../time/dates.ts';

/** Over which channel a step goes out. Call and letter steps open a task with the rendered text. */
export type Channel = 'email' | 'call' | 'letter' | 'registeredLetter';

/** How firm a message is, ascending. */
export const TONES = ['courteous', 'neutral', 'firm', 'final'] as const;
export type Tone = (typeof TONES)[number];

export const CONTACT_ROLES = ['billing', 'accounting', 'buyer', 'manager', 'legal', 'other'] as const;
export type ContactRole = (typeof CONTACT_ROLES)[number];

export const CUSTOMER_KINDS = ['business', 'consumer', 'publicBody'] as const;
export type CustomerKind = (typeof CUSTOMER_KINDS)[number];

/** What a step's day counts from: the due date, the issue date, or the day the previous step really left. */
export type StepAnchor = 'due' | 'issued' | 'previous';

export type TemplateName = string;

/** Decimal strings by ISO 4217 currency, as they are written in a policy. */
export type AmountsByCurrency = Readonly<Record<string, string>>;

export interface Step {
  key: string;
  /** Calendar days from the anchor; negative is before it. */
  day: number;
  from: StepAnchor;
  channel: Channel;
  template: TemplateName;
  tone: Tone;
  to: readonly ContactRole[];
  cc: readonly ContactRole[];
  attachInvoice: boolean;
}

/** Who may decide an approval: `approver`, or `operator` where a policy is content with one. */
export type ApprovalRole = 'approver' | 'operator';

export interface FormalNoticePolicy {
  day: number;
  from: StepAnchor;
  channel: Channel;
  template: TemplateName;
  deadlineDays: number;
  dispatchDays: number;
  /** Once the letter is posted the same is sent by e-mail too, where the customer has agreed to be written to so. */
  emailCopy: boolean;
  approval: ApprovalRole | null;
}

export interface PlacementPolicy {
  daysAfterNotice: number;
  approval: ApprovalRole | null;
}

export interface WriteOffPolicy {
  afterPlacementDays: number;
  below: AmountsByCurrency;
  approval: ApprovalRole | null;
}

export interface ContactWindow {
  /** Weekdays on which contacts may leave, ISO numbers 1 (Monday) to 7. `mon-fri` on the wire. */
  weekdays: readonly number[];
  /** Local time of the customer, `HH:MM`, from `00:00` to `24:00`. */
  from: string;
  to: string;
  minimumGapDays: number;
  maximumPer30Days: number;
  holidays: 'customer' | 'creditor' | 'none';
}

/**
 * A scenario with every default filled in. `domain/policy/parse.ts` makes it from what a creditor wrote (api.md, "A
 * policy"); nothing else builds one. A part that is `null` is a branch that is off.
 */
export interface Policy {
  name: string;
  entry: 'first' | 'byAge' | 'hold';
  late: 'merge' | 'skip' | 'shift';
  steps: readonly Step[];
  noAddress: 'task' | 'letter';
  call: { retryWorkingDays: number; attempts: number };
  thankYou: TemplateName | null;
  formalNotice: FormalNoticePolicy | null;
  placement: PlacementPolicy | null;
  writeOff: WriteOffPolicy | null;
  promise: { graceDays: number; maxDays: number; maxBroken: number } | null;
  dispute: { reviewDays: number } | null;
  plan: { maxInstalments: number; graceDays: number } | null;
  /** `holdShare` is a decimal between 0 and 1 of what is overdue; `holdWorkingDays` bounds the hold. */
  unappliedCash: { holdShare: string; holdWorkingDays: number } | null;
  tolerance: AmountsByCurrency;
  interest: InterestPolicy | null;
  contact: ContactWindow;
  minimumAmount: AmountsByCurrency;
  /** `null`: nobody is asked. Present but without the invoice's currency: always asked. */
  approvalAbove: AmountsByCurrency | null;
}

export interface InterestPolicy {
  /** `never`, `always`, `fromNotice` or a step's key. */
  claim: string;
  whenPrincipalPaid: 'waive' | 'claim';
  /** Per cent a year, a decimal string; `null`: the legal rate. */
  contractRate: string | null;
  /** What is open of interest, compensation and costs under this when the principal is paid is not worth the trouble: waived. */
  minimum: AmountsByCurrency;
}

/** A policy as a case pins it. */
export interface PolicyRef {
  name: string;
  version: number;
}

export interface Period {
  from: LocalDate;
  to: LocalDate;
}
