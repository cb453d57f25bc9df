import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { runCli } from '../../scripts/cli/run.ts';

/** A request as the fake API heard it. */
export interface Heard {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** What it answers: a status and a JSON body, or a connection that breaks. */
export type Answer = JsonAnswer | 'break';

export interface JsonAnswer {
  status?: number;
  body: unknown;
  headers?: Record<string, string>;
}

export interface FakeApi {
  url: string;
  port: number;
  heard: Heard[];
  close(): Promise<void>;
}

/** An API that answers what the test says. */
export async function fakeApi(answer: (heard: Heard) => Answer, port = 0): Promise<FakeApi> {
  const heard: Heard[] = [];
  const server: Server = createServer((request, response) => {
    void (async () => {
      const one = await hear(request);
      heard.push(one);
      say(answer(one), request, response);
    })();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const at = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${at}`,
    port: at,
    heard,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function hear(request: IncomingMessage): Promise<Heard> {
  const url = new URL(request.url ?? '/', 'http://fake');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return {
    method: request.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    body: Buffer.concat(chunks),
  };
}

function say(answer: Answer, request: IncomingMessage, response: ServerResponse): void {
  if (answer === 'break') {
    request.socket.destroy();
    return;
  }
  response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
  response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
}

export const problem = (
  status: number,
  code: string,
  title: string,
  detail: string,
  errors: object[] = [],
): JsonAnswer => ({
  status,
  body: { type: `/errors#${code}`, title, status, detail, code, errors },
  headers: { 'content-type': 'application/problem+json' },
});

export interface Ran {
  exitCode: number;
  out: string;
  err: string;
}

/** Runs a command line in this process. */
export async function run(
  argv: string[],
  env: Record<string, string> = {},
  { patienceMs = 5_000, tty = false }: { patienceMs?: number; tty?: boolean } = {},
): Promise<Ran> {
  const said = { out: '', err: '' };
  const stream = (which: 'out' | 'err') => {
    const pass = new PassThrough();
    pass.on('data', (chunk: Buffer) => {
      said[which] += chunk.toString();
    });
    return Object.assign(pass, tty ? { isTTY: true, columns: 100 } : {});
  };
  const exitCode = await runCli(argv, { env, out: stream('out'), err: stream('err'), patienceMs });
  await new Promise((resolve) => setImmediate(resolve));
  return { exitCode, ...said };
}

/** The environment that leads to a fake API. */
export const towards = (api: FakeApi): Record<string, string> => ({ RELANCE_URL: api.url, RELANCE_API_KEY: 'key-1' });
