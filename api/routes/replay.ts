import { z } from 'zod';
import { findInvoice } from '../../db/repositories/invoices.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound } from '../problem.ts';
import { replayCase } from '../replay-case.ts';
import type { App } from '../routing.ts';
import { id, idParams, instant, refusals } from '../schemas/common.ts';

const replay = z
  .object({
    invoiceId: id('inv'),
    number: z.string(),
    equal: z.boolean(),
    decisions: z.int().meta({ description: 'Turns and looks of outreach that were derived again.' }),
    messages: z.int().meta({ description: 'Messages that were rendered again.' }),
    erased: z.int().meta({ description: 'Messages whose words were erased; what they asked for was compared.' }),
    unrecorded: z.int().meta({ description: 'Messages of before the record began.' }),
    notRebuilt: z
      .array(z.string())
      .meta({ description: 'What was taken from the record, since the log does not give it.' }),
    differences: z.array(
      z.object({
        of: z.enum(['record', 'facts', 'decision', 'plan', 'message']),
        at: instant,
        what: z.string(),
        recorded: z.unknown(),
        derived: z.unknown(),
      }),
    ),
    moreDifferences: z.int().meta({ description: 'Beyond those that are listed.' }),
  })
  .meta({ id: 'Replay' });

/** Differences that are listed: whoever has more looks at the first. */
const MOST = 50;

/** Whether what a case did follows from its record. */
export async function replayRoutes(app: App, deps: ApiDeps): Promise<void> {
  app.get(
    '/v1/invoices/:id/replay',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'replay',
        tags: ['invoices'],
        summary: 'Derive every decision and message of a case again',
        description:
          'Rebuilds the facts from the log, decides with the policy versions of the day, renders each message from what ' +
          'it was made of, and compares with what is on record. Changes nothing.',
        params: idParams('inv'),
        response: { 200: replay, ...refusals },
      },
    },
    async (request) => {
      const row = await findInvoice(deps.db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      const { differences, ...found } = await replayCase(deps.db, row, deps.renderMessage);
      return {
        invoiceId: row.id,
        number: row.number,
        ...found,
        differences: differences.slice(0, MOST).map((one) => ({ ...one, at: isoInstant(one.at) })),
        moreDifferences: Math.max(0, differences.length - MOST),
      };
    },
  );
}
