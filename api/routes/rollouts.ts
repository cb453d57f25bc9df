import { z } from 'zod';
import { findCustomer } from '../../db/repositories/customers.ts';
import { findPolicy } from '../../db/repositories/policies.ts';
import {
  countRollout,
  createRollout,
  findRollout,
  listRolloutCases,
  type RolloutCounts,
  type RolloutRow,
} from '../../db/repositories/rollouts.ts';
import type { Tx } from '../../db/database.ts';
import { contactsAhead, isListingOld, listedUntil, type Outlook } from '../../domain/case/rollout.ts';
import { isoInstant } from '../../domain/time/zones.ts';
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
  policyName,
  reasonText,
  refusals,
} from '../schemas/common.ts';
import { foretold, STAGES } from '../schemas/resources.ts';
import { write } from '../write.ts';

const STATUSES = ['listed', 'affected', 'moved', 'unchanged', 'refused', 'differs', 'skipped'] as const;

const filter = z.strictObject({ customerId: id('cus').optional(), stage: z.enum(STAGES).optional() });

const rolloutBody = z
  .strictObject({
    version: z.int().min(1).max(1_000_000).optional().meta({ description: 'The newest unless given.' }),
    dryRun: z.boolean().optional().meta({ description: 'Only list what would change.' }),
    dryRunId: id('rol')
      .optional()
      .meta({ description: 'The dry run whose listing counts, its version and filter too.' }),
    filter: filter.optional(),
    reason: reasonText.optional(),
  })
  .check(
    across(({ dryRunId, dryRun, version, filter: chosen }) =>
      dryRunId === undefined
        ? []
        : [
            ...(dryRun === true ? [fault('dryRun', 'is false where a dry run is carried out')] : []),
            ...(version === undefined ? [] : [fault('version', 'is the dry run’s')]),
            ...(chosen === undefined ? [] : [fault('filter', 'is the dry run’s')]),
          ],
    ),
  )
  .meta({ example: { dryRun: true, filter: { stage: 'reminding' } } });

const fault = (field: string, message: string) => ({ path: [field], code: 'notAllowed', message });

const rolloutOut = z
  .object({
    id: id('rol'),
    policy: policyName,
    version: z.int(),
    dryRun: z.boolean(),
    dryRunId: id('rol').nullable(),
    filter,
    status: z.enum(['planning', 'running', 'done', 'failed']),
    code: z.string().nullable().meta({ description: 'Why it failed.' }),
    total: z.int().nullable().meta({ description: 'Open cases under another version; null until they are counted.' }),
    done: z.int().meta({ description: 'While planning and in a dry run, cases listed; then cases decided.' }),
    listed: z.int().meta({ description: 'To be moved; in a dry run, those that would be.' }),
    moved: z.int(),
    unchanged: z.int().meta({ description: 'Had the version already when their turn came.' }),
    refused: z.int().meta({ description: 'Cannot be moved: `stepMissing`, `stepUnderWay`.' }),
    differs: z.int().meta({ description: 'Not moved: something would leave that was not listed.' }),
    skipped: z.int().meta({ description: 'Closed meanwhile.' }),
    affected: z.int().meta({ description: 'Other cases of the same customers whose contacts change along.' }),
    changing: z.int().meta({ description: 'For how many something else follows afterwards.' }),
    createdAt: instant,
  })
  .meta({ id: 'Rollout' });

const outlook = z
  .object({
    ...foretold.partial().shape,
    contactsIn30Days: z.int(),
    contacts: z
      .array(z.object({ on: localDate, step: z.string().nullable(), channel: z.string(), reason: z.string() }))
      .meta({ description: 'All that would leave within 60 days.' }),
  })
  .meta({
    id: 'Outlook',
    description: 'What a case has before it: its next action, and what would reach the customer.',
  });

const rolloutCase = z
  .object({
    invoiceId: id('inv'),
    number: z.string(),
    status: z.enum(STATUSES),
    code: z.string().nullable(),
    before: outlook.nullable().meta({ description: 'Null where nothing is foretold.' }),
    after: outlook.nullable(),
  })
  .meta({ id: 'RolloutCase' });

/** Moving open cases to another version of their policy. */
export async function rolloutRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.post(
    '/v1/policies/:name/rollout',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'rollOutPolicy',
        tags: ['policies'],
        summary: 'Move open cases to a version of their policy',
        description:
          'With `dryRun` lists for each open case under another version what is next before and after. Without it moves ' +
          'them in the background, after the same listing or after that of the dry run `dryRunId`. A case of which ' +
          'something would leave that the listing did not show stays and is marked `differs`. A dry run is good for 30 days.',
        params: z.object({ name: line(200) }),
        body: rolloutBody,
        response: { 202: rolloutOut, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { name } = request.params;
        const { version, dryRun = false, dryRunId, filter: chosen = {}, reason } = request.body;
        const policy = await findPolicy(tx, creditorId, name, version ?? null);
        if (!policy) throw notFound();
        if (chosen.customerId !== undefined && !(await findCustomer(tx, creditorId, chosen.customerId)))
          throw notFound();
        const shown = dryRunId === undefined ? null : await goodDryRun(tx, creditorId, name, dryRunId, act.at);
        const rolloutId = await createRollout(
          tx,
          { ...act, reason: reason ?? null },
          {
            creditorId,
            policy: name,
            version: shown?.version ?? policy.version,
            dryRun,
            filter: shown?.filter ?? given(chosen),
            dryRunId: shown?.id ?? null,
          },
        );
        return { status: 202, body: await answer(tx, (await findRollout(tx, creditorId, rolloutId))!) };
      }),
  );

  app.get(
    '/v1/rollouts/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getRollout',
        tags: ['policies'],
        summary: 'How a roll-out goes',
        params: idParams('rol'),
        response: { 200: rolloutOut, ...refusals },
      },
    },
    async (request) => {
      const row = await findRollout(db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      return await answer(db, row);
    },
  );

  app.get(
    '/v1/rollouts/:id/cases',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listRolloutCases',
        tags: ['policies'],
        summary: 'What a roll-out changes, case by case',
        params: idParams('rol'),
        querystring: listQuery.extend({ status: z.enum(STATUSES).optional() }),
        response: { 200: page(rolloutCase), ...refusals },
      },
    },
    async (request) => {
      const { params, query } = request;
      if (!(await findRollout(db, callerOf(request).creditorId, params.id))) throw notFound();
      return await readPage(
        'rolloutCases',
        query,
        (after, count) => listRolloutCases(db, params.id, query, after, count),
        (row) => row.seq,
        (rows) =>
          rows.map((row) => ({
            invoiceId: row.invoice_id,
            number: row.number,
            status: row.status,
            code: row.code,
            before: presentOutlook(row.before, row.listed_until),
            after: presentOutlook(row.after, row.listed_until),
          })),
      );
    },
  );
}

/** The dry run that is to be carried out: of this policy, finished, and recent enough to show what is compared. */
async function goodDryRun(
  tx: Tx,
  creditorId: string,
  name: string,
  dryRunId: string,
  now: number,
): Promise<RolloutRow> {
  const row = await findRollout(tx, creditorId, dryRunId);
  if (!row || row.policy !== name) throw notFound();
  if (!row.dry_run || row.status !== 'done') {
    throw new Problem('dryRunNeeded', 'This is no dry run that is done: wait for its end, or send one first.');
  }
  if (isListingOld(listedUntil(row.at, 'UTC'), now, 'UTC')) {
    throw new Problem('dryRunNeeded', 'The dry run is older than 30 days: send another one first.');
  }
  return row;
}

/** Without what was not given. */
const given = <T extends object>(value: T): { [K in keyof T]: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as never;

async function answer(db: ApiDeps['db'] | Tx, row: RolloutRow): Promise<z.input<typeof rolloutOut>> {
  const counts = await countRollout(db, row.id);
  return {
    id: row.id,
    policy: row.policy,
    version: row.version,
    dryRun: row.dry_run,
    dryRunId: row.dry_run_id,
    filter: row.filter,
    status: row.status,
    code: row.code,
    total: row.total,
    done: doneOf(row, counts),
    ...counts,
    createdAt: isoInstant(row.at),
  };
}

function doneOf(row: RolloutRow, counts: RolloutCounts): number {
  const decided = counts.moved + counts.unchanged + counts.refused + counts.differs + counts.skipped;
  return row.dry_run || row.status === 'planning' ? decided + counts.listed : decided;
}

function presentOutlook({ next, contacts }: Outlook, until: string): z.input<typeof outlook> | null {
  if (next === null && contacts.length === 0) return null;
  return {
    ...(next === null ? {} : { ...next, at: isoInstant(next.at) }),
    contactsIn30Days: contactsAhead(contacts, until),
    contacts: contacts.map(({ on, step, channel, reason }) => ({ on, step, channel, reason })),
  };
}
