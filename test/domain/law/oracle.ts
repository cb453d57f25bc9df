import { dayNumber, dateOfDayNumber } from '../../../domain/time/dates.ts';
import type { ClaimFacts } from '../../../domain/law/claim.ts';

/**
 * Late interest and compensation once more, written apart from the program: day by day, each day its own fraction, with the
 * rates as literals in hundredths of a point. It shares nothing with the code it judges but the shape of the facts.
 */

/** By half-year from the first of 2019: [ECB, French legal rate of firms, Basiszinssatz, Bank Rate]; null where unknown. */
const HALVES: readonly (readonly [number, number | null, number, number])[] = [
  [0, 86, -88, 75],
  [0, 87, -88, 75],
  [0, 87, -88, 75],
  [0, 84, -88, 10],
  [0, 79, -88, 10],
  [0, 76, -88, 10],
  [0, 76, -88, 25],
  [0, 77, -88, 125],
  [250, 206, 162, 350],
  [400, 422, 312, 500],
  [450, 507, 362, 525],
  [425, 492, 337, 525],
  [315, 371, 227, 475],
  [215, 276, 127, 425],
  [215, 262, 127, 375],
  [240, null, 152, 375],
];

const halfOf = (day: string): number => (Number(day.slice(0, 4)) - 2019) * 2 + (day.slice(5) < '07-01' ? 0 : 1);

/** Hundredths of a point a year on a day; null where nothing is claimed, `unknown` where a rate is missing. */
function pointsOn(facts: ClaimFacts, day: string, first: string): number | null | 'unknown' {
  const { country, kind, contractRate } = facts;
  const firm = kind === 'business';
  const take = (column: 0 | 1 | 2 | 3, of: string, plus: number): number | 'unknown' => {
    const value = HALVES[halfOf(of)]?.[column];
    return value === null || value === undefined ? 'unknown' : Math.max(0, value + plus);
  };
  if (contractRate !== null && firm && country !== 'US') return Math.round(Number(contractRate) * 100);
  switch (country) {
    case 'FR':
      if (kind === 'consumer') return take(1, day, 0);
      return firm ? take(0, day, 1000) : take(0, first, 800);
    case 'DE':
      return kind === 'consumer' ? take(2, day, 500) : take(2, day, 900);
    case 'GB':
      return kind === 'consumer' ? null : take(3, first, 800);
    case 'IE':
      return kind === 'consumer' ? null : take(0, first, 800);
    case 'BE': {
      if (kind === 'consumer') return null;
      const sum = take(0, day, 800);
      return sum === 'unknown' ? sum : Math.ceil(sum / 50) * 50;
    }
    case 'AT':
      return kind === 'consumer' ? null : take(0, day, 800);
    default:
      return null;
  }
}

function lastDayInTime(facts: ClaimFacts): string {
  if (facts.country !== 'DE') return facts.dueOn;
  let day = dayNumber(facts.dueOn);
  // 1 January 1970 was a Thursday.
  while ((day + 3) % 7 >= 5 || facts.holidays.has(dateOfDayNumber(day))) day++;
  return dateOfDayNumber(day);
}

/** Accrued interest in minor units, rounded half up once; `unknown` where a rate it needs is missing. */
export function oracleInterest(facts: ClaimFacts, asOf: string): bigint | 'unknown' {
  const inTime = lastDayInTime(facts);
  let start = inTime;
  if (facts.country === 'FR' && facts.kind === 'consumer') {
    const notice = facts.noticeReceivedOn;
    if (notice === null || notice > asOf) return 0n;
    if (notice > start) start = notice;
  }
  const first = dateOfDayNumber(dayNumber(start) + 1);
  let numerator = 0n;
  for (let n = dayNumber(first); n <= dayNumber(asOf); n++) {
    const day = dateOfDayNumber(n);
    if (facts.judgmentOn !== null && facts.judgmentOn <= asOf && day >= facts.judgmentOn) break;
    let base = facts.amountMinor;
    for (const { on, amountMinor } of facts.movements) if (on < day && on <= asOf) base += amountMinor;
    if (base <= 0n) continue;
    const points = pointsOn(facts, day, first);
    if (points === 'unknown') return 'unknown';
    if (points !== null) numerator += base * BigInt(points);
  }
  // Hundredths of a point: / 100 / 100, and 365 days.
  const denominator = 100n * 100n * 365n;
  return (numerator * 2n + denominator) / (denominator * 2n);
}

/** The fixed compensation in minor units, whatever was paid of it. */
export function oracleCompensation(facts: ClaimFacts, asOf: string): bigint {
  const inTime = lastDayInTime(facts);
  const { country, kind, currency } = facts;
  if (kind === 'consumer' || asOf <= inTime) return 0n;
  // What was ever credited was not owed; of the rest, the most that was unpaid on an evening from the due date on.
  let late = 0n;
  for (let n = dayNumber(inTime); n <= dayNumber(asOf); n++) {
    const evening = dateOfDayNumber(n);
    let owed = facts.amountMinor;
    for (const { on, amountMinor, kind: how } of facts.movements) {
      if (how === 'credit' ? on <= asOf : on <= evening) owed += amountMinor;
    }
    if (owed > late) late = owed;
  }
  if (late <= 0n) return 0n;
  if (country === 'GB')
    return currency !== 'GBP' ? 0n : late < 100_000n ? 4_000n : late < 1_000_000n ? 7_000n : 10_000n;
  if (!['FR', 'DE', 'IE', 'BE', 'AT'].includes(country) || currency !== 'EUR') return 0n;
  const judged = facts.judgmentOn !== null && facts.judgmentOn <= asOf && inTime >= facts.judgmentOn;
  if (country === 'FR' && judged) return 0n;
  // In Germany each late instalment of the contract costs as much again.
  const instalments = country === 'DE' ? facts.lateInstalments.filter((due) => due < asOf).length : 0;
  return 4_000n * BigInt(1 + instalments);
}

/** Costs that had arisen by then. */
export function oracleCosts(facts: ClaimFacts, asOf: string): bigint {
  let sum = 0n;
  for (const { on, amountMinor } of facts.costs) if (on <= asOf) sum += amountMinor;
  return sum;
}

/** What is left of the principal in the evening. */
export function oraclePrincipal(facts: ClaimFacts, asOf: string): bigint {
  let owed = facts.amountMinor;
  for (const { on, amountMinor } of facts.movements) if (on <= asOf) owed += amountMinor;
  return owed < 0n ? 0n : owed;
}

/** What is left of a part after what was paid and waived of it by then; never less than nothing. */
export function oracleRest(facts: ClaimFacts, part: string, whole: bigint, asOf: string): bigint {
  let rest = whole;
  for (const one of facts.accessories) if (one.part === part && one.on <= asOf) rest -= one.amountMinor;
  return rest < 0n ? 0n : rest;
}
