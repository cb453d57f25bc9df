import { sql, type Kysely } from 'kysely';

/**
 * The roll-up behind the aged balance (`repositories/receivable-sums.ts`): what each posting to a receivable changes, by due
 * day and posting day, and the sums that these changes are folded into. Conventions as in 0001.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // A due date that was moved: up to the day before `on_date` the invoice was due on `from_on`. What a report says of a
  // day that is over does not change with a date that is moved later.
  `create table due_date_changes (
    id bigint generated always as identity primary key,
    invoice_id text not null references invoices,
    on_date date not null,
    from_on date not null,
    to_on date not null
  )`,
  `create index due_date_changes_by_invoice on due_date_changes (invoice_id, id)`,
  `insert into due_date_changes (invoice_id, on_date, from_on, to_on)
     select e.invoice_id, (e.at at time zone c.time_zone)::date, (e.data->>'from')::date, (e.data->>'to')::date
     from events e join invoices i on i.id = e.invoice_id join creditors c on c.id = i.creditor_id
     where e.kind = 'dueDateChanged' order by e.invoice_id, e.n`,
  // On which day an invoice was due, seen from the end of \`day\`. \`due_on\` is the date that it has now.
  `create function due_on_at(invoice text, due_on date, day date) returns date stable language sql as $$
     select coalesce(
       (select to_on from due_date_changes where invoice_id = invoice and on_date <= day order by id desc limit 1),
       (select from_on from due_date_changes where invoice_id = invoice order by id limit 1),
       due_on)
   $$`,

  // Append-only until the worker folds it: no row that many transactions would have to wait for. Codes are compared byte by
  // byte in both tables: a report groups by nothing else.
  `create table receivable_deltas (
    id bigint generated always as identity primary key,
    creditor_id text collate "C" not null,
    currency text collate "C" not null,
    due_on date not null,
    on_date date not null,
    amount_minor bigint not null
  )`,
  `create index receivable_deltas_of_creditor on receivable_deltas (creditor_id)`,
  // grain: what \`from_on\` begins, a year, a month, a day of posting, or all there is ('-infinity'); 'old' is all there is
  // with due months, by their first day, in place of due days. Each posting is in all five.
  `create table receivable_sums (
    creditor_id text collate "C" not null references creditors,
    grain text collate "C" not null check (grain in ('all', 'old', 'year', 'month', 'day')),
    from_on date not null,
    currency text collate "C" not null,
    due_on date not null,
    amount_minor bigint not null,
    primary key (creditor_id, grain, from_on, due_on, currency)
  ) with (fillfactor = 70)`,

  // Where an amount of an invoice stands that was posted on \`day\`: under the due day of that day and, for each move of the due
  // date since, from that day on under another one.
  `create function receivable_moves(invoice text, due_now date, day date)
     returns table (due_on date, on_date date, sign int) stable language sql as $$
       select due_on_at(invoice, due_now, day), day, 1
       union all
       select side.due_on, c.on_date, side.sign from due_date_changes c,
         lateral (values (c.from_on, -1), (c.to_on, 1)) as side (due_on, sign)
       where c.invoice_id = invoice and c.on_date > day
   $$`,
  // One row for each posting to a receivable; the few invoices whose due date was moved take the longer way.
  `create function receivables_posted() returns trigger language plpgsql as $$
     begin
       insert into receivable_deltas (creditor_id, currency, due_on, on_date, amount_minor)
       select p.creditor_id, p.currency, i.due_on, e.on_date, p.amount_minor
       from posted p join journal_entries e on e.id = p.entry_id join invoices i on i.id = p.invoice_id
       where p.account = 'receivable' and not exists (select from due_date_changes c where c.invoice_id = i.id)
       union all
       select p.creditor_id, p.currency, moved.due_on, moved.on_date, moved.sign * p.amount_minor
       from posted p join journal_entries e on e.id = p.entry_id join invoices i on i.id = p.invoice_id
       cross join lateral receivable_moves(i.id, i.due_on, e.on_date) as moved
       where p.account = 'receivable' and exists (select from due_date_changes c where c.invoice_id = i.id);
       return null;
     end $$`,
  `create trigger postings_receivable after insert on postings referencing new table as posted
     for each statement execute function receivables_posted()`,
  // The move itself takes along what is on record: from its day, or from the posting's own where that is later.
  `create function due_date_moved() returns trigger language plpgsql as $$
     begin
       insert into receivable_deltas (creditor_id, currency, due_on, on_date, amount_minor)
       select p.creditor_id, p.currency, side.due_on, greatest(e.on_date, new.on_date), sum(side.sign * p.amount_minor)
       from postings p join journal_entries e on e.id = p.entry_id
       cross join (values (new.from_on, -1), (new.to_on, 1)) as side (due_on, sign)
       where p.invoice_id = new.invoice_id and p.account = 'receivable'
       group by p.creditor_id, p.currency, side.due_on, greatest(e.on_date, new.on_date)
       having sum(p.amount_minor) <> 0;
       return null;
     end $$`,
  `create trigger due_date_changes_moved after insert on due_date_changes for each row execute function due_date_moved()`,
  // What is on record already.
  `insert into receivable_deltas (creditor_id, currency, due_on, on_date, amount_minor)
     select p.creditor_id, p.currency, moved.due_on, moved.on_date, sum(moved.sign * p.amount_minor)
     from postings p join journal_entries e on e.id = p.entry_id join invoices i on i.id = p.invoice_id
     cross join lateral receivable_moves(i.id, i.due_on, e.on_date) as moved
     where p.account = 'receivable'
     group by p.creditor_id, p.currency, moved.due_on, moved.on_date
     having sum(moved.sign * p.amount_minor) <> 0`,

  // Reports and exports read the journal by its days.
  `create index journal_entries_by_day on journal_entries (creditor_id, on_date, id)`,
  `create index customers_of_creditor on customers (creditor_id, seq)`,
  `create index disputes_standing on disputes (coalesce(resolved_on, 'infinity'), opened_on)`,
];
