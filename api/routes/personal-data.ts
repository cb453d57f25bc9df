import { Readable } from 'node:stream';
import { z } from 'zod';
import { findCustomer } from '../../db/repositories/customers.ts';
import { erasePersonalData } from '../../db/repositories/erasure.ts';
import { exportCustomer } from '../../db/repositories/personal-export.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound } from '../problem.ts';
import type { App } from '../routing.ts';
import { across, email, idParams, reasonText, refusals } from '../schemas/common.ts';
import { ok, write } from '../write.ts';

const erasureBody = z
  .strictObject({
    contactEmail: email.optional(),
    all: z.literal(true).optional(),
    reason: reasonText,
  })
  .check(
    across(({ contactEmail, all }) =>
      (contactEmail === undefined) === (all === undefined)
        ? [{ path: ['contactEmail'], code: 'required', message: 'give either contactEmail or all' }]
        : [],
    ),
  )
  .meta({ example: { contactEmail: 'jane@dupont.example', reason: 'Asked for by post.' } });

const erased = z
  .object({
    people: z.int().meta({ description: 'Contact persons taken off the customer.' }),
    messages: z.int().meta({ description: 'Messages whose text and recipients were erased.' }),
    documents: z.int(),
    texts: z.int().meta({ description: 'Reasons, notes and words on the timelines of its cases.' }),
  })
  .meta({ id: 'Erased' });

/** What the law of personal data asks for: erasure and a copy of everything. */
export async function personalDataRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.post(
    '/v1/customers/:id/erasure',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'erasePersonalData',
        tags: ['customers'],
        summary: 'Erase personal data of a customer',
        description:
          'Of one contact person, or `all`: persons, texts and recipients of messages, letters, reasons and notes. ' +
          'Amounts, dates, invoices, the journal and the chains stay. `all` is refused (409 `customerOpen`) while a case is open, ' +
          'a person while it is the only address of one (409 `onlyAddress`), both while a message to them is on its way ' +
          '(409 `contactUnderWay`). The reason stays on the timelines: name nobody in it.',
        params: idParams('cus'),
        body: erasureBody,
        response: { 200: erased, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { contactEmail, reason } = request.body;
        const what = contactEmail === undefined ? { all: true as const } : { contactEmail };
        return ok(await erasePersonalData(tx, { ...act, reason }, creditorId, request.params.id, what));
      }),
  );

  app.get(
    '/v1/customers/:id/export',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'exportPersonalData',
        tags: ['customers'],
        summary: 'Everything kept about a customer, as one JSON document',
        description: 'GDPR, articles 15 and 20. The bytes of documents are at the documents of their invoices.',
        params: idParams('cus'),
        response: { ...refusals },
      },
    },
    async (request, reply) => {
      const customer = await findCustomer(db, callerOf(request).creditorId, request.params.id);
      if (!customer) throw notFound();
      return reply
        .type('application/json; charset=utf-8')
        .header('content-disposition', `attachment; filename="${customer.id}.json"`)
        .send(Readable.from(exportCustomer(db, customer)) as never);
    },
  );
}
