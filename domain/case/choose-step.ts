import { opensAt } from '../time/contact-window.ts';
import { later, type LocalDate } from '../time/dates.ts';
import { localDate, type Instant } from '../time/zones.ts';
import type { Act } from './decision.ts';
import type { CaseFacts, CustomerFacts } from './facts.ts';
import { contactedByUs, entryDay, wasContacted, type Rung } from './ladder.ts';
import { allowedMoment, calendarOf } from './moments.ts';

/** What the ladder does next: one rung at an instant, steps dropped first, nothing for ever, or its end. */
export type Choice =
  | { do: 'leave'; rung: Rung; at: Instant; merged: Rung[]; reanchors: boolean }
  | { do: 'drop'; acts: Act[] }
  | { do: 'never' }
  | { do: 'end' };

/** A rung that is still to come, with the day it counts as due on. */
interface Due extends Rung {
  ownDay: LocalDate;
  /** The day on which it could first have left, had everything run; null when no day is free for a year. */
  foretold: Instant | null;
}

/**
 * Which step leaves next and when, by the rules of `entry` and `late` (api.md, "A policy"). A step is overtaken when the
 * next one's own day has come by the day on which it may leave, and missed when nothing ran at its moment. Whoever was
 * not yet contacted gets the first step after due instead of a more advanced one, and later steps keep their distance.
 */
export function chooseStep(facts: CaseFacts, customer: CustomerFacts, rungs: readonly Rung[], now: Instant): Choice {
  const pending = rungs.filter((r) => r.record === null);
  if (pending.length === 0) return { do: 'end' };
  const calendar = calendarOf(customer, facts.policy.contact);
  const entry = entryDay(facts);
  const notOn = facts.steps.flatMap((s) => (s.leftOn === null ? [] : [s.leftOn]));
  const momentFrom = (from: Instant): Instant | null => allowedMoment(customer, facts.policy.contact, from, { notOn });
  const quietUntil = Math.max(facts.registeredAt, facts.releasedAt);

  const due: Due[] = [];
  for (const r of pending) {
    if (r.ownDay === null) break;
    const ownDay = later(r.ownDay, entry);
    due.push({ ...r, ownDay, foretold: momentFrom(Math.max(opensAt(ownDay, calendar), quietUntil)) });
  }
  const first = due[0];
  if (!first) return { do: 'never' };

  if (first.beforeDue) return chooseBeforeDue(facts, customer, due, now, momentFrom, calendar);

  const at = momentFrom(Math.max(opensAt(first.ownDay, calendar), now));
  if (at === null) return { do: 'never' };
  const day = localDate(at, customer.zone);
  const reached = due.filter((r) => r.ownDay <= day);
  const isMissed = (r: Due): boolean => r.foretold !== null && localDate(r.foretold, customer.zone) < day;
  const ownBeforeEntry = rungs[first.index]!.ownDay! < entry;
  const { late, entry: entryRule } = facts.policy;

  if (!wasContacted(facts)) {
    if (reached.length === 1 && late === 'skip' && isMissed(first) && due[1]) {
      const second = momentFrom(Math.max(opensAt(due[1].ownDay, calendar), now));
      return second === null ? { do: 'never' } : { do: 'leave', rung: first, at: second, merged: [], reanchors: true };
    }
    const entered = ownBeforeEntry && entryRule !== 'byAge';
    const reanchors = reached.length > 1 || entered || (late === 'shift' && isMissed(first));
    return { do: 'leave', rung: first, at, merged: [], reanchors };
  }
  if (!contactedByUs(facts) && ownBeforeEntry) {
    if (entryRule !== 'byAge') return { do: 'leave', rung: first, at, merged: [], reanchors: true };
    return { do: 'leave', rung: reached.at(-1)!, at, merged: reached.slice(0, -1), reanchors: false };
  }
  if (late === 'shift') {
    return { do: 'leave', rung: first, at, merged: [], reanchors: reached.length > 1 || isMissed(first) };
  }
  if (late === 'skip') {
    const missed = reached.filter(isMissed);
    if (missed.length > 0) return { do: 'drop', acts: missed.map((r) => dropped(r, now, customer, 'missed')) };
  }
  return { do: 'leave', rung: reached.at(-1)!, at, merged: reached.slice(0, -1), reanchors: false };
}

/** A before-due step never leaves on or after the due date (design rule 9). */
function chooseBeforeDue(
  facts: CaseFacts,
  customer: CustomerFacts,
  due: readonly Due[],
  now: Instant,
  momentFrom: (from: Instant) => Instant | null,
  calendar: ReturnType<typeof calendarOf>,
): Choice {
  const first = due[0]!;
  const at = momentFrom(Math.max(opensAt(first.ownDay, calendar), now));
  const day = at === null ? null : localDate(at, customer.zone);
  if (day === null || day >= facts.dueOn) {
    return { do: 'drop', acts: [dropped(first, now, customer, 'dueDateReached')] };
  }
  const reached = due.filter((r) => r.beforeDue && r.ownDay <= day);
  const isMissed = first.foretold !== null && localDate(first.foretold, customer.zone) < day;
  if (isMissed && facts.policy.late === 'skip') {
    return { do: 'drop', acts: [dropped(first, now, customer, 'missed')] };
  }
  return { do: 'leave', rung: reached.at(-1)!, at: at!, merged: reached.slice(0, -1), reanchors: false };
}

function dropped(rung: Rung, now: Instant, customer: CustomerFacts, reason: string): Act {
  const plannedOn = localDate(now, customer.zone);
  return { act: 'skipStep', step: rung.step.key, channel: rung.step.channel, plannedAt: now, plannedOn, reason };
}

/** The step that a person's `skip` passes over: the open one, else the next that is still to come. */
export function nextRung(rungs: readonly Rung[]): Rung | null {
  return rungs.find((r) => r.record === null || ['requested', 'awaitingApproval'].includes(r.record.status)) ?? null;
}

