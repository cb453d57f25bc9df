import type { LocalDate } from '../../time/dates.ts';

/** What of a row its running balance is held against. */
export interface BalancedRow {
  amountMinor: bigint;
  balanceMinor: bigint | null;
  on: LocalDate;
}

/**
 * Opening and closing balance of a table with a running one. Whether it goes forward or back in time is what its balances
 * say, and its dates where they say nothing.
 */
export function balancesOf(told: readonly BalancedRow[]): {
  opening: { amountMinor: bigint; on: LocalDate | null } | null;
  closing: { amountMinor: bigint; on: LocalDate | null } | null;
} {
  const rows = balancesBehind(told);
  const first = rows[0];
  const last = rows.at(-1);
  if (!first || !last || first.balanceMinor === null || last.balanceMinor === null)
    return { opening: null, closing: null };
  let forwards = 0;
  rows.slice(1).forEach(({ balanceMinor, amountMinor }, index) => {
    const before = rows[index]!;
    if (balanceMinor === null || before.balanceMinor === null) return;
    if (balanceMinor === before.balanceMinor + amountMinor) forwards++;
    if (balanceMinor === before.balanceMinor - before.amountMinor) forwards--;
  });
  const backwards = forwards === 0 ? first.on > last.on : forwards < 0;
  const [oldest, newest] = backwards ? [last, first] : [first, last];
  return {
    opening: { amountMinor: oldest.balanceMinor! - oldest.amountMinor, on: null },
    closing: { amountMinor: newest.balanceMinor!, on: newest.on },
  };
}

/** The same rows with the balances behind them, where a bank writes those before them. */
function balancesBehind(rows: readonly BalancedRow[]): readonly BalancedRow[] {
  let before = 0;
  rows.slice(1).forEach((row, index) => {
    const above = rows[index]!;
    if (row.balanceMinor === null || above.balanceMinor === null) return;
    const difference = row.balanceMinor - above.balanceMinor;
    const isBehind = difference === row.amountMinor || difference === -above.amountMinor;
    const isBefore = difference === above.amountMinor || difference === -row.amountMinor;
    before += Number(isBefore) - Number(isBehind);
  });
  if (before <= 0) return rows;
  return rows.map((row) => ({
    ...row,
    balanceMinor: row.balanceMinor === null ? null : row.balanceMinor + row.amountMinor,
  }));
}
