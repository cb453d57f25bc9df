import { AskError, createAsk, under, type AskOptions } from './ask.ts';

export interface GoCardlessOptions extends AskOptions {
  accessToken: string;
  /** https://api.gocardless.com when left out; the sandbox is https://api-sandbox.gocardless.com. */
  baseUrl?: string;
}

export interface GoCardlessClient {
  /** A payment as GoCardless gives it, for `transactionOfPayment`. Throws `AskError`. */
  payment(id: string): Promise<unknown>;
  /** A refund as GoCardless gives it, for `transactionOfRefund`. Throws `AskError`. */
  refund(id: string): Promise<unknown>;
}

const BASE_URL = 'https://api.gocardless.com';
const VERSION = '2015-07-06';

/**
 * Asks GoCardless (developer.gocardless.com, version 2015-07-06) for what its events are about. Own code: its package
 * would bring an HTTP client of its own, with retries that cannot be counted and errors that hold the question.
 */
export function createGoCardlessClient(options: GoCardlessOptions): GoCardlessClient {
  const { accessToken, baseUrl = BASE_URL } = options;
  const ask = createAsk('GoCardless', options);
  const headers = { authorization: `Bearer ${accessToken}`, 'gocardless-version': VERSION };

  const one = async (kind: 'payments' | 'refunds', id: string): Promise<unknown> => {
    const url = under(baseUrl, `/${kind}/${encodeURIComponent(id)}`);
    const answer = await ask({ method: 'GET', url, headers });
    const resource = answer[kind];
    if (typeof resource !== 'object' || resource === null) throw new AskError('GoCardless', 'unreadable');
    return resource;
  };

  return { payment: (id) => one('payments', id), refund: (id) => one('refunds', id) };
}
