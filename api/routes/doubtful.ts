import { z } from 'zod';
import { creditorsDate } from '../../db/repositories/creditors.ts';
import { endDoubtful, markDoubtful } from '../../db/repositories/doubtful-claims.ts';
import { formatAmount } from '../../domain/money.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import type { App } from '../routing.ts';
import { amountOut, currency, id, idParams, prose, refusals } from '../schemas/common.ts';
import { created, noContent, write } from '../write.ts';

const doubtful = z
  .object({ invoiceId: id('inv'), percent: z.string(), allowance: amountOut, currency })
  .meta({ id: 'DoubtfulClaim' });

/** Claims that the accountant holds to be doubtful. What is owed and what the case does about it stay as they are. */
export async function doubtfulRoutes(app: App, deps: ApiDeps): Promise<void> {
  app.post(
    '/v1/invoices/:id/doubtful',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'markDoubtful',
        tags: ['books'],
        summary: 'Hold what is open to be doubtful',
        description:
          'The books have it among doubtful receivables from now on (416), with an allowance of `percent` of it without VAT ' +
          '(491, 68174). Both end by themselves once nothing is open, paid or written off, or by DELETE.',
        params: idParams('inv'),
        body: z
          .strictObject({ percent: z.string().max(6), reason: prose(2000) })
          .meta({ example: { percent: '60', reason: 'No answer since the formal notice' } }),
        response: { 201: doubtful, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { percent, reason } = request.body;
        const on = await creditorsDate(tx, act, creditorId);
        const marked = await markDoubtful(tx, { ...act, reason }, creditorId, request.params.id, percent, on);
        return created({
          invoiceId: request.params.id,
          percent: marked.percent,
          allowance: formatAmount(marked.allowanceMinor, marked.currency),
          currency: marked.currency,
        });
      }),
  );

  app.delete(
    '/v1/invoices/:id/doubtful',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'endDoubtful',
        tags: ['books'],
        summary: 'Hold it to be good again',
        description: 'The allowance is released, and what is open is an ordinary receivable again.',
        params: idParams('inv'),
        response: { 204: z.undefined().meta({ description: 'Ended' }), ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        await endDoubtful(tx, act, creditorId, request.params.id, await creditorsDate(tx, act, creditorId));
        return noContent();
      }),
  );
}
