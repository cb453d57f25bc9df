import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { agencyRemittanceUndone, agencyRemitted } from '../../domain/ledger/postings.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { customersHeldBy } from './holds.ts';
import { post } from './ledger.ts';
import { lockCustomers, lockReceipt } from './locks.ts';
import { endUnapplied } from './unapplied.ts';
import { creditorsDate } from './creditors.ts';

export interface Remittance {
  id: string;
  agencyId: string;
  receiptId: string;
  amountMinor: bigint;
  currency: string;
  on: LocalDate;
}

/**
 * Money that came to the bank is what an agency had collected: it leaves unapplied cash for the account of the agency.
 * Holds and task of the money end with its last cent. Locks the agency, the customers held by the receipt, the receipt.
 * Throws `notFound`, `amountInvalid`, `exceedsUnapplied`, and `exceedsCollected` above what the agency has reported and
 * not sent on yet.
 */
export async function recordRemittance(
  tx: Tx,
  act: Act,
  creditorId: string,
  input: { agencyId: string; receiptId: string; amountMinor: bigint },
): Promise<Remittance> {
  const { agencyId, receiptId, amountMinor } = input;
  // Two remittances of one agency may not both spend what it holds.
  const agency = await tx
    .selectFrom('agencies')
    .select('id')
    .where('id', '=', agencyId)
    .where('creditor_id', '=', creditorId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!agency) throw new DomainError('notFound', 'There is no such agency.');
  await lockCustomers(tx, await customersHeldBy(tx, receiptId));
  const receipt = await lockReceipt(tx, receiptId);
  if (receipt.creditor_id !== creditorId) throw new DomainError('notFound', 'There is no such receipt.');
  const { currency } = receipt;
  const text = (minor: bigint): string => `${formatAmount(minor, currency)} ${currency}`;
  if (amountMinor <= 0n) throw new DomainError('amountInvalid', 'What is remitted is more than zero.');
  if (amountMinor > receipt.unapplied_minor) {
    throw new DomainError('exceedsUnapplied', `Only ${text(receipt.unapplied_minor)} are not applied yet.`);
  }
  const held = (await heldByAgencies(tx, [agencyId])).get(agencyId)?.get(currency) ?? 0n;
  if (amountMinor > held) {
    throw new DomainError('exceedsCollected', `The agency has reported ${text(held)} that it has not sent on yet.`);
  }
  const id = newId('rem');
  const on = await creditorsDate(tx, act, creditorId);
  await tx
    .insertInto('agency_remittances')
    .values({
      id,
      creditor_id: creditorId,
      agency_id: agencyId,
      receipt_id: receiptId,
      amount_minor: amountMinor,
      currency,
      on_date: on,
      actor: act.actor,
      at: instant(act.at),
    })
    .execute();
  await post(tx, act, creditorId, on, agencyRemitted({ remittanceId: id, receiptId, amountMinor, currency }));
  if (receipt.unapplied_minor === amountMinor) await endUnapplied(tx, act, receiptId, 'remitted');
  return { id, agencyId, receiptId, amountMinor, currency, on };
}

/**
 * The bank took a receipt back that had been taken for a remittance: all of it is unapplied again, for the return to
 * take. The caller holds the receipt. Returns how much that was.
 */
export async function undoRemittances(
  tx: Tx,
  act: Act,
  receipt: { id: string; creditor_id: string; currency: string },
  on: LocalDate,
): Promise<bigint> {
  const rows = await tx
    .updateTable('agency_remittances')
    .set({ undone_on: on })
    .where('receipt_id', '=', receipt.id)
    .where('undone_on', 'is', null)
    .returning(['id', 'amount_minor'])
    .execute();
  for (const { id, amount_minor: amountMinor } of rows) {
    const { currency } = receipt;
    const entry = agencyRemittanceUndone({ remittanceId: id, receiptId: receipt.id, amountMinor, currency });
    await post(tx, act, receipt.creditor_id, on, entry);
  }
  return rows.reduce((sum, row) => sum + row.amount_minor, 0n);
}

/** What these agencies reported as collected and have not sent on, by agency and currency; nothing where it is zero. */
export async function heldByAgencies(
  db: Db | Tx,
  agencyIds: readonly string[],
): Promise<Map<string, Map<string, bigint>>> {
  const { rows } = await sql<{ agency: string; currency: string; held: bigint }>`
    select agency, currency, sum(amount)::bigint as held from (
      select p.agency_id as agency, p.currency, r.amount_minor as amount
        from agency_reports r join placements p on p.id = r.placement_id
        where r.receipt_id is not null and p.agency_id = any(${agencyIds}::text[])
      union all
      select agency_id, currency, -amount_minor from agency_remittances
        where undone_on is null and agency_id = any(${agencyIds}::text[])
    ) moved group by agency, currency having sum(amount) <> 0 order by agency, currency`.execute(db);
  const held = new Map<string, Map<string, bigint>>();
  for (const row of rows) held.set(row.agency, (held.get(row.agency) ?? new Map()).set(row.currency, row.held));
  return held;
}
