import { sql, type Kysely } from 'kysely';

/** Claims that the creditor's accountant holds to be doubtful, with their allowance. Conventions as in 0001. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table postings drop constraint postings_account_check`,
  `alter table postings add constraint postings_account_check check (account in ('receivable', 'sales', 'bank', 'agency',
     'unappliedCash', 'creditNotes', 'unappliedCredit', 'differences', 'losses', 'recoveries', 'interest', 'compensation',
     'costs', 'interestWaived', 'vat', 'allowance', 'allowanceExpense', 'allowanceReleased'))`,
  `alter table postings drop constraint postings_invoice_check`,
  `alter table postings add constraint postings_invoice_check check ((account = 'receivable') = (invoice_id is not null)
     or account in ('differences', 'losses', 'recoveries', 'interest', 'compensation', 'costs', 'interestWaived', 'sales',
       'creditNotes', 'unappliedCash', 'vat', 'allowance', 'allowanceExpense', 'allowanceReleased'))`,
  // From entry_id to ended_entry_id the receivable of the invoice stands in the account of doubtful ones.
  `create table doubtful_claims (
    invoice_id text not null references invoices,
    n int not null check (n > 0),
    percent text not null,
    allowance_minor bigint not null check (allowance_minor > 0),
    entry_id bigint not null references journal_entries,
    ended_entry_id bigint references journal_entries,
    actor text not null,
    at timestamptz not null,
    primary key (invoice_id, n)
  )`,
  `create unique index doubtful_claims_standing on doubtful_claims (invoice_id) where ended_entry_id is null`,
];
