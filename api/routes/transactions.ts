import { z } from 'zod';
import { listTransactions } from '../../db/repositories/transaction-list.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { presentTransaction } from '../present-match.ts';
import type { App } from '../routing.ts';
import { id, listQuery, localDate, page, refusals } from '../schemas/common.ts';
import { bankTransaction, TRANSACTION_STATES } from '../schemas/resources.ts';

/** What banks told of the accounts. */
export async function transactionRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.get(
    '/v1/transactions',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listTransactions',
        tags: ['money'],
        summary: 'Transactions of the accounts, newest first, each once however often it was told',
        querystring: listQuery.extend({
          feedId: id('fee').optional(),
          state: z.enum(TRANSACTION_STATES).optional(),
          bookedBefore: localDate.optional(),
          bookedAfter: localDate.optional(),
        }),
        response: { 200: page(bankTransaction), ...refusals },
      },
    },
    (request) => {
      const { creditorId } = callerOf(request);
      const { query } = request;
      return readPage(
        'transactions',
        query,
        (after, count) => listTransactions(db, creditorId, query, after, count),
        (row) => row.seq,
        (rows) => rows.map(presentTransaction),
      );
    },
  );
}
