import type { Act as CaseAct } from '../../domain/case/decision.ts';
import type { CaseFacts } from '../../domain/case/facts.ts';
import { isOpen, type ClosedStage, type OpenStage } from '../../domain/case/stages.ts';
import { PLACEMENT, shownStep, THANK_YOU, WRITE_OFF } from '../../domain/case/requests.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, json, type Tx } from '../database.ts';
import type { NextAction } from '../types.ts';
import { askApproval, liftApprovalHold, personsAct, takeBranch } from './approvals.ts';
import { insertStep, logTurn, withdrawOpenSteps, type TurningCase } from './case-steps.ts';
import { openCaseTask } from './case-tasks.ts';
import { pokeOutreach } from './outbox.ts';
import { endPlacement, placeWithAgency } from './placements.ts';
import { endPlan, wakePlanMates } from './plans.ts';
import { closeTasks } from './tasks.ts';
import { writeOffBalance } from './write-offs.ts';

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
      await logTurn(tx, act, one, kept ? 'promiseKept' : 'promiseBroken', { promiseId: what.promiseId, on: what.on });
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
      await logTurn(tx, act, one, kind === 'pause' ? 'resumed' : 'released', {
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
      if (what.act === 'skipStep') await logTurn(tx, act, one, 'stepSkipped', { step: what.step, reason: what.reason });
      else await logTurn(tx, act, one, 'stepMerged', { step: what.step, into: what.into });
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
      await logTurn(tx, said, one, 'approved', { step: shownStep(what.step) }, said.reason ?? null);
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
      await logTurn(tx, said, one, 'refused', { step: shownStep(what.step) }, said.reason ?? null);
      await logTurn(tx, said, one, 'stepSkipped', { step: shownStep(what.step), reason: 'refused' });
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
    await closeTasks(
      tx,
      act,
      open.map((t) => t.id),
      'cancelled',
      { why: closing.stage },
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
  if (closing.stage !== 'writtenOff') await logTurn(tx, act, one, closing.stage, { run: facts.run });
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
