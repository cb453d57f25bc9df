import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { Problem } from '../problem.ts';

/** Bytes of a JSON body. */
export const JSON_LIMIT = 1_048_576;
/** Bytes of an import or another file. */
export const FILE_LIMIT = 20_971_520;
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
