import { z } from 'zod';
import { findCustomer } from '../../db/repositories/customers.ts';
import { findInbound, listInbound, recordInbound } from '../../db/repositories/inbound.ts';
import { parseInstant } from '../../domain/time/zones.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { holidaysAround } from '../holidays.ts';
import { callerOf } from '../plugins/auth.ts';
import { presentInbound } from '../present.ts';
import { notFound } from '../problem.ts';
import type { App } from '../routing.ts';
import { id, idParams, instant, listQuery, page, prose, refusals } from '../schemas/common.ts';
import { inbound, INBOUND_CHANNELS } from '../schemas/resources.ts';
import { at } from '../validation.ts';
import { created, write } from '../write.ts';

const inboundBody = z
  .strictObject({
    channel: z.enum(INBOUND_CHANNELS),
    receivedAt: instant,
    text: prose(20_000),
    invoiceIds: z.array(id('inv')).max(200).optional(),
  })
  .meta({
    id: 'NewInbound',
    example: { channel: 'email', receivedAt: '2026-11-20T08:12:00Z', text: 'We shall pay next week.' },
  });

/** What customers answered, outside of any feed: somebody reads it before the customer is contacted again. */
export async function inboundRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.post(
    '/v1/customers/:id/inbound',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'recordInbound',
        tags: ['customers'],
        summary: 'A reply of a customer came in',
        description:
          'All contacts of the customer are held until somebody has read it (task `readReply`), for the creditor’s ' +
          '`replyHoldWorkingDays` at most; with 0 nothing is held. Each reply has its own hold. Completing the task ' +
          'lifts it at once and can carry a promise or a dispute. `invoiceIds` says on whose timelines it stands; ' +
          'without it, on those of all open invoices.',
        params: idParams('cus'),
        body: inboundBody,
        response: { 201: inbound, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { channel, text, invoiceIds = [] } = request.body;
        const receivedAt = at('/receivedAt', () => parseInstant(request.body.receivedAt));
        const input = { customerId: request.params.id, channel, receivedAt, text, invoiceIds };
        const inboundId = await recordInbound(tx, act, creditorId, input, holidaysAround(deps, act.at));
        return created(presentInbound((await findInbound(tx, creditorId, inboundId))!));
      }),
  );

  app.get(
    '/v1/customers/:id/inbound',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listInbound',
        tags: ['customers'],
        summary: 'List the replies of a customer, newest first',
        params: idParams('cus'),
        querystring: listQuery,
        response: { 200: page(inbound), ...refusals },
      },
    },
    async (request) => {
      const { creditorId } = callerOf(request);
      const { query, params } = request;
      if (!(await findCustomer(db, creditorId, params.id))) throw notFound();
      return await readPage(
        'inbound',
        query,
        (after, count) => listInbound(db, creditorId, params.id, after, count),
        (row) => row.seq,
        (rows) => rows.map(presentInbound),
      );
    },
  );
}
