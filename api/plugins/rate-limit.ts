import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { Problem } from '../problem.ts';

/**
 * So many requests a key and minute, counted in this process. Webhooks are not limited: turning a bank's message away
 * loses it until the bank's next try.
 */
export async function registerRateLimit(app: FastifyInstance, { config }: ApiDeps): Promise<void> {
  await app.register(rateLimit, {
    global: true,
    // After the key is known, before the body is read.
    hook: 'preParsing',
    max: config.rateLimitPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => request.caller?.keyId ?? request.ip,
    allowList: (request) => request.caller === null,
    errorResponseBuilder: (_request, context) =>
      new Problem('tooManyRequests', `A key may send ${context.max} requests a minute.`),
  });
}
