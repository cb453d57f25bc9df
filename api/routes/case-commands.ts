import { z } from 'zod';
import { requireAgency } from '../../db/repositories/placements.ts';
import { reopenByHand } from '../../db/repositories/reopening.ts';
import type { CommandName } from '../../workflows/messages.ts';
import { command } from '../command.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { Problem } from '../problem.ts';
import { invoiceAnswer } from '../present.ts';
import type { App } from '../routing.ts';
import { id, idParams, localDate, reasonText, refusals } from '../schemas/common.ts';
import { invoice } from '../schemas/resources.ts';
import { ok, send, write } from '../write.ts';

const reasonBody = z.strictObject({ reason: reasonText });
const pauseBody = z.strictObject({ reason: reasonText, until: localDate.optional() });
const placementBody = z.strictObject({ reason: reasonText, agencyId: id('agy').optional() });
/** What any of them may say. */
type CommandBody = z.output<typeof pauseBody> & z.output<typeof placementBody>;

const COMMANDS = [
  {
    path: 'pause',
    name: 'pause',
    access: 'operator',
    operationId: 'pauseCase',
    summary: 'Stop the reminders, until a date or until resumed',
    body: pauseBody,
  },
  {
    path: 'resume',
    name: 'resume',
    access: 'operator',
    operationId: 'resumeCase',
    summary: 'Lift the pause',
    body: reasonBody,
  },
  {
    path: 'skip',
    name: 'skipStep',
    access: 'operator',
    operationId: 'skipStep',
    summary: 'Pass over the next step',
    body: reasonBody,
  },
  {
    path: 'step-now',
    name: 'stepNow',
    access: 'operator',
    operationId: 'stepNow',
    summary: 'Let the next step leave at the next moment of contact',
    body: reasonBody,
  },
  {
    path: 'formal-notice',
    name: 'sendFormalNotice',
    access: 'operator',
    operationId: 'sendFormalNotice',
    summary: 'Send the formal notice; an operator asks for its approval',
    body: reasonBody,
  },
  {
    path: 'placement',
    name: 'place',
    access: 'operator',
    operationId: 'placeCase',
    summary: 'Hand the case over to an agency; an operator asks for the approval of it',
    body: placementBody,
  },
  {
    path: 'recall',
    name: 'recall',
    access: 'operator',
    operationId: 'recallCase',
    summary: 'Take the case back from its agency',
    body: reasonBody,
  },
  {
    path: 'write-off',
    name: 'writeOff',
    access: 'approver',
    operationId: 'writeOffCase',
    summary: 'Give the balance up: it is booked as a loss and the case closes',
    body: reasonBody,
  },
] as const satisfies readonly {
  path: string;
  name: CommandName;
  access: 'operator' | 'approver';
  operationId: string;
  summary: string;
  body: z.ZodType;
}[];

/** What a person asks one case to do; the case alone can refuse it. */
export async function caseCommandRoutes(app: App, deps: ApiDeps): Promise<void> {
  for (const { path, name, access, operationId, summary, body } of COMMANDS) {
    app.post(
      `/v1/invoices/:id/${path}`,
      {
        config: { access },
        schema: {
          operationId,
          tags: ['case'],
          summary,
          description:
            'Answered by the running case. 409 with the reason where it refuses; 503 `outcomeUnknown` where it does not ' +
            'answer in 5 seconds: send the same again with the same Idempotency-Key to learn the true outcome.',
          params: idParams('inv'),
          body: body as z.ZodType<CommandBody>,
          response: { 200: invoice, ...refusals },
        },
      },
      async (request, reply) => {
        const { creditorId, role } = callerOf(request);
        const invoiceId = request.params.id;
        const { reason, until, agencyId } = request.body;
        if (agencyId !== undefined) await requireAgency(deps.db, creditorId, agencyId);
        // The case judges what the role behind the key may do by itself.
        const args = {
          role,
          ...(until === undefined ? {} : { until }),
          ...(agencyId === undefined ? {} : { agencyId }),
        };
        const answer = await command(deps, request, { invoiceId, name, args, reason }, async () =>
          ok(await invoiceAnswer(deps.db, creditorId, invoiceId, deps.clock.now())),
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
        description:
          'At its former stage and rung. What was written off and has not come since is owed again. 409 while it is open, ' +
          'or where nothing is owed.',
        params: idParams('inv'),
        body: reasonBody,
        response: { 200: invoice, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const invoiceId = request.params.id;
        const because = { ...act, reason: request.body.reason };
        const refusal = await reopenByHand(tx, because, creditorId, invoiceId);
        if (refusal === 'caseOpen') throw new Problem('caseOpen', 'The case is open.');
        if (refusal === 'nothingOwed') throw new Problem('nothingOwed', 'Nothing is owed on the invoice.');
        return ok(await invoiceAnswer(tx, creditorId, invoiceId, act.at));
      }),
  );
}
