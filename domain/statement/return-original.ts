import { quotedTokens } from '../matching/tokens.ts';

/** A return whose bank names neither its own id of the payment nor its end-to-end id. */
export interface NamelessReturn {
  /** Who gets the money back. */
  counterpartyAccount: string | null;
  /** What it says of the payment, be it in the payer's words or the bank's. */
  text: string | null;
}

/** A payment of the same account and amount of which nothing has been returned. */
export interface PossibleOriginal {
  payerAccount: string | null;
  remittance: string | null;
}

/**
 * The only payment that has the same counterparty or quotes the same number. Undefined where several do, or none: money is
 * not taken from one customer's invoice for another one's return.
 */
export function onlyLikely<T extends PossibleOriginal>(told: NamelessReturn, payments: readonly T[]): T | undefined {
  const numbers = new Set(quotedTokens(told.text ?? '').filter((token) => /\d{4}/.test(token)));
  const likely = payments.filter(
    ({ payerAccount, remittance }) =>
      (payerAccount !== null && payerAccount === told.counterpartyAccount) ||
      quotedTokens(remittance ?? '').some((token) => numbers.has(token)),
  );
  return likely.length === 1 ? likely[0] : undefined;
}
