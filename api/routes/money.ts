import { z } from 'zod';
import { allocate, undoAllocation } from '../../db/repositories/allocations.ts';
import { recordCreditNote } from '../../db/repositories/credit-notes.ts';
import { findInvoice } from '../../db/repositories/invoices.ts';
import { findCreditNote } from '../../db/repositories/money-list.ts';
import { allocationsOf, findAllocation, findReceipt, listReceipts } from '../../db/repositories/receipt-list.ts';
import { recordPayment } from '../../db/repositories/receipts.ts';
import { takeInHand } from '../../db/repositories/unapplied.ts';
import { parseAmount } from '../../domain/money.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { holidaysAround } from '../holidays.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import { presentAllocation, presentCreditNote, presentReceipt } from '../present.ts';
import type { App } from '../routing.ts';
import {
  amount,
  amountFitsCurrency,
  currency,
  id,
  idParams,
  line,
  listQuery,
  localDate,
  page,
  refusals,
} from '../schemas/common.ts';
import { allocation, creditNote, receipt } from '../schemas/resources.ts';
import { positiveAmount } from '../validation.ts';
import { created, noContent, ok, write } from '../write.ts';
import { creditNoteBody } from './customers.ts';

const paymentBody = z
  .strictObject({
    amount,
    currency,
    receivedOn: localDate,
    method: line(40).optional(),
    reference: line(140).optional(),
  })
  .check(amountFitsCurrency())
  .meta({ example: { amount: '1200.00', currency: 'EUR', receivedOn: '2026-11-20', method: 'cheque' } });

/** Money in and credit given, and where they went. */
export async function moneyRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.post(
    '/v1/invoices/:id/payments',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'recordPayment',
        tags: ['money'],
        summary: 'Money received outside a feed',
        description: 'Applied up to the balance; what exceeds it is unapplied and becomes a task.',
        params: idParams('inv'),
        body: paymentBody,
        response: { 201: receipt, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        if (!(await findInvoice(tx, creditorId, request.params.id))) throw notFound();
        const { body } = request;
        const { receiptId } = await recordPayment(
          tx,
          act,
          {
            invoiceId: request.params.id,
            amountMinor: parseAmount(body.amount, body.currency),
            currency: body.currency,
            receivedOn: body.receivedOn,
            method: body.method ?? null,
            reference: body.reference ?? null,
          },
          holidaysAround(deps, act.at),
        );
        const row = (await findReceipt(tx, creditorId, receiptId))!;
        return created(presentReceipt(row, (await allocationsOf(tx, [row.id])).get(row.id) ?? []));
      }),
  );

  app.post(
    '/v1/invoices/:id/credit-notes',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'creditInvoice',
        tags: ['money'],
        summary: 'A credit note on an invoice',
        description:
          'Applied up to the balance; the rest is unapplied credit of the customer. The same number again: 200 when all ' +
          'is equal, else 409 `creditNoteExists`.',
        params: idParams('inv'),
        body: creditNoteBody,
        response: { 200: creditNote, 201: creditNote, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const invoice = await findInvoice(tx, creditorId, request.params.id);
        if (!invoice) throw notFound();
        const { number, amount: text, currency: code = invoice.currency, issuedOn, reason = null } = request.body;
        const noted = await recordCreditNote(
          tx,
          { ...act, reason },
          {
            customerId: invoice.customer_id,
            invoiceId: invoice.id,
            number,
            amountMinor: positiveAmount('/amount', text, code),
            currency: code,
            issuedOn,
            reason,
          },
        );
        const answer = presentCreditNote((await findCreditNote(tx, creditorId, noted.creditNoteId))!);
        return noted.outcome === 'created' ? created(answer) : ok(answer);
      }),
  );

  app.get(
    '/v1/receipts',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listReceipts',
        tags: ['money'],
        summary: 'Money in, newest first',
        querystring: listQuery.extend({
          status: z.enum(['unapplied', 'applied']).optional(),
          customerId: id('cus').optional(),
        }),
        response: { 200: page(receipt), ...refusals },
      },
    },
    (request) => {
      const { creditorId } = callerOf(request);
      const { query } = request;
      return readPage(
        'receipts',
        query,
        (after, count) => listReceipts(db, creditorId, query, after, count),
        (row) => row.seq,
        async (rows) => {
          const allocations = await allocationsOf(
            db,
            rows.map((row) => row.id),
          );
          return rows.map((row) => presentReceipt(row, allocations.get(row.id) ?? []));
        },
      );
    },
  );

  app.post(
    '/v1/receipts/:id/allocations',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'allocate',
        tags: ['money'],
        summary: 'Assign money to an invoice',
        params: idParams('rec'),
        body: z
          .strictObject({ invoiceId: id('inv'), amount })
          .meta({ example: { invoiceId: 'inv_01jd3k8x7v5r2m9t4w6y0b1c2d', amount: '1200.00' } }),
        response: { 201: allocation, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const money = await findReceipt(tx, creditorId, request.params.id);
        if (!money) throw notFound();
        const { invoiceId, amount: text } = request.body;
        if (!(await findInvoice(tx, creditorId, invoiceId))) throw notFound();
        const { allocationId } = await allocate(tx, act, {
          receiptId: money.id,
          invoiceId,
          amountMinor: positiveAmount('/amount', text, money.currency),
          rule: 'manual',
        });
        await takeInHand(tx, money.id);
        return created(presentAllocation((await findAllocation(tx, creditorId, allocationId))!, money.currency));
      }),
  );

  app.delete(
    '/v1/allocations/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'undoAllocation',
        tags: ['money'],
        summary: 'Take money off an invoice again',
        description: 'The money is unapplied; a case that it closed starts a new run at its former stage.',
        params: idParams('all'),
        response: { 204: z.undefined().meta({ description: 'Undone' }), ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const found = await findAllocation(tx, callerOf(request).creditorId, request.params.id);
        if (!found) throw notFound();
        if (found.reversed_on !== null) throw new Problem('alreadyReversed', 'The allocation was undone before.');
        await undoAllocation(tx, act, found.id, 'manual');
        return noContent();
      }),
  );
}
