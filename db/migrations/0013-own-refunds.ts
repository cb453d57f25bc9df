import { sql, type Kysely } from 'kysely';

/** Refunds that a bank tells of later, advices that wait for an invoice, and money that one is for. Conventions as in 0001. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  // What a person recorded as refunded is found again when the bank tells of it.
  `create index receipt_returns_untold on receipt_returns (amount_minor, receipt_id) where feed_id is null`,

  // The number of a line as numbers are compared, as long as no invoice is known for it and the advice is open.
  `alter table remittance_lines add column creditor_id text`,
  `alter table remittance_lines add column awaited text`,
  `update remittance_lines l set creditor_id = a.creditor_id,
     awaited = case when l.invoice_id is null and a.status = 'open'
       then regexp_replace(upper(normalize(l.number, NFKD)), '[^A-Z0-9]', '', 'g') end
   from remittance_advices a where a.id = l.advice_id`,
  `alter table remittance_lines alter column creditor_id set not null`,
  `create index remittance_lines_awaited on remittance_lines (creditor_id, awaited, advice_id)
     where awaited is not null`,

  `drop index receipts_unapplied_by_amount`,
  `create index receipts_unapplied_by_amount on receipts (creditor_id, currency, unapplied_minor, customer_id, seq)
     where unapplied_minor > 0`,
];
