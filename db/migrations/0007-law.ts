import { sql, type Kysely } from 'kysely';

/** Reference rates that people add, and what of a payment went to interest, compensation and costs. Conventions as in 0001. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // Rates are the same for all creditors; those that come with the program are not in here (domain/law/reference-rates.ts).
  `create table reference_rates (
    series text not null,
    from_on date not null,
    to_on date not null check (to_on > from_on),
    rate text not null,
    source text not null check (source <> ''),
    actor text not null,
    at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (series, from_on)
  )`,
  `create trigger reference_rates_append_only before update or delete on reference_rates
     for each row execute function refuse_change()`,

  `alter table postings drop constraint postings_account_check`,
  `alter table postings add constraint postings_account_check check (account in ('receivable', 'sales', 'bank', 'agency',
     'unappliedCash', 'creditNotes', 'unappliedCredit', 'differences', 'losses', 'recoveries', 'interest', 'compensation',
     'costs', 'interestWaived'))`,
  `alter table postings drop constraint postings_check`,
  `alter table postings add constraint postings_invoice_check check ((account = 'receivable') = (invoice_id is not null)
     or account in ('differences', 'losses', 'recoveries', 'interest', 'compensation', 'costs', 'interestWaived', 'sales',
       'creditNotes', 'unappliedCash'))`,
  `create index postings_accessories on postings (invoice_id)
     where account in ('interest', 'compensation', 'costs') and invoice_id is not null`,

  // A customer's account is read from the journal.
  `create index postings_by_customer on postings (customer_id)
     where customer_id is not null and account in ('receivable', 'unappliedCredit', 'interest', 'compensation', 'costs',
       'interestWaived')`,
  `create index receipts_by_customer on receipts (customer_id) where customer_id is not null`,

  // Interest, compensation and costs that stay open once the principal is paid, where the policy claims them all the same.
  `alter table invoices add accessories_minor bigint not null default 0 check (accessories_minor >= 0)`,
  `alter table invoices add constraint invoices_accessories_after_principal
     check (accessories_minor = 0 or balance_minor = 0)`,

  // What of an allocation was no principal.
  `alter table allocations add column accessories_minor bigint not null default 0
     check (accessories_minor >= 0 and accessories_minor <= amount_minor)`,

  // Costs that may be charged on: what a court or an enforceable title grants.
  `create table claim_costs (
    id text primary key,
    creditor_id text not null references creditors,
    invoice_id text not null references invoices,
    on_date date not null,
    amount_minor bigint not null check (amount_minor > 0),
    basis text not null check (basis <> ''),
    actor text not null,
    at timestamptz not null
  )`,
  `create index claim_costs_by_invoice on claim_costs (invoice_id)`,
];
