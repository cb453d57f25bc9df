import { sql, type RawBuilder } from 'kysely';
import { normaliseToken } from '../../domain/matching/tokens.ts';
import type { KnownPayer, Payment } from '../../domain/matching/types.ts';
import type { Db, Tx } from '../database.ts';

interface Payer {
  creditor_id: string;
  payer_iban: string | null;
  payer_name: string | null;
}

/** Customers of one kind of evidence that are looked at: from two on a payer is not known by it. */
const MOST = 5;

/** Money of this payer went to an invoice of the customer: its account and name are known from then on. */
export const learnPayer = (tx: Tx, payer: Payer, customerId: string): Promise<void> => count(tx, payer, customerId, 1);

/** That was undone: what no other match confirms is forgotten. */
export const unlearnPayer = (tx: Tx, payer: Payer, customerId: string): Promise<void> =>
  count(tx, payer, customerId, -1);

async function count(tx: Tx, payer: Payer, customerId: string, by: 1 | -1): Promise<void> {
  const known = [
    { kind: 'account', value: payer.payer_iban },
    { kind: 'name', value: payer.payer_name === null ? null : normaliseToken(payer.payer_name) },
  ].filter(({ value }) => value !== null && value !== '');
  if (known.length === 0) return;
  // Of what is undone it may have been learned before the parent was known by it: then it must be forgotten all the same.
  if (by === 1 && (await isParent(tx, payer, customerId))) return;
  const kinds = known.map(({ kind }) => kind);
  const values = known.map(({ value }) => value);
  if (by === 1) {
    await sql`
      insert into known_payers (creditor_id, kind, value, customer_id, matches)
      select ${payer.creditor_id}, kind, value, ${customerId}, 1
      from unnest(${kinds}::text[], ${values}::text[]) as given (kind, value)
      on conflict (creditor_id, kind, value, customer_id) do update set matches = known_payers.matches + 1`.execute(tx);
    return;
  }
  const where = sql`creditor_id = ${payer.creditor_id} and customer_id = ${customerId}
    and (kind, value) in (select * from unnest(${kinds}::text[], ${values}::text[]))`;
  await sql`delete from known_payers where ${where} and matches = 1`.execute(tx);
  await sql`update known_payers set matches = matches - 1 where ${where} and matches > 1`.execute(tx);
}

/** The parent paid for a subsidiary: that makes its account and name no less its own. */
async function isParent(tx: Tx, payer: Payer, customerId: string): Promise<boolean> {
  const name = payer.payer_name === null ? '' : normaliseToken(payer.payer_name);
  const { rows } = await sql<{ id: string }>`
    select p.id from customers c join customers p on p.id = c.parent_id
    where c.id = ${customerId} and (
      (${name} <> '' and regexp_replace(upper(normalize(p.name, NFKD)), '[^A-Z0-9]', '', 'g') = ${name})
      or exists (select 1 from known_payers k where k.creditor_id = ${payer.creditor_id} and k.customer_id = p.id
        and (k.kind, k.value) in (('account', ${payer.payer_iban}), ('name', ${name}))))`.execute(tx);
  return rows.length > 0;
}

/**
 * The customers that a payer may be, by all that is known of it: its account, a registration number in its text, a name
 * that was learned, the exact name of a customer, the party behind it, and the subsidiaries of any of these.
 */
export const payersOf = (
  db: Db | Tx,
  creditorId: string,
  payment: Payment,
  tokens: readonly string[],
): Promise<KnownPayer[]> =>
  payersBy(
    db,
    creditorId,
    payment,
    tokens,
    (kind, value) => sql`select customer_id from known_payers
      where creditor_id = ${creditorId} and kind = ${kind} and value = ${value}`,
  );

/**
 * The same as it was known before an entry of the journal: from earlier money that stood then. Customers are taken as they
 * are now.
 */
export const payersBefore = (
  db: Db | Tx,
  creditorId: string,
  payment: Payment,
  tokens: readonly string[],
  entryId: bigint,
): Promise<KnownPayer[]> =>
  payersBy(db, creditorId, payment, tokens, (kind, value) => {
    const payer =
      kind === 'account'
        ? sql`r.payer_iban = ${value}`
        : sql`regexp_replace(upper(normalize(r.payer_name, NFKD)), '[^A-Z0-9]', '', 'g') = ${value}`;
    return sql`select distinct i.customer_id from receipts r
      join allocations a on a.receipt_id = r.id join invoices i on i.id = a.invoice_id
      join customers u on u.id = i.customer_id
      join journal_entries j on j.creditor_id = r.creditor_id and j.key = 'allocation:' || a.id
      where r.creditor_id = ${creditorId} and ${payer} and j.id < ${entryId.toString()}::bigint
        and not exists (select 1 from journal_entries x where x.creditor_id = r.creditor_id
          and x.key = 'reversal:' || a.id and x.id < ${entryId.toString()}::bigint)
        -- A parent that pays for a subsidiary stays itself.
        and not exists (select 1 from customers p where p.id = u.parent_id
          and regexp_replace(upper(normalize(p.name, NFKD)), '[^A-Z0-9]', '', 'g')
            = regexp_replace(upper(normalize(r.payer_name, NFKD)), '[^A-Z0-9]', '', 'g'))`;
  });

async function payersBy(
  db: Db | Tx,
  creditorId: string,
  payment: Payment,
  tokens: readonly string[],
  learned: (kind: 'account' | 'name', value: string | null) => RawBuilder<unknown>,
): Promise<KnownPayer[]> {
  const name = payment.payerName === null ? '' : normaliseToken(payment.payerName);
  const ultimate = payment.ultimateName === null ? '' : normaliseToken(payment.ultimateName);
  const numbers = tokens.filter((token) => token.length >= 9 && token.length <= 20 && /\d{8}/.test(token));
  const { rows } = await sql<{ customer_id: string; by: KnownPayer['by']; parent_id: string | null }>`
    with known as (
      (select customer_id, 'account' as by from (${learned('account', payment.payerAccount)}) l limit ${MOST})
      union all
      (select id, 'registration' from customers
        where creditor_id = ${creditorId} and registration_id = any(${numbers}::text[]) limit ${MOST})
      union all
      (select id, 'registration' from customers
        where creditor_id = ${creditorId} and vat_id = any(${numbers}::text[]) limit ${MOST})
      union all
      (select customer_id, 'alias' from (${learned('name', name)}) l where ${name} <> '' limit ${MOST})
      union all
      (select id, case when given.name = ${name} then 'name' else 'ultimateName' end
        from unnest(array[${name}, ${ultimate}]::text[]) as given (name)
        join customers c on c.creditor_id = ${creditorId} and given.name <> ''
          and regexp_replace(upper(normalize(c.name, NFKD)), '[^A-Z0-9]', '', 'g') = given.name
        limit ${2 * MOST})
    )
    select customer_id, by, null as parent_id from known
    union
    select c.id, 'relation', k.customer_id from known k join customers c on c.parent_id = k.customer_id`.execute(db);
  return rows.map((row) => ({
    customerId: row.customer_id,
    by: row.by,
    ...(row.parent_id === null ? {} : { parentId: row.parent_id }),
  }));
}
