import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { parsePolicy, policyDocument } from '../../domain/policy/parse.ts';
import { presetFor, PRESET_NAMES, PRESETS } from '../../domain/policy/presets.ts';
import type { CustomerKind, Policy, PolicyRef } from '../../domain/policy/types.ts';
import type { Instant } from '../../domain/time/zones.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';

export interface StoredPolicy {
  name: string;
  version: number;
  policy: Policy;
  createdAt: Instant;
  createdBy: string;
}

/** Gives a new creditor every preset as version 1. */
export async function installPresets(tx: Tx, act: Act, creditorId: string): Promise<void> {
  await tx
    .insertInto('policies')
    .values(
      PRESET_NAMES.map((name) => ({
        creditor_id: creditorId,
        name,
        version: 1,
        document: json(policyDocument(parsePolicy(PRESETS[name]))),
        created_at: instant(act.at),
        created_by: act.actor,
      })),
    )
    .execute();
}

/** Stores the policy as the next version of its name. Versions are never changed; open cases keep theirs. */
export async function putPolicy(tx: Tx, act: Act, creditorId: string, policy: Policy): Promise<StoredPolicy> {
  // Two writers of one name take turns, so that each gets a version of its own.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`policy:${creditorId}:${policy.name}`}, 0))`.execute(tx);
  const row = await tx
    .insertInto('policies')
    .values((eb) => ({
      creditor_id: creditorId,
      name: policy.name,
      version: eb
        .selectFrom('policies')
        .select(sql<number>`coalesce(max(version), 0) + 1`.as('next'))
        .where('creditor_id', '=', creditorId)
        .where('name', '=', policy.name),
      document: json(policyDocument(policy)),
      created_at: instant(act.at),
      created_by: act.actor,
    }))
    .returning('version')
    .executeTakeFirstOrThrow();
  return { name: policy.name, version: row.version, policy, createdAt: act.at, createdBy: act.actor };
}

/** A version of a policy, the newest when none is named. */
export async function findPolicy(
  db: Db | Tx,
  creditorId: string,
  name: string,
  version: number | null = null,
): Promise<StoredPolicy | undefined> {
  const row = await db
    .selectFrom('policies')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('name', '=', name)
    .$if(version !== null, (query) => query.where('version', '=', version))
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && stored(row);
}

/** The newest version of every policy, by name, behind the name `after`. */
export async function listPolicies(
  db: Db,
  creditorId: string,
  after: string | null,
  count: number,
): Promise<StoredPolicy[]> {
  const rows = await db
    .selectFrom('policies')
    .distinctOn('name')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .$if(after !== null, (query) => query.where('name', '>', after))
    .orderBy('name')
    .orderBy('version', 'desc')
    .limit(count)
    .execute();
  return rows.map(stored);
}

/** The newest version of each name of a creditor: what new cases pin. */
export async function newestPolicies(db: Db | Tx, creditorId: string): Promise<Map<string, StoredPolicy>> {
  const rows = await db
    .selectFrom('policies')
    .distinctOn('name')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .orderBy('name')
    .orderBy('version', 'desc')
    .execute();
  return new Map(rows.map((row) => [row.name, stored(row)]));
}

/** Who may name a policy for an invoice, in this order (api.md): the invoice, its customer, the creditor, the presets. */
export interface PolicyChoice {
  own: string | null;
  customer: string | null;
  creditorDefault: string | null;
  country: string;
  kind: CustomerKind;
}

/**
 * The policy an invoice pins, out of the creditor's newest versions. Throws `unknownPolicy` when the name that counts is
 * none of the creditor's, `noPolicy` when nothing names one and no preset fits the customer's country and kind.
 */
export function choosePolicy(newest: ReadonlyMap<string, StoredPolicy>, choice: PolicyChoice): StoredPolicy {
  const named = choice.own ?? choice.customer ?? choice.creditorDefault;
  const name = named ?? presetFor(choice.country, choice.kind);
  if (name === null) {
    throw new DomainError(
      'noPolicy',
      'No preset fits the customer’s country and kind: name a policy on the invoice, the customer or the creditor.',
    );
  }
  const found = newest.get(name);
  if (!found) {
    const message = 'There is no policy of that name.';
    const faults = choice.own === null ? [] : [{ pointer: '/policy', code: 'unknownPolicy', message }];
    throw new DomainError('unknownPolicy', message, faults);
  }
  return found;
}

/** Refuses the name of a policy the creditor does not have: `unknownPolicy`. */
export async function requirePolicyName(db: Db | Tx, creditorId: string, name: string, at: string): Promise<void> {
  if (await findPolicy(db, creditorId, name)) return;
  const message = 'There is no policy of that name.';
  throw new DomainError('unknownPolicy', message, [{ pointer: at, code: 'unknownPolicy', message }]);
}

export const refOf = (policy: StoredPolicy): PolicyRef => ({ name: policy.name, version: policy.version });

interface Row {
  name: string;
  version: number;
  document: unknown;
  created_at: number;
  created_by: string;
}

/** What is stored was valid when it came in; it is read by the same rules, which also fills in newer defaults. */
const stored = (row: Row): StoredPolicy => ({
  name: row.name,
  version: row.version,
  policy: parsePolicy(row.document),
  createdAt: row.created_at,
  createdBy: row.created_by,
});
