import { createHmac, randomBytes } from 'node:crypto';
import type { Ready } from './server.ts';

/** A prepared request: the bytes to be written, and what identifies it. */
export interface Prepared {
  bytes: Buffer;
  webhookId: string;
}

/** `count` signed webhooks over all feeds in turn, each a transaction of its own, as bytes of HTTP/1.1. */
export function prepare(feeds: Ready['feeds'], count: number): Prepared[] {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const run = randomBytes(6).toString('hex');
  return Array.from({ length: count }, (_, index) => {
    const feed = feeds[index % feeds.length]!;
    const webhookId = `msg_${run}_${index}`;
    const body = JSON.stringify({
      type: 'transaction.booked',
      timestamp: new Date().toISOString(),
      data: {
        id: `tx-${run}-${index}`,
        bookedOn: '2026-02-02',
        amount: `${100 + (index % 900)}.00`,
        currency: 'EUR',
        direction: 'credit',
        counterparty: { name: 'Maison Exemple', iban: 'FR7630006000011234567890189' },
        remittance: `Invoice F-${index}`,
        endToEndId: `E2E-${index}`,
      },
    });
    const key = Buffer.from(feed.secret.slice('whsec_'.length), 'base64');
    const signature = createHmac('sha256', key).update(`${webhookId}.${timestamp}.${body}`).digest('base64');
    const head = [
      `POST /v1/webhooks/feeds/${feed.id} HTTP/1.1`,
      'host: localhost',
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      `webhook-id: ${webhookId}`,
      `webhook-timestamp: ${timestamp}`,
      `webhook-signature: v1,${signature}`,
    ];
    return { bytes: Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`), webhookId };
  });
}
