import { sql, type Kysely } from 'kysely';

/** What the creditor's own books need: a chart of accounts, numbered entries, numbered exports. Conventions as in 0001. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // The newest version counts; an export says by which it was made.
  `create table charts (
    creditor_id text not null references creditors,
    version int not null check (version > 0),
    chart jsonb not null,
    actor text not null,
    at timestamptz not null,
    primary key (creditor_id, version)
  )`,

  // The number of an entry in the books: given once, without a gap, when it is first exported. An entry that is written
  // later, be it for an earlier day, gets a later number.
  `create table entry_numbers (
    entry_id bigint primary key references journal_entries,
    creditor_id text not null,
    journal text not null check (journal in ('sales', 'bank', 'general')),
    currency text not null,
    year_from date not null,
    number int not null check (number > 0),
    validated_on date not null,
    unique (creditor_id, journal, currency, year_from, number)
  )`,
  `create trigger entry_numbers_append_only before update or delete on entry_numbers
     for each row execute function refuse_change()`,

  // What was exported, byte for byte: gzip in pieces. omitted: entries in other currencies, left out on request.
  `create table exports (
    id text primary key,
    seq bigint generated always as identity unique,
    creditor_id text not null references creditors,
    kind text not null check (kind in ('fec', 'journal', 'subledger')),
    number int not null check (number > 0),
    from_on date not null,
    to_on date not null check (to_on >= from_on),
    chart_version int not null,
    filename text not null,
    content_type text not null,
    lines bigint not null,
    omitted bigint not null,
    sha256 bytea not null,
    actor text not null,
    at timestamptz not null,
    unique (creditor_id, kind, number)
  )`,
  `create table export_chunks (
    export_id text not null references exports,
    n int not null,
    bytes bytea not null,
    primary key (export_id, n)
  )`,

  // The VAT of a loss: what came back, of which loss, and what is due again since.
  `alter table postings drop constraint postings_account_check`,
  `alter table postings add constraint postings_account_check check (account in ('receivable', 'sales', 'bank', 'agency',
     'unappliedCash', 'creditNotes', 'unappliedCredit', 'differences', 'losses', 'recoveries', 'interest', 'compensation',
     'costs', 'interestWaived', 'vat'))`,
  `alter table postings drop constraint postings_invoice_check`,
  `alter table postings add constraint postings_invoice_check check ((account = 'receivable') = (invoice_id is not null)
     or account in ('differences', 'losses', 'recoveries', 'interest', 'compensation', 'costs', 'interestWaived', 'sales',
       'creditNotes', 'unappliedCash', 'vat'))`,
  `create index postings_after_loss on postings (invoice_id) where account in ('recoveries', 'vat')`,
  `alter table documents drop constraint documents_kind_check`,
  `alter table documents add constraint documents_kind_check check (kind in
     ('email', 'callScript', 'letter', 'invoice', 'agencyFile', 'claimDeclaration', 'vatCorrection'))`,
  `create table vat_reliefs (
    invoice_id text not null references invoices,
    n int not null check (n > 0),
    loss_minor bigint not null check (loss_minor > 0),
    vat_minor bigint not null check (vat_minor > 0),
    due_again_minor bigint not null default 0 check (due_again_minor between 0 and vat_minor),
    document_id text not null references documents,
    on_date date not null,
    actor text not null,
    at timestamptz not null,
    primary key (invoice_id, n)
  )`,
];
