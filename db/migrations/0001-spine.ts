import { sql, type Kysely } from 'kysely';

/**
 * The spine. Conventions: `*_minor` are integer minor units of the row's currency; `*_on` are plain dates in the
 * creditor's zone (`customers`' zone for `contacts.day` and `case_steps.*_on`); `at` and other `*_at` are business
 * instants (design rule 8); `recorded_at` and `*_real` are the real clock. `seq` orders lists, newest first.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Who owns what --------------------------------------------------------------------------------------------------
  `create table creditors (
    id text primary key,
    seq bigint generated always as identity unique,
    name text not null,
    country text not null check (country ~ '^[A-Z]{2}$'),
    time_zone text not null,
    locale text not null,
    sender_email text not null,
    reply_to text,
    address jsonb,
    registration_id text,
    vat_id text,
    iban text,
    default_policy text,
    payment_days int not null default 30 check (payment_days between 0 and 365),
    closed_weeks jsonb not null default '[]',
    created_at timestamptz not null
  )`,
  `create table api_keys (
    id text primary key,
    creditor_id text references creditors,
    name text not null,
    role text not null check (role in ('admin', 'operator', 'approver', 'agency')),
    agency_id text,
    hash bytea not null unique,
    created_at timestamptz not null,
    revoked_at timestamptz,
    check ((role = 'admin') = (creditor_id is null))
  )`,
  `create table policies (
    creditor_id text not null references creditors,
    name text not null,
    version int not null check (version > 0),
    document jsonb not null,
    created_at timestamptz not null,
    created_by text not null,
    primary key (creditor_id, name, version)
  )`,
  `create table customers (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    reference text not null,
    name text not null,
    kind text not null check (kind in ('business', 'consumer', 'publicBody')),
    country text not null check (country ~ '^[A-Z]{2}$'),
    locale text not null,
    time_zone text not null,
    registration_id text,
    vat_id text,
    address jsonb,
    contacts jsonb not null default '[]',
    policy text,
    outreach_wake_at timestamptz,
    created_at timestamptz not null,
    unique (creditor_id, reference)
  )`,
  // Names as they are compared with a payer's: letters and digits only, accents folded (db/repositories/unapplied.ts).
  `create index customers_by_name on customers
     (creditor_id, regexp_replace(upper(normalize(name, NFKD)), '[^A-Z0-9]', '', 'g'))`,
  // An e-invoice names its buyer by these.
  `create index customers_by_registration on customers (creditor_id, registration_id) where registration_id is not null`,
  `create index customers_by_vat_id on customers (creditor_id, vat_id) where vat_id is not null`,
  // A bounced or complaining address is never written to again by this creditor.
  `create table stopped_addresses (
    creditor_id text not null references creditors,
    email text not null,
    reason text not null,
    contact_id text,
    at timestamptz not null,
    lifted_at timestamptz,
    primary key (creditor_id, email)
  )`,

  // Invoices and their cases ---------------------------------------------------------------------------------------
  `create table invoices (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    customer_id text not null references customers,
    number text not null,
    issued_on date not null,
    due_on date not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    vat jsonb not null default '[]',
    refs text[] not null default '{}',
    order_reference text,
    collection_method text not null default 'transfer' check (collection_method in ('transfer', 'directDebit')),
    collection_on date,
    collection_failed_on date,
    collection_asked_on date,
    chase_from date,
    last_step_sent text,
    policy_name text not null,
    policy_version int not null,
    limitation_on date,
    registered_at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    run int not null default 1 check (run > 0),
    balance_minor bigint not null check (balance_minor >= 0),
    stage text not null default 'upcoming' check (stage in
      ('upcoming', 'reminding', 'formalNotice', 'placed', 'writtenOff', 'settled', 'cancelled')),
    next jsonb,
    wake_at timestamptz,
    turned_at timestamptz,
    event_count int not null default 0,
    event_hash bytea not null default '\\x',
    unique (creditor_id, number),
    foreign key (creditor_id, policy_name, policy_version) references policies,
    check (due_on >= issued_on)
  )`,
  `create index invoices_by_customer on invoices (customer_id) where stage not in ('writtenOff', 'settled', 'cancelled')`,
  `create index invoices_of_creditor on invoices (creditor_id, seq)`,
  `create index invoices_by_wake on invoices (customer_id, wake_at) where wake_at is not null`,
  `create table invoice_tokens (
    creditor_id text not null,
    token text not null,
    invoice_id text not null references invoices,
    primary key (creditor_id, token, invoice_id)
  )`,
  `create table invoice_files (
    invoice_id text primary key references invoices,
    filename text not null,
    content_type text not null,
    bytes bytea not null,
    sha256 bytea not null,
    at timestamptz not null
  )`,
  // One row a run of the case: closed_on to the next run's opened_on counts as held (design rule 9).
  `create table case_runs (
    invoice_id text not null references invoices,
    run int not null,
    opened_on date not null,
    closed_on date,
    closed_stage text,
    stage_before text,
    primary key (invoice_id, run)
  )`,
  // What became of each step, and the open request of outreach: at most one row a step and occurrence is not withdrawn.
  `create table case_steps (
    id bigint generated always as identity primary key,
    invoice_id text not null references invoices,
    customer_id text not null references customers,
    step text not null,
    occurrence int not null default 1,
    status text not null check (status in
      ('awaitingApproval', 'requested', 'queued', 'left', 'failed', 'merged', 'skipped', 'withdrawn')),
    channel text not null,
    planned_at timestamptz not null,
    planned_on date not null,
    left_at timestamptz,
    left_on date,
    reanchors boolean not null default false,
    approved boolean not null default false,
    contact_id text,
    task_id text,
    reason text,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp()
  )`,
  `create unique index case_steps_once on case_steps (invoice_id, step, occurrence) where status <> 'withdrawn'`,
  // Thanks are no step of the ladder: they may still wait when the case is reopened.
  `create unique index case_steps_one_open on case_steps (invoice_id)
     where status in ('awaitingApproval', 'requested', 'queued') and step <> '~thankYou'`,
  `create index case_steps_open_by_customer on case_steps (customer_id) where status in ('requested', 'queued')`,

  // Money (design rule 7) --------------------------------------------------------------------------------------------
  `create table journal_entries (
    id bigint generated always as identity primary key,
    creditor_id text not null references creditors,
    kind text not null,
    key text not null,
    on_date date not null,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    actor text not null,
    unique (creditor_id, key)
  )`,
  `create table postings (
    entry_id bigint not null references journal_entries,
    line int not null,
    creditor_id text not null,
    account text not null check (account in ('receivable', 'sales', 'bank', 'unappliedCash', 'creditNotes',
      'unappliedCredit', 'differences', 'losses', 'recoveries', 'interest', 'costs')),
    invoice_id text references invoices,
    customer_id text references customers,
    receipt_id text,
    credit_note_id text,
    currency text not null,
    amount_minor bigint not null check (amount_minor <> 0),
    primary key (entry_id, line),
    check ((account = 'receivable') = (invoice_id is not null) or account in
      ('differences', 'losses', 'recoveries', 'interest', 'costs', 'sales', 'creditNotes', 'unappliedCash'))
  )`,
  `create index postings_by_invoice on postings (invoice_id) where account = 'receivable'`,
  `create index postings_by_receipt on postings (receipt_id) where receipt_id is not null`,
  `create index postings_by_credit_note on postings (credit_note_id) where credit_note_id is not null`,
  `create function refuse_change() returns trigger language plpgsql as $$
     begin raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation'; end $$`,
  `create function entry_balances() returns trigger language plpgsql as $$
     begin
       if exists (select 1 from postings where entry_id = new.entry_id group by currency having sum(amount_minor) <> 0) then
         raise exception 'journal entry % does not balance', new.entry_id using errcode = 'check_violation';
       end if;
       return null;
     end $$`,
  `create constraint trigger postings_balance after insert on postings
     deferrable initially deferred for each row execute function entry_balances()`,
  `create trigger journal_append_only before update or delete on journal_entries
     for each row execute function refuse_change()`,
  `create trigger postings_append_only before update or delete on postings for each row execute function refuse_change()`,

  `create table feeds (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    kind text not null check (kind in ('standard', 'qonto', 'bridge', 'stripe', 'gocardless', 'file')),
    name text not null,
    iban text,
    secrets jsonb not null default '[]',
    created_at timestamptz not null,
    deleted_at timestamptz
  )`,
  // What a bank told us, as it came; unique twice, since two webhook ids can carry one transaction.
  `create table inbox (
    id bigint generated always as identity primary key,
    feed_id text not null references feeds,
    creditor_id text not null references creditors,
    webhook_id text not null,
    data_key text,
    body bytea not null,
    received_at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    status text not null default 'pending' check (status in ('pending', 'applied', 'unreadable', 'waiting')),
    receipt_id text,
    original_id text,
    error_code text,
    unique (feed_id, webhook_id),
    unique (feed_id, data_key)
  )`,
  `create index inbox_pending on inbox (feed_id, id) where status in ('pending', 'waiting')`,
  `create table receipts (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    customer_id text references customers,
    feed_id text references feeds,
    external_id text,
    booked_on date not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    unapplied_minor bigint not null check (unapplied_minor >= 0),
    returned_minor bigint not null default 0 check (returned_minor >= 0),
    payer_name text,
    payer_iban text,
    remittance text,
    end_to_end_id text,
    method text,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    unique (feed_id, external_id),
    check (unapplied_minor + returned_minor <= amount_minor)
  )`,
  `create index receipts_unapplied on receipts (creditor_id, seq) where unapplied_minor > 0`,
  `create index receipts_by_payer on receipts (creditor_id, payer_iban) where payer_iban is not null`,
  `create table receipt_returns (
    id text primary key,
    receipt_id text not null references receipts,
    feed_id text references feeds,
    external_id text,
    amount_minor bigint not null check (amount_minor > 0),
    booked_on date not null,
    reason_code text,
    at timestamptz not null,
    unique (feed_id, external_id)
  )`,
  `create table credit_notes (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    customer_id text not null references customers,
    invoice_id text references invoices,
    number text not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    unapplied_minor bigint not null check (unapplied_minor >= 0 and unapplied_minor <= amount_minor),
    issued_on date not null,
    reason text,
    at timestamptz not null,
    unique (creditor_id, number)
  )`,
  `create table allocations (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    receipt_id text references receipts,
    credit_note_id text references credit_notes,
    invoice_id text not null references invoices,
    amount_minor bigint not null check (amount_minor > 0),
    on_date date not null,
    rule text not null,
    actor text not null,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    check (num_nonnulls(receipt_id, credit_note_id) = 1)
  )`,
  `create index allocations_by_invoice on allocations (invoice_id)`,
  `create index allocations_by_receipt on allocations (receipt_id) where receipt_id is not null`,
  `create index allocations_by_credit_note on allocations (credit_note_id) where credit_note_id is not null`,
  `create table allocation_reversals (
    allocation_id text primary key references allocations,
    reason text not null,
    on_date date not null,
    actor text not null,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp()
  )`,
  `create trigger allocations_append_only before update or delete on allocations
     for each row execute function refuse_change()`,
  `create trigger reversals_append_only before update or delete on allocation_reversals
     for each row execute function refuse_change()`,

  // What customers say, and what holds a case -----------------------------------------------------------------------
  `create table promises (
    id text primary key,
    seq bigint generated always as identity unique,
    invoice_id text not null references invoices,
    amount_minor bigint check (amount_minor > 0),
    pay_on date not null,
    grace_days int not null,
    promised_by text,
    holds boolean not null,
    made_on date not null,
    paid_before_minor bigint not null,
    status text not null default 'active' check (status in ('active', 'kept', 'broken', 'withdrawn')),
    ended_on date,
    at timestamptz not null,
    check ((status = 'active') = (ended_on is null))
  )`,
  `create index promises_by_invoice on promises (invoice_id)`,
  `create table disputes (
    id text primary key,
    seq bigint generated always as identity unique,
    invoice_id text not null references invoices,
    amount_minor bigint check (amount_minor > 0),
    category text not null check (category in
      ('price', 'quantity', 'quality', 'delivery', 'duplicate', 'alreadyPaid', 'missingDocument', 'other')),
    note text,
    opened_on date not null,
    status text not null default 'open' check (status in ('open', 'upheld', 'rejected', 'partly', 'closed')),
    resolved_on date,
    resolution_note text,
    credit_note_id text references credit_notes,
    at timestamptz not null,
    check ((status = 'open') = (resolved_on is null))
  )`,
  `create index disputes_by_invoice on disputes (invoice_id)`,
  // Holds that are not promises or disputes. invoice_id null: all cases of the customer.
  `create table holds (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    customer_id text not null references customers,
    invoice_id text references invoices,
    kind text not null check (kind in ('pause', 'approval', 'insolvency', 'unappliedCash', 'customer', 'plan')),
    reason text,
    from_on date not null,
    until_on date,
    lifted_on date,
    lifted_at timestamptz,
    source_id text,
    actor text not null,
    at timestamptz not null
  )`,
  `create index holds_by_customer on holds (customer_id)`,
  `create index holds_by_invoice on holds (invoice_id) where invoice_id is not null`,
  `create index holds_by_source on holds (source_id) where source_id is not null`,

  // What leaves -----------------------------------------------------------------------------------------------------
  `create table contacts (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    customer_id text not null references customers,
    kind text not null check (kind in ('beforeDue', 'reminder', 'formalNotice', 'plan', 'thankYou')),
    channel text not null check (channel in ('email', 'call', 'letter', 'registeredLetter')),
    status text not null check (status in
      ('queued', 'sending', 'sent', 'delivered', 'failed', 'unknown', 'withdrawn')),
    reference text not null unique,
    sender text not null,
    reply_to text,
    recipients text[] not null,
    cc text[] not null default '{}',
    recipient_key text not null,
    day date not null,
    planned_at timestamptz not null,
    queued_at timestamptz not null,
    sending_at timestamptz,
    sending_real timestamptz,
    sent_at timestamptz,
    finished_at timestamptz,
    provider_id text,
    attempts int not null default 0,
    first_attempt_real timestamptz,
    next_attempt_real timestamptz,
    error_code text,
    subject text,
    body_text text,
    body_html text,
    template text not null,
    tone text not null,
    locale text not null,
    task_id text
  )`,
  `create unique index contacts_one_a_day on contacts (customer_id, channel, recipient_key, day)
     where status not in ('withdrawn', 'failed') and channel = 'email'`,
  `create index contacts_by_customer on contacts (customer_id, day)`,
  `create index contacts_to_send on contacts (next_attempt_real) where status in ('queued', 'sending')`,
  `create index contacts_by_provider on contacts (provider_id) where provider_id is not null`,
  `create table contact_items (
    contact_id text not null references contacts,
    invoice_id text not null references invoices,
    step text not null,
    occurrence int not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    asks boolean not null,
    withdrawn boolean not null default false,
    primary key (contact_id, invoice_id, step)
  )`,
  `create unique index contact_items_once on contact_items (invoice_id, step, occurrence) where not withdrawn`,
  // What a message attaches is frozen with its text: the bytes by their digest, each once.
  `create table file_blobs (
    sha256 bytea primary key,
    bytes bytea not null
  )`,
  `create table contact_attachments (
    contact_id text not null references contacts,
    position int not null,
    filename text not null,
    content_type text not null,
    sha256 bytea not null references file_blobs,
    primary key (contact_id, position)
  )`,
  `create table delivery_events (
    id text primary key,
    contact_id text references contacts,
    provider_id text,
    kind text not null,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp()
  )`,
  `create table documents (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    customer_id text not null references customers,
    contact_id text references contacts,
    task_id text,
    kind text not null check (kind in ('email', 'callScript', 'letter', 'invoice')),
    content_type text not null,
    bytes bytea not null,
    at timestamptz not null
  )`,
  `create table document_invoices (
    document_id text not null references documents,
    invoice_id text not null references invoices,
    primary key (document_id, invoice_id)
  )`,
  `create index document_invoices_by_invoice on document_invoices (invoice_id)`,
  `create table tasks (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    kind text not null,
    key text not null,
    status text not null default 'open' check (status in ('open', 'done', 'missed', 'cancelled')),
    role text not null check (role in ('operator', 'approver')),
    invoice_id text references invoices,
    customer_id text references customers,
    contact_id text references contacts,
    receipt_id text references receipts,
    step text,
    subject text not null,
    body text not null default '',
    data jsonb not null default '{}',
    due_at timestamptz not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    closed_by text,
    outcome jsonb,
    unique (creditor_id, key)
  )`,
  `create index tasks_open_by_invoice on tasks (invoice_id) where status = 'open'`,
  `create index tasks_open_by_customer on tasks (customer_id) where status = 'open'`,
  `create index tasks_list on tasks (creditor_id, seq)`,

  // Why each thing happened: a chain of hashes a case (design rule 12). Texts stand outside the chain, bound to it by a
  // salted digest, so that they can be erased without breaking it.
  `create table events (
    id text primary key,
    invoice_id text not null references invoices,
    n int not null,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    kind text not null,
    actor text not null,
    data jsonb not null,
    text_digest bytea,
    prev_hash bytea not null,
    hash bytea not null,
    unique (invoice_id, n)
  )`,
  `create trigger events_append_only before update or delete on events for each row execute function refuse_change()`,
  `create table event_texts (
    event_id text primary key references events,
    salt bytea not null,
    text text not null
  )`,
  // What a person asked one case to do; its outcome is written by the turn that did it, once (design rule 5).
  `create table commands (
    id text primary key,
    invoice_id text not null references invoices,
    kind text not null,
    args jsonb not null,
    actor text not null,
    reason text,
    outcome jsonb,
    at timestamptz not null
  )`,

  // Plumbing --------------------------------------------------------------------------------------------------------
  `create table outbox (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('startCase', 'signalCase', 'pokeOutreach', 'pokeFeed', 'startImport')),
    target text not null,
    payload jsonb not null,
    coalesce_key text,
    status text not null default 'pending' check (status in ('pending', 'claimed')),
    attempts int not null default 0,
    due_real timestamptz not null default clock_timestamp(),
    claimed_real timestamptz,
    recorded_at timestamptz not null default clock_timestamp()
  )`,
  `create unique index outbox_one_poke on outbox (coalesce_key) where status = 'pending' and coalesce_key is not null`,
  `create index outbox_due on outbox (due_real, id)`,
  `create table idempotency_keys (
    owner text not null,
    key text not null,
    request_hash bytea not null,
    state text not null check (state in ('running', 'done')),
    status int,
    headers jsonb,
    body jsonb,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (owner, key)
  )`,
  `create table imports (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    actor text not null,
    content_type text not null,
    columns text,
    filename text,
    body bytea not null,
    status text not null default 'running' check (status in ('running', 'done')),
    total_rows int,
    done_rows int not null default 0,
    accepted int not null default 0,
    unchanged int not null default 0,
    rejected int not null default 0,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp()
  )`,
  `create table import_rows (
    import_id text not null references imports,
    line int not null,
    number text,
    invoice_id text references invoices,
    credit_note_id text references credit_notes,
    status text not null check (status in ('accepted', 'unchanged', 'rejected')),
    code text,
    pointer text,
    message text,
    primary key (import_id, line)
  )`,
  // One row where business time differs from real time (design rule 8): demos and simulations.
  `create table clock (
    id int primary key default 1 check (id = 1),
    anchor_real timestamptz not null,
    anchor_business timestamptz not null,
    day_ms bigint not null check (day_ms > 0),
    begun_business timestamptz not null,
    last_seen_business timestamptz not null
  )`,
];
