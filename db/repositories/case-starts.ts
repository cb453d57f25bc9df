import type { Stage } from '../../domain/case/facts.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Db } from '../database.ts';

/** What a case's workflow is started with: ids, amounts and dates. */
export interface CaseStart {
  invoiceId: string;
  creditorId: string;
  customerId: string;
  run: number;
  stage: Stage;
  dueOn: LocalDate;
  amountMinor: bigint;
  balanceMinor: bigint;
  currency: string;
  policyName: string;
  policyVersion: number;
}

export async function caseStart(db: Db, invoiceId: string): Promise<CaseStart | null> {
  const row = await db.selectFrom('invoices').selectAll().where('id', '=', invoiceId).executeTakeFirst();
  if (!row) return null;
  return {
    invoiceId,
    creditorId: row.creditor_id,
    customerId: row.customer_id,
    run: row.run,
    stage: row.stage,
    dueOn: row.due_on,
    amountMinor: row.amount_minor,
    balanceMinor: row.balance_minor,
    currency: row.currency,
    policyName: row.policy_name,
    policyVersion: row.policy_version,
  };
}
