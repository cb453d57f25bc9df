import { sql, type Kysely } from 'kysely';

/**
 * Proof: heads over the chains of all cases of a creditor, the facts behind each decision, and what became of texts that
 * were erased. Conventions as in 0001.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Heads: at most one a business day and creditor. Its leaves are the cases whose chains grew since the head before; none
  // refers to its invoice, so that one that is gone is still missed.
  `create table creditor_heads (
    creditor_id text not null references creditors,
    n int not null check (n > 0),
    on_date date not null,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    cases int not null check (cases > 0),
    root bytea not null,
    prev_hash bytea not null,
    hash bytea not null,
    primary key (creditor_id, n)
  )`,
  `create table creditor_head_leaves (
    creditor_id text not null,
    n int not null,
    invoice_id text not null,
    event_count int not null,
    event_hash bytea not null,
    primary key (creditor_id, n, invoice_id)
  )`,
  `create index creditor_head_leaves_by_invoice on creditor_head_leaves (invoice_id, n)`,
  `create trigger heads_append_only before update or delete on creditor_heads
     for each row execute function refuse_change()`,
  `create trigger head_leaves_append_only before update or delete on creditor_head_leaves
     for each row execute function refuse_change()`,

  // What a case and outreach knew when they decided. No names, addresses or texts: recipients are keys.
  // commanded: the acts of a person's commands in the same turn, before anything was decided.
  `create table case_decisions (
    invoice_id text not null references invoices,
    n int not null check (n > 0),
    run int not null,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    events_before int not null,
    events_after int not null,
    facts jsonb not null,
    customer jsonb not null,
    commanded jsonb not null,
    decisions jsonb not null,
    digest bytea not null,
    primary key (invoice_id, n)
  )`,
  // events: the number of the last event of each of its cases.
  `create table outreach_decisions (
    id bigint generated always as identity primary key,
    customer_id text not null references customers,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    events jsonb not null,
    facts jsonb not null,
    plan jsonb not null,
    digest bytea not null
  )`,
  `create index outreach_decisions_by_customer on outreach_decisions (customer_id, id)`,
  `create trigger case_decisions_append_only before update or delete on case_decisions
     for each row execute function refuse_change()`,
  `create trigger outreach_decisions_append_only before update or delete on outreach_decisions
     for each row execute function refuse_change()`,
  // Tables of public holidays as decisions knew them, each once, by the SHA-256 of its days.
  `create table holiday_tables (
    digest bytea primary key,
    days jsonb not null
  )`,
  // From what a message was rendered; names stand in it, so it goes when the text goes.
  `create table message_models (
    contact_id text primary key references contacts,
    outreach_id bigint references outreach_decisions,
    template text not null,
    model jsonb not null
  )`,
  `create index message_models_by_outreach on message_models (outreach_id)`,

  // Erasure and retention
  `alter table creditors add column retention jsonb not null default '{}'`,
  `alter table contacts add column erased_at timestamptz`,
  `alter table documents add column erased_at timestamptz`,
  `create index contacts_to_erase on contacts (creditor_id, day) where erased_at is null`,
  `create index documents_to_erase on documents (creditor_id, at) where erased_at is null`,
];
