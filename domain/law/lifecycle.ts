/**
 * Lifecycle statuses of e-invoices (XP Z12-012) and what a case makes of them. The codes
 * are the reform's; the effects are ours.
 */

/**
 * - `proof`: kept as a date that proves something. `none`: kept. `collected`: kept; money is what our bank match says.
 * - `resume`: lifts what `supplyDocument` holds. `supplyDocument`: holds and asks for a document.
 * - `dispute`, `disputeRest`: the customer contests all, or what was not approved.
 * - `stop`: holds for good and asks for a credit note or a reissue. `paymentSent`: holds some days.
 * - `checkPayee`: holds until a person has looked at creditor and account. `review`: holds until a person has looked.
 */
export type LifecycleEffect =
  | 'proof'
  | 'none'
  | 'resume'
  | 'disputeRest'
  | 'dispute'
  | 'supplyDocument'
  | 'stop'
  | 'paymentSent'
  | 'collected'
  | 'checkPayee'
  | 'review';

interface Status {
  name: string;
  effect: LifecycleEffect;
}

const STATUSES = {
  '200': { name: 'filed', effect: 'proof' },
  '201': { name: 'issued', effect: 'proof' },
  '202': { name: 'received', effect: 'proof' },
  '203': { name: 'madeAvailable', effect: 'proof' },
  '204': { name: 'takenInCharge', effect: 'none' },
  '205': { name: 'approved', effect: 'resume' },
  '206': { name: 'partlyApproved', effect: 'disputeRest' },
  '207': { name: 'disputed', effect: 'dispute' },
  '208': { name: 'suspended', effect: 'supplyDocument' },
  '209': { name: 'completed', effect: 'resume' },
  '210': { name: 'refused', effect: 'stop' },
  '211': { name: 'paymentSent', effect: 'paymentSent' },
  '212': { name: 'collected', effect: 'collected' },
  '213': { name: 'rejected', effect: 'stop' },
  '214': { name: 'endorsed', effect: 'none' },
  '220': { name: 'cancelled', effect: 'stop' },
  '221': { name: 'misrouted', effect: 'stop' },
  '224': { name: 'directPaymentAsked', effect: 'review' },
  '225': { name: 'factored', effect: 'checkPayee' },
  '226': { name: 'factoredConfidentially', effect: 'checkPayee' },
  '227': { name: 'payeeChanged', effect: 'checkPayee' },
  '228': { name: 'notFactored', effect: 'checkPayee' },
  '501': { name: 'inadmissible', effect: 'stop' },
} as const satisfies Record<string, Status>;

export type LifecycleCode = keyof typeof STATUSES;

/** Every status that is known here, ascending. */
export const LIFECYCLE_CODES = Object.keys(STATUSES).sort() as LifecycleCode[];

export const isLifecycleCode = (code: string): code is LifecycleCode => Object.hasOwn(STATUSES, code);

/** The status in a word, and what a case makes of it. */
export const lifecycleStatus = (code: LifecycleCode): Status => STATUSES[code];

/** Statuses by which a document that was asked for has come: a 208 of before them is overtaken. */
export const COMPLETES: readonly LifecycleCode[] = ['205', '209'];

/** Holds that a person lifts by completing the task that came with them, and what that task asks. */
export const LIFECYCLE_TASKS: Readonly<
  Partial<Record<LifecycleEffect, { kind: LifecycleTaskKind; role: 'operator' | 'approver' }>>
> = {
  supplyDocument: { kind: 'supplyDocument', role: 'operator' },
  stop: { kind: 'reissueInvoice', role: 'operator' },
  checkPayee: { kind: 'checkPayee', role: 'approver' },
  review: { kind: 'reviewLifecycle', role: 'operator' },
};

export type LifecycleTaskKind = 'supplyDocument' | 'reissueInvoice' | 'checkPayee' | 'reviewLifecycle';
