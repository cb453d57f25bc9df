import { sql } from 'kysely';
import { collectionTaskKey } from '../../domain/case/decide.ts';
import type { Act as CaseAct, CaseTaskKind } from '../../domain/case/decision.ts';
import type { CaseFacts } from '../../domain/case/facts.ts';
import { isOpen, type ClosedStage, type OpenStage } from '../../domain/case/stages.ts';
import { FORMAL_NOTICE, NOTICE_COPY, PLACEMENT, shownStep, THANK_YOU, WRITE_OFF } from '../../domain/case/requests.ts';
import { onceKey } from '../../domain/case/view.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, json, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { JsonObject, NextAction, TaskRole } from '../types.ts';
import { appendEvent } from './events.ts';
import { pokeOutreach } from './outbox.ts';
import { endPlacement, placeWithAgency } from './placements.ts';
import { endPlan, wakePlanMates } from './plans.ts';
import { openTask } from './tasks.ts';
import { writeOffBalance } from './write-offs.ts';

/** The invoice a turn is about, locked: what the acts of `decide` need to be written. */
export interface TurningCase {
  invoiceId: string;
  customerId: string;
  creditorId: string;
  number: string;
}

/** Whose invoice it is; the customer is locked before the invoice. */
export async function customerOfInvoice(tx: Tx, invoiceId: string): Promise<string> {
  const row = await tx
    .selectFrom('invoices')
    .select('customer_id')
    .where('id', '=', invoiceId)
    .executeTakeFirstOrThrow();
  return row.customer_id;
}

/** In which stage a run closed; null while it is open. */
export async function closedStageOf(tx: Tx, invoiceId: string, run: number): Promise<ClosedStage | null> {
  const row = await tx
    .selectFrom('case_runs')
    .select('closed_stage')
    .where('invoice_id', '=', invoiceId)
    .where('run', '=', run)
    .executeTakeFirst();
  return row?.closed_stage ?? null;
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

/** Writes one act of `decide`: its rows, its event, its task. The pure twin is `applyAct` of `domain/case`. */
export async function writeAct(tx: Tx, act: Act, one: TurningCase, facts: CaseFacts, what: CaseAct): Promise<void> {
  switch (what.act) {
    case 'keepPromise':
    case 'breakPromise': {
      const kept = what.act === 'keepPromise';
      await tx
        .updateTable('promises')
        .set({ status: kept ? 'kept' : 'broken', ended_on: what.on })
        .where('id', '=', what.promiseId)
        .where('status', '=', 'active')
        .execute();
      await log(tx, act, one, kept ? 'promiseKept' : 'promiseBroken', { promiseId: what.promiseId, on: what.on });
      return;
    }
    case 'endHold': {
      const hold = await tx
        .updateTable('holds')
        .set({ lifted_on: what.on, lifted_at: instant(act.at) })
        .where('id', '=', what.holdId)
        .where('lifted_on', 'is', null)
        .returning('kind')
        .executeTakeFirst();
      const kind = hold?.kind ?? facts.holds.find((h) => h.id === what.holdId)?.kind ?? 'customer';
      await log(tx, act, one, kind === 'pause' ? 'resumed' : 'released', {
        holdId: what.holdId,
        kind,
        on: what.on,
        reason: 'ended',
      });
      return;
    }
    case 'skipStep':
    case 'mergeStep': {
      await insertStep(tx, act, one, facts, {
        step: what.step,
        status: what.act === 'skipStep' ? 'skipped' : 'merged',
        channel: what.channel,
        plannedAt: what.plannedAt,
        plannedOn: what.plannedOn,
        reason: what.act === 'skipStep' ? what.reason : `into:${what.into}`,
      });
      if (what.act === 'skipStep') await log(tx, act, one, 'stepSkipped', { step: what.step, reason: what.reason });
      else await log(tx, act, one, 'stepMerged', { step: what.step, into: what.into });
      return;
    }
    case 'withdrawRequest':
      await withdrawOpenSteps(tx, act, one, what.reason);
      await liftApprovalHold(tx, act, one, what.on);
      return;
    case 'request':
      await insertStep(tx, act, one, facts, { ...what, amountMinor: what.asksMinor, status: 'requested' });
      return;
    case 'askApproval':
      await askApproval(tx, act, one, facts, what);
      return;
    case 'approve': {
      const said = await personsAct(tx, act, one.invoiceId);
      await tx
        .updateTable('case_steps')
        .set({
          status: 'requested',
          approved: true,
          planned_at: instant(what.plannedAt),
          planned_on: what.plannedOn,
        })
        .where('invoice_id', '=', one.invoiceId)
        .where('status', '=', 'awaitingApproval')
        .execute();
      await liftApprovalHold(tx, said, one, what.on);
      await log(tx, said, one, 'approved', { step: shownStep(what.step) }, said.reason ?? null);
      return;
    }
    case 'refuse': {
      const said = await personsAct(tx, act, one.invoiceId);
      await tx
        .updateTable('case_steps')
        .set({ status: 'skipped', reason: 'refused' })
        .where('invoice_id', '=', one.invoiceId)
        .where('status', '=', 'awaitingApproval')
        .execute();
      await liftApprovalHold(tx, said, one, what.on);
      await log(tx, said, one, 'refused', { step: shownStep(what.step) }, said.reason ?? null);
      await log(tx, said, one, 'stepSkipped', { step: shownStep(what.step), reason: 'refused' });
      return;
    }
    case 'keepPlan':
      await endPlan(tx, act, what.planId, 'kept', what.on);
      return;
    case 'breakPlan':
      await endPlan(tx, act, what.planId, 'broken', what.on);
      return;
    case 'place': {
      const said = await personsAct(tx, act, one.invoiceId);
      await takeBranch(tx, said, one, facts, { step: PLACEMENT, amountMinor: what.asksMinor, on: what.on });
      await placeWithAgency(
        tx,
        said,
        { ...one, run: facts.run, currency: facts.currency },
        {
          agencyId: what.agencyId,
          amountMinor: what.asksMinor,
          on: what.on,
        },
      );
      return;
    }
    case 'writeOff': {
      const said = await personsAct(tx, act, one.invoiceId);
      await takeBranch(tx, said, one, facts, { step: WRITE_OFF, amountMinor: what.balanceMinor, on: what.on });
      await writeOffBalance(tx, said, one.invoiceId, what.on);
      return;
    }
    case 'openTask':
      await openCaseTask(tx, act, one, facts, what);
      return;
    case 'redrawTask':
      throw new Error('A task is written again by the activity that holds the templates.');
  }
}

/**
 * What follows from a person's answer is that person's, with the reason they gave (design rule 12); the turn only carries it
 * out. Read while the step still waits for its approval.
 */
async function personsAct(tx: Tx, act: Act, invoiceId: string): Promise<Act> {
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

/** A branch that needs no message is taken at once: the approval it waited for, or a record of its own, has left. */
async function takeBranch(
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
    await log(tx, act, one, 'approved', { step: shownStep(step) }, act.reason ?? null);
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

interface StepRow {
  step: string;
  occurrence?: number;
  status: 'requested' | 'awaitingApproval' | 'skipped' | 'merged' | 'left';
  channel: CaseFacts['steps'][number]['channel'];
  plannedAt: Instant;
  plannedOn: LocalDate;
  reanchors?: boolean;
  reason?: string | null;
  taskId?: string;
  /** What it asks for. */
  amountMinor?: bigint;
  leftOn?: LocalDate;
}

async function insertStep(tx: Tx, act: Act, one: TurningCase, facts: CaseFacts, row: StepRow): Promise<void> {
  await tx
    .insertInto('case_steps')
    .values({
      invoice_id: one.invoiceId,
      customer_id: one.customerId,
      step: row.step,
      occurrence: row.occurrence ?? 1 + facts.steps.filter((s) => s.step === row.step).length,
      status: row.status,
      channel: row.channel,
      planned_at: instant(row.plannedAt),
      planned_on: row.plannedOn,
      reanchors: row.reanchors ?? false,
      reason: row.reason ?? null,
      task_id: row.taskId ?? null,
      amount_minor: row.amountMinor ?? null,
      ...(row.leftOn === undefined ? {} : { left_on: row.leftOn, left_at: instant(act.at) }),
      at: instant(act.at),
    })
    .execute();
}

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
    role: approvalRole(facts, what.step),
    invoiceId: one.invoiceId,
    customerId: one.customerId,
    step: shownStep(what.step),
    ...approvalWords(what.step, one.number, `${amount} ${facts.currency}`),
    data: { step: shownStep(what.step), amount, currency: facts.currency, run: facts.run, ...extra },
    dueAt: what.plannedAt,
  });
  await insertStep(tx, act, one, facts, { ...what, amountMinor: what.asksMinor, status: 'awaitingApproval', taskId });
  await holdForPerson(tx, act, one, taskId, what.on);
  await log(tx, act, one, 'approvalAsked', { step: shownStep(what.step), taskId, amount, currency: facts.currency });
}

/** Who may decide it: of a branch whom the policy names, of a step above the ceiling an approver. */
function approvalRole({ policy }: CaseFacts, step: string): TaskRole {
  switch (step) {
    case FORMAL_NOTICE:
      return policy.formalNotice?.approval ?? 'approver';
    case PLACEMENT:
      return policy.placement?.approval ?? 'approver';
    case WRITE_OFF:
      return policy.writeOff?.approval ?? 'approver';
    default:
      return 'approver';
  }
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

/** The case waits for a person's word: a hold of kind approval that hangs on the task. `on`: the creditor's date. */
async function holdForPerson(tx: Tx, act: Act, one: TurningCase, taskId: string, on: LocalDate): Promise<void> {
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

async function liftApprovalHold(tx: Tx, act: Act, one: TurningCase, on: LocalDate): Promise<void> {
  await tx
    .updateTable('holds')
    .set({ lifted_on: on, lifted_at: instant(act.at) })
    .where('invoice_id', '=', one.invoiceId)
    .where('kind', '=', 'approval')
    .where('lifted_on', 'is', null)
    .execute();
}

/** Takes back what outreach was asked for and has not queued, and what waits for approval. */
async function withdrawOpenSteps(tx: Tx, act: Act, one: TurningCase, reason: string): Promise<void> {
  const rows = await tx
    .updateTable('case_steps')
    .set({ status: 'withdrawn', reason })
    .where('invoice_id', '=', one.invoiceId)
    .where('step', 'not in', [THANK_YOU, NOTICE_COPY])
    .where('step', 'not like', '~plan:%')
    .where('status', 'in', ['requested', 'awaitingApproval'])
    .returning(['task_id', 'channel'])
    .execute();
  const asked = rows.flatMap((r) => (r.task_id === null ? [] : [r.task_id]));
  if (asked.length > 0) await cancelTasks(tx, act, asked, reason);
}

async function cancelTasks(tx: Tx, act: Act, taskIds: readonly string[], why: string): Promise<void> {
  await tx
    .updateTable('tasks')
    .set({ status: 'cancelled', closed_at: instant(act.at), closed_by: act.actor, outcome: json({ why }) })
    .where('id', 'in', taskIds)
    .where('status', '=', 'open')
    .execute();
}

const TASK_SUBJECTS: Record<CaseTaskKind, (number: string) => string> = {
  entryReview: (n) => `Invoice ${n} was late when it arrived: may its reminders begin?`,
  ladderEnded: (n) => `The reminders of invoice ${n} are used up: what next?`,
  timeBarred: (n) => `Invoice ${n} is time-barred and is not chased`,
  collectionMissing: (n) => `The direct debit of invoice ${n} was not booked: did it fail?`,
  missingAddress: (n) => `No e-mail address to write to about invoice ${n}`,
};

async function openCaseTask(
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
  await log(tx, act, one, 'taskOpened', { taskId, kind });
  if (kind === 'entryReview') await holdForPerson(tx, act, one, taskId, what.on);
}

function caseTaskKey(one: TurningCase, facts: CaseFacts, kind: CaseTaskKind): string {
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

/** A person lets a step leave now: it is due on that day (the customer's). Later ones keep their own days. */
export async function pullStepForward(tx: Tx, act: Act, invoiceId: string, step: string, on: LocalDate): Promise<void> {
  await tx.updateTable('invoices').set({ step_now: step, step_now_on: on }).where('id', '=', invoiceId).execute();
  await appendEvent(tx, act, { invoiceId, kind: 'stepPulled', data: { step, on }, text: act.reason ?? null });
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

/**
 * Closes a case: stage, run, what still waits. The tasks about it are cancelled, its disputes closed, its own holds
 * lifted; thanks are asked of outreach where the policy has them.
 */
export async function writeClosing(
  tx: Tx,
  act: Act,
  one: TurningCase,
  facts: CaseFacts,
  closing: { stage: ClosedStage; thank: boolean },
  today: LocalDate,
): Promise<void> {
  if (!isOpen(facts.stage)) throw new Error(`${one.invoiceId} is closed`);
  const before = facts.stage;
  await withdrawOpenSteps(tx, act, one, closing.stage);
  // What an agency has is called back at once: there is nothing left to collect.
  await endPlacement(tx, act, one.invoiceId, { status: 'ended', reason: closing.stage, on: today });
  const open = await tx
    .selectFrom('tasks')
    .select('id')
    .where('invoice_id', '=', one.invoiceId)
    .where('status', '=', 'open')
    .where('kind', 'not in', ['unappliedCash', 'unknownSend', 'returnedMail'])
    .execute();
  if (open.length > 0)
    await cancelTasks(
      tx,
      act,
      open.map((t) => t.id),
      closing.stage,
    );
  await tx
    .updateTable('disputes')
    .set({ status: 'closed', resolved_on: today })
    .where('invoice_id', '=', one.invoiceId)
    .where('status', '=', 'open')
    .execute();
  // A plan that goes on with other invoices holds this one too, should its money go back.
  await tx
    .updateTable('holds')
    .set({ lifted_on: today, lifted_at: instant(act.at) })
    .where('invoice_id', '=', one.invoiceId)
    .where('kind', '<>', 'plan')
    .where('lifted_on', 'is', null)
    .execute();
  await wakePlanMates(tx, act, one.invoiceId);
  if (closing.thank) {
    // Thanks that still wait from an earlier settling are said once, now.
    await tx
      .updateTable('case_steps')
      .set({ status: 'withdrawn', reason: 'settledAgain' })
      .where('invoice_id', '=', one.invoiceId)
      .where('step', '=', THANK_YOU)
      .where('status', '=', 'requested')
      .execute();
    await insertStep(tx, act, one, facts, {
      step: THANK_YOU,
      status: 'requested',
      channel: 'email',
      plannedAt: act.at,
      plannedOn: today,
    });
    await pokeOutreach(tx, one.customerId);
  }
  await tx
    .updateTable('case_runs')
    .set({ closed_on: today, closed_stage: closing.stage, stage_before: before })
    .where('invoice_id', '=', one.invoiceId)
    .where('run', '=', facts.run)
    .execute();
  await tx
    .updateTable('invoices')
    .set({
      stage: closing.stage,
      next: null,
      wake_at: null,
      // A step that a person pulled forward and that never left is no more urgent than others, should the case reopen.
      step_now: null,
      step_now_on: null,
      turned_at: instant(act.at),
    })
    .where('id', '=', one.invoiceId)
    .execute();
  // That it was given up, by whom and why, stands there already.
  if (closing.stage !== 'writtenOff') await log(tx, act, one, closing.stage, { run: facts.run });
}

/** What the turn leaves for lists and answers: the stage, what is next, and when the case looks again. */
export async function writeStanding(
  tx: Tx,
  act: Act,
  invoiceId: string,
  stage: OpenStage,
  next: NextAction | null,
  wakeAt: Instant | null,
): Promise<void> {
  await tx
    .updateTable('invoices')
    .set({
      stage,
      next: next === null ? null : json(next),
      wake_at: wakeAt === null ? null : instant(wakeAt),
      turned_at: instant(act.at),
    })
    .where('id', '=', invoiceId)
    .execute();
}

async function log(
  tx: Tx,
  act: Act,
  one: TurningCase,
  kind: Parameters<typeof appendEvent>[2]['kind'],
  data: Record<string, unknown>,
  text: string | null = null,
): Promise<void> {
  await appendEvent(tx, act, { invoiceId: one.invoiceId, kind, data, text });
}
