import type { FastifyInstance, FastifyRequest } from 'fastify';
import { findKey } from '../../db/repositories/keys.ts';
import type { Role } from '../../db/types.ts';
import type { ApiDeps } from '../deps.ts';
import { notFound, Problem } from '../problem.ts';

/**
 * Who may use a route. `operator`: operators and approvers. `approver`: approvers alone. `admin`: the admin key alone.
 * `keys`: the admin key, and approvers for their own creditor. `agency`: operators, approvers, and an agency for what is
 * placed with it. `signed`: no key, the body proves itself. `open`: anybody.
 */
export type Access = 'operator' | 'approver' | 'admin' | 'keys' | 'agency' | 'signed' | 'open';

/** The key behind a request, and the person behind the key where one is named. */
export interface Caller {
  keyId: string;
  role: Role;
  /** `null` for the admin key. */
  creditorId: string | null;
  /** Of an agency's key: it reaches nothing but what is placed with that agency. */
  agencyId: string | null;
  /** What goes into events: `KEYNAME` or `KEYNAME (person)`. */
  actor: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    access?: Access;
    /** The answer holds a secret: where it has to be stored it is stored encrypted. */
    secretAnswer?: boolean;
  }
}

const ALLOWED: Readonly<Record<Access, readonly Role[]>> = {
  operator: ['operator', 'approver'],
  approver: ['approver'],
  admin: ['admin'],
  keys: ['admin', 'approver'],
  agency: ['operator', 'approver', 'agency'],
  signed: [],
  open: [],
};

/** Knows every caller before anything of the body is read. */
export function registerAuth(app: FastifyInstance, { db }: ApiDeps): void {
  app.decorateRequest('caller', null);

  // A route nobody thought about would be open: there is none.
  app.addHook('onRoute', (route) => {
    if (route.url.startsWith('/v1') && !route.config?.access) {
      throw new Error(`${String(route.method)} ${route.url} does not say who may use it.`);
    }
  });

  app.addHook('onRequest', async (request, reply) => {
    const access = request.routeOptions.config.access;
    if (!access || ALLOWED[access].length === 0) return;
    const key = bearerOf(request);
    const row = key === null ? undefined : await findKey(db, key);
    if (!row) {
      reply.header('www-authenticate', 'Bearer');
      throw new Problem('unauthorized', 'Send a valid key as "Authorization: Bearer KEY".');
    }
    request.caller = {
      keyId: row.id,
      role: row.role,
      creditorId: row.creditor_id,
      agencyId: row.agency_id,
      actor: actorOf(row.name, request.headers['relance-actor']),
    };
    // A key of an agency that does not say which reaches nothing.
    if (!ALLOWED[access].includes(row.role) || (row.role === 'agency' && row.agency_id === null)) {
      throw new Problem('forbidden', `This takes a key with the role ${ALLOWED[access].join(' or ')}.`);
    }
  });
}

/** The caller of a route that needs a creditor's key. */
export function callerOf(request: FastifyRequest): Caller & { creditorId: string } {
  const { caller } = request;
  if (!caller || caller.creditorId === null) throw new Error('The route lets callers in that have no creditor.');
  return { ...caller, creditorId: caller.creditorId };
}

/** A creditor in the path that is not the caller's own is one that does not exist; the admin key knows all. */
export function requireReach(request: FastifyRequest, creditorId: string): void {
  const own = request.caller?.creditorId ?? null;
  if (own !== null && own !== creditorId) throw notFound();
}

const MAX_KEY = 200;

function bearerOf(request: FastifyRequest): string | null {
  const [, key = ''] = /^Bearer +([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '') ?? [];
  return key === '' || key.length > MAX_KEY ? null : key;
}

const MAX_ACTOR = 80;
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

function actorOf(keyName: string, header: string | string[] | undefined): string {
  if (header === undefined || header === '') return keyName;
  // Header bytes arrive as Latin-1; a name with accents was most likely sent as UTF-8.
  const raw = Array.isArray(header) ? header.join(', ') : header;
  const bytes = Buffer.from(raw, 'latin1');
  const utf8 = bytes.toString('utf8');
  const person = (utf8.includes('\ufffd') ? raw : utf8).trim();
  if (person.length === 0 || person.length > MAX_ACTOR || UNPRINTABLE.test(person)) {
    throw new Problem('actorInvalid', `Relance-Actor is a line of 1 to ${MAX_ACTOR} characters.`);
  }
  return `${keyName} (${person})`;
}
