import { collectionTaskKey } from '../../domain/case/decide.ts';
import type { Act as CaseAct, CaseTaskKind } from '../../domain/case/decision.ts';
import type { CaseFacts } from '../../domain/case/facts.ts';
import { warningOf } from '../../domain/case/limitation-warnings.ts';
import { onceKey } from '../../domain/case/once.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, json, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { holdForPerson } from './approvals.ts';
import { logTurn, type TurningCase } from './case-steps.ts';
import { limitationWarning } from './limitation-warnings.ts';
import { openTask } from './tasks.ts';

const TASK_SUBJECTS: Record<CaseTaskKind, (number: string) => string> = {
  entryReview: (n) => `Invoice ${n} was late when it arrived: may its reminders begin?`,
  ladderEnded: (n) => `The reminders of invoice ${n} are used up: what next?`,
  timeBarred: (n) => `Invoice ${n} is time-barred and is not chased`,
  limitationNear: (n) => `The claim of invoice ${n} will be time-barred`,
  collectionMissing: (n) => `The direct debit of invoice ${n} was not booked: did it fail?`,
  missingAddress: (n) => `No e-mail address to write to about invoice ${n}`,
};

export async function openCaseTask(
  tx: Tx,
  act: Act,
  one: TurningCase,
  facts: CaseFacts,
  what: Extract<CaseAct, { act: 'openTask' }>,
): Promise<void> {
  const kind = what.task;
  const [, stage] = onceKey(facts, kind).split(':');
  // An address is missing for the customer, once; everything else is about this invoice.
  if (kind === 'missingAddress' && (await addressIsAskedFor(tx, one.customerId))) return;
  if (kind === 'limitationNear') return await warnOfLimitation(tx, act, one, facts, what.on);
  const { taskId, created } = await openTask(tx, act, {
    creditorId: one.creditorId,
    kind,
    key: caseTaskKey(one, facts, kind),
    invoiceId: kind === 'missingAddress' ? null : one.invoiceId,
    customerId: one.customerId,
    step: what.step,
    subject: TASK_SUBJECTS[kind](one.number),
    data: {
      run: facts.run,
      ...(kind === 'ladderEnded' && stage !== undefined ? { stage } : {}),
      ...(kind === 'collectionMissing' ? { from: collectionTaskKey(facts).split(':')[1] } : {}),
    },
    dueAt: act.at,
  });
  if (!created) return;
  await logTurn(tx, act, one, 'taskOpened', { taskId, kind });
  if (kind === 'entryReview') await holdForPerson(tx, act, one, taskId, what.on);
}

async function warnOfLimitation(tx: Tx, act: Act, one: TurningCase, facts: CaseFacts, today: LocalDate): Promise<void> {
  const warning = warningOf(facts, today);
  if (warning === null) return;
  const { key, body, data } = await limitationWarning(tx, act, one, facts, warning);
  const { taskId, created } = await openTask(tx, act, {
    creditorId: one.creditorId,
    kind: 'limitationNear',
    key,
    invoiceId: one.invoiceId,
    customerId: one.customerId,
    subject: `${TASK_SUBJECTS.limitationNear(one.number)} after ${warning.on}`,
    body,
    data,
    dueAt: act.at,
  });
  if (created) await logTurn(tx, act, one, 'taskOpened', { taskId, kind: 'limitationNear', ...warning });
}

function caseTaskKey(one: TurningCase, facts: CaseFacts, kind: Exclude<CaseTaskKind, 'limitationNear'>): string {
  switch (kind) {
    case 'missingAddress':
      return `missingAddress:${one.customerId}:${newId('tsk')}`;
    case 'collectionMissing':
      return `${collectionTaskKey(facts)}:${one.invoiceId}`;
    case 'timeBarred':
      return `timeBarred:${one.invoiceId}`;
    case 'entryReview':
      return `${kind}:${one.invoiceId}:${facts.run}`;
    case 'ladderEnded': {
      const [, stage] = onceKey(facts, kind).split(':');
      return `${kind}:${one.invoiceId}:${facts.run}${stage === undefined ? '' : `:${stage}`}`;
    }
  }
}

async function addressIsAskedFor(tx: Tx, customerId: string): Promise<boolean> {
  const open = await tx
    .selectFrom('tasks')
    .select('id')
    .where('customer_id', '=', customerId)
    .where('kind', '=', 'missingAddress')
    .where('status', '=', 'open')
    .executeTakeFirst();
  return open !== undefined;
}

/** How often the call or letter of a step was written so far. */
export async function drawingsOf(tx: Tx, invoiceId: string, step: string): Promise<number> {
  const rows = await tx
    .selectFrom('tasks')
    .select('id')
    .where('invoice_id', '=', invoiceId)
    .where('step', '=', step)
    .where('kind', 'in', ['call', 'letter'])
    .execute();
  return rows.length;
}

/** A call that is still open when the next step leaves is missed (api.md). */
export async function missOpenCalls(tx: Tx, act: Act, invoiceId: string): Promise<void> {
  await tx
    .updateTable('tasks')
    .set({ status: 'missed', closed_at: instant(act.at), closed_by: act.actor, outcome: json({ why: 'nextStep' }) })
    .where('invoice_id', '=', invoiceId)
    .where('kind', '=', 'call')
    .where('status', '=', 'open')
    .execute();
}
