import type { FastifyRequest } from 'fastify';
import { isValidIBAN } from 'ibantools';
import { z } from 'zod';
import type { Tx } from '../../db/database.ts';
import {
  changeCredentials,
  createFeed,
  deleteFeed,
  feedBacklog,
  findFeed,
  listFeeds,
  lockFeed,
  newFeedId,
  renameFeed,
  rotateSecret,
  type FeedBacklog,
  type FeedRow,
} from '../../db/repositories/feeds.ts';
import type { FeedKind } from '../../db/types.ts';
import {
  bridgeCredentials,
  credentialsOf,
  gocardlessCredentials,
} from '../../domain/statement/providers/credentials.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import { id, idParams, instant, line, listQuery, page, refusals } from '../schemas/common.ts';
import { credentialsPurpose, newWebhookSecret, seal, secretPurpose, unseal } from '../secrets.ts';
import { faultsOf } from '../validation.ts';
import { created, noContent, ok, write } from '../write.ts';

const KINDS = ['standard', 'qonto', 'bridge', 'stripe', 'gocardless', 'file'] as const satisfies readonly FeedKind[];

const iban = z
  .string()
  .transform((text) => text.replaceAll(' ', '').toUpperCase())
  .refine((text) => isValidIBAN(text), { error: 'is not an IBAN', params: { code: 'ibanInvalid' } })
  .optional();

const shownSecret = z
  .string()
  .regex(/^[\x21-\x7e]{8,200}$/, 'is not 8 to 200 printable ASCII characters without spaces');

/** The signing secret of each kind as its sender writes it; null where nobody sends. */
const SECRETS = {
  standard: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'is not whsec_ and the base64 of at least 24 bytes')
    .max(200),
  stripe: z.string().regex(/^whsec_[\x21-\x7e]{16,194}$/, 'is not a signing secret of Stripe, whsec_…'),
  qonto: shownSecret,
  bridge: shownSecret,
  gocardless: shownSecret,
  file: null,
} as const satisfies Record<FeedKind, z.ZodType | null>;

const secretLater = 'The provider gives it: now, or later by rotation.';
const bridgeAccess = bridgeCredentials.meta({
  id: 'BridgeCredentials',
  description: 'What Bridge is asked with; never shown again.',
});
const gocardlessAccess = gocardlessCredentials.meta({
  id: 'GoCardlessCredentials',
  description: 'What GoCardless is asked with; never shown again.',
});
const common = { name: line(100), iban };

const feedBody = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('standard'),
      ...common,
      secret: SECRETS.standard.optional().meta({ description: 'Where the sender gives it; else one is made.' }),
    }),
    z.strictObject({
      kind: z.literal('qonto'),
      ...common,
      secret: SECRETS.qonto.optional().meta({ description: secretLater }),
    }),
    z.strictObject({
      kind: z.literal('bridge'),
      ...common,
      secret: SECRETS.bridge.optional().meta({ description: secretLater }),
      credentials: bridgeAccess.optional(),
    }),
    z.strictObject({
      kind: z.literal('stripe'),
      ...common,
      secret: SECRETS.stripe.optional().meta({ description: secretLater }),
    }),
    z.strictObject({
      kind: z.literal('gocardless'),
      ...common,
      secret: SECRETS.gocardless.optional().meta({ description: secretLater }),
      credentials: gocardlessAccess.optional(),
    }),
    z.strictObject({ kind: z.literal('file'), ...common }),
  ])
  .meta({ id: 'NewFeed', example: { kind: 'standard', name: 'Main account', iban: 'FR7630006000011234567890189' } });

const feedPatch = z
  .strictObject({
    name: line(100).optional(),
    credentials: z.union([bridgeAccess, gocardlessAccess]).optional().meta({
      description:
        'Those of its kind; they replace the ones before, and what waits to be fetched is asked for at once.',
    }),
  })
  .meta({ example: { name: 'Main account' } });

const feedShape = {
  id: id('fee'),
  kind: z.enum(KINDS),
  name: z.string(),
  iban: z.string().nullable(),
  webhookUrl: z.string().nullable().meta({ description: 'Where its messages go; null for a feed of files.' }),
  missing: z
    .array(z.enum(['secret', 'credentials']))
    .meta({ description: 'What it cannot work without and does not have yet.' }),
  createdAt: instant,
};
const feedOut = z.object(feedShape).meta({ id: 'Feed' });

const feedDetails = z
  .object({
    ...feedShape,
    activeSecrets: z.int().meta({ description: 'Secrets that are taken: two while rotating.' }),
    pending: z.int().meta({ description: 'Messages and transactions that are about to be applied.' }),
    toFetch: z.int().meta({ description: 'Messages that only point at something; the provider is asked for it.' }),
    waiting: z.int().meta({ description: 'Returns that came before their payment.' }),
    lastMessageAt: instant.nullable(),
    fetching: z
      .object({ attempts: z.int(), errorCode: z.string().nullable(), notBefore: instant.nullable() })
      .nullable()
      .meta({ description: 'Where the provider was asked in vain: how often, why, and when it is asked again.' }),
  })
  .meta({ id: 'FeedDetails' });

const feedWithSecret = z
  .object({ id: id('fee'), webhookUrl: z.string().nullable(), secret: z.string().nullable() })
  .meta({
    id: 'FeedSecret',
    description: 'The signing secret of a standard feed is shown this once; null where the provider gives it.',
  });

/** Bank accounts and payment providers that report by webhook or by files. */
export async function feedRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db, config } = deps;

  app.post(
    '/v1/feeds',
    {
      config: { access: 'approver', secretAnswer: true },
      schema: {
        operationId: 'createFeed',
        tags: ['feeds'],
        summary: 'Add the feed of a bank account',
        description:
          'docs/feeds.md says for each kind which events to switch on, where its secret is found and what its credentials ' +
          'are. Secrets and credentials are stored encrypted.',
        body: feedBody,
        response: { 201: feedWithSecret, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { body } = request;
        const given = 'secret' in body ? body.secret : undefined;
        const secret = given ?? (body.kind === 'standard' ? newWebhookSecret() : null);
        const credentials = 'credentials' in body ? body.credentials : undefined;
        const feedId = newFeedId();
        await createFeed(tx, act, {
          id: feedId,
          creditorId: callerOf(request).creditorId,
          kind: body.kind,
          name: body.name,
          iban: body.iban ?? null,
          sealedSecret: secret === null ? null : seal(secret, secretPurpose(feedId), config.secretKey),
          sealedCredentials: credentials === undefined ? null : sealCredentials(deps, feedId, credentials),
        });
        return created(withSecret(deps, request, { id: feedId, kind: body.kind }, secret));
      }),
  );

  app.get(
    '/v1/feeds',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'listFeeds',
        tags: ['feeds'],
        summary: 'List feeds, newest first',
        querystring: listQuery,
        response: { 200: page(feedOut), ...refusals },
      },
    },
    (request) => {
      const { creditorId } = callerOf(request);
      return readPage(
        'feeds',
        request.query,
        (after, count) => listFeeds(db, creditorId, after, count),
        (row) => row.seq,
        (rows) => rows.map((row) => presentFeed(row, webhookUrl(deps, request, row))),
      );
    },
  );

  app.get(
    '/v1/feeds/:id',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'getFeed',
        tags: ['feeds'],
        summary: 'A feed and what of it is not done yet',
        params: idParams('fee'),
        response: { 200: feedDetails, ...refusals },
      },
    },
    async (request) => {
      const feed = await findFeed(db, request.params.id);
      if (feed?.creditor_id !== callerOf(request).creditorId) throw notFound();
      return presentDetails(feed, webhookUrl(deps, request, feed), await feedBacklog(db, feed));
    },
  );

  app.patch(
    '/v1/feeds/:id',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'changeFeed',
        tags: ['feeds'],
        summary: 'Rename a feed or give it new credentials',
        params: idParams('fee'),
        body: feedPatch,
        response: { 200: feedOut, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx) => {
        const feed = await ownFeed(tx, request);
        const { name, credentials } = request.body;
        if (name !== undefined) await renameFeed(tx, feed.id, name);
        if (credentials !== undefined) {
          requireCredentials(feed.kind, credentials);
          const sealed = sealCredentials(deps, feed.id, credentials);
          await changeCredentials(tx, feed.id, sealed, isOtherAccount(deps, feed, credentials));
        }
        const changed = (await findFeed(tx, feed.id))!;
        return ok(presentFeed(changed, webhookUrl(deps, request, changed)));
      }),
  );

  app.delete(
    '/v1/feeds/:id',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'deleteFeed',
        tags: ['feeds'],
        summary: 'End a feed',
        description:
          'Its webhooks are refused from now on, and its secrets and credentials are forgotten. What it brought stays and ' +
          'is applied; what the provider would still have to be asked for (`toFetch`) is dropped.',
        params: idParams('fee'),
        response: { 204: z.undefined().meta({ description: 'Ended' }), ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        await deleteFeed(tx, act, await ownFeed(tx, request));
        return noContent();
      }),
  );

  app.post(
    '/v1/feeds/:id/rotate',
    {
      config: { access: 'approver', secretAnswer: true },
      schema: {
        operationId: 'rotateFeedSecret',
        tags: ['feeds'],
        summary: 'Take a new signing secret',
        description:
          'The one before it keeps working until the next rotation. Where the provider gives the secret, `secret` is ' +
          'required; a standard feed gets a new one where it is left out. The newest one again changes nothing.',
        params: idParams('fee'),
        body: z.strictObject({ secret: z.string().max(200).optional() }),
        response: { 200: feedWithSecret, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const feed = await ownFeed(tx, request);
        const secret = nextSecret(feed.kind, request.body.secret);
        const newest = feed.secrets[0];
        const known = newest && unseal(newest.sealed, secretPurpose(feed.id), config.secretKey);
        if (known !== secret) await rotateSecret(tx, act, feed, seal(secret, secretPurpose(feed.id), config.secretKey));
        return ok(withSecret(deps, request, feed, secret));
      }),
  );
}

async function ownFeed(tx: Tx, request: FastifyRequest<{ Params: { id: string } }>): Promise<FeedRow> {
  const feed = await lockFeed(tx, callerOf(request).creditorId, request.params.id);
  if (!feed) throw notFound();
  return feed;
}

/** The secret that a rotation brings, checked against the form of its kind. */
function nextSecret(kind: FeedKind, given: string | undefined): string {
  const form = SECRETS[kind];
  if (form === null) throw new Problem('feedHasNoWebhook', 'A feed of files has nobody who signs.');
  if (given === undefined && kind === 'standard') return newWebhookSecret();
  const parsed = form.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = faultsOf(parsed.error.issues, ['secret']);
  throw new Problem('validationFailed', `/secret: ${faults[0]!.message}`, { faults });
}

/** Credentials of another kind of feed would never be used. */
function requireCredentials(kind: FeedKind, credentials: unknown): void {
  const form = credentialsOf(kind);
  if (form === null) {
    const message = `A feed of the kind ${kind} is never asked.`;
    throw new Problem('validationFailed', message, {
      faults: [{ pointer: '/credentials', code: 'unknownField', message }],
    });
  }
  const parsed = form.safeParse(credentials);
  if (parsed.success) return;
  const faults = faultsOf(parsed.error.issues, ['credentials']);
  throw new Problem('validationFailed', `${faults[0]!.pointer}: ${faults[0]!.message}`, { faults });
}

/** Bridge's list of another account is another list, of which nothing was read. */
function isOtherAccount({ config }: ApiDeps, feed: FeedRow, credentials: object): boolean {
  if (feed.kind !== 'bridge' || feed.credentials === null) return false;
  const before = bridgeCredentials.safeParse(
    JSON.parse(unseal(feed.credentials, credentialsPurpose(feed.id), config.secretKey)),
  );
  return !before.success || !('accountId' in credentials) || before.data.accountId !== credentials.accountId;
}

const sealCredentials = ({ config }: ApiDeps, feedId: string, credentials: object): string =>
  seal(JSON.stringify(credentials), credentialsPurpose(feedId), config.secretKey);

const withSecret = (
  deps: ApiDeps,
  request: FastifyRequest,
  feed: Pick<FeedRow, 'id' | 'kind'>,
  secret: string | null,
): z.input<typeof feedWithSecret> => ({
  id: feed.id,
  webhookUrl: webhookUrl(deps, request, feed),
  secret: feed.kind === 'standard' ? secret : null,
});

const presentFeed = (row: FeedRow, url: string | null): z.input<typeof feedOut> => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  iban: row.iban,
  webhookUrl: url,
  missing: [
    ...(row.kind !== 'file' && row.secrets.length === 0 ? (['secret'] as const) : []),
    ...(credentialsOf(row.kind) !== null && row.credentials === null ? (['credentials'] as const) : []),
  ],
  createdAt: isoInstant(row.created_at),
});

const presentDetails = (row: FeedRow, url: string | null, backlog: FeedBacklog): z.input<typeof feedDetails> => ({
  ...presentFeed(row, url),
  activeSecrets: row.secrets.length,
  pending: backlog.pending,
  toFetch: backlog.toFetch,
  waiting: backlog.waiting,
  lastMessageAt: backlog.lastMessageAt === null ? null : isoInstant(backlog.lastMessageAt),
  fetching:
    backlog.attempts === 0
      ? null
      : {
          attempts: backlog.attempts,
          errorCode: backlog.errorCode,
          notBefore: backlog.notBefore === null ? null : isoInstant(backlog.notBefore),
        },
});

function webhookUrl({ config }: ApiDeps, request: FastifyRequest, feed: Pick<FeedRow, 'id' | 'kind'>): string | null {
  if (feed.kind === 'file') return null;
  const base = config.publicUrl?.replace(/\/+$/, '') ?? `${request.protocol}://${request.host}`;
  return `${base}/v1/webhooks/feeds/${feed.id}`;
}
