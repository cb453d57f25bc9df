import type { Policy } from './types.ts';
import { formatWeekdays } from './weekdays.ts';

/**
 * The policy as it is written on the wire, every default filled in. Reading it again gives the same policy, and writing
 * that again the same document.
 */
export function policyDocument(policy: Policy): Record<string, unknown> {
  const { weekdays, ...window } = policy.contact;
  return {
    name: policy.name,
    entry: policy.entry,
    late: policy.late,
    steps: policy.steps.map((step) => ({ ...step, to: [...step.to], cc: [...step.cc] })),
    noAddress: policy.noAddress,
    call: { ...policy.call },
    thankYou: policy.thankYou,
    formalNotice: policy.formalNotice && { ...policy.formalNotice },
    placement: policy.placement && { ...policy.placement },
    writeOff: policy.writeOff && { ...policy.writeOff, below: { ...policy.writeOff.below } },
    promise: policy.promise && { ...policy.promise },
    dispute: policy.dispute && { ...policy.dispute },
    plan: policy.plan && { ...policy.plan },
    unappliedCash: policy.unappliedCash && { ...policy.unappliedCash },
    tolerance: { ...policy.tolerance },
    interest: policy.interest && { ...policy.interest, minimum: { ...policy.interest.minimum } },
    contact: { days: formatWeekdays(weekdays), ...window },
    minimumAmount: { ...policy.minimumAmount },
    approvalAbove: policy.approvalAbove && { ...policy.approvalAbove },
  };
}
