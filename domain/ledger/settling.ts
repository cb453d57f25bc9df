import type { LocalDate } from '../time/dates.ts';
import type { GivenUp } from './postings.ts';

/** An invoice before a payment, minor units. */
export interface Settling {
  amountMinor: bigint;
  balanceMinor: bigint;
  /** The discount that was agreed for paying early. */
  discount: { until: LocalDate; amountMinor: bigint } | null;
  /** What its policy tolerates. */
  toleranceMinor: bigint;
}

/**
 * What is given up of an invoice with a payment that reached the creditor on `on` and leaves something open: the discount,
 * where it was taken in time on an invoice of which nothing was settled before, else a difference that the policy
 * tolerates. What was taken a few tolerated cents too large or too small is the discount all the same. Null when nothing is.
 */
export function givenUpWith(invoice: Settling, on: LocalDate, principalMinor: bigint): GivenUp | null {
  const restMinor = invoice.balanceMinor - principalMinor;
  if (principalMinor <= 0n || restMinor <= 0n) return null;
  const { discount, toleranceMinor } = invoice;
  if (discount !== null && on <= discount.until && invoice.balanceMinor === invoice.amountMinor) {
    const off = restMinor - discount.amountMinor;
    if (off <= toleranceMinor && -off <= toleranceMinor) return { account: 'discounts', amountMinor: restMinor };
  }
  return restMinor <= toleranceMinor ? { account: 'differences', amountMinor: restMinor } : null;
}
