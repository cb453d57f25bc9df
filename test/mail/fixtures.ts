import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { MailMessage } from '../../activities/mail/resend-client.ts';
import { createMailServer, type MailServer, type MailServerOptions } from '../../scripts/mail-server/server.ts';

export const KEY = 're_test_key';
export const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes ...').toString('base64')}`;

/** A folder that is gone when the test is. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'relance mail '));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function startMailServer(
  options: Partial<MailServerOptions> = {},
): Promise<{ url: string; server: MailServer }> {
  const server = await createMailServer({ dataFolder: temporaryFolder(), apiKeys: [KEY], ...options });
  const url = await server.listen();
  onTestFinished(() => server.close().catch(() => undefined));
  return { url, server };
}

/** Switches faults of a running mail server. */
export async function plan(url: string, faults: unknown): Promise<void> {
  const response = await post(`${url}/_faults`, faults, {});
  if (!response.ok) throw new Error(`The faults were refused: ${await response.text()}`);
}

export function post(url: string, body: unknown, headers: Record<string, string>): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

export interface MailRow {
  id: string;
  to: string[];
  subject: string;
  tags: { name: string; value: string }[];
  attachments: { filename: string; size: number }[];
  last_event: string;
}

/** The mails accepted so far, newest first, read without a key. */
export async function mailsOf(url: string, query = 'limit=100'): Promise<MailRow[]> {
  const list = (await (await fetch(`${url}/emails?${query}`)).json()) as { data: MailRow[] };
  return list.data;
}

export function message(change: Partial<MailMessage> = {}): MailMessage {
  return {
    from: 'Ateliers Duvallon <relance@duvallon.example>',
    to: ['canary.person@debtor.example'],
    cc: [],
    replyTo: 'compta@duvallon.example',
    subject: 'Rappel [R-7K3F2A]',
    html: '<p>Bonjour</p>',
    text: 'Bonjour',
    tags: [
      { name: 'contact', value: 'con_1' },
      { name: 'kind', value: 'reminder' },
    ],
    attachments: [],
    headers: { 'X-Entity-Ref-ID': 'con_1' },
    ...change,
  };
}

export interface Received {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** An endpoint that keeps what it gets and answers with the statuses given, the last one from then on. */
export async function startReceiver(statuses: number[] = [204]): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const status = statuses[Math.min(received.length, statuses.length - 1)]!;
      received.push({ headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}
