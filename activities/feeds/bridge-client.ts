import { z } from 'zod';
import { AskError, createAsk, under, type AskOptions } from './ask.ts';

export interface BridgeOptions extends AskOptions {
  clientId: string;
  clientSecret: string;
  /** Bridge's id of the user whose accounts are asked for. */
  userUuid: string;
  /** https://api.bridgeapi.io when left out. */
  baseUrl?: string;
}

/** What changed on an account. */
export interface BridgeChanges {
  /** Transactions as Bridge gives them, for `transactionOfBridge`; one may come again in a later answer. */
  resources: unknown[];
  /** What to ask with the next time: the latest change among them; what was asked with where there is none. */
  since: string | null;
}

export interface BridgeClient {
  /**
   * All transactions of an account that were made, changed or deleted since a moment (ISO 8601, that moment included); all
   * that Bridge has where `since` is null. Throws `AskError`; nothing of a list that broke off is given.
   */
  changes(accountId: string, since: string | null): Promise<BridgeChanges>;
}

const BASE_URL = 'https://api.bridgeapi.io';
const VERSION = '2025-01-15';
const PAGE_SIZE = 500;
/** Far more than an account changes between two looks: beyond it something goes round in a circle. */
const MOST_PAGES = 1_000;

const tokenAnswer = z.object({ access_token: z.string().min(1) });
const pageAnswer = z.object({
  resources: z.array(z.unknown()),
  pagination: z.object({ next_uri: z.string().nullish() }).nullish(),
});
const changed = z.object({ updated_at: z.string() });

/**
 * Asks Bridge (docs.bridgeapi.io, version 2025-01-15) for transactions. A token of the user is fetched when it is first
 * needed and once more when Bridge no longer takes it.
 */
export function createBridgeClient(options: BridgeOptions): BridgeClient {
  const { clientId, clientSecret, userUuid, baseUrl = BASE_URL } = options;
  const ask = createAsk('Bridge', options);
  const application = { 'client-id': clientId, 'client-secret': clientSecret, 'bridge-version': VERSION };
  let token: string | null = null;

  const newToken = async (): Promise<string> => {
    const answer = await ask({
      method: 'POST',
      url: under(baseUrl, '/v3/aggregation/authorization/token'),
      headers: { ...application, 'content-type': 'application/json' },
      body: JSON.stringify({ user_uuid: userUuid }),
    });
    return readable(tokenAnswer, answer).access_token;
  };

  const page = async (url: URL): Promise<z.output<typeof pageAnswer>> => {
    const known = token !== null;
    token ??= await newToken();
    try {
      const headers = { ...application, authorization: `Bearer ${token}` };
      return readable(pageAnswer, await ask({ method: 'GET', url, headers }));
    } catch (error) {
      if (!known || !(error instanceof AskError) || error.status !== 401) throw error;
      // Tokens last two hours.
      token = null;
      return page(url);
    }
  };

  return {
    async changes(accountId, since) {
      const first = under(baseUrl, '/v3/aggregation/transactions');
      first.searchParams.set('account_id', accountId);
      first.searchParams.set('limit', String(PAGE_SIZE));
      if (since !== null) first.searchParams.set('since', since);

      const resources: unknown[] = [];
      const seen = new Set<string>();
      for (let url: URL | null = first; url !== null;) {
        if (seen.has(url.href) || seen.size >= MOST_PAGES) throw new AskError('Bridge', 'unreadable');
        seen.add(url.href);
        const answer = await page(url);
        resources.push(...answer.resources);
        url = nextPage(answer.pagination?.next_uri, url);
      }
      return { resources, since: latestOf(resources, since) };
    },
  };
}

/** The next page, at the same host: our credentials go nowhere else. Null after the last one. */
function nextPage(nextUri: string | null | undefined, from: URL): URL | null {
  if (!nextUri) return null;
  const next = URL.canParse(nextUri, from.href) ? new URL(nextUri, from.href) : null;
  if (next?.origin !== from.origin) throw new AskError('Bridge', 'unreadable');
  return next;
}

/** The latest `updated_at`, in the words of Bridge; texts that are no moment are passed over. */
function latestOf(resources: readonly unknown[], since: string | null): string | null {
  let latest = { at: since === null ? -Infinity : Date.parse(since), text: since };
  for (const resource of resources) {
    const told = changed.safeParse(resource);
    const at = told.success ? Date.parse(told.data.updated_at) : NaN;
    if (told.success && at > latest.at) latest = { at, text: told.data.updated_at };
  }
  return latest.text;
}

function readable<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw new AskError('Bridge', 'unreadable');
  return parsed.data;
}
