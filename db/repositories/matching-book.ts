import { sql, type RawBuilder, type Selectable } from 'kysely';
import { match } from '../../domain/matching/match.ts';
import { readPayment } from '../../domain/matching/reading.ts';
import {
  MOST_ITEMS,
  type Answer,
  type Decision,
  type Item,
  type MatchingSettings,
  type Payment,
  type Question,
} from '../../domain/matching/types.ts';
import { isCurrency, parseAmount } from '../../domain/money.ts';
import type { Db, Tx } from '../database.ts';
import type { Database } from '../types.ts';
import { payableOn } from './imputation.ts';
import { invoiceTokens } from '../../domain/matching/invoice-tokens.ts';
import { payersBefore, payersOf } from './known-payers.ts';
import { isOpenStage, payableMinor } from './runs.ts';

/** Invoices of exactly one amount that are looked at: from two on the amount alone says nothing. */
const MOST_EQUAL = 10;

/** The books as they were before an entry of the journal. */
export interface BooksBefore {
  entryId: bigint;
}

/**
 * Where a payment belongs, by the books as they are, or as they were before an entry. Reads by index only; the caller
 * allocates under locks.
 */
export async function matchPayment(
  tx: Db | Tx,
  creditorId: string,
  payment: Payment,
  settings: MatchingSettings,
  before: BooksBefore | null = null,
): Promise<Decision> {
  const run = match(payment, settings);
  const reply = (question: Question): Promise<Answer> =>
    before === null
      ? answer(tx, creditorId, payment, question)
      : answerBefore(tx, creditorId, payment, question, before);
  let step = run.next();
  while (!step.done) step = run.next(await reply(step.value));
  return step.value;
}

/**
 * The same by the journal up to an entry: balances are sums of earlier postings. An invoice that was open then has a posting
 * of its receivable before and its sum was above zero. Interest that was claimed then is left out.
 */
async function answerBefore(
  tx: Db | Tx,
  creditorId: string,
  payment: Payment,
  question: Question,
  { entryId }: BooksBefore,
): Promise<Answer> {
  const then = async (where: RawBuilder<unknown>, openOnly: boolean, limit: number | null): Promise<Row[]> => {
    const { rows } = await sql<Row>`
      select * from (
        select i.id, i.customer_id, i.number, i.refs, i.order_reference, i.amount_minor, i.currency, i.issued_on, i.due_on,
          i.discount_minor, i.discount_until, c.country, p.document -> 'tolerance' ->> i.currency as tolerance,
          b.balance_minor, 0::bigint as accessories_minor, b.lost_minor as written_off_minor, r.recovered_minor,
          case when b.balance_minor > 0 then 'reminding' when b.lost_minor > 0 then 'writtenOff' else 'settled' end as stage
        from invoices i
        join customers c on c.id = i.customer_id
        join policies p on p.creditor_id = i.creditor_id and p.name = i.policy_name and p.version = i.policy_version
        join lateral (
          select coalesce(sum(s.amount_minor), 0)::bigint as balance_minor, count(*) as known,
            coalesce(-sum(s.amount_minor) filter (where j.kind in ('writtenOff', 'writeOffUndone')), 0)::bigint as lost_minor
          from postings s join journal_entries j on j.id = s.entry_id
          where s.invoice_id = i.id and s.account = 'receivable' and s.entry_id < ${entryId.toString()}::bigint
        ) b on b.known > 0
        join lateral (
          select coalesce(-sum(s.amount_minor), 0)::bigint as recovered_minor from postings s
          where s.invoice_id = i.id and s.account = 'recoveries' and s.entry_id < ${entryId.toString()}::bigint
        ) r on true
        where i.creditor_id = ${creditorId} and ${where}
      ) then_open
      ${openOnly ? sql`where balance_minor > 0 and issued_on <= ${payment.bookedOn}::date` : sql``}
      order by due_on, id limit ${limit}`.execute(tx);
    return rows;
  };
  switch (question.ask) {
    case 'tokens': {
      const ids = await namedBy(tx, creditorId, question.tokens);
      const rows = await then(sql`i.id = any(${ids}::text[])`, false, null);
      return { items: rows.map(itemOf), truncated: false };
    }
    case 'payer':
      return { payers: await payersBefore(tx, creditorId, payment, readPayment(payment).tokens, entryId) };
    case 'itemsOf': {
      const rows = await then(
        sql`i.customer_id = any(${[...question.customerIds]}::text[]) and i.currency = ${payment.currency}`,
        true,
        MOST_ITEMS + 1,
      );
      return { items: rows.slice(0, MOST_ITEMS).map(itemOf), truncated: rows.length > MOST_ITEMS };
    }
    case 'amount': {
      // Its balance was the amount: the whole invoice is, or it still is, or was until it was paid.
      const minor = sql`${question.amountMinor.toString()}::bigint`;
      const rows = await then(
        sql`i.currency = ${payment.currency} and b.balance_minor = ${minor}
          and (i.amount_minor = ${minor} or i.balance_minor = ${minor} or i.id in (
            select a.invoice_id from allocations a where a.creditor_id = ${creditorId} and a.amount_minor = ${minor}))`,
        true,
        MOST_EQUAL + 1,
      );
      return { items: rows.slice(0, MOST_EQUAL).map(itemOf), truncated: rows.length > MOST_EQUAL };
    }
  }
}

/**
 * The invoices that have one of these tokens. What more than `MOST_ITEMS` of them have in common, such as a contract that
 * stands on every bill, names none of them.
 */
async function namedBy(tx: Db | Tx, creditorId: string, tokens: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ invoice_id: string }>`
    select distinct invoice_id from invoice_tokens
    where creditor_id = ${creditorId} and token = any(${[...tokens]}::text[]) limit ${MOST_ITEMS + 1}`.execute(tx);
  if (rows.length <= MOST_ITEMS) return rows.map((row) => row.invoice_id);
  const few = await sql<{ invoice_id: string }>`
    select distinct invoice_id from (
      select k.invoice_id, count(*) over (partition by t.token) as sharing
      from unnest(${[...tokens]}::text[]) as t (token) cross join lateral (
        select invoice_id from invoice_tokens where creditor_id = ${creditorId} and token = t.token
        limit ${MOST_ITEMS + 1}) k
    ) named where sharing <= ${MOST_ITEMS}`.execute(tx);
  return few.rows.map((row) => row.invoice_id);
}

async function answer(tx: Db | Tx, creditorId: string, payment: Payment, question: Question): Promise<Answer> {
  switch (question.ask) {
    case 'tokens': {
      const ids = await namedBy(tx, creditorId, question.tokens);
      const rows = await loadRows(tx, sql`i.id = any(${ids}::text[])`, null);
      return { items: await Promise.all(rows.map((row) => namedItem(tx, row, payment))), truncated: false };
    }
    case 'payer':
      return { payers: await payersOf(tx, creditorId, payment, readPayment(payment).tokens) };
    case 'itemsOf': {
      const rows = await loadRows(
        tx,
        sql`i.customer_id = any(${[...question.customerIds]}::text[]) and i.currency = ${payment.currency}
          and i.balance_minor > 0 and i.issued_on <= ${payment.bookedOn}::date`,
        MOST_ITEMS + 1,
      );
      return { items: rows.slice(0, MOST_ITEMS).map(itemOf), truncated: rows.length > MOST_ITEMS };
    }
    case 'amount': {
      const rows = await loadRows(
        tx,
        sql`i.creditor_id = ${creditorId} and i.currency = ${payment.currency}
          and i.balance_minor = ${question.amountMinor.toString()}::bigint and i.balance_minor > 0
          and i.issued_on <= ${payment.bookedOn}::date`,
        MOST_EQUAL + 1,
      );
      return { items: rows.slice(0, MOST_EQUAL).map(itemOf), truncated: rows.length > MOST_EQUAL };
    }
  }
}

type Row = Pick<
  Selectable<Database['invoices']>,
  | 'id'
  | 'customer_id'
  | 'number'
  | 'refs'
  | 'order_reference'
  | 'stage'
  | 'amount_minor'
  | 'balance_minor'
  | 'accessories_minor'
  | 'written_off_minor'
  | 'recovered_minor'
  | 'currency'
  | 'issued_on'
  | 'due_on'
  | 'discount_minor'
  | 'discount_until'
> & { country: string; tolerance: string | null };

async function loadRows(tx: Db | Tx, where: RawBuilder<unknown>, limit: number | null): Promise<Row[]> {
  const { rows } = await sql<Row>`
    select i.id, i.customer_id, i.number, i.refs, i.order_reference, i.stage, i.amount_minor, i.balance_minor,
      i.accessories_minor, i.written_off_minor, i.recovered_minor, i.currency, i.issued_on, i.due_on, i.discount_minor,
      i.discount_until, c.country, p.document -> 'tolerance' ->> i.currency as tolerance
    from invoices i
    join customers c on c.id = i.customer_id
    join policies p on p.creditor_id = i.creditor_id and p.name = i.policy_name and p.version = i.policy_version
    where ${where} order by i.due_on, i.id limit ${limit}`.execute(tx);
  return rows;
}

/** One that the text names: who pays more than the balance may pay the interest that was claimed with it. */
async function namedItem(tx: Db | Tx, row: Row, payment: Payment): Promise<Item> {
  const item = itemOf(row);
  if (!item.open || payment.amountMinor <= item.balanceMinor) return item;
  return { ...item, payableMinor: await payableOn(tx, row, payment.bookedOn) };
}

function itemOf(row: Row): Item {
  const balanceMinor = payableMinor(row);
  const untouched = row.balance_minor === row.amount_minor && isOpenStage(row.stage);
  return {
    invoiceId: row.id,
    customerId: row.customer_id,
    tokens: invoiceTokens({ number: row.number, references: row.refs, orderReference: row.order_reference }),
    open: balanceMinor > 0n,
    chased: isOpenStage(row.stage),
    balanceMinor,
    payableMinor: balanceMinor,
    currency: row.currency,
    issuedOn: row.issued_on,
    dueOn: row.due_on,
    country: row.country,
    toleranceMinor: row.tolerance === null || !isCurrency(row.currency) ? 0n : parseAmount(row.tolerance, row.currency),
    discount:
      untouched && row.discount_minor !== null && row.discount_until !== null
        ? { until: row.discount_until, amountMinor: row.discount_minor }
        : null,
  };
}
