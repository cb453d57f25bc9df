import type { Channel } from '../policy/types.ts';
import { addDays } from '../time/dates.ts';
import { instantAt, localDate, type Instant } from '../time/zones.ts';
import { applyAct } from './apply.ts';
import { decide } from './decide.ts';
import type { Act, NextActionKind } from './decision.ts';
import type { CaseFacts, ContactFact, CustomerFacts } from './facts.ts';
import { THANK_YOU } from './ladder.ts';
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
 * outreach. Promises therefore break, dated holds end, approvals stay unanswered.
 */
export function forecast(customer: CustomerFacts, now: Instant): Foretold[] {
  const world = { ...customer, cases: [...customer.cases], contacts: [...customer.contacts] };
  const wakeAt = new Map<string, Instant | null>(world.cases.map((c) => [c.invoiceId, now]));
  const foretold: Foretold[] = [];
  const horizon = instantAt(addDays(localDate(now, customer.zone), HORIZON_DAYS), '00:00', customer.zone);
  let at: Instant | null = now;

  while (at !== null && at <= horizon) {
    for (const [index, facts] of world.cases.entries()) {
      const due = wakeAt.get(facts.invoiceId) ?? null;
      if (due === null || due > at) continue;
      const turned = turn(facts, world, at, foretold);
      world.cases[index] = turned.facts;
      wakeAt.set(facts.invoiceId, turned.until);
    }
    const plan = planContacts(world, at);
    for (const message of plan.messages) leave(world, message, wakeAt, foretold);
    at = soonest([...wakeAt.values(), plan.messages.length > 0 ? at : plan.until], at, plan.messages.length > 0);
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
    case 'askApproval':
      return { ...base, action: 'approval', step: act.step, channel: act.channel, reason: 'approvalAbove' };
    case 'openTask':
      return { ...base, action: 'task', step: act.step, reason: act.task };
    default:
      return null;
  }
}

/** A message leaves: its items become steps done, and each case looks again at once. */
function leave(
  world: CustomerFacts,
  message: MessagePlan,
  wakeAt: Map<string, Instant | null>,
  foretold: Foretold[],
): void {
  const contact: ContactFact = {
    day: message.day,
    channel: message.channel,
    recipientKey: message.recipients.recipientKey,
  };
  world.contacts.push(contact);
  for (const item of message.items) {
    const index = world.cases.findIndex((c) => c.invoiceId === item.invoiceId);
    const facts = world.cases[index]!;
    world.cases[index] = {
      ...facts,
      steps: facts.steps.map((s) =>
        s.step === item.step && s.occurrence === item.occurrence && s.status === 'requested'
          ? { ...s, status: 'left' as const, leftOn: message.day }
          : s,
      ),
    };
    wakeAt.set(item.invoiceId, message.plannedAt);
    if (item.step === THANK_YOU) continue;
    foretold.push({
      invoiceId: item.invoiceId,
      at: message.plannedAt,
      action: item.channel === 'email' ? 'contact' : 'task',
      step: item.step,
      channel: item.channel,
      reason: item.kind,
    });
  }
}

function soonest(times: readonly (Instant | null)[], now: Instant, again: boolean): Instant | null {
  const later = times.filter((t): t is Instant => t !== null && (again ? t >= now : t > now));
  return later.length > 0 ? Math.min(...later) : null;
}
