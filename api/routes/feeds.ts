import type { FastifyRequest } from 'fastify';
import { isValidIBAN } from 'ibantools';
import { z } from 'zod';
import { createFeed, findFeed, listFeeds, newFeedId, rotateSecret, type FeedRow } from '../../db/repositories/feeds.ts';
import { isoInstant } from '../../domain/time/zones.ts';
import { readPage } from '../cursor.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound } from '../problem.ts';
import type { App } from '../routing.ts';
import { id, idParams, instant, line, listQuery, page, refusals } from '../schemas/common.ts';
import { newWebhookSecret, seal } from '../secrets.ts';
import { secretPurpose } from '../webhooks/standard.ts';
import { created, ok, write } from '../write.ts';

const secretText = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'is not whsec_ and the base64 of at least 24 bytes')
  .max(200);

const feedBody = z
  .strictObject({
    kind: z.literal('standard'),
    name: line(100),
    iban: z
      .string()
      .transform((text) => text.replaceAll(' ', '').toUpperCase())
      .refine((text) => isValidIBAN(text), { error: 'is not an IBAN', params: { code: 'ibanInvalid' } })
      .optional(),
    secret: secretText.optional().meta({ description: 'Where the sender gives it; else one is made.' }),
  })
  .meta({ example: { kind: 'standard', name: 'Main account', iban: 'FR7630006000011234567890189' } });

const feedOut = z
  .object({
    id: id('fee'),
    kind: z.string(),
    name: z.string(),
    iban: z.string().nullable(),
    webhookUrl: z.string(),
    createdAt: instant,
  })
  .meta({ id: 'Feed' });

const feedWithSecret = z
  .object({ id: id('fee'), webhookUrl: z.string(), secret: z.string() })
  .meta({ id: 'FeedSecret', description: 'The secret is shown this once.' });

/** Bank accounts that report by webhook. */
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
        body: feedBody,
        response: { 201: feedWithSecret, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { kind, name, iban = null, secret = newWebhookSecret() } = request.body;
        const feedId = newFeedId();
        await createFeed(tx, act, {
          id: feedId,
          creditorId: callerOf(request).creditorId,
          kind,
          name,
          iban,
          sealedSecret: seal(secret, secretPurpose(feedId), config.secretKey),
        });
        return created({ id: feedId, webhookUrl: webhookUrl(deps, request, feedId), secret });
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
        (rows) => rows.map((row) => presentFeed(row, webhookUrl(deps, request, row.id))),
      );
    },
  );

  app.post(
    '/v1/feeds/:id/rotate',
    {
      config: { access: 'approver', secretAnswer: true },
      schema: {
        operationId: 'rotateFeedSecret',
        tags: ['feeds'],
        summary: 'Make a new signing secret',
        description: 'The one before it keeps working until the next rotation.',
        params: idParams('fee'),
        response: { 200: feedWithSecret, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const { creditorId } = callerOf(request);
        const feedId = request.params.id;
        const secret = newWebhookSecret();
        const sealed = seal(secret, secretPurpose(feedId), config.secretKey);
        if (!(await rotateSecret(tx, act, creditorId, feedId, sealed))) throw notFound();
        const feed = (await findFeed(tx, feedId))!;
        return ok({ id: feed.id, webhookUrl: webhookUrl(deps, request, feed.id), secret });
      }),
  );
}

const presentFeed = (row: FeedRow, url: string): z.input<typeof feedOut> => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  iban: row.iban,
  webhookUrl: url,
  createdAt: isoInstant(row.created_at),
});

function webhookUrl({ config }: ApiDeps, request: FastifyRequest, feedId: string): string {
  const base = config.publicUrl?.replace(/\/+$/, '') ?? `${request.protocol}://${request.host}`;
  return `${base}/v1/webhooks/feeds/${feedId}`;
}
