import { randomBytes } from 'node:crypto';
import fastify, { LogController, type FastifyServerOptions } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { ApiDeps } from './deps.ts';
import { registerAuth } from './plugins/auth.ts';
import { JSON_LIMIT, registerBodies } from './plugins/bodies.ts';
import { answerWith, registerErrors } from './plugins/errors.ts';
import { registerMetrics } from './plugins/metrics.ts';
import { registerOpenapi } from './plugins/openapi.ts';
import { registerRateLimit } from './plugins/rate-limit.ts';
import { registerRequestLog } from './plugins/request-log.ts';
import { registerSecurityHeaders } from './plugins/security-headers.ts';
import { accountRoutes } from './routes/accounts.ts';
import { agencyRoutes } from './routes/agencies.ts';
import { creditorRoutes } from './routes/creditors.ts';
import { bulkCommandRoutes } from './routes/bulk-commands.ts';
import { caseCommandRoutes } from './routes/case-commands.ts';
import { contactRoutes } from './routes/contacts.ts';
import { customerRoutes } from './routes/customers.ts';
import { disputeRoutes } from './routes/disputes.ts';
import { feedRoutes } from './routes/feeds.ts';
import { importRoutes } from './routes/imports.ts';
import { inboundRoutes } from './routes/inbound.ts';
import { insolvencyRoutes } from './routes/insolvency.ts';
import { letterRoutes } from './routes/letters.ts';
import { lifecycleRoutes } from './routes/lifecycle.ts';
import { limitationRoutes } from './routes/limitation.ts';
import { invoiceRoutes } from './routes/invoices.ts';
import { claimRoutes } from './routes/claims.ts';
import { bankStatementRoutes } from './routes/bank-statements.ts';
import { matchingRoutes } from './routes/matching.ts';
import { moneyRoutes } from './routes/money.ts';
import { planRoutes } from './routes/plans.ts';
import { placementRoutes } from './routes/placements.ts';
import { policyRoutes } from './routes/policies.ts';
import { promiseRoutes } from './routes/promises.ts';
import { rolloutRoutes } from './routes/rollouts.ts';
import { personalDataRoutes } from './routes/personal-data.ts';
import { exportRoutes } from './routes/exports.ts';
import { doubtfulRoutes } from './routes/doubtful.ts';
import { vatRoutes } from './routes/vat.ts';
import { rateRoutes } from './routes/rates.ts';
import { remittanceRoutes } from './routes/remittances.ts';
import { reportRoutes } from './routes/reports.ts';
import { replayRoutes } from './routes/replay.ts';
import { statementRoutes } from './routes/statements.ts';
import { systemRoutes } from './routes/system.ts';
import { taskRoutes } from './routes/tasks.ts';
import { templateRoutes } from './routes/templates.ts';
import { transactionRoutes } from './routes/transactions.ts';
import { verificationRoutes } from './routes/verification.ts';
import { worklistRoutes } from './routes/worklist.ts';
import type { App } from './routing.ts';
import { validatorCompiler } from './validation.ts';
import { webhookRoutes } from './webhooks/routes.ts';

/** Of the API, as the description names it; moves with what clients see, not with releases. */
export const API_VERSION = '1.0.0';

/** Builds the API from what it depends on; nobody listens yet. */
export async function buildApp(deps: ApiDeps): Promise<App> {
  const app = fastify({
    ...(deps.logger === false ? { logger: false } : { loggerInstance: deps.logger }),
    genReqId: () => `req_${randomBytes(12).toString('base64url')}`,
    requestIdHeader: false,
    // Requests are logged by a plugin of ours that knows what may be in a log.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: JSON_LIMIT,
    trustProxy: deps.config.trustProxy,
    // Whoever sends slowly is cut off: headers within a minute (Node's default), a bank's file of 512 MB within a quarter of an hour, and
    // never more than a minute without a byte. Whoever is idle is closed when the server is.
    requestTimeout: 900_000,
    connectionTimeout: 75_000,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => void answerWith(error, request, reply),
  } satisfies FastifyServerOptions as FastifyServerOptions).withTypeProvider() as unknown as App;

  app.setValidatorCompiler(validatorCompiler as never);
  app.setSerializerCompiler(serializerCompiler as never);
  registerErrors(app);
  registerSecurityHeaders(app);
  registerRequestLog(app);
  registerBodies(app);
  const metrics = registerMetrics(app, deps);
  registerAuth(app, deps);
  await registerRateLimit(app, deps);
  await registerOpenapi(app, API_VERSION);

  await app.register(async (scope) => {
    const routes = scope as App;
    await creditorRoutes(routes, deps);
    await policyRoutes(routes, deps);
    await templateRoutes(routes, deps);
    await rolloutRoutes(routes, deps);
    await customerRoutes(routes, deps);
    await insolvencyRoutes(routes, deps);
    await inboundRoutes(routes, deps);
    await personalDataRoutes(routes, deps);
    await invoiceRoutes(routes, deps);
    await moneyRoutes(routes, deps);
    await bankStatementRoutes(routes, deps);
    await worklistRoutes(routes, deps);
    await transactionRoutes(routes, deps);
    await matchingRoutes(routes, deps);
    await remittanceRoutes(routes, deps);
    await claimRoutes(routes, deps);
    await statementRoutes(routes, deps);
    await rateRoutes(routes, deps);
    await reportRoutes(routes, deps);
    await accountRoutes(routes, deps);
    await exportRoutes(routes, deps);
    await doubtfulRoutes(routes, deps);
    await vatRoutes(routes, deps);
    await promiseRoutes(routes, deps);
    await disputeRoutes(routes, deps);
    await limitationRoutes(routes, deps);
    await lifecycleRoutes(routes, deps);
    await planRoutes(routes, deps);
    await caseCommandRoutes(routes, deps);
    await bulkCommandRoutes(routes, deps);
    await taskRoutes(routes, deps);
    await contactRoutes(routes, deps);
    await letterRoutes(routes, deps);
    await agencyRoutes(routes, deps);
    await placementRoutes(routes, deps);
    await importRoutes(routes, deps);
    await feedRoutes(routes, deps);
    await webhookRoutes(routes, deps);
    await replayRoutes(routes, deps);
    await verificationRoutes(routes, deps);
    await systemRoutes(routes, deps, metrics);
  });
  return app;
}
