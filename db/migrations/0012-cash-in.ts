import { sql, type Kysely } from 'kysely';

/** Cash in: statement files, bank transactions in one form, decisions of matching, what is learned. Conventions as in 0001. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create index invoices_by_recording on invoices using brin (recorded_at)`,
  `create index receipts_by_recording on receipts using brin (recorded_at)`,
  // What a provider must be asked with (sealed), and how far its list was read.
  `alter table feeds add column credentials text`,
  `alter table feeds add column read_to text`,
  `alter table customers add column parent_id text references customers check (parent_id <> id)`,
  `create index customers_by_parent on customers (parent_id) where parent_id is not null`,
  `alter table invoices add column discount_minor bigint check (discount_minor > 0)`,
  `alter table invoices add column discount_until date`,
  `alter table invoices add check ((discount_minor is null) = (discount_until is null) and discount_minor < amount_minor)`,
  // What matching looks for where no number helps: open invoices of a customer, and of an amount.
  `create index invoices_open_by_customer on invoices (customer_id, currency) where balance_minor > 0`,
  `create index invoices_open_by_balance on invoices (creditor_id, currency, balance_minor) where balance_minor > 0`,

  // A message that only says that something changed is 'fetch' until the provider was asked. Returns that come early wait
  // as transactions, no more as messages.
  `alter table inbox drop constraint inbox_status_check`,
  `alter table inbox add constraint inbox_status_check check (status in ('pending', 'fetch', 'applied', 'unreadable'))`,
  `alter table inbox add column ask jsonb`,
  `alter table inbox add column attempts int not null default 0`,
  `alter table inbox add column not_before timestamptz`,
  `alter table inbox drop column original_id`,
  `create index inbox_to_fetch on inbox (feed_id, id) where status = 'fetch'`,
  `drop index inbox_pending`,
  `create index inbox_pending on inbox (feed_id, id) where status = 'pending'`,

  `create table statements (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    feed_id text not null references feeds,
    format text not null check (format in ('camt.052', 'camt.053', 'camt.054', 'cfonb120', 'mt940', 'csv')),
    filename text,
    sha256 bytea not null,
    size bigint not null,
    entries int not null,
    receipts int not null,
    duplicates int not null,
    suspects int not null,
    provisional int not null,
    rejected int not null,
    rejections jsonb not null default '[]',
    accounts jsonb not null default '[]',
    balance text not null check (balance in ('holds', 'broken', 'unknown')),
    actor text not null,
    at timestamptz not null,
    erased_at timestamptz,
    unique (feed_id, sha256)
  )`,
  `create table statement_chunks (
    statement_id text not null references statements deferrable initially deferred,
    n int not null,
    bytes bytea not null,
    primary key (statement_id, n)
  )`,
  // One row a transaction of an account, however often and through whatever it was told.
  `create table bank_transactions (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    feed_id text not null references feeds,
    account_key text not null,
    status text not null check (status in ('booked', 'pending', 'information')),
    state text not null check (state in ('pending', 'provisional', 'suspect', 'waiting', 'done')),
    outcome text check (outcome in ('receipt', 'return', 'debit', 'ownReturn', 'duplicate')),
    booked_on date not null,
    value_on date,
    amount_minor bigint not null check (amount_minor <> 0),
    currency text not null,
    counterparty_name text,
    ultimate_name text,
    counterparty_account text,
    structured_references text[] not null default '{}',
    remittance text,
    bank_text text,
    bank_id text,
    end_to_end_id text,
    mandate_id text,
    returns jsonb,
    fees_minor bigint,
    bank_code text,
    receipt_id text references receipts,
    same_as text references bank_transactions,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    check ((state = 'done') = (outcome is not null))
  )`,
  `create index bank_transactions_pending on bank_transactions (feed_id, seq) where state = 'pending'`,
  `create index bank_transactions_waiting on bank_transactions (creditor_id, account_key) where state = 'waiting'`,
  `create index bank_transactions_same on bank_transactions (creditor_id, account_key, amount_minor, booked_on)`,
  `create index bank_transactions_by_bank_id on bank_transactions (creditor_id, account_key, bank_id) where bank_id is not null`,
  `create index bank_transactions_by_end_to_end on bank_transactions (creditor_id, account_key, end_to_end_id)
     where end_to_end_id is not null`,
  // Where it was told: a place in a file, a message of a feed.
  `create table sightings (
    document text not null,
    position text not null,
    transaction_id text not null references bank_transactions,
    source text not null,
    primary key (document, position)
  )`,
  `create index sightings_by_transaction on sightings (transaction_id)`,

  `alter table receipts add column transaction_id text references bank_transactions`,
  // What matching reads of a payment stands with the receipt, whoever told it, and is told by the export of a customer's data.
  // A join would not do: where the transaction undoes a return, name and references are those of the payment that had been
  // returned, not its own. Fees are its own, and are read with the rest.
  `alter table receipts add column ultimate_name text`,
  `alter table receipts add column structured_references text[] not null default '{}'`,
  `alter table receipts add column fees_minor bigint`,
  // Money that is none of the invoices' was put aside by a person.
  `alter table receipts add column set_aside_minor bigint not null default 0 check (set_aside_minor >= 0)`,
  `alter table receipts drop constraint receipts_check`,
  `alter table receipts add constraint receipts_check
     check (unapplied_minor + returned_minor + set_aside_minor <= amount_minor)`,
  // A person had a hand in it: no rule touches it any more.
  `alter table receipts add column by_person boolean not null default false`,
  `alter table receipts add column look_again boolean not null default false`,
  `create index receipts_to_look_at on receipts (feed_id, seq) where look_again`,
  `create table receipt_tokens (
    creditor_id text not null,
    token text not null,
    receipt_id text not null references receipts,
    primary key (creditor_id, token, receipt_id)
  )`,
  `create index receipt_tokens_by_receipt on receipt_tokens (receipt_id)`,
  `create index receipts_unapplied_by_amount on receipts (creditor_id, currency, unapplied_minor)
     where unapplied_minor > 0`,

  // Why money went where it went, or nowhere.
  `create table match_decisions (
    id bigint generated always as identity primary key,
    creditor_id text not null references creditors,
    receipt_id text not null references receipts,
    outcome text not null check (outcome in ('applied', 'review')),
    rule text,
    confidence text,
    reason text,
    proposal jsonb,
    rivals jsonb not null,
    payers jsonb not null,
    quoted text[] not null,
    settings_version int not null,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp()
  )`,
  `create index match_decisions_by_receipt on match_decisions (receipt_id, id)`,
  `alter table allocations add column decision_id bigint references match_decisions`,
  `create table matching_settings (
    creditor_id text not null references creditors,
    version int not null check (version > 0),
    document jsonb not null,
    actor text not null,
    at timestamptz not null,
    primary key (creditor_id, version)
  )`,
  // Accounts and names from which money came that went to a customer's invoices and stayed there.
  `create table known_payers (
    creditor_id text not null,
    kind text not null check (kind in ('account', 'name')),
    value text not null,
    customer_id text not null references customers,
    matches int not null check (matches > 0),
    primary key (creditor_id, kind, value, customer_id)
  )`,
  `create index known_payers_by_customer on known_payers (customer_id)`,

  // What a payer says that its money is for.
  `create table remittance_advices (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    customer_id text references customers,
    reference text,
    paid_on date,
    currency text not null,
    total_minor bigint not null check (total_minor > 0),
    format text not null,
    source bytea,
    status text not null default 'open' check (status in ('open', 'used', 'withdrawn')),
    receipt_id text references receipts,
    actor text not null,
    at timestamptz not null
  )`,
  `create index remittance_advices_open on remittance_advices (creditor_id, currency, total_minor) where status = 'open'`,
  `create table remittance_lines (
    advice_id text not null references remittance_advices,
    line int not null,
    number text not null,
    invoice_id text references invoices,
    amount_minor bigint not null check (amount_minor <> 0),
    primary key (advice_id, line)
  )`,

  `alter table postings drop constraint postings_account_check`,
  `alter table postings add constraint postings_account_check check (account in ('receivable', 'sales', 'bank', 'agency',
     'unappliedCash', 'creditNotes', 'unappliedCredit', 'differences', 'losses', 'recoveries', 'interest', 'compensation',
     'costs', 'interestWaived', 'vat', 'allowance', 'allowanceExpense', 'allowanceReleased', 'discounts', 'bankFees',
     'setAside'))`,
  `alter table postings drop constraint postings_invoice_check`,
  `alter table postings add constraint postings_invoice_check check ((account = 'receivable') = (invoice_id is not null)
     or account in ('differences', 'losses', 'recoveries', 'interest', 'compensation', 'costs', 'interestWaived', 'sales',
       'creditNotes', 'unappliedCash', 'vat', 'allowance', 'allowanceExpense', 'allowanceReleased', 'discounts',
       'bankFees'))`,
];
