import type { Act } from '../db/act.ts';
import type { Tx } from '../db/database.ts';
import { asksApproval, passOverStep } from '../db/repositories/approvals.ts';
import { pullStepForward, type TurningCase } from '../db/repositories/case-steps.ts';
import type { StoredCommand, StoredOutcome } from '../db/repositories/commands.ts';
import { liftHold, setHold } from '../db/repositories/holds.ts';
import { completeTask } from '../db/repositories/tasks.ts';
import type { Act as CaseAct } from '../domain/case/decision.ts';
import type { CaseFacts, CustomerFacts } from '../domain/case/facts.ts';
import { nextRung } from '../domain/case/choose-step.ts';
import { ladder, openStep } from '../domain/case/ladder.ts';
import { branchStale, isPlaced } from '../domain/case/beyond-ladder.ts';
import { isBranch, PLACEMENT } from '../domain/case/requests.ts';
import { standing } from '../domain/case/standing.ts';
import { DomainError } from '../domain/errors.ts';
import { localDate } from '../domain/time/zones.ts';
import { place, recall, sendFormalNotice, writeOff } from './branch-commands.ts';

const refused = (code: string): StoredOutcome => ({ accepted: false, code });
const accepted: StoredOutcome = { accepted: true, code: null };

/**
 * Carries out what a person asked of one case, inside the turn's transaction and checked against the facts of the turn.
 * What the case refuses is an outcome with a code, never an error.
 */
export async function carryOut(
  tx: Tx,
  one: TurningCase,
  facts: CaseFacts,
  customer: CustomerFacts,
  { command, act }: { command: StoredCommand; act: Act },
  /** The acts that a command carried out by itself are added to these. */
  carried: CaseAct[],
): Promise<StoredOutcome> {
  const today = localDate(act.at, customer.creditorZone);
  // What was just paid or given up is about to close: its case has only not taken that turn yet.
  if (facts.balanceMinor <= 0n) return refused('nothingOwed');
  const paused = facts.holds.find((h) => h.kind === 'pause' && h.liftedOn === null && (h.untilOn ?? today) >= today);
  switch (command.kind) {
    case 'pause': {
      if (paused) return refused('alreadyPaused');
      const until = typeof command.args['until'] === 'string' ? command.args['until'] : null;
      if (until !== null && until < today) return refused('untilInPast');
      await setHold(tx, act, { customerId: one.customerId, invoiceId: one.invoiceId, kind: 'pause', untilOn: until });
      return accepted;
    }
    case 'resume':
      if (!paused) return refused('notPaused');
      await liftHold(tx, act, paused.id);
      return accepted;
    case 'skipStep': {
      const open = openStep(facts);
      if (open?.status === 'queued' || (open !== null && isBranch(open.step))) return refused('stepUnderWay');
      const rung = nextRung(ladder(facts, today));
      if (!rung) return refused('nothingToSkip');
      const { key: step, channel } = rung.step;
      await passOverStep(tx, act, one, facts, { step, channel, on: localDate(act.at, customer.zone) });
      return accepted;
    }
    case 'approve': {
      const taskId = command.args['taskId'];
      const decision = command.args['decision'];
      if (typeof taskId !== 'string' || openStep(facts)?.status !== 'awaitingApproval') {
        return refused('nothingToApprove');
      }
      if (!(await asksApproval(tx, one.invoiceId, taskId))) return refused('nothingToApprove');
      // What was asked is no longer the question: the turn that follows takes it back and puts it anew.
      const asked = { facts, customer, now: act.at, today, here: standing(facts, today), open: openStep(facts) };
      if (branchStale(asked) !== null) return refused('nothingToApprove');
      const agencyId = command.args['agencyId'];
      const names = typeof agencyId === 'string' || facts.approvalAgencyId !== null || customer.agencyId !== null;
      if (openStep(facts)?.step === PLACEMENT && decision === 'approved' && !names) return refused('agencyRequired');
      try {
        await completeTask(tx, act, taskId, { decision, ...(typeof agencyId === 'string' ? { agencyId } : {}) });
      } catch (error) {
        if (error instanceof DomainError) return refused(error.code);
        throw error;
      }
      return accepted;
    }
    case 'stepNow': {
      const open = openStep(facts);
      if (open !== null) return refused(open.status === 'awaitingApproval' ? 'approvalAsked' : 'stepUnderWay');
      if (isPlaced(facts) || facts.notice !== null) return refused('stageForbids');
      if (standing(facts, today).heldWhole) return refused('held');
      const rung = nextRung(ladder(facts, today));
      if (!rung) return refused('nothingToTake');
      if (rung.beforeDue && today >= facts.dueOn) return refused('nothingToTake');
      if (!rung.beforeDue && today <= facts.dueOn) return refused('notDue');
      await pullStepForward(tx, act, one.invoiceId, rung.step.key, localDate(act.at, customer.zone));
      return accepted;
    }
    case 'sendFormalNotice':
      return await sendFormalNotice({ tx, one, facts, customer, command, act, carried });
    case 'place':
      return await place({ tx, one, facts, customer, command, act, carried });
    case 'recall':
      return await recall({ tx, one, facts, customer, command, act, carried });
    case 'writeOff':
      return await writeOff({ tx, one, facts, customer, command, act, carried });
    default:
      return refused('commandUnknown');
  }
}
