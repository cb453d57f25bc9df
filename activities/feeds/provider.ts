import type { Fetched, FetchRow } from '../../db/repositories/feed-fetches.ts';
import type { FeedRow } from '../../db/repositories/feeds.ts';
import { DomainError } from '../../domain/errors.ts';
import type { BankMessage } from '../../domain/statement/bank-message.ts';
import { transactionOfBridge } from '../../domain/statement/providers/bridge.ts';
import {
  bridgeCredentials,
  gocardlessCredentials,
  type BridgeCredentials,
  type GoCardlessCredentials,
} from '../../domain/statement/providers/credentials.ts';
import {
  eventOfGoCardless,
  hasFailedSince,
  transactionOfPayment,
  transactionOfRefund,
} from '../../domain/statement/providers/gocardless.ts';
import type { Transaction } from '../../domain/statement/transaction.ts';
import type { FeedDeps } from '../deps.ts';
import type { AskOptions } from './ask.ts';
import { createBridgeClient } from './bridge-client.ts';
import { createGoCardlessClient } from './gocardless-client.ts';

/** How one provider is asked for what its messages point at. */
export interface Provider {
  /** The messages that one question answers together, in the order to ask. */
  questions(rows: FetchRow[]): FetchRow[][];
  /** Throws `AskError`, and a `DomainError` where the answer cannot be used. */
  ask(rows: readonly FetchRow[]): Promise<Fetched>;
  /** Whether a question is about one message, so that a refusal says nothing of the others. */
  asksSingly: boolean;
}

/** Few tries within a call: between calls there are pauses that outlive a process. */
const PATIENCE: AskOptions = { attempts: 2, timeoutMs: 20_000 };

/** Null where its credentials are missing, or are none of its kind. */
export function providerOf(feed: FeedRow, deps: FeedDeps): Provider | null {
  if (feed.credentials === null) return null;
  const told: unknown = JSON.parse(deps.openCredentials(feed.credentials, feed.id));
  if (feed.kind === 'bridge') {
    const credentials = bridgeCredentials.safeParse(told);
    return credentials.success ? bridge(feed, credentials.data, deps) : null;
  }
  if (feed.kind === 'gocardless') {
    const credentials = gocardlessCredentials.safeParse(told);
    return credentials.success ? gocardless(credentials.data, deps) : null;
  }
  return null;
}

/** All messages of an account are answered by one list: what changed since it was last read. */
function bridge(feed: FeedRow, { accountId, ...access }: BridgeCredentials, deps: FeedDeps): Provider {
  const client = createBridgeClient({ ...PATIENCE, ...access, baseUrl: deps.urls.bridge });
  const isOwn = (row: FetchRow): boolean => row.ask?.['id'] === accountId;
  return {
    asksSingly: false,
    questions: (rows) => [rows.filter((row) => !isOwn(row)), rows.filter(isOwn)].filter((asked) => asked.length > 0),
    async ask(rows) {
      // Another account of the same user is another feed, or none of ours.
      if (!rows.some(isOwn)) return { rows, transactions: [], rejected: [] };
      const { resources, since } = await client.changes(accountId, feed.read_to);
      return { rows, ...readEach(resources), readTo: since };
    },
  };
}

/** One record that cannot be used takes no other with it. */
function readEach(resources: readonly unknown[]): Pick<Fetched, 'transactions' | 'rejected'> {
  const transactions: Transaction[] = [];
  const rejected: { id: string; code: string }[] = [];
  for (const resource of resources) {
    try {
      transactions.push(...transactionsOf([transactionOfBridge(resource)]));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      const id = (resource as { id?: unknown } | null)?.id;
      rejected.push({ id: typeof id === 'number' || typeof id === 'string' ? String(id) : '?', code: error.code });
    }
  }
  return { transactions, rejected };
}

/** Each event is about one payment or refund. */
function gocardless({ accessToken, environment }: GoCardlessCredentials, deps: FeedDeps): Provider {
  const baseUrl = environment === 'live' ? deps.urls.gocardless : deps.urls.gocardlessSandbox;
  const client = createGoCardlessClient({ ...PATIENCE, accessToken, baseUrl });
  return {
    asksSingly: true,
    questions: (rows) => rows.map((row) => [row]),
    async ask(rows) {
      const messages: BankMessage[] = [];
      for (const row of rows) {
        const event = eventOfGoCardless(row.body);
        const id = String(row.ask?.['id']);
        if (event.resource_type === 'refunds') {
          messages.push(transactionOfRefund(event, await client.refund(id)));
          continue;
        }
        const payment = await client.payment(id);
        messages.push(transactionOfPayment(event, payment));
        // It failed after all, and its failure may have been told before its confirmation: both are one movement each.
        if (event.action === 'confirmed' && hasFailedSince(payment)) {
          messages.push(transactionOfPayment({ ...event, action: 'failed' }, payment));
        }
      }
      return { rows, transactions: transactionsOf(messages), rejected: [] };
    },
  };
}

const transactionsOf = (messages: readonly BankMessage[]): Transaction[] =>
  messages.flatMap((message) => (message.kind === 'transaction' ? [message.transaction] : []));
