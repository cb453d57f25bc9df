import type { Selectable } from 'kysely';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Address, Database, DeliverBy } from '../types.ts';
import type { StoredSecret } from './feeds.ts';

/** A collection agency or bailiff of a creditor. `secrets`: what its webhooks are signed with, sealed, newest first. */
export type AgencyRow = Omit<Selectable<Database['agencies']>, 'secrets'> & { secrets: StoredSecret[] };

/** What is said of an agency; `null` is "none". */
export interface AgencyInput {
  name: string;
  reference: string | null;
  feeText: string | null;
  email: string | null;
  address: Address | null;
  deliverBy: DeliverBy;
  webhookUrl: string | null;
}

/** Secrets that sign at the same time: the one before is good until the next rotation. */
const ACTIVE_SECRETS = 2;

export const newAgencyId = (): string => newId('agy');

/** Adds an agency. The id is the caller's, since the secret is bound to it. */
export async function createAgency(
  tx: Tx,
  act: Act,
  agency: AgencyInput & { id: string; creditorId: string; sealedSecret: string | null },
): Promise<void> {
  const secrets: StoredSecret[] =
    agency.sealedSecret === null ? [] : [{ sealed: agency.sealedSecret, createdAt: act.at }];
  await tx
    .insertInto('agencies')
    .values({
      id: agency.id,
      creditor_id: agency.creditorId,
      ...columns(agency),
      secrets: json(secrets),
      created_at: instant(act.at),
    })
    .execute();
}

export async function findAgency(db: Db | Tx, creditorId: string, agencyId: string): Promise<AgencyRow | undefined> {
  const row = await db
    .selectFrom('agencies')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', agencyId)
    .executeTakeFirst();
  return row && agencyOf(row);
}

/** Locks and returns an agency; undefined when the creditor has none of that id. */
export async function lockAgency(tx: Tx, creditorId: string, agencyId: string): Promise<AgencyRow | undefined> {
  const row = await tx
    .selectFrom('agencies')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', agencyId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row && agencyOf(row);
}

/** Agencies of a creditor, newest first, behind the position `after`. */
export async function listAgencies(
  db: Db,
  creditorId: string,
  after: bigint | null,
  count: number,
): Promise<AgencyRow[]> {
  const rows = await db
    .selectFrom('agencies')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .$if(after !== null, (query) => query.where('seq', '<', after))
    .orderBy('seq', 'desc')
    .limit(count)
    .execute();
  return rows.map(agencyOf);
}

/** Replaces what is said of an agency; the caller holds its row. */
export async function changeAgency(tx: Tx, agencyId: string, input: AgencyInput): Promise<void> {
  await tx.updateTable('agencies').set(columns(input)).where('id', '=', agencyId).execute();
}

/**
 * Closes an agency, or opens it again. A closed one gets no new case and is nobody's default any more; what it has stays
 * with it until it is recalled.
 */
export async function closeAgency(tx: Tx, act: Act, agency: AgencyRow, closed: boolean): Promise<void> {
  if (closed === (agency.closed_at !== null)) return;
  await tx
    .updateTable('agencies')
    .set({ closed_at: closed ? instant(act.at) : null })
    .where('id', '=', agency.id)
    .execute();
  if (!closed) return;
  await tx.updateTable('creditors').set({ default_agency: null }).where('default_agency', '=', agency.id).execute();
}

/** Puts a new secret in front; the one before it goes on signing, older ones end. The caller holds the row. */
export async function addAgencySecret(tx: Tx, act: Act, agency: AgencyRow, sealedSecret: string): Promise<void> {
  const secrets = [{ sealed: sealedSecret, createdAt: act.at }, ...agency.secrets].slice(0, ACTIVE_SECRETS);
  await tx
    .updateTable('agencies')
    .set({ secrets: json(secrets) })
    .where('id', '=', agency.id)
    .execute();
}

/** What is said of the agency now. */
export function agencyInputOf(row: AgencyRow): AgencyInput {
  return {
    name: row.name,
    reference: row.reference,
    feeText: row.fee_text,
    email: row.email,
    address: row.address,
    deliverBy: row.deliver_by,
    webhookUrl: row.webhook_url,
  };
}

function columns(input: AgencyInput) {
  return {
    name: input.name,
    reference: input.reference,
    fee_text: input.feeText,
    email: input.email,
    address: input.address && json(input.address),
    deliver_by: input.deliverBy,
    webhook_url: input.webhookUrl,
  };
}

const agencyOf = (row: Selectable<Database['agencies']>): AgencyRow => ({
  ...row,
  secrets: row.secrets as StoredSecret[],
});
