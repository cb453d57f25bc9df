import { nextMoment } from '../time/contact-window.ts';
import { addDays, type LocalDate } from '../time/dates.ts';
import { instantAt, localDate, type Instant } from '../time/zones.ts';
import type { Channel, Policy } from '../policy/types.ts';
import type { Act, Decision, NextAction } from './decision.ts';
import type { CaseFacts, CustomerFacts, PlanFact } from './facts.ts';
import { calendarOf, recipientsOf } from './moments.ts';
import { planNoteKey, planNoteOf, type PlanNote } from './requests.ts';
import type { View } from './view.ts';

/** The plan that holds the case now; null without one. */
export function activePlan(facts: Pick<CaseFacts, 'plans'>): PlanFact | null {
  return facts.plans.find((p) => p.status === 'active') ?? null;
}

/** An instalment, and what of it is still to be paid. */
export interface InstalmentRest {
  n: number;
  dueOn: LocalDate;
  amountMinor: bigint;
  restMinor: bigint;
}

/** The instalments with what is left of each: what was paid serves them in their order. Minor units. */
export function instalmentRests(plan: Pick<PlanFact, 'instalments' | 'paidMinor'>): InstalmentRest[] {
  let paid = plan.paidMinor;
  return plan.instalments.map(({ n, dueOn, amountMinor }) => {
    const served = paid < amountMinor ? paid : amountMinor;
    paid -= served;
    return { n, dueOn, amountMinor, restMinor: amountMinor - served };
  });
}

/** The first instalment that what has been paid does not cover; null when the plan is paid to its end. */
export function openInstalment(plan: Pick<PlanFact, 'instalments' | 'paidMinor'>): InstalmentRest | null {
  return instalmentRests(plan).find(({ restMinor }) => restMinor > 0n) ?? null;
}

/** How an instalment stands on a day of the creditor's. */
export type InstalmentStatus = 'paid' | 'partly' | 'due' | 'late' | 'open';

export function instalmentStatus(instalment: InstalmentRest, today: LocalDate): InstalmentStatus {
  const { dueOn, amountMinor, restMinor } = instalment;
  if (restMinor === 0n) return 'paid';
  if (dueOn < today) return 'late';
  if (dueOn === today) return 'due';
  return restMinor < amountMinor ? 'partly' : 'open';
}

/** The last day on which the instalment that is open now may still be paid (creditor's date); null without an active plan. */
export function planEnds(facts: Pick<CaseFacts, 'plans'>): LocalDate | null {
  const plan = activePlan(facts);
  const open = plan && openInstalment(plan);
  return plan && open ? addDays(open.dueOn, plan.graceDays) : null;
}

/** Whether a plan is kept or broken now; null while neither. Whichever of its cases looks first judges for all. */
export function planVerdict(
  facts: CaseFacts,
  customer: CustomerFacts,
  now: Instant,
  today: LocalDate,
): Extract<Act, { act: 'keepPlan' | 'breakPlan' }> | null {
  const plan = activePlan(facts);
  if (plan === null) return null;
  if (openInstalment(plan) === null) return { act: 'keepPlan', planId: plan.id, on: today, at: now };
  const lastDay = planEnds(facts)!;
  const ends = instantAt(lastDay, '24:00', customer.creditorZone);
  return now >= ends ? { act: 'breakPlan', planId: plan.id, on: lastDay, at: ends } : null;
}

// ---- Notes --------------------------------------------------------------------------------------------------------

/** So many days before an instalment the customer is told of it. */
const NOTE_BEFORE_DAYS = 3;

/** Who gets the notes of a plan by mail. */
export const PLAN_TO = { to: ['billing'], cc: [] } as const;

/** Where the policy says so a note is a letter when there is no address to write to; else it is left out. */
function noteChannel(customer: CustomerFacts, policy: Policy): Channel | null {
  if (recipientsOf(customer, 'email', { to: [...PLAN_TO.to], cc: [] }).to.length > 0) return 'email';
  return policy.noAddress === 'letter' ? 'letter' : null;
}

/**
 * The days of a note, the first and the one on which it is too late (null: never). They are kept by the creditor's date
 * and the customer's: a note before an instalment never leaves on or after its day, one after it only while it may
 * still be paid. Null for an instalment the plan does not have, and for a note that the confirmation makes needless.
 */
function daysOf(plan: PlanFact, { note, n }: PlanNote): { from: LocalDate; before: LocalDate | null } | null {
  if (note === 'agreed') return { from: plan.agreedOn, before: null };
  const instalment = plan.instalments.find((i) => i.n === n);
  if (!instalment) return null;
  const { dueOn } = instalment;
  if (note === 'after') return { from: addDays(dueOn, 1), before: addDays(dueOn, plan.graceDays + 1) };
  const from = addDays(dueOn, -NOTE_BEFORE_DAYS);
  return plan.agreedOn >= from ? null : { from, before: dueOn };
}

/**
 * Whether a note may be sent on this day, the creditor's or the customer's: its plan holds, and it speaks of the
 * instalment that is open now.
 */
export function noteHolds(facts: CaseFacts, key: string, day: LocalDate): boolean {
  const note = planNoteOf(key);
  const plan = activePlan(facts);
  if (note === null || plan?.id !== note.planId) return false;
  if (note.note !== 'agreed' && openInstalment(plan)?.n !== note.n) return false;
  const days = daysOf(plan, note);
  return days !== null && day >= days.from && (days.before === null || day < days.before);
}

/** What a note names, minor units: the whole plan, or what is left of its instalment. */
export function noteMinor(plan: PlanFact, { note }: PlanNote): bigint {
  return note === 'agreed' ? plan.totalMinor : (openInstalment(plan)?.restMinor ?? 0n);
}

/** Whether something else than the plan keeps the customer from hearing of it. */
export function notesSilent(facts: CaseFacts, plan: PlanFact, today: LocalDate): boolean {
  if (plan.disputed || facts.disputes.some((d) => d.resolvedOn === null)) return true;
  if (facts.limitationOn !== null && today > facts.limitationOn) return true;
  return facts.holds.some(
    (h) =>
      h.kind !== 'plan' &&
      h.kind !== 'approval' &&
      h.liftedOn === null &&
      h.fromOn <= today &&
      (h.untilOn === null || today <= h.untilOn),
  );
}

/** A note that is to be asked for, and when: at a moment of the policy's hours, gap and cap apart (api.md, "A policy"). */
export interface UpcomingNote {
  note: PlanNote;
  at: Instant;
  /** Null: nobody can be given it, and it is left out. */
  channel: Channel | null;
  amountMinor: bigint;
}

/** The next note that the case which leads a plan has to ask for; null where nothing is to be said for now. */
export function upcomingNote(facts: CaseFacts, customer: CustomerFacts, now: Instant): UpcomingNote | null {
  const plan = activePlan(facts);
  if (!plan?.leads || notesSilent(facts, plan, localDate(now, customer.creditorZone))) return null;
  const open = openInstalment(plan);
  const notes: PlanNote[] = [{ planId: plan.id, note: 'agreed', n: null }];
  if (open !== null) for (const note of ['before', 'after'] as const) notes.push({ planId: plan.id, note, n: open.n });

  let next: UpcomingNote | null = null;
  for (const note of notes) {
    const key = planNoteKey(note);
    if (plan.notesElsewhere.includes(key) || facts.steps.some((s) => s.step === key)) continue;
    const at = momentOf(facts, customer, plan, note, now);
    if (at === null || (next !== null && next.at <= at)) continue;
    next = { note, at, channel: noteChannel(customer, facts.policy), amountMinor: noteMinor(plan, note) };
  }
  return next;
}

function momentOf(
  facts: CaseFacts,
  customer: CustomerFacts,
  plan: PlanFact,
  note: PlanNote,
  now: Instant,
): Instant | null {
  const days = daysOf(plan, note);
  if (days === null) return null;
  const { zone, creditorZone } = customer;
  const begins = [zone, creditorZone].map((z) => instantAt(days.from, '00:00', z));
  const at = nextMoment(Math.max(now, ...begins), calendarOf(customer, facts.policy.contact));
  if (at === null) return null;
  const tooLate = days.before !== null && [zone, creditorZone].some((z) => localDate(at, z) >= days.before!);
  return tooLate ? null : at;
}

/** A note of the plan that is due now: it is asked of outreach, or left out where it can reach nobody. */
export function planNoteDue(view: View): Decision | null {
  const { facts, customer, now, today } = view;
  const due = upcomingNote(facts, customer, now);
  if (due === null || due.at > now) return null;
  const step = planNoteKey(due.note);
  const planned = { step, plannedAt: now, plannedOn: localDate(now, customer.zone) };
  if (due.channel === null) {
    return { decision: 'act', acts: [{ act: 'skipStep', ...planned, channel: 'email', reason: 'noAddress' }] };
  }
  const { channel, amountMinor: asksMinor } = due;
  const request = {
    act: 'request' as const,
    ...planned,
    occurrence: 1,
    channel,
    reanchors: false,
    asksMinor,
    on: today,
  };
  return { decision: 'act', acts: [request] };
}

/** The note as what a case waits for; null where it will be left out. */
export function nextNote(facts: CaseFacts, customer: CustomerFacts, now: Instant): NextAction | null {
  const note = upcomingNote(facts, customer, now);
  if (note === null || note.channel === null) return null;
  const action = note.channel === 'email' ? 'contact' : 'task';
  return { at: note.at, action, step: null, channel: note.channel, reason: 'plan' };
}
