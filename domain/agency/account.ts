import { runningBalance } from '../books/running-balance.ts';
import type { AccountLine } from './claim-facts.ts';

export interface StatementLine extends AccountLine {
  /** What is owed after it. */
  balanceMinor: bigint;
}

/** The account of an invoice by date, oldest first, with the balance after each line. It begins at zero. */
export const statementOf = (account: readonly AccountLine[]): StatementLine[] => runningBalance(account);

/** Money that came and stayed: what was applied less what was taken off again. */
export function paidOf(account: readonly AccountLine[]): bigint {
  return -account
    .filter(({ kind, method }) => method !== null && (kind === 'allocated' || kind === 'allocationUndone'))
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
}
