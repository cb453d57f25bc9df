import { z } from 'zod';
import { addCosts, openAccessories, waiveAccessories } from '../../db/repositories/accessories.ts';
import { claimFor } from '../../db/repositories/claims.ts';
import { findInvoice } from '../../db/repositories/invoices.ts';
import { lockCustomers, lockInvoice } from '../../db/repositories/locks.ts';
import { wakeCase } from '../../db/repositories/outbox.ts';
import { sumOfParts } from '../../domain/law/imputation.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { dayUpTo } from '../periods.ts';
import { notFound, Problem } from '../problem.ts';
import { presentClaim } from '../present-claim.ts';
import type { App } from '../routing.ts';
import { amount, idParams, line, localDate, refusals } from '../schemas/common.ts';
import { claim } from '../schemas/claim.ts';
import { positiveAmount } from '../validation.ts';
import { ok, write } from '../write.ts';
import { creditorsDate } from '../../db/repositories/creditors.ts';

/** What is claimed on an invoice beside its balance: by which law, from when, and what was waived of it. */
export async function claimRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.get(
    '/v1/invoices/:id/claim',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getClaim',
        tags: ['money'],
        summary: 'What is owed on an invoice at the end of a day',
        description:
          'Principal, interest by period, compensation and costs by the law of the customer’s country, as if all of it were ' +
          'claimed at `asOf` (default today). 409 `rateUnknown` where a reference rate is not known: it says which.',
        params: idParams('inv'),
        querystring: z.strictObject({ asOf: localDate.optional() }),
        response: { 200: claim, ...refusals },
      },
    },
    async (request) => {
      const { creditorId } = callerOf(request);
      const invoice = await findInvoice(db, creditorId, request.params.id);
      if (!invoice) throw notFound();
      const today = await creditorsDate(db, { at: deps.clock.now() }, creditorId);
      const asOf = dayUpTo(today, request.query.asOf, '/asOf');
      if (invoice.stage === 'writtenOff') {
        throw new Problem('invoiceClosed', 'The invoice is written off: nothing is claimed on it any more.');
      }
      return presentClaim(await claimFor(db, invoice.id, asOf));
    },
  );

  app.post(
    '/v1/invoices/:id/interest-waiver',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'waiveInterest',
        tags: ['money'],
        summary: 'Give up interest, compensation and costs',
        description:
          'All that is open of them today is booked as waived; later days bear interest again while principal is open.',
        params: idParams('inv'),
        body: z.strictObject({ reason: line(400) }).meta({ example: { reason: 'Agreed on the telephone' } }),
        response: { 200: claim, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const invoice = await findInvoice(tx, creditorId, request.params.id);
        if (!invoice) throw notFound();
        await lockCustomers(tx, [invoice.customer_id]);
        await lockInvoice(tx, invoice.id);
        const today = await creditorsDate(tx, act, creditorId);
        const open = await openAccessories(tx, invoice.id, today);
        if (sumOfParts(open) === 0n)
          throw new Problem('nothingToWaive', 'No interest, compensation or costs are open.');
        await waiveAccessories(tx, { ...act, reason: request.body.reason }, invoice.id, open, today);
        await wakeCase(tx, invoice.id);
        return ok(presentClaim(await claimFor(tx, invoice.id, today)));
      }),
  );

  app.post(
    '/v1/invoices/:id/costs',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'addCosts',
        tags: ['money'],
        summary: 'Costs that may be charged on',
        description:
          'What a court or an enforceable title grants (CPCE L111-8): `basis` names it. Costs of reminders are the creditor’s own.',
        params: idParams('inv'),
        body: z
          .strictObject({ amount, on: localDate, basis: line(200) })
          .meta({ example: { amount: '51.07', on: '2026-11-20', basis: 'Order for payment of 20 November 2026' } }),
        response: { 200: claim, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const invoice = await findInvoice(tx, creditorId, request.params.id);
        if (!invoice) throw notFound();
        const { body } = request;
        const today = await creditorsDate(tx, act, creditorId);
        dayUpTo(today, body.on, '/on');
        await lockCustomers(tx, [invoice.customer_id]);
        await lockInvoice(tx, invoice.id);
        const amountMinor = positiveAmount('/amount', body.amount, invoice.currency);
        await addCosts(tx, act, { invoiceId: invoice.id, creditorId, amountMinor, on: body.on, basis: body.basis });
        return ok(presentClaim(await claimFor(tx, invoice.id, today)));
      }),
  );
}
