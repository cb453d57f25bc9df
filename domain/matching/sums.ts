import type { Item, Share } from './types.ts';

/** What of an item a sum may be of: its balance, or all that is claimed with it. */
type Due = (item: Item) => bigint;
const DUES: readonly Due[] = [(item) => item.balanceMinor, (item) => item.payableMinor];

export const sumOf = (items: readonly Item[], due: Due = DUES[0]!): bigint =>
  items.reduce((sum, item) => sum + due(item), 0n);

export const shareOf = (item: Item, amountMinor: bigint, writeOff: Share['writeOff'] = null): Share => ({
  invoiceId: item.invoiceId,
  customerId: item.customerId,
  amountMinor,
  writeOff,
});

/** The shares by which these items take exactly this amount, with the interest that is claimed or without; else null. */
export function exactShares(items: readonly Item[], amountMinor: bigint): Share[] | null {
  if (items.length === 0) return null;
  for (const due of DUES) {
    if (sumOf(items, due) === amountMinor) return items.map((item) => shareOf(item, due(item)));
  }
  return null;
}

/** Steps of a search at most: what is not found by then is not looked for further, and nothing is called unique. */
const MOST_STEPS = 200_000;

/**
 * The sets of `from` to `to` items whose balances add up to between `least` and `most`, two of them at most: one is
 * enough to know that another is not the only one. Null where there are too many to look at all.
 */
export function subsetsOf(
  items: readonly Item[],
  least: bigint,
  most: bigint,
  from: number,
  to: number,
): Item[][] | null {
  const sorted = items
    .filter((item) => item.balanceMinor <= most)
    .sort((a, b) => (a.balanceMinor > b.balanceMinor ? -1 : a.balanceMinor < b.balanceMinor ? 1 : 0));
  // What the items from an index on can add at most: a branch that cannot reach the amount any more is left.
  const behind: bigint[] = Array.from({ length: sorted.length + 1 }, () => 0n);
  for (let at = sorted.length - 1; at >= 0; at -= 1) behind[at] = behind[at + 1]! + sorted[at]!.balanceMinor;
  const found: Item[][] = [];
  const chosen: Item[] = [];
  let steps = 0;
  const search = (start: number, sum: bigint): boolean => {
    if (sum >= least && chosen.length >= from) {
      found.push([...chosen]);
      if (found.length === 2) return true;
    }
    if (chosen.length === to) return true;
    for (let at = start; at < sorted.length; at += 1) {
      if ((steps += 1) > MOST_STEPS) return false;
      if (sum + behind[at]! < least) return true;
      const next = sum + sorted[at]!.balanceMinor;
      if (next > most) continue;
      chosen.push(sorted[at]!);
      const whole = search(at + 1, next);
      chosen.pop();
      if (!whole || found.length === 2) return whole;
    }
    return true;
  };
  return search(0, 0n) ? found : null;
}

/** How many sets of `from` to `to` out of so many items there are. */
export function countOfSubsets(items: number, from: number, to: number): bigint {
  let sum = 0n;
  let ways = 1n;
  for (let size = 1; size <= Math.min(to, items); size += 1) {
    ways = (ways * BigInt(items - size + 1)) / BigInt(size);
    if (size >= from) sum += ways;
  }
  return sum;
}
