/**
 * The stages of an invoice's life and the ways from one to another. `TRANSITIONS` is the one list of them: the diagram in
 * docs/architecture.md is drawn from it, and tests hold every played case and every row in the database to it.
 */

/** The stages of an invoice's life. The last three are closed: no workflow runs. */
export type Stage = 'upcoming' | 'reminding' | 'formalNotice' | 'placed' | 'writtenOff' | 'settled' | 'cancelled';
export type ClosedStage = Extract<Stage, 'writtenOff' | 'settled' | 'cancelled'>;
export type OpenStage = Exclude<Stage, ClosedStage>;

export const OPEN_STAGES: readonly OpenStage[] = ['upcoming', 'reminding', 'formalNotice', 'placed'];
export const CLOSED_STAGES: readonly ClosedStage[] = ['writtenOff', 'settled', 'cancelled'];

/** Whether a case in this stage has a workflow that runs. */
export const isOpen = (stage: Stage): stage is OpenStage => (OPEN_STAGES as readonly Stage[]).includes(stage);

export interface Transition {
  from: Stage;
  to: Stage;
  /** What makes it, in the words of the diagram. */
  cause: string;
}

/** What a registered invoice begins with; its case's first turn may find it further on. */
export const FIRST_STAGE: OpenStage = 'upcoming';

/** From turn to turn while the case is open: `stageOf` says where it stands. */
const ON_THE_WAY: readonly Transition[] = [
  { from: 'upcoming', to: 'reminding', cause: 'a step after the due date is asked for' },
  { from: 'reminding', to: 'upcoming', cause: 'the only such step is taken back' },
  { from: 'reminding', to: 'formalNotice', cause: 'the notice leaves' },
  { from: 'formalNotice', to: 'reminding', cause: 'the notice is taken back or returned' },
  { from: 'formalNotice', to: 'placed', cause: 'handed over' },
  { from: 'placed', to: 'formalNotice', cause: 'recalled' },
  { from: 'placed', to: 'reminding', cause: 'recalled, the notice was returned' },
  // Where no turn was taken in between, since the worker was away.
  { from: 'reminding', to: 'placed', cause: 'the notice left and its period ended in an outage' },
];

/** Nothing is owed any more (`decide`), from any open stage. */
const CLOSINGS: readonly Transition[] = OPEN_STAGES.flatMap((from) => [
  { from, to: 'settled' as const, cause: 'paid' },
  { from, to: 'cancelled' as const, cause: 'credited in full, nothing paid' },
  { from, to: 'writtenOff' as const, cause: 'the rest is given up' },
]);

/** A new run, at the stage from before the closing (`reopenedAt`). */
const REOPENINGS: readonly Transition[] = CLOSED_STAGES.flatMap((from) =>
  [...new Set(OPEN_STAGES.map(reopenedAt))].map((to) => ({
    from,
    to,
    cause: 'owed again, where it was (placed goes to formalNotice)',
  })),
);

/** Money for what was given up, without a run. */
const RECOVERIES: readonly Transition[] = [
  { from: 'writtenOff', to: 'settled', cause: 'all of it recovered' },
  { from: 'settled', to: 'writtenOff', cause: 'a recovery went back' },
  { from: 'cancelled', to: 'writtenOff', cause: 'a recovery went back' },
];

export const TRANSITIONS: readonly Transition[] = [...ON_THE_WAY, ...CLOSINGS, ...REOPENINGS, ...RECOVERIES];

/** Whether a case may go from one stage to the other; to stay where it is is no transition. */
export const isLawful = (from: Stage, to: Stage): boolean =>
  from === to || TRANSITIONS.some((t) => t.from === from && t.to === to);

/**
 * Where a new run begins whose last one closed at `before`. What an agency had was called back when it closed, so the case
 * is where it was before it was handed over.
 */
export function reopenedAt(before: OpenStage): OpenStage {
  return before === 'placed' ? 'formalNotice' : before;
}

/** What a recovery leaves: settled with the last cent, written off while some of it is lost. Minor units. */
export const afterRecovery = (lostMinor: bigint): Extract<Stage, 'settled' | 'writtenOff'> =>
  lostMinor === 0n ? 'settled' : 'writtenOff';

/**
 * The transitions as a Mermaid state diagram. Those that leave every open stage are drawn once, from the box around them,
 * and those that lead back into any of them once into it.
 */
export function stageDiagram(): string {
  const line = ({ from, to, cause }: Transition): string => `${from} --> ${to}: ${cause}`;
  const closings = CLOSINGS.filter(({ from }) => from === FIRST_STAGE);
  const back = CLOSED_STAGES.map((from) => REOPENINGS.find((t) => t.from === from)!);
  return [
    'stateDiagram-v2',
    '  state "open, its workflow runs" as open {',
    `    [*] --> ${FIRST_STAGE}: registered`,
    ...ON_THE_WAY.map((t) => `    ${line(t)}`),
    '  }',
    ...closings.map(({ to, cause }) => `  open --> ${to}: ${cause}`),
    ...back.map(({ from, cause }) => `  ${from} --> open: ${cause}`),
    ...RECOVERIES.map((t) => `  ${line(t)}`),
  ].join('\n');
}
