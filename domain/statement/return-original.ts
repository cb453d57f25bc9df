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
 * The only payment that has the same counterparty or quotes the same number. Undefined where several do, or none, or where the
 * number is one's and the account another's: money is not taken from one customer's invoice for another one's return.
 */
export function onlyLikely<T extends PossibleOriginal>(told: NamelessReturn, payments: readonly T[]): T | undefined {
  const { counterpartyAccount: account } = told;
  const numbers = new Set(numbersIn(told.text));
  const likely = payments.filter(
    ({ payerAccount, remittance }) =>
      (payerAccount !== null && payerAccount === account) || numbersIn(remittance).some((token) => numbers.has(token)),
  );
  const [only] = likely;
  if (likely.length !== 1 || only === undefined) return undefined;
  return account === null || only.payerAccount === null || only.payerAccount === account ? only : undefined;
}

/** A day as people and banks write it, standing alone: every payment of that day may have it. */
const DAY = /(?<![\w./-])(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2})(?![\w/-])/g;

/** What of a text may be the number of an invoice: four digits at least, and neither a day nor a year. */
function numbersIn(text: string | null): string[] {
  return quotedTokens((text ?? '').replace(DAY, '|')).filter((token) => {
    const digits = token.replace(/\D/g, '');
    return /\d{4}/.test(token) && !/^(?:19|20)\d{2}$/.test(digits);
  });
}
