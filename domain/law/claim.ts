import type { CustomerKind } from '../policy/types.ts';
import { addDays, earlier, type LocalDate } from '../time/dates.ts';
import { workingDayOnOrAfter, type Holidays } from '../time/working-days.ts';
import { compensationMinor } from './compensation.ts';
import { lawOf, type ClaimPart, type CountryLaw, type InterestRule } from './country-law.ts';
import {
  exactInterest,
  interestPeriods,
  perDay,
  rateFrom,
  roundInterest,
  type BaseFrom,
  type ContractRate,
  type InterestPeriod,
} from './interest.ts';
import { formatPercent, parsePercent } from './percent.ts';
import { lastKnownOn, rateOn, type RateBook } from './rates.ts';

/** A change of what is owed as principal; negative lowers it. A reversal has the sign of what it undoes turned round. */
export interface PrincipalMovement {
  /** Creditor's date: the day the money reached the creditor, the date of the credit note, … */
  on: LocalDate;
  amountMinor: bigint;
  kind: 'payment' | 'credit' | 'difference' | 'writeOff';
}

/** Interest, compensation or costs that were extinguished (positive) or, by a reversal, are owed again (negative). */
export interface AccessoryMovement {
  on: LocalDate;
  part: Exclude<ClaimPart, 'principal'>;
  amountMinor: bigint;
  how: 'paid' | 'waived';
}

/** All that a claim depends on. Amounts are minor units of `currency`. */
export interface ClaimFacts {
  /** The debtor's, ISO 3166-1 alpha-2. */
  country: string;
  kind: CustomerKind;
  currency: string;
  amountMinor: bigint;
  dueOn: LocalDate;
  /** Per cent a year that a contract sets; null: the rate of the law. */
  contractRate: string | null;
  movements: readonly PrincipalMovement[];
  accessories: readonly AccessoryMovement[];
  /** Costs that may be charged on, each from its day. */
  costs: readonly { on: LocalDate; amountMinor: bigint }[];
  /** The day a formal notice reached the debtor. */
  noticeReceivedOn: LocalDate | null;
  /** The judgment that opened proceedings under which this claim falls: interest ends the day before. */
  judgmentOn: LocalDate | null;
  /** Due dates of instalments of the contract that were not kept. */
  lateInstalments: readonly LocalDate[];
  /** Of the debtor's place; only a due date that rolls needs them. */
  holidays: Holidays;
}

/** Something a reader of the claim has to know; `code` is stable. */
export interface ClaimNote {
  code:
    | 'lawUnknown'
    | 'notClaimable'
    | 'noticeNotReceived'
    | 'compensationCurrency'
    | 'contractRateNotApplicable'
    | 'contractRateBelowFloor'
    | 'floorUnknown'
    | 'minimumOfDirective'
    | 'interestEnded';
  message: string;
}

export interface ClaimedPeriod extends InterestPeriod {
  /** The amounts of all periods add up to the accrued interest: rounding is carried, never repeated. */
  amountMinor: bigint;
}

/** What is owed on an invoice at the end of a day. Minor units; nothing is negative. */
export interface Claim {
  asOf: LocalDate;
  currency: string;
  principalMinor: bigint;
  /** Still open: accrued, less what was paid and waived. */
  interestMinor: bigint;
  compensationMinor: bigint;
  costsMinor: bigint;
  totalMinor: bigint;
  /** Interest of a further day at the rate and on the principal of now; 0 where none runs. */
  perDayMinor: bigint;
  /** All interest since it began to run, whatever became of it. */
  accruedMinor: bigint;
  periods: readonly ClaimedPeriod[];
  /** Names the rule that was applied; null where none claims anything. */
  regime: string | null;
  /** The texts that the claim rests on. */
  sources: readonly string[];
  notes: readonly ClaimNote[];
}

/**
 * The one computation of what is owed on an invoice at the end of `asOf`: letters, agency file, declaration of claims,
 * portal, API and the imputation of payments all ask it. It depends on nothing dated after `asOf`.
 *
 * Throws `rateUnknown` where a reference rate it needs is not known.
 */
export function claimOf(facts: ClaimFacts, rates: RateBook, asOf: LocalDate): Claim {
  const law = lawOf(facts.country);
  const known = upTo(facts, asOf);
  const notes: ClaimNote[] = [];
  const interest = law === null ? null : law.interest[facts.kind];
  const compensation = law === null ? null : law.compensation[facts.kind];
  notes.push(...lawNotes(facts, law, interest));

  const running = interest === null ? null : interestOf(known, law!, interest, rates, asOf, notes);
  const fixed = compensation === null ? 0n : compensationMinor(compensation, lateness(known, law!, asOf));
  if (compensation !== null && facts.currency !== compensation.currency) {
    notes.push({
      code: 'compensationCurrency',
      message: `The fixed compensation is due in ${compensation.currency}: none is claimed on an invoice in ${facts.currency}, since no official rate of exchange is at hand.`,
    });
  }
  const accruedMinor = running?.accruedMinor ?? 0n;
  const costs = known.costs.reduce((sum, one) => sum + one.amountMinor, 0n);
  const principalMinor = positive(known.amountMinor + total(known.movements));
  const interestMinor = positive(accruedMinor - extinguished(known, 'interest'));
  const compensationOpen = positive(fixed - extinguished(known, 'compensation'));
  const costsMinor = positive(costs - extinguished(known, 'costs'));
  return {
    asOf,
    currency: facts.currency,
    principalMinor,
    interestMinor,
    compensationMinor: compensationOpen,
    costsMinor,
    totalMinor: principalMinor + interestMinor + compensationOpen + costsMinor,
    perDayMinor: running === null || running.rate === null ? 0n : perDay(principalMinor, running.rate),
    accruedMinor,
    periods: running?.periods ?? [],
    regime: interest?.regime ?? null,
    sources: [
      ...(running !== null && running.periods.length > 0 ? [interest!.source] : []),
      ...(fixed > 0n ? [compensation!.source] : []),
    ],
    notes,
  };
}

interface Running {
  periods: ClaimedPeriod[];
  accruedMinor: bigint;
  /** The rate of the day after; null where no interest runs any more, or where that day's rate is not known yet. */
  rate: string | null;
}

function interestOf(
  facts: ClaimFacts,
  law: CountryLaw,
  rule: InterestRule,
  rates: RateBook,
  asOf: LocalDate,
  notes: ClaimNote[],
): Running {
  const firstDay = firstDayOf(facts, law, rule);
  if (firstDay === null) {
    notes.push({
      code: 'noticeNotReceived',
      message: `Interest runs from the day after a formal notice was received (${rule.source}); none was.`,
    });
    return { periods: [], accruedMinor: 0n, rate: null };
  }
  const ended = facts.judgmentOn !== null && facts.judgmentOn <= asOf;
  // The stop is final (C. com. art. L622-28): the last day that bears interest is the one before the judgment.
  const lastDay = facts.judgmentOn === null ? asOf : earlier(asOf, addDays(facts.judgmentOn, -1));
  if (ended) {
    notes.push({ code: 'interestEnded', message: `Interest ended with the judgment of ${facts.judgmentOn}.` });
  }
  if (asOf < firstDay) return { periods: [], accruedMinor: 0n, rate: null };
  const contract = contractOf(facts, rule);
  const periods = interestPeriods(rule, contract, rates, bases(facts), firstDay, lastDay);
  if (contract !== null) notes.push(...floorNotes(contract, rule, rates, periods));
  return { ...carried(periods), rate: ended ? null : currentRate(facts, rule, contract, rates, firstDay, asOf) };
}

/** The first day that bears interest; null where what makes it run has not happened. */
function firstDayOf(facts: ClaimFacts, law: CountryLaw, rule: InterestRule): LocalDate | null {
  const dueOn = dueDate(facts, law);
  if (rule.runsFrom === 'due') return addDays(dueOn, 1);
  // A notice that came before the debt was due puts nobody in default before that day is over.
  return facts.noticeReceivedOn === null ? null : addDays(laterOf(facts.noticeReceivedOn, dueOn), 1);
}

const laterOf = (a: LocalDate, b: LocalDate): LocalDate => (a > b ? a : b);

/** The day until the end of which the debtor was in time. */
function dueDate(facts: ClaimFacts, law: CountryLaw): LocalDate {
  return law.dueDateRolls ? workingDayOnOrAfter(facts.dueOn, facts.holidays) : facts.dueOn;
}

/** What was owed from each day on: a movement counts from the day after its own. */
function bases(facts: ClaimFacts): BaseFrom[] {
  const found: BaseFrom[] = [{ from: '1900-01-01', baseMinor: facts.amountMinor }];
  const byDay = new Map<LocalDate, bigint>();
  for (const { on, amountMinor } of facts.movements) byDay.set(on, (byDay.get(on) ?? 0n) + amountMinor);
  for (const [on, amountMinor] of [...byDay].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (amountMinor === 0n) continue;
    found.push({ from: addDays(on, 1), baseMinor: found.at(-1)!.baseMinor + amountMinor });
  }
  return found;
}

/** Amounts of periods that add up to the rounded whole. */
function carried(periods: readonly InterestPeriod[]): { periods: ClaimedPeriod[]; accruedMinor: bigint } {
  let exact = 0n;
  let rounded = 0n;
  const claimed = periods.map((period) => {
    exact += exactInterest(period);
    const amountMinor = roundInterest(exact) - rounded;
    rounded += amountMinor;
    return { ...period, amountMinor };
  });
  return { periods: claimed, accruedMinor: rounded };
}

function currentRate(
  facts: ClaimFacts,
  rule: InterestRule,
  contract: ContractRate | null,
  rates: RateBook,
  firstDay: LocalDate,
  asOf: LocalDate,
): string | null {
  const tomorrow = addDays(asOf, 1);
  if (facts.judgmentOn !== null && tomorrow >= facts.judgmentOn) return null;
  const fixed = contract !== null || rule.mode === 'fixed';
  const last = lastKnownOn(rates, rule.series);
  // The rate of tomorrow may not be published yet: then that of today is what is known.
  const day = fixed || (last !== null && tomorrow <= last) ? tomorrow : asOf;
  return formatPercent(rateFrom(rule, contract, rates, firstDay, day).percent);
}

function contractOf(facts: ClaimFacts, rule: InterestRule): ContractRate | null {
  return facts.contractRate === null || rule.contract === undefined ? null : { rate: facts.contractRate };
}

/** A clause under the floor is for a person: what takes its place is not settled, so the clause is what is claimed. */
function floorNotes(
  contract: ContractRate,
  rule: InterestRule,
  rates: RateBook,
  periods: readonly InterestPeriod[],
): ClaimNote[] {
  const floor = rule.contract?.floor;
  const first = periods[0];
  if (floor === undefined || first === undefined) return [];
  const last = lastKnownOn(rates, floor.series);
  const days = periods.flatMap(({ from, to }) => halfYearStarts(from, to));
  const untested = days.filter((day) => last === null || day > last);
  const below = days.find((day) => {
    if (last === null || day > last) return false;
    return parsePercent(contract.rate) < floor.times * parsePercent(rateOn(rates, floor.series, day).rate);
  });
  const notes: ClaimNote[] = [];
  if (below !== undefined) {
    const least = floor.times * parsePercent(rateOn(rates, floor.series, below).rate);
    notes.push({
      code: 'contractRateBelowFloor',
      message: `The contract's ${contract.rate} % is below the floor of ${formatPercent(least)} % on ${below} (${floor.times} times the legal rate, ${rule.source}). Have the clause looked at.`,
    });
  }
  if (untested.length > 0) {
    notes.push({
      code: 'floorUnknown',
      message: `Whether the contract's rate is above the floor on ${untested[0]} is not known: the legal rate of that half-year is missing.`,
    });
  }
  return notes;
}

/** The first day of a period and each 1 January and 1 July within it. */
function halfYearStarts(from: LocalDate, to: LocalDate): LocalDate[] {
  const days = [from];
  for (let year = Number(from.slice(0, 4)); year <= Number(to.slice(0, 4)); year++) {
    days.push(...[`${year}-01-01`, `${year}-07-01`].filter((day) => from < day && day <= to));
  }
  return days;
}

function lateness(facts: ClaimFacts, law: CountryLaw, asOf: LocalDate): Parameters<typeof compensationMinor>[1] {
  const dueOn = dueDate(facts, law);
  return {
    currency: facts.currency,
    dueOn,
    asOf,
    paidLateMinor: unpaidAfter(facts, dueOn),
    lateInstalments: facts.lateInstalments.length,
    judgmentOn: facts.judgmentOn,
  };
}

/**
 * The most that was unpaid at the end of a day from the due date on, of what was really owed. A credit of any date was never
 * owed, and money that came in time and went back to its payer was never a payment.
 */
function unpaidAfter(facts: ClaimFacts, dueOn: LocalDate): bigint {
  const owedMinor = facts.amountMinor + total(facts.movements.filter(({ kind }) => kind === 'credit'));
  const movements = facts.movements.filter(({ kind }) => kind !== 'credit');
  const days = bases({ ...facts, amountMinor: owedMinor, movements });
  const firstLateDay = addDays(dueOn, 1);
  return days
    .filter((_, index) => (days[index + 1]?.from ?? FOR_EVER) > firstLateDay)
    .reduce((most, { baseMinor }) => (baseMinor > most ? baseMinor : most), 0n);
}

const FOR_EVER: LocalDate = '9999-12-31';

function lawNotes(facts: ClaimFacts, law: CountryLaw | null, interest: InterestRule | null): ClaimNote[] {
  if (law === null) {
    return [
      { code: 'lawUnknown', message: `The law of ${facts.country} is not covered: only the principal is claimed.` },
    ];
  }
  if (interest === null) {
    return [
      { code: 'notClaimable', message: `No statutory interest is known here for a ${facts.kind} in ${facts.country}.` },
    ];
  }
  const notes: ClaimNote[] = [];
  if (facts.contractRate !== null && interest.contract === undefined) {
    notes.push({
      code: 'contractRateNotApplicable',
      message: `A contract's rate is not applied to a ${facts.kind} in ${facts.country}: the rate of the law is.`,
    });
  }
  if (interest.regime === 'euFloor') {
    notes.push({
      code: 'minimumOfDirective',
      message: `The national law of ${facts.country} is not covered: the least that Directive 2011/7/EU grants is claimed.`,
    });
  }
  return notes;
}

/** The facts as they were known at the end of a day: what is dated later does not exist yet. */
function upTo(facts: ClaimFacts, asOf: LocalDate): ClaimFacts {
  const past = ({ on }: { on: LocalDate }): boolean => on <= asOf;
  return {
    ...facts,
    movements: facts.movements.filter(past),
    accessories: facts.accessories.filter(past),
    costs: facts.costs.filter(past),
    noticeReceivedOn: facts.noticeReceivedOn !== null && facts.noticeReceivedOn <= asOf ? facts.noticeReceivedOn : null,
    judgmentOn: facts.judgmentOn !== null && facts.judgmentOn <= asOf ? facts.judgmentOn : null,
    lateInstalments: facts.lateInstalments.filter((on) => on < asOf),
  };
}

function extinguished(facts: ClaimFacts, part: AccessoryMovement['part']): bigint {
  return facts.accessories.reduce((sum, one) => (one.part === part ? sum + one.amountMinor : sum), 0n);
}

const total = (movements: readonly { amountMinor: bigint }[]): bigint =>
  movements.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);

const positive = (minor: bigint): bigint => (minor > 0n ? minor : 0n);
