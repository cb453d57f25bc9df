import type { CustomerKind } from '../policy/types.ts';
import { addDays, addMonths, addYears, daysBetween, earlier, later, type LocalDate } from '../time/dates.ts';
import { lawOf } from './country-law.ts';

/** The last day on which a claim can be pursued in time, and the text that says so. */
export interface Limitation {
  on: LocalDate;
  source: string;
}

/** What may happen to a limitation period, as a person or a payment records it. */
export const LIMITATION_EVENTS = [
  'acknowledgement',
  'partPayment',
  'askedForTime',
  'courtClaim',
  'paymentOrder',
  'enforcementMeasure',
  'mediation',
  'conciliation',
  'smallClaimsConsent',
] as const;
export type LimitationEventKind = (typeof LIMITATION_EVENTS)[number];

/** Kinds by which the debtor may have acknowledged the debt: they count once a person has confirmed it. */
export const ACKNOWLEDGING: readonly LimitationEventKind[] = ['acknowledgement', 'partPayment', 'askedForTime'];

/** What happened, and how long it lasted where it lasts (proceedings, talks); dates are the creditor's. */
export interface LimitationEvent {
  kind: LimitationEventKind;
  on: LocalDate;
  /** Its last day; null: it is a single event, or its end is not known yet. */
  until: LocalDate | null;
}

/** What the law makes of an event: the period begins anew, or does not run while it lasts. */
export interface EventRule {
  effect: 'restarts' | 'suspends';
  source: string;
  /** Months for which the suspension goes on after its last day (BGB § 204(2)). */
  goesOnMonths?: number;
  /** Months that are left at least once the suspension is over (C. civ. art. 2238). */
  leavesMonths?: number;
}

/** One kind of claim under one law. */
export interface LimitationRule {
  years: number;
  /** The period begins with the end of the year in which the claim arose (BGB § 199(1)); one begun anew does not. */
  endOfYear: boolean;
  source: string;
  /** Events that this law is known to answer; every other is refused (`limitationEventNotKnown`), never guessed. */
  events: Readonly<Partial<Record<LimitationEventKind, EventRule>>>;
  /** Whatever happens, no later than so many years after the claim arose (C. civ. art. 2232). */
  longStop: { years: number; source: string } | null;
  /** What a contract may make of the years (C. civ. art. 2254); null: nothing, or nothing that is known here. */
  contract: { from: number; to: number; source: string } | null;
}

/** What the limitation of one claim is reckoned from. */
export interface LimitedClaim {
  issuedOn: LocalDate;
  dueOn: LocalDate;
  /** The years that the contract agrees; null: those of the law. */
  contractYears: number | null;
  /** Only what counts: acknowledgements that nobody confirmed are left out. In any order. */
  events: readonly LimitationEvent[];
}

/**
 * The last day in time: from the next day on the claim is barred. The period runs from the due date; what happened within
 * it begins it anew or stops it, in the order of the days; what happened after it was over changes nothing, for a claim
 * that is barred stays so. It is not moved off a weekend. No event brings the day forward.
 *
 * - Restart: the period begins anew with the day of the event, of proceedings with their last day where it is known.
 * - Suspension: the days from the event to its end do not run. It counts once its end is known: until then the date
 *   stands as if it were not there, too early rather than too late.
 * - The long stop is reckoned from the issue date; a claim may have arisen before, so long before it a lawyer looks.
 */
export function limitationOf(rule: LimitationRule, claim: LimitedClaim): Limitation {
  const years = claim.contractYears ?? rule.years;
  const basic = addYears(claim.dueOn, years);
  let on = rule.endOfYear ? `${basic.slice(0, 4)}-12-31` : basic;
  const sources = [claim.contractYears === null ? rule.source : (rule.contract?.source ?? rule.source)];
  for (const event of [...claim.events].sort((a, b) => daysBetween(b.on, a.on))) {
    const known = rule.events[event.kind];
    if (!known || event.on > on) continue;
    const moved = known.effect === 'restarts' ? addYears(event.until ?? event.on, years) : resumed(on, event, known);
    if (moved <= on) continue;
    on = moved;
    if (!sources.includes(known.source)) sources.push(known.source);
  }
  const { longStop } = rule;
  if (longStop !== null) {
    const stop = later(addYears(claim.issuedOn, longStop.years), claim.dueOn);
    if (stop < on) sources.push(longStop.source);
    on = earlier(on, stop);
  }
  return { on, source: sources.join('; ') };
}

/** {@link limitationOf} by the debtor's country and kind; null where the law of the place is not covered: we do not guess. */
export function limitationIn(country: string, kind: CustomerKind, claim: LimitedClaim): Limitation | null {
  const rule = lawOf(country)?.limitation[kind] ?? null;
  return rule && limitationOf(rule, claim);
}

/** When a suspended period ends: what was left of it runs from the end of the suspension, or the least that must be left. */
function resumed(on: LocalDate, { on: from, until }: LimitationEvent, rule: EventRule): LocalDate {
  if (until === null || until < from) return on;
  const end = rule.goesOnMonths === undefined ? until : addMonths(until, rule.goesOnMonths);
  const left = addDays(on, Math.max(0, daysBetween(from, end)));
  return rule.leavesMonths === undefined ? left : later(left, addMonths(end, rule.leavesMonths));
}
