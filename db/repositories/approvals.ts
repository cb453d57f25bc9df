import { sql } from 'kysely';
import { approverOf } from '../../domain/case/beyond-ladder.ts';
import type { Act as CaseAct } from '../../domain/case/decision.ts';
import type { CaseFacts } from '../../domain/case/facts.ts';
import { FORMAL_NOTICE, PLACEMENT, shownStep, WRITE_OFF } from '../../domain/case/requests.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { JsonObject } from '../types.ts';
import { insertStep, logTurn, withdrawOpenSteps, type TurningCase } from './case-steps.ts';
import { appendEvent } from './events.ts';
import { openTask } from './tasks.ts';

/** What a case asks a person: the task, the hold that hangs on it, and what becomes of the answer. */

/** A person is asked, by a task that the approval hangs on. */
export async function askApproval(
  tx: Tx,
  act: Act,
  one: TurningCase,
  facts: CaseFacts,
  what: Extract<CaseAct, { act: 'askApproval' | 'request' }>,
  /** What a person named with the command that asks, such as the agency. */
  extra: JsonObject = {},
): Promise<void> {
  const amount = formatAmount(what.asksMinor, facts.currency);
  const { taskId } = await openTask(tx, act, {
    creditorId: one.creditorId,
    kind: 'approve',
    key: `approve:${one.invoiceId}:${what.step}:${what.occurrence}:${facts.run}${await askedBefore(tx, one.invoiceId, what.step)}`,
    role: approverOf(facts.policy, what.step),
    invoiceId: one.invoiceId,
    customerId: one.customerId,
    step: shownStep(what.step),
    ...approvalWords(what.step, one.number, `${amount} ${facts.currency}`),
    data: { step: shownStep(what.step), amount, currency: facts.currency, run: facts.run, ...extra },
    dueAt: what.plannedAt,
  });
  await insertStep(tx, act, one, facts, { ...what, amountMinor: what.asksMinor, status: 'awaitingApproval', taskId });
  await holdForPerson(tx, act, one, taskId, what.on);
  await logTurn(tx, act, one, 'approvalAsked', {
    step: shownStep(what.step),
    taskId,
    amount,
    currency: facts.currency,
  });
}

function approvalWords(step: string, number: string, sum: string): { subject: string; body: string } {
  switch (step) {
    case FORMAL_NOTICE:
      return {
        subject: `Send the formal notice for invoice ${number}?`,
        body: `It demands ${sum}. If that amount changes before it leaves, you are asked again.`,
      };
    case PLACEMENT:
      return {
        subject: `Hand invoice ${number} over to an agency?`,
        body: `The agency would collect ${sum}; from then on the customer hears nothing from us about it.`,
      };
    case WRITE_OFF:
      return { subject: `Write off invoice ${number}?`, body: `${sum} would be booked as a loss.` };
    default:
      return {
        subject: `Approve step ${step} of invoice ${number}`,
        body: `The step asks for ${sum}, which is over the policy's ceiling.`,
      };
  }
}

/** What was taken back, or approved and never came to be, and is asked for again is another question, with a task of its own. */
async function askedBefore(tx: Tx, invoiceId: string, step: string): Promise<string> {
  const rows = await tx
    .selectFrom('tasks')
    .select('id')
    .where('invoice_id', '=', invoiceId)
    .where('kind', '=', 'approve')
    .where('step', '=', shownStep(step))
    .execute();
  return rows.length === 0 ? '' : `:${rows.length}`;
}

/** Whether this task is the one that the case's open step waits for. */
export async function asksApproval(tx: Tx, invoiceId: string, taskId: string): Promise<boolean> {
  const row = await tx
    .selectFrom('case_steps')
    .select('id')
    .where('invoice_id', '=', invoiceId)
    .where('task_id', '=', taskId)
    .where('status', '=', 'awaitingApproval')
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * What follows from a person's answer is that person's, with the reason they gave (design rule 12); the turn only carries it
 * out. Read while the step still waits for its approval.
 */
export async function personsAct(tx: Tx, act: Act, invoiceId: string): Promise<Act> {
  const answer = await tx
    .selectFrom('case_steps as s')
    .innerJoin('tasks as t', 't.id', 's.task_id')
    .leftJoin('commands as c', (join) =>
      join
        .onRef('c.invoice_id', '=', 's.invoice_id')
        .on('c.kind', '=', 'approve')
        .on(sql<boolean>`c.args->>'taskId' = t.id`)
        .on(sql<boolean>`c.outcome->>'accepted' is distinct from 'false'`),
    )
    .select(['t.closed_by', 'c.reason'])
    .where('s.invoice_id', '=', invoiceId)
    .where('s.status', '=', 'awaitingApproval')
    .where('t.status', '=', 'done')
    .orderBy('c.at', 'desc')
    .executeTakeFirst();
  return answer?.closed_by ? { ...act, actor: answer.closed_by, reason: answer.reason } : act;
}

/** The case waits for a person's word: a hold of kind approval that hangs on the task. `on`: the creditor's date. */
export async function holdForPerson(tx: Tx, act: Act, one: TurningCase, taskId: string, on: LocalDate): Promise<void> {
  await tx
    .insertInto('holds')
    .values({
      id: newId('hol'),
      creditor_id: one.creditorId,
      customer_id: one.customerId,
      invoice_id: one.invoiceId,
      kind: 'approval',
      reason: null,
      from_on: on,
      source_id: taskId,
      actor: act.actor,
      at: instant(act.at),
    })
    .execute();
}

export async function liftApprovalHold(tx: Tx, act: Act, one: TurningCase, on: LocalDate): Promise<void> {
  await tx
    .updateTable('holds')
    .set({ lifted_on: on, lifted_at: instant(act.at) })
    .where('invoice_id', '=', one.invoiceId)
    .where('kind', '=', 'approval')
    .where('lifted_on', 'is', null)
    .execute();
}

/** A branch that needs no message is taken at once: the approval it waited for, or a record of its own, has left. */
export async function takeBranch(
  tx: Tx,
  act: Act,
  one: TurningCase,
  facts: CaseFacts,
  taken: { step: string; amountMinor: bigint; on: LocalDate },
): Promise<void> {
  const { step, amountMinor, on } = taken;
  const approved = await tx
    .updateTable('case_steps')
    .set({ status: 'left', approved: true, left_at: instant(act.at), left_on: on })
    .where('invoice_id', '=', one.invoiceId)
    .where('step', '=', step)
    .where('status', '=', 'awaitingApproval')
    .executeTakeFirst();
  if (approved.numUpdatedRows > 0n) {
    await liftApprovalHold(tx, act, one, on);
    await logTurn(tx, act, one, 'approved', { step: shownStep(step) }, act.reason ?? null);
    return;
  }
  await insertStep(tx, act, one, facts, {
    step,
    status: 'left',
    channel: 'letter',
    plannedAt: act.at,
    plannedOn: on,
    amountMinor,
    leftOn: on,
  });
}

/** A person passes over a step: whatever was asked for it is taken back. */
export async function passOverStep(
  tx: Tx,
  act: Act,
  one: TurningCase,
  facts: CaseFacts,
  what: { step: string; channel: CaseFacts['steps'][number]['channel']; on: LocalDate },
): Promise<void> {
  await withdrawOpenSteps(tx, act, one, 'skipped');
  await liftApprovalHold(tx, act, one, what.on);
  const waiting = ['requested', 'awaitingApproval'];
  const rest = { ...facts, steps: facts.steps.filter((s) => s.step !== what.step || !waiting.includes(s.status)) };
  await insertStep(tx, act, one, rest, {
    step: what.step,
    status: 'skipped',
    channel: what.channel,
    plannedAt: act.at,
    plannedOn: what.on,
    reason: 'byPerson',
  });
  await appendEvent(tx, act, {
    invoiceId: one.invoiceId,
    kind: 'stepSkipped',
    data: { step: what.step, reason: 'byPerson' },
    text: act.reason ?? null,
  });
}
