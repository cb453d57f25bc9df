import { sql, type Selectable } from 'kysely';
import type { MoveLine, Outlook, Promised } from '../../domain/case/rollout.ts';
import type { Act as CaseAct } from '../../domain/case/decision.ts';
import type { CaseFacts } from '../../domain/case/facts.ts';
import { DomainError } from '../../domain/errors.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database, RolloutCaseStatus, RolloutFilter } from '../types.ts';
import type { TurningCase } from './case-steps.ts';
import { writeAct } from './case-turn.ts';
import { appendEvent } from './events.ts';
import { pokeOutreach, startRollout, wakeCases } from './outbox.ts';

export type RolloutRow = Selectable<Database['rollouts']>;
export type RolloutCase = Selectable<Database['rollout_cases']>;

const OPEN_STAGES = ['upcoming', 'reminding', 'formalNotice', 'placed'] as const;

/** How many cases of a roll-out are in which state. */
export type RolloutCounts = Record<RolloutCaseStatus, number> & {
  /** Of those that are or were to be moved: for how many something else follows afterwards. */
  changing: number;
};

export interface NewRollout {
  creditorId: string;
  policy: string;
  version: number;
  dryRun: boolean;
  filter: RolloutFilter;
  /** The dry run whose listing counts; null: one is made first. */
  dryRunId: string | null;
}

/**
 * Asks for a roll-out and returns its id. One of a dry run takes over its listing. Throws `rolloutRunning` while another
 * one moves cases of the same policy.
 */
export async function createRollout(tx: Tx, act: Act, asked: NewRollout): Promise<string> {
  const id = newId('rol');
  const row = await tx
    .insertInto('rollouts')
    .values({
      id,
      creditor_id: asked.creditorId,
      policy: asked.policy,
      version: asked.version,
      dry_run: asked.dryRun,
      dry_run_id: asked.dryRunId,
      filter: json(asked.filter),
      actor: act.actor,
      reason: act.reason ?? null,
      at: instant(act.at),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!row)
    throw new DomainError('rolloutRunning', 'Another roll-out of this policy is moving cases: wait for its end.');
  if (asked.dryRunId !== null) await takeOverListing(tx, id, asked.dryRunId);
  await startRollout(tx, id);
  return id;
}

async function takeOverListing(tx: Tx, rolloutId: string, dryRunId: string): Promise<void> {
  await sql`
    insert into rollout_cases
      (rollout_id, invoice_id, customer_id, status, code, before, after, listed_on, listed_until)
    select ${rolloutId}, invoice_id, customer_id, status, code, before, after, listed_on, listed_until
    from rollout_cases where rollout_id = ${dryRunId} order by seq`.execute(tx);
  await sql`update rollouts set status = 'running', total = (select total from rollouts where id = ${dryRunId})
    where id = ${rolloutId}`.execute(tx);
}

export async function findRollout(db: Db | Tx, creditorId: string, rolloutId: string): Promise<RolloutRow | undefined> {
  return await db
    .selectFrom('rollouts')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', rolloutId)
    .executeTakeFirst();
}

/** A roll-out for whoever carries it out. */
export async function loadRollout(db: Db | Tx, rolloutId: string): Promise<RolloutRow> {
  return await db.selectFrom('rollouts').selectAll().where('id', '=', rolloutId).executeTakeFirstOrThrow();
}

export async function countRollout(db: Db | Tx, rolloutId: string): Promise<RolloutCounts> {
  const rows = await db
    .selectFrom('rollout_cases')
    .select(['status', sql<number>`count(*)::int`.as('count')])
    .select(
      sql<number>`(count(*) filter (where before <> after and status not in ('affected', 'refused')))::int`.as(
        'changing',
      ),
    )
    .where('rollout_id', '=', rolloutId)
    .groupBy('status')
    .execute();
  const of = (status: RolloutCaseStatus): number => rows.find((row) => row.status === status)?.count ?? 0;
  return {
    listed: of('listed'),
    affected: of('affected'),
    moved: of('moved'),
    unchanged: of('unchanged'),
    refused: of('refused'),
    differs: of('differs'),
    skipped: of('skipped'),
    changing: rows.reduce((sum, row) => sum + row.changing, 0),
  };
}

/** Cases of a roll-out in the order in which they were listed, behind the position `after`. */
export async function listRolloutCases(
  db: Db,
  rolloutId: string,
  filter: { status?: RolloutCaseStatus | undefined },
  after: bigint | null,
  count: number,
): Promise<(RolloutCase & { number: string })[]> {
  const { status } = filter;
  return await db
    .selectFrom('rollout_cases as c')
    .innerJoin('invoices as i', 'i.id', 'c.invoice_id')
    .selectAll('c')
    .select('i.number')
    .where('rollout_id', '=', rolloutId)
    .$if(status !== undefined, (query) => query.where('c.status', '=', status!))
    .$if(after !== null, (query) => query.where('c.seq', '>', after!))
    .orderBy('c.seq')
    .limit(count)
    .execute();
}

// Listing -------------------------------------------------------------------------------------------------------------

/** Open cases under another version of the policy that the roll-out is for. */
const inScope = (db: Db | Tx, rollout: RolloutRow) =>
  db
    .selectFrom('invoices')
    .where('creditor_id', '=', rollout.creditor_id)
    .where('policy_name', '=', rollout.policy)
    .where('policy_version', '<>', rollout.version)
    .where('stage', 'in', OPEN_STAGES)
    .$if(rollout.filter.customerId !== undefined, (q) => q.where('customer_id', '=', rollout.filter.customerId!))
    .$if(rollout.filter.stage !== undefined, (q) => q.where('stage', '=', rollout.filter.stage!));

/** Notes how many cases there are to list. */
export async function countScope(db: Db, rollout: RolloutRow): Promise<void> {
  const { total } = await inScope(db, rollout)
    .select(sql<number>`count(*)::int`.as('total'))
    .executeTakeFirstOrThrow();
  await db.updateTable('rollouts').set({ total }).where('id', '=', rollout.id).where('total', 'is', null).execute();
}

/** The next customers that have such cases, by id. */
export async function customersToList(
  db: Db,
  rollout: RolloutRow,
  after: string | null,
  count: number,
): Promise<string[]> {
  const rows = await inScope(db, rollout)
    .select('customer_id')
    .distinct()
    .$if(after !== null, (query) => query.where('customer_id', '>', after!))
    .orderBy('customer_id')
    .limit(count)
    .execute();
  return rows.map((row) => row.customer_id);
}

export async function casesToList(tx: Tx, rollout: RolloutRow, customerId: string): Promise<Set<string>> {
  const rows = await inScope(tx, rollout).select('id').where('customer_id', '=', customerId).execute();
  return new Set(rows.map((row) => row.id));
}

/** Writes the listing of one customer, once: listed again after a crash it stays as it was. */
export async function writeListing(
  tx: Tx,
  rolloutId: string,
  customerId: string,
  lines: readonly MoveLine[],
  days: { listedOn: LocalDate; until: LocalDate },
): Promise<void> {
  for (let from = 0; from < lines.length; from += CHUNK) {
    await tx
      .insertInto('rollout_cases')
      .values(
        lines.slice(from, from + CHUNK).map((line) => ({
          rollout_id: rolloutId,
          invoice_id: line.invoiceId,
          customer_id: customerId,
          status: line.status,
          code: line.code,
          before: json(line.before),
          after: json(line.after),
          listed_on: days.listedOn,
          listed_until: days.until,
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  await tx.updateTable('rollouts').set({ planned_to: customerId }).where('id', '=', rolloutId).execute();
}

const CHUNK = 500;

/** The listing is complete: a dry run is done, another roll-out goes on to move. */
export async function finishListing(db: Db, rolloutId: string): Promise<void> {
  await sql`update rollouts set status = case when dry_run then 'done' else 'running' end,
    total = (select count(*)::int from rollout_cases where rollout_id = ${rolloutId} and status <> 'affected')
    where id = ${rolloutId} and status = 'planning'`.execute(db);
}

/** It can not go on: `code` says why. */
export async function failRollout(db: Db, rolloutId: string, code: string): Promise<void> {
  await db.updateTable('rollouts').set({ status: 'failed', code }).where('id', '=', rolloutId).execute();
}

// Moving --------------------------------------------------------------------------------------------------------------

/** The next customers with cases that are still to be moved, by id. */
export async function customersToMove(
  db: Db,
  rolloutId: string,
  after: string | null,
  count: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom('rollout_cases')
    .select('customer_id')
    .distinct()
    .where('rollout_id', '=', rolloutId)
    .where('status', '=', 'listed')
    .$if(after !== null, (query) => query.where('customer_id', '>', after!))
    .orderBy('customer_id')
    .limit(count)
    .execute();
  return rows.map((row) => row.customer_id);
}

/** All that a roll-out has listed of one customer. */
export async function listingOf(tx: Tx, rolloutId: string, customerId: string): Promise<RolloutCase[]> {
  return await tx
    .selectFrom('rollout_cases')
    .selectAll()
    .where('rollout_id', '=', rolloutId)
    .where('customer_id', '=', customerId)
    .execute();
}

export const promisedOf = (row: RolloutCase): Promised => ({
  contacts: row.after.contacts,
  listedOn: row.listed_on,
  until: row.listed_until,
});

/** Why a case was not moved, and what it has before it as its turn found it. */
export interface CaseNews {
  code?: string;
  before?: Outlook;
  after?: Outlook;
}

/** Writes what became of a listed case. */
export async function markCase(
  tx: Tx,
  rolloutId: string,
  invoiceId: string,
  status: RolloutCaseStatus,
  rest: CaseNews = {},
): Promise<void> {
  await tx
    .updateTable('rollout_cases')
    .set({
      status,
      code: rest.code ?? null,
      ...(rest.before === undefined ? {} : { before: json(rest.before) }),
      ...(rest.after === undefined ? {} : { after: json(rest.after) }),
    })
    .where('rollout_id', '=', rolloutId)
    .where('invoice_id', '=', invoiceId)
    .execute();
}

/**
 * Has these cases of one customer, whose rows are locked, pin the roll-out's version from now on: row, steps passed over,
 * event, and word to the cases and to outreach.
 */
export async function moveToVersion(
  tx: Tx,
  act: Act,
  rollout: RolloutRow,
  cases: readonly { one: TurningCase; from: number; facts: CaseFacts; acts: readonly CaseAct[] }[],
): Promise<void> {
  for (const { one, from, facts, acts } of cases) {
    const { invoiceId } = one;
    await tx.updateTable('invoices').set({ policy_version: rollout.version }).where('id', '=', invoiceId).execute();
    await appendEvent(tx, act, {
      invoiceId,
      kind: 'policyChanged',
      data: { policy: rollout.policy, from, to: rollout.version, rolloutId: rollout.id },
      text: act.reason ?? null,
    });
    for (const what of acts) await writeAct(tx, act, one, facts, what);
  }
  await wakeCases(
    tx,
    cases.map(({ one }) => one.invoiceId),
  );
  for (const customerId of new Set(cases.map(({ one }) => one.customerId))) await pokeOutreach(tx, customerId);
}

/** No case is left to be moved. */
export async function finishRollout(db: Db, rolloutId: string): Promise<void> {
  await db
    .updateTable('rollouts')
    .set({ status: 'done' })
    .where('id', '=', rolloutId)
    .where('status', '=', 'running')
    .execute();
}
