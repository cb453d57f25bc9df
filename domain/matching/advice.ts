import { normaliseToken } from './tokens.ts';
import type { Decision, Payment } from './types.ts';

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

/** By what money is known to belong to an advice, the surest way first. */
export interface Found {
  advice: Advice;
  by: 'reference' | 'customer' | 'total';
}

/**
 * The advice that this money belongs to: of the same total, and with its reference in the text or of the same customer. Where
 * nobody is known to pay, or the advice names nobody, one that tells no reference is taken where it is the only one of its
 * total. Null where that is not one alone.
 * @param tokens what the payment's texts hold (`readPayment`)
 * @param customerId whom the money is taken to be from
 */
export function adviceFor(
  payment: Pick<Payment, 'amountMinor' | 'currency'>,
  tokens: readonly string[],
  customerId: string | null,
  advices: readonly Advice[],
): Found | null {
  const equal = advices.filter((one) => one.totalMinor === payment.amountMinor && one.currency === payment.currency);
  const quoted = equal.filter(({ reference }) => reference !== null && tokens.includes(normaliseToken(reference)));
  if (quoted.length > 0) return only(quoted, 'reference');
  const own = equal.filter((one) => one.customerId !== null && one.customerId === customerId);
  if (own.length > 0) return only(own, 'customer');
  const open = equal.filter((one) => one.reference === null && (one.customerId === null || customerId === null));
  return open.length === equal.length ? only(open, 'total') : null;
}

const only = (advices: readonly Advice[], by: Found['by']): Found | null =>
  advices.length === 1 ? { advice: advices[0]!, by } : null;

/**
 * Whether the advice says nothing else than the money itself does. What quotes its reference follows it in any case; else the
 * invoices that the money names must be among its lines, and one that is known by its total alone gives way to whatever a
 * rule found, and to whoever is known to pay.
 */
export function agreesWith(
  by: Found['by'],
  lines: readonly { invoiceId: string; customerId: string }[],
  decision: Decision,
): boolean {
  if (by === 'reference') return true;
  const holds = (invoiceId: string): boolean => lines.some((line) => line.invoiceId === invoiceId);
  if (!decision.quoted.every((item) => !item.open || holds(item.invoiceId))) return false;
  if (by === 'customer') return true;
  if (decision.kind === 'apply' && !decision.proposal.shares.every((share) => holds(share.invoiceId))) return false;
  const { payers } = decision;
  return payers.length === 0 || lines.every((line) => payers.some(({ customerId }) => customerId === line.customerId));
}
