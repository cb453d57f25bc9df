import { CLOSED_STAGES, isOpen, OPEN_STAGES, type Stage } from './stages.ts';

/** What a person can ask of many cases at once. */
interface BulkCommand {
  /** The update that carries it to each case (`commandUpdates`); null: written without one, since a closed case has no workflow. */
  update: string | null;
  /** Who may ask for it. */
  role: 'operator' | 'approver';
  /** What it may say besides the reason. */
  takes: readonly ('until' | 'agencyId')[];
  /** Stages in which every case refuses it. */
  notIn: readonly Stage[];
}

const plain = { role: 'operator', takes: [], notIn: [] } as const;

/** By the last part of the path of the single command. */
export const BULK_COMMANDS = {
  pause: { ...plain, update: 'pause', takes: ['until'] },
  resume: { ...plain, update: 'resume' },
  skip: { ...plain, update: 'skipStep' },
  'step-now': { ...plain, update: 'stepNow', notIn: ['formalNotice', 'placed'] },
  'formal-notice': { ...plain, update: 'sendFormalNotice', notIn: ['formalNotice', 'placed'] },
  placement: {
    ...plain,
    update: 'place',

    takes: ['agencyId'],
    notIn: ['upcoming', 'reminding', 'placed'],
  },
  recall: { ...plain, update: 'recall' },
  'write-off': { ...plain, update: 'writeOff', role: 'approver' },
  reopen: { ...plain, update: null },
} as const satisfies Record<string, BulkCommand>;

export type BulkKind = keyof typeof BULK_COMMANDS;

export const BULK_KINDS = Object.keys(BULK_COMMANDS) as BulkKind[];

/** The command of that name; wide, so that its parts can be asked for whatever the kind. */
export const bulkCommandOf = (kind: BulkKind): BulkCommand => BULK_COMMANDS[kind];

/** The stages that are meant where a filter names none: a command is for open cases, reopening for closed ones. */
export const stagesMeant = (kind: BulkKind): readonly Stage[] => (kind === 'reopen' ? CLOSED_STAGES : OPEN_STAGES);

/** Why a case is certain to refuse, as far as its stage and its pause tell, as a stable code; null where it may not. */
export function bulkRefusal(
  kind: BulkKind,
  { stage, balanceMinor, paused }: { stage: Stage; balanceMinor: bigint; paused: boolean },
): string | null {
  if (kind === 'reopen') {
    if (isOpen(stage)) return 'caseOpen';
    // What was written off is owed again.
    return balanceMinor === 0n && stage !== 'writtenOff' ? 'nothingOwed' : null;
  }
  if (!isOpen(stage)) return 'caseClosed';
  if (kind === 'pause' && paused) return 'alreadyPaused';
  if (kind === 'resume' && !paused) return 'notPaused';
  if (kind === 'recall') return stage === 'placed' ? null : 'notPlaced';
  return bulkCommandOf(kind).notIn.includes(stage) ? 'stageForbids' : null;
}
