import type { Channel, ContactWindow, Policy, Step } from '../policy/types.ts';
import { nextMoment, opensAt, type ContactCalendar } from '../time/contact-window.ts';
import { addDays, type LocalDate } from '../time/dates.ts';
import { localDate, type Instant } from '../time/zones.ts';
import type { CustomerFacts } from './facts.ts';

const NO_HOLIDAYS: ReadonlySet<LocalDate> = new Set();
/** The cap counts the contact's own day and the 29 before it. */
const CAP_DAYS = 30;
/** Between the keys of several addresses. */
const SEPARATOR = '+';
/** A blocked contact looks this many days ahead for a free one, then gives up. */
const HORIZON_DAYS = 400;

/** The days and hours on which a policy lets this customer be contacted. */
export function calendarOf(customer: CustomerFacts, window: ContactWindow): ContactCalendar {
  const holidays =
    window.holidays === 'customer'
      ? customer.customerHolidays
      : window.holidays === 'creditor'
        ? customer.creditorHolidays
        : NO_HOLIDAYS;
  return { window, zone: customer.zone, holidays, closed: customer.closedWeeks };
}

export interface MomentOptions {
  /** Thank-you and plan notes count for gap and cap but are not delayed by them. */
  ignoreGapAndCap?: boolean;
  /** Days on which this one may not leave. */
  notOn?: readonly LocalDate[];
  /** One message a day, channel and recipient: where this would be the second one, the next day is tried. */
  onceADay?: Way;
}

/** Over which channel to whom: what one message a day is counted by. */
export interface Way {
  channel: Channel;
  recipientKey: string;
}

/** Whether somebody would get both over one channel: sets of addresses that overlap share a recipient. */
export function sameRecipient(a: Way, b: Way): boolean {
  if (a.channel !== b.channel) return false;
  if (a.recipientKey === b.recipientKey) return true;
  const others = new Set(b.recipientKey.split(SEPARATOR));
  return a.recipientKey.split(SEPARATOR).some((key) => others.has(key));
}

/**
 * The earliest instant from `from` on at which a contact may leave: inside the window, on a contact day, outside the
 * minimum gap and under the cap, which count distinct days over all contacts of the customer. Null when nothing is free
 * for more than a year.
 */
export function allowedMoment(
  customer: CustomerFacts,
  window: ContactWindow,
  from: Instant,
  options: MomentOptions = {},
): Instant | null {
  const calendar = calendarOf(customer, window);
  let at = nextMoment(from, calendar);
  for (let tries = 0; at !== null && tries < HORIZON_DAYS; tries++) {
    const day = localDate(at, customer.zone);
    if (mayLeaveOn(customer, window, day, options)) return at;
    at = nextMoment(opensAt(addDays(day, 1), calendar), calendar);
  }
  return null;
}

function mayLeaveOn(customer: CustomerFacts, window: ContactWindow, day: LocalDate, options: MomentOptions): boolean {
  if (options.notOn?.includes(day)) return false;
  const once = options.onceADay;
  if (once && customer.contacts.some((c) => c.day === day && sameRecipient(c, once))) return false;
  if (options.ignoreGapAndCap) return true;
  const tooNear = addDays(day, 1 - window.minimumGapDays);
  const counted = addDays(day, 1 - CAP_DAYS);
  const daysBefore = new Set<LocalDate>();
  for (const c of customer.contacts) {
    if (c.day >= day) continue;
    if (c.day >= tooNear) return false;
    if (c.day >= counted) daysBefore.add(c.day);
  }
  return daysBefore.size + 1 <= window.maximumPer30Days;
}

export interface Recipients {
  to: string[];
  cc: string[];
  /** The keys of `to`, joined; whoever is in it gets one message a day. Empty where nobody can be reached. */
  recipientKey: string;
}

/**
 * Who gets a step: the contacts of the roles it names; where the customer has none of these roles, whoever has an
 * address. Addresses that bounced are left out.
 */
export function recipientsOf(customer: CustomerFacts, channel: Channel, step: Pick<Step, 'to' | 'cc'>): Recipients {
  if (channel !== 'email') return { to: [channel], cc: [], recipientKey: channel === 'call' ? 'call' : 'post' };
  const ofRoles = customer.recipients.filter((r) => step.to.includes(r.role));
  const candidates = ofRoles.length > 0 ? ofRoles : customer.recipients;
  const to = [...new Set(candidates.filter((r) => r.usable).map((r) => r.key))].sort();
  const cc = [...new Set(customer.recipients.filter((r) => r.usable && step.cc.includes(r.role)).map((r) => r.key))]
    .filter((key) => !to.includes(key))
    .sort();
  return { to, cc, recipientKey: recipientKeyOf(to) };
}

export const recipientKeyOf = (to: readonly string[]): string => [...to].sort().join(SEPARATOR);

/** The channel a step really takes, and to whom. */
export function wayOf(customer: CustomerFacts, policy: Policy, step: Step): Way {
  const channel = channelOf(customer, policy, step) ?? step.channel;
  return { channel, recipientKey: recipientsOf(customer, channel, step).recipientKey };
}

/** The channel a step really takes: a letter where there is no address to write to and the policy says so. */
export function channelOf(customer: CustomerFacts, policy: Policy, step: Step): Channel | null {
  if (step.channel !== 'email' || recipientsOf(customer, 'email', step).to.length > 0) return step.channel;
  return policy.noAddress === 'letter' ? 'letter' : null;
}
