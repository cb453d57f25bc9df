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
import type { Activities } from '../activities/create-activities.ts';
import { withChanges, type CaseView } from '../domain/case/case-view.ts';
import { shortTransaction } from './activity-options.ts';
import { caseDetails } from './case-details.ts';
import {
  calendarQuery,
  commandUpdates,
  factSignals,
  stateQuery,
  wakeSignal,
  type CaseState,
  type CommandName,
  type CommandOutcome,
  type FactSignalName,
} from './messages.ts';
import { searchAttributes } from './search-attributes.ts';
import { WakeTimer } from './wake-timer.ts';

const { turn } = proxyLocalActivities<Pick<Activities, 'turn'>>(shortTransaction);

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
  stepNow: 'A person lets the next step leave at the next moment of contact.',
  sendFormalNotice: 'A person sends the formal notice, or asks for its approval.',
  place: 'A person hands the case over to an agency, or asks for the approval of it.',
  recall: 'A person takes the case back from its agency.',
  writeOff: 'A person gives the balance up.',
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
  #view: CaseView | null = null;

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
    setHandler(calendarQuery, () => this.#view?.calendar ?? [], {
      description: 'The steps still to come, as of the last turn.',
    });
  }

  async run(): Promise<{ stage: string }> {
    for (;;) {
      await condition(() => this.#mustTurn || this.#timer.fired !== null || this.#commands.length > 0);
      const view = await this.#takeTurn();
      if (view.closed) {
        await condition(allHandlersFinished);
        if (this.#commands.length === 0) return { stage: view.stage };
        continue;
      }
      if (workflowInfo().continueAsNewSuggested) await this.#continueAsNew();
    }
  }

  async #takeTurn(): Promise<CaseView> {
    this.#mustTurn = false;
    this.#timer.fired = null;
    const commands = this.#commands.splice(0);
    const known = this.#view && { ...this.#view, wakeAt: this.#timer.armedFor };
    const { wakeInMs, outcomes, ...changes } = await turn({
      invoiceId: this.#invoiceId,
      run: this.#run,
      commands,
      known,
    });
    for (const { id, ...outcome } of outcomes ?? []) this.#outcomes.set(id, outcome);
    const view = withChanges(known, changes);
    this.#view = view;
    this.#show(view);
    // A timer that went off while the turn was taken means another turn, which arms it anew.
    if (this.#timer.fired === null) this.#timer.arm(view.wakeAt, wakeInMs ?? 0, nameOfWait(view));
    return view;
  }

  #show(view: CaseView): void {
    setCurrentDetails(caseDetails(this.#state(), view.calendar));
    const shown = workflowInfo().typedSearchAttributes;
    const moved =
      shown.get(searchAttributes.caseStage) !== view.stage ||
      shown.get(searchAttributes.balanceMinor) !== Number(view.balanceMinor) ||
      (shown.get(searchAttributes.caseHold) ?? []).join() !== view.holds.join();
    if (!moved) return;
    const nextAt = view.next ? new Date(view.next.at) : null;
    upsertSearchAttributes(
      (
        [
          { key: searchAttributes.caseStage, value: view.stage },
          { key: searchAttributes.caseHold, value: view.holds.length > 0 ? view.holds : null },
          { key: searchAttributes.balanceMinor, value: Number(view.balanceMinor) },
          { key: searchAttributes.nextAction, value: view.next?.action ?? 'none' },
          { key: searchAttributes.nextActionAt, value: nextAt },
        ] as const
      ).filter(({ key, value }) => JSON.stringify(shown.get(key as never) ?? null) !== JSON.stringify(value)),
    );
  }

  #hear(id: string): void {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    this.#mustTurn = true;
  }

  #admit(id: string): void {
    if (!/^cmd_[a-z0-9]+$/.test(id)) throw new Error('commandUnknown');
    if (this.#view?.closed) throw new Error('caseClosed');
  }

  async #command(id: string): Promise<CommandOutcome> {
    if (!this.#outcomes.has(id)) this.#commands.push(id);
    await condition(() => this.#outcomes.has(id));
    return this.#outcomes.get(id)!;
  }

  #state(): CaseState {
    const view = this.#view;
    return {
      invoiceId: this.#invoiceId,
      run: this.#run,
      stage: view?.stage ?? 'upcoming',
      balance: view?.balance ?? '0',
      currency: view?.currency ?? '',
      holds: view?.holds ?? [],
      next: view?.next ?? null,
      done: view?.done ?? [],
    };
  }

  /** Everything that was heard is handled first, so that nothing is lost on the way. */
  async #continueAsNew(): Promise<void> {
    await condition(allHandlersFinished);
    if (this.#mustTurn || this.#commands.length > 0 || this.#timer.fired !== null) return;
    await continueAsNew<typeof invoiceCase>({ invoiceId: this.#invoiceId, run: this.#run, seen: [...this.#seen] });
  }
}

/** The name of the timer in the Temporal UI. */
function nameOfWait({ next }: CaseView): string {
  if (next === null) return 'look again';
  const what = next.step === null ? next.action : `${next.action} ${next.step}`;
  return next.reason === 'stepDue' ? what : `${what}: ${next.reason}`;
}
