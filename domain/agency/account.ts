import type { AccountLine } from './claim-facts.ts';

export interface StatementLine extends AccountLine {
  /** What is owed after it. */
  balanceMinor: bigint;
}

/** The account of an invoice by date, oldest first, with the balance after each line. It begins at zero. */
export function statementOf(account: readonly AccountLine[]): StatementLine[] {
  let balanceMinor = 0n;
  const byDate = account.map((line, index) => ({ line, index })).sort((a, b) => compare(a, b));
  return byDate.map(({ line }) => {
    balanceMinor += line.amountMinor;
    return { ...line, balanceMinor };
  });
}

type Placed = { line: AccountLine; index: number };

/** Within a day in the order of the journal. */
const compare = (a: Placed, b: Placed): number =>
  a.line.on < b.line.on ? -1 : a.line.on > b.line.on ? 1 : a.index - b.index;

/** Money that came and stayed: what was applied less what was taken off again. */
export function paidOf(account: readonly AccountLine[]): bigint {
  return -account
    .filter(({ kind, method }) => method !== null && (kind === 'allocated' || kind === 'allocationUndone'))
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
}
