import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem, toProblemAnswer } from '../problem.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The methods of every route, by its pattern. */
    routeTable: ReadonlyMap<string, ReadonlySet<string>>;
  }
}

/** Every refusal leaves as problem details; what broke is logged without what the client sent. */
export function registerErrors(app: FastifyInstance): void {
  const routes = new Map<string, Set<string>>();
  app.decorate('routeTable', routes);
  app.addHook('onRoute', ({ url, method }) => {
    const methods = routes.get(url) ?? new Set<string>();
    for (const one of [method].flat()) methods.add(one);
    routes.set(url, methods);
  });

  app.setErrorHandler((error: FastifyError, request, reply) => answerWith(error, request, reply));

  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = methodsOf(path, routes);
    if (allowed.length === 0) return answerWith(new Problem('notFound', 'There is no such resource.'), request, reply);
    const allow = { allow: allowed.join(', ') };
    return answerWith(
      new Problem('methodNotAllowed', `Here one can ${allow.allow}.`, { headers: allow }),
      request,
      reply,
    );
  });
}

export function answerWith(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = toProblemAnswer(error);
  if (answer.status >= 500) request.log.error({ err: withoutContent(error) }, 'request failed');
  return reply
    .code(answer.status)
    .headers(answer.headers)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(answer.body));
}

/**
 * What of an error may be logged. Messages and details of PostgreSQL quote values, so only its code, the names it gives
 * and the way through our code are kept.
 */
export function withoutContent(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, constraint, table } = error as unknown as Record<string, unknown>;
  const frames = (error.stack ?? '').split('\n').filter((text) => /^\s+at /.test(text));
  return {
    type: error.name,
    code,
    constraint,
    table,
    stack: frames.join('\n'),
    ...(error.cause instanceof Error ? { cause: withoutContent(error.cause) } : {}),
  };
}

function methodsOf(path: string, routes: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const methods = new Set<string>();
  for (const [pattern, ofPattern] of routes) {
    if (pattern.includes('*')) continue;
    const expression = pattern
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]+' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)))
      .join('/');
    if (new RegExp(`^${expression}$`).test(path)) for (const method of ofPattern) methods.add(method);
  }
  return [...methods].sort();
}
