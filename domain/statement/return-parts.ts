/** A return as its bank books it, and what is left of the payment it takes back; positive minor units. */
export interface BookedReturn {
  bookedMinor: bigint;
  /** What the original was of, where the bank says it. */
  originalAmountMinor: bigint | null;
  /** Fees that the bank names, be they in what it booked or beside it. */
  feesMinor: bigint | null;
  /** What of the payment was not returned before. */
  leftMinor: bigint;
}

/** What of a return is the customer's money: all that is booked but for the fee in it. */
export function wantedOf({ bookedMinor, originalAmountMinor, feesMinor }: Omit<BookedReturn, 'leftMinor'>): bigint {
  const told = originalAmountMinor ?? bookedMinor - (feesMinor ?? 0n);
  return told > 0n && told <= bookedMinor ? told : bookedMinor;
}

/**
 * What goes back to the customer and what the bank keeps (reference: bank-mail-matching, section 1): a fee is netted into
 * what is booked where that is more than the original was, and taken beside it where what is booked is the original's
 * amount. `wantedMinor` above `amountMinor` is what the bank took back without having paid it in.
 */
export function partsOfReturn(booked: BookedReturn): {
  wantedMinor: bigint;
  amountMinor: bigint;
  feesMinor: bigint;
} {
  const { bookedMinor, originalAmountMinor, feesMinor, leftMinor } = booked;
  const wantedMinor = wantedOf(booked);
  const nettedMinor = bookedMinor - wantedMinor;
  const besideMinor = originalAmountMinor === bookedMinor ? (feesMinor ?? 0n) : 0n;
  return {
    wantedMinor,
    amountMinor: wantedMinor < leftMinor ? wantedMinor : leftMinor,
    feesMinor: nettedMinor > 0n ? nettedMinor : besideMinor,
  };
}
