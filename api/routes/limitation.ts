import { z } from 'zod';
import type { Tx } from '../../db/database.ts';
import { findCustomer } from '../../db/repositories/customers.ts';
import { findInvoice, type InvoiceRow } from '../../db/repositories/invoices.ts';
import { limitationOfInvoice } from '../../db/repositories/limitation-days.ts';
import {
  limitationEventsOf,
  recordLimitationEvent,
  type LimitationEventRow,
} from '../../db/repositories/limitation-events.ts';
import type { Db } from '../../db/database.ts';
import { LIMITATION_EVENTS } from '../../domain/law/limitation.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound } from '../problem.ts';
import type { App } from '../routing.ts';
import { id, idParams, instant, localDate, prose, refusals } from '../schemas/common.ts';
import { created, ok, write } from '../write.ts';

const eventBody = z
  .strictObject({
    kind: z.enum(LIMITATION_EVENTS),
    on: localDate,
    until: localDate.optional().meta({ description: 'The last day of what lasts: proceedings, talks.' }),
    note: prose(2000).optional(),
  })
  .meta({
    id: 'NewLimitationEvent',
    example: { kind: 'acknowledgement', on: '2026-11-02', note: 'E-mail of that day.' },
  });

const limitationEvent = z
  .object({
    id: id('lim'),
    invoiceId: id('inv'),
    kind: z.enum(LIMITATION_EVENTS),
    on: localDate,
    until: localDate.nullable(),
    status: z.enum(['unconfirmed', 'counts', 'refused']).meta({
      description: 'What may be an acknowledgement counts once an approver has confirmed it.',
    }),
    limitationOn: localDate.nullable().meta({ description: 'The last day in time as it is now.' }),
    createdAt: instant,
  })
  .meta({ id: 'LimitationEvent' });

const limitation = z
  .object({
    on: localDate
      .nullable()
      .meta({ description: 'The last day in time; null where the law of the place is not known.' }),
    source: z.string().nullable(),
    years: z.int().nullable().meta({ description: 'Those that the contract agrees; null: those of the law.' }),
    events: z.array(limitationEvent),
  })
  .meta({ id: 'Limitation' });

/** Until when a claim can be pursued, and what moves that day. */
export async function limitationRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.get(
    '/v1/invoices/:id/limitation',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getLimitation',
        tags: ['law'],
        summary: 'Until when the claim can be pursued, and why',
        params: idParams('inv'),
        response: { 200: limitation, ...refusals },
      },
    },
    async (request) => {
      const { creditorId } = callerOf(request);
      const invoice = await findInvoice(db, creditorId, request.params.id);
      if (!invoice) throw notFound();
      const known = await currentOf(db, creditorId, invoice);
      return {
        on: known?.on ?? null,
        source: known?.source ?? null,
        years: invoice.limitation_years,
        events: (await limitationEventsOf(db, invoice.id)).map((row) => present(row, known?.on ?? null)),
      };
    },
  );

  app.post(
    '/v1/invoices/:id/limitation-events',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'recordLimitationEvent',
        tags: ['law'],
        summary: 'Something interrupts or suspends limitation',
        description:
          'A reminder or a formal notice does neither. What may be an acknowledgement counts once an approver has ' +
          'completed its task `confirmAcknowledgement`. The same event again: 200; `until` may be added to it once.',
        params: idParams('inv'),
        body: eventBody,
        response: { 200: limitationEvent, 201: limitationEvent, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { kind, on, until = null, note = null } = request.body;
        const invoiceId = request.params.id;
        const { row, created: isNew } = await recordLimitationEvent(tx, act, creditorId, {
          invoiceId,
          kind,
          on,
          until,
          note,
        });
        const { limitation_on: now } = (await findInvoice(tx, creditorId, invoiceId))!;
        return isNew ? created(present(row, now)) : ok(present(row, now));
      }),
  );
}

async function currentOf(db: Db | Tx, creditorId: string, invoice: InvoiceRow) {
  const customer = (await findCustomer(db, creditorId, invoice.customer_id))!;
  return await limitationOfInvoice(db, invoice, customer);
}

const present = (row: LimitationEventRow, limitationOn: string | null): z.input<typeof limitationEvent> => ({
  id: row.id,
  invoiceId: row.invoice_id,
  kind: row.kind,
  on: row.on_date,
  until: row.until_date,
  status: row.status,
  limitationOn,
  createdAt: isoInstant(row.at),
});
