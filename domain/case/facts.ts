import type { Channel, ContactRole, CustomerKind, Period, Policy } from '../policy/types.ts';
import type { LocalDate } from '../time/dates.ts';
import type { Holidays } from '../time/working-days.ts';
import type { Instant } from '../time/zones.ts';
import type { Stage } from './stages.ts';

export { isOpen, type Stage } from './stages.ts';

export type HoldKind =
  'promise' | 'dispute' | 'plan' | 'pause' | 'approval' | 'insolvency' | 'unappliedCash' | 'customer';

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
  /** What it asked for when it was asked, minor units; null where nothing was. */
  amountMinor: bigint | null;
  leftOn: LocalDate | null;
  /** Later steps keep their distance from the day this one left. */
  reanchors: boolean;
  reason: string | null;
  /** Its open call or letter task was cancelled because the amount changed: to be written again. */
  redraw: boolean;
}

/** An instalment plan that covers the invoice, alone or with others of the customer. Dates are the creditor's. */
export interface PlanFact {
  id: string;
  status: 'active' | 'kept' | 'broken' | 'cancelled';
  agreedOn: LocalDate;
  endedOn: LocalDate | null;
  graceDays: number;
  /** Ascending by `n` and `dueOn`; they add up to `totalMinor`. */
  instalments: readonly { n: number; dueOn: LocalDate; amountMinor: bigint }[];
  totalMinor: bigint;
  /** What the balances of all its invoices have fallen by since it was agreed: it serves the instalments in their order. */
  paidMinor: bigint;
  /** Its first open invoice, whose case asks for the notes. Whichever case looks first judges the plan for all. */
  leads: boolean;
  /** Notes of the plan that cases of its other invoices have asked for, by their keys: none is sent twice. */
  notesElsewhere: readonly string[];
  /** An open dispute lies over one of its invoices: until that is decided the plan asks for nothing. */
  disputed: boolean;
}

/** The post of the formal notice that left in this run. Dates are the creditor's. */
export interface NoticeFact {
  /** When it was written and handed over: to the print batch, a person's task, or the mail provider. */
  leftOn: LocalDate;
  dispatchedOn: LocalDate | null;
  /** Delivered, or refused by the addressee: either way it has reached them. */
  deliveredOn: LocalDate | null;
}

/** The last hand-over of the case to an agency in this run. Dates are the creditor's. */
export interface PlacementFact {
  id: string;
  status: 'active' | 'givenUp' | 'recalled' | 'ended';
  placedOn: LocalDate;
  endedOn: LocalDate | null;
}

/** Proceedings over the customer that this invoice falls under: it was issued by the day of the judgment. */
export interface InsolvencyFact {
  judgmentOn: LocalDate;
  /** Null while the proceedings run. */
  outcome: 'withdrawn' | 'planAdopted' | 'paid' | 'noAssets' | null;
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
  /** Steps a person has approved once (`approvalKey`); they are not asked about again. */
  approvedSteps: readonly string[];
  approvalAnswer: ApprovalAnswer;
  /** The agency that the approval of a placement names. */
  approvalAgencyId: string | null;
  /** Plans over this invoice, oldest first; at most the last one is active. */
  plans: readonly PlanFact[];
  notice: NoticeFact | null;
  placement: PlacementFact | null;
  insolvency: InsolvencyFact | null;
  /** A step that a person pulled forward, and the day it counts as due on from then. */
  stepNow: { step: string; on: LocalDate } | null;
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
  /** The agency a placement goes to where nobody names one: the creditor's own choice, or the only one there is. */
  agencyId: string | null;
  recipients: readonly RecipientFact[];
  /** Whether a postal address is known. */
  hasAddress: boolean;
  /** Contacts of the last 60 days and those queued; withdrawn and failed ones are left out. */
  contacts: ContactFact[];
  cases: CaseFacts[];
}
