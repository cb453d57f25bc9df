import { sql } from 'kysely';
import type { Db } from '../../db/database.ts';
import { contactCounters } from '../../db/repositories/counters.ts';
import { check as checkLedger } from '../../db/repositories/ledger.ts';
import { formatAmount } from '../../domain/money.ts';
import { daysBetween, type LocalDate } from '../../domain/time/dates.ts';
import { localDate } from '../../domain/time/zones.ts';
import { askedAfterPayment } from '../demo/invariants.ts';
import { money, ZONE } from '../demo/words.ts';
import type { BookYear, YearPayment } from './year.ts';

/** What came of a year of a table, from the database. */
export interface BookFigures {
  readonly cases: {
    readonly opened: number;
    readonly settled: number;
    /** Open ones, by what the table says of their payments: some of it waits on the worklist, or none was told at all; the rest is paid in part. */
    readonly waiting: number;
    readonly unpaid: number;
  };
  readonly contacts: { readonly sent: number; readonly afterPayment: number };
  /** Days of the business clock from the posting date of the payment that settled a case to its settlement, ascending. */
  readonly days: readonly number[];
  /** Seconds of the real clock from the bank's message about it, ascending. */
  readonly seconds: readonly number[];
  readonly payments: {
    readonly received: number;
    /** All of its money went to the very invoices that the table names. */
    readonly asMeant: number;
    /** Some of it went to another invoice. */
    readonly otherwise: readonly string[];
  };
  readonly unapplied: readonly UnappliedSum[];
  /** What is wrong with the books; nothing when they balance. */
  readonly bookProblems: readonly string[];
}

interface UnappliedSum {
  readonly currency: string;
  readonly reason: string;
  /** The rule whose proposal waits for a person; null where there is none. */
  readonly rule: string | null;
  readonly count: number;
  readonly minor: bigint;
}

export async function bookFigures(db: Db, book: BookYear): Promise<BookFigures> {
  return {
    cases: await cases(db, book),
    contacts: await contacts(db),
    ...(await timesToSettled(db)),
    payments: await payments(db, book),
    unapplied: await unapplied(db),
    bookProblems: await checkLedger(db),
  };
}

async function cases(db: Db, book: BookYear): Promise<BookFigures['cases']> {
  const invoices = await db.selectFrom('invoices').select(['number', 'stage']).execute();
  const open = invoices.filter(({ stage }) => stage !== 'settled').map(({ number }) => number);
  const receipts = await db.selectFrom('receipts').select('external_id').where('unapplied_minor', '>', 0n).execute();
  const onWorklist = new Set(receipts.map((receipt) => receipt.external_id));
  const named = (payments: readonly YearPayment[]): Set<string> =>
    new Set(payments.flatMap(({ meant }) => meant ?? []));
  const [waiting, told] = [named(book.payments.filter(({ id }) => onWorklist.has(id))), named(book.payments)];
  return {
    opened: invoices.length,
    settled: invoices.length - open.length,
    waiting: open.filter((number) => waiting.has(number)).length,
    unpaid: open.filter((number) => !told.has(number)).length,
  };
}

async function contacts(db: Db): Promise<BookFigures['contacts']> {
  const { rows } = await sql<{ id: string }>`select id from contacts where sending_real is not null`.execute(db);
  const asked = await askedAfterPayment(
    db,
    rows.map(({ id }) => id),
  );
  const { afterPayment } = await contactCounters(db);
  return { sent: rows.length, afterPayment: Math.max(asked.length, afterPayment) };
}

async function timesToSettled(db: Db): Promise<{ days: number[]; seconds: number[] }> {
  const { rows } = await sql<{ at: number; booked: LocalDate; seconds: number }>`
    select (extract(epoch from s.at) * 1000)::float8 as at, p.booked,
      extract(epoch from s.recorded_at - p.told_at)::float8 as seconds from invoices i
    cross join lateral (select e.at, e.recorded_at from events e
      where e.invoice_id = i.id and e.kind = 'settled' order by e.n desc limit 1) s
    cross join lateral (select max(r.booked_on)::text as booked, max(b.recorded_at) as told_at
      from allocations a join receipts r on r.id = a.receipt_id join inbox b on b.receipt_id = r.id
      where a.invoice_id = i.id and not exists (select 1 from allocation_reversals v where v.allocation_id = a.id)) p
    where i.stage = 'settled' and p.booked is not null`.execute(db);
  const ascending = (values: number[]): number[] => values.toSorted((a, b) => a - b);
  return {
    days: ascending(rows.map(({ at, booked }) => daysBetween(booked, localDate(at, ZONE)))),
    seconds: ascending(rows.map(({ seconds }) => seconds)),
  };
}

async function payments(db: Db, book: BookYear): Promise<BookFigures['payments']> {
  const { rows } = await sql<{ id: string; left: boolean; numbers: string[] }>`
    select r.external_id as id, r.unapplied_minor > 0 as left, array(
      select i.number from allocations a join invoices i on i.id = a.invoice_id where a.receipt_id = r.id
        and not exists (select 1 from allocation_reversals v where v.allocation_id = a.id)) as numbers
    from receipts r`.execute(db);
  const meant = new Map(book.payments.map((payment) => [payment.id, payment.meant ?? []]));
  const same = (id: string, numbers: readonly string[]): boolean =>
    [...numbers].toSorted().join() === [...(meant.get(id) ?? [])].toSorted().join();
  const applied = rows.filter(({ numbers }) => numbers.length > 0);
  return {
    received: rows.length,
    asMeant: applied.filter(({ id, left, numbers }) => !left && same(id, numbers)).length,
    otherwise: applied.filter(({ id, numbers }) => !same(id, numbers)).map(({ id }) => id),
  };
}

async function unapplied(db: Db): Promise<UnappliedSum[]> {
  const { rows } = await sql<UnappliedSum>`
    select r.currency, coalesce(d.reason, 'exceedsBalance') as reason,
      case when d.reason = 'proposeOnly' then d.rivals -> 0 ->> 'rule' end as rule,
      count(*)::int as count, sum(r.unapplied_minor)::bigint as minor
    from receipts r
    left join lateral (select m.* from match_decisions m where m.receipt_id = r.id order by m.id desc limit 1) d on true
    where r.unapplied_minor > 0 group by 1, 2, 3 order by 1, 4 desc, 2, 3`.execute(db);
  return rows;
}

/** The figures as lines for people. */
export function figureLines(book: BookYear, figures: BookFigures): string[] {
  const { cases: own, contacts: sent, days, seconds, payments: paid, unapplied: left, bookProblems } = figures;
  const { invoices, payments: lines } = book.leftOut;
  const others = paid.otherwise.length === 0 ? '' : `: payments ${paid.otherwise.slice(0, 10).join(', ')}`;
  const settled =
    days.length === 0
      ? 'nothing is settled'
      : `median ${quantile(days, 0.5)}, 95 of 100 within ${quantile(days, 0.95)}, worst ${days.at(-1)}; ` +
        `in real time median ${quantile(seconds, 0.5).toFixed(1)} s, worst ${seconds.at(-1)!.toFixed(1)} s`;
  return [
    `${book.table} ${book.year}: ${own.opened} invoices, ${paid.received} payments`,
    row('left out', `${invoices} invoices and ${lines} payments with decimals that their currency does not have`),
    row(
      'cases settled',
      `${ofAll(own.settled, own.opened)}; open ${own.opened - own.settled}: ${own.waiting} wait for money on the worklist, ` +
        `for ${own.unpaid} no payment was told, ${own.opened - own.settled - own.waiting - own.unpaid} are paid in part`,
    ),
    row('contacts sent', String(sent.sent)),
    row('contacts after payment', String(sent.afterPayment)),
    row('days from payment to settled', settled),
    row(
      'applied as the table says',
      `${ofAll(paid.asMeant, paid.received)}; otherwise ${paid.otherwise.length}${others}`,
    ),
    row('unapplied cash', `${left.reduce((sum, { count }) => sum + count, 0)} payments`),
    ...left.map(({ currency, reason, rule, count, minor }) => {
      const why = `${WHY[reason] ?? reason}${rule === null ? '' : ` (${rule})`}`;
      return row('', `${money(formatAmount(minor, currency), currency)} in ${count}: ${why}`);
    }),
    row('books balanced', bookProblems.length === 0 ? 'yes' : `NO: ${bookProblems.slice(0, 3).join('; ')}`),
  ];
}

const row = (name: string, what: string): string => `  ${name.padEnd(30)}${what}`;

const ofAll = (part: number, whole: number): string =>
  `${part} of ${whole}${whole === 0 ? '' : ` (${((part * 100) / whole).toFixed(1)} %)`}`;

const quantile = (ascending: readonly number[], share: number): number =>
  ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? 0;

/** Reasons of decisions, for people. */
const WHY: Readonly<Record<string, string>> = {
  nothingQuoted: 'no invoice is quoted',
  severalQuoted: 'several invoices are quoted and nothing adds up',
  closedQuoted: 'what is quoted is closed',
  otherCurrency: 'what is quoted is in another currency',
  exceedsBalance: 'more than is open on what is quoted',
  notUnique: 'could be for several invoices',
  proposeOnly: 'a proposal waits for a person',
};
