import { startFakeServer, type FakeAnswer, type FakeRequest, type FakeServer } from './provider-server.ts';

export const BRIDGE_CREDENTIALS = {
  clientId: 'bridge-client-id',
  clientSecret: 'bridge-client-secret',
  userUuid: '766b2f5d-0000-4000-8000-000000000001',
};

/** A transaction as far as the fake needs it; the rest is given out as it is. */
export interface FakeBridgeTransaction {
  id: number;
  account_id: number;
  updated_at: string;
  [field: string]: unknown;
}

export interface FakeBridge extends FakeServer {
  transactions: FakeBridgeTransaction[];
  /** Transactions of one page, whatever limit is asked for above it (2). */
  pageSize: number;
  /** Each page begins with the last one of the page before. */
  repeats: boolean;
  /** Replaces the address of the next page. */
  nextUri: ((nextUri: string) => string) | null;
  /** Tokens given out so far stop working. */
  expireTokens: () => void;
}

/**
 * A stand-in for Bridge's API, version 2025-01-15: a token of the user, and its transactions since a moment, page by page
 * in the order of their ids.
 */
export async function startFakeBridge(): Promise<FakeBridge> {
  let issued = 0;
  let valid = 0;
  const server = await startFakeServer((request) => answer(request));
  const bridge: FakeBridge = {
    ...server,
    transactions: [],
    pageSize: 2,
    repeats: false,
    nextUri: null,
    expireTokens: () => void (valid = issued + 1),
  };
  return bridge;

  function answer({ method, url, headers, body }: FakeRequest): FakeAnswer {
    const known =
      headers['client-id'] === BRIDGE_CREDENTIALS.clientId &&
      headers['client-secret'] === BRIDGE_CREDENTIALS.clientSecret &&
      headers['bridge-version'] === '2025-01-15';
    if (!known) return { status: 401, value: { errors: [{ code: 'authentication.invalid_credentials' }] } };
    if (method === 'POST' && url.pathname === '/v3/aggregation/authorization/token') {
      if ((body as { user_uuid?: string }).user_uuid !== BRIDGE_CREDENTIALS.userUuid) return { status: 404, value: {} };
      issued += 1;
      return { status: 200, value: { access_token: `token-${issued}`, expires_at: '2026-11-20T11:00:00.000Z' } };
    }
    if (method === 'GET' && url.pathname === '/v3/aggregation/transactions') {
      const token = /^Bearer token-(\d+)$/.exec(headers.authorization ?? '')?.[1];
      if (token === undefined || Number(token) < valid) return { status: 401, value: {} };
      return { status: 200, value: pageOf(url.searchParams) };
    }
    return { status: 404, value: {} };
  }

  function pageOf(query: URLSearchParams): unknown {
    const since = query.get('since');
    const after = Number(query.get('after') ?? 0);
    const size = Math.min(bridge.pageSize, Number(query.get('limit') ?? 50));
    const found = bridge.transactions
      .filter((one) => String(one.account_id) === query.get('account_id'))
      .filter((one) => since === null || Date.parse(one.updated_at) >= Date.parse(since))
      .sort((a, b) => a.id - b.id);
    const rest = found.filter((one) => one.id > after);
    const page = rest.slice(0, size);
    const repeated = bridge.repeats ? found.filter((one) => one.id === after) : [];
    const next = new URLSearchParams(query);
    next.set('after', String(page.at(-1)?.id));
    const nextUri = `/v3/aggregation/transactions?${next.toString()}`;
    return {
      resources: [...repeated, ...page],
      pagination: { next_uri: rest.length > size ? (bridge.nextUri?.(nextUri) ?? nextUri) : null },
    };
  }
}
