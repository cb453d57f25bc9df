import { Webhook } from 'standardwebhooks';
import { webhookUrlFault } from '../../domain/agency/webhook-url.ts';
import type { Handing } from './notice.ts';

/** A receiver answers in this time or is asked again. */
const TIMEOUT_MS = 15_000;

/**
 * Posts a message, signed as Standard Webhooks says with each of the secrets, so that a receiver may exchange its own in
 * peace. No redirect is followed and nothing of the answer is read but its status: 2xx is taken, 410 is a receiver that
 * wants no more, everything else is tried again.
 */
export async function postWebhook(
  url: string,
  secrets: readonly string[],
  message: { id: string; body: string; realNow: Date },
): Promise<Handing> {
  if (webhookUrlFault(url) !== null) return { kind: 'refused', code: 'urlForbidden' };
  if (secrets.length === 0) return { kind: 'refused', code: 'noSecret' };
  const { id, body, realNow } = message;
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Relance',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(realNow.getTime() / 1000)),
        'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, realNow, body)).join(' '),
      },
      body,
    });
    await response.body?.cancel();
    if (response.ok) return { kind: 'told' };
    return { kind: response.status === 410 ? 'refused' : 'again', code: `http_${response.status}` };
  } catch (error) {
    return { kind: 'again', code: error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'noAnswer' };
  }
}
