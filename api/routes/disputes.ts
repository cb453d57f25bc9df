import { z } from 'zod';
import { findDispute, openDispute, resolveDispute } from '../../db/repositories/disputes.ts';
import { findInvoice } from '../../db/repositories/invoices.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound } from '../problem.ts';
import { presentDispute } from '../present.ts';
import type { App } from '../routing.ts';
import { amount, idParams, prose, refusals } from '../schemas/common.ts';
import { dispute, DISPUTE_CATEGORIES } from '../schemas/resources.ts';
import { positiveAmount } from '../validation.ts';
import { created, ok, write } from '../write.ts';

export const disputeBody = z
  .strictObject({
    amount: amount.optional(),
    category: z.enum(DISPUTE_CATEGORIES),
    note: prose(2000).optional(),
  })
  .meta({ example: { amount: '240.00', category: 'quantity', note: 'Two of ten pallets are missing.' } });

const resolutionBody = z
  .strictObject({
    outcome: z.enum(['upheld', 'rejected', 'partly']),
    creditAmount: amount.optional(),
    note: prose(2000).optional(),
  })
  .meta({ example: { outcome: 'partly', creditAmount: '120.00', note: 'One pallet was delivered late.' } });

/** Customers contest all or part of an invoice; a person decides. */
export async function disputeRoutes(app: App, deps: ApiDeps): Promise<void> {
  app.post(
    '/v1/invoices/:id/disputes',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'dispute',
        tags: ['case'],
        summary: 'The customer contests all or part of an invoice',
        description: 'Without an amount all of it. What is contested is not asked for until the dispute is resolved.',
        params: idParams('inv'),
        body: disputeBody,
        response: { 201: dispute, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const invoice = await findInvoice(tx, creditorId, request.params.id);
        if (!invoice) throw notFound();
        const { amount: text, category, note = null } = request.body;
        const amountMinor = text === undefined ? null : positiveAmount('/amount', text, invoice.currency);
        const row = await openDispute(tx, act, creditorId, { invoiceId: invoice.id, amountMinor, category, note });
        return created(presentDispute(row, invoice.currency));
      }),
  );

  app.post(
    '/v1/disputes/:id/resolution',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'resolveDispute',
        tags: ['case'],
        summary: 'Decide a dispute',
        description:
          'Upheld: what was contested is credited, or `creditAmount` of it. Partly: `creditAmount` is credited. ' +
          'Rejected: nothing, and it is asked for again. The credit note’s number is the id of the dispute.',
        params: idParams('dis'),
        body: resolutionBody,
        response: { 200: dispute, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const found = await findDispute(tx, creditorId, request.params.id);
        if (!found) throw notFound();
        const { currency } = found.invoice;
        const { outcome, creditAmount, note = null } = request.body;
        const creditMinor = creditAmount === undefined ? null : positiveAmount('/creditAmount', creditAmount, currency);
        const row = await resolveDispute(tx, act, creditorId, request.params.id, { outcome, creditMinor, note });
        return ok(presentDispute(row, currency));
      }),
  );
}
