import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { backlog, contactCounters } from '../../db/repositories/counters.ts';
import type { ApiDeps } from '../deps.ts';

export interface Metrics {
  contentType: string;
  text(): Promise<string>;
  registry: Registry;
}

/** What `/metrics` shows: requests as they go, and the two counters and the backlog as the database has them now. */
export function registerMetrics(app: FastifyInstance, { db }: ApiDeps): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: 'relance_http_request_seconds',
    help: 'Time from a request to its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  app.addHook('onResponse', async (request, reply) => {
    // Routes, not paths: a path holds ids, and there is no end of them.
    const route = request.routeOptions.url ?? 'none';
    requests.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
  });

  const duplicates = new Counter({
    name: 'relance_contacts_duplicate_total',
    help: 'Contacts that were sent twice for one step. Must stay 0.',
    registers,
  });
  const afterPayment = new Counter({
    name: 'relance_contacts_after_payment_total',
    help: 'Contacts that asked for money that was paid before they were sent. Must stay 0.',
    registers,
  });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const gauges = {
    outboxPending: gauge('relance_outbox_pending', 'Messages to workflows that wait to be delivered.'),
    outboxOldestSeconds: gauge('relance_outbox_oldest_seconds', 'How long the oldest of them has been due.'),
    inboxPending: gauge('relance_inbox_pending', 'Messages of banks that wait to be handled.'),
    inboxWaiting: gauge('relance_inbox_waiting', 'Returns that wait for their transaction.'),
    unappliedReceipts: gauge('relance_receipts_unapplied', 'Receipts with money that nobody has assigned.'),
    openTasks: gauge('relance_tasks_open', 'Tasks that wait for a person.'),
  };
  const up = gauge('relance_database_up', 'Whether the figures from the database are those of this moment.');

  return {
    registry,
    contentType: registry.contentType,
    text: async () => {
      try {
        const [counters, waiting] = await Promise.all([contactCounters(db), backlog(db)]);
        duplicates.reset();
        duplicates.inc(counters.duplicate);
        afterPayment.reset();
        afterPayment.inc(counters.afterPayment);
        for (const [name, value] of Object.entries(waiting)) gauges[name as keyof typeof gauges].set(value);
        up.set(1);
      } catch {
        // What was last known stays; that it is not of now is said apart.
        up.set(0);
      }
      return registry.metrics();
    },
  };
}
