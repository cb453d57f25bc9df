import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { json, type Db, type Tx } from '../database.ts';

/** What a first request was answered with. */
export interface StoredAnswer {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

export type Claim =
  /** Nobody used the key yet. */
  | { state: 'fresh' }
  /** The same request is being carried out at this moment by somebody else. */
  | { state: 'running' }
  /** A command was handed over under this key and its outcome is not stored yet. */
  | { state: 'begun' }
  /** The key was used for another request. */
  | { state: 'reused' }
  | { state: 'done'; answer: StoredAnswer };

/**
 * Takes an owner's key for this transaction. The lock is the transaction's, so a request that died holds nothing: its
 * work and its claim are undone together, and the next one with the key starts afresh.
 */
export async function claimKey(tx: Tx, owner: string, key: string, requestHash: Buffer): Promise<Claim> {
  const { rows } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${`idempotency:${owner}:${key}`}, 0)) as taken`.execute(tx);
  const row = await tx
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('owner', '=', owner)
    .where('key', '=', key)
    .executeTakeFirst();
  if (row && !row.request_hash.equals(requestHash)) return { state: 'reused' };
  if (row?.state === 'done') {
    return {
      state: 'done',
      answer: { status: row.status ?? 200, headers: (row.headers ?? {}) as Record<string, string>, body: row.body },
    };
  }
  if (!rows[0]?.taken) return { state: 'running' };
  return { state: row ? 'begun' : 'fresh' };
}

/** Notes that a command was handed over under this key; its answer follows. */
export async function beginCommand(tx: Tx, owner: string, key: string, requestHash: Buffer): Promise<void> {
  await tx
    .insertInto('idempotency_keys')
    .values({ owner, key, request_hash: requestHash, state: 'running' })
    .onConflict((conflict) => conflict.columns(['owner', 'key']).doNothing())
    .execute();
}

/** Keeps the answer, in the transaction of the work it reports. The first answer stays. */
export async function storeAnswer(
  db: Db | Tx,
  owner: string,
  key: string,
  requestHash: Buffer,
  answer: StoredAnswer,
): Promise<void> {
  const kept = {
    state: 'done' as const,
    status: answer.status,
    headers: json(answer.headers),
    body: answer.body === undefined ? null : json(answer.body),
  };
  await db
    .insertInto('idempotency_keys')
    .values({ owner, key, request_hash: requestHash, ...kept })
    .onConflict((conflict) =>
      conflict.columns(['owner', 'key']).doUpdateSet(kept).where('idempotency_keys.state', '=', 'running'),
    )
    .execute();
}

/**
 * Forgets answers older than that many real hours, except where their creditor says how long (`retention.ts` forgets
 * those); returns how many.
 */
export async function forgetAnswers(db: Db, olderThanHours: number): Promise<number> {
  const result = await db
    .deleteFrom('idempotency_keys as k')
    .where('k.recorded_at', '<', sql<number>`clock_timestamp() - make_interval(hours => ${olderThanHours})`)
    .where(
      sql<boolean>`not exists (select 1 from creditors c where c.id = k.owner and c.retention ? 'idempotencyKeys')`,
    )
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

/** Runs `work`; where it throws, everything it wrote is undone and the transaction goes on as if it had not begun. */
export async function attempt<T>(tx: Tx, work: () => Promise<T>): Promise<{ done: T } | { failed: unknown }> {
  await sql`savepoint attempt`.execute(tx);
  try {
    return { done: await work() };
  } catch (error) {
    await sql`rollback to savepoint attempt`.execute(tx);
    return { failed: error };
  }
}

/** The id of the command that this key of this owner stands for: always the same, and it says nothing about the key. */
export function commandIdOf(owner: string, key: string): string {
  const digest = createHash('sha256').update(`${owner}\0${key}`).digest();
  let value = BigInt(`0x${digest.toString('hex')}`);
  let text = '';
  for (; text.length < 26; value >>= 5n) text += '0123456789abcdefghjkmnpqrstvwxyz'[Number(value & 31n)];
  return `cmd_${text}`;
}
