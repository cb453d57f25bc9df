import { createHash } from 'node:crypto';
import { sql, type Selectable } from 'kysely';
import { bulkRefusal, stagesMeant, type BulkKind } from '../../domain/case/bulk.ts';
import { DomainError } from '../../domain/errors.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { BulkCaseStatus, Database, HoldKind, JsonObject, Role, Stage } from '../types.ts';
import { listInvoices, type InvoiceFilter } from './invoices.ts';
import { startBulk } from './outbox.ts';

export type BulkRow = Selectable<Database['bulk_commands']>;
export type BulkCase = Selectable<Database['bulk_cases']>;

/** Which cases a command is for. Without a stage those that can take it: open ones, closed ones to be reopened. */
export interface BulkFilter {
  stage?: Stage | undefined;
  hold?: HoldKind | 'promise' | 'dispute' | undefined;
  customerId?: string | undefined;
  dueBefore?: LocalDate | undefined;
  dueAfter?: LocalDate | undefined;
  numbers?: readonly string[] | undefined;
}

export interface NewBulk {
  creditorId: string;
  kind: BulkKind;
  /** Dates and ids; the reason is the act's. */
  args: JsonObject;
  filter: BulkFilter;
  role: Role;
}

/** More cases than anybody means to command at once. */
const MOST = 100_000;
const PAGE = 1_000;

/**
 * Lists the cases that a command would go to, and those of them that are certain to refuse it; returns the dry run's id.
 * `today` is the creditor's date. Throws `tooManyCases`.
 */
export async function listBulk(tx: Tx, act: Act, asked: NewBulk, today: LocalDate): Promise<string> {
  const id = await insertBulk(tx, act, asked, null);
  const filter: InvoiceFilter = {
    ...asked.filter,
    ...(asked.filter.stage === undefined ? { stages: stagesMeant(asked.kind) } : {}),
  };
  let after: bigint | null = null;
  for (let seen = 0; ;) {
    const rows = await listInvoices(tx, asked.creditorId, filter, today, after, PAGE);
    seen += rows.length;
    if (seen > MOST) throw new DomainError('tooManyCases', `More than ${MOST} cases match: narrow the filter.`);
    const paused = await pausedAmong(
      tx,
      rows.map((row) => row.id),
      today,
    );
    const cases = rows.map(({ id: invoiceId, stage, balance_minor: balanceMinor }) => {
      const code = bulkRefusal(asked.kind, { stage, balanceMinor, paused: paused.has(invoiceId) });
      const status: BulkCaseStatus = code === null ? 'pending' : 'refused';
      return { bulk_id: id, invoice_id: invoiceId, status, code };
    });
    if (cases.length > 0) await tx.insertInto('bulk_cases').values(cases).execute();
    if (rows.length < PAGE) return id;
    after = rows.at(-1)!.seq;
  }
}

/**
 * Has a command carried out on the cases that its dry run listed, and on no others. Throws `dryRunNeeded` unless that is
 * one of the same creditor, filter and command that was not carried out yet.
 */
export async function createBulk(tx: Tx, act: Act, asked: NewBulk, dryRunId: string): Promise<string> {
  const dryRun = await tx
    .selectFrom('bulk_commands')
    .select('id')
    .where('id', '=', dryRunId)
    .where('creditor_id', '=', asked.creditorId)
    .where('dry_run', '=', true)
    .where('kind', '=', asked.kind)
    .where('filter', '=', sql<JsonObject>`${json(asked.filter)}::jsonb`)
    .where('args', '=', sql<JsonObject>`${json(asked.args)}::jsonb`)
    .forNoKeyUpdate()
    .executeTakeFirst();
  const used = await tx
    .selectFrom('bulk_commands')
    .select('id')
    .where('dry_run_id', '=', dryRunId)
    .where('creditor_id', '=', asked.creditorId)
    .executeTakeFirst();
  if (!dryRun || used) {
    const why = used ? 'The dry run was carried out already.' : 'There is no dry run of the same filter and command.';
    throw new DomainError('dryRunNeeded', `${why} Send it with dryRun first, then with its id.`);
  }
  const id = await insertBulk(tx, act, asked, dryRunId);
  await sql`
    insert into bulk_cases (bulk_id, invoice_id)
    select ${id}, invoice_id from bulk_cases where bulk_id = ${dryRunId} and status = 'pending' order by seq`.execute(
    tx,
  );
  await startBulk(tx, id);
  return id;
}

async function insertBulk(tx: Tx, act: Act, asked: NewBulk, dryRunId: string | null): Promise<string> {
  const id = newId('blk');
  await tx
    .insertInto('bulk_commands')
    .values({
      id,
      creditor_id: asked.creditorId,
      kind: asked.kind,
      args: json(asked.args),
      filter: json(asked.filter),
      dry_run: dryRunId === null,
      dry_run_id: dryRunId,
      status: dryRunId === null ? 'done' : 'running',
      role: asked.role,
      actor: act.actor,
      reason: act.reason ?? null,
      at: instant(act.at),
    })
    .execute();
  return id;
}

async function pausedAmong(tx: Tx, invoiceIds: readonly string[], today: LocalDate): Promise<Set<string>> {
  if (invoiceIds.length === 0) return new Set();
  const rows = await tx
    .selectFrom('holds')
    .select('invoice_id')
    .where('kind', '=', 'pause')
    .where('invoice_id', 'in', invoiceIds)
    .where('lifted_at', 'is', null)
    .where((eb) => eb.or([eb('until_on', 'is', null), eb('until_on', '>=', today)]))
    .execute();
  return new Set(rows.flatMap((row) => row.invoice_id ?? []));
}

export async function findBulk(db: Db | Tx, creditorId: string, bulkId: string): Promise<BulkRow | undefined> {
  return await db
    .selectFrom('bulk_commands')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', bulkId)
    .executeTakeFirst();
}

/** A bulk command for whoever carries it out. */
export async function loadBulk(db: Db | Tx, bulkId: string): Promise<BulkRow> {
  return await db.selectFrom('bulk_commands').selectAll().where('id', '=', bulkId).executeTakeFirstOrThrow();
}

export async function countBulk(db: Db | Tx, bulkId: string): Promise<Record<BulkCaseStatus, number>> {
  const rows = await db
    .selectFrom('bulk_cases')
    .select(['status', sql<number>`count(*)::int`.as('count')])
    .where('bulk_id', '=', bulkId)
    .groupBy('status')
    .execute();
  const of = (status: BulkCaseStatus): number => rows.find((row) => row.status === status)?.count ?? 0;
  return { pending: of('pending'), done: of('done'), refused: of('refused') };
}

/** Cases of a bulk command, newest invoice first, behind the position `after`. */
export async function listBulkCases(
  db: Db,
  bulkId: string,
  filter: { status?: BulkCaseStatus | undefined },
  after: bigint | null,
  count: number,
): Promise<(BulkCase & { number: string })[]> {
  const { status } = filter;
  return await db
    .selectFrom('bulk_cases as c')
    .innerJoin('invoices as i', 'i.id', 'c.invoice_id')
    .selectAll('c')
    .select('i.number')
    .where('bulk_id', '=', bulkId)
    .$if(status !== undefined, (query) => query.where('c.status', '=', status!))
    .$if(after !== null, (query) => query.where('c.seq', '>', after!))
    .orderBy('c.seq')
    .limit(count)
    .execute();
}

/** Writes what became of the command in one case, once: its first outcome stays. */
export async function markBulkCase(
  db: Db | Tx,
  bulkId: string,
  invoiceId: string,
  refusal: string | null,
): Promise<void> {
  await db
    .updateTable('bulk_cases')
    .set({ status: refusal === null ? 'done' : 'refused', code: refusal })
    .where('bulk_id', '=', bulkId)
    .where('invoice_id', '=', invoiceId)
    .where('status', '=', 'pending')
    .execute();
}

export async function finishBulk(db: Db, bulkId: string): Promise<void> {
  await db.updateTable('bulk_commands').set({ status: 'done' }).where('id', '=', bulkId).execute();
}

/** The id of the command of one case: always the same, so that a repeat after a crash joins the first. */
export function bulkCommandId(bulkId: string, invoiceId: string): string {
  return `cmd_${createHash('sha256').update(`${bulkId}\0${invoiceId}`).digest('hex').slice(0, 26)}`;
}
