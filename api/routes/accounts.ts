import { z } from 'zod';
import { findChart, putChart, type StoredChart } from '../../db/repositories/charts.ts';
import { BOOK_ACCOUNTS, BOOK_JOURNALS } from '../../domain/books/chart.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import type { App } from '../routing.ts';
import { line, refusals } from '../schemas/common.ts';
import { ok, write } from '../write.ts';

const account = z.strictObject({ number: line(20), label: line(120) });
const journal = z.strictObject({ number: line(10), label: line(60) });
const every = <K extends string, V extends z.ZodType>(keys: readonly K[], value: V): z.ZodObject<Record<K, V>> =>
  z.strictObject(Object.fromEntries(keys.map((key) => [key, value])) as Record<K, V>);

const chart = z.strictObject({
  accounts: every(BOOK_ACCOUNTS, account),
  journals: every(BOOK_JOURNALS, journal).meta({ description: 'Their codes and names.' }),
  vatDueOn: z.enum(['debits', 'receipts']).meta({
    description: 'When VAT falls due: with the invoice, or with the money (services in France without option).',
  }),
  yearBegins: z.int().min(1).max(12).meta({ description: 'The month with which the financial year begins.' }),
});

const chartOut = chart
  .extend({ version: z.int().meta({ description: '0: the defaults count.' }) })
  .meta({ id: 'ChartOfAccounts' });

/** The chart of accounts: under which numbers the service’s accounts appear in exports. */
export async function accountRoutes(app: App, deps: ApiDeps): Promise<void> {
  app.get(
    '/v1/accounts',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getAccounts',
        tags: ['books'],
        summary: 'The chart of accounts',
        description: 'French defaults until another is set.',
        response: { 200: chartOut, ...refusals },
      },
    },
    async (request) => present(await findChart(deps.db, callerOf(request).creditorId)),
  );

  app.put(
    '/v1/accounts',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'putAccounts',
        tags: ['books'],
        summary: 'Set the chart of accounts',
        description:
          'Makes a new version; later exports use it, those that were made stay as they are. An account begins with three ' +
          'digits. The month of `yearBegins` decides within which year entries are numbered from then on.',
        body: chart,
        response: { 200: chartOut, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) =>
        ok(present(await putChart(tx, act, callerOf(request).creditorId, request.body))),
      ),
  );
}

const present = ({ version, chart: { accounts, journals, vatDueOn, yearBegins } }: StoredChart) => ({
  version,
  accounts,
  journals,
  vatDueOn,
  yearBegins,
});
