import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { creditorsDate } from '../../db/repositories/creditors.ts';
import {
  findExport,
  listExports,
  makeExport,
  readExport,
  type ExportOrder,
  type ExportRow,
} from '../../db/repositories/exports.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { periodUpTo } from '../periods.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound } from '../problem.ts';
import type { App } from '../routing.ts';
import { id, idParams, instant, listQuery, localDate, page, refusals } from '../schemas/common.ts';
import { actorOf } from '../write.ts';

const KINDS = ['fec', 'journal', 'subledger'] as const;

const exported = z
  .object({
    id: id('exp'),
    kind: z.enum(KINDS),
    number: z.int().meta({ description: 'Within its kind, from 1.' }),
    from: localDate,
    to: localDate,
    chartVersion: z.int(),
    filename: z.string(),
    lines: z.int().meta({ description: 'Without the heading.' }),
    omittedEntries: z.int().meta({ description: 'In other currencies, left out on request.' }),
    sha256: z.string(),
    madeBy: z.string(),
    at: instant,
  })
  .meta({ id: 'Export' });

const period = z.strictObject({ from: localDate.optional(), to: localDate.optional() });

const file = (type: string, description: string) => ({
  200: { description, content: { [type]: { schema: z.string().meta({ format: 'binary' }) } } },
  ...refusals,
});

/** Numbered files for the creditor's own books. What was exported once can be fetched again, byte for byte. */
export async function exportRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  async function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    order: Omit<ExportOrder, 'from' | 'to'>,
    asked: z.output<typeof period>,
  ): Promise<never> {
    const { creditorId } = callerOf(request);
    const act = { actor: actorOf(request), at: deps.clock.now() };
    const span = periodUpTo(await creditorsDate(db, act, creditorId), asked);
    return sendFile(reply, await makeExport(db, act, creditorId, { ...order, ...span }));
  }

  function sendFile(reply: FastifyReply, row: ExportRow): never {
    return reply
      .type(row.content_type)
      .header('content-disposition', `attachment; filename="${row.filename}"`)
      .header('export-id', row.id)
      .header('export-number', row.number)
      .header('repr-digest', `sha-256=:${row.sha256.toString('base64')}:`)
      .send(readExport(db, row.id)) as never;
  }

  app.get(
    '/v1/exports/fec',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'exportFec',
        tags: ['books'],
        summary: 'The fichier des écritures comptables of a period',
        description:
          'Article A47 A-1 of the livre des procédures fiscales: 18 fields, tabs, UTF-8, named after SIREN and last day. From ' +
          '`from` (default 1 January of the year of `to`) to `to` (default today). Entries are numbered, for good, when they ' +
          'are first exported. The same question while nothing has changed gives the same bytes under the same number.',
        querystring: period.extend({
          foreign: z.enum(['refuse', 'omit']).default('refuse').meta({
            description: 'What to do about entries in other currencies than the euro.',
          }),
        }),
        response: file('text/plain', 'The file'),
      },
    },
    (request, reply) => {
      const { foreign, ...asked } = request.query;
      return answer(request, reply, { kind: 'fec', omitForeign: foreign === 'omit' }, asked);
    },
  );

  for (const [kind, summary, description] of [
    [
      'journal',
      'The journal of a period as CSV',
      'A line each posting, every currency as it is, numbered as in the FEC.',
    ],
    [
      'subledger',
      'The sub-ledger of a period as CSV',
      'What moved the balance of each invoice, with what was owed before.',
    ],
  ] as const) {
    app.get(
      `/v1/exports/${kind}`,
      {
        config: { access: 'operator' },
        schema: {
          operationId: kind === 'journal' ? 'exportJournal' : 'exportSubledger',
          tags: ['books'],
          summary,
          description,
          querystring: period,
          response: file('text/csv', 'The file'),
        },
      },
      (request, reply) => answer(request, reply, { kind, omitForeign: false }, request.query),
    );
  }

  app.get(
    '/v1/exports',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listExports',
        tags: ['books'],
        summary: 'What was exported',
        querystring: listQuery.extend({ kind: z.enum(KINDS).optional() }),
        response: { 200: page(exported), ...refusals },
      },
    },
    async (request) =>
      await readPage(
        'exports',
        request.query,
        (after, count) => listExports(db, callerOf(request).creditorId, request.query.kind, after, count),
        (row) => row.seq,
        (rows) => rows.map(present),
      ),
  );

  app.get(
    '/v1/exports/:id/file',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getExportFile',
        tags: ['books'],
        summary: 'An export again, byte for byte',
        params: idParams('exp'),
        response: file('application/octet-stream', 'The file'),
      },
    },
    async (request, reply) => {
      const row = await findExport(db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      return sendFile(reply, row);
    },
  );
}

const present = (row: ExportRow): z.output<typeof exported> => ({
  id: row.id,
  kind: row.kind,
  number: row.number,
  from: row.from_on,
  to: row.to_on,
  chartVersion: row.chart_version,
  filename: row.filename,
  lines: Number(row.lines),
  omittedEntries: Number(row.omitted),
  sha256: row.sha256.toString('hex'),
  madeBy: row.actor,
  at: isoInstant(row.at),
});
