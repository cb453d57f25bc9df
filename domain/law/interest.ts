import { addDays, daysBetween, earlier, later, type LocalDate } from '../time/dates.ts';
import type { InterestRule } from './country-law.ts';
import { formatPercent, parsePercent, roundUpTo, type Percent } from './percent.ts';
import { rateOn, type RateBook } from './rates.ts';

/** What was owed from a day on. Minor units. */
export interface BaseFrom {
  from: LocalDate;
  baseMinor: bigint;
}

/** A run of days with one base and one rate, both ends counted. */
export interface InterestPeriod {
  from: LocalDate;
  to: LocalDate;
  days: number;
  baseMinor: bigint;
  /** Per cent a year, a decimal string. */
  rate: string;
  /** Where the rate comes from. */
  source: string;
}

/** A contract's own rate, per cent a year as a decimal string. */
export interface ContractRate {
  rate: string;
}

/** An exact amount: minor units times `INTEREST_SCALE`. */
export type ExactInterest = bigint;

/** Hundredths, millionths of a per cent, and the 365 days of a year: actual/365, leap years too. */
const YEAR_DAYS = 365n;
export const INTEREST_SCALE = 100n * 1_000_000n * YEAR_DAYS;

/**
 * Simple interest from `firstDay` to `lastDay`, both counted, as periods of one base and one rate; days on which nothing
 * was owed are left out. The base is what was owed at the beginning of a day: a payment counts from the day after it
 * arrived, so that its own day still bears interest. Throws `rateUnknown` where a day's rate is not known.
 */
export function interestPeriods(
  rule: InterestRule,
  contract: ContractRate | null,
  rates: RateBook,
  bases: readonly BaseFrom[],
  firstDay: LocalDate,
  lastDay: LocalDate,
): InterestPeriod[] {
  const periods: InterestPeriod[] = [];
  // Days only go up, so a rate is looked up once for all the days that have it.
  let known: (ReturnType<typeof rateFrom> & { text: string }) | null = null;
  for (const [index, { from: since, baseMinor }] of bases.entries()) {
    const next = bases[index + 1]?.from;
    const end = next === undefined ? lastDay : earlier(addDays(next, -1), lastDay);
    let from = later(since, firstDay);
    while (baseMinor > 0n && from <= end) {
      if (known === null || (known.until !== null && known.until < from)) {
        const found = rateFrom(rule, contract, rates, firstDay, from);
        known = { ...found, text: formatPercent(found.percent) };
      }
      const to = known.until === null ? end : earlier(known.until, end);
      periods.push({ from, to, days: daysBetween(from, to) + 1, baseMinor, rate: known.text, source: known.source });
      from = addDays(to, 1);
    }
  }
  return periods;
}

/** The interest of a period before it is rounded. Sums of it are exact: rounding comes once, at the end. */
export function exactInterest(period: Pick<InterestPeriod, 'baseMinor' | 'rate' | 'days'>): ExactInterest {
  return period.baseMinor * parsePercent(period.rate) * BigInt(period.days);
}

/** Half up to the minor unit. */
export function roundInterest(exact: ExactInterest): bigint {
  return (2n * exact + INTEREST_SCALE) / (2n * INTEREST_SCALE);
}

/** What a further day costs on a base at a rate, rounded half up. */
export function perDay(baseMinor: bigint, rate: string): bigint {
  return roundInterest(exactInterest({ baseMinor, rate, days: 1 }));
}

/** The rate of a day and until when it stays: null where it is the same for good. */
export function rateFrom(
  rule: InterestRule,
  contract: ContractRate | null,
  rates: RateBook,
  firstDay: LocalDate,
  day: LocalDate,
): { percent: Percent; until: LocalDate | null; source: string } {
  if (contract !== null && rule.contract !== undefined) {
    return { percent: parsePercent(contract.rate), until: null, source: 'contract' };
  }
  const reference = rateOn(rates, rule.series, rule.mode === 'fixed' ? firstDay : day);
  const sum = parsePercent(reference.rate) + parsePercent(rule.margin);
  // A reference rate below zero does not turn interest into a reward for paying late.
  const percent = rule.roundUpTo === undefined ? sum : roundUpTo(sum, parsePercent(rule.roundUpTo));
  const margin = rule.margin === '0' ? '' : ` + ${rule.margin}`;
  return {
    percent: percent < 0n ? 0n : percent,
    until: rule.mode === 'fixed' ? null : reference.to,
    source: `${rule.source}: ${reference.rate} (${reference.source}, ${reference.from})${margin}`,
  };
}
