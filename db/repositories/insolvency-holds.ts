import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { appendEvents } from './events.ts';

/** An invoice that may fall under proceedings over its customer. */
export interface Claim {
  invoiceId: string;
  customerId: string;
  issuedOn: LocalDate;
}

/** What holds an invoice of before the judgment: proceedings that run, or ended so that nothing may be asked for. */
const HOLDING_OUTCOMES = ['planAdopted', 'noAssets'] as const;

/** The proceedings over these customers that hold their invoices, by customer; the latest of each. */
export async function holdingInsolvencies(tx: Tx, customerIds: readonly string[]) {
  const ids = [...new Set(customerIds)];
  if (ids.length === 0) return new Map<string, { id: string; creditor_id: string; judgment_on: LocalDate }>();
  const rows = await tx
    .selectFrom('insolvencies')
    .select(['id', 'creditor_id', 'customer_id', 'judgment_on'])
    .where('customer_id', 'in', ids)
    .where((eb) => eb.or([eb('status', '=', 'open'), eb('outcome', 'in', HOLDING_OUTCOMES)]))
    .orderBy('seq')
    .execute();
  return new Map(rows.map((row) => [row.customer_id, row]));
}

/**
 * Holds what was issued by the day of the judgment and became known, or was reopened, only afterwards. `ever`: not where
 * such a hold was there before, since a person may have lifted it. `today` is the creditor's date. Returns the invoices
 * that are held now and were not.
 */
export async function holdUnderInsolvency(
  tx: Tx,
  act: Act,
  claims: readonly Claim[],
  today: LocalDate,
  options: { ever?: boolean } = {},
): Promise<string[]> {
  const proceedings = await holdingInsolvencies(
    tx,
    claims.map((claim) => claim.customerId),
  );
  const concerned = claims.flatMap((claim) => {
    const insolvency = proceedings.get(claim.customerId);
    return insolvency && claim.issuedOn <= insolvency.judgment_on ? [{ claim, insolvency }] : [];
  });
  if (concerned.length === 0) return [];
  const before = await tx
    .selectFrom('holds')
    .select(['invoice_id', 'source_id'])
    .where(
      'invoice_id',
      'in',
      concerned.map(({ claim }) => claim.invoiceId),
    )
    .where('kind', '=', 'insolvency')
    .$if(options.ever !== true, (query) => query.where('lifted_on', 'is', null))
    .execute();
  const held = new Set(before.map((hold) => `${hold.invoice_id}/${hold.source_id}`));
  const fresh = concerned.filter(({ claim, insolvency }) => !held.has(`${claim.invoiceId}/${insolvency.id}`));
  const holds = await insertInsolvencyHolds(
    tx,
    act,
    fresh.map(({ claim, insolvency }) => ({
      ...claim,
      creditorId: insolvency.creditor_id,
      insolvencyId: insolvency.id,
    })),
    today,
  );
  await appendEvents(
    tx,
    act,
    fresh.map(({ claim, insolvency }) => ({
      invoiceId: claim.invoiceId,
      kind: 'held',
      data: {
        holdId: holds.get(claim.invoiceId)!,
        kind: 'insolvency',
        until: null,
        scope: 'invoice',
        sourceId: insolvency.id,
      },
    })),
  );
  return fresh.map(({ claim }) => claim.invoiceId);
}

/** The rows of such holds, by invoice: until lifted, on the whole invoice. */
export async function insertInsolvencyHolds(
  tx: Tx,
  act: Act,
  claims: readonly { invoiceId: string; customerId: string; creditorId: string; insolvencyId: string }[],
  today: LocalDate,
): Promise<Map<string, string>> {
  if (claims.length === 0) return new Map();
  const rows = claims.map((claim) => ({ claim, id: newId('hol') }));
  await tx
    .insertInto('holds')
    .values(
      rows.map(({ claim, id }) => ({
        id,
        creditor_id: claim.creditorId,
        customer_id: claim.customerId,
        invoice_id: claim.invoiceId,
        kind: 'insolvency' as const,
        reason: null,
        from_on: today,
        until_on: null,
        source_id: claim.insolvencyId,
        actor: act.actor,
        at: instant(act.at),
      })),
    )
    .execute();
  return new Map(rows.map(({ claim, id }) => [claim.invoiceId, id]));
}
