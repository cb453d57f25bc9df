import { parseAmount } from '../../domain/money.ts';

/** Minor units of a decimal text that may be negative. Errors as `parseAmount`. */
export function signedMinor(amount: string, currency: string): bigint {
  return amount.startsWith('-') ? -parseAmount(amount.slice(1), currency) : parseAmount(amount, currency);
}

/** The sum of the first 0, 1, 2… amounts. */
export function runningSums(amounts: readonly bigint[]): bigint[] {
  const sums = [0n];
  for (const amount of amounts) sums.push(sums.at(-1)! + amount);
  return sums;
}
