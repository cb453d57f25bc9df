import { z } from 'zod';
import type { Act } from '../../db/act.ts';
import type { Tx } from '../../db/database.ts';
import { findCreditor, type CreditorRow } from '../../db/repositories/creditors.ts';
import { findCustomer, resolveCustomers, type CustomerRow } from '../../db/repositories/customers.ts';
import { loadCustomer } from '../../db/repositories/facts.ts';
import { latestHead, verifyCase } from '../../db/repositories/heads.ts';
import {
  changeDueOn,
  findInvoice,
  listInvoices,
  putInvoiceFile,
  registerInvoice,
  type InvoiceRow,
} from '../../db/repositories/invoices.ts';
import { requirePolicyName } from '../../db/repositories/policies.ts';
import { listTimeline } from '../../db/repositories/timeline.ts';
import { forecast } from '../../domain/case/forecast.ts';
import { TERM_KINDS, TERM_SECTORS, type PaymentTerms } from '../../domain/law/payment-terms.ts';
import type { DiscountTerm } from '../../domain/matching/types.ts';
import { parseAmount, percentOf } from '../../domain/money.ts';
import { positiveAmount } from '../validation.ts';
import { isoInstant, localDate as dateAt } from '../../domain/time/zones.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { PDF_LIMIT, takeRaw } from '../plugins/bodies.ts';
import { notFound, Problem } from '../problem.ts';
import { invoiceAnswer, presentInvoices } from '../present.ts';
import type { App } from '../routing.ts';
import {
  across,
  amount,
  amountFitsCurrency,
  currency,
  id,
  idParams,
  isBefore,
  instant,
  line,
  listQuery,
  localDate,
  page,
  policyName,
  reasonText,
  refusals,
} from '../schemas/common.ts';
import { foretold, HOLD_KINDS, invoice, STAGES } from '../schemas/resources.ts';
import { timelineDocument } from '../timeline-document.ts';
import { summaryOf } from '../timeline-summary.ts';
import { created, ok, write } from '../write.ts';
import { customerDetails, customerReference, homeOf } from './customers.ts';

/** How the payment term was agreed: which maximum of the law it is measured against. */
const paymentTerms = z
  .strictObject({
    kind: z
      .enum(TERM_KINDS)
      .optional()
      .meta({
        description:
          'notAgreed; fromIssue: days from issue; endOfMonthAfter: 45 days, then the end of the month; endOfMonthBefore: ' +
          'the end of the month, then 45 days; periodic: an invoice over the deliveries of a period.',
      }),
    sector: z.enum(TERM_SECTORS).optional(),
    receivedOn: localDate.optional().meta({ description: 'When goods, service or invoice were received.' }),
    expresslyAgreed: z.boolean().optional().meta({ description: 'More than 60 days were expressly agreed.' }),
  })
  .meta({ id: 'PaymentTerms', example: { kind: 'endOfMonthAfter' } });

export const termsOf = (said: z.output<typeof paymentTerms> | undefined): PaymentTerms | null =>
  said === undefined
    ? null
    : {
        kind: said.kind ?? null,
        sector: said.sector ?? null,
        receivedOn: said.receivedOn ?? null,
        expresslyAgreed: said.expresslyAgreed ?? false,
      };

const discountTerm = z
  .union([
    z.strictObject({ until: localDate, amount }),
    z.strictObject({
      until: localDate,
      rate: z
        .string()
        .regex(/^\d{1,2}(\.\d{1,4})?$/, 'is not a per cent such as "2" or "1.5"')
        .meta({ description: 'Per cent of the amount, rounded half up to the smallest unit.' }),
    }),
  ])
  .meta({ id: 'DiscountTerm', example: { until: '2026-10-11', rate: '2' } });

function discountOf(said: z.output<typeof discountTerm>, text: string, code: string): DiscountTerm {
  const { until } = said;
  if ('amount' in said) return { until, amountMinor: positiveAmount('/discount/amount', said.amount, code) };
  return { until, amountMinor: percentOf(parseAmount(text, code), said.rate) };
}

const decimalText = z
  .string()
  .max(24)
  .regex(/^-?\d+(\.\d+)?$/, 'is not a decimal');

/** What is said of an invoice, here and where one is only supposed (a preview). */
export const invoiceFields = {
  number: line(100),
  customerId: id('cus').optional(),
  issuedOn: localDate,
  dueOn: localDate,
  amount,
  currency,
  vat: z
    .array(z.strictObject({ rate: decimalText, net: decimalText, vat: decimalText }))
    .max(20)
    .optional(),
  references: z.array(line(140)).max(50).optional(),
  orderReference: line(140).optional(),
  policy: policyName.optional(),
  collection: z.strictObject({ method: z.enum(['transfer', 'directDebit']), on: localDate.optional() }).optional(),
  chaseFrom: localDate.optional(),
  lastStepSent: line(40).optional(),
};

/** The fault of an invoice that falls due before it is issued. */
export const dueBeforeIssue = (issuedOn: unknown, dueOn: unknown) =>
  isBefore(dueOn, issuedOn) ? [{ path: ['dueOn'], code: 'dueBeforeIssue', message: 'lies before the issue date' }] : [];

const invoiceBody = z
  .strictObject({
    ...invoiceFields,
    terms: paymentTerms.optional(),
    discount: discountTerm.optional(),
    limitationYears: z.int().min(1).max(10).optional().meta({
      description: 'Years of limitation that the contract agrees, where the law lets it (C. civ. art. 2254).',
    }),
    customer: z
      .strictObject({ reference: customerReference, name: line(300).optional(), ...customerDetails })
      .partial({ kind: true, country: true })
      .optional()
      .meta({ description: 'By reference: an unknown one is created, of a known one nothing given may differ.' }),
  })
  .check(amountFitsCurrency())
  .check(
    across(({ issuedOn, dueOn, customerId, customer }) => [
      ...dueBeforeIssue(issuedOn, dueOn),
      ...((customerId === undefined) === (customer === undefined)
        ? [{ path: ['customerId'], code: 'required', message: 'give either customerId or customer' }]
        : []),
    ]),
  )
  .meta({
    id: 'NewInvoice',
    example: {
      number: 'INV-2026-0042',
      customer: {
        reference: 'C-1001',
        name: 'Dupont SARL',
        kind: 'business',
        country: 'FR',
        contacts: [{ role: 'billing', email: 'billing@dupont.example' }],
      },
      issuedOn: '2026-10-01',
      dueOn: '2026-10-31',
      amount: '1200.00',
      currency: 'EUR',
    },
  });

const event = z
  .object({
    id: id('evt'),
    at: instant,
    kind: z.string().meta({ example: 'contactSent' }),
    actor: z.string(),
    summary: z.string(),
    data: z.record(z.string(), z.unknown()),
    erased: z.boolean().meta({ description: 'A person’s words stood here and were erased.' }),
    hash: z.string().meta({ description: 'SHA-256 that the next event is chained to, hexadecimal.' }),
  })
  .meta({ id: 'TimelineEvent' });

/** What is owed, what will happen to it and what did. */
export async function invoiceRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.post(
    '/v1/invoices',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'createInvoice',
        tags: ['invoices'],
        summary: 'Register an invoice and open its case',
        description: 'The same number again: 200 when all is equal, else 409 `invoiceExists`.',
        body: invoiceBody,
        response: { 200: invoice, 201: invoice, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { body } = request;
        const creditor = (await findCreditor(tx, creditorId))!;
        const registered = await registerInvoice(tx, act, creditor, {
          number: body.number,
          customer: await customerOf(tx, act, creditor, body),
          issuedOn: body.issuedOn,
          dueOn: body.dueOn,
          amountMinor: parseAmount(body.amount, body.currency),
          currency: body.currency,
          vat: body.vat ?? [],
          references: body.references ?? [],
          orderReference: body.orderReference ?? null,
          policy: body.policy ?? null,
          collection: { method: body.collection?.method ?? 'transfer', on: body.collection?.on ?? null },
          chaseFrom: body.chaseFrom ?? null,
          lastStepSent: body.lastStepSent ?? null,
          terms: termsOf(body.terms),
          discount: body.discount ? discountOf(body.discount, body.amount, body.currency) : null,
          limitationYears: body.limitationYears ?? null,
        });
        const answer = await invoiceAnswer(tx, creditorId, registered.invoiceId, act.at);
        return registered.outcome === 'created' ? created(answer) : ok(answer);
      }),
  );

  app.get(
    '/v1/invoices',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listInvoices',
        tags: ['invoices'],
        summary: 'List invoices, newest first',
        querystring: listQuery.extend({
          stage: z.enum(STAGES).optional(),
          hold: z.enum(HOLD_KINDS).optional(),
          customerId: id('cus').optional(),
          number: line(100).optional(),
          dueBefore: localDate.optional(),
          dueAfter: localDate.optional(),
        }),
        response: { 200: page(invoice), ...refusals },
      },
    },
    async (request) => {
      const { creditorId } = callerOf(request);
      const { query } = request;
      const now = deps.clock.now();
      const zone = (await findCreditor(db, creditorId))!.time_zone;
      return readPage(
        'invoices',
        query,
        (after, count) => listInvoices(db, creditorId, query, dateAt(now, zone), after, count),
        (row) => row.seq,
        (rows) => presentInvoices(db, rows, zone, now),
      );
    },
  );

  app.get(
    '/v1/invoices/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getInvoice',
        tags: ['invoices'],
        summary: 'An invoice and where its case stands',
        params: idParams('inv'),
        response: { 200: invoice, ...refusals },
      },
    },
    (request) => invoiceAnswer(db, callerOf(request).creditorId, request.params.id, deps.clock.now()),
  );

  app.patch(
    '/v1/invoices/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'changeDueDate',
        tags: ['invoices'],
        summary: 'Move the due date',
        description: 'Amounts never change: a correction is a credit note.',
        params: idParams('inv'),
        body: z.strictObject({ dueOn: localDate, reason: reasonText }),
        response: { 200: invoice, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { dueOn, reason } = request.body;
        await changeDueOn(tx, { ...act, reason }, creditorId, request.params.id, dueOn);
        return ok(await invoiceAnswer(tx, creditorId, request.params.id, act.at));
      }),
  );

  app.get(
    '/v1/invoices/:id/calendar',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getCalendar',
        tags: ['invoices'],
        summary: 'What will happen if nothing changes',
        params: idParams('inv'),
        response: { 200: z.object({ data: z.array(foretold) }), ...refusals },
      },
    },
    async (request) => {
      const row = await findInvoice(db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      const now = deps.clock.now();
      const customer = await loadCustomer(db, row.customer_id, deps.holidays, now);
      return {
        data: forecast(customer, now)
          .filter((one) => one.invoiceId === row.id)
          .map(({ at, action, step, channel, reason }) => ({ at: isoInstant(at), action, step, channel, reason })),
      };
    },
  );

  app.get(
    '/v1/invoices/:id/timeline',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getTimeline',
        tags: ['invoices'],
        summary: 'What happened and why, oldest first',
        description: 'As `format=pdf` the whole of it as a document, with its hashes and whether they hold.',
        params: idParams('inv'),
        querystring: listQuery.extend({ format: z.enum(['json', 'pdf']).default('json') }),
        response: { 200: page(event), ...refusals },
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const { creditorId } = callerOf(request);
      const row = await findInvoice(db, creditorId, params.id);
      if (!row) throw notFound();
      if (query.format === 'pdf') {
        const bytes = await timelinePdf(deps, creditorId, row);
        return reply
          .type('application/pdf')
          .header('content-disposition', `attachment; filename="timeline-${row.id}.pdf"`)
          .send(Buffer.from(bytes) as never);
      }
      return readPage(
        'timeline',
        query,
        (after, count) => listTimeline(db, params.id, after, count),
        (row) => row.n,
        (rows) =>
          rows.map((row) => ({
            id: row.id,
            at: isoInstant(row.at),
            kind: row.kind,
            actor: row.actor,
            summary: summaryOf(row),
            data: row.data,
            erased: row.erased,
            hash: row.hash.toString('hex'),
          })),
      );
    },
  );

  await app.register(async (scope) => {
    takeRaw(scope, ['application/pdf'], PDF_LIMIT);
    (scope as App).put(
      '/v1/invoices/:id/file',
      {
        config: { access: 'operator' },
        bodyLimit: PDF_LIMIT,
        schema: {
          operationId: 'putInvoiceFile',
          tags: ['invoices'],
          summary: 'The PDF of the invoice',
          description: 'At most 10 MB. Attached to contacts whose step has `attachInvoice`.',
          consumes: ['application/pdf'],
          params: idParams('inv'),
          response: { 200: invoice, ...refusals },
        },
      },
      (request, reply) =>
        write(deps, request, reply, async (tx, act) => {
          const { creditorId } = callerOf(request);
          const row = await findInvoice(tx, creditorId, request.params.id);
          if (!row) throw notFound();
          const bytes = request.body;
          if (!Buffer.isBuffer(bytes) || !isPdf(bytes)) {
            throw new Problem('pdfInvalid', 'The body does not begin like a PDF.');
          }
          const filename = `${row.number.replaceAll(/[^A-Za-z0-9._-]+/g, '-')}.pdf`;
          await putInvoiceFile(tx, act, creditorId, row.id, { filename, contentType: 'application/pdf', bytes });
          return ok(await invoiceAnswer(tx, creditorId, row.id, act.at));
        }),
    );
  });
}

/** Events a document shows at most; a case has a few dozen. */
const MOST_EVENTS = 5_000;

async function timelinePdf(deps: ApiDeps, creditorId: string, invoice: InvoiceRow): Promise<Uint8Array> {
  const { db } = deps;
  if (!deps.renderTimeline) throw new Problem('dependencyDown', 'Nothing here draws PDFs.');
  const events = await listTimeline(db, invoice.id, null, MOST_EVENTS);
  return await deps.renderTimeline(
    timelineDocument({
      creditor: (await findCreditor(db, creditorId))!,
      customer: (await findCustomer(db, creditorId, invoice.customer_id))!,
      invoice,
      events,
      verified: await verifyCase(db, creditorId, invoice.id),
      head: await latestHead(db, creditorId),
      madeAt: deps.clock.now(),
    }),
  );
}

/** A PDF has its mark within the first 1024 bytes (ISO 32000-2, 7.5.2, as readers take it). */
const isPdf = (bytes: Buffer): boolean => bytes.subarray(0, 1024).includes('%PDF-');

async function customerOf(
  tx: Tx,
  act: Act,
  creditor: CreditorRow,
  body: z.output<typeof invoiceBody>,
): Promise<CustomerRow> {
  if (body.customerId !== undefined) {
    const row = await findCustomer(tx, creditor.id, body.customerId);
    if (row) return row;
    const message = 'There is no such customer.';
    throw new Problem('unknownCustomer', message, {
      faults: [{ pointer: '/customerId', code: 'unknownCustomer', message }],
    });
  }
  const mention = body.customer!;
  if (mention.policy) await requirePolicyName(tx, creditor.id, mention.policy, '/customer/policy');
  const { customers } = await resolveCustomers(tx, act, homeOf(creditor), [mention], 'mustAgree');
  return customers.get(mention.reference)!;
}
