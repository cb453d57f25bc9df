import type { FeedKind } from '../../db/types.ts';
import { dataKeyOf } from '../../domain/statement/standard-webhook.ts';
import { verifyBridge } from './bridge.ts';
import { verifyGoCardless } from './gocardless.ts';
import { verifyQonto } from './qonto.ts';
import type { IncomingMessage, VerifyAndSplit, WebhookHeaders } from './signed.ts';
import { verifyStandard } from './standard.ts';
import { verifyStripe } from './stripe.ts';

/** Any bank that speaks Standard Webhooks: one message, its own id and what it is about. */
const verifyGeneric: VerifyAndSplit = (body, headers, secrets, realNow) => {
  const webhookId = verifyStandard(body, headers, secrets, realNow);
  return webhookId === null ? null : [{ webhookId, dataKey: dataKeyOf(body), body }];
};

const VERIFIERS: Readonly<Record<Exclude<FeedKind, 'file'>, VerifyAndSplit>> = {
  standard: verifyGeneric,
  qonto: verifyQonto,
  bridge: verifyBridge,
  stripe: verifyStripe,
  gocardless: verifyGoCardless,
};

/**
 * Checks a webhook on the bytes as they came and takes it apart into the messages to keep. Null when nothing proves the
 * sender, and for a feed of files, to which nobody sends; an empty list when a proven sender said nothing. A body that is
 * proven but cannot be read is one message under its hash. Never throws.
 * @param secrets the active ones: each is good; an empty one proves nothing
 * @param realNow epoch milliseconds by the real clock
 */
export function verifyAndSplit(
  kind: FeedKind,
  body: Buffer,
  headers: WebhookHeaders,
  secrets: readonly string[],
  realNow: number,
): IncomingMessage[] | null {
  if (kind === 'file') return null;
  // Anybody can sign with a key that is empty.
  const usable = secrets.filter((secret) => !/^(?:whsec_)?\s*$/.test(secret));
  return VERIFIERS[kind](body, headers, usable, realNow);
}
