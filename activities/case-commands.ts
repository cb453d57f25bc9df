import type { Act } from '../db/act.ts';
import type { Tx } from '../db/database.ts';
import type { TurningCase } from '../db/repositories/case-turn.ts';
import { asksApproval, passOverStep } from '../db/repositories/case-turn.ts';
import type { StoredCommand, StoredOutcome } from '../db/repositories/commands.ts';
import { liftHold, setHold } from '../db/repositories/holds.ts';
import { completeTask } from '../db/repositories/tasks.ts';
import type { CaseFacts, CustomerFacts } from '../domain/case/facts.ts';
import { nextRung } from '../domain/case/choose-step.ts';
import { ladder, openStep } from '../domain/case/ladder.ts';
import { DomainError } from '../domain/errors.ts';
import { localDate } from '../domain/time/zones.ts';

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
): Promise<StoredOutcome> {
  const today = localDate(act.at, customer.creditorZone);
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
      if (open?.status === 'queued') return refused('stepUnderWay');
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
      try {
        await completeTask(tx, act, taskId, { decision });
      } catch (error) {
        if (error instanceof DomainError) return refused(error.code);
        throw error;
      }
      return accepted;
    }
    default:
      return refused('commandUnknown');
  }
}
