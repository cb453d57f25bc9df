import type { FastifyRequest } from 'fastify';
import type { Act } from '../db/act.ts';
import { inTransaction } from '../db/database.ts';
import { findCommands, insertCommand } from '../db/repositories/commands.ts';
import { beginCommand, claimKey, commandIdOf, storeAnswer, type StoredAnswer } from '../db/repositories/idempotency.ts';
import { findInvoice } from '../db/repositories/invoices.ts';
import { isOpenStage } from '../db/repositories/runs.ts';
import { newId } from '../db/ids.ts';
import type { JsonObject } from '../db/types.ts';
import type { CommandName, CommandOutcome } from '../workflows/messages.ts';
import type { ApiDeps } from './deps.ts';
import { callerOf } from './plugins/auth.ts';
import { notFound, Problem, toProblemAnswer, type ProblemCode } from './problem.ts';
import { actorOf, idempotencyOf, replayed, reused, storedRefusal, type Answer, type IdempotencyUse } from './write.ts';

export interface CommandRequest {
  invoiceId: string;
  name: CommandName;
  /** Ids, dates and codes; kept with the command in PostgreSQL. */
  args: JsonObject;
  reason: string | null;
}

/**
 * Asks one case to do something. The command is stored first, with its arguments and reason; the case gets its id alone,
 * which is the update id in Temporal too. With an `Idempotency-Key` the id follows from the key, so a repeat, also one
 * that comes while the first is still waiting, joins the same update and answers with its true result. Not answered in
 * 5 seconds: 503 `outcomeUnknown`, which is not stored.
 */
export async function command(
  deps: ApiDeps,
  request: FastifyRequest,
  asked: CommandRequest,
  answerWith: () => Promise<Answer>,
): Promise<Answer> {
  const use = idempotencyOf(request);
  const begun = await begin(deps, request, asked, use);
  if ('answer' in begun) return replayed(begun.answer);

  let answer: Answer;
  try {
    refuse(await outcomeOf(deps, callerOf(request).creditorId, asked, begun));
    answer = await answerWith();
  } catch (error) {
    const refusal = toProblemAnswer(error);
    if (use && refusal.status < 500) await keep(deps, use, storedRefusal(refusal));
    throw error;
  }
  if (use) await keep(deps, use, { status: answer.status, headers: {}, body: answer.body });
  return answer;
}

type Begun = { answer: StoredAnswer } | { commandId: string; open: boolean };

async function begin(
  deps: ApiDeps,
  request: FastifyRequest,
  asked: CommandRequest,
  use: IdempotencyUse | null,
): Promise<Begun> {
  const { creditorId } = callerOf(request);
  return await inTransaction(deps.db, async (tx): Promise<Begun> => {
    if (use) {
      const claim = await claimKey(tx, use.owner, use.key, use.hash);
      if (claim.state === 'reused') throw reused();
      if (claim.state === 'done') return { answer: claim.answer };
    }
    const invoice = await findInvoice(tx, creditorId, asked.invoiceId);
    if (!invoice) throw notFound();
    const commandId = use ? commandIdOf(use.owner, use.key) : newId('cmd');
    if (use) await beginCommand(tx, use.owner, use.key, use.hash);
    const act: Act = { actor: actorOf(request), at: deps.clock.now(), reason: asked.reason };
    await insertCommand(tx, act, { id: commandId, invoiceId: asked.invoiceId, kind: asked.name, args: asked.args });
    return { commandId, open: isOpenStage(invoice.stage) };
  });
}

async function outcomeOf(
  deps: ApiDeps,
  creditorId: string,
  asked: CommandRequest,
  begun: { commandId: string; open: boolean },
): Promise<CommandOutcome> {
  const stored = async (): Promise<CommandOutcome | null> =>
    (await findCommands(deps.db, asked.invoiceId, [begun.commandId]))[0]?.outcome ?? null;
  const before = await stored();
  if (before) return before;
  // A closed case has no workflow; it reopens by what happens to its money.
  if (!begun.open) return { accepted: false, code: 'caseClosed' };
  const { invoiceId, name } = asked;
  try {
    const outcome = await deps.commands.execute({ invoiceId, commandId: begun.commandId, name });
    // What the turn stored is the truth, whichever run answered.
    return (await stored()) ?? outcome;
  } catch (error) {
    // It met a case that was just closing: nothing runs any more that could still carry it out.
    const invoice = await findInvoice(deps.db, creditorId, invoiceId);
    const closed = error instanceof Problem && invoice !== undefined && !isOpenStage(invoice.stage);
    if (!closed) throw error;
    return (await stored()) ?? { accepted: false, code: 'caseClosed' };
  }
}

const REFUSALS: Readonly<Record<string, [code: ProblemCode, detail: string]>> = {
  caseClosed: ['caseClosed', 'The case is closed.'],
  nothingOwed: ['nothingOwed', 'Nothing is owed on the invoice any more; its case is closing.'],
  alreadyPaused: ['alreadyPaused', 'The case is paused already.'],
  notPaused: ['notPaused', 'The case is not paused.'],
  stepUnderWay: ['stepUnderWay', 'The message of the step is on its way.'],
  nothingToSkip: ['nothingToSkip', 'There is no step left to skip.'],
  nothingToApprove: ['nothingToApprove', 'No step waits for approval any more.'],
  nothingToTake: ['nothingToTake', 'There is no step left to take.'],
  notDue: ['notDue', 'The next step speaks of a late invoice; this one is not due yet.'],
  held: ['held', 'Something holds the case: a promise, a dispute, a plan, a pause. Lift it first.'],
  branchOff: ['branchOff', 'The policy of the case has this branch switched off.'],
  approvalAsked: ['approvalAsked', 'A person was asked already: answer the task.'],
  notReminded: ['notReminded', 'A notice covers only what a written reminder has asked for before.'],
  noAddress: ['noAddress', 'The customer has no address for the channel of the notice.'],
  noticePeriodRuns: ['noticePeriodRuns', 'The notice is not posted yet, or its deadline has not passed.'],
  notPlaced: ['notPlaced', 'No agency has the case.'],
  agencyRequired: ['agencyRequired', 'Name an agency: the creditor has none of its own choice.'],
  taskClosed: ['taskClosed', 'The task is closed.'],
  untilInPast: ['untilInPast', 'The last day held lies in the past.'],
};

function refuse(outcome: CommandOutcome): void {
  if (outcome.accepted) return;
  const [code, detail] =
    REFUSALS[outcome.code ?? ''] ?? (['stageForbids', 'The case does not allow this now.'] as const);
  const faults = code === 'untilInPast' ? [{ pointer: '/until', code, message: detail }] : [];
  throw new Problem(code, detail, { faults });
}

const keep = (deps: ApiDeps, use: IdempotencyUse, answer: StoredAnswer): Promise<void> =>
  storeAnswer(deps.db, use.owner, use.key, use.hash, answer);
