import { z } from 'zod';
import { agedByCustomer, agedTotals, bucketTotals, type Buckets } from '../../db/repositories/aged-balance.ts';
import { collectionsOf, type Collections } from '../../db/repositories/collection-report.ts';
import { monthlySales } from '../../db/repositories/sales.ts';
import { countBackDso, countBackFrom, monthsBack, ratio, simpleDso } from '../../domain/books/dso.ts';
import { currencyExponent, formatAmount } from '../../domain/money.ts';
import { addDays } from '../../domain/time/dates.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { dayUpTo, periodUpTo } from '../periods.ts';
import type { App } from '../routing.ts';
import { amountOut, currency, id, listQuery, localDate, refusals } from '../schemas/common.ts';
import { creditorsDate } from '../../db/repositories/creditors.ts';

const buckets = z.object({
  currency,
  notDue: amountOut,
  from1To30: amountOut.meta({ description: 'Due for 1 to 30 days.' }),
  from31To60: amountOut,
  from61To90: amountOut,
  over90: amountOut,
  total: amountOut,
  disputed: amountOut.meta({ description: 'What of the total is disputed on that day.' }),
});

const agedBalance = z
  .object({
    asOf: localDate,
    totals: z.array(buckets),
    data: z.array(
      z.object({ customerId: id('cus'), reference: z.string(), name: z.string(), balances: z.array(buckets) }),
    ),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'AgedBalance' });

const dso = z
  .object({
    asOf: localDate,
    days: z.int(),
    data: z.array(
      z.object({
        currency,
        balance: amountOut.meta({ description: 'What is owed at the end of `asOf`.' }),
        sales: amountOut.meta({ description: 'What was sold in the `days` before, less credit notes.' }),
        countBack: z.string().nullable().meta({ example: '43.5', description: 'Days.' }),
        simple: z.string().nullable().meta({ example: '41.2', description: 'Days.' }),
      }),
    ),
  })
  .meta({ id: 'Dso' });

const collectionsRow = z.object({
  currency,
  due: amountOut.meta({ description: 'Invoices that fell due in the period, less credit notes.' }),
  dueCollected: amountOut.meta({ description: 'What of these was paid up to its end.' }),
  recoveryRate: z.string().nullable().meta({ example: '0.8731' }),
  collected: amountOut.meta({ description: 'All money assigned to invoices in the period, less what was taken back.' }),
  averageDelayDays: z.string().nullable().meta({ example: '12.4', description: 'Negative: before the due date.' }),
  promisesKept: z.int(),
  promisesBroken: z.int(),
  promisesKeptRate: z.string().nullable().meta({ example: '0.7500' }),
  contacts: z.int().meta({ description: 'Messages, letters and calls that asked for something.' }),
  contactsPerThousand: z.string().nullable().meta({ example: '0.420', description: 'For each 1,000 collected.' }),
});

const collections = z
  .object({ from: localDate, to: localDate, data: z.array(collectionsRow) })
  .meta({ id: 'Collections' });

/** What the books say, as of any day that has come. */
export async function reportRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.get(
    '/v1/reports/aged-balance',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getAgedBalance',
        tags: ['reports'],
        summary: 'What is owed, by customer and by how long it has been due',
        description:
          'From the journal as of the end of `asOf` (default today), by currency; interest, compensation, costs and money that ' +
          'is not applied yet are not in it. `totals` are of all customers, whatever the page.',
        querystring: listQuery.extend({ asOf: localDate.optional(), currency: currency.optional() }),
        response: { 200: agedBalance, ...refusals },
      },
    },
    async (request) => {
      const { creditorId } = callerOf(request);
      const { query } = request;
      const today = await creditorsDate(db, { at: deps.clock.now() }, creditorId);
      const asOf = dayUpTo(today, query.asOf, '/asOf');
      const filter = { asOf, currency: query.currency };
      const totals = await agedTotals(db, creditorId, filter);
      const list = await readPage(
        'aged-balance',
        query,
        (after, count) => agedByCustomer(db, creditorId, filter, after, count),
        (row) => row.seq,
        (rows) =>
          rows.map(({ customerId, reference, name, balances }) => ({
            customerId,
            reference,
            name,
            balances: balances.map(present),
          })),
      );
      return {
        asOf,
        totals: totals.map(present),
        ...list,
      };
    },
  );

  app.get(
    '/v1/reports/dso',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getDso',
        tags: ['reports'],
        summary: 'Days sales outstanding, count-back and simple',
        description:
          'As of the end of `asOf` (default today), by currency. `countBack`: how many days of the newest sales are still ' +
          'owed; null where 24 months of sales are less than what is owed. `simple`: what is owed over the sales of the ' +
          '`days` before (default 90), times those days; null where nothing was sold. Sales and balance include VAT and leave ' +
          'out interest, compensation and costs.',
        querystring: z.strictObject({
          asOf: localDate.optional(),
          days: z.coerce.number().int().min(1).max(730).default(90),
        }),
        response: { 200: dso, ...refusals },
      },
    },
    async (request) => {
      const { creditorId } = callerOf(request);
      const { days } = request.query;
      const today = await creditorsDate(db, { at: deps.clock.now() }, creditorId);
      const asOf = dayUpTo(today, request.query.asOf, '/asOf');
      const [totals, sales, ofDays] = await Promise.all([
        bucketTotals(db, creditorId, { asOf }),
        monthlySales(db, creditorId, countBackFrom(asOf), asOf),
        monthlySales(db, creditorId, addDays(asOf, 1 - days), asOf),
      ]);
      const currencies = [...new Set([...totals, ...sales].map((row) => row.currency))].sort();
      return {
        asOf,
        days,
        data: currencies.map((code) => {
          const balanceMinor = totals.find((row) => row.currency === code)?.total ?? 0n;
          const own = sales.filter((row) => row.currency === code);
          const byMonth = new Map(own.map(({ month, salesMinor }) => [month, salesMinor]));
          const sold = ofDays.reduce((sum, row) => (row.currency === code ? sum + row.salesMinor : sum), 0n);
          return {
            currency: code,
            balance: formatAmount(balanceMinor, code),
            sales: formatAmount(sold, code),
            countBack: countBackDso(balanceMinor, monthsBack(asOf, byMonth)),
            simple: simpleDso(balanceMinor, sold, days),
          };
        }),
      };
    },
  );

  app.get(
    '/v1/reports/collections',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getCollections',
        tags: ['reports'],
        summary: 'How collecting went in a period',
        description:
          'From `from` (default 1 January of the year of `to`) to `to` (default today), by currency. `recoveryRate`: what was ' +
          'paid of the invoices that fell due in the period. `averageDelayDays`: from due date to payment, weighted by amount. ' +
          '`promisesKept` and `promisesBroken` ended in the period. `contactsPerThousand`: contacts for each 1,000 collected.',
        querystring: z.strictObject({ from: localDate.optional(), to: localDate.optional() }),
        response: { 200: collections, ...refusals },
      },
    },
    async (request) => {
      const { creditorId } = callerOf(request);
      const today = await creditorsDate(db, { at: deps.clock.now() }, creditorId);
      const period = periodUpTo(today, request.query);
      return { ...period, data: (await collectionsOf(db, creditorId, period)).map(presentCollections) };
    },
  );
}

function presentCollections(row: Collections): z.output<typeof collectionsRow> {
  const { currency: code, collectedMinor } = row;
  const amount = (minor: bigint): string => formatAmount(minor, code);
  const thousand = 1000n * 10n ** BigInt(currencyExponent(code));
  return {
    currency: code,
    due: amount(row.dueMinor),
    dueCollected: amount(row.dueCollectedMinor),
    recoveryRate: ratio(row.dueCollectedMinor, row.dueMinor, 4),
    collected: amount(collectedMinor),
    averageDelayDays: ratio(row.delayedMinorDays, collectedMinor, 1),
    promisesKept: Number(row.promisesKept),
    promisesBroken: Number(row.promisesBroken),
    promisesKeptRate: ratio(row.promisesKept, row.promisesKept + row.promisesBroken, 4),
    contacts: Number(row.contacts),
    contactsPerThousand: collectedMinor <= 0n ? null : ratio(row.contacts * thousand, collectedMinor, 3),
  };
}

function present(row: Buckets & { currency: string }): z.output<typeof buckets> {
  const amount = (minor: bigint): string => formatAmount(minor, row.currency);
  return {
    currency: row.currency,
    notDue: amount(row.notDue),
    from1To30: amount(row.from1To30),
    from31To60: amount(row.from31To60),
    from61To90: amount(row.from61To90),
    over90: amount(row.over90),
    total: amount(row.total),
    disputed: amount(row.disputed),
  };
}
