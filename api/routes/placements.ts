import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { reportPlacement, type NewReport } from '../../db/repositories/agency-reports.ts';
import {
  agencyMessagesOf,
  findPlacement,
  latestFile,
  listPlacements,
  reportsOf,
  type AgencyMessageRow,
  type PlacementReach,
  type PlacementRow,
  type ReportRow,
} from '../../db/repositories/placement-list.ts';
import { renewFile } from '../../db/repositories/placements.ts';
import { formatAmount } from '../../domain/money.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import {
  across,
  amount,
  amountOut,
  currency,
  id,
  idParams,
  instant,
  line,
  listQuery,
  localDate,
  page,
  prose,
  refusals,
} from '../schemas/common.ts';
import { positiveAmount } from '../validation.ts';
import { created, ok, write } from '../write.ts';

const STATUSES = ['active', 'givenUp', 'recalled', 'ended'] as const;
const REPORT_KINDS = ['payment', 'givenUp', 'documentsWanted', 'note'] as const;

const reportOut = z
  .object({
    id: id('rep'),
    kind: z.enum(REPORT_KINDS),
    reference: z.string().nullable(),
    amount: amountOut.nullable(),
    currency: currency.nullable(),
    on: localDate,
    note: z.string().nullable(),
    createdAt: instant,
  })
  .meta({ id: 'AgencyReport' });

const messageOut = z
  .object({
    type: z.enum(['placed', 'balanceChanged', 'recalled']),
    status: z.enum(['pending', 'sent', 'failed']),
    attempts: z.int(),
    errorCode: z.string().nullable(),
    createdAt: instant,
    sentAt: instant.nullable(),
  })
  .meta({ id: 'AgencyMessage', description: 'What the agency is or was told.' });

const placementOut = z
  .object({
    id: id('plc'),
    invoiceId: id('inv'),
    invoiceNumber: z.string(),
    agencyId: id('agy'),
    status: z.enum(STATUSES),
    amount: amountOut.meta({ description: 'What was owed when it was placed.' }),
    balance: amountOut.meta({ description: 'What is owed now.' }),
    currency,
    placedOn: localDate,
    endedOn: localDate.nullable(),
    endReason: z.string().nullable(),
    fileReady: z.boolean(),
    reports: z.array(reportOut),
    messages: z.array(messageOut),
  })
  .meta({ id: 'Placement' });

const reportBody = z
  .strictObject({
    kind: z.enum(REPORT_KINDS),
    amount: amount.optional(),
    on: localDate.optional().meta({ description: 'When it happened; the creditor’s today when left out.' }),
    reference: line(140).optional().meta({ description: 'The agency’s own: the same one again is the same report.' }),
    note: prose(4000).optional(),
  })
  .check(
    across(({ kind, amount }) => {
      if ((kind === 'payment') === (amount !== undefined)) return [];
      const message = kind === 'payment' ? 'is missing: how much was paid?' : 'is for payments alone';
      return [{ path: ['amount'], code: kind === 'payment' ? 'required' : 'notAllowed', message }];
    }),
  )
  .meta({ example: { kind: 'payment', amount: '400.00', on: '2026-11-20', reference: 'R-2026-118' } });

/** What is placed with agencies: for the creditor all of it, for an agency its own. */
export async function placementRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.get(
    '/v1/placements',
    {
      config: { access: 'agency' },
      schema: {
        operationId: 'listPlacements',
        tags: ['agencies'],
        summary: 'What is placed with agencies, newest first',
        description: 'An agency’s key sees its own alone.',
        querystring: listQuery.extend({
          agencyId: id('agy').optional(),
          invoiceId: id('inv').optional(),
          status: z.enum(STATUSES).optional(),
        }),
        response: { 200: page(placementOut), ...refusals },
      },
    },
    (request) => {
      const { query } = request;
      return readPage(
        'placements',
        query,
        (after, count) => listPlacements(db, reachOf(request), query, after, count),
        (row) => row.seq,
        (rows) => presentPlacements(deps, rows),
      );
    },
  );

  app.get(
    '/v1/placements/:id',
    {
      config: { access: 'agency' },
      schema: {
        operationId: 'getPlacement',
        tags: ['agencies'],
        summary: 'A placement',
        params: idParams('plc'),
        response: { 200: placementOut, ...refusals },
      },
    },
    async (request) => await placementAnswer(deps, request),
  );

  app.get(
    '/v1/placements/:id/file',
    {
      config: { access: 'agency' },
      schema: {
        operationId: 'getPlacementFile',
        tags: ['agencies'],
        summary: 'The file of a placement as a ZIP, its newest version',
        description: 'Claim sheet, invoice, messages, postal proofs, statement, timeline, claim.json, SHA256SUMS.',
        params: idParams('plc'),
        response: { ...refusals },
      },
    },
    async (request, reply) => {
      const placement = await findPlacement(db, reachOf(request), request.params.id);
      if (!placement) throw notFound();
      const file = await latestFile(db, placement.id);
      if (!file) throw new Problem('fileNotReady', 'The file is made within seconds of the hand-over; try again.');
      return reply
        .type('application/zip')
        .header('content-disposition', `attachment; filename="${placement.id}.zip"`)
        .send(file.bytes as never);
    },
  );

  app.post(
    '/v1/placements/:id/files',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'renewPlacementFile',
        tags: ['agencies'],
        summary: 'Make the file anew, and tell the agency',
        description: 'After documents were added, such as the PDF of the invoice or what the agency asked for.',
        params: idParams('plc'),
        response: { 200: placementOut, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        await renewFile(tx, act, reachOf(request), request.params.id);
        const row = (await findPlacement(tx, reachOf(request), request.params.id))!;
        const [answer] = await presentPlacements({ db: tx }, [row]);
        return ok(answer);
      }),
  );

  app.post(
    '/v1/placements/:id/reports',
    {
      config: { access: 'agency' },
      schema: {
        operationId: 'reportPlacement',
        tags: ['agencies'],
        summary: 'What the agency has to say',
        description:
          '`payment`: money it collected, applied to the invoice at once. `givenUp`: it sees no way to collect. ' +
          '`documentsWanted`: a task for the creditor. `note`: for the record. The same `reference` again answers 200 with ' +
          'the report of the first time; with other contents 409 `reportExists`.',
        params: idParams('plc'),
        body: reportBody,
        response: { 200: reportOut, 201: reportOut, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const reach = reachOf(request);
        const placement = await findPlacement(tx, reach, request.params.id);
        if (!placement) throw notFound();
        const { kind, amount: text, on = null, reference = null, note = null } = request.body;
        const input: NewReport = {
          kind,
          on,
          reference,
          note,
          amountMinor: text === undefined ? null : positiveAmount('/amount', text, placement.currency),
        };
        const { report, created: isNew } = await reportPlacement(tx, act, reach, placement.id, input);
        const answer = presentReport(report, placement.currency);
        return isNew ? created(answer) : ok(answer);
      }),
  );
}

/** An agency's key reaches what is placed with it, every other key what its creditor has placed. */
function reachOf(request: FastifyRequest): PlacementReach {
  const { creditorId, agencyId } = callerOf(request);
  return { creditorId, agencyId };
}

async function placementAnswer(
  { db }: ApiDeps,
  request: FastifyRequest<{ Params: { id: string } }>,
): Promise<z.input<typeof placementOut>> {
  const row = await findPlacement(db, reachOf(request), request.params.id);
  if (!row) throw notFound();
  const [answer] = await presentPlacements({ db }, [row]);
  return answer!;
}

async function presentPlacements(
  { db }: { db: Parameters<typeof reportsOf>[0] },
  rows: readonly PlacementRow[],
): Promise<z.input<typeof placementOut>[]> {
  const ids = rows.map((row) => row.id);
  const reports = await reportsOf(db, ids);
  const messages = await agencyMessagesOf(db, ids);
  return rows.map((row) => presentPlacement(row, reports.get(row.id) ?? [], messages.get(row.id) ?? []));
}

const presentPlacement = (
  row: PlacementRow,
  reports: readonly ReportRow[],
  messages: readonly AgencyMessageRow[],
): z.input<typeof placementOut> => ({
  id: row.id,
  invoiceId: row.invoice_id,
  invoiceNumber: row.invoice_number,
  agencyId: row.agency_id,
  status: row.status,
  amount: formatAmount(row.amount_minor, row.currency),
  balance: formatAmount(row.balance_minor, row.currency),
  currency: row.currency,
  placedOn: row.placed_on,
  endedOn: row.ended_on,
  endReason: row.end_reason,
  fileReady: messages.some(({ document_id: file }) => file !== null),
  reports: reports.map((report) => presentReport(report, row.currency)),
  messages: messages.map((message) => ({
    type: MESSAGE_TYPES[message.kind],
    status: message.status,
    attempts: message.attempts,
    errorCode: message.error_code,
    createdAt: isoInstant(message.at),
    sentAt: message.sent_at === null ? null : isoInstant(message.sent_at),
  })),
});

const MESSAGE_TYPES = { handover: 'placed', balance: 'balanceChanged', recall: 'recalled' } as const;

const presentReport = (row: ReportRow, placementCurrency: string): z.input<typeof reportOut> => ({
  id: row.id,
  kind: row.kind,
  reference: row.reference,
  amount: row.amount_minor === null ? null : formatAmount(row.amount_minor, placementCurrency),
  currency: row.amount_minor === null ? null : placementCurrency,
  on: row.on_date,
  note: row.note,
  createdAt: isoInstant(row.at),
});
