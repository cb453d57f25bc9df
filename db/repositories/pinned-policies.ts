import { parsePolicy } from '../../domain/policy/parse.ts';
import type { Policy } from '../../domain/policy/types.ts';
import type { Db, Tx } from '../database.ts';

const policies = new Map<string, Policy>();

const policyRefs = new WeakMap<object, { name: string; version: number }>();

/** Versions are never edited in place, so a parsed one is good for the life of the process. */
export async function pinnedPolicy(db: Db | Tx, creditorId: string, name: string, version: number): Promise<Policy> {
  const key = `${creditorId}/${name}/${version}`;
  const known = policies.get(key);
  if (known) return known;
  const row = await db
    .selectFrom('policies')
    .select('document')
    .where('creditor_id', '=', creditorId)
    .where('name', '=', name)
    .where('version', '=', version)
    .executeTakeFirstOrThrow();
  const policy = parsePolicy(row.document);
  if (policies.size > 5_000) policies.clear();
  policies.set(key, policy);
  policyRefs.set(policy, { name, version });
  return policy;
}

/** The version that a policy read by `pinnedPolicy` is; null for every other object. */
export const policyRefOf = (policy: object): { name: string; version: number } | null => policyRefs.get(policy) ?? null;
