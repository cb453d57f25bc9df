import { Readable } from 'node:stream';
import { z } from 'zod';
import { findFeed } from '../../db/repositories/feeds.ts';
import {
  findStatement,
  importStatement,
  listStatements,
  statementBytes,
  type StatementRow,
} from '../../db/repositories/statements.ts';
import { isCurrency } from '../../domain/money.ts';
import { parseMapping } from '../../domain/statement/csv/columns.ts';
import type { ReadOptions } from '../../domain/statement/read.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { SpooledBody, STATEMENT_LIMIT, takeSpooled } from '../plugins/bodies.ts';
import { notFound, Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import { id, idParams, instant, listQuery, page, refusals } from '../schemas/common.ts';
import { at } from '../validation.ts';
import { created, ok, write } from '../write.ts';

/** What banks and browsers call their files. */
const CONTENT_TYPES = ['application/xml', 'text/xml', 'text/plain', 'text/csv', 'application/octet-stream'] as const;

const formats = ['camt.052', 'camt.053', 'camt.054', 'cfonb120', 'mt940', 'csv'] as const;

const balanceOut = z.object({ amount: z.string(), on: z.string().nullable() }).nullable();

const statementOut = z
  .object({
    id: id('sta'),
    feedId: id('fee'),
    format: z.enum(formats),
    filename: z.string().nullable(),
    sha256: z.string(),
    size: z.int().meta({ description: 'Bytes.' }),
    entries: z.int().meta({ description: 'Transactions that were read, whatever became of them.' }),
    receipts: z.int().meta({ description: 'New money in, booked.' }),
    duplicates: z.int().meta({ description: 'Told before by this or another source of the account.' }),
    suspects: z.int().meta({ description: 'May have been told before: a task each.' }),
    provisional: z.int().meta({ description: 'Announced, not booked: shown and not applied.' }),
    rejectedCount: z.int(),
    rejected: z.array(z.object({ position: z.string(), code: z.string(), message: z.string() })),
    balance: z.enum(['holds', 'broken', 'unknown']),
    accounts: z.array(
      z.object({
        position: z.int(),
        account: z.string().nullable(),
        currency: z.string().nullable(),
        reference: z.string().nullable(),
        opening: balanceOut,
        closing: balanceOut,
        entries: z.int(),
        sum: z.string(),
        balance: z.enum(['holds', 'broken', 'unknown']),
        copy: z.boolean(),
      }),
    ),
    createdAt: instant,
  })
  .meta({ id: 'BankStatement' });

/** Files of banks: camt.052, camt.053, camt.054, CFONB 120, MT940, tables. */
export async function bankStatementRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  await app.register(async (scope) => {
    takeSpooled(scope, CONTENT_TYPES, STATEMENT_LIMIT);
    (scope as App).post(
      '/v1/feeds/:id/statements',
      {
        config: { access: 'operator' },
        bodyLimit: STATEMENT_LIMIT,
        schema: {
          operationId: 'createBankStatement',
          tags: ['feeds'],
          summary: 'Take a bank file in',
          description:
            'camt.052, camt.053 or camt.054 of any version, CFONB 120, MT940 or a table, recognised by what it holds; 512 MB ' +
            'at most. Whole or not at all; a record that cannot be used is told by its place and keeps no other out. The same ' +
            'bytes again: 200 with what the first time answered. New money is applied right after. `columns` maps the headers ' +
            'of a table (`bookedOn=Date,amount=Montant,remittance=Libellé`), `currency` is the account’s where the file does ' +
            'not say it; `balance=require` refuses a file whose balances do not hold (422 `balanceBroken`), which else is a task.',
          consumes: [...CONTENT_TYPES],
          params: idParams('fee'),
          querystring: z.strictObject({
            format: z.enum(formats).optional(),
            columns: z.string().min(1).max(4000).optional(),
            currency: z
              .string()
              .refine(isCurrency, { error: 'is not an ISO 4217 currency', params: { code: 'unknownCurrency' } })
              .optional(),
            balance: z.enum(['require']).optional(),
            filename: z.string().min(1).max(255).optional(),
          }),
          response: { 200: statementOut, 201: statementOut, ...refusals },
        },
      },
      (request, reply) => {
        const { body } = request as { body: unknown };
        const { query } = request;
        const take = (path: string | null) =>
          write(deps, request, reply, async (tx, act) => {
            const { creditorId } = callerOf(request);
            const feed = await findFeed(tx, request.params.id);
            if (!feed || feed.creditor_id !== creditorId) throw notFound();
            if (path === null) throw new Problem('statementEmpty', 'The file is empty.');
            const account = { feedId: feed.id, creditorId, iban: feed.iban };
            const { row, repeated } = await importStatement(tx, act, account, {
              path,
              filename: query.filename ?? null,
              options: optionsOf(query, request.headers['content-type'] ?? ''),
              requireBalance: query.balance === 'require',
            });
            return repeated ? ok(presentStatement(row)) : created(presentStatement(row));
          });
        return body instanceof SpooledBody && body.size > 0 ? body.use(take) : take(null);
      },
    );
  });

  app.get(
    '/v1/statements',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listBankStatements',
        tags: ['feeds'],
        summary: 'Bank files that were taken in, newest first',
        querystring: listQuery.extend({ feedId: id('fee').optional() }),
        response: { 200: page(statementOut), ...refusals },
      },
    },
    (request) => {
      const { creditorId } = callerOf(request);
      return readPage(
        'statements',
        request.query,
        (after, count) => listStatements(db, creditorId, request.query.feedId, after, count),
        (row) => row.seq,
        (rows) => rows.map(presentStatement),
      );
    },
  );

  app.get(
    '/v1/statements/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getBankStatement',
        tags: ['feeds'],
        summary: 'What became of a bank file',
        params: idParams('sta'),
        response: { 200: statementOut, ...refusals },
      },
    },
    async (request) => {
      const row = await findStatement(db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      return presentStatement(row);
    },
  );

  app.get(
    '/v1/statements/:id/file',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getBankStatementFile',
        tags: ['feeds'],
        summary: 'The bytes as they came',
        params: idParams('sta'),
        response: {
          200: z.any().meta({ description: 'The file' }),
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const row = await findStatement(db, callerOf(request).creditorId, request.params.id);
      // What was erased when its time was over is not there any more.
      if (!row || row.erased_at !== null) throw notFound();
      return await reply
        .header('content-type', 'application/octet-stream')
        .header('content-disposition', `attachment; filename="${row.id}"`)
        .header('content-length', row.size.toString())
        .send(Readable.from(statementBytes(db, row.id)));
    },
  );
}

/** A mapping, and the type `text/csv`, say that it is a table, whatever it looks like. */
function optionsOf(
  query: {
    format?: ReadOptions['format'] | undefined;
    columns?: string | undefined;
    currency?: string | undefined;
  },
  contentType: string,
): ReadOptions {
  const { columns, currency } = query;
  const isTable = columns !== undefined || contentType.startsWith('text/csv');
  const format = query.format ?? (isTable ? 'csv' : undefined);
  return {
    ...(format === undefined ? {} : { format }),
    ...(columns === undefined ? {} : { csv: at('/columns', () => parseMapping(columns)) }),
    ...(currency === undefined ? {} : { currency }),
  };
}

function presentStatement(row: StatementRow): z.input<typeof statementOut> {
  return {
    id: row.id,
    feedId: row.feed_id,
    format: row.format,
    filename: row.filename,
    sha256: row.sha256.toString('hex'),
    size: Number(row.size),
    entries: row.entries,
    receipts: row.receipts,
    duplicates: row.duplicates,
    suspects: row.suspects,
    provisional: row.provisional,
    rejectedCount: row.rejected,
    rejected: row.rejections,
    balance: row.balance,
    accounts: row.accounts as unknown as z.input<typeof statementOut>['accounts'],
    createdAt: isoInstant(row.at),
  };
}
