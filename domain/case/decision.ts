import type { Channel } from '../policy/types.ts';
import type { LocalDate } from '../time/dates.ts';
import type { Instant } from '../time/zones.ts';
import type { ClosedStage } from './stages.ts';

/** What a case waits for, as `next` and the calendar name it (api.md, "Values"). */
export type NextActionKind =
  'contact' | 'task' | 'approval' | 'promiseEnds' | 'planEnds' | 'holdEnds' | 'formalNotice' | 'placement' | 'writeOff';

export interface NextAction {
  at: Instant;
  action: NextActionKind;
  step: string | null;
  channel: Channel | null;
  /** A stable word, never a person's text. */
  reason: string;
}

/**
 * Tasks that a case opens for itself: once a run, `missingAddress` once a step, `collectionMissing` once a collection date,
 * `limitationNear` once a warning.
 */
export type CaseTaskKind =
  'entryReview' | 'ladderEnded' | 'timeBarred' | 'limitationNear' | 'collectionMissing' | 'missingAddress';

/** One thing to be done now. Whoever carries it out applies it to the facts (`apply.ts`) and decides again. */
export type Act =
  /** `on` is the promise's or hold's last day; `at` the instant from which the case was free again. */
  | { act: 'keepPromise'; promiseId: string; on: LocalDate; at: Instant }
  | { act: 'breakPromise'; promiseId: string; on: LocalDate; at: Instant }
  | { act: 'endHold'; holdId: string; on: LocalDate; at: Instant }
  | { act: 'skipStep'; step: string; channel: Channel; plannedAt: Instant; plannedOn: LocalDate; reason: string }
  | { act: 'mergeStep'; step: string; channel: Channel; plannedAt: Instant; plannedOn: LocalDate; into: string }
  /** The open request or approval is taken back (and its hold lifted): something came between. It may be asked for again. */
  | { act: 'withdrawRequest'; step: string; reason: string; on: LocalDate }
  | {
      act: 'askApproval' | 'request';
      step: string;
      occurrence: number;
      channel: Channel;
      plannedAt: Instant;
      plannedOn: LocalDate;
      reanchors: boolean;
      /** What it asks for, minor units: a branch is approved, and a formal notice sent, for this amount only. */
      asksMinor: bigint;
      /** The creditor's date: an approval holds the case from it on. */
      on: LocalDate;
    }
  | { act: 'approve'; step: string; plannedAt: Instant; plannedOn: LocalDate; on: LocalDate; at: Instant }
  | { act: 'refuse'; step: string; on: LocalDate; at: Instant }
  /** The plan was paid to its end, or an instalment was not paid within its grace: judged by one case for all of them. */
  | { act: 'keepPlan'; planId: string; on: LocalDate; at: Instant }
  | { act: 'breakPlan'; planId: string; on: LocalDate; at: Instant }
  /** Hands the case over to an agency; from then on the customer hears nothing from us about it. */
  | { act: 'place'; agencyId: string; asksMinor: bigint; on: LocalDate; at: Instant }
  /** Gives the balance up and books it as a loss. */
  | { act: 'writeOff'; balanceMinor: bigint; on: LocalDate; at: Instant }
  | { act: 'redrawTask'; step: string }
  | { act: 'openTask'; task: CaseTaskKind; step: string | null; on: LocalDate };

export type Decision =
  | { decision: 'act'; acts: Act[] }
  | { decision: 'wait'; until: Instant | null; next: NextAction | null }
  | { decision: 'close'; stage: ClosedStage; thank: boolean };
