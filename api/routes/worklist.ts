import { z } from 'zod';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Act } from '../../db/act.ts';
import type { Tx } from '../../db/database.ts';
import { findReceipt, type ReceiptRow } from '../../db/repositories/receipt-list.ts';
import {
  acceptCandidate,
  assignMoney,
  candidatesFor,
  ignoreMoney,
  refundMoney,
  splitMoney,
  takeBackIgnored,
} from '../../db/repositories/worklist.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { presentCandidates, receiptDetailOf } from '../present-match.ts';
import { notFound } from '../problem.ts';
import type { App } from '../routing.ts';
import { amount, id, idParams, reasonText, refusals } from '../schemas/common.ts';
import { candidate, receiptDetail } from '../schemas/resources.ts';
import { positiveAmount } from '../validation.ts';
import { noContent, ok, write, type Sent } from '../write.ts';

/** What a person decides about money that no rule assigned. */
export async function worklistRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.get(
    '/v1/receipts/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getReceipt',
        tags: ['money'],
        summary: 'Money in, where it went and why',
        params: idParams('rec'),
        response: { 200: receiptDetail, ...refusals },
      },
    },
    async (request) => {
      const row = await findReceipt(db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      return receiptDetailOf(db, row);
    },
  );

  app.get(
    '/v1/receipts/:id/candidates',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listCandidates',
        tags: ['money'],
        summary: 'What unapplied money could be for, the likeliest first',
        description: 'By the books of this moment, whatever the rules may do by themselves; nine at most.',
        params: idParams('rec'),
        response: { 200: z.object({ data: z.array(candidate) }), ...refusals },
      },
    },
    async (request) => {
      const row = await findReceipt(db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      return { data: await presentCandidates(db, await candidatesFor(db, row), row.currency) };
    },
  );

  /** Carries out a decision and answers the receipt as it is then. */
  const decide = (
    request: FastifyRequest<{ Params: { id: string } }>,
    reply: FastifyReply,
    work: (tx: Tx, act: Act, receipt: ReceiptRow) => Promise<unknown>,
  ): Promise<Sent> =>
    write(deps, request, reply, async (tx, act) => {
      const { creditorId } = callerOf(request);
      const row = await findReceipt(tx, creditorId, request.params.id);
      if (!row) throw notFound();
      await work(tx, act, row);
      return ok(await receiptDetailOf(tx, (await findReceipt(tx, creditorId, row.id))!));
    });

  app.post(
    '/v1/receipts/:id/accept',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'acceptCandidate',
        tags: ['money'],
        summary: 'Apply a candidate',
        description: 'Exactly that one: 409 `candidateGone` when it is not among those of this moment.',
        params: idParams('rec'),
        body: z
          .strictObject({ candidate: z.string().regex(/^[\w-]{16}$/, 'is not the key of a candidate') })
          .meta({ example: { candidate: 'x3JkQ0b2T9aWq1Zs' } }),
        response: { 200: receiptDetail, ...refusals },
      },
    },
    (request, reply) => decide(request, reply, (tx, act, row) => acceptCandidate(tx, act, row, request.body.candidate)),
  );

  app.post(
    '/v1/receipts/:id/split',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'splitReceipt',
        tags: ['money'],
        summary: 'Assign money to several invoices',
        description: 'All of it as said, or nothing.',
        params: idParams('rec'),
        body: z
          .strictObject({
            allocations: z
              .array(z.strictObject({ invoiceId: id('inv'), amount }))
              .min(1)
              .max(200),
          })
          .meta({ example: { allocations: [{ invoiceId: 'inv_01jd3k8x7v5r2m9t4w6y0b1c2d', amount: '1200.00' }] } }),
        response: { 200: receiptDetail, ...refusals },
      },
    },
    (request, reply) =>
      decide(request, reply, (tx, act, row) =>
        splitMoney(
          tx,
          act,
          row,
          request.body.allocations.map(({ invoiceId, amount: text }, index) => ({
            invoiceId,
            amountMinor: positiveAmount(`/allocations/${index}/amount`, text, row.currency),
          })),
        ),
      ),
  );

  app.post(
    '/v1/receipts/:id/assign',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'assignReceipt',
        tags: ['money'],
        summary: 'It is this customer’s, for none of its invoices yet',
        description: 'What is unapplied is credit of that customer; the task closes.',
        params: idParams('rec'),
        body: z
          .strictObject({ customerId: id('cus') })
          .meta({ example: { customerId: 'cus_01jd3k8x7v5r2m9t4w6y0b1c2d' } }),
        response: { 200: receiptDetail, ...refusals },
      },
    },
    (request, reply) => decide(request, reply, (tx, act, row) => assignMoney(tx, act, row, request.body.customerId)),
  );

  app.post(
    '/v1/receipts/:id/refund',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'refundReceipt',
        tags: ['money'],
        summary: 'Send unapplied money back to its payer',
        description: 'All that is unapplied, or a part. The transfer itself is made at the bank.',
        params: idParams('rec'),
        body: z
          .strictObject({ amount: amount.optional(), reason: reasonText })
          .meta({ example: { reason: 'Paid twice.' } }),
        response: { 200: receiptDetail, ...refusals },
      },
    },
    (request, reply) =>
      decide(request, reply, (tx, act, row) => {
        const { amount: text, reason } = request.body;
        const minor = text === undefined ? null : positiveAmount('/amount', text, row.currency);
        return refundMoney(tx, { ...act, reason }, row, minor);
      }),
  );

  app.post(
    '/v1/receipts/:id/ignore',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'ignoreReceipt',
        tags: ['money'],
        summary: 'Put money aside that is none of the invoices’',
        description: 'Such as a tax refund. The books keep it apart; the task closes.',
        params: idParams('rec'),
        body: z.strictObject({ reason: reasonText }).meta({ example: { reason: 'VAT refund of October.' } }),
        response: { 200: receiptDetail, ...refusals },
      },
    },
    (request, reply) =>
      decide(request, reply, (tx, act, row) => ignoreMoney(tx, { ...act, reason: request.body.reason }, row)),
  );

  app.delete(
    '/v1/receipts/:id/ignore',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'takeBackIgnored',
        tags: ['money'],
        summary: 'Put it on the worklist again',
        params: idParams('rec'),
        response: { 204: z.undefined().meta({ description: 'Unapplied again, with a task' }), ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const row = await findReceipt(tx, callerOf(request).creditorId, request.params.id);
        if (!row) throw notFound();
        await takeBackIgnored(tx, act, row);
        return noContent();
      }),
  );
}
