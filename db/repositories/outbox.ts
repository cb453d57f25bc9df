import { sql, type RawBuilder } from 'kysely';
import { sqlState, type Db, type Tx } from '../database.ts';
import type { JsonObject, OutboxKind } from '../types.ts';

/** The signals a case understands (api.md, "In Temporal"). */
export type CaseSignalName =
  | 'paymentAllocated'
  | 'allocationReversed'
  | 'creditNoted'
  | 'disputed'
  | 'disputeResolved'
  | 'promised'
  | 'promiseWithdrawn'
  | 'planAgreed'
  | 'planCancelled'
  | 'insolvencyDeclared'
  | 'wake';

/** The channel on which a relay hears that something was committed. */
export const OUTBOX_CHANNEL = 'relance_outbox';

/** A claimed row whose relay died is handed out again after this long, in real time. */
const CLAIM_SECONDS = 30;

export interface OutboxMessage {
  id: bigint;
  kind: OutboxKind;
  /** Id of the invoice (`startCase`, `signalCase`), customer, feed, agency, import, roll-out or bulk command. */
  target: string;
  /** `{run}` of `startCase`, `{signal, factId}` of `signalCase`, else empty. */
  payload: JsonObject;
  coalesced: boolean;
  /** How often it was claimed, this time included. */
  attempts: number;
}

interface NewMessage {
  kind: OutboxKind;
  target: string;
  payload: JsonObject;
  coalesceKey: string | null;
}

/** The case of this invoice should run, in its run of this number. Never coalesced. */
export const startCase = (tx: Tx, invoiceId: string, run: number): Promise<void> =>
  startCases(tx, [{ invoiceId, run }]);

/** `startCase` of many invoices in one statement. */
export const startCases = (tx: Tx, cases: readonly { invoiceId: string; run: number }[]): Promise<void> =>
  put(
    tx,
    cases.map(({ invoiceId, run }) => ({ kind: 'startCase', target: invoiceId, payload: { run }, coalesceKey: null })),
  );

/**
 * A fact that a case must hear of, once by the id of its event: a promise and its withdrawal are two facts. `wake` goes
 * through `wakeCase`.
 */
export const signalCase = (
  tx: Tx,
  invoiceId: string,
  signal: Exclude<CaseSignalName, 'wake'>,
  factId: string,
): Promise<void> =>
  put(tx, [{ kind: 'signalCase', target: invoiceId, payload: { signal, factId }, coalesceKey: null }]);

/** Something else changed: the case should look again. One wake is outstanding per case. */
export const wakeCase = (tx: Tx, invoiceId: string): Promise<void> => wakeCases(tx, [invoiceId]);

/** `wakeCase` of many invoices in one statement. */
export const wakeCases = (tx: Tx, invoiceIds: readonly string[]): Promise<void> =>
  put(
    tx,
    distinct(invoiceIds).map((id) => ({
      kind: 'signalCase',
      target: id,
      payload: { signal: 'wake' },
      coalesceKey: `wake:${id}`,
    })),
  );

/** What a customer is to be told may have changed. One poke is outstanding per customer. */
export const pokeOutreach = (tx: Tx, customerId: string): Promise<void> => pokeOutreaches(tx, [customerId]);

/** `pokeOutreach` of many customers in one statement. */
export const pokeOutreaches = (tx: Tx, customerIds: readonly string[]): Promise<void> =>
  put(
    tx,
    distinct(customerIds).map((id) => ({
      kind: 'pokeOutreach',
      target: id,
      payload: {},
      coalesceKey: `outreach:${id}`,
    })),
  );

/** The inbox of a feed has something. One poke is outstanding per feed. */
export const pokeFeed = (tx: Tx, feedId: string): Promise<void> => pokeFeeds(tx, [feedId]);

/** `pokeFeed` of many feeds in one statement. */
export const pokeFeeds = (tx: Tx, feedIds: readonly string[]): Promise<void> =>
  put(
    tx,
    distinct(feedIds).map((id) => ({ kind: 'pokeFeed', target: id, payload: {}, coalesceKey: `feed:${id}` })),
  );

/** Something waits to be told to an agency. One poke is outstanding per agency. */
export const pokeAgency = (tx: Tx, agencyId: string): Promise<void> =>
  put(tx, [{ kind: 'pokeAgency', target: agencyId, payload: {}, coalesceKey: `agency:${agencyId}` }]);

/** An import was uploaded and should be read. */
export const startImport = (tx: Tx, importId: string): Promise<void> =>
  put(tx, [{ kind: 'startImport', target: importId, payload: {}, coalesceKey: null }]);

/** A roll-out of a policy was asked for. */
export const startRollout = (tx: Tx, rolloutId: string): Promise<void> =>
  put(tx, [{ kind: 'startRollout', target: rolloutId, payload: {}, coalesceKey: null }]);

/** A command for many cases was asked for. */
export const startBulk = (tx: Tx, bulkId: string): Promise<void> =>
  put(tx, [{ kind: 'startBulk', target: bulkId, payload: {}, coalesceKey: null }]);

/** Whether more than so many messages wait to be delivered. */
export async function isOutboxBusy(db: Db, most: number): Promise<boolean> {
  const rows = await db
    .selectFrom('outbox')
    .select('id')
    .limit(most + 1)
    .execute();
  return rows.length > most;
}

/**
 * Writes messages and rings the bell, which is heard when the transaction commits. A coalesced message that is already
 * outstanding is only locked until then: a relay passes over it meanwhile, so it cannot be delivered to a reader who
 * does not see yet what this transaction writes. Rows go in in the order of their keys, so that two transactions never
 * wait for each other crosswise within one statement.
 */
async function put(tx: Tx, messages: readonly NewMessage[]): Promise<void> {
  if (messages.length === 0) return;
  const ordered = [...messages].sort((a, b) => compare(a.coalesceKey ?? '', b.coalesceKey ?? ''));
  await sql`
    with put as (
      insert into outbox (kind, target, payload, coalesce_key)
      select * from unnest(
        ${ordered.map((m) => m.kind)}::text[], ${ordered.map((m) => m.target)}::text[],
        ${ordered.map((m) => JSON.stringify(m.payload))}::jsonb[], ${ordered.map((m) => m.coalesceKey)}::text[])
      on conflict (coalesce_key) where status = 'pending' and coalesce_key is not null
        do update set attempts = outbox.attempts
      returning 1
    )
    select pg_notify(${OUTBOX_CHANNEL}, '') from (select count(*) from put) counted`.execute(tx);
}

/**
 * Takes up to `limit` messages that are due, oldest first, commits that they are taken, and returns them. From then on a
 * new poke of the same receiver is a new row: a poke stops being outstanding before its receiver reads the facts.
 */
export async function claimOutbox(db: Db, limit: number): Promise<OutboxMessage[]> {
  const { rows } = await sql<OutboxMessage>`
    update outbox set status = 'claimed', claimed_real = clock_timestamp(), attempts = attempts + 1
    where id = any(array(
      select id from outbox
      where (status = 'pending' and due_real <= clock_timestamp())
         or (status = 'claimed' and claimed_real < clock_timestamp() - make_interval(secs => ${CLAIM_SECONDS}))
      order by due_real, id
      limit ${limit}
      for update skip locked))
    returning id, kind, target, payload, coalesce_key is not null as coalesced, attempts`.execute(db);
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** These messages were delivered. */
export async function finishOutbox(db: Db, ids: readonly bigint[]): Promise<void> {
  if (ids.length > 0) await db.deleteFrom('outbox').where('id', 'in', ids).execute();
}

/** This message could not be delivered: again after `delayMs` of real time. A poke that has a fresh twin is dropped. */
export async function retryOutbox(db: Db, id: bigint, delayMs: number): Promise<void> {
  try {
    await db
      .updateTable('outbox')
      .set({ status: 'pending', claimed_real: null, due_real: inMilliseconds(delayMs) })
      .where('id', '=', id)
      .execute();
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    await finishOutbox(db, [id]);
  }
}

/** Real milliseconds until the next message falls due or is handed out again; null when there is none. */
export async function outboxDelay(db: Db): Promise<number | null> {
  const { rows } = await sql<{ ms: number | null }>`
    select ceil(1000 * extract(epoch from min(
      case status when 'pending' then due_real else claimed_real + make_interval(secs => ${CLAIM_SECONDS}) end)
      - clock_timestamp()))::float8 as ms from outbox`.execute(db);
  const ms = rows[0]?.ms ?? null;
  return ms === null ? null : Math.max(0, ms);
}

function inMilliseconds(delayMs: number): RawBuilder<Date> {
  return sql<Date>`clock_timestamp() + make_interval(secs => ${delayMs / 1000}::float8)`;
}

const distinct = (ids: readonly string[]): string[] => [...new Set(ids)];
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
