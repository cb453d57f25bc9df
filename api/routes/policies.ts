import { z } from 'zod';
import { findCreditor } from '../../db/repositories/creditors.ts';
import { findCustomer, listCustomers, type CustomerRow } from '../../db/repositories/customers.ts';
import { findPolicy, listPolicies, putPolicy, type StoredPolicy } from '../../db/repositories/policies.ts';
import { forecast } from '../../domain/case/forecast.ts';
import { previewCustomer } from '../../domain/case/preview.ts';
import { parseAmount } from '../../domain/money.ts';
import { parsePolicy, policyDocument } from '../../domain/policy/parse.ts';
import type { Policy } from '../../domain/policy/types.ts';
import { PRESETS } from '../../domain/policy/presets.ts';
import { zoneOfCountry } from '../../domain/time/country-zones.ts';
import { isoInstant, localDate } from '../../domain/time/zones.ts';
import { decodeNameCursor, encodeNameCursor } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import { across, amountFitsCurrency, instant, line, listQuery, page, policyName, refusals } from '../schemas/common.ts';
import { foretold } from '../schemas/resources.ts';
import { ok, write } from '../write.ts';
import { customerDetails, customerReference } from './customers.ts';
import { dueBeforeIssue, invoiceFields } from './invoices.ts';

/** In a path any line: what cannot be a name is nobody's, and where one is given `parsePolicy` says what is wrong. */
const nameParams = z.object({ name: line(200) });

/** The whole policy, every default filled in, and which version it is. */
const policyOut = z
  .looseObject({
    name: policyName,
    version: z.int(),
    createdAt: instant,
    createdBy: z.string(),
    steps: z.array(z.record(z.string(), z.unknown())),
  })
  .meta({ id: 'Policy', description: 'A policy with every default filled in, and which version of its name it is.' });

/** Judged by `parsePolicy`, which knows every rule and points at every fault. */
const policyBody = z.looseObject({}).meta({
  id: 'NewPolicy',
  description: 'A policy as docs/policies.md describes it; only `name` and `steps` are required.',
  example: PRESETS['fr-business'],
});

const previewBody = z
  .strictObject({
    invoice: z
      .strictObject({
        ...invoiceFields,
        number: invoiceFields.number.optional(),
        customer: z
          .strictObject({ reference: customerReference, name: line(300), ...customerDetails })
          .partial()
          .optional(),
      })
      .meta({
        description:
          'An invoice as it would be registered; number and customer may be left out. A customer is one we have ' +
          '(`customerId`, or the `reference` of a known one) or is supposed from what is given.',
      })
      .check(amountFitsCurrency())
      .check(
        across(({ issuedOn, dueOn, customerId, customer }) => [
          ...dueBeforeIssue(issuedOn, dueOn),
          ...(customerId !== undefined && customer !== undefined
            ? [{ path: ['customerId'], code: 'notAllowed', message: 'give either customerId or customer' }]
            : []),
        ]),
      ),
  })
  .meta({
    example: { invoice: { issuedOn: '2026-11-01', dueOn: '2026-11-30', amount: '1200.00', currency: 'EUR' } },
  });

/** Scenarios: versioned, never edited in place. */
export async function policyRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.put(
    '/v1/policies/:name',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'putPolicy',
        tags: ['policies'],
        summary: 'Store a policy as the next version of its name',
        description: 'New cases pin the newest version; open ones keep theirs.',
        params: nameParams,
        body: policyBody,
        response: { 200: policyOut, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { name } = request.params;
        const policy = parsePolicy(request.body);
        if (policy.name !== name) {
          const message = `The path says ${name}.`;
          throw new Problem('invalidPolicy', 'The name in the policy is not the one in the path.', {
            faults: [{ pointer: '/name', code: 'notAllowed', message }],
          });
        }
        return ok(presentPolicy(await putPolicy(tx, act, callerOf(request).creditorId, policy)));
      }),
  );

  app.get(
    '/v1/policies',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listPolicies',
        tags: ['policies'],
        summary: 'The newest version of every policy, by name',
        querystring: listQuery,
        response: { 200: page(policyOut), ...refusals },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const after = decodeNameCursor('policies', cursor);
      const rows = await listPolicies(db, callerOf(request).creditorId, after, limit + 1);
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      return {
        data: shown.map(presentPolicy),
        nextCursor: rows.length > limit && last ? encodeNameCursor('policies', last.name) : null,
      };
    },
  );

  app.get(
    '/v1/policies/:name',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getPolicy',
        tags: ['policies'],
        summary: 'A policy, its newest version unless another is named',
        params: nameParams,
        querystring: z.strictObject({ version: z.coerce.number().int().min(1).max(1_000_000).optional() }),
        response: { 200: policyOut, ...refusals },
      },
    },
    async (request) => {
      const { creditorId } = callerOf(request);
      const found = await findPolicy(db, creditorId, request.params.name, request.query.version ?? null);
      if (!found) throw notFound();
      return presentPolicy(found);
    },
  );

  app.post(
    '/v1/policies/:name/preview',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'previewPolicy',
        tags: ['policies'],
        summary: 'What would happen to an invoice under this policy',
        description: 'Creates nothing. Supposes an address of every kind and no other open invoice of the customer.',
        params: nameParams,
        body: previewBody,
        response: { 200: z.object({ data: z.array(foretold) }), ...refusals },
      },
    },
    async (request) => {
      const { creditorId } = callerOf(request);
      const { invoice } = request.body;
      const stored = await findPolicy(db, creditorId, request.params.name);
      if (!stored) throw notFound();
      const creditor = (await findCreditor(db, creditorId))!;
      const known = await knownCustomer(db, creditorId, invoice);
      const countryOf = known?.country ?? invoice.customer?.country ?? creditor.country;
      const zone =
        known?.time_zone ??
        invoice.customer?.timeZone ??
        (countryOf === creditor.country ? creditor.time_zone : zoneOfCountry(countryOf, creditor.time_zone));
      const now = deps.clock.now();
      const year = Number(localDate(now, zone).slice(0, 4));
      const holidays = (code: string, postalCode: string | null) =>
        new Set(deps.holidays(code, postalCode, year - 1, year + 3));
      const customer = previewCustomer({
        policy: stored.policy,
        kind: known?.kind ?? invoice.customer?.kind ?? 'business',
        country: countryOf,
        zone,
        creditorZone: creditor.time_zone,
        customerHolidays: holidays(
          countryOf,
          known?.address?.postalCode ?? invoice.customer?.address?.postalCode ?? null,
        ),
        creditorHolidays: holidays(creditor.country, creditor.address?.postalCode ?? null),
        closedWeeks: creditor.closed_weeks,
        issuedOn: invoice.issuedOn,
        dueOn: invoice.dueOn,
        amountMinor: parseAmount(invoice.amount, invoice.currency),
        currency: invoice.currency,
        chaseFrom: invoice.chaseFrom ?? null,
        lastStepSent: invoice.lastStepSent ?? null,
        collection: { method: invoice.collection?.method ?? 'transfer', on: invoice.collection?.on ?? null },
        now,
      });
      return {
        data: forecast(customer, now).map(({ at, action, step, channel, reason }) => ({
          at: isoInstant(at),
          action,
          step,
          channel,
          reason,
        })),
      };
    },
  );
}

/** The customer an invoice names, by id or by reference; a reference nobody has is a customer to suppose. */
async function knownCustomer(
  db: ApiDeps['db'],
  creditorId: string,
  { customerId, customer }: z.output<typeof previewBody>['invoice'],
): Promise<CustomerRow | undefined> {
  if (customerId !== undefined) {
    const row = await findCustomer(db, creditorId, customerId);
    if (row) return row;
    throw notFound();
  }
  if (customer?.reference === undefined) return undefined;
  const [row] = await listCustomers(db, creditorId, { reference: customer.reference }, null, 1);
  return row;
}

const stepsOf = (policy: Policy) => policyDocument(policy)['steps'] as Record<string, unknown>[];

const presentPolicy = (stored: StoredPolicy): z.input<typeof policyOut> => ({
  ...policyDocument(stored.policy),
  name: stored.name,
  version: stored.version,
  createdAt: isoInstant(stored.createdAt),
  createdBy: stored.createdBy,
  steps: stepsOf(stored.policy),
});
