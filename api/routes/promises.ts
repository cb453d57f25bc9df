import { z } from 'zod';
import { findInvoice } from '../../db/repositories/invoices.ts';
import { makePromise, withdrawPromise } from '../../db/repositories/promises.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound } from '../problem.ts';
import { presentPromise } from '../present.ts';
import type { App } from '../routing.ts';
import { amount, idParams, line, localDate, refusals } from '../schemas/common.ts';
import { promise } from '../schemas/resources.ts';
import { positiveAmount } from '../validation.ts';
import { created, noContent, write } from '../write.ts';

export const promiseBody = z
  .strictObject({ payOn: localDate, amount: amount.optional(), by: line(200).optional() })
  .meta({ example: { payOn: '2026-11-27', by: 'Ms Martin, accounting' } });

/** Customers say when they will pay. */
export async function promiseRoutes(app: App, deps: ApiDeps): Promise<void> {
  app.post(
    '/v1/invoices/:id/promises',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'promise',
        tags: ['case'],
        summary: 'The customer says when they will pay',
        description:
          'Without an amount it is for the whole balance. Beyond the policy’s limits it is kept without a hold and ' +
          'becomes a task. It takes the place of active promises with which it would exceed the balance.',
        params: idParams('inv'),
        body: promiseBody,
        response: { 201: promise, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const invoice = await findInvoice(tx, creditorId, request.params.id);
        if (!invoice) throw notFound();
        const { payOn, amount: text, by = null } = request.body;
        const amountMinor = text === undefined ? null : positiveAmount('/amount', text, invoice.currency);
        const row = await makePromise(tx, act, creditorId, { invoiceId: invoice.id, payOn, amountMinor, by });
        return created(presentPromise(row, invoice.currency));
      }),
  );

  app.delete(
    '/v1/promises/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'withdrawPromise',
        tags: ['case'],
        summary: 'Take a promise back',
        params: idParams('pro'),
        response: { 204: z.undefined().meta({ description: 'Withdrawn' }), ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        await withdrawPromise(tx, act, callerOf(request).creditorId, request.params.id);
        return noContent();
      }),
  );
}
