import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { findCustomer } from '../../db/repositories/customers.ts';
import {
  adviceLines,
  findAdvice,
  knownTokens,
  listAdvices,
  recordAdvice,
  withdrawAdvice,
  type AdviceLineRow,
  type AdviceRow,
  type NewAdvice,
} from '../../db/repositories/remittance-advices.ts';
import { DomainError } from '../../domain/errors.ts';
import { formatAmount } from '../../domain/money.ts';
import {
  linesOfCsv,
  linesOfText,
  MOST_LINES,
  tokensOfText,
  type AdviceLine,
} from '../../domain/remittance/advice-lines.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { textOfPdf } from '../pdf-text.ts';
import { callerOf } from '../plugins/auth.ts';
import { PDF_LIMIT } from '../plugins/bodies.ts';
import { notFound, Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import { amount, currency, id, idParams, line, listQuery, localDate, page, refusals } from '../schemas/common.ts';
import { remittance } from '../schemas/resources.ts';
import { faultsOf, positiveAmount } from '../validation.ts';
import { created, noContent, write } from '../write.ts';

const FILE_TYPES = ['text/csv', 'text/plain', 'application/pdf'] as const;
const FORMATS = { 'text/csv': 'csv', 'text/plain': 'text', 'application/pdf': 'pdf' } as const;

const said = {
  customerId: id('cus').optional(),
  reference: line(140).optional().meta({ description: 'What the payment will quote.' }),
  paidOn: localDate.optional(),
};

const adviceBody = z.strictObject({
  ...said,
  currency,
  lines: z
    .array(z.strictObject({ number: line(100), amount }))
    .min(1)
    .max(MOST_LINES),
});

const { $schema: _, ...adviceJson } = z.toJSONSchema(adviceBody, { io: 'input' });

/** Judged by its content type: the shape of the JSON is documented, files come as they are. */
const anyBody = z.any().meta({
  id: 'NewRemittance',
  ...adviceJson,
  example: {
    reference: 'AVIS-4711',
    paidOn: '2026-11-20',
    currency: 'EUR',
    lines: [{ number: 'INV-2026-0042', amount: '1200.00' }],
  },
});

type Said = Omit<NewAdvice, 'creditorId'>;

/** What payments are for, said before they come or after. */
export async function remittanceRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  await app.register(async (scope) => {
    for (const type of FILE_TYPES) {
      scope.addContentTypeParser<Buffer>(type, { parseAs: 'buffer', bodyLimit: PDF_LIMIT }, (_request, body, done) =>
        done(null, body),
      );
    }
    (scope as App).post(
      '/v1/remittances',
      {
        config: { access: 'operator' },
        schema: {
          operationId: 'createRemittance',
          tags: ['money'],
          summary: 'Say what a payment is for, before it comes or after',
          description:
            'JSON, a CSV with a column of numbers and one of amounts, the text of a mail, or a PDF; of a file the query says ' +
            'the currency and, where known, whose it is. A payment of the total, of the customer or with the reference, is ' +
            'applied line by line.',
          consumes: ['application/json', ...FILE_TYPES],
          querystring: z.strictObject({ ...said, currency: currency.optional() }),
          body: anyBody,
          response: { 201: remittance, ...refusals },
        },
      },
      async (request, reply) => {
        const { creditorId } = callerOf(request);
        const advice = Buffer.isBuffer(request.body)
          ? await fromFile(deps, creditorId, request, request.body, request.query)
          : fromJson(request.body, request.query);
        return write(deps, request, reply, async (tx, act) => {
          if (advice.customerId !== null && !(await findCustomer(tx, creditorId, advice.customerId))) {
            const message = 'There is no such customer.';
            throw new DomainError('unknownCustomer', message, [
              { pointer: '/customerId', code: 'unknownCustomer', message },
            ]);
          }
          const adviceId = await recordAdvice(tx, act, { creditorId, ...advice });
          const lines = await adviceLines(tx, [adviceId]);
          return created(present((await findAdvice(tx, creditorId, adviceId))!, lines.get(adviceId) ?? []));
        });
      },
    );
  });

  app.get(
    '/v1/remittances',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listRemittances',
        tags: ['money'],
        summary: 'Remittance advices, newest first',
        querystring: listQuery.extend({
          status: z.enum(['open', 'used', 'withdrawn']).optional(),
          customerId: id('cus').optional(),
        }),
        response: { 200: page(remittance), ...refusals },
      },
    },
    (request) => {
      const { creditorId } = callerOf(request);
      const { query } = request;
      return readPage(
        'remittances',
        query,
        (after, count) => listAdvices(db, creditorId, query, after, count),
        (row) => row.seq,
        async (rows) => {
          const lines = await adviceLines(
            db,
            rows.map((row) => row.id),
          );
          return rows.map((row) => present(row, lines.get(row.id) ?? []));
        },
      );
    },
  );

  app.get(
    '/v1/remittances/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getRemittance',
        tags: ['money'],
        summary: 'A remittance advice',
        params: idParams('adv'),
        response: { 200: remittance, ...refusals },
      },
    },
    async (request) => {
      const row = await findAdvice(db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      return present(row, (await adviceLines(db, [row.id])).get(row.id) ?? []);
    },
  );

  app.delete(
    '/v1/remittances/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'withdrawRemittance',
        tags: ['money'],
        summary: 'Withdraw an advice that was not used',
        params: idParams('adv'),
        response: { 204: z.undefined().meta({ description: 'Withdrawn' }), ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx) => {
        await withdrawAdvice(tx, callerOf(request).creditorId, request.params.id);
        return noContent();
      }),
  );
}

type Query = { [Field in keyof typeof said]?: string | undefined } & { currency?: string | undefined };

function fromJson(body: unknown, query: Query): Said {
  const extra = Object.entries(query).filter(([, value]) => value !== undefined);
  if (extra.length > 0) {
    throw new Problem('validationFailed', 'Of JSON all is said in the body.', {
      faults: extra.map(([name]) => ({ pointer: `/${name}`, code: 'notAllowed', message: 'is said in the body' })),
    });
  }
  const result = adviceBody.safeParse(body ?? {});
  if (!result.success) {
    throw new Problem('validationFailed', 'The advice is not valid.', { faults: faultsOf(result.error.issues) });
  }
  const { customerId = null, reference = null, paidOn = null, currency: code, lines } = result.data;
  return {
    customerId,
    reference,
    paidOn,
    currency: code,
    format: 'json',
    source: null,
    lines: lines.map((one, index) => ({
      number: one.number,
      amountMinor: positiveAmount(`/lines/${index}/amount`, one.amount, code),
    })),
  };
}

async function fromFile(
  deps: ApiDeps,
  creditorId: string,
  request: FastifyRequest,
  bytes: Buffer,
  query: Query,
): Promise<Said> {
  const { currency: code } = query;
  if (bytes.length === 0) throw new Problem('badRequest', 'The body is empty.');
  if (code === undefined) {
    const message = 'Say the currency in the query: ?currency=EUR';
    throw new Problem('validationFailed', message, { faults: [{ pointer: '/currency', code: 'required', message }] });
  }
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase() as keyof typeof FORMATS;
  const format = FORMATS[type];
  const lines = format === 'csv' ? linesOfCsv(bytes, code) : await linesInText(deps, creditorId, bytes, format, code);
  return {
    customerId: query.customerId ?? null,
    reference: query.reference ?? null,
    paidOn: query.paidOn ?? null,
    currency: code,
    format,
    source: bytes,
    lines,
  };
}

async function linesInText(
  { db }: ApiDeps,
  creditorId: string,
  bytes: Buffer,
  format: 'text' | 'pdf',
  code: string,
): Promise<AdviceLine[]> {
  if (format === 'text' && !isUtf8(bytes)) throw new Problem('invalidUtf8', 'The text holds bytes that are not UTF-8.');
  const text = (format === 'pdf' ? await textOfPdf(bytes) : bytes.toString('utf8')).replaceAll('\0', '');
  return linesOfText(text, code, await knownTokens(db, creditorId, tokensOfText(text)));
}

const present = (row: AdviceRow, lines: readonly AdviceLineRow[]): z.input<typeof remittance> => ({
  id: row.id,
  status: row.status,
  customerId: row.customer_id,
  reference: row.reference,
  paidOn: row.paid_on,
  currency: row.currency,
  total: formatAmount(row.total_minor, row.currency),
  format: row.format as z.input<typeof remittance>['format'],
  receiptId: row.receipt_id,
  lines: lines.map((one) => ({
    number: one.number,
    invoiceId: one.invoice_id,
    amount: formatAmount(one.amount_minor, row.currency),
  })),
  createdAt: isoInstant(row.at),
});
