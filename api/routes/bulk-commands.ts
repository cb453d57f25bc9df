import { z } from 'zod';
import {
  countBulk,
  createBulk,
  findBulk,
  listBulk,
  listBulkCases,
  type BulkRow,
} from '../../db/repositories/bulk-commands.ts';
import { findCreditor } from '../../db/repositories/creditors.ts';
import { findCustomer } from '../../db/repositories/customers.ts';
import { requireAgency } from '../../db/repositories/placements.ts';
import type { Tx } from '../../db/database.ts';
import { BULK_KINDS, bulkCommandOf } from '../../domain/case/bulk.ts';
import { isoInstant, localDate as dateAt } from '../../domain/time/zones.ts';
import { commandUpdates } from '../../workflows/messages.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import {
  across,
  id,
  idParams,
  instant,
  line,
  listQuery,
  localDate,
  page,
  reasonText,
  refusals,
} from '../schemas/common.ts';
import { HOLD_KINDS, STAGES } from '../schemas/resources.ts';
import { write } from '../write.ts';

/** What cases of this version understand; reopening needs no case that listens. */
const KINDS = BULK_KINDS.filter((kind) => {
  const { update } = bulkCommandOf(kind);
  return update === null || Object.hasOwn(commandUpdates, update);
});
const CASE_STATUSES = ['pending', 'done', 'refused'] as const;
const MOST_NUMBERS = 1_000;

const filter = z
  .strictObject({
    stage: z.enum(STAGES).optional(),
    hold: z.enum(HOLD_KINDS).optional(),
    customerId: id('cus').optional(),
    dueBefore: localDate.optional(),
    dueAfter: localDate.optional(),
    numbers: z.array(line(100)).min(1).max(MOST_NUMBERS).optional(),
  })
  .meta({
    id: 'BulkFilter',
    description: 'As of the list of invoices. Without a stage: open cases, to be reopened closed ones.',
  });

const kind = z.enum(KINDS as [(typeof KINDS)[number], ...(typeof KINDS)[number][]]);

const command = z
  .strictObject({
    kind: kind.meta({ description: 'The last part of the path of the single command.' }),
    reason: reasonText,
    until: localDate.optional(),
    agencyId: id('agy').optional(),
  })
  .check(
    across((value) => {
      const asked = BULK_KINDS.find((one) => one === value['kind']);
      if (asked === undefined) return [];
      const { takes } = bulkCommandOf(asked);
      return (['until', 'agencyId'] as const)
        .filter((field) => value[field] !== undefined && !takes.includes(field))
        .map((field) => ({ path: [field], code: 'notAllowed', message: 'does not belong to this command' }));
    }),
  );

const bulkBody = z
  .strictObject({
    filter,
    command,
    dryRun: z.boolean().optional().meta({ description: 'Only list the cases. Default true.' }),
    dryRunId: id('blk').optional().meta({ description: 'The dry run of the same filter and command.' }),
  })
  .check(
    across(({ dryRun, dryRunId }) =>
      dryRunId !== undefined && dryRun !== false
        ? [{ path: ['dryRun'], code: 'notAllowed', message: 'is false where a dry run is carried out' }]
        : [],
    ),
  )
  .meta({
    example: {
      filter: { stage: 'reminding', dueBefore: '2026-10-01' },
      command: { kind: 'pause', reason: 'The bank is on strike.', until: '2026-12-01' },
      dryRun: true,
    },
  });

const bulkOut = z
  .object({
    id: id('blk'),
    kind: z.string(),
    filter: z.record(z.string(), z.unknown()),
    dryRun: z.boolean(),
    dryRunId: id('blk').nullable(),
    status: z.enum(['running', 'done']),
    total: z.int(),
    pending: z.int().meta({ description: 'Not asked yet; in a dry run, those that would be asked.' }),
    done: z.int(),
    refused: z.int().meta({ description: 'In a dry run, those whose stage is certain to refuse.' }),
    createdAt: instant,
  })
  .meta({ id: 'BulkCommand' });

const bulkCase = z
  .object({
    invoiceId: id('inv'),
    number: z.string(),
    status: z.enum(CASE_STATUSES),
    code: z.string().nullable().meta({ description: 'Why it was refused, as the single command would say.' }),
  })
  .meta({ id: 'BulkCase' });

/** One command for many cases. */
export async function bulkCommandRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.post(
    '/v1/invoices/bulk',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'commandManyCases',
        tags: ['case'],
        summary: 'Ask the same of many cases',
        description:
          'First with `dryRun` (the default): lists which cases match and which are certain to refuse. Then the same ' +
          'with `{dryRun: false, dryRunId}`: each listed case is asked in the background, as by the single command; ' +
          '409 `dryRunNeeded` without such a dry run, or where it was carried out already.',
        body: bulkBody,
        response: { 202: bulkOut, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId, role } = callerOf(request);
        const { filter: chosen, dryRun = true, dryRunId } = request.body;
        const { kind: asked, reason, ...args } = request.body.command;
        if (bulkCommandOf(asked).role === 'approver' && role !== 'approver') {
          throw new Problem('forbidden', 'This takes a key with the role approver.');
        }
        if (chosen.customerId !== undefined && !(await findCustomer(tx, creditorId, chosen.customerId)))
          throw notFound();
        if (args.agencyId !== undefined) await requireAgency(tx, creditorId, args.agencyId);
        const bulk = { creditorId, kind: asked, args, filter: chosen, role };
        const by = { ...act, reason };
        const { time_zone: zone } = (await findCreditor(tx, creditorId))!;
        if (!dryRun && dryRunId === undefined) {
          throw new Problem('dryRunNeeded', 'Send it with dryRun first, then with its id.');
        }
        const bulkId =
          dryRunId === undefined
            ? await listBulk(tx, by, bulk, dateAt(act.at, zone))
            : await createBulk(tx, by, bulk, dryRunId);
        return { status: 202, body: await answer(tx, (await findBulk(tx, creditorId, bulkId))!) };
      }),
  );

  app.get(
    '/v1/bulk-commands/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getBulkCommand',
        tags: ['case'],
        summary: 'How a command for many cases goes',
        params: idParams('blk'),
        response: { 200: bulkOut, ...refusals },
      },
    },
    async (request) => {
      const row = await findBulk(db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      return await answer(db, row);
    },
  );

  app.get(
    '/v1/bulk-commands/:id/cases',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listBulkCases',
        tags: ['case'],
        summary: 'What became of a command, case by case',
        params: idParams('blk'),
        querystring: listQuery.extend({ status: z.enum(CASE_STATUSES).optional() }),
        response: { 200: page(bulkCase), ...refusals },
      },
    },
    async (request) => {
      const { params, query } = request;
      if (!(await findBulk(db, callerOf(request).creditorId, params.id))) throw notFound();
      return await readPage(
        'bulkCases',
        query,
        (after, count) => listBulkCases(db, params.id, query, after, count),
        (row) => row.seq,
        (rows) => rows.map(({ invoice_id: invoiceId, number, status, code }) => ({ invoiceId, number, status, code })),
      );
    },
  );
}

async function answer(db: ApiDeps['db'] | Tx, row: BulkRow): Promise<z.input<typeof bulkOut>> {
  const counts = await countBulk(db, row.id);
  return {
    id: row.id,
    kind: row.kind,
    filter: row.filter,
    dryRun: row.dry_run,
    dryRunId: row.dry_run_id,
    status: row.status,
    total: counts.pending + counts.done + counts.refused,
    ...counts,
    createdAt: isoInstant(row.at),
  };
}
