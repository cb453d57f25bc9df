import type { FastifyInstance } from 'fastify';
import { withoutContent } from './errors.ts';

const ID = /^[a-z]{3}_[0-9a-z]{26}$/;

/**
 * One line a request: route pattern, ids, status and time. Never bodies, headers, query strings or what stood in a path
 * where an id was expected.
 */
export function registerRequestLog(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const params = Object.entries((request.params ?? {}) as Record<string, unknown>).filter(
      ([, value]) => typeof value === 'string' && ID.test(value),
    );
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url ?? null,
        ids: Object.fromEntries(params),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        key: request.caller?.keyId ?? null,
      },
      'request',
    );
  });
}

/** For the logger the app is given: the request object itself is not logged, and what slips in is blanked. */
export const LOG_OPTIONS = {
  // Whoever logs an error, fastify itself included: its message may quote what a client sent.
  serializers: { err: (error: unknown) => (error instanceof Error ? withoutContent(error) : error) },
  redact: {
    paths: [
      'req',
      'res',
      '*.authorization',
      '*.name',
      '*.email',
      '*.iban',
      '*.body',
      '*.contacts',
      '*.address',
      '*.key',
      '*.secret',
      '*.note',
      '*.reason',
    ],
    remove: true,
  },
};
