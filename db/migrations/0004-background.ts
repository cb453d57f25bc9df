import { sql, type Kysely } from 'kysely';

/** What is done to many cases in the background: roll-outs of policies and bulk commands. Conventions as in the spine. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // planned_to: the last customer whose cases are listed. total: open cases under another version when it began.
  `create table rollouts (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    policy text not null,
    version int not null,
    dry_run boolean not null,
    dry_run_id text references rollouts,
    filter jsonb not null,
    status text not null default 'planning' check (status in ('planning', 'running', 'done', 'failed')),
    code text,
    total int,
    planned_to text,
    actor text not null,
    reason text,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    foreign key (creditor_id, policy, version) references policies (creditor_id, name, version),
    check (dry_run_id is null or not dry_run)
  )`,
  `create unique index rollouts_one_running on rollouts (creditor_id, policy)
     where not dry_run and status in ('planning', 'running')`,
  `create table rollout_cases (
    rollout_id text not null references rollouts,
    seq bigint generated always as identity unique,
    invoice_id text not null references invoices,
    customer_id text not null references customers,
    status text not null
      check (status in ('listed', 'affected', 'moved', 'unchanged', 'refused', 'differs', 'skipped')),
    code text,
    before jsonb not null,
    after jsonb not null,
    listed_on date not null,
    listed_until date not null,
    primary key (rollout_id, invoice_id)
  )`,
  `create index rollout_cases_in_order on rollout_cases (rollout_id, seq)`,
  `create index rollout_cases_to_move on rollout_cases (rollout_id, customer_id) where status = 'listed'`,

  `create table bulk_commands (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    kind text not null,
    args jsonb not null,
    filter jsonb not null,
    dry_run boolean not null,
    dry_run_id text unique references bulk_commands,
    status text not null check (status in ('running', 'done')),
    role text not null,
    actor text not null,
    reason text,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    check (dry_run = (dry_run_id is null))
  )`,
  `create table bulk_cases (
    bulk_id text not null references bulk_commands,
    seq bigint generated always as identity unique,
    invoice_id text not null references invoices,
    status text not null default 'pending' check (status in ('pending', 'done', 'refused')),
    code text,
    primary key (bulk_id, invoice_id)
  )`,
  `create index bulk_cases_in_order on bulk_cases (bulk_id, seq)`,
];
