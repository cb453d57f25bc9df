import { ApiError } from './errors.ts';

/**
 * Faults of sending requests:
 * `429`, `500` (JSON errors), `nonJson502` (a proxy's page), `nonJson200` (accepted, unreadable answer), `hang` (nothing
 * kept, no answer), `hangAfterAccept` and `acceptThenDrop` (kept, then no answer or a cut connection),
 * `dailyQuota`, `monthlyQuota`, `invalidKey`.
 */
export const REQUEST_FAULTS = [
  '429',
  '500',
  'nonJson502',
  'nonJson200',
  'hang',
  'hangAfterAccept',
  'acceptThenDrop',
  'dailyQuota',
  'monthlyQuota',
  'invalidKey',
] as const;
export type RequestFault = (typeof REQUEST_FAULTS)[number];

/** Faults of webhooks, each for so many of the next ones; `delayMs` holds for all until it is set to 0. */
export const WEBHOOK_FAULTS = ['duplicate', 'reorder', 'badSignature', 'stale'] as const;
export type WebhookFault = (typeof WEBHOOK_FAULTS)[number];

/**
 * What is to go wrong next; set through POST /_faults:
 * `{"requests": [{"fault": "429", "times": 2, "retryAfter": 1}], "webhooks": {"duplicate": 1, "delayMs": 500}}`.
 */
export class Faults {
  #requests: { fault: RequestFault; times: number; retryAfter: number }[] = [];
  #webhooks: Record<WebhookFault, number> = { duplicate: 0, reorder: 0, badSignature: 0, stale: 0 };
  webhookDelayMs = 0;

  /** Adds request faults to the queue and sets those of webhooks that are named; throws `ApiError` and changes nothing when unreadable. */
  plan(body: unknown): void {
    const { requests = [], webhooks = {} } = asRecord(body, 'The body');
    if (!Array.isArray(requests)) throw unreadable('`requests` must be an array.');
    const planned = requests.map((one: unknown) => {
      const { fault, times = 1, retryAfter = 1 } = asRecord(one, 'Each of `requests`');
      const known = REQUEST_FAULTS.find((name) => name === String(fault));
      if (!known) throw unreadable(`\`fault\` must be one of ${REQUEST_FAULTS.join(', ')}.`);
      return { fault: known, times: count(times, 'times'), retryAfter: count(retryAfter, 'retryAfter') };
    });
    const wanted = Object.entries(asRecord(webhooks, '`webhooks`')).map(([name, value]) => {
      const known = [...WEBHOOK_FAULTS, 'delayMs' as const].find((one) => one === name);
      if (!known) throw unreadable(`\`webhooks\` knows ${WEBHOOK_FAULTS.join(', ')} and delayMs.`);
      return [known, count(value, name)] as const;
    });
    this.#requests.push(...planned);
    for (const [name, value] of wanted) {
      if (name === 'delayMs') this.webhookDelayMs = value;
      else this.#webhooks[name] = value;
    }
  }

  clear(): void {
    this.#requests = [];
    this.#webhooks = { duplicate: 0, reorder: 0, badSignature: 0, stale: 0 };
    this.webhookDelayMs = 0;
  }

  /** The fault of the request that has just come, if one is planned. */
  takeRequest(): { fault: RequestFault; retryAfter: number } | null {
    const next = this.#requests.find((one) => one.times > 0);
    if (!next) return null;
    next.times -= 1;
    this.#requests = this.#requests.filter((one) => one.times > 0);
    return next;
  }

  /** Whether this fault is to strike the webhook at hand. */
  takeWebhook(fault: WebhookFault): boolean {
    if (this.#webhooks[fault] <= 0) return false;
    this.#webhooks[fault] -= 1;
    return true;
  }

  toJSON(): unknown {
    return { requests: this.#requests, webhooks: { ...this.#webhooks, delayMs: this.webhookDelayMs } };
  }
}

/** The error a fault answers with before anything is kept; null for the faults that are not answers. */
export function errorOfFault(fault: RequestFault, retryAfter: number): ApiError | null {
  switch (fault) {
    case '429':
      return tooManyRequests(retryAfter);
    case '500':
      return new ApiError(500, 'internal_server_error', 'An unexpected error occurred.');
    case 'dailyQuota':
      return new ApiError(429, 'daily_quota_exceeded', 'You have reached your daily email sending quota.');
    case 'monthlyQuota':
      return new ApiError(429, 'monthly_quota_exceeded', 'You have reached your monthly email sending quota.');
    case 'invalidKey':
      return new ApiError(403, 'invalid_api_key', 'API key is invalid.');
    default:
      return null;
  }
}

export function tooManyRequests(retryAfter: number): ApiError {
  const message =
    'Too many requests. Please limit the number of requests per second. Or contact support to increase rate limit.';
  return new ApiError(429, 'rate_limit_exceeded', message, { 'retry-after': String(retryAfter) });
}

const unreadable = (message: string): ApiError => new ApiError(422, 'validation_error', message);

function asRecord(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unreadable(`${what} must be an object.`);
  return value as Record<string, unknown>;
}

function count(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw unreadable(`\`${what}\` must be a whole number, not negative.`);
  }
  return value;
}
