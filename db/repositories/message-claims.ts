import { claimOf, type Claim } from '../../domain/law/claim.ts';
import { asksWithClaim } from '../../domain/law/claimed.ts';
import { RateUnknown } from '../../domain/law/rates.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import type { Db, Tx } from '../database.ts';
import { loadInvoiceClaim } from './claims.ts';
import { askAboutClaim, askForRate } from './law-tasks.ts';
import { loadRates } from './rates.ts';

/** What a message asks for of one invoice. */
export interface AskedItem {
  invoiceId: string;
  amountMinor: bigint;
  /** The step it takes; left out where the message takes none. */
  step?: string;
}

/** The claims that a message states, by invoice, and the rate that one of them would have needed. */
export interface MessageClaims {
  claims: ReadonlyMap<string, Claim>;
  missing: { invoiceId: string; error: RateUnknown } | null;
}

/**
 * What is claimed beside the principal of the invoices that a message asks for, as far as their policies claim it by then.
 * Where less than the principal is asked for, because a part is disputed or promised, nothing is claimed beside it yet.
 */
export async function claimsOfMessage(
  db: Db | Tx,
  items: readonly AskedItem[],
  today: LocalDate,
): Promise<MessageClaims> {
  const claims = new Map<string, Claim>();
  let missing: MessageClaims['missing'] = null;
  const rates = items.length === 0 ? null : await loadRates(db);
  for (const item of items) {
    const { facts, interest, claimedFrom } = await loadInvoiceClaim(db, item.invoiceId);
    if (rates === null || !asksWithClaim(interest, claimedFrom, item.step ?? null, today)) continue;
    try {
      const claim = claimOf(facts, rates, today);
      if (claim.principalMinor === item.amountMinor) claims.set(item.invoiceId, claim);
    } catch (error) {
      if (!(error instanceof RateUnknown)) throw error;
      missing ??= { invoiceId: item.invoiceId, error };
    }
  }
  return { claims, missing };
}

/** Tells a person of a rate that a message would have needed, and of a clause under the floor. */
export async function reportClaims(
  tx: Tx,
  act: Act,
  home: { creditorId: string; customerId: string },
  { claims, missing }: MessageClaims,
): Promise<void> {
  if (missing !== null) await askForRate(tx, act, { ...home, invoiceId: missing.invoiceId }, missing.error);
  for (const [invoiceId, { notes }] of claims) {
    if (notes.length === 0) continue;
    const { policy_name: name, policy_version: version } = await tx
      .selectFrom('invoices')
      .select(['policy_name', 'policy_version'])
      .where('id', '=', invoiceId)
      .executeTakeFirstOrThrow();
    await askAboutClaim(tx, act, { ...home, invoiceId }, { name, version }, notes);
  }
}
