import { normaliseToken } from './tokens.ts';
import type { Payment } from './types.ts';

/** What a payer said that money is for, before it came or after. */
export interface Advice {
  id: string;
  /** Whom it is from; null where it does not say. */
  customerId: string | null;
  /** The reference that it says the payment carries. */
  reference: string | null;
  currency: string;
  totalMinor: bigint;
}

/**
 * The advice that this money belongs to: of the same total, and of the same customer or with its reference in the text. An
 * advice that says neither is taken where it is the only one. Null where that is not one alone.
 * @param tokens what the payment's texts hold (`readPayment`)
 * @param customerId whom the money is taken to be from
 */
export function adviceFor(
  payment: Pick<Payment, 'amountMinor' | 'currency'>,
  tokens: readonly string[],
  customerId: string | null,
  advices: readonly Advice[],
): Advice | null {
  const equal = advices.filter((one) => one.totalMinor === payment.amountMinor && one.currency === payment.currency);
  const quoted = equal.filter(({ reference }) => reference !== null && tokens.includes(normaliseToken(reference)));
  if (quoted.length > 0) return only(quoted);
  const own = equal.filter((one) => one.customerId !== null && one.customerId === customerId);
  if (own.length > 0) return only(own);
  const open = equal.filter((one) => one.customerId === null || customerId === null);
  return open.length === equal.length ? only(open) : null;
}

const only = (advices: readonly Advice[]): Advice | null => (advices.length === 1 ? advices[0]! : null);
