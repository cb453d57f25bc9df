import { startFakeServer, type FakeServer } from './provider-server.ts';

export const GOCARDLESS_TOKEN = 'live_gocardless_access_token';

export interface FakeGoCardless extends FakeServer {
  /** Payments and refunds by their ids. */
  payments: Map<string, unknown>;
  refunds: Map<string, unknown>;
}

/** A stand-in for the API of GoCardless, version 2015-07-06, as far as one payment and one refund are read. */
export async function startFakeGoCardless(): Promise<FakeGoCardless> {
  const payments = new Map<string, unknown>();
  const refunds = new Map<string, unknown>();
  const server = await startFakeServer(({ method, url, headers }) => {
    if (headers.authorization !== `Bearer ${GOCARDLESS_TOKEN}` || headers['gocardless-version'] !== '2015-07-06') {
      return { status: 401, value: { error: { type: 'invalid_api_usage', code: 401 } } };
    }
    const [, kind = '', id = ''] = /^\/(payments|refunds)\/([^/]+)$/.exec(url.pathname) ?? [];
    const found = (kind === 'payments' ? payments : refunds).get(decodeURIComponent(id));
    if (method !== 'GET' || found === undefined) return { status: 404, value: { error: { code: 404 } } };
    return { status: 200, value: { [kind]: found } };
  });
  return { ...server, payments, refunds };
}
