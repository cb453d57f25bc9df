import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { CalendarLine, DoneLine, NextView } from '../domain/case/case-view.ts';

/** Every message carries an id: of the fact it tells, or of the command whose text stands in PostgreSQL. */
export interface FactMessage {
  id: string;
}

export interface WakeMessage {
  factId: string;
}

/** Signals of a case: facts. They are never refused (design rule 5). */
export const factSignals = {
  paymentAllocated: defineSignal<[FactMessage]>('paymentAllocated'),
  allocationReversed: defineSignal<[FactMessage]>('allocationReversed'),
  creditNoted: defineSignal<[FactMessage]>('creditNoted'),
  disputed: defineSignal<[FactMessage]>('disputed'),
  disputeResolved: defineSignal<[FactMessage]>('disputeResolved'),
  promised: defineSignal<[FactMessage]>('promised'),
  promiseWithdrawn: defineSignal<[FactMessage]>('promiseWithdrawn'),
  planAgreed: defineSignal<[FactMessage]>('planAgreed'),
  planCancelled: defineSignal<[FactMessage]>('planCancelled'),
  insolvencyDeclared: defineSignal<[FactMessage]>('insolvencyDeclared'),
} as const;

export const wakeSignal = defineSignal<[WakeMessage]>('wake');

export type FactSignalName = keyof typeof factSignals;

/** What one case alone can refuse. Arguments and reasons stand in the row of that id in `commands`. */
export interface CommandMessage {
  id: string;
}

/** The stored outcome of a command: `code` says why it was refused. */
export interface CommandOutcome {
  accepted: boolean;
  code: string | null;
}

export const commandUpdates = {
  pause: defineUpdate<CommandOutcome, [CommandMessage]>('pause'),
  resume: defineUpdate<CommandOutcome, [CommandMessage]>('resume'),
  skipStep: defineUpdate<CommandOutcome, [CommandMessage]>('skipStep'),
  approve: defineUpdate<CommandOutcome, [CommandMessage]>('approve'),
  stepNow: defineUpdate<CommandOutcome, [CommandMessage]>('stepNow'),
  sendFormalNotice: defineUpdate<CommandOutcome, [CommandMessage]>('sendFormalNotice'),
  place: defineUpdate<CommandOutcome, [CommandMessage]>('place'),
  recall: defineUpdate<CommandOutcome, [CommandMessage]>('recall'),
  writeOff: defineUpdate<CommandOutcome, [CommandMessage]>('writeOff'),
} as const;

export type CommandName = keyof typeof commandUpdates;

export interface CaseState {
  invoiceId: string;
  run: number;
  stage: string;
  /** Decimal string in `currency`. */
  balance: string;
  currency: string;
  holds: string[];
  next: NextView | null;
  done: DoneLine[];
}

export const stateQuery = defineQuery<CaseState>('state');
export const calendarQuery = defineQuery<CalendarLine[]>('calendar');

/** Pokes of outreach, feeds and agencies: nothing but "look again". */
export const pokeSignal = defineSignal('poke');
