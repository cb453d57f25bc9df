import type { ContactCalendar } from '../time/contact-window.ts';
import { opensAt } from '../time/contact-window.ts';
import { later, type LocalDate } from '../time/dates.ts';
import { instantAt, localDate, type Instant } from '../time/zones.ts';
import type { Act } from './decision.ts';
import type { CaseFacts, CustomerFacts } from './facts.ts';
import { contactedByUs, entryDay, wasContacted, type Rung } from './ladder.ts';
import { allowedMoment, calendarOf, wayOf } from './moments.ts';

/**
 * What the ladder does next: one rung at an instant, steps dropped first, nothing for more than a year, or its end. What
 * is dropped with `notBefore` may still come to leave until then, should the due date move.
 */
export type Choice =
  | { do: 'leave'; rung: Rung; at: Instant; merged: Rung[]; reanchors: boolean }
  | { do: 'drop'; acts: Act[]; notBefore?: Instant }
  | { do: 'never' }
  | { do: 'end' };

/** A rung that is still to come, with the day it counts as due on. */
interface Due extends Rung {
  ownDay: LocalDate;
  /** Its own day came before the ladder could begin: the invoice was late when it arrived. */
  lateAtEntry: boolean;
}

/**
 * Which step leaves next and when, by the rules of `entry` and `late` (api.md, "A policy"). A step is overtaken when the
 * next one's own day has come by the day on which it may leave, and missed when nothing ran at its moment. Whoever was
 * not yet contacted gets the first step after due instead of a more advanced one, and later steps keep their distance.
 */
export function chooseStep(facts: CaseFacts, customer: CustomerFacts, rungs: readonly Rung[], now: Instant): Choice {
  const due = stillToCome(facts, rungs);
  if (due.length === 0) return rungs.some((r) => r.record === null) ? { do: 'never' } : { do: 'end' };
  const timing = new Timing(facts, customer, now);

  const first = due[0]!;
  if (first.beforeDue) return chooseNote(timing, due);
  const at = timing.leaves(first);
  if (at === null) return { do: 'never' };
  const day = localDate(at, customer.zone);
  const reached = due.filter((r) => r.ownDay <= day);
  const isLate = (r: Due): boolean => timing.isMissed(r, day);
  const leave = (rung: Due, when: Instant, merged: Due[], reanchors: boolean): Choice => ({
    do: 'leave',
    rung,
    at: when,
    merged,
    reanchors,
  });
  const { late, entry } = facts.policy;
  const enters = first.lateAtEntry && entry !== 'byAge';

  if (late === 'skip' && reached.every(isLate)) {
    const kept = due.find((r) => !isLate(r));
    if (!kept || wasContacted(facts)) return dropAll(reached, customer, now, 'missed');
    // The missed one is dropped, but nobody's first contact is a more advanced one: the first leaves in its stead.
    const instead = timing.leaves(kept);
    return instead === null ? { do: 'never' } : leave(first, instead, [], true);
  }
  if (!wasContacted(facts)) {
    return leave(first, at, [], reached.length > 1 || enters || (late === 'shift' && isLate(first)));
  }
  if (enters && !contactedByUs(facts)) return leave(first, at, [], true);
  if (late === 'shift') return leave(first, at, [], reached.length > 1 || isLate(first));
  if (late === 'skip') {
    const missed = reached.filter(isLate);
    if (missed.length > 0) return dropAll(missed, customer, now, 'missed');
  }
  return leave(reached.at(-1)!, at, reached.slice(0, -1), false);
}

/** A note before the due date never leaves on or after it (design rule 9): one that finds no day before it is dropped. */
function chooseNote(timing: Timing, due: readonly Due[]): Choice {
  const { facts, customer, now } = timing;
  const { late } = facts.policy;
  const first = due[0]!;
  const at = timing.leaves(first);
  if (at === null || !isBeforeDueDate(facts, customer, at)) {
    return { ...dropAll([first], customer, now, 'dueDateReached'), notBefore: dueDateBegins(facts, customer) };
  }
  const day = localDate(at, customer.zone);
  const reached = due.filter((r) => r.beforeDue && r.ownDay <= day);
  const missed = reached.filter((r) => timing.isMissed(r, day));
  if (late === 'skip' && missed.length > 0) return dropAll(missed, customer, now, 'missed');
  if (late === 'shift') {
    return { do: 'leave', rung: first, at, merged: [], reanchors: reached.length > 1 || missed.length > 0 };
  }
  return { do: 'leave', rung: reached.at(-1)!, at, merged: reached.slice(0, -1), reanchors: false };
}

function stillToCome(facts: CaseFacts, rungs: readonly Rung[]): Due[] {
  const entry = entryDay(facts);
  const due: Due[] = [];
  for (const r of rungs) {
    if (r.record !== null) continue;
    // What hangs on a step that has not left comes after it.
    if (r.ownDay === null) break;
    due.push({ ...r, ownDay: later(r.ownDay, entry), lateAtEntry: r.ownDay < entry });
  }
  return due;
}

/** When the steps of one case may leave and might have left. */
class Timing {
  readonly facts: CaseFacts;
  readonly customer: CustomerFacts;
  readonly now: Instant;
  readonly #calendar: ContactCalendar;
  readonly #takenDays: LocalDate[];
  /** Nothing was missed before this. */
  readonly #quietUntil: Instant;

  constructor(facts: CaseFacts, customer: CustomerFacts, now: Instant) {
    this.facts = facts;
    this.customer = customer;
    this.now = now;
    this.#calendar = calendarOf(customer, facts.policy.contact);
    this.#takenDays = facts.steps.flatMap((s) => (s.leftOn === null ? [] : [s.leftOn]));
    const lastLeft = this.#takenDays.reduce<LocalDate | null>((a, b) => (a === null || b > a ? b : a), null);
    this.#quietUntil = Math.max(
      facts.registeredAt,
      facts.releasedAt,
      lastLeft === null ? 0 : instantAt(lastLeft, '00:00', customer.zone),
    );
  }

  /** The earliest moment from now on; null when no day is free for more than a year. */
  leaves(rung: Due): Instant | null {
    return this.#moment(rung, this.now);
  }

  /** Whether nothing ran at the moment at which it could have left, which was before `day`. */
  isMissed(rung: Due, day: LocalDate): boolean {
    if (this.facts.policy.late === 'merge' || rung.ownDay >= day) return false;
    const foretold = this.#moment(rung, this.#quietUntil);
    return foretold !== null && localDate(foretold, this.customer.zone) < day;
  }

  #moment(rung: Due, from: Instant): Instant | null {
    const { facts, customer } = this;
    let opens = opensAt(rung.ownDay, this.#calendar);
    // Far to the east the next day begins while the creditor still counts the due date: nothing is late yet.
    if (!rung.beforeDue && rung.ownDay > facts.dueOn) {
      opens = Math.max(opens, instantAt(facts.dueOn, '24:00', customer.creditorZone));
    }
    return allowedMoment(customer, facts.policy.contact, Math.max(opens, from), {
      notOn: this.#takenDays,
      onceADay: wayOf(customer, facts.policy, rung.step),
    });
  }
}

/** The due date has not come by that instant, neither for the creditor nor for the customer. */
export function isBeforeDueDate(facts: CaseFacts, customer: CustomerFacts, at: Instant): boolean {
  return at < dueDateBegins(facts, customer);
}

/** The instant at which the due date begins for the first of creditor and customer. */
export function dueDateBegins(facts: CaseFacts, customer: CustomerFacts): Instant {
  return Math.min(
    instantAt(facts.dueOn, '00:00', customer.creditorZone),
    instantAt(facts.dueOn, '00:00', customer.zone),
  );
}

function dropAll(
  rungs: readonly Rung[],
  customer: CustomerFacts,
  now: Instant,
  reason: string,
): Extract<Choice, { do: 'drop' }> {
  const plannedOn = localDate(now, customer.zone);
  const acts = rungs.map<Act>(({ step }) => ({
    act: 'skipStep',
    step: step.key,
    channel: step.channel,
    plannedAt: now,
    plannedOn,
    reason,
  }));
  return { do: 'drop', acts };
}

/** The step that a person's `skip` passes over: the open one, else the next that is still to come. */
export function nextRung(rungs: readonly Rung[]): Rung | null {
  return rungs.find((r) => r.record === null || ['requested', 'awaitingApproval'].includes(r.record.status)) ?? null;
}
