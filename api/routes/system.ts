import { BlockList, isIPv6 } from 'node:net';
import { z } from 'zod';
import { databaseIsCurrent } from '../../db/readiness.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import type { ApiDeps } from '../deps.ts';
import type { Metrics } from '../plugins/metrics.ts';
import { errorsHtml, Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import { instant, refusals } from '../schemas/common.ts';

/** The clock, and how the service is. */
export async function systemRoutes(app: App, deps: ApiDeps, metrics: Metrics): Promise<void> {
  app.get(
    '/v1/clock',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getClock',
        tags: ['system'],
        summary: 'The business clock',
        response: {
          200: z.object({
            now: instant,
            dayMs: z.int().meta({ description: 'Real milliseconds of 24 business hours; 86400000 in real time.' }),
          }),
          ...refusals,
        },
      },
    },
    async () => ({ now: isoInstant(deps.clock.now()), dayMs: deps.clock.dayMs }),
  );

  app.get(
    '/healthz',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'isAlive',
        tags: ['system'],
        summary: 'Whether the process answers',
        security: [],
        response: { 200: z.object({ status: z.literal('ok') }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  const readiness = z.object({
    status: z.enum(['ready', 'notReady']),
    checks: z.record(z.string(), z.enum(['ok', 'down', 'behind'])),
  });
  app.get(
    '/readyz',
    {
      config: { access: 'open' },
      schema: {
        operationId: 'isReady',
        tags: ['system'],
        summary: 'Whether everything the API needs answers at this moment',
        security: [],
        response: { 200: readiness, 503: readiness },
      },
    },
    async (_request, reply) => {
      const [database, temporal] = await Promise.all([
        withinTime(databaseIsCurrent(deps.db)).then(
          (current) => ({ database: 'ok' as const, migrations: current ? ('ok' as const) : ('behind' as const) }),
          () => ({ database: 'down' as const, migrations: 'down' as const }),
        ),
        withinTime(deps.commands.isUp()).then(
          (up) => (up ? ('ok' as const) : ('down' as const)),
          () => 'down' as const,
        ),
      ]);
      const checks = { ...database, temporal };
      const ready = Object.values(checks).every((check) => check === 'ok');
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'notReady', checks });
    },
  );

  app.get('/metrics', { config: { access: 'open' }, schema: { hide: true } }, async (request, reply) => {
    if (!deps.config.metricsPublic && !isLocal(request.ip)) {
      throw new Problem('forbidden', 'Metrics are for the local network.');
    }
    return reply.type(metrics.contentType).send(await metrics.text());
  });

  app.get('/openapi.json', { config: { access: 'open' }, schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger())),
  );

  app.get('/errors', { config: { access: 'open' }, schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(errorsHtml()),
  );
}

const CHECK_MS = 2_000;

/** A dependency that does not answer in two seconds is down for whoever asks. */
function withinTime<T>(check: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_MS);
    check.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

const LOCAL = new BlockList();
LOCAL.addSubnet('127.0.0.0', 8, 'ipv4');
LOCAL.addSubnet('10.0.0.0', 8, 'ipv4');
LOCAL.addSubnet('172.16.0.0', 12, 'ipv4');
LOCAL.addSubnet('192.168.0.0', 16, 'ipv4');
LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LOCAL.addAddress('::1', 'ipv6');
LOCAL.addSubnet('fc00::', 7, 'ipv6');
LOCAL.addSubnet('fe80::', 10, 'ipv6');

/** Loopback and private networks (RFC 1918, RFC 4193). */
export function isLocal(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return LOCAL.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}
