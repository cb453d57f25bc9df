import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import type { LightMyRequestResponse } from 'fastify';
import pino from 'pino';
import { Webhook } from 'standardwebhooks';
import { holidaysOf } from '../../activities/holidays.ts';
import { printBatch } from '../../activities/letters/index.ts';
import { createTemplateTexts, type RenderPdf } from '../../activities/template-texts.ts';
import { renderMessage } from '../../activities/mail/render.ts';
import { renderAgain } from '../../activities/render-again.ts';
import { buildApp } from '../../api/app.ts';
import type { ApiDeps, CaseCommands } from '../../api/deps.ts';
import { LOG_OPTIONS } from '../../api/plugins/request-log.ts';
import type { App } from '../../api/routing.ts';
import { systemAct } from '../../db/act.ts';
import { createDatabase, inTransaction, type Db } from '../../db/database.ts';
import { createAgency, newAgencyId } from '../../db/repositories/agencies.ts';
import { IntakeWriter } from '../../db/repositories/inbox.ts';
import { ensureKey } from '../../db/repositories/keys.ts';
import { createTestDatabase } from '../support/servers.ts';

/** Friday 20 November 2026, 10:00 in Paris. */
export const NOW = Date.parse('2026-11-20T09:00:00Z');

export const DELIVERY_SECRET = `whsec_${Buffer.from('delivery-secret-of-the-tests-000').toString('base64')}`;

/** Stands in for the printer of letters: says on "paper" what it was given. */
const printed: RenderPdf = ({ template, model, parts, letterhead }) =>
  Promise.resolve(Buffer.from(`%PDF-1.7\n${letterhead.country}\n${renderMessage(template, model, parts).text}`));

/** An API over a database of its own, without a port; cases are played by `commands`. */
export interface Harness {
  app: App;
  db: Db;
  adminKey: string;
  /** Moves the business clock. */
  setNow(at: number): void;
  /** Everything that was logged. */
  logs(): string;
  commands: { execute: CaseCommands['execute']; up: boolean };
  creditor(overrides?: Record<string, unknown>): Promise<TestCreditor>;
  call(
    key: string | null,
    method: Method,
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Reply>;
  stop(): Promise<void>;
}

export interface TestCreditor {
  id: string;
  approver: string;
  operator: string;
  /** A key of the creditor's one agency. */
  agency: string;
  agencyId: string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Reply {
  status: number;
  headers: LightMyRequestResponse['headers'];
  // What a body holds is what the tests are about.
  // oxlint-disable-next-line no-explicit-any
  body: any;
  raw: LightMyRequestResponse;
}

/** `url`: another database than a fresh one of its own, such as one that is not there. */
export async function startApi(config: Partial<ApiDeps['config']> = {}, max = 8, url?: string): Promise<Harness> {
  const database = await createTestDatabase();
  const db = createDatabase(url ?? database.url, { max });
  let now = NOW;
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString('utf8'));
      done();
    },
  });
  const commands: Harness['commands'] = {
    execute: () => Promise.resolve({ accepted: true, code: null }),
    up: true,
  };
  const adminKey = `adm_${randomBytes(24).toString('base64url')}`;
  if (url === undefined) await ensureKey(db, now, adminKey, { name: 'admin', role: 'admin' });
  const app = await buildApp({
    db,
    clock: { now: () => now, dayMs: 86_400_000 },
    commands: { execute: (command) => commands.execute(command), isUp: () => Promise.resolve(commands.up) },
    intake: new IntakeWriter(db),
    holidays: holidaysOf,
    texts: createTemplateTexts(printed),
    printer: printBatch,
    renderMessage: renderAgain,
    renderStatement: (document) => Buffer.from(`%PDF-1.7\n${document.currency} ${document.statement.closingMinor}`),
    renderVatCorrection: (document) => Buffer.from(`%PDF-1.7\n${document.invoice.number} ${document.relief.vatMinor}`),
    renderTimeline: (document) => Buffer.from(`%PDF-1.7\n${JSON.stringify(document)}`),
    logger: pino({ ...LOG_OPTIONS, level: 'trace' }, sink),
    config: {
      secretKey: Buffer.alloc(32, 7),
      deliveryWebhookSecret: DELIVERY_SECRET,
      rateLimitPerMinute: 1_000_000,
      trustProxy: false,
      metricsPublic: false,
      publicUrl: 'https://relance.example',
      ...config,
    },
  });
  await app.ready();

  const call: Harness['call'] = async (key, method, url, body, headers = {}) => {
    const raw = await app.inject({
      method,
      url,
      ...(body === undefined ? {} : { payload: body as object }),
      headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers },
    });
    const isJson = String(raw.headers['content-type'] ?? '').includes('json');
    return { status: raw.statusCode, headers: raw.headers, body: isJson ? raw.json() : raw.body, raw };
  };

  const creditor: Harness['creditor'] = async (overrides = {}) => {
    const made = await call(adminKey, 'POST', '/v1/creditors', {
      name: 'Atelier Ravel',
      country: 'FR',
      timeZone: 'Europe/Paris',
      locale: 'fr',
      senderEmail: 'compta@atelier.example',
      ...overrides,
    });
    if (made.status !== 201) throw new Error(`no creditor: ${JSON.stringify(made.body)}`);
    const key = async (role: string, more: object = {}): Promise<string> =>
      (await call(adminKey, 'POST', `/v1/creditors/${made.body.id}/keys`, { name: role, role, ...more })).body.key;
    // Not by the approver's key, whose requests a test may count.
    const agencyId = newAgencyId();
    await inTransaction(db, (tx) =>
      createAgency(tx, systemAct(now), {
        id: agencyId,
        creditorId: made.body.id,
        name: 'Recouvra',
        reference: null,
        feeText: null,
        email: null,
        address: null,
        deliverBy: 'download',
        webhookUrl: null,
        sealedSecret: null,
      }),
    );
    return {
      id: made.body.id,
      approver: made.body.apiKey,
      operator: await key('operator'),
      agency: await key('agency', { agencyId }),
      agencyId,
    };
  };

  return {
    app,
    db,
    adminKey,
    setNow: (at) => {
      now = at;
    },
    logs: () => lines.join(''),
    commands,
    creditor,
    call,
    stop: async () => {
      await app.close();
      await db.destroy();
      await database.drop();
    },
  };
}

let counter = 0;

/** The body of a new invoice, with a number of its own. */
export function invoiceBody(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  counter += 1;
  return {
    number: `INV-${counter}`,
    customer: { reference: `C-${counter}`, name: `Customer ${counter}`, kind: 'business', country: 'FR' },
    issuedOn: '2026-10-20',
    dueOn: '2026-11-19',
    amount: '1200.00',
    currency: 'EUR',
    ...overrides,
  };
}

/** Registers an invoice and returns it as answered. */
export async function newInvoice(h: Harness, key: string, overrides: Record<string, unknown> = {}) {
  const reply = await h.call(key, 'POST', '/v1/invoices', invoiceBody(overrides));
  if (reply.status !== 201) throw new Error(`no invoice: ${JSON.stringify(reply.body)}`);
  return reply.body;
}

/** Headers of a webhook signed by the library of the standard, an implementation that is not ours. */
export function signed(secret: string, id: string, body: string, at = new Date()): Record<string, string> {
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}
