import { z } from 'zod';
import { createImport, findImport, listLines } from '../../db/repositories/imports.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import { parseColumns } from '../../domain/imports/csv-columns.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { FILE_LIMIT, takeRaw } from '../plugins/bodies.ts';
import { notFound, Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import { id, idParams, instant, listQuery, refusals } from '../schemas/common.ts';
import { warning } from '../schemas/resources.ts';
import { at } from '../validation.ts';
import { write } from '../write.ts';

const CONTENT_TYPES = ['text/csv', 'application/pdf', 'application/xml', 'text/xml'] as const;

const importLine = z
  .object({
    line: z.int(),
    status: z.enum(['accepted', 'unchanged', 'rejected']),
    number: z.string().nullable(),
    invoiceId: id('inv').nullable(),
    creditNoteId: id('cno').nullable(),
    code: z.string().nullable(),
    pointer: z.string().nullable(),
    message: z.string().nullable(),
    warnings: z.array(warning),
  })
  .meta({ id: 'ImportLine' });

const importOut = z
  .object({
    id: id('imp'),
    status: z.enum(['running', 'done']),
    contentType: z.string(),
    totalRows: z.int().nullable().meta({ description: 'Null until the file is read.' }),
    doneRows: z.int(),
    accepted: z.int(),
    unchanged: z.int(),
    rejected: z.int(),
    createdAt: instant,
    rows: z.array(importLine),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'Import' });

/** Files of invoices and credit notes. */
export async function importRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  await app.register(async (scope) => {
    takeRaw(scope, CONTENT_TYPES, FILE_LIMIT);
    (scope as App).post(
      '/v1/imports',
      {
        config: { access: 'operator' },
        bodyLimit: FILE_LIMIT,
        schema: {
          operationId: 'createImport',
          tags: ['imports'],
          summary: 'Take in a CSV, a Factur-X/ZUGFeRD PDF, or a UBL or CII XML',
          description:
            'At most 20 MB, read in the background: ask for it by its id. The good rows go in, the others say why not; ' +
            'the same file again adds nothing. `columns` maps headers of a CSV: `number=Document Number,references=A+B`.',
          consumes: [...CONTENT_TYPES],
          querystring: z.strictObject({ columns: z.string().min(1).max(4000).optional() }),
          response: {
            202: z.object({ id: id('imp'), status: z.enum(['running', 'done']) }),
            ...refusals,
          },
        },
      },
      (request, reply) =>
        write(deps, request, reply, async (tx, act) => {
          const { body } = request;
          if (!Buffer.isBuffer(body) || body.length === 0) throw new Problem('badRequest', 'The body is empty.');
          const { columns } = request.query;
          if (columns !== undefined) at('/columns', () => parseColumns(columns));
          const importId = await createImport(tx, act, {
            creditorId: callerOf(request).creditorId,
            contentType: (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase(),
            columns: columns ?? null,
            filename: null,
            body,
          });
          return { status: 202, body: { id: importId, status: 'running' } };
        }),
    );
  });

  app.get(
    '/v1/imports/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getImport',
        tags: ['imports'],
        summary: 'How an import goes, its rows in the order of the file',
        params: idParams('imp'),
        querystring: listQuery.extend({ status: z.enum(['accepted', 'unchanged', 'rejected']).optional() }),
        response: { 200: importOut, ...refusals },
      },
    },
    async (request) => {
      const { params, query } = request;
      const row = await findImport(db, callerOf(request).creditorId, params.id);
      if (!row) throw notFound();
      const lines = await readPage(
        'lines',
        query,
        (after, count) => listLines(db, params.id, query, after, count),
        (line) => line.line,
        (found) =>
          found.map((line) => ({
            line: line.line,
            status: line.status,
            number: line.number,
            invoiceId: line.invoice_id,
            creditNoteId: line.credit_note_id,
            code: line.code,
            pointer: line.pointer,
            message: line.message,
            warnings: line.warnings,
          })),
      );
      return {
        id: row.id,
        status: row.status,
        contentType: row.content_type,
        totalRows: row.total_rows,
        doneRows: row.done_rows,
        accepted: row.accepted,
        unchanged: row.unchanged,
        rejected: row.rejected,
        createdAt: isoInstant(row.at),
        rows: lines.data,
        nextCursor: lines.nextCursor,
      };
    },
  );
}
