import type { Selectable } from 'kysely';
import type { Db, Tx } from '../database.ts';
import type { AgencyMessageKind, Database, PlacementStatus } from '../types.ts';

/** A hand-over with what is still owed on its invoice. */
export type PlacementRow = Selectable<Database['placements']> & { balance_minor: bigint; invoice_number: string };

export type ReportRow = Selectable<Database['agency_reports']>;

/** What an agency is or was told, without the words. */
export interface AgencyMessageRow {
  id: bigint;
  placement_id: string;
  kind: AgencyMessageKind;
  status: 'pending' | 'sent' | 'failed';
  attempts: number;
  error_code: string | null;
  document_id: string | null;
  at: number;
  sent_at: number | null;
}

/** Whose placements may be seen: all of a creditor, or those of one agency of it. */
export interface PlacementReach {
  creditorId: string;
  agencyId: string | null;
}

export interface PlacementFilter {
  agencyId?: string | undefined;
  invoiceId?: string | undefined;
  status?: PlacementStatus | undefined;
}

/** Placements within reach, newest first, behind the position `after`. */
export async function listPlacements(
  db: Db,
  reach: PlacementReach,
  filter: PlacementFilter,
  after: bigint | null,
  count: number,
): Promise<PlacementRow[]> {
  let query = within(db, reach);
  if (filter.agencyId !== undefined) query = query.where('p.agency_id', '=', filter.agencyId);
  if (filter.invoiceId !== undefined) query = query.where('p.invoice_id', '=', filter.invoiceId);
  if (filter.status !== undefined) query = query.where('p.status', '=', filter.status);
  if (after !== null) query = query.where('p.seq', '<', after);
  return await query.orderBy('p.seq', 'desc').limit(count).execute();
}

/** A placement within reach; what is another's does not exist. */
export async function findPlacement(
  db: Db | Tx,
  reach: PlacementReach,
  placementId: string,
): Promise<PlacementRow | undefined> {
  return await within(db, reach).where('p.id', '=', placementId).executeTakeFirst();
}

function within(db: Db | Tx, { creditorId, agencyId }: PlacementReach) {
  return db
    .selectFrom('placements as p')
    .innerJoin('invoices as i', 'i.id', 'p.invoice_id')
    .selectAll('p')
    .select(['i.balance_minor', 'i.number as invoice_number'])
    .where('p.creditor_id', '=', creditorId)
    .$if(agencyId !== null, (query) => query.where('p.agency_id', '=', agencyId));
}

/** What was reported of these placements, by placement, oldest first. */
export async function reportsOf(db: Db | Tx, placementIds: readonly string[]): Promise<Map<string, ReportRow[]>> {
  const found = new Map<string, ReportRow[]>();
  if (placementIds.length === 0) return found;
  const rows = await db
    .selectFrom('agency_reports')
    .selectAll()
    .where('placement_id', 'in', placementIds)
    .orderBy('seq')
    .execute();
  for (const row of rows) found.set(row.placement_id, [...(found.get(row.placement_id) ?? []), row]);
  return found;
}

/** What the agency is or was told of these placements, by placement, oldest first. */
export async function agencyMessagesOf(
  db: Db | Tx,
  placementIds: readonly string[],
): Promise<Map<string, AgencyMessageRow[]>> {
  const found = new Map<string, AgencyMessageRow[]>();
  if (placementIds.length === 0) return found;
  const rows = await db
    .selectFrom('agency_messages')
    .select(['id', 'placement_id', 'kind', 'status', 'attempts', 'error_code', 'document_id', 'at', 'sent_at'])
    .where('placement_id', 'in', placementIds)
    .orderBy('id')
    .execute();
  for (const row of rows) found.set(row.placement_id, [...(found.get(row.placement_id) ?? []), row]);
  return found;
}

/** The newest file of a placement; undefined until the first was built. */
export async function latestFile(db: Db, placementId: string): Promise<{ id: string; bytes: Buffer } | undefined> {
  return await db
    .selectFrom('agency_messages as m')
    .innerJoin('documents as d', 'd.id', 'm.document_id')
    .select(['d.id', 'd.bytes'])
    .where('m.placement_id', '=', placementId)
    .orderBy('m.id', 'desc')
    .executeTakeFirst();
}
