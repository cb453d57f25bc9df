import { z } from 'zod';
import { findInvoice } from '../../db/repositories/invoices.ts';
import { lifecycleOf, recordLifecycle, type LifecycleRow } from '../../db/repositories/lifecycle.ts';
import { isLifecycleCode, LIFECYCLE_CODES, lifecycleStatus } from '../../domain/law/lifecycle.ts';
import { formatAmount } from '../../domain/money.ts';
import { isoInstant, parseInstant } from '../../domain/time/zones.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import { amount, amountOut, id, idParams, instant, prose, refusals } from '../schemas/common.ts';
import { at, positiveAmount } from '../validation.ts';
import { created, ok, write } from '../write.ts';

const statusBody = z
  .strictObject({
    status: z
      .string()
      .min(1)
      .max(10)
      .meta({ description: `One of ${LIFECYCLE_CODES.join(', ')} (XP Z12-012).` }),
    at: instant.meta({ description: 'When the platform says it happened.' }),
    reason: prose(2000).optional(),
    amount: amount.optional().meta({
      description: 'Of 206 what was approved (required), of 207 what is contested, of 211 and 212 what was paid.',
    }),
  })
  .meta({ id: 'NewLifecycleStatus', example: { status: '208', at: '2026-11-20T09:30:00Z', reason: 'Order number?' } });

const lifecycle = z
  .object({
    id: id('lif'),
    invoiceId: id('inv'),
    status: z.string(),
    name: z.string(),
    at: instant,
    amount: amountOut.nullable(),
    effect: z
      .enum([
        'proof',
        'none',
        'resume',
        'disputeRest',
        'dispute',
        'supplyDocument',
        'stop',
        'paymentSent',
        'collected',
        'checkPayee',
        'review',
        'kept',
      ])
      .meta({ description: 'What the case made of it; `kept`: nothing, it is closed or the status was overtaken.' }),
    holdId: id('hol').nullable(),
    taskId: id('tsk').nullable(),
    disputeId: id('dis').nullable(),
    createdAt: instant,
  })
  .meta({ id: 'LifecycleStatus' });

/** What the platforms of the e-invoicing reform report of an invoice. */
export async function lifecycleRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.get(
    '/v1/invoices/:id/lifecycle',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getLifecycle',
        tags: ['law'],
        summary: 'Statuses of the e-invoice, oldest first',
        params: idParams('inv'),
        response: { 200: z.object({ data: z.array(lifecycle) }), ...refusals },
      },
    },
    async (request) => {
      const invoice = await findInvoice(db, callerOf(request).creditorId, request.params.id);
      if (!invoice) throw notFound();
      return { data: (await lifecycleOf(db, invoice.id)).map((row) => present(row, invoice.currency)) };
    },
  );

  app.post(
    '/v1/invoices/:id/lifecycle',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'reportLifecycle',
        tags: ['law'],
        summary: 'A platform reports a status of the e-invoice',
        description:
          'Refused, rejected and cancelled invoices are not chased until a person has credited, reissued or released ' +
          'them; disputed ones become disputes; a payment on its way rests the case for `paymentSentDays` of the ' +
          'creditor. The same status of the same moment again: 200.',
        params: idParams('inv'),
        body: statusBody,
        response: { 200: lifecycle, 201: lifecycle, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const invoice = await findInvoice(tx, creditorId, request.params.id);
        if (!invoice) throw notFound();
        const { status: code, reason = null, amount: text } = request.body;
        if (!isLifecycleCode(code)) throw unknownStatus();
        const { row, created: isNew } = await recordLifecycle(tx, act, creditorId, {
          invoiceId: invoice.id,
          code,
          at: at('/at', () => parseInstant(request.body.at)),
          amountMinor: text === undefined ? null : positiveAmount('/amount', text, invoice.currency),
          reason,
        });
        const answer = present(row, invoice.currency);
        return isNew ? created(answer) : ok(answer);
      }),
  );
}

function unknownStatus(): Problem {
  const message = `The statuses known here are ${LIFECYCLE_CODES.join(', ')}.`;
  return new Problem('lifecycleUnknown', message, {
    faults: [{ pointer: '/status', code: 'lifecycleUnknown', message }],
  });
}

const present = (row: LifecycleRow, currency: string): z.input<typeof lifecycle> => ({
  id: row.id,
  invoiceId: row.invoice_id,
  status: row.code,
  name: lifecycleStatus(row.code).name,
  at: isoInstant(row.status_at),
  amount: row.amount_minor === null ? null : formatAmount(row.amount_minor, currency),
  effect: row.effect,
  holdId: row.hold_id,
  taskId: row.task_id,
  disputeId: row.dispute_id,
  createdAt: isoInstant(row.at),
});
