import { sql, type Kysely } from 'kysely';

/**
 * The branches beyond the ladder: instalment plans, letters and their post, formal notice, agencies, write-off and
 * recovery, insolvency, replies. Conventions as in the spine.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Requests besides the ladder (`~thankYou`, `~plan:…`) wait beside the case's one open step.
  `drop index case_steps_one_open`,
  `create unique index case_steps_one_open on case_steps (invoice_id)
     where status in ('awaitingApproval', 'requested', 'queued') and step <> '~thankYou' and step not like '~plan:%'`,
  // What the step asked for when it was asked: an approval or a formal notice is good for this amount only.
  `alter table case_steps add column amount_minor bigint`,

  // A step that a person pulled forward; its own day is this one.
  `alter table invoices add column step_now text, add column step_now_on date`,
  // Kept totals of the journal: what was booked as a loss and what of it came later after all.
  `alter table invoices
     add column written_off_minor bigint not null default 0 check (written_off_minor >= 0),
     add column recovered_minor bigint not null default 0 check (recovered_minor >= 0),
     add check (recovered_minor <= written_off_minor)`,
  `alter table creditors
     add column default_agency text,
     add column reply_hold_working_days int not null default 3 check (reply_hold_working_days between 0 and 60)`,

  // Instalment plans -------------------------------------------------------------------------------------------------
  `create table plans (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    customer_id text not null references customers,
    currency text not null,
    total_minor bigint not null check (total_minor > 0),
    grace_days int not null,
    status text not null default 'active' check (status in ('active', 'kept', 'broken', 'cancelled')),
    agreed_on date not null,
    ended_on date,
    -- What had been paid of it when it ended; while it is active that follows from the balances of its invoices.
    paid_minor bigint,
    replaces text references plans,
    actor text not null,
    at timestamptz not null,
    check ((status = 'active') = (ended_on is null)),
    check ((status = 'active') = (paid_minor is null))
  )`,
  `create index plans_by_customer on plans (customer_id)`,
  `create table plan_instalments (
    plan_id text not null references plans,
    n int not null,
    due_on date not null,
    amount_minor bigint not null check (amount_minor > 0),
    primary key (plan_id, n)
  )`,
  // amount_minor: what the invoice owed when the plan was agreed; what its balance has fallen since counts for the plan.
  `create table plan_invoices (
    plan_id text not null references plans,
    invoice_id text not null references invoices,
    amount_minor bigint not null check (amount_minor > 0),
    primary key (plan_id, invoice_id)
  )`,
  `create index plan_invoices_by_invoice on plan_invoices (invoice_id)`,

  // Letters and their post -------------------------------------------------------------------------------------------
  `create table print_batches (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    letters int not null,
    pages int not null,
    pdf bytea not null,
    manifest text not null,
    actor text not null,
    at timestamptz not null
  )`,
  `alter table contacts
     add column print_batch_id text references print_batches,
     add column dispatched_on date,
     add column delivered_on date,
     add column refused_on date,
     add column returned_on date,
     add column tracking_number text`,
  `create index contacts_to_print on contacts (creditor_id, seq)
     where channel in ('letter', 'registeredLetter') and status = 'queued'`,
  `alter table documents drop constraint documents_kind_check`,
  `alter table documents add constraint documents_kind_check check (kind in
     ('email', 'callScript', 'letter', 'invoice', 'agencyFile', 'claimDeclaration'))`,

  // Agencies and what is placed with them ----------------------------------------------------------------------------
  `create table agencies (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    name text not null,
    reference text,
    fee_text text,
    email text,
    address jsonb,
    deliver_by text not null check (deliver_by in ('download', 'email', 'webhook')),
    webhook_url text,
    secrets jsonb not null default '[]',
    created_at timestamptz not null,
    closed_at timestamptz
  )`,
  `alter table creditors add foreign key (default_agency) references agencies`,
  `alter table api_keys add foreign key (agency_id) references agencies`,
  `create table placements (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    customer_id text not null references customers,
    invoice_id text not null references invoices,
    agency_id text not null references agencies,
    run int not null,
    status text not null default 'active' check (status in ('active', 'givenUp', 'recalled', 'ended')),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    placed_on date not null,
    ended_on date,
    end_reason text,
    actor text not null,
    at timestamptz not null
  )`,
  // An agency that gave up still has the file until it is recalled or the case closes.
  `create unique index placements_one_open on placements (invoice_id) where status in ('active', 'givenUp')`,
  `create index placements_by_agency on placements (agency_id, seq)`,
  // What an agency has to be told, in order; the workflow of the agency delivers it.
  `create table agency_messages (
    id bigint generated always as identity primary key,
    agency_id text not null references agencies,
    placement_id text not null references placements,
    kind text not null check (kind in ('handover', 'balance', 'recall')),
    data jsonb not null,
    status text not null default 'pending' check (status in ('pending', 'sent', 'failed')),
    attempts int not null default 0,
    error_code text,
    document_id text references documents,
    at timestamptz not null,
    sent_at timestamptz
  )`,
  `create index agency_messages_pending on agency_messages (agency_id, id) where status = 'pending'`,
  `create table agency_reports (
    id text primary key,
    seq bigint generated always as identity unique,
    placement_id text not null references placements,
    kind text not null check (kind in ('payment', 'givenUp', 'documentsWanted', 'note')),
    reference text,
    amount_minor bigint check (amount_minor > 0),
    on_date date not null,
    receipt_id text references receipts,
    task_id text,
    note text,
    actor text not null,
    at timestamptz not null,
    unique (placement_id, reference)
  )`,
  // Money that an agency had collected and has sent on: what a receipt gave to the account of that agency.
  `create table agency_remittances (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    agency_id text not null references agencies,
    receipt_id text not null references receipts,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    on_date date not null,
    undone_on date,
    actor text not null,
    at timestamptz not null
  )`,
  `create index agency_remittances_by_agency on agency_remittances (agency_id, seq)`,
  `create index agency_remittances_by_receipt on agency_remittances (receipt_id)`,

  // Insolvency and replies -------------------------------------------------------------------------------------------
  `create table insolvencies (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    customer_id text not null references customers,
    kind text not null check (kind in ('safeguard', 'receivership', 'liquidation', 'other')),
    judgment_on date not null,
    published_on date,
    declare_by date,
    trustee text,
    status text not null default 'open' check (status in ('open', 'closed')),
    outcome text check (outcome in ('withdrawn', 'planAdopted', 'paid', 'noAssets')),
    closed_on date,
    actor text not null,
    at timestamptz not null,
    check ((status = 'open') = (closed_on is null))
  )`,
  `create unique index insolvencies_one_open on insolvencies (customer_id) where status = 'open'`,
  `create table inbound_messages (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    customer_id text not null references customers,
    channel text not null check (channel in ('email', 'call', 'letter')),
    received_at timestamptz not null,
    text text,
    invoice_ids text[] not null default '{}',
    hold_id text references holds,
    task_id text references tasks,
    actor text not null,
    at timestamptz not null
  )`,
  `create index inbound_by_customer on inbound_messages (customer_id, seq)`,

  // What an agency says of money it collected is money of its own account until it remits it.
  `alter table postings drop constraint postings_account_check`,
  `alter table postings add constraint postings_account_check check (account in ('receivable', 'sales', 'bank', 'agency',
     'unappliedCash', 'creditNotes', 'unappliedCredit', 'differences', 'losses', 'recoveries', 'interest', 'costs'))`,
  `alter table outbox drop constraint outbox_kind_check`,
  `alter table outbox add constraint outbox_kind_check check (kind in
     ('startCase', 'signalCase', 'pokeOutreach', 'pokeFeed', 'pokeAgency', 'startImport', 'startRollout', 'startBulk'))`,
];
