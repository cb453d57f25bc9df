import { z } from 'zod';
import { creditorsDate, findCreditor } from '../../db/repositories/creditors.ts';
import { entriesOfCustomer } from '../../db/repositories/customer-statements.ts';
import { findCustomer, type CustomerRow } from '../../db/repositories/customers.ts';
import { csvOf } from '../../domain/csv.ts';
import { statementOfCustomer, type CustomerStatement } from '../../domain/books/statement.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import { accepted } from '../accept.ts';
import type { ApiDeps } from '../deps.ts';
import { periodUpTo } from '../periods.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import { statementParty } from '../statement-party.ts';
import { amountOut, currency, id, idParams, localDate, refusals } from '../schemas/common.ts';

const line = z.object({
  on: localDate,
  kind: z.string().meta({
    description:
      'invoice, creditNote, receipt, return, interest, compensation, costs, waiver, difference, writeOff, recovery, transfer',
  }),
  reference: z.string().nullable(),
  invoiceId: id('inv').nullable(),
  debit: amountOut.nullable().meta({ description: 'More is owed.' }),
  credit: amountOut.nullable().meta({ description: 'Less is owed.' }),
  balance: z.string().meta({ description: 'After the line; negative in the customer’s favour.', example: '1200.00' }),
});

const customerStatement = z
  .object({
    customerId: id('cus'),
    from: localDate,
    to: localDate,
    statements: z.array(z.object({ currency, opening: z.string(), lines: z.array(line), closing: z.string() })),
  })
  .meta({ id: 'CustomerStatement' });

const FORMATS = { json: 'application/json', csv: 'text/csv', pdf: 'application/pdf' } as const;

/** The statement of account of a customer: JSON, CSV or PDF by what the request accepts. */
export async function statementRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.get(
    '/v1/customers/:id/statement',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getStatement',
        tags: ['money'],
        summary: 'A customer’s statement of account',
        description:
          'What was owed before `from` (default 1 January of the year of `to`), what moved it up to `to` (default today), what ' +
          'is owed afterwards; money and credit that are not applied yet count. JSON, `text/csv` or `application/pdf` by ' +
          '`Accept`; a PDF has one currency: say which where the customer has several.',
        params: idParams('cus'),
        querystring: z.strictObject({
          from: localDate.optional(),
          to: localDate.optional(),
          currency: currency.optional(),
        }),
        response: { 200: customerStatement, ...refusals },
      },
    },
    async (request, reply) => {
      const { creditorId } = callerOf(request);
      const customer = await findCustomer(db, creditorId, request.params.id);
      if (!customer) throw notFound();
      const today = await creditorsDate(db, { at: deps.clock.now() }, creditorId);
      const { from, to } = periodUpTo(today, request.query);
      const statements = await read(deps, creditorId, customer.id, from, to, request.query.currency);
      switch (accepted(request.headers.accept, FORMATS)) {
        case 'csv':
          return reply
            .type('text/csv; charset=utf-8')
            .header('content-disposition', `attachment; filename="statement-${customer.id}.csv"`)
            .send(csvOfStatements(statements) as never);
        case 'pdf':
          return reply
            .type('application/pdf')
            .header('content-disposition', `attachment; filename="statement-${customer.id}.pdf"`)
            .send(Buffer.from(await pdfOf(deps, creditorId, customer, { from, to, today }, statements)) as never);
        case 'json':
          return { customerId: customer.id, from, to, statements: [...statements].map(present) };
      }
    },
  );
}

async function read(
  { db }: ApiDeps,
  creditorId: string,
  customerId: string,
  from: LocalDate,
  to: LocalDate,
  only: string | undefined,
): Promise<Map<string, CustomerStatement>> {
  const entries = await entriesOfCustomer(db, creditorId, customerId, to);
  return new Map(
    [...entries]
      .filter(([code]) => only === undefined || code === only)
      .map(([code, list]) => [code, statementOfCustomer(list, from, to)]),
  );
}

function present([code, statement]: [string, CustomerStatement]) {
  const amount = (minor: bigint): string => formatAmount(minor, code);
  return {
    currency: code,
    opening: amount(statement.openingMinor),
    lines: statement.lines.map(({ on, kind, reference, invoiceId, amountMinor, balanceMinor }) => ({
      on,
      kind,
      reference,
      invoiceId,
      debit: amountMinor > 0n ? amount(amountMinor) : null,
      credit: amountMinor < 0n ? amount(-amountMinor) : null,
      balance: amount(balanceMinor),
    })),
    closing: amount(statement.closingMinor),
  };
}

function csvOfStatements(statements: ReadonlyMap<string, CustomerStatement>): string {
  const rows = [...statements]
    .map(present)
    .flatMap(({ currency: code, opening, lines, closing }) => [
      ['', 'opening', '', '', '', opening, code],
      ...lines.map((one) => [one.on, one.kind, one.reference, one.debit, one.credit, one.balance, code]),
      ['', 'closing', '', '', '', closing, code],
    ]);
  return csvOf(['on', 'kind', 'reference', 'debit', 'credit', 'balance', 'currency'], rows);
}

async function pdfOf(
  deps: ApiDeps,
  creditorId: string,
  customer: CustomerRow,
  period: { from: LocalDate; to: LocalDate; today: LocalDate },
  statements: ReadonlyMap<string, CustomerStatement>,
): Promise<Uint8Array> {
  if (!deps.renderStatement) throw new Problem('dependencyDown', 'Nothing here draws PDFs.');
  const [first, ...others] = statements;
  if (first === undefined || others.length > 0) {
    const message =
      first === undefined ? 'Nothing was billed in this currency.' : 'Say the currency: there are several.';
    throw new Problem('validationFailed', message, { faults: [{ pointer: '/currency', code: 'required', message }] });
  }
  const creditor = (await findCreditor(deps.db, creditorId))!;
  const [code, statement] = first;
  return await deps.renderStatement({
    locale: customer.locale,
    date: period.today,
    from: period.from,
    to: period.to,
    currency: code,
    creditor: { ...statementParty(creditor), email: creditor.reply_to ?? creditor.sender_email },
    customer: statementParty(customer),
    fromCountry: creditor.country,
    statement,
  });
}
