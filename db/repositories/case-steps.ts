import type { CaseFacts } from '../../domain/case/facts.ts';
import { NOTICE_COPY, THANK_YOU } from '../../domain/case/requests.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { appendEvent } from './events.ts';
import { closeTasks } from './tasks.ts';

/** The invoice a turn is about, locked: what the acts of `decide` need to be written. */
export interface TurningCase {
  invoiceId: string;
  customerId: string;
  creditorId: string;
  number: string;
}

export interface StepRow {
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

export async function insertStep(tx: Tx, act: Act, one: TurningCase, facts: CaseFacts, row: StepRow): Promise<void> {
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

/** Takes back what outreach was asked for and has not queued, and what waits for approval. */
export async function withdrawOpenSteps(tx: Tx, act: Act, one: TurningCase, reason: string): Promise<void> {
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
  if (asked.length > 0) await closeTasks(tx, act, asked, 'cancelled', { why: reason });
}

/** A person lets a step leave now: it is due on that day (the customer's). Later ones keep their own days. */
export async function pullStepForward(tx: Tx, act: Act, invoiceId: string, step: string, on: LocalDate): Promise<void> {
  await tx.updateTable('invoices').set({ step_now: step, step_now_on: on }).where('id', '=', invoiceId).execute();
  await appendEvent(tx, act, { invoiceId, kind: 'stepPulled', data: { step, on }, text: act.reason ?? null });
}

/** Puts what a turn did on the timeline of its case. */
export async function logTurn(
  tx: Tx,
  act: Act,
  one: TurningCase,
  kind: Parameters<typeof appendEvent>[2]['kind'],
  data: Record<string, unknown>,
  text: string | null = null,
): Promise<void> {
  await appendEvent(tx, act, { invoiceId: one.invoiceId, kind, data, text });
}
