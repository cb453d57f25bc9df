import { addDays, type LocalDate } from '../time/dates.ts';
import { instantAt, type Instant } from '../time/zones.ts';
import type { Act, Decision } from './decision.ts';
import type { CaseFacts, CustomerFacts, PlanFact } from './facts.ts';
import type { View } from './view.ts';

/** The plan that holds the case now; null without one. */
export function activePlan(facts: Pick<CaseFacts, 'plans'>): PlanFact | null {
  return facts.plans.find((p) => p.status === 'active') ?? null;
}

/** The first instalment that what has been paid does not cover; null when the plan is paid to its end. */
export function openInstalment(plan: PlanFact): { n: number; dueOn: LocalDate; restMinor: bigint } | null {
  let expected = 0n;
  for (const instalment of plan.instalments) {
    expected += instalment.amountMinor;
    if (plan.paidMinor < expected) {
      const rest = expected - plan.paidMinor;
      const restMinor = rest < instalment.amountMinor ? rest : instalment.amountMinor;
      return { n: instalment.n, dueOn: instalment.dueOn, restMinor };
    }
  }
  return null;
}

/** The last day on which the instalment that is open now may still be paid (creditor's date); null without an active plan. */
export function planEnds(facts: Pick<CaseFacts, 'plans'>): LocalDate | null {
  const plan = activePlan(facts);
  const open = plan && openInstalment(plan);
  return plan && open ? addDays(open.dueOn, plan.graceDays) : null;
}

/** Whether a plan is kept or broken now; null while neither. The case that leads it judges for all. */
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

/** A note of the plan that is due now. */
export function planNoteDue(_view: View): Decision | null {
  return null;
}
