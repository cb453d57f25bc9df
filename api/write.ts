import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Act } from '../db/act.ts';
import { inTransaction, sqlState, type Tx } from '../db/database.ts';
import { attempt, claimKey, storeAnswer, type StoredAnswer } from '../db/repositories/idempotency.ts';
import type { ApiDeps } from './deps.ts';
import { SpooledBody } from './plugins/bodies.ts';
import { Problem, toProblemAnswer, type ProblemAnswer } from './problem.ts';
import { seal, unseal } from './secrets.ts';

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** The reply itself, which handlers return; no schema of an answer describes it, so to the type checker it is none. */
export type Sent = never;

export const created = (body: unknown): Answer => ({ status: 201, body });
export const ok = (body: unknown): Answer => ({ status: 200, body });
export const noContent = (): Answer => ({ status: 204 });

/**
 * Carries a writing request out in one transaction and answers it. With an `Idempotency-Key` the answer, a refusal too,
 * is stored in that same transaction: either both the work and its answer are there or neither, whenever the process
 * dies. What a 5xx would have answered is not stored.
 */
export async function write(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (tx: Tx, act: Act) => Promise<Answer>,
): Promise<Sent> {
  const use = idempotencyOf(request);
  const result = await inTransaction(deps.db, async (tx): Promise<Answer | { refused: unknown }> => {
    const act: Act = { actor: actorOf(request), at: deps.clock.now() };
    if (!use) return await work(tx, act);
    const claim = await claimKey(tx, use.owner, use.key, use.hash);
    if (claim.state === 'reused') throw reused();
    if (claim.state === 'running') throw new Problem('requestRunning', 'Wait for its answer, then send it again.');
    if (claim.state === 'done') return replayed(open(claim.answer, use, deps));
    return await keepAnswer(tx, use, deps, request, () => work(tx, act));
  });
  if ('refused' in result) throw result.refused;
  return send(reply, result);
}

/** The header, the owner of its keys and what the request asks; `null` without the header. */
export interface IdempotencyUse {
  owner: string;
  key: string;
  hash: Buffer;
}

export function idempotencyOf(request: FastifyRequest): IdempotencyUse | null {
  const header = request.headers['idempotency-key'];
  if (header === undefined || request.method !== 'POST') return null;
  const key = Array.isArray(header) ? header.join(',') : header;
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new Problem('idempotencyKeyInvalid', 'An idempotency key is 1 to 255 printable ASCII characters.');
  }
  // An agency's keys are its own: it must not be answered what its creditor or another agency was.
  const owner = request.caller?.agencyId ?? request.caller?.creditorId ?? 'admin';
  const hash = createHash('sha256').update(`${request.method} ${request.url}\0`);
  if (request.body instanceof SpooledBody)
    hash
      .update(request.headers['content-type'] ?? '')
      .update('\0')
      .update(request.body.sha256);
  else if (Buffer.isBuffer(request.body))
    hash
      .update(request.headers['content-type'] ?? '')
      .update('\0')
      .update(request.body);
  else hash.update(canonical(request.body));
  return { owner, key, hash: hash.digest() };
}

export const actorOf = (request: FastifyRequest): string => request.caller?.actor ?? 'system';

export const reused = (): Problem =>
  new Problem('idempotencyKeyReused', 'The key was sent with another request before; take a new one.');

export function replayed(answer: StoredAnswer): Answer {
  return { ...answer, headers: { ...answer.headers, 'idempotency-replayed': 'true' } };
}

export function send(reply: FastifyReply, answer: Answer): Sent {
  reply.code(answer.status).headers(answer.headers ?? {});
  if (answer.status === 204) return reply.send() as Sent;
  if (answer.status >= 400) {
    return reply.type('application/problem+json; charset=utf-8').send(JSON.stringify(answer.body)) as Sent;
  }
  return reply.send(answer.body) as Sent;
}

/** A refusal as it is stored. */
export const storedRefusal = (answer: ProblemAnswer): StoredAnswer => ({
  status: answer.status,
  headers: answer.headers,
  body: answer.body,
});

async function keepAnswer(
  tx: Tx,
  use: IdempotencyUse,
  deps: ApiDeps,
  request: FastifyRequest,
  work: () => Promise<Answer>,
): Promise<Answer | { refused: unknown }> {
  const result = await attempt(tx, work);
  if ('failed' in result) {
    const refusal = toProblemAnswer(result.failed);
    if (refusal.status >= 500 || sqlState(result.failed) !== null) throw result.failed;
    // The refusal is remembered; what led up to it is undone.
    await storeAnswer(tx, use.owner, use.key, use.hash, storedRefusal(refusal));
    return { refused: result.failed };
  }
  const answer = result.done;
  const stored: StoredAnswer = { status: answer.status, headers: answer.headers ?? {}, body: answer.body };
  const isSecret = request.routeOptions.config.secretAnswer === true;
  await storeAnswer(tx, use.owner, use.key, use.hash, isSecret ? close(stored, use, deps) : stored);
  return answer;
}

const purposeOf = (use: IdempotencyUse): string => `answer:${use.owner}:${use.key}`;

function close(answer: StoredAnswer, use: IdempotencyUse, deps: ApiDeps): StoredAnswer {
  return { ...answer, body: { sealed: seal(JSON.stringify(answer.body), purposeOf(use), deps.config.secretKey) } };
}

function open(answer: StoredAnswer, use: IdempotencyUse, deps: ApiDeps): StoredAnswer {
  const sealed = (answer.body as { sealed?: unknown } | null)?.sealed;
  if (typeof sealed !== 'string') return answer;
  return { ...answer, body: JSON.parse(unseal(sealed, purposeOf(use), deps.config.secretKey)) };
}

/** The same content gives the same text, in whatever order its names came. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}
