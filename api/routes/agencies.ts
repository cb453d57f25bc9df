import { z } from 'zod';
import {
  addAgencySecret,
  agencyInputOf,
  changeAgency,
  closeAgency,
  createAgency,
  findAgency,
  listAgencies,
  lockAgency,
  newAgencyId,
  type AgencyInput,
  type AgencyRow,
} from '../../db/repositories/agencies.ts';
import { findReceipt } from '../../db/repositories/receipt-list.ts';
import { heldByAgencies, recordRemittance } from '../../db/repositories/remittances.ts';
import { webhookUrlFault } from '../../domain/agency/webhook-url.ts';
import { formatAmount } from '../../domain/money.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import {
  address,
  amount,
  amountOut,
  currency,
  email,
  id,
  idParams,
  instant,
  line,
  listQuery,
  localDate,
  page,
  refusals,
} from '../schemas/common.ts';
import { agencySecretPurpose, newWebhookSecret, seal } from '../secrets.ts';
import { positiveAmount } from '../validation.ts';
import { created, ok, write } from '../write.ts';

const DELIVERIES = ['download', 'email', 'webhook'] as const;

const webhookUrl = z
  .string()
  .max(2000)
  .check((payload) => {
    const fault = webhookUrlFault(payload.value);
    if (fault === null) return;
    payload.issues.push({
      code: 'custom',
      message: fault,
      params: { code: 'webhookUrlInvalid' },
      input: payload.value,
    });
  })
  .meta({ example: 'https://agency.example/relance', description: 'https; http on the machine itself alone.' });

const fields = {
  name: line(200),
  reference: line(100).nullish().meta({ description: 'What the agency knows the creditor by.' }),
  feeText: line(500).nullish().meta({ description: 'What it costs, in words.' }),
  email: email.nullish(),
  address: address.nullish(),
  deliverBy: z.enum(DELIVERIES),
  webhookUrl: webhookUrl.nullish(),
};

const agencyBody = z.strictObject(fields).meta({
  id: 'NewAgency',
  example: {
    name: 'Recouvra',
    reference: 'K-4711',
    feeText: '12 % of what is collected',
    email: 'dossiers@recouvra.example',
    deliverBy: 'webhook',
    webhookUrl: 'https://recouvra.example/relance',
  },
});

const agencyPatch = z
  .strictObject({ ...fields, closed: z.boolean() })
  .partial()
  .meta({ example: { closed: true } });

const agencyOut = z
  .object({
    id: id('agy'),
    name: z.string(),
    reference: z.string().nullable(),
    feeText: z.string().nullable(),
    email: email.nullable(),
    address: address.nullable(),
    deliverBy: z.enum(DELIVERIES),
    webhookUrl: z.string().nullable(),
    held: z
      .array(z.object({ amount: amountOut, currency }))
      .meta({ description: 'What it reported as collected and has not sent on.' }),
    createdAt: instant,
    closedAt: instant.nullable(),
  })
  .meta({ id: 'Agency' });

const agencyWithSecret = agencyOut.extend({ secret: z.string().optional() }).meta({
  id: 'AgencyWithSecret',
  description: 'The signing secret of its webhooks is shown this once, where one was made.',
});

const remittanceOut = z
  .object({ id: id('rem'), agencyId: id('agy'), receiptId: id('rec'), amount: amountOut, currency, on: localDate })
  .meta({ id: 'AgencyRemittance' });

/** Collection agencies of the creditor. */
export async function agencyRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db, config } = deps;

  app.post(
    '/v1/agencies',
    {
      config: { access: 'approver', secretAnswer: true },
      schema: {
        operationId: 'createAgency',
        tags: ['agencies'],
        summary: 'Add a collection agency',
        description:
          '`deliverBy` says how it gets the file of a case and what happens to it: by `download` it looks for itself, by ' +
          '`email` needs `email`, by `webhook` needs `webhookUrl`; the signing secret is shown this once.',
        body: agencyBody,
        response: { 201: agencyWithSecret, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const input = inputOf(request.body);
        requireWay(input);
        const agencyId = newAgencyId();
        const secret = input.deliverBy === 'webhook' ? newWebhookSecret() : null;
        await createAgency(tx, act, {
          ...input,
          id: agencyId,
          creditorId,
          sealedSecret: secret === null ? null : seal(secret, agencySecretPurpose(agencyId), config.secretKey),
        });
        const row = (await findAgency(tx, creditorId, agencyId))!;
        return created({ ...presentAgency(row, undefined), ...(secret === null ? {} : { secret }) });
      }),
  );

  app.get(
    '/v1/agencies',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listAgencies',
        tags: ['agencies'],
        summary: 'List agencies, newest first',
        querystring: listQuery,
        response: { 200: page(agencyOut), ...refusals },
      },
    },
    (request) =>
      readPage(
        'agencies',
        request.query,
        (after, count) => listAgencies(db, callerOf(request).creditorId, after, count),
        (row) => row.seq,
        async (rows) => {
          const held = await heldByAgencies(
            db,
            rows.map((row) => row.id),
          );
          return rows.map((row) => presentAgency(row, held.get(row.id)));
        },
      ),
  );

  app.get(
    '/v1/agencies/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getAgency',
        tags: ['agencies'],
        summary: 'An agency',
        params: idParams('agy'),
        response: { 200: agencyOut, ...refusals },
      },
    },
    async (request) => {
      const row = await findAgency(db, callerOf(request).creditorId, request.params.id);
      if (!row) throw notFound();
      return presentAgency(row, (await heldByAgencies(db, [row.id])).get(row.id));
    },
  );

  app.patch(
    '/v1/agencies/:id',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'changeAgency',
        tags: ['agencies'],
        summary: 'Change or close an agency',
        description:
          'What is left out stays; null empties. A closed agency gets no new case and is no default any more; what it has ' +
          'stays with it until it is recalled. The first change to `webhook` answers with a signing secret.',
        params: idParams('agy'),
        body: agencyPatch,
        response: { 200: agencyWithSecret, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const before = await lockAgency(tx, creditorId, request.params.id);
        if (!before) throw notFound();
        const { closed, ...said } = request.body;
        const changes = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
        const input: AgencyInput = { ...agencyInputOf(before), ...changes };
        requireWay(input);
        await changeAgency(tx, before.id, input);
        if (closed !== undefined) await closeAgency(tx, act, before, closed);
        const secret = input.deliverBy === 'webhook' && before.secrets.length === 0 ? newWebhookSecret() : null;
        if (secret !== null) {
          await addAgencySecret(tx, act, before, seal(secret, agencySecretPurpose(before.id), config.secretKey));
        }
        const row = (await findAgency(tx, creditorId, before.id))!;
        const held = (await heldByAgencies(tx, [row.id])).get(row.id);
        return ok({ ...presentAgency(row, held), ...(secret === null ? {} : { secret }) });
      }),
  );

  app.post(
    '/v1/agencies/:id/rotate',
    {
      config: { access: 'approver', secretAnswer: true },
      schema: {
        operationId: 'rotateAgencySecret',
        tags: ['agencies'],
        summary: 'Make a new signing secret',
        description: 'Webhooks are signed with the one before it too, until the next rotation.',
        params: idParams('agy'),
        response: { 200: agencyWithSecret, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const row = await lockAgency(tx, creditorId, request.params.id);
        if (!row) throw notFound();
        const secret = newWebhookSecret();
        await addAgencySecret(tx, act, row, seal(secret, agencySecretPurpose(row.id), config.secretKey));
        const held = (await heldByAgencies(tx, [row.id])).get(row.id);
        return ok({ ...presentAgency(row, held), secret });
      }),
  );

  app.post(
    '/v1/agencies/:id/remittances',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'recordRemittance',
        tags: ['agencies'],
        summary: 'Money at the bank that an agency has sent on',
        description:
          'Unapplied money of the receipt settles what the agency reported as collected; the invoices were paid by those ' +
          'reports already. Above what it still holds: 422 `exceedsCollected`.',
        params: idParams('agy'),
        body: z
          .strictObject({ receiptId: id('rec'), amount })
          .meta({ example: { receiptId: 'rec_01jd3k8x7v5r2m9t4w6y0b1c2d', amount: '880.00' } }),
        response: { 201: remittanceOut, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const { receiptId, amount: text } = request.body;
        const receipt = await findReceipt(tx, creditorId, receiptId);
        if (!receipt || !(await findAgency(tx, creditorId, request.params.id))) throw notFound();
        const { id, agencyId, amountMinor, currency, on } = await recordRemittance(tx, act, creditorId, {
          agencyId: request.params.id,
          receiptId,
          amountMinor: positiveAmount('/amount', text, receipt.currency),
        });
        return created({ id, agencyId, receiptId, amount: formatAmount(amountMinor, currency), currency, on });
      }),
  );
}

function inputOf(body: z.output<typeof agencyBody>): AgencyInput {
  return {
    name: body.name,
    reference: body.reference ?? null,
    feeText: body.feeText ?? null,
    email: body.email ?? null,
    address: body.address ?? null,
    deliverBy: body.deliverBy,
    webhookUrl: body.webhookUrl ?? null,
  };
}

/** Judged on what the agency will be, since a change may come in two requests. */
function requireWay({ deliverBy, email, webhookUrl }: AgencyInput): void {
  const missing =
    deliverBy === 'email' && email === null
      ? 'email'
      : deliverBy === 'webhook' && webhookUrl === null
        ? 'webhookUrl'
        : null;
  if (missing === null) return;
  const message = `An agency that is told by ${deliverBy} needs it.`;
  throw new Problem('validationFailed', message, { faults: [{ pointer: `/${missing}`, code: 'required', message }] });
}

const presentAgency = (row: AgencyRow, held: ReadonlyMap<string, bigint> | undefined): z.input<typeof agencyOut> => ({
  id: row.id,
  name: row.name,
  reference: row.reference,
  feeText: row.fee_text,
  email: row.email,
  address: row.address,
  deliverBy: row.deliver_by,
  webhookUrl: row.webhook_url,
  held: [...(held ?? [])].map(([currency, minor]) => ({ amount: formatAmount(minor, currency), currency })),
  createdAt: isoInstant(row.created_at),
  closedAt: row.closed_at === null ? null : isoInstant(row.closed_at),
});
