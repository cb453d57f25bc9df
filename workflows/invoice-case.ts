import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities, TurnResult } from '../activities/create-activities.ts';
import { shortTransaction } from './activity-options.ts';
import { caseDetails } from './case-details.ts';
import {
  calendarQuery,
  commandUpdates,
  factSignals,
  stateQuery,
  wakeSignal,
  type CalendarLine,
  type CaseState,
  type CommandName,
  type CommandOutcome,
  type DoneLine,
  type FactSignalName,
} from './messages.ts';
import { searchAttributes } from './search-attributes.ts';
import { WakeTimer } from './wake-timer.ts';

const { turn } = proxyLocalActivities<Pick<Activities, 'turn'>>({ ...shortTransaction, summary: 'turn' });

export interface CaseInput {
  invoiceId: string;
  /** The generation of this case: 1 for the first, one more for each reopening. */
  run: number;
  /** Ids of messages already heard, carried over continue-as-new. */
  seen?: string[];
}

const FACTS: Record<FactSignalName, string> = {
  paymentAllocated: 'Money was assigned to this invoice.',
  allocationReversed: 'Money assigned to this invoice was taken off again: a return, or an assignment undone.',
  creditNoted: 'A credit note was applied to this invoice.',
  disputed: 'The customer contests all or part of it.',
  disputeResolved: 'A dispute was upheld, rejected or settled in part.',
  promised: 'The customer said when they will pay.',
  promiseWithdrawn: 'A promise was taken back.',
  planAgreed: 'An instalment plan covers this invoice.',
  planCancelled: 'The instalment plan over this invoice was cancelled.',
  insolvencyDeclared: 'Insolvency proceedings were opened over the customer.',
};

const COMMANDS: Record<CommandName, string> = {
  pause: 'A person stops the reminders of this invoice, until a date or until resumed.',
  resume: 'A person lifts the pause.',
  skipStep: 'A person passes over the next step.',
  approve: 'A person approves or refuses the step that waits for approval.',
};

/**
 * Looks after one invoice until it is settled, written off or cancelled: waits for the wake-up or a message, takes a
 * turn, and again. What to do is decided in the turn, over the facts in PostgreSQL (design rule 1); beside ids of
 * messages only what the turn returned is kept here.
 */
export async function invoiceCase(input: CaseInput): Promise<{ stage: string }> {
  const invoiceCase = new InvoiceCase(input);
  invoiceCase.listen();
  return await invoiceCase.run();
}

class InvoiceCase {
  readonly #invoiceId: string;
  readonly #run: number;
  readonly #seen: Set<string>;
  readonly #timer = new WakeTimer();
  readonly #commands: string[] = [];
  readonly #outcomes = new Map<string, CommandOutcome>();
  /** The first turn is taken before anything is heard. */
  #mustTurn = true;
  #last: TurnResult | null = null;
  #calendar: CalendarLine[] = [];
  #calendarKey = '';
  #done: DoneLine[] = [];

  constructor(input: CaseInput) {
    this.#invoiceId = input.invoiceId;
    this.#run = input.run;
    this.#seen = new Set(input.seen);
  }

  /** Handlers only note what came; the loop handles it. */
  listen(): void {
    for (const name of Object.keys(FACTS) as FactSignalName[]) {
      setHandler(factSignals[name], ({ id }) => this.#hear(id), { description: FACTS[name] });
    }
    setHandler(wakeSignal, ({ factId }) => this.#hear(factId), {
      description: 'Something else changed: the case reads its facts again.',
    });
    for (const name of Object.keys(COMMANDS) as CommandName[]) {
      setHandler(commandUpdates[name], ({ id }) => this.#command(id), {
        description: COMMANDS[name],
        validator: ({ id }) => this.#admit(id),
      });
    }
    setHandler(stateQuery, () => this.#state(), { description: 'Stage, balance, holds and what is next.' });
    setHandler(calendarQuery, () => this.#calendar, {
      description: 'The steps still to come, as of the last turn.',
    });
  }

  async run(): Promise<{ stage: string }> {
    for (;;) {
      await condition(() => this.#mustTurn || this.#timer.fired !== null || this.#commands.length > 0);
      const result = await this.#takeTurn();
      if (result.closed) {
        await condition(allHandlersFinished);
        if (this.#commands.length === 0) return { stage: result.stage };
        continue;
      }
      if (workflowInfo().continueAsNewSuggested) await this.#continueAsNew();
    }
  }

  async #takeTurn(): Promise<TurnResult> {
    this.#mustTurn = false;
    this.#timer.fired = null;
    const commands = this.#commands.splice(0);
    const result = await turn({
      invoiceId: this.#invoiceId,
      run: this.#run,
      commands,
      calendarKey: this.#calendarKey,
      doneCount: this.#done.length,
    });
    for (const { id, ...outcome } of result.outcomes ?? []) this.#outcomes.set(id, outcome);
    if (result.calendar) {
      this.#calendar = result.calendar.lines;
      this.#calendarKey = result.calendar.key;
    }
    this.#done.push(...(result.done ?? []));
    this.#show(result);
    const next = result.next;
    const summary = next ? `${next.action}${next.step ? ` ${next.step}` : ''}: ${next.reason}` : 'look again';
    this.#timer.arm(result.closed ? null : result.wakeAt, result.wakeInMs ?? 0, summary);
    return result;
  }

  #show(result: TurnResult): void {
    const before = this.#last;
    this.#last = result;
    setCurrentDetails(caseDetails(this.#state(), this.#calendar));
    const changed =
      before === null
        ? result.stage !== 'upcoming' || (result.holds?.length ?? 0) > 0
        : before.stage !== result.stage ||
          before.balanceMinor !== result.balanceMinor ||
          before.holds.join() !== result.holds.join();
    if (!changed) return;
    upsertSearchAttributes([
      { key: searchAttributes.caseStage, value: result.stage },
      { key: searchAttributes.caseHold, value: result.holds },
      { key: searchAttributes.balanceMinor, value: Number(result.balanceMinor) },
      { key: searchAttributes.nextAction, value: result.next?.action ?? 'none' },
      { key: searchAttributes.nextActionAt, value: result.next ? new Date(result.next.at) : null },
    ]);
  }

  #hear(id: string): void {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    this.#mustTurn = true;
  }

  #admit(id: string): void {
    if (!/^cmd_[a-z0-9]+$/.test(id)) throw new Error('commandUnknown');
    if (this.#last?.closed) throw new Error('caseClosed');
  }

  async #command(id: string): Promise<CommandOutcome> {
    if (!this.#outcomes.has(id)) this.#commands.push(id);
    await condition(() => this.#outcomes.has(id));
    return this.#outcomes.get(id)!;
  }

  #state(): CaseState {
    const last = this.#last;
    return {
      invoiceId: this.#invoiceId,
      run: this.#run,
      stage: last?.stage ?? 'upcoming',
      balance: last?.balance ?? '0',
      currency: last?.currency ?? '',
      holds: last?.holds ?? [],
      next: last?.next ?? null,
      done: this.#done,
    };
  }

  /** Everything that was heard is handled first, so that nothing is lost on the way. */
  async #continueAsNew(): Promise<void> {
    await condition(allHandlersFinished);
    if (this.#mustTurn || this.#commands.length > 0 || this.#timer.fired !== null) return;
    await continueAsNew<typeof invoiceCase>({ invoiceId: this.#invoiceId, run: this.#run, seen: [...this.#seen] });
  }
}
