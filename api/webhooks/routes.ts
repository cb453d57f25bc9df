import { z } from 'zod';
import { inTransaction } from '../../db/database.ts';
import { recordDelivery, type DeliveryStatus } from '../../db/repositories/deliveries.ts';
import { findFeed } from '../../db/repositories/feeds.ts';
import { DomainError } from '../../domain/errors.ts';
import { verifyDelivery, type DeliveryEvent } from './delivery.ts';
import { verifyAndSplit } from './providers.ts';
import type { ApiDeps } from '../deps.ts';
import { JSON_LIMIT, takeRaw } from '../plugins/bodies.ts';
import { Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import { refusals } from '../schemas/common.ts';
import { secretPurpose, unseal } from '../secrets.ts';

/** The same answer for a wrong signature and for a feed that does not exist: neither tells which feeds there are. */
const notSigned = (): Problem => new Problem('signatureInvalid', 'The webhook does not prove who sent it.');

const accepted = z.undefined().meta({ description: 'It is on disk' });

/** What banks and the mail provider tell us. No key: the body proves itself by its signature. */
export async function webhookRoutes(app: App, deps: ApiDeps): Promise<void> {
  await app.register(async (scope) => {
    // Signatures are over the bytes as they came, whatever they claim to be.
    takeRaw(scope, ['*'], JSON_LIMIT);

    (scope as App).post(
      '/v1/webhooks/feeds/:feedId',
      {
        config: { access: 'signed' },
        schema: {
          operationId: 'bankWebhook',
          tags: ['feeds'],
          summary: 'A bank reports a transaction',
          description:
            'Signed as the sender of the feed signs: by Standard Webhooks (`webhook-id`, `webhook-timestamp`, ' +
            '`webhook-signature`), Qonto, Bridge, Stripe or GoCardless; where the time is signed, five minutes of real ' +
            'time. 204 once all it holds is on disk; a repeat is 204 and changes nothing; a body that is signed but ' +
            'cannot be read is kept and becomes a task.',
          security: [],
          params: z.object({ feedId: z.string().max(100) }),
          response: { 204: accepted, ...refusals },
        },
      },
      async (request, reply) => {
        const body = bytesOf(request.body);
        const feed = /^fee_[0-9a-z]{26}$/.test(request.params.feedId)
          ? await findFeed(deps.db, request.params.feedId)
          : undefined;
        // A feed that is not there is checked against no secret, so it takes the same way.
        const secrets = (feed?.secrets ?? []).map(({ sealed }) =>
          unseal(sealed, secretPurpose(feed!.id), deps.config.secretKey),
        );
        const messages = verifyAndSplit(feed?.kind ?? 'standard', body, request.headers, secrets, Date.now());
        if (!feed || messages === null) throw notSigned();
        const receivedAt = deps.clock.now();
        await Promise.all(
          messages.map((message) =>
            deps.intake.write({ feedId: feed.id, creditorId: feed.creditor_id, receivedAt, ...message }),
          ),
        );
        return reply.code(204).send();
      },
    );

    (scope as App).post(
      '/v1/webhooks/resend',
      {
        config: { access: 'signed' },
        schema: {
          operationId: 'deliveryWebhook',
          tags: ['contacts'],
          summary: 'The mail provider reports what became of a mail',
          description: 'Signed by Svix (`svix-id`, `svix-timestamp`, `svix-signature`). Each event counts once.',
          security: [],
          response: { 204: accepted, ...refusals },
        },
      },
      async (request, reply) => {
        const secret = deps.config.deliveryWebhookSecret;
        if (secret === undefined) throw notSigned();
        const received = verified(bytesOf(request.body), request.headers, secret);
        if (received && received.event.providerId !== null && received.event.status !== 'other') {
          const { id, event } = received;
          await inTransaction(deps.db, (tx) =>
            recordDelivery(
              tx,
              { actor: 'system', at: deps.clock.now() },
              {
                eventId: id,
                providerId: event.providerId!,
                contactTag: event.contactTag,
                ...(event.agencyMessage === undefined ? {} : { agencyMessage: event.agencyMessage }),
                status: statusOf(event),
              },
            ),
          );
        }
        return reply.code(204).send();
      },
    );
  });
}

/** The event, `null` for a signed body that holds none: there is nothing to do, and a repeat would not change that. */
function verified(
  body: Buffer,
  headers: Parameters<typeof verifyDelivery>[1],
  secret: string,
): ReturnType<typeof verifyDelivery> | null {
  try {
    return verifyDelivery(body, headers, [secret]);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    if (error.code === 'webhookUnreadable') return null;
    throw notSigned();
  }
}

/** A mailbox that was only busy did not get the mail, but is no dead address. */
const statusOf = (event: DeliveryEvent): DeliveryStatus =>
  event.status === 'bounced' && event.bounce === 'transient' ? 'failed' : event.status;

const bytesOf = (body: unknown): Buffer => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));
