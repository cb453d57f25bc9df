import type { LocalDate } from '../time/dates.ts';
import { splitByWeights } from '../money.ts';
import type { ClaimPart, ImputationRule } from './country-law.ts';

/** Amounts by part, minor units, none negative. */
export type Parts = Readonly<Record<ClaimPart, bigint>>;

export const NO_PARTS: Parts = { costs: 0n, interest: 0n, principal: 0n, compensation: 0n };

export const sumOfParts = (parts: Parts): bigint => parts.costs + parts.interest + parts.principal + parts.compensation;

/**
 * What a payment on one debt extinguishes, part by part in the order given, and what is left of it. `open` holds only
 * what is claimed: anything else takes no part.
 */
export function impute(
  amountMinor: bigint,
  open: Parts,
  order: readonly ClaimPart[],
): { parts: Parts; restMinor: bigint } {
  let restMinor = amountMinor;
  const parts = { ...NO_PARTS };
  for (const part of order) {
    const taken = restMinor < open[part] ? restMinor : open[part];
    parts[part] = taken;
    restMinor -= taken;
  }
  return { parts, restMinor };
}

/** One of several debts of a customer in one currency. */
export interface Debt {
  id: string;
  dueOn: LocalDate;
  openMinor: bigint;
  /** Per cent a year in millionths: the dearest debt is the one its debtor most needs to be rid of. */
  onerous: bigint;
  secured: boolean;
}

/**
 * How money that its payer did not assign is shared among several debts (C. civ. 1342-10, BGB § 366): those that are due
 * first, among them by the law's further criteria, and equals in proportion. Each share is at most what is open; what
 * remains after all is `restMinor`.
 */
export function imputeSeveral(
  amountMinor: bigint,
  debts: readonly Debt[],
  rule: ImputationRule,
  today: LocalDate,
): { shares: { id: string; amountMinor: bigint }[]; restMinor: bigint } {
  const compare = (a: Debt, b: Debt): number => {
    for (const criterion of rule.several) {
      const order = compareBy(criterion, a, b, today);
      if (order !== 0) return order;
    }
    return 0;
  };
  const sorted = [...debts].sort((a, b) => compare(a, b) || (a.id < b.id ? -1 : 1));
  const shares: { id: string; amountMinor: bigint }[] = [];
  let restMinor = amountMinor;
  for (let index = 0; index < sorted.length && restMinor > 0n;) {
    const equals = sorted.slice(index).filter((one) => compare(one, sorted[index]!) === 0);
    index += equals.length;
    const total = equals.reduce((sum, one) => sum + one.openMinor, 0n);
    if (total === 0n) continue;
    const taken = restMinor < total ? restMinor : total;
    const amounts = splitByWeights(
      taken,
      equals.map((one) => one.openMinor),
    );
    for (const [n, one] of equals.entries())
      if (amounts[n]! > 0n) shares.push({ id: one.id, amountMinor: amounts[n]! });
    restMinor -= taken;
  }
  return { shares, restMinor };
}

function compareBy(criterion: ImputationRule['several'][number], a: Debt, b: Debt, today: LocalDate): number {
  switch (criterion) {
    case 'due':
      return Number(b.dueOn <= today) - Number(a.dueOn <= today);
    case 'leastSecured':
      return Number(a.secured) - Number(b.secured);
    case 'mostOnerous':
      return a.onerous === b.onerous ? 0 : a.onerous > b.onerous ? -1 : 1;
    case 'oldest':
      return a.dueOn === b.dueOn ? 0 : a.dueOn < b.dueOn ? -1 : 1;
  }
}
