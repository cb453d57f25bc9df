import { addDays, addMonths, firstOfMonth, type LocalDate } from '../time/dates.ts';

/** Days sales outstanding, by the two formulas of the field (docs/reports.md). Amounts in minor units of one currency. */

/** What was sold in a month, VAT included, less what was credited; the month of the day asked is counted up to that day. */
export interface MonthOfSales {
  days: number;
  salesMinor: bigint;
}

/** So far back sales are looked for: what is older and owed is no question of how fast customers pay. */
const COUNT_BACK_MONTHS = 24;

/** The first day whose sales count-back looks at. */
export const countBackFrom = (asOf: LocalDate): LocalDate => addMonths(firstOfMonth(asOf), 1 - COUNT_BACK_MONTHS);

/** Every month back from `asOf`, newest first, with its sales by the month's first day; the newest has the days up to `asOf`. */
export function monthsBack(asOf: LocalDate, sales: ReadonlyMap<LocalDate, bigint>): MonthOfSales[] {
  return Array.from({ length: COUNT_BACK_MONTHS }, (_, back) => {
    const first = addMonths(firstOfMonth(asOf), -back);
    const last = back === 0 ? asOf : addDays(addMonths(first, 1), -1);
    return { days: Number(last.slice(8)), salesMinor: sales.get(first) ?? 0n };
  });
}

/**
 * Count-back: the newest sales are what is still owed. Month by month back from the day asked, whole months are counted
 * while their sales fit into the balance, and of the month in which it is used up the share that is left. Tenths of a day;
 * `null` where all sales that are known are less than the balance.
 */
export function countBackDso(balanceMinor: bigint, newestFirst: readonly MonthOfSales[]): string | null {
  if (balanceMinor <= 0n) return '0.0';
  let left = balanceMinor;
  let days = 0;
  for (const { days: monthDays, salesMinor } of newestFirst) {
    if (salesMinor >= left) return tenths(left * BigInt(monthDays), salesMinor, days);
    // A month in which more was credited than sold owes nothing by itself.
    if (salesMinor > 0n) left -= salesMinor;
    days += monthDays;
  }
  return null;
}

/** Simple: the balance over the sales of the days before, times those days. `null` where nothing was sold. */
export const simpleDso = (balanceMinor: bigint, salesMinor: bigint, days: number): string | null =>
  salesMinor <= 0n ? null : tenths((balanceMinor < 0n ? 0n : balanceMinor) * BigInt(days), salesMinor, 0);

/** a / b and whole days, in tenths, halves up. */
function tenths(a: bigint, b: bigint, whole: number): string {
  const value = (20n * a + b) / (2n * b) + BigInt(10 * whole);
  return `${value / 10n}.${value % 10n}`;
}

/** A ratio of amounts with so many decimals, halves up; `null` of nothing. */
export function ratio(part: bigint, whole: bigint, decimals: number): string | null {
  if (whole === 0n) return null;
  const scale = 10n ** BigInt(decimals);
  const negative = part < 0n !== whole < 0n && part !== 0n;
  const [a, b] = [part < 0n ? -part : part, whole < 0n ? -whole : whole];
  const value = (2n * a * scale + b) / (2n * b);
  const text = `${value / scale}${decimals === 0 ? '' : `.${String(value % scale).padStart(decimals, '0')}`}`;
  return negative && value !== 0n ? `-${text}` : text;
}
