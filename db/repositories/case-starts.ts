import type { CustomerFacts, Stage } from '../../domain/case/facts.ts';
import type { NextAction } from '../../domain/case/decision.ts';
import { firstNext, previewCustomer } from '../../domain/case/preview.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Holidays } from '../../domain/time/working-days.ts';
import type { Instant } from '../../domain/time/zones.ts';
import type { Db } from '../database.ts';
import { recipientKeyOf } from './customer-facts.ts';
import { pinnedPolicy } from './pinned-policies.ts';

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
  /** What the case waits for first; null where that is not known before its first turn. */
  next: NextAction | null;
}

/** Where business time and public holidays come from. */
export interface Foresight {
  clock: { now(): Instant };
  holidaySet(country: string, postalCode: string | null): Holidays;
}

export async function caseStart(db: Db, invoiceId: string, foresight: Foresight): Promise<CaseStart | null> {
  const row = await db
    .selectFrom('invoices as i')
    .innerJoin('customers as u', 'u.id', 'i.customer_id')
    .innerJoin('creditors as c', 'c.id', 'i.creditor_id')
    .selectAll('i')
    .select([
      'u.kind',
      'u.country',
      'u.time_zone',
      'u.address',
      'u.contacts',
      'c.country as creditor_country',
      'c.time_zone as creditor_zone',
      'c.closed_weeks',
      'c.address as creditor_address',
    ])
    .where('i.id', '=', invoiceId)
    .executeTakeFirst();
  if (!row) return null;
  const policy = await pinnedPolicy(db, row.creditor_id, row.policy_name, row.policy_version);
  const now = foresight.clock.now();

  /** Nothing has happened to a first run yet, so its first decision needs none of the record. */
  const next = (): NextAction | null => {
    const supposed: CustomerFacts = previewCustomer({
      policy,
      kind: row.kind,
      country: row.country,
      zone: row.time_zone,
      creditorZone: row.creditor_zone,
      customerHolidays: foresight.holidaySet(row.country, row.address?.postalCode ?? null),
      creditorHolidays: foresight.holidaySet(row.creditor_country, row.creditor_address?.postalCode ?? null),
      closedWeeks: row.closed_weeks,
      issuedOn: row.issued_on,
      dueOn: row.due_on,
      amountMinor: row.balance_minor,
      currency: row.currency,
      chaseFrom: row.chase_from,
      lastStepSent: row.last_step_sent,
      collection: { method: row.collection_method, on: row.collection_on },
      now,
    });
    const recipients = row.contacts.flatMap((p) =>
      p.email ? [{ role: p.role ?? 'billing', key: recipientKeyOf(p.email), usable: true }] : [],
    );
    return firstNext({ ...supposed, recipients, hasAddress: row.address !== null }, now);
  };

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
    next: row.run === 1 ? next() : null,
  };
}
