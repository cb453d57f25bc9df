import { z } from 'zod';
import type { Db, Tx } from '../../db/database.ts';
import {
  changeInsolvency,
  closeInsolvency,
  declareInsolvency,
  findInsolvency,
} from '../../db/repositories/insolvencies.ts';
import { findCustomer } from '../../db/repositories/customers.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { presentInsolvency } from '../present.ts';
import { notFound } from '../problem.ts';
import type { App } from '../routing.ts';
import { idParams, localDate, prose, refusals } from '../schemas/common.ts';
import { insolvency, INSOLVENCY_KINDS, INSOLVENCY_OUTCOMES } from '../schemas/resources.ts';
import { created, ok, write } from '../write.ts';

const trustee = prose(600).meta({
  description: 'Name, then the address, one line each.',
  example: 'Maître Lefèvre\n3 rue du Palais\n69003 Lyon',
});

const declareBody = z
  .strictObject({
    kind: z.enum(INSOLVENCY_KINDS),
    judgmentOn: localDate,
    publishedOn: localDate.optional().meta({ description: 'Of the notice in the official gazette.' }),
    trustee: trustee.optional(),
  })
  .meta({
    id: 'NewInsolvency',
    example: { kind: 'receivership', judgmentOn: '2026-11-17', publishedOn: '2026-11-20' },
  });

const changeBody = z
  .strictObject({ publishedOn: localDate.nullish(), trustee: trustee.nullish() })
  .meta({ id: 'InsolvencyChange', example: { publishedOn: '2026-11-20' } });

const closeBody = z
  .strictObject({
    outcome: z.enum(INSOLVENCY_OUTCOMES),
    on: localDate.optional().meta({ description: 'Today where it is left out.' }),
    note: prose(2000).optional(),
  })
  .meta({ id: 'InsolvencyClosing', example: { outcome: 'noAssets', on: '2026-11-20' } });

/** Insolvency proceedings over a customer, from the judgment to their end. */
export async function insolvencyRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.post(
    '/v1/customers/:id/insolvency',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'declareInsolvency',
        tags: ['customers'],
        summary: 'Insolvency proceedings were opened over a customer',
        description:
          'In one step every open invoice issued by the day of the judgment is held (`insolvency`), messages about it ' +
          'that wait are withdrawn, its call and letter tasks cancelled, plans and promises over it ended, agencies told ' +
          'to stop. The date of issue stands in for the day of the delivery: an invoice that belongs to the other side ' +
          'of the judgment is released by `DELETE /v1/holds/{id}`, or held by its pause. Invoices of before the judgment ' +
          'that are registered afterwards are held from the start; later ones go on. The task `declareClaim` names the ' +
          'last day to declare where the law is known here (France); its form (PDF) is listed with the documents of the ' +
          'invoices. A message that is being sent cannot be taken back.',
        params: idParams('cus'),
        body: declareBody,
        response: { 201: insolvency, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { kind, judgmentOn, publishedOn = null, trustee: who = null } = request.body;
        const input = { kind, judgmentOn, publishedOn, trustee: who };
        await declareInsolvency(tx, act, creditorId, request.params.id, input, deps.holidays);
        return created(await answer(tx, creditorId, request.params.id));
      }),
  );

  app.get(
    '/v1/customers/:id/insolvency',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getInsolvency',
        tags: ['customers'],
        summary: 'The latest insolvency proceedings over a customer',
        description: '404 where there never were any.',
        params: idParams('cus'),
        response: { 200: insolvency, ...refusals },
      },
    },
    (request) => answer(db, callerOf(request).creditorId, request.params.id),
  );

  app.patch(
    '/v1/customers/:id/insolvency',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'changeInsolvency',
        tags: ['customers'],
        summary: 'Enter the notice or the trustee of open proceedings',
        description: 'The last day for declaring and its task move with the notice; the form is written again.',
        params: idParams('cus'),
        body: changeBody,
        response: { 200: insolvency, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        await changeInsolvency(tx, act, creditorId, request.params.id, request.body, deps.holidays);
        return ok(await answer(tx, creditorId, request.params.id));
      }),
  );

  app.post(
    '/v1/customers/:id/insolvency/closing',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'closeInsolvency',
        tags: ['customers'],
        summary: 'The proceedings ended',
        description:
          '`withdrawn`, `paid`: the holds are lifted and the ladders go on with what is left. `planAdopted`: what was ' +
          'declared is paid under the court’s plan; the holds stay until a person lifts them. `noAssets`: they stay, and ' +
          'each case asks for the approval of its write-off where its policy has one.',
        params: idParams('cus'),
        body: closeBody,
        response: { 200: insolvency, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { outcome, on = null, note = null } = request.body;
        await closeInsolvency(tx, { ...act, reason: note }, creditorId, request.params.id, { outcome, on });
        return ok(await answer(tx, creditorId, request.params.id));
      }),
  );
}

async function answer(db: Db | Tx, creditorId: string, customerId: string): Promise<z.input<typeof insolvency>> {
  const known = (await findCustomer(db, creditorId, customerId)) && (await findInsolvency(db, creditorId, customerId));
  if (!known) throw notFound();
  return presentInsolvency(known);
}
