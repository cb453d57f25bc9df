import { isUtf8 } from 'node:buffer';
import { createHash, randomUUID } from 'node:crypto';
import { Socket } from 'node:net';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { Problem } from '../problem.ts';

/** Bytes of a JSON body. */
export const JSON_LIMIT = 1_048_576;
/** Bytes of an import or another file. */
export const FILE_LIMIT = 20_971_520;
/** Bytes of a bank's file: a year of a busy account. */
export const STATEMENT_LIMIT = 536_870_912;
/** Bytes of an invoice's PDF. */
export const PDF_LIMIT = 10_485_760;

/** JSON is the one body that routes take by default; others name theirs with `takeRaw`. */
export function registerBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    // Node would put U+FFFD where bytes are wrong, and two different bodies would become one.
    if (!isUtf8(body)) return done(new Problem('invalidUtf8', 'The body holds bytes that are not UTF-8.'));
    void parse(request, body.toString('utf8'), (error, value) =>
      error ? done(new Problem('malformedJson', 'The body is not JSON.')) : done(null, value),
    );
  });
}

/** Within this scope bodies of these types arrive as bytes, and nothing else is taken. */
export function takeRaw(scope: FastifyInstance, types: readonly string[], limit: number): void {
  scope.removeAllContentTypeParsers();
  for (const type of types) {
    scope.addContentTypeParser<Buffer>(type, { parseAs: 'buffer', bodyLimit: limit }, (_request, body, done) =>
      done(null, body),
    );
  }
}

/** A body that is too large to be held: on the disk for as long as its request or the work with it lasts. */
export class SpooledBody {
  readonly sha256: Buffer;
  readonly size: number;
  private readonly path: string;
  private inUse = false;

  constructor(path: string, sha256: Buffer, size: number) {
    this.path = path;
    this.sha256 = sha256;
    this.size = size;
  }

  /** Work with the file is done to its end, also when whoever sent it has gone: they ask again, and it is there. */
  async use<T>(work: (path: string) => Promise<T>): Promise<T> {
    this.inUse = true;
    try {
      return await work(this.path);
    } finally {
      this.inUse = false;
      await this.forget();
    }
  }

  async forget(): Promise<void> {
    if (!this.inUse) await rm(this.path, { force: true });
  }
}

/** Within this scope bodies of these types arrive as files (`SpooledBody`), and nothing else is taken. */
export function takeSpooled(scope: FastifyInstance, types: readonly string[], limit: number): void {
  scope.removeAllContentTypeParsers();
  const forget = async (request: FastifyRequest): Promise<void> => {
    if (request.body instanceof SpooledBody) await request.body.forget();
  };
  for (const type of types) {
    scope.addContentTypeParser(
      type,
      { bodyLimit: limit },
      async (request: FastifyRequest, payload: IncomingMessage) => {
        const path = join(tmpdir(), `relance-${randomUUID()}.body`);
        const hash = createHash('sha256');
        let size = 0;
        const counted = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
          for await (const chunk of source) {
            size += chunk.length;
            if (size > limit) throw new Problem('payloadTooLarge', 'The body is larger than is taken here.');
            hash.update(chunk);
            yield chunk;
          }
        };
        try {
          await pipeline(payload, counted, createWriteStream(path, { mode: 0o600 }));
        } catch (error) {
          await rm(path, { force: true });
          throw error;
        }
        // Nothing is sent either way while such a file is read, which takes minutes; that is not an idle connection.
        if (request.raw.socket instanceof Socket) request.raw.socket.setTimeout(0);
        return new SpooledBody(path, hash.digest(), size);
      },
    );
  }
  scope.addHook('onResponse', (request) => forget(request));
  scope.addHook('onRequestAbort', (request) => forget(request));
}
