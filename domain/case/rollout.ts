import type { Channel, Policy } from '../policy/types.ts';
import { addDays, type LocalDate } from '../time/dates.ts';
import { localDate, type Instant } from '../time/zones.ts';
import { applyAct } from './apply.ts';
import { isPlaced } from './beyond-ladder.ts';
import type { Act, NextActionKind } from './decision.ts';
import type { CaseFacts, CustomerFacts } from './facts.ts';
import { forecast, type Foretold } from './forecast.ts';
import { ladder, openStep } from './ladder.ts';
import { FORMAL_NOTICE, isAside, PLACEMENT, shownStep, WRITE_OFF } from './requests.ts';

/**
 * Moving open cases to another version of their policy (design rule 10): what a case has before it and what it would have
 * after, and whether it may still be moved when its turn comes. A move never causes a contact that its listing did not
 * show.
 */

/** So many days of contacts are listed for each case, in the customer's zone. */
const LISTED_DAYS = 60;
/** What would leave within so many days is compared; a listing that reaches less far is too old to be carried out. */
const COMPARED_DAYS = 30;

/** A message or task that reaches the customer. */
export interface ListedContact {
  on: LocalDate;
  action: NextActionKind;
  /** Null for what is no step of the ladder: the formal notice, notes of a plan. */
  step: string | null;
  channel: Channel;
  reason: string;
}

/** What a case has before it. */
export interface Outlook {
  /** The first line of its calendar; null where nothing is foretold. */
  next: Omit<Foretold, 'invoiceId'> | null;
  /** In the order of their days, up to the end of the listed days. */
  contacts: ListedContact[];
}

/** Nothing is foretold. */
export const NOTHING: Outlook = { next: null, contacts: [] };

/** The last day on which a listing made at `now` shows contacts. */
export const listedUntil = (now: Instant, zone: string): LocalDate => addDays(localDate(now, zone), LISTED_DAYS);

/** How many of these contacts fall into the days that a move compares, counted from the day of the listing. */
export function contactsAhead(contacts: readonly Pick<ListedContact, 'on'>[], until: LocalDate): number {
  const last = addDays(until, COMPARED_DAYS - LISTED_DAYS);
  return contacts.filter((c) => c.on <= last).length;
}

/** Whether a listing that shows contacts up to `until` is too old: it no longer covers the days that are compared. */
export function isListingOld(until: LocalDate, now: Instant, zone: string): boolean {
  return addDays(localDate(now, zone), COMPARED_DAYS) > until;
}

/** What every open case of a customer has before it, as `forecast` foretells it for all of them together. */
export function outlooks(customer: CustomerFacts, now: Instant): Map<string, Outlook> {
  const until = listedUntil(now, customer.zone);
  const all = new Map<string, Outlook>();
  for (const { invoiceId, ...line } of forecast(customer, now)) {
    const own = all.get(invoiceId) ?? { next: line, contacts: [] };
    all.set(invoiceId, own);
    const on = localDate(line.at, customer.zone);
    if (line.channel === null || line.action === 'approval' || on > until) continue;
    const { action, step, channel, reason } = line;
    own.contacts.push({ on, action, step, channel, reason });
  }
  return all;
}

/** Why a case can not be moved, as a stable code; null where it can. */
export function moveRefusal(facts: CaseFacts, to: Policy): 'stepMissing' | 'stepUnderWay' | null {
  if (isMissing(currentStep(facts), to)) return 'stepMissing';
  // A person was asked about this step as the old version has it: they answer first.
  return openStep(facts)?.status === 'awaitingApproval' ? 'stepUnderWay' : null;
}

/** A message of the case was written under its version and is about to leave: the move waits for it. */
export const isLeaving = (facts: CaseFacts): boolean => openStep(facts)?.status === 'queued';

/** Where the case stands: its open step, else the branch it is in, else the last step that left; null before the first. */
function currentStep(facts: CaseFacts): string | null {
  const open = openStep(facts);
  if (open) return open.step;
  if (isPlaced(facts)) return PLACEMENT;
  if (facts.notice !== null) return FORMAL_NOTICE;
  return facts.steps.findLast((s) => s.status === 'left' && !isAside(s.step))?.step ?? facts.lastStepSent;
}

function isMissing(step: string | null, { steps, formalNotice, placement, writeOff }: Policy): boolean {
  switch (step) {
    case null:
      return false;
    case FORMAL_NOTICE:
      return formalNotice === null;
    case PLACEMENT:
      return placement === null;
    case WRITE_OFF:
      return writeOff === null;
    default:
      return !steps.some((s) => s.key === step);
  }
}

/**
 * The case under the other version. Its steps before the one where the case stands count as passed over, so that nobody
 * hears a milder word after a firmer one; `acts` say so and belong to the move.
 */
export function moved(
  facts: CaseFacts,
  to: Policy,
  customer: CustomerFacts,
  now: Instant,
): { facts: CaseFacts; acts: Act[] } {
  const under: CaseFacts = { ...facts, policy: to };
  const reached = to.steps.findIndex((s) => s.key === currentStep(facts));
  const plannedOn = localDate(now, customer.zone);
  const acts = ladder(under, localDate(now, customer.creditorZone)).flatMap<Act>(({ record, index, step }) =>
    record === null && index < reached
      ? {
          act: 'skipStep',
          step: step.key,
          channel: step.channel,
          plannedAt: now,
          plannedOn,
          reason: 'policyChanged',
        }
      : [],
  );
  return { facts: acts.reduce(applyAct, under), acts };
}

/** What the listing says of one case of the customer. */
export interface MoveLine {
  invoiceId: string;
  /** `affected`: not moved itself, but what it has before it changes with the others. */
  status: 'listed' | 'refused' | 'affected';
  code: string | null;
  before: Outlook;
  after: Outlook;
}

/**
 * The listing of a customer's cases: each of `ids` before and after all of them were moved, and those others whose
 * contacts change along, since cases of one customer share its days.
 */
export function listMove(customer: CustomerFacts, ids: ReadonlySet<string>, to: Policy, now: Instant): MoveLine[] {
  const refusals = new Map(
    customer.cases.filter((c) => ids.has(c.invoiceId)).map((c) => [c.invoiceId, moveRefusal(c, to)]),
  );
  const movable = new Set([...refusals].flatMap(([id, code]) => (code === null ? [id] : [])));
  const before = outlooks(customer, now);
  const after = outlooks(withMoved(customer, movable, to, now), now);
  return customer.cases.flatMap<MoveLine>(({ invoiceId }) => {
    const line = { invoiceId, before: before.get(invoiceId) ?? NOTHING, after: after.get(invoiceId) ?? NOTHING };
    const code = refusals.get(invoiceId);
    if (code === null) return { ...line, status: 'listed', code };
    if (code !== undefined) return { ...line, status: 'refused', code };
    return isSame(line.before.contacts, line.after.contacts) ? [] : { ...line, status: 'affected', code: null };
  });
}

function withMoved(customer: CustomerFacts, ids: ReadonlySet<string>, to: Policy, now: Instant): CustomerFacts {
  return {
    ...customer,
    cases: customer.cases.map((c) => (ids.has(c.invoiceId) ? moved(c, to, customer, now).facts : c)),
  };
}

/** What a listing promised of a case. */
export interface Promised {
  contacts: readonly ListedContact[];
  /** The customer's date of the listing. */
  listedOn: LocalDate;
  until: LocalDate;
}

/** Cases that differ are left out and the others judged again, so many times; then all that remain stay. */
const MOST_PASSES = 5;

/** What becomes of cases that are to be moved, and what each open case of the customer has before it without and with that. */
export interface MovePlan {
  move: Set<string>;
  differs: Set<string>;
  before: Map<string, Outlook>;
  after: Map<string, Outlook>;
}

/**
 * Which of these cases may be moved now, all of them at once: those after whose move nothing would leave earlier than
 * listed or besides what was listed, and which make no other case of the customer say more than it would have said
 * anyway, or than was listed of it. The others differ.
 */
export function planMove(
  customer: CustomerFacts,
  ids: ReadonlySet<string>,
  to: Policy,
  listing: ReadonlyMap<string, Promised>,
  now: Instant,
): MovePlan {
  const covered = [...ids].filter((id) => {
    const promised = listing.get(id);
    return promised !== undefined && !isListingOld(promised.until, now, customer.zone);
  });
  const before = outlooks(customer, now);
  let move = new Set(covered);
  let after = before;
  for (let pass = 1; move.size > 0; pass++) {
    after = outlooks(withMoved(customer, move, to, now), now);
    const stay = whoStays(customer, move, { before, after }, listing);
    if (stay.size === 0) break;
    move = pass === MOST_PASSES ? new Set() : new Set([...move].filter((id) => !stay.has(id)));
  }
  const differs = new Set([...ids].filter((id) => !move.has(id)));
  return { move, differs, before, after: move.size > 0 ? after : before };
}

/** Those of the moving cases that would say more than was listed; all of them where somebody who stays would. */
function whoStays(
  customer: CustomerFacts,
  move: ReadonlySet<string>,
  { before, after }: Pick<MovePlan, 'before' | 'after'>,
  listing: ReadonlyMap<string, Promised>,
): ReadonlySet<string> {
  const stay = new Set<string>();
  for (const facts of customer.cases) {
    const { invoiceId: id } = facts;
    const foretold = after.get(id)?.contacts ?? [];
    const promised = listing.get(id);
    if (promised !== undefined && isWithin(foretold, promised, facts)) continue;
    if (move.has(id)) stay.add(id);
    else if (firstBeyond(foretold, before.get(id)?.contacts ?? []) !== null) return move;
  }
  return stay;
}

/** Whether the listing covers what would leave; what it showed and has left since is used up. */
function isWithin(
  foretold: readonly ListedContact[],
  { contacts, listedOn, until }: Promised,
  facts: CaseFacts,
): boolean {
  const left = [...contacts];
  for (const s of facts.steps) {
    const leftOn = s.status === 'queued' ? s.plannedOn : s.leftOn;
    if (leftOn === null || leftOn < listedOn) continue;
    const used = left.findIndex((c) => (c.step ?? c.reason) === shownStep(s.step) && c.channel === s.channel);
    if (used >= 0) left.splice(used, 1);
  }
  return (
    firstBeyond(
      foretold.filter((c) => c.on <= until),
      left,
    ) === null
  );
}

/**
 * The first contact that `listed` does not cover: each needs one of its own there, the same and not on a later day. Null
 * where all are covered.
 */
export function firstBeyond(
  foretold: readonly ListedContact[],
  listed: readonly ListedContact[],
): ListedContact | null {
  const days = new Map<string, LocalDate[]>();
  for (const c of listed) days.set(kindOf(c), [...(days.get(kindOf(c)) ?? []), c.on].sort());
  for (const c of [...foretold].sort((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : 0))) {
    const earliest = days.get(kindOf(c))?.shift();
    if (earliest === undefined || c.on < earliest) return c;
  }
  return null;
}

const kindOf = ({ action, step, channel, reason }: ListedContact): string => [action, step, channel, reason].join(' ');

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
