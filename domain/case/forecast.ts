import type { Channel } from '../policy/types.ts';
import { addDays } from '../time/dates.ts';
import { instantAt, localDate, type Instant } from '../time/zones.ts';
import { applyAct, applyLeft } from './apply.ts';
import { decide } from './decide.ts';
import type { Act, NextActionKind } from './decision.ts';
import type { CaseFacts, CustomerFacts } from './facts.ts';
import { FORMAL_NOTICE, isBranch, shownStep, THANK_YOU } from './requests.ts';
import { planContacts, type MessagePlan } from './plan-contacts.ts';

/** One line of a calendar: what will happen to an invoice if nothing changes. */
export interface Foretold {
  invoiceId: string;
  at: Instant;
  action: NextActionKind;
  step: string | null;
  channel: Channel | null;
  reason: string;
}

const HORIZON_DAYS = 800;
/** A case that decides more often than this at one instant has a fault; the turn has the same bound. */
export const MAX_ACTS_PER_TURN = 100;

/**
 * Steps all open cases of a customer and its outreach forward from `now`, as if nothing changed: no money, no word, no
 * person. It runs the two functions that really decide, in the order in which the workflows run them: cases first, then
 * outreach, which wakes no case when a message leaves, only when a note met its due date. Promises therefore break, dated holds end, approvals stay
 * unanswered. Lines are in the order of their instants.
 */
export function forecast(customer: CustomerFacts, now: Instant): Foretold[] {
  const foretold: Foretold[] = [];
  const cases = new Map(customer.cases.map((c) => [c.invoiceId, c]));
  const wakeAt = new Map<string, Instant>(customer.cases.map((c) => [c.invoiceId, now]));
  let contacts = customer.contacts;
  let outreachAt: Instant | null = now;
  const horizon = instantAt(addDays(localDate(now, customer.zone), HORIZON_DAYS), '00:00', customer.zone);

  for (let at: Instant | null = now; at !== null && at <= horizon; at = soonest(wakeAt, outreachAt)) {
    let asked = outreachAt !== null && outreachAt <= at;
    for (const [id, due] of [...wakeAt]) {
      if (due > at) continue;
      const before = cases.get(id)!;
      const { facts, until } = turn(before, { ...customer, contacts }, at, foretold);
      asked ||= facts.steps !== before.steps;
      cases.set(id, facts);
      if (until === null) wakeAt.delete(id);
      else wakeAt.set(id, until);
    }
    if (!asked) continue;
    const plan = planContacts({ ...customer, contacts, cases: [...cases.values()] }, at);
    for (const message of plan.messages) {
      contacts = [
        ...contacts,
        { day: message.day, channel: message.channel, recipientKey: message.recipients.recipientKey },
      ];
      leave(cases, message, foretold);
      // The notice begins another stage: its case is woken (db/repositories/contacts.ts).
      for (const item of message.items) if (item.step === FORMAL_NOTICE) wakeAt.set(item.invoiceId, at);
    }
    for (const id of plan.expired) wakeAt.set(id, at);
    outreachAt = plan.until;
  }
  return foretold.sort((a, b) => a.at - b.at);
}

function turn(
  start: CaseFacts,
  customer: CustomerFacts,
  at: Instant,
  foretold: Foretold[],
): { facts: CaseFacts; until: Instant | null } {
  let facts = start;
  for (let rounds = 0; rounds < MAX_ACTS_PER_TURN; rounds++) {
    const decision = decide(facts, customer, at);
    if (decision.decision === 'wait') return { facts, until: decision.until };
    if (decision.decision === 'close') return { facts, until: null };
    for (const act of decision.acts) {
      const line = lineOf(facts, act, at);
      if (line) foretold.push(line);
      facts = applyAct(facts, act);
    }
  }
  return { facts, until: null };
}

function lineOf(facts: CaseFacts, act: Act, at: Instant): Foretold | null {
  const base = { invoiceId: facts.invoiceId, at, step: null, channel: null };
  switch (act.act) {
    case 'breakPromise':
      return { ...base, action: 'promiseEnds', reason: 'promiseBroken' };
    case 'endHold':
      return { ...base, action: 'holdEnds', reason: facts.holds.find((h) => h.id === act.holdId)?.kind ?? 'hold' };
    case 'keepPlan':
    case 'breakPlan':
      return { ...base, action: 'planEnds', reason: act.act === 'keepPlan' ? 'planKept' : 'planBroken' };
    case 'place':
      return { ...base, action: 'placement', reason: 'stepDue' };
    case 'writeOff':
      return { ...base, action: 'writeOff', reason: 'stepDue' };
    case 'askApproval': {
      const branch = isBranch(act.step);
      const step = branch ? null : act.step;
      return {
        ...base,
        action: 'approval',
        step,
        channel: act.channel,
        reason: branch ? shownStep(act.step) : 'approvalAbove',
      };
    }
    case 'openTask':
      return { ...base, action: 'task', step: act.step, reason: act.task };
    default:
      return null;
  }
}

/** A message leaves: its items become steps done, and each a line. */
function leave(cases: Map<string, CaseFacts>, message: MessagePlan, foretold: Foretold[]): void {
  for (const item of message.items) {
    const facts = cases.get(item.invoiceId)!;
    cases.set(item.invoiceId, applyLeft(facts, item, message.day));
    if (item.step === THANK_YOU) continue;
    const notice = item.step === FORMAL_NOTICE;
    foretold.push({
      invoiceId: item.invoiceId,
      at: message.plannedAt,
      action: notice ? 'formalNotice' : item.channel === 'email' ? 'contact' : 'task',
      step: item.step.startsWith('~') ? null : item.step,
      channel: item.channel,
      reason: item.kind,
    });
  }
}

function soonest(wakeAt: ReadonlyMap<string, Instant>, outreachAt: Instant | null): Instant | null {
  let first = outreachAt;
  for (const at of wakeAt.values()) if (first === null || at < first) first = at;
  return first;
}
