import type { Selectable } from 'kysely';
import { claimOf, type Claim, type ClaimFacts } from '../../domain/law/claim.ts';
import { imputeClaimed, NOTHING_CLAIMED, partsOf, type OnceSettled } from '../../domain/law/claimed.ts';
import { lawOf, type ClaimPart } from '../../domain/law/country-law.ts';
import { RateUnknown } from '../../domain/law/rates.ts';
import { NO_PARTS, sumOfParts, type Parts } from '../../domain/law/imputation.ts';
import type { InterestPolicy } from '../../domain/policy/types.ts';
import { later, type LocalDate } from '../../domain/time/dates.ts';
import type { Db, Tx } from '../database.ts';
import type { Database } from '../types.ts';
import { loadClaimFrame } from './claims.ts';
import { activePlanOver } from './plans.ts';
import { loadRates } from './rates.ts';
import { isOpenStage, payableMinor } from './runs.ts';

export type PayableInvoice = Pick<
  Selectable<Database['invoices']>,
  'id' | 'stage' | 'balance_minor' | 'accessories_minor' | 'written_off_minor' | 'recovered_minor'
>;

/** How a payment is split. Minor units; `parts` add up to the payment less `restMinor`. */
export interface Split {
  parts: Parts;
  /** What is more than everything that is claimed. */
  restMinor: bigint;
  onceSettled: OnceSettled;
  /** The rate that interest of this day would have needed; null where none was missing. */
  missing: RateUnknown | null;
}

/**
 * What a payment that reached the creditor on `on` extinguishes of an open invoice: of the principal alone while nothing
 * else is claimed, else in the order of the debtor's law. A rate that is not known yet keeps nobody from paying: then
 * the money is for the principal, and the case opens a task for the rate. The caller holds the invoice's row.
 */
export async function splitPayment(
  tx: Tx,
  invoice: PayableInvoice,
  on: LocalDate,
  amountMinor: bigint,
): Promise<Split> {
  const claimed = await claimedOn(tx, invoice, on);
  if (claimed === null || claimed instanceof RateUnknown) {
    return { ...principalOnly(payableMinor(invoice), amountMinor), missing: claimed };
  }
  const { claim, order, interest } = claimed;
  const underPlan = (await activePlanOver(tx, invoice.id)) !== null;
  return { ...imputeClaimed(amountMinor, claim, order, interest, underPlan), missing: null };
}

/** What an invoice can take of a payment of `on`, interest, compensation and costs that are claimed included. Minor units. */
export async function payableOn(db: Db | Tx, invoice: PayableInvoice, on: LocalDate): Promise<bigint> {
  const claimed = await claimedOn(db, invoice, on);
  if (claimed === null || claimed instanceof RateUnknown) return payableMinor(invoice);
  return sumOfParts(partsOf(claimed.claim));
}

/** Everything for the principal. */
export function principalOnly(payable: bigint, amountMinor: bigint): Split {
  const principal = amountMinor < payable ? amountMinor : payable;
  return {
    parts: { ...NO_PARTS, principal },
    restMinor: amountMinor - principal,
    onceSettled: NOTHING_CLAIMED,
    missing: null,
  };
}

interface Claimed {
  claim: Claim;
  order: readonly ClaimPart[];
  interest: InterestPolicy;
}

/** The claim that takes part in the imputation of a payment of `on`; null where only the principal does, or the rate it lacks. */
async function claimedOn(db: Db | Tx, invoice: PayableInvoice, on: LocalDate): Promise<Claimed | RateUnknown | null> {
  if (!isOpenStage(invoice.stage)) return null;
  const { country, interest, claimedFrom, facts } = await loadClaimFrame(db, invoice.id);
  const law = lawOf(country);
  if (law === null || interest === null || claimedFrom === null || on < claimedFrom) return null;
  const claim = await claimAt(db, await facts(), on);
  if (claim instanceof RateUnknown) return claim;
  // The principal is what the books say now, whatever day the payment is of.
  return { claim: { ...claim, principalMinor: invoice.balance_minor }, order: law.imputation.order, interest };
}

/** A payment that is entered late is judged with what came after it: nothing is claimed twice. */
async function claimAt(db: Db | Tx, facts: ClaimFacts, on: LocalDate): Promise<Claim | RateUnknown> {
  const asOf = [...facts.movements, ...facts.accessories].reduce((last, one) => later(last, one.on), on);
  try {
    return claimOf(facts, await loadRates(db), asOf);
  } catch (error) {
    if (error instanceof RateUnknown) return error;
    throw error;
  }
}
