import type { LocalDate } from '../time/dates.ts';

/**
 * Lines by date, each with the balance after it; within a day in the order in which they are given. Minor units, from
 * `openingMinor` on.
 */
export function runningBalance<Line extends { on: LocalDate; amountMinor: bigint }>(
  lines: readonly Line[],
  openingMinor = 0n,
): (Line & { balanceMinor: bigint })[] {
  let balanceMinor = openingMinor;
  return lines
    .toSorted((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : 0))
    .map((line) => {
      balanceMinor += line.amountMinor;
      return { ...line, balanceMinor };
    });
}
