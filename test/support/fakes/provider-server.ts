import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong with a request instead of its answer. */
export type Fault =
  | { kind: 'status'; status: number; headers?: Record<string, string> }
  /** 200 with something that is no JSON object. */
  | { kind: 'notJson' }
  /** The connection is cut before an answer. */
  | { kind: 'drop' }
  /** No answer ever. */
  | { kind: 'hang' };

export interface FakeRequest {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  /** Parsed JSON, undefined where there is none. */
  body: unknown;
}

/** The answer to a request: 200 with this value, or another status. */
export type FakeAnswer = { status: number; value: unknown; headers?: Record<string, string> };

export interface FakeServer {
  url: string;
  /** Every request that came, those that failed among them. */
  requests: FakeRequest[];
  /** The next requests fail so, one after the other. */
  failNext: (...faults: Fault[]) => void;
  stop: () => Promise<void>;
}

/** An HTTP server on a free port of this machine that answers by `answer` and fails on demand. */
export async function startFakeServer(answer: (request: FakeRequest) => FakeAnswer): Promise<FakeServer> {
  const requests: FakeRequest[] = [];
  const faults: Fault[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const request: FakeRequest = {
        method: incoming.method ?? '',
        url: new URL(incoming.url ?? '/', 'http://127.0.0.1'),
        headers: incoming.headers,
        body: text === '' ? undefined : JSON.parse(text),
      };
      requests.push(request);
      const fault = faults.shift();
      if (fault) fail(response, fault);
      else send(response, answer(request));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    failNext: (...more) => void faults.push(...more),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, { status, value, headers = {} }: FakeAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

function fail(response: ServerResponse, fault: Fault): void {
  if (fault.kind === 'drop') response.destroy();
  else if (fault.kind === 'notJson') response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>');
  else if (fault.kind === 'status') {
    response
      .writeHead(fault.status, fault.headers ?? {})
      .end('{"errors":[{"message":"secret words of the provider"}]}');
  }
}
