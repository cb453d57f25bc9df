import { createHash, randomBytes } from 'node:crypto';
import { sql, type Selectable } from 'kysely';
import type { Instant } from '../../domain/time/zones.ts';
import { instant, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database, Role } from '../types.ts';

export type KeyRow = Omit<Selectable<Database['api_keys']>, 'hash'>;

const SHOWN = ['id', 'creditor_id', 'name', 'role', 'agency_id', 'created_at', 'revoked_at'] as const;

/** A new key: `rel_` and 256 random bits. Too many to guess, so a fast hash is enough to keep it by. */
export function newKey(): string {
  return `rel_${randomBytes(32).toString('base64url')}`;
}

/** What is stored of a key. Looking a key up by its hash tells nothing about near misses, whatever the time it takes. */
export function hashKey(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest();
}

/** Makes a key of a creditor, or of an agency of it, and returns it with its text, which is stored nowhere. */
export async function createKey(
  tx: Tx,
  at: Instant,
  input: { creditorId: string; name: string; role: Exclude<Role, 'admin'>; agencyId?: string | null },
): Promise<{ id: string; key: string }> {
  const id = newId('key');
  const key = newKey();
  await tx
    .insertInto('api_keys')
    .values({
      id,
      creditor_id: input.creditorId,
      name: input.name,
      role: input.role,
      agency_id: input.agencyId ?? null,
      hash: hashKey(key),
      created_at: instant(at),
    })
    .execute();
  return { id, key };
}

/** Makes a key of a known text valid, once; used for keys that an operator chose (settings, the local stack). */
export async function ensureKey(
  db: Db | Tx,
  at: Instant,
  key: string,
  input: { creditorId: string; name: string; role: Exclude<Role, 'admin'> } | { name: string; role: 'admin' },
): Promise<void> {
  await db
    .insertInto('api_keys')
    .values({
      id: newId('key'),
      creditor_id: input.role === 'admin' ? null : input.creditorId,
      name: input.name,
      role: input.role,
      hash: hashKey(key),
      created_at: instant(at),
    })
    .onConflict((conflict) => conflict.column('hash').doNothing())
    .execute();
}

/** The key of this text unless it was revoked. */
export async function findKey(db: Db, key: string): Promise<KeyRow | undefined> {
  return await db
    .selectFrom('api_keys')
    .select(SHOWN)
    .where('hash', '=', hashKey(key))
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
}

export async function listKeys(db: Db, creditorId: string): Promise<KeyRow[]> {
  return await db
    .selectFrom('api_keys')
    .select(SHOWN)
    .where('creditor_id', '=', creditorId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

/** Ends a key at once; false when the creditor has no such key. */
export async function revokeKey(tx: Tx, at: Instant, creditorId: string, keyId: string): Promise<boolean> {
  const row = await tx
    .updateTable('api_keys')
    .set({ revoked_at: sql<Date>`coalesce(revoked_at, ${instant(at)})` })
    .where('creditor_id', '=', creditorId)
    .where('id', '=', keyId)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}
