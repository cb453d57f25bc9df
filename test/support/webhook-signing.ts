/** Signs bodies as the providers do, for tests. `at` is epoch milliseconds; headers are in lower case. */
import { createHmac } from 'node:crypto';
import Stripe from 'stripe';
import { Webhook } from 'standardwebhooks';

export type Signer = (body: Buffer, secret: string, at: number) => Record<string, string>;

const hex = (secret: string, ...parts: (string | Buffer)[]): string =>
  parts.reduce((hmac, part) => hmac.update(part), createHmac('sha256', secret)).digest('hex');

const seconds = (at: number): string => String(Math.floor(at / 1000));

export const signStandard: Signer = (body, secret, at) => ({
  'webhook-id': 'msg_1',
  'webhook-timestamp': seconds(at),
  'webhook-signature': new Webhook(secret).sign('msg_1', new Date(at), body.toString('utf8')),
});

export const signQonto: Signer = (body, secret, at) => ({
  'x-qonto-signature': `t=${seconds(at)},v1=${hex(secret, `${seconds(at)}.`, body)}`,
});

/** Bridge writes its hex in capitals. */
export const signBridge: Signer = (body, secret) => ({
  'bridgeapi-signature': `v1=${hex(secret, body).toUpperCase()}`,
});

export const signStripe: Signer = (body, secret, at) => ({
  'stripe-signature': Stripe.webhooks.generateTestHeaderString({
    payload: body.toString('utf8'),
    secret,
    timestamp: Math.floor(at / 1000),
  }),
});

export const signGoCardless: Signer = (body, secret) => ({ 'webhook-signature': hex(secret, body) });
