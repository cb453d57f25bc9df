import type { Selectable } from 'kysely';
import type { Decision, Proposal, UnappliedReason } from '../../domain/matching/types.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import type { Database, JsonObject } from '../types.ts';

export type DecisionRow = Selectable<Database['match_decisions']>;

/** Money whose decision is kept, and the version of the settings it was made under. */
export interface Decided {
  receiptId: string;
  creditorId: string;
  version: number;
}

/** Keeps why money went where it went, or, with the reason, why it waits for a person. Returns the decision's id. */
export async function recordDecision(
  tx: Tx,
  act: Act,
  money: Decided,
  decision: Decision,
  refused: UnappliedReason | null,
): Promise<bigint> {
  const applied = decision.kind === 'apply' && refused === null;
  const proposal = decision.kind === 'apply' ? decision.proposal : null;
  const { id } = await tx
    .insertInto('match_decisions')
    .values({
      creditor_id: money.creditorId,
      receipt_id: money.receiptId,
      outcome: applied ? 'applied' : 'review',
      rule: proposal?.rule ?? null,
      confidence: proposal?.confidence ?? null,
      reason: refused,
      proposal: proposal === null ? null : json(plain(proposal)),
      rivals: json(decision.rivals.map(plain)),
      payers: json(decision.payers),
      quoted: decision.quoted.map(({ invoiceId }) => invoiceId),
      settings_version: money.version,
      at: instant(act.at),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** The last decision about this money; `undefined` where no rule ever looked at it. */
export async function lastDecision(db: Db | Tx, receiptId: string): Promise<DecisionRow | undefined> {
  return await db
    .selectFrom('match_decisions')
    .selectAll()
    .where('receipt_id', '=', receiptId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** The numbers of these invoices, by id. */
export async function invoiceNumbers(db: Db | Tx, invoiceIds: Iterable<string>): Promise<Map<string, string>> {
  const ids = [...new Set(invoiceIds)];
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('invoices').select(['id', 'number']).where('id', 'in', ids).execute();
  return new Map(rows.map((row) => [row.id, row.number]));
}

/** Every invoice that a proposal speaks of. */
export const invoicesIn = (proposal: Proposal): string[] => [
  ...proposal.shares.map(({ invoiceId }) => invoiceId),
  ...proposal.evidence.flatMap((one) =>
    'invoiceId' in one ? [one.invoiceId] : one.kind === 'completedBy' ? one.invoiceIds : [],
  ),
];

/** Minor units as text, since JSON has no integers of that size. */
const plain = (value: unknown): JsonObject =>
  JSON.parse(
    JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? one.toString() : one)),
  ) as JsonObject;

/** A proposal as it was kept. */
export function proposalOf(kept: JsonObject): Proposal {
  return JSON.parse(JSON.stringify(kept), (name, value: unknown) =>
    name.endsWith('Minor') ? BigInt(value as string) : value,
  ) as Proposal;
}
