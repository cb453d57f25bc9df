import { z } from 'zod';
import { findInvoice, lockOwnInvoice } from '../../db/repositories/invoices.ts';
import { isOpenStage, reopenCase } from '../../db/repositories/runs.ts';
import type { CommandName } from '../../workflows/messages.ts';
import { command } from '../command.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import { invoiceAnswer } from '../present.ts';
import type { App } from '../routing.ts';
import { idParams, localDate, reasonText, refusals } from '../schemas/common.ts';
import { invoice } from '../schemas/resources.ts';
import { ok, send, write } from '../write.ts';

const reasonBody = z.strictObject({ reason: reasonText });
const pauseBody = z.strictObject({ reason: reasonText, until: localDate.optional() });

const COMMANDS = [
  {
    path: 'pause',
    name: 'pause',
    operationId: 'pauseCase',
    summary: 'Stop the reminders, until a date or until resumed',
    body: pauseBody,
  },
  { path: 'resume', name: 'resume', operationId: 'resumeCase', summary: 'Lift the pause', body: reasonBody },
  { path: 'skip', name: 'skipStep', operationId: 'skipStep', summary: 'Pass over the next step', body: reasonBody },
] as const satisfies readonly {
  path: string;
  name: CommandName;
  operationId: string;
  summary: string;
  body: z.ZodType;
}[];

/** What a person asks one case to do; the case alone can refuse it. */
export async function caseCommandRoutes(app: App, deps: ApiDeps): Promise<void> {
  for (const { path, name, operationId, summary, body } of COMMANDS) {
    app.post(
      `/v1/invoices/:id/${path}`,
      {
        config: { access: 'operator' },
        schema: {
          operationId,
          tags: ['case'],
          summary,
          description:
            'Answered by the running case. 409 with the reason where it refuses; 503 `outcomeUnknown` where it does not ' +
            'answer in 5 seconds: send the same again with the same Idempotency-Key to learn the true outcome.',
          params: idParams('inv'),
          body: body as typeof pauseBody,
          response: { 200: invoice, ...refusals },
        },
      },
      async (request, reply) => {
        const { creditorId } = callerOf(request);
        const { id } = request.params;
        const { reason, until } = request.body;
        const args = until === undefined ? {} : { until };
        const answer = await command(deps, request, { invoiceId: id, name, args, reason }, async () =>
          ok(await invoiceAnswer(deps.db, creditorId, id, deps.clock.now())),
        );
        return send(reply, answer);
      },
    );
  }

  app.post(
    '/v1/invoices/:id/reopen',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'reopenCase',
        tags: ['case'],
        summary: 'Start a closed case again',
        description: 'At its former stage and rung. 409 while it is open, or where nothing is owed.',
        params: idParams('inv'),
        body: reasonBody,
        response: { 200: invoice, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { id } = request.params;
        if (!(await findInvoice(tx, creditorId, id))) throw notFound();
        const row = await lockOwnInvoice(tx, creditorId, id);
        if (isOpenStage(row.stage)) throw new Problem('caseOpen', 'The case is open.');
        if (!(await reopenCase(tx, { ...act, reason: request.body.reason }, id))) {
          throw new Problem('nothingOwed', 'Nothing is owed on the invoice.');
        }
        return ok(await invoiceAnswer(tx, creditorId, id, act.at));
      }),
  );
}
