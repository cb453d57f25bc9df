/** An invoice that a payment's text names by its number or a reference. */
export interface QuotedInvoice {
  invoiceId: string;
  customerId: string;
  /** It takes money: something is owed on it, or was given up and has not come since. */
  open: boolean;
  /** It is being chased, so money that is not applied to it holds it. */
  chased: boolean;
  /** What it takes at most, minor units. */
  balanceMinor: bigint;
  currency: string;
}

export interface Money {
  amountMinor: bigint;
  currency: string;
}

/** Why money stays unapplied. */
export type UnappliedReason = 'nothingQuoted' | 'severalQuoted' | 'closedQuoted' | 'otherCurrency' | 'exceedsBalance';

export type StandardMatch =
  | { kind: 'apply'; invoiceId: string; rule: 'standard' }
  | { kind: 'unapplied'; reason: UnappliedReason; quotedOpen: string[] };

/**
 * The first rule of matching: money is applied by itself only where its text names exactly one open invoice, in the same
 * currency, with at least that balance. Everything else is for a person to look at.
 */
export function matchStandard(money: Money, quoted: readonly QuotedInvoice[]): StandardMatch {
  const open = quoted.filter((invoice) => invoice.open);
  const unapplied = (reason: UnappliedReason): StandardMatch => ({
    kind: 'unapplied',
    reason,
    quotedOpen: open.map(({ invoiceId }) => invoiceId),
  });
  const [only, ...others] = open;
  if (!only) return unapplied(quoted.length > 0 ? 'closedQuoted' : 'nothingQuoted');
  if (others.length > 0) return unapplied('severalQuoted');
  if (only.currency !== money.currency) return unapplied('otherCurrency');
  if (only.balanceMinor < money.amountMinor) return unapplied('exceedsBalance');
  return { kind: 'apply', invoiceId: only.invoiceId, rule: 'standard' };
}
