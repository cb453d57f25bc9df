import type { Channel } from '../policy/types.ts';
import type { LocalDate } from '../time/dates.ts';
import type { Instant } from '../time/zones.ts';
import type { Stage } from './facts.ts';

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

/** Tasks that a case opens for itself, once a run. */
export type CaseTaskKind = 'entryReview' | 'ladderEnded' | 'timeBarred' | 'collectionMissing' | 'missingAddress';

/** One thing to be done now. Whoever carries it out applies it to the facts (`apply.ts`) and decides again. */
export type Act =
  | { act: 'keepPromise'; promiseId: string; on: LocalDate }
  | { act: 'breakPromise'; promiseId: string; on: LocalDate }
  | { act: 'endHold'; holdId: string; on: LocalDate }
  | { act: 'skipStep'; step: string; channel: Channel; plannedAt: Instant; plannedOn: LocalDate; reason: string }
  | { act: 'mergeStep'; step: string; channel: Channel; plannedAt: Instant; plannedOn: LocalDate; into: string }
  /** The open request is taken back: something came between. It may be asked for again. */
  | { act: 'withdrawRequest'; step: string; reason: string }
  | {
      act: 'askApproval' | 'request';
      step: string;
      occurrence: number;
      channel: Channel;
      plannedAt: Instant;
      plannedOn: LocalDate;
      reanchors: boolean;
      asksMinor: bigint;
    }
  | { act: 'approve'; step: string; plannedAt: Instant; plannedOn: LocalDate; on: LocalDate }
  | { act: 'refuse'; step: string; on: LocalDate }
  | { act: 'redrawTask'; step: string }
  | { act: 'openTask'; task: CaseTaskKind; step: string | null; on: LocalDate };

export type Decision =
  | { decision: 'act'; acts: Act[] }
  | { decision: 'wait'; until: Instant | null; next: NextAction | null }
  | { decision: 'close'; stage: Extract<Stage, 'settled' | 'cancelled' | 'writtenOff'>; thank: boolean };
