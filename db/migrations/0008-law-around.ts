import { sql, type Kysely } from 'kysely';

/** What the law around a claim asks to be kept: terms, limitation, e-invoice statuses, who collects for whom. Conventions as in 0001. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // terms: how the payment term was agreed. mentions: what the text of the e-invoice shows; null where none was read.
  `alter table invoices
     add column terms jsonb,
     add column mentions jsonb,
     add column limitation_years int check (limitation_years between 1 and 10)`,
  `alter table import_rows add column warnings jsonb not null default '[]'`,
  // collects_for: for whom the creditor collects, with all that the law asks of it; null: for itself.
  `alter table creditors
     add column payment_sent_days int not null default 7 check (payment_sent_days between 0 and 60),
     add column collects_for jsonb`,

  // What interrupts or suspends limitation. unconfirmed: perhaps an acknowledgement, a person has not said yet. What
  // somebody wrote about it stands on the timeline.
  `create table limitation_events (
    id text primary key,
    seq bigint generated always as identity unique,
    invoice_id text not null references invoices,
    kind text not null,
    on_date date not null,
    until_date date,
    status text not null check (status in ('unconfirmed', 'counts', 'refused')),
    actor text not null,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    unique (invoice_id, kind, on_date),
    check (until_date is null or until_date >= on_date)
  )`,

  // Statuses of the e-invoice as its platforms report them. effect: what the case made of it.
  `create table lifecycle_statuses (
    id text primary key,
    seq bigint generated always as identity unique,
    invoice_id text not null references invoices,
    code text not null,
    status_at timestamptz not null,
    amount_minor bigint,
    effect text not null,
    hold_id text references holds,
    task_id text references tasks,
    dispute_id text references disputes,
    actor text not null,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    unique (invoice_id, code, status_at)
  )`,
];
