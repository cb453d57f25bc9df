import { isValidIBAN } from 'ibantools';
import { z } from 'zod';
import type { Act } from '../../db/act.ts';
import type { Tx } from '../../db/database.ts';
import {
  changeCreditor,
  createCreditor,
  findCreditor,
  listCreditors,
  type CreditorInput,
} from '../../db/repositories/creditors.ts';
import { createKey, listKeys, revokeKey, type KeyRow } from '../../db/repositories/keys.ts';
import { requireAgency } from '../../db/repositories/placements.ts';
import { requirePolicyName } from '../../db/repositories/policies.ts';
import type { RetentionSetting } from '../../db/types.ts';
import { collectorFaults } from '../../domain/law/collector.ts';
import { PRESET_NAMES } from '../../domain/policy/presets.ts';
import { isoInstant, localDate as localDateAt } from '../../domain/time/zones.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf, requireReach } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import { presentCreditor } from '../present.ts';
import type { App } from '../routing.ts';
import {
  across,
  address,
  country,
  email,
  id,
  idParams,
  instant,
  isBefore,
  line,
  listQuery,
  locale,
  localDate,
  page,
  policyName,
  refusals,
  timeZone,
} from '../schemas/common.ts';
import { creditor, period, retentionSetting, ROLES } from '../schemas/resources.ts';
import { created, noContent, ok, write } from '../write.ts';

const iban = z
  .string()
  .transform((text) => text.replaceAll(' ', '').toUpperCase())
  .refine((text) => isValidIBAN(text), { error: 'is not an IBAN', params: { code: 'ibanInvalid' } })
  .meta({ example: 'FR7630006000011234567890189' });

const fields = {
  name: line(200),
  country,
  timeZone,
  locale,
  senderEmail: email,
  replyTo: email.nullish(),
  address: address.nullish(),
  registrationId: line(60).nullish(),
  vatId: line(30).nullish(),
  iban: iban.nullish(),
  defaultPolicy: policyName.nullish(),
  paymentDays: z.int().min(0).max(365).default(30),
  closedWeeks: z.array(period).max(30).default([]),
  replyHoldWorkingDays: z.int().min(0).max(60).default(3),
  paymentSentDays: z.int().min(0).max(60).default(7),
  retention: retentionSetting.optional(),
};

const closedWeeksEndAfterTheyBegin = across(({ closedWeeks }) =>
  (Array.isArray(closedWeeks) ? closedWeeks : []).flatMap((one: unknown, index) => {
    const { from, to } = (one ?? {}) as Record<string, unknown>;
    if (!isBefore(to, from)) return [];
    return [{ path: ['closedWeeks', index, 'to'], code: 'dateInvalid', message: 'lies before its beginning' }];
  }),
);

const creditorBody = z
  .strictObject(fields)
  .check(closedWeeksEndAfterTheyBegin)
  .meta({
    id: 'NewCreditor',
    example: {
      name: 'Atelier Ravel',
      country: 'FR',
      timeZone: 'Europe/Paris',
      locale: 'fr',
      senderEmail: 'compta@atelier-ravel.example',
      replyTo: 'compta@atelier-ravel.example',
      iban: 'FR7630006000011234567890189',
    },
  });

/** All that collecting for others takes (CPCE R124-2, R124-3); what is missing is named by the domain. */
const collectsFor = z
  .strictObject({
    principal: z.strictObject({ name: line(200), addressLines: z.array(line(200)).min(1).max(8) }).partial(),
    insurance: z.strictObject({ insurer: line(200), policyNumber: line(100), validUntil: localDate }).partial(),
    dedicatedIban: iban,
    declaration: z.strictObject({ court: line(200), declaredOn: localDate }).partial(),
    mandate: z
      .strictObject({
        signedOn: localDate,
        powerToReceive: z.boolean(),
        itemisedSums: z.boolean(),
        guarantee: z.boolean(),
        fee: z.boolean(),
        remittance: z.boolean(),
      })
      .partial(),
  })
  .partial()
  .meta({ id: 'CollectsForDraft' });

const creditorPatch = z
  .strictObject({
    ...fields,
    paymentDays: z.int().min(0).max(365),
    closedWeeks: z.array(period).max(30),
    replyHoldWorkingDays: z.int().min(0).max(60),
    paymentSentDays: z.int().min(0).max(60),
    defaultAgency: id('agy').nullable(),
    collectsFor: collectsFor.nullable().meta({
      description:
        'For whom it collects, with the full set of CPCE R124-2 and R124-3; anything missing: 422 ' +
        '`collectorSetIncomplete`. Null: it collects its own claims in its own name.',
    }),
  })
  .partial()
  .check(closedWeeksEndAfterTheyBegin);

const key = z
  .object({
    id: id('key'),
    name: z.string(),
    role: z.enum(ROLES),
    agencyId: id('agy').nullable(),
    createdAt: instant,
    revokedAt: instant.nullable(),
  })
  .meta({ id: 'Key' });

const newKey = z.object({ id: id('key'), name: z.string(), role: z.enum(ROLES), key: z.string() }).meta({
  id: 'NewKey',
  description: 'The key itself is shown this once.',
});

const keyBody = z
  .strictObject({ name: line(80), role: z.enum(ROLES), agencyId: id('agy').optional() })
  .check(
    across(({ role, agencyId }) => {
      if ((role === 'agency') === (agencyId !== undefined)) return [];
      const message = role === 'agency' ? 'is missing: whose key is it?' : 'is for keys of the role agency alone';
      return [{ path: ['agencyId'], code: 'agencyIdNotAllowed', message }];
    }),
  )
  .meta({ example: { name: 'accounting', role: 'operator' } });

/** Creditors and their keys: the business of the admin key. */
export async function creditorRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db } = deps;

  app.post(
    '/v1/creditors',
    {
      config: { access: 'admin', secretAnswer: true },
      schema: {
        operationId: 'createCreditor',
        tags: ['creditors'],
        summary: 'Add a creditor',
        description: 'The preset policies become its version 1; its first key, shown this once, is an approver.',
        body: creditorBody,
        response: { 201: creditor.extend({ apiKey: z.string() }).meta({ id: 'CreditorWithKey' }), ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const input = inputOf(request.body);
        if (input.defaultPolicy !== null && !(PRESET_NAMES as readonly string[]).includes(input.defaultPolicy)) {
          throw unknownPreset();
        }
        const creditorId = await createCreditor(tx, act, input);
        const first = await createKey(tx, act.at, { creditorId, name: 'first', role: 'approver' });
        const row = await findCreditor(tx, creditorId);
        return created({ ...presentCreditor(row!), apiKey: first.key });
      }),
  );

  app.get(
    '/v1/creditors',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'listCreditors',
        tags: ['creditors'],
        summary: 'List the creditors',
        querystring: listQuery,
        response: { 200: page(creditor), ...refusals },
      },
    },
    ({ query }) =>
      readPage(
        'creditors',
        query,
        (after, count) => listCreditors(db, after, count),
        (row) => row.seq,
        (rows) => rows.map(presentCreditor),
      ),
  );

  app.post(
    '/v1/creditors/:id/keys',
    {
      config: { access: 'keys', secretAnswer: true },
      schema: {
        operationId: 'createKey',
        tags: ['creditors'],
        summary: 'Make a key',
        description: 'A key of the role `agency` names the agency whose placements alone it reaches.',
        params: idParams('cre'),
        body: keyBody,
        response: { 201: newKey, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        requireReach(request, request.params.id);
        const { name, role, agencyId } = request.body;
        if (!(await findCreditor(tx, request.params.id))) throw notFound();
        if (agencyId !== undefined) await requireAgency(tx, request.params.id, agencyId);
        const made = await createKey(tx, act.at, {
          creditorId: request.params.id,
          name,
          role,
          agencyId: agencyId ?? null,
        });
        return created({ id: made.id, name, role, key: made.key });
      }),
  );

  app.get(
    '/v1/creditors/:id/keys',
    {
      config: { access: 'keys' },
      schema: {
        operationId: 'listKeys',
        tags: ['creditors'],
        summary: 'List the keys of a creditor',
        params: idParams('cre'),
        response: { 200: z.object({ data: z.array(key) }), ...refusals },
      },
    },
    async (request) => {
      const { params } = request;
      requireReach(request, params.id);
      if (!(await findCreditor(db, params.id))) throw notFound();
      return { data: (await listKeys(db, params.id)).map(presentKey) };
    },
  );

  app.delete(
    '/v1/creditors/:id/keys/:keyId',
    {
      config: { access: 'keys' },
      schema: {
        operationId: 'revokeKey',
        tags: ['creditors'],
        summary: 'End a key at once',
        params: idParams('cre').extend({ keyId: id('key') }),
        response: { 204: z.undefined().meta({ description: 'Ended' }), ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        requireReach(request, request.params.id);
        if (!(await revokeKey(tx, act.at, request.params.id, request.params.keyId))) throw notFound();
        return noContent();
      }),
  );

  app.get(
    '/v1/creditor',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getCreditor',
        tags: ['creditors'],
        summary: 'The creditor of the key',
        response: { 200: creditor, ...refusals },
      },
    },
    async (request) => presentCreditor((await findCreditor(db, callerOf(request).creditorId))!),
  );

  app.patch(
    '/v1/creditor',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'changeCreditor',
        tags: ['creditors'],
        summary: 'Change the creditor of the key',
        description:
          'What is left out stays; null empties. Open cases keep the policy they pinned. `retention`: days each kind of ' +
          'record is kept once the cases it is about are closed; null: for ever.',
        body: creditorPatch,
        response: { 200: creditor, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const changes = Object.fromEntries(Object.entries(request.body).filter(([, value]) => value !== undefined));
        if (typeof changes['defaultPolicy'] === 'string') {
          await requirePolicyName(tx, creditorId, changes['defaultPolicy'], '/defaultPolicy');
        }
        if (typeof changes['defaultAgency'] === 'string') {
          await requireAgency(tx, creditorId, changes['defaultAgency'], '/defaultAgency');
        }
        if (request.body.retention) {
          const before = (await findCreditor(tx, creditorId))!.retention;
          changes['retention'] = { ...before, ...given(request.body.retention) };
        }
        await requireCollectorSet(tx, act, creditorId, request.body);
        await changeCreditor(tx, creditorId, changes);
        return ok(presentCreditor((await findCreditor(tx, creditorId))!));
      }),
  );
}

/** Who collects for others has all that this takes, also after a change of the address. */
async function requireCollectorSet(
  tx: Tx,
  act: Act,
  creditorId: string,
  body: z.output<typeof creditorPatch>,
): Promise<void> {
  const before = (await findCreditor(tx, creditorId))!;
  const draft = body.collectsFor === undefined ? before.collects_for : body.collectsFor;
  if (draft === null || (body.collectsFor === undefined && body.address === undefined)) return;
  const address = body.address === undefined ? before.address : body.address;
  const faults = collectorFaults(draft, localDateAt(act.at, before.time_zone), address !== null);
  if (faults.length === 0) return;
  throw new Problem('collectorSetIncomplete', 'Collecting for others needs more than this.', { faults });
}

function inputOf(body: z.output<typeof creditorBody>): CreditorInput {
  return {
    ...body,
    replyTo: body.replyTo ?? null,
    address: body.address ?? null,
    registrationId: body.registrationId ?? null,
    vatId: body.vatId ?? null,
    iban: body.iban ?? null,
    defaultPolicy: body.defaultPolicy ?? null,
    retention: given(body.retention ?? {}),
  };
}

/** What was said, without what was left out. */
const given = (retention: z.output<typeof retentionSetting>): RetentionSetting =>
  Object.fromEntries(Object.entries(retention).filter(([, days]) => days !== undefined));

const presentKey = (row: KeyRow): z.input<typeof key> => ({
  id: row.id,
  name: row.name,
  role: row.role as z.input<typeof key>['role'],
  agencyId: row.agency_id,
  createdAt: isoInstant(row.created_at),
  revokedAt: row.revoked_at === null ? null : isoInstant(row.revoked_at),
});

function unknownPreset(): Problem {
  const message = `A new creditor has the presets: ${PRESET_NAMES.join(', ')}.`;
  return new Problem('unknownPolicy', message, {
    faults: [{ pointer: '/defaultPolicy', code: 'unknownPolicy', message }],
  });
}
