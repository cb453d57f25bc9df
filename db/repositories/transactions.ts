import { sql, type Selectable } from 'kysely';
import { DATE_WINDOW, sameness, type KnownTransaction } from '../../domain/statement/same.ts';
import type { ReturnInformation, SourceKind, Transaction } from '../../domain/statement/transaction.ts';
import { addDays } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database, TransactionState } from '../types.ts';
import { pokeFeeds } from './outbox.ts';

export type TransactionRow = Selectable<Database['bank_transactions']>;

/** The account whose transactions are told apart: feeds of one IBAN tell the same ones. */
export interface AccountRef {
  feedId: string;
  creditorId: string;
  iban: string | null;
}

export const accountKey = (account: AccountRef): string => account.iban ?? account.feedId;

export type Intake = 'new' | 'duplicate' | 'booked' | 'suspect' | 'provisional';

interface Fresh {
  id: string;
  told: Transaction;
  state: TransactionState;
  sameAs: string | null;
}

/**
 * Keeps what a document tells of an account, each transaction once however often it is told (domain/statement/same.ts), and
 * says of each what became of it. `document` is the id of a statement file, or the stream of a feed's messages. Documents of
 * one account are taken in one after the other.
 */
export async function takeIn(
  tx: Tx,
  act: Act,
  account: AccountRef,
  document: string,
  told: readonly Transaction[],
): Promise<{ transactionId: string; intake: Intake }[]> {
  if (told.length === 0) return [];
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${account.creditorId} ${accountKey(account)}`}, 12))`.execute(
    tx,
  );
  const known = await loadKnown(tx, account, told);
  const fresh: Fresh[] = [];
  const results: { transactionId: string; intake: Intake }[] = [];
  const booked: { id: string; told: Transaction }[] = [];
  const seen: { id: string; told: Transaction }[] = [];
  for (const one of told) {
    const key = amountKey(one.amountMinor, one.currency);
    const candidates = known.get(key) ?? [];
    const found = sameness(one, document, candidates);
    if (found.kind === 'same') {
      const twin = candidates.find(({ id }) => id === found.id)!;
      twin.sightings.push({ document, source: one.source });
      seen.push({ id: found.id, told: one });
      if (found.books) {
        twin.status = 'booked';
        booked.push({ id: found.id, told: one });
      }
      results.push({ transactionId: found.id, intake: found.books ? 'booked' : 'duplicate' });
      continue;
    }
    const id = newId('btx');
    const state = stateOf(one, found.kind === 'unclear');
    fresh.push({ id, told: one, state, sameAs: found.kind === 'unclear' ? found.ids[0]! : null });
    seen.push({ id, told: one });
    known.set(key, [...candidates, { ...knownOf(id, one), sightings: [{ document, source: one.source }] }]);
    results.push({ transactionId: id, intake: state === 'pending' ? 'new' : (state as 'suspect' | 'provisional') });
  }
  await insertFresh(tx, act, account, fresh);
  await bookAnnounced(tx, account.feedId, booked);
  await insertSightings(tx, document, seen);
  return results;
}

/** Only what is booked moves money; what may have been told before waits for a person. */
function stateOf(told: Transaction, unclear: boolean): TransactionState {
  if (told.status !== 'booked') return 'provisional';
  return unclear ? 'suspect' : 'pending';
}

const amountKey = (amountMinor: bigint, currency: string): string => `${amountMinor} ${currency}`;

const knownOf = (id: string, told: Transaction): Omit<KnownTransaction, 'sightings'> => ({
  id,
  status: told.status,
  bookedOn: told.bookedOn,
  counterpartyName: told.counterparty.name,
  counterpartyAccount: told.counterparty.account,
  remittance: told.remittance,
  bankId: told.bankId,
  endToEndId: told.endToEndId,
});

/** What is known of the account with these amounts around these days, by amount. */
async function loadKnown(
  tx: Tx,
  account: AccountRef,
  told: readonly Transaction[],
): Promise<Map<string, KnownTransaction[]>> {
  const days = told.map(({ bookedOn }) => bookedOn).sort();
  const { rows } = await sql<TransactionRow & { seen: { document: string; source: SourceKind }[] }>`
    select t.*, coalesce((select jsonb_agg(jsonb_build_object('document', s.document, 'source', s.source))
        from sightings s where s.transaction_id = t.id), '[]') as seen
    from bank_transactions t
    where t.creditor_id = ${account.creditorId} and t.account_key = ${accountKey(account)}
      and t.amount_minor = any(${[...new Set(told.map((one) => one.amountMinor.toString()))]}::bigint[])
      and t.booked_on between ${addDays(days[0]!, -DATE_WINDOW)}::date and ${addDays(days.at(-1)!, DATE_WINDOW)}::date
    order by t.seq`.execute(tx);
  shareSightings(rows);
  const known = new Map<string, KnownTransaction[]>();
  for (const row of rows) {
    const key = amountKey(row.amount_minor, row.currency);
    const one: KnownTransaction = {
      id: row.id,
      status: row.status,
      bookedOn: row.booked_on,
      counterpartyName: row.counterparty_name,
      counterpartyAccount: row.counterparty_account,
      remittance: row.remittance,
      bankId: row.bank_id,
      endToEndId: row.end_to_end_id,
      sightings: row.seen,
    };
    const list = known.get(key);
    if (list) list.push(one);
    else known.set(key, [one]);
  }
  return known;
}

/** What a person said is one transaction was told once by a document that told either of the two. */
function shareSightings(rows: (TransactionRow & { seen: KnownTransaction['sightings'] })[]): void {
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const row of rows) {
    const twin = row.outcome === 'duplicate' && row.same_as !== null ? byId.get(row.same_as) : undefined;
    if (!twin) continue;
    twin.seen.push(...row.seen);
    row.seen = twin.seen;
  }
}

async function insertFresh(tx: Tx, act: Act, account: AccountRef, fresh: readonly Fresh[]): Promise<void> {
  for (let at = 0; at < fresh.length; at += 500) {
    await tx
      .insertInto('bank_transactions')
      .values(fresh.slice(at, at + 500).map((one) => rowOf(act, account, one)))
      .execute();
  }
}

const rowOf = (act: Act, account: AccountRef, { id, told, state, sameAs }: Fresh) => ({
  id,
  creditor_id: account.creditorId,
  feed_id: account.feedId,
  account_key: accountKey(account),
  status: told.status,
  state,
  booked_on: told.bookedOn,
  value_on: told.valueOn,
  amount_minor: told.amountMinor,
  currency: told.currency,
  counterparty_name: told.counterparty.name,
  ultimate_name: told.counterparty.ultimateName,
  counterparty_account: told.counterparty.account,
  structured_references: [...told.structuredReferences],
  remittance: told.remittance,
  bank_text: told.bankText,
  bank_id: told.bankId,
  end_to_end_id: told.endToEndId,
  mandate_id: told.mandateId,
  returns: told.returns === null ? null : json(returnsJson(told.returns)),
  fees_minor: told.feesMinor,
  bank_code: told.bankCode,
  same_as: sameAs,
  at: instant(act.at),
});

/**
 * What was announced is booked now, as the booking tells it: less may have been captured than was announced. Another feed of
 * the account may have announced it: that one applies it.
 */
export async function bookAnnounced(
  tx: Tx,
  feedId: string,
  booked: readonly { id: string; told: Transaction }[],
): Promise<void> {
  const feeds: string[] = [];
  for (const { id, told } of booked) {
    const rows = await tx
      .updateTable('bank_transactions')
      .set({
        status: 'booked',
        state: 'pending',
        booked_on: told.bookedOn,
        value_on: told.valueOn,
        amount_minor: told.amountMinor,
        currency: told.currency,
        ...(told.returns === null ? {} : { returns: json(returnsJson(told.returns)) }),
        ...(told.feesMinor === null ? {} : { fees_minor: told.feesMinor }),
        ...(told.remittance === null ? {} : { remittance: told.remittance }),
        ...(told.bankId === null ? {} : { bank_id: told.bankId }),
        ...(told.endToEndId === null ? {} : { end_to_end_id: told.endToEndId }),
      })
      .where('id', '=', id)
      .where('state', '=', 'provisional')
      .returning('feed_id')
      .execute();
    feeds.push(...rows.map((row) => row.feed_id));
  }
  await pokeFeeds(
    tx,
    feeds.filter((one) => one !== feedId),
  );
}

async function insertSightings(
  tx: Tx,
  document: string,
  seen: readonly { id: string; told: Transaction }[],
): Promise<void> {
  await sql`
    insert into sightings (document, position, transaction_id, source)
    select ${document}, * from unnest(${seen.map(({ told }) => told.position)}::text[],
      ${seen.map(({ id }) => id)}::text[], ${seen.map(({ told }) => told.source)}::text[])
    on conflict do nothing`.execute(tx);
}

const returnsJson = (returns: ReturnInformation) => ({
  ...returns,
  originalAmountMinor: returns.originalAmountMinor?.toString() ?? null,
});

/** What a row says that it undoes; null where it undoes nothing. */
export function returnsOf(row: TransactionRow): ReturnInformation | null {
  if (row.returns === null) return null;
  const { originalAmountMinor, ...rest } = row.returns as unknown as Omit<ReturnInformation, 'originalAmountMinor'> & {
    originalAmountMinor: string | null;
  };
  return { ...rest, originalAmountMinor: originalAmountMinor === null ? null : BigInt(originalAmountMinor) };
}

export async function findTransaction(
  db: Db | Tx,
  creditorId: string,
  transactionId: string,
): Promise<TransactionRow | undefined> {
  return await db
    .selectFrom('bank_transactions')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', transactionId)
    .executeTakeFirst();
}
