/**
 * Keys of what a case asks for besides the steps of its policy. No step can have one: their keys have no tilde.
 */

/** Thanks after the last cent; waits beside the ladder. */
export const THANK_YOU = '~thankYou';
/** The letter that puts the debtor in default. */
export const FORMAL_NOTICE = '~formalNotice';
/** The same by e-mail, once its letter was posted; waits beside the ladder. */
export const NOTICE_COPY = '~noticeCopy';
/** The hand-over to an agency. */
export const PLACEMENT = '~placement';
/** Giving the balance up. */
export const WRITE_OFF = '~writeOff';

/** A note of an instalment plan: its confirmation, or one before or after the date of instalment `n`. */
export type PlanNote =
  { planId: string; note: 'agreed'; n: null } | { planId: string; note: 'before' | 'after'; n: number };

const PLAN = '~plan:';

export const planNoteKey = ({ planId, note, n }: PlanNote): string => `${PLAN}${planId}:${note}${n ?? ''}`;

/** The note behind a key; null for every other key. */
export function planNoteOf(key: string): PlanNote | null {
  const [, planId, note, n] = /^~plan:([^:]+):(agreed|before|after)(\d*)$/.exec(key) ?? [];
  if (planId === undefined) return null;
  return note === 'agreed' ? { planId, note, n: null } : { planId, note: note as 'before' | 'after', n: Number(n) };
}

/** Whether it waits beside the one open step of a case: thanks, the copy of a notice, and the notes of a plan. */
export const isAside = (key: string): boolean => key === THANK_YOU || key === NOTICE_COPY || key.startsWith(PLAN);

/** Whether it is a branch beyond the ladder, good for one amount only. */
export const isBranch = (key: string): boolean => key === FORMAL_NOTICE || key === PLACEMENT || key === WRITE_OFF;

/** As `approvedSteps` remembers an approval: of a step for good, of a branch for this amount. */
export const approvalKey = (key: string, amountMinor: bigint | null): string =>
  isBranch(key) ? `${key}@${amountMinor}` : key;

/** How a key is shown to people: without the tilde that sets it apart. */
export const shownStep = (key: string): string => (planNoteOf(key) ? 'plan' : key.replace(/^~/, ''));
