import { sql } from 'kysely';
import type { BookEntry } from '../../domain/books/book-lines.ts';
import { JOURNAL_OF, type Chart } from '../../domain/books/chart.ts';
import { vatOf } from '../../domain/books/invoice-vat.ts';
import type { Account, EntryKind } from '../../domain/ledger/postings.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db, Tx } from '../database.ts';
import type { VatLine } from '../types.ts';

/**
 * Numbers what has none yet of the entries up to `to`, in the order of their days: within its journal, currency and
 * financial year each goes on from the last. Only entries that are committed are seen, so one that commits later gets a
 * later number and no gap is left. `on`: the creditor's date, from which they are final (ValidDate).
 */
export async function numberEntries(
  tx: Tx,
  creditorId: string,
  to: LocalDate,
  on: LocalDate,
  chart: Pick<Chart, 'yearBegins'>,
): Promise<void> {
  const kinds = Object.entries(JOURNAL_OF);
  const months = chart.yearBegins - 1;
  await sql`
    with fresh as (
      select e.id, e.on_date, k.journal,
        (select p.currency from postings p where p.entry_id = e.id order by p.line limit 1) as currency,
        (date_trunc('year', e.on_date - make_interval(months => ${months})) + make_interval(months => ${months}))::date as year_from
      from journal_entries e
      join unnest(${kinds.map(([kind]) => kind)}::text[], ${kinds.map(([, journal]) => journal)}::text[]) as k (kind, journal)
        using (kind)
      where e.creditor_id = ${creditorId} and e.on_date <= ${to}::date
        and not exists (select from entry_numbers n where n.entry_id = e.id)
    ),
    given as (
      select journal, currency, year_from, max(number) as number from entry_numbers
      where creditor_id = ${creditorId} group by 1, 2, 3
    )
    insert into entry_numbers (entry_id, creditor_id, journal, currency, year_from, number, validated_on)
    select f.id, ${creditorId}, f.journal, f.currency, f.year_from,
      coalesce(g.number, 0) + row_number() over (partition by f.journal, f.currency, f.year_from order by f.on_date, f.id),
      ${on}::date
    from fresh f left join given g using (journal, currency, year_from)`.execute(tx);
}

/** Currencies in which entries of a period are, besides `but`, with how many there are of each. */
export async function foreignEntries(
  db: Db | Tx,
  creditorId: string,
  period: { from: LocalDate; to: LocalDate },
  but: string,
): Promise<{ currency: string; entries: bigint }[]> {
  const { rows } = await sql<{ currency: string; entries: bigint }>`
    select n.currency, count(*) as entries
    from journal_entries e join entry_numbers n on n.entry_id = e.id
    where e.creditor_id = ${creditorId} and e.on_date between ${period.from} and ${period.to} and n.currency <> ${but}
    group by 1 order by 1`.execute(db);
  return rows;
}

interface EntryRow {
  id: bigint;
  kind: EntryKind;
  on_date: LocalDate;
  currency: string;
  number: number;
  journal: string;
  validated_on: LocalDate;
  postings: { account: Account; amount: string }[];
  piece: string | null;
  piece_on: LocalDate | null;
  invoice_number: string | null;
  issued_on: LocalDate | null;
  gross: bigint | null;
  vat: VatLine[] | null;
  receivable_before: bigint | null;
  credited_before: bigint | null;
  recovered_before: bigint | null;
  doubtful: boolean;
  reference: string | null;
  name: string | null;
}

const BATCH = 2_000;

/**
 * The numbered entries of a period, batch by batch, in the order in which they became final, then by journal and number.
 * `currency`: only of this one.
 */
export async function* bookEntries(
  tx: Db | Tx,
  creditorId: string,
  period: { from: LocalDate; to: LocalDate },
  currency?: string,
): AsyncGenerator<BookEntry[]> {
  let after: Pick<EntryRow, 'validated_on' | 'journal' | 'currency' | 'number' | 'id'> | null = null;
  for (;;) {
    const behind: ReturnType<typeof sql> = after
      ? sql`and (n.validated_on, n.journal, n.currency, n.number, n.entry_id) >
          (${after.validated_on}::date, ${after.journal}, ${after.currency}, ${after.number}, ${after.id.toString()}::bigint)`
      : sql``;
    const { rows } = await sql<EntryRow>`
      with page as (
        select e.id, e.kind, e.on_date, n.currency, n.number, n.journal, n.validated_on
        from journal_entries e join entry_numbers n on n.entry_id = e.id
        where e.creditor_id = ${creditorId} and e.on_date between ${period.from} and ${period.to}
          ${currency === undefined ? sql`` : sql`and n.currency = ${currency}`} ${behind}
        order by n.validated_on, n.journal, n.currency, n.number, n.entry_id limit ${BATCH}
      )
      select e.*, p.postings, coalesce(c.number, i.number, r.external_id, r.id) as piece,
        coalesce(c.issued_on, case when i.id is not null and r.id is null then i.issued_on else r.booked_on end) as piece_on,
        i.number as invoice_number, i.issued_on, i.amount_minor as gross, i.vat, u.reference, u.name,
        (select coalesce(sum(b.amount_minor), 0)::bigint from postings b
          where b.invoice_id = i.id and b.account = 'receivable' and b.entry_id < e.id) as receivable_before,
        case when p.credits then (select coalesce(sum(b.amount_minor), 0)::bigint from postings b
          where b.account = 'unappliedCredit' and b.entry_id in (select x.entry_id from postings x
            where x.invoice_id = i.id and x.account = 'receivable' and x.entry_id < e.id)) else 0 end as credited_before,
        case when p.recovers then (select -coalesce(sum(b.amount_minor), 0)::bigint from postings b
          where b.invoice_id = i.id and b.account = 'recoveries' and b.entry_id < e.id) else 0 end as recovered_before,
        exists (select from doubtful_claims d where d.invoice_id = i.id and d.entry_id < e.id
          and (d.ended_entry_id is null or d.ended_entry_id > e.id)) as doubtful
      from page e
      cross join lateral (
        select jsonb_agg(jsonb_build_object('account', q.account, 'amount', q.amount_minor::text) order by q.line) as postings,
          max(q.invoice_id) as invoice_id, max(q.customer_id) as customer_id, max(q.receipt_id) as receipt_id,
          max(q.credit_note_id) as credit_note_id, bool_or(q.account = 'unappliedCredit') as credits,
          bool_or(q.account = 'recoveries') as recovers
        from postings q where q.entry_id = e.id
      ) as p
      left join invoices i on i.id = p.invoice_id
      left join receipts r on r.id = p.receipt_id
      left join credit_notes c on c.id = p.credit_note_id
      left join customers u on u.id = p.customer_id
      order by e.validated_on, e.journal, e.currency, e.number, e.id`.execute(tx);
    if (rows.length > 0) yield rows.map(entryOf);
    if (rows.length < BATCH) return;
    after = rows.at(-1)!;
  }
}

function entryOf(row: EntryRow): BookEntry {
  return {
    kind: row.kind,
    onDate: row.on_date,
    currency: row.currency,
    number: row.number,
    validatedOn: row.validated_on,
    piece: row.piece ?? String(row.id),
    pieceOn: row.piece_on ?? row.on_date,
    postings: row.postings.map(({ account, amount }) => ({ account, amountMinor: BigInt(amount) })),
    invoice:
      row.invoice_number === null
        ? null
        : {
            number: row.invoice_number,
            issuedOn: row.issued_on!,
            grossMinor: row.gross!,
            vatMinor: vatOf(row.vat ?? [], row.gross!, row.currency),
            extinguishedMinor: row.gross! - row.receivable_before!,
            creditedMinor: row.credited_before!,
            recoveredMinor: row.recovered_before!,
            doubtful: row.doubtful,
          },
    customer: row.reference === null ? null : { reference: row.reference, name: row.name! },
  };
}
