import type { Channel, ContactRole, CustomerKind, Period, Policy } from '../policy/types.ts';
import type { LocalDate } from '../time/dates.ts';
import type { Holidays } from '../time/working-days.ts';
import type { Instant } from '../time/zones.ts';

/** The stages of an invoice's life (design.md, "An invoice's life"). The last three are closed. */
export type Stage = 'upcoming' | 'reminding' | 'formalNotice' | 'placed' | 'writtenOff' | 'settled' | 'cancelled';

export type HoldKind =
  'promise' | 'dispute' | 'plan' | 'pause' | 'approval' | 'insolvency' | 'unappliedCash' | 'customer';

export const isOpen = (stage: Stage): boolean => !['writtenOff', 'settled', 'cancelled'].includes(stage);

/** A change of the balance. `on` is a date of the creditor's zone; negative amounts lower what is owed. */
export interface Movement {
  on: LocalDate;
  amountMinor: bigint;
  kind: 'payment' | 'credit' | 'difference' | 'writeOff';
}

export interface PromiseFact {
  id: string;
  /** `null`: the whole balance. */
  amountMinor: bigint | null;
  payOn: LocalDate;
  graceDays: number;
  /** False where it was beyond the policy's limits: kept, but it stops nothing. */
  holds: boolean;
  madeOn: LocalDate;
  status: 'active' | 'kept' | 'broken' | 'withdrawn';
  endedOn: LocalDate | null;
  /** What had been paid on the invoice when the promise was made. */
  paidBeforeMinor: bigint;
}

export interface DisputeFact {
  id: string;
  /** `null`: the whole balance. */
  amountMinor: bigint | null;
  openedOn: LocalDate;
  resolvedOn: LocalDate | null;
}

/** A hold that is neither promise nor dispute; always on the whole. `untilOn` is its last day. */
export interface HoldFact {
  id: string;
  kind: Exclude<HoldKind, 'promise' | 'dispute'>;
  fromOn: LocalDate;
  untilOn: LocalDate | null;
  liftedOn: LocalDate | null;
}

/** What became of a step; withdrawn rows are left out. Dates are of the customer's zone. */
export interface StepFact {
  /** Null in a forecast, where nothing is stored. */
  id: string | null;
  step: string;
  occurrence: number;
  status: 'awaitingApproval' | 'requested' | 'queued' | 'left' | 'failed' | 'merged' | 'skipped';
  channel: Channel;
  plannedAt: Instant;
  plannedOn: LocalDate;
  leftOn: LocalDate | null;
  /** Later steps keep their distance from the day this one left. */
  reanchors: boolean;
  reason: string | null;
  /** Its open call or letter task was cancelled because the amount changed: to be written again. */
  redraw: boolean;
}

export interface RunFact {
  run: number;
  openedOn: LocalDate;
  closedOn: LocalDate | null;
}

/** The decision of a person on the step that waits for approval. */
export type ApprovalAnswer = 'approved' | 'refused' | null;

/** Everything `decide` needs to know of one invoice. Amounts are minor units of `currency`. */
export interface CaseFacts {
  invoiceId: string;
  run: number;
  stage: Stage;
  issuedOn: LocalDate;
  dueOn: LocalDate;
  /** The creditor's date on which the invoice became known here. */
  registeredOn: LocalDate;
  registeredAt: Instant;
  amountMinor: bigint;
  currency: string;
  balanceMinor: bigint;
  movements: readonly Movement[];
  policy: Policy;
  chaseFrom: LocalDate | null;
  lastStepSent: string | null;
  collection: {
    method: 'transfer' | 'directDebit';
    on: LocalDate | null;
    failedOn: LocalDate | null;
    askedOn: LocalDate | null;
  };
  /** The last day on which the claim can be enforced; null where the law of the place is not covered. */
  limitationOn: LocalDate | null;
  promises: PromiseFact[];
  disputes: DisputeFact[];
  holds: HoldFact[];
  runs: readonly RunFact[];
  steps: StepFact[];
  /** Steps a person has approved once; they are not asked about again. */
  approvedSteps: readonly string[];
  approvalAnswer: ApprovalAnswer;
  /** Kinds of once-only tasks this run has opened: `entryReview`, `ladderEnded`, `timeBarred`, … */
  tasksOpened: readonly string[];
  entryReviewed: boolean;
  /** When a hold was last lifted, the due date moved or the case reopened: nothing was missed before that. */
  releasedAt: Instant;
}

/** One way to reach the customer. Addresses stay outside the domain: `key` tells equal ones apart. */
export interface RecipientFact {
  role: ContactRole;
  key: string;
  usable: boolean;
}

/** A contact that left or is about to, as gap and cap count it. */
export interface ContactFact {
  day: LocalDate;
  channel: Channel;
  recipientKey: string;
}

/** What is shared by all cases of a customer. */
export interface CustomerFacts {
  customerId: string;
  kind: CustomerKind;
  country: string;
  zone: string;
  creditorZone: string;
  customerHolidays: Holidays;
  creditorHolidays: Holidays;
  closedWeeks: readonly Period[];
  recipients: readonly RecipientFact[];
  /** Whether a postal address is known. */
  hasAddress: boolean;
  /** Contacts of the last 60 days and those queued; withdrawn and failed ones are left out. */
  contacts: ContactFact[];
  cases: CaseFacts[];
}
