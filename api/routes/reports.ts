import { z } from 'zod';
import { agedByCustomer, agedTotals, type Buckets } from '../../db/repositories/aged-balance.ts';
import { formatAmount } from '../../domain/money.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { Problem } from '../problem.ts';
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
      const asOf = query.asOf ?? today;
      if (asOf > today) {
        throw new Problem('futureDate', 'What will be owed on a later day is not known yet.', {
          faults: [{ pointer: '/asOf', code: 'futureDate', message: `Today is ${today}.` }],
        });
      }
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
