import { limitationIn } from '../law/limitation.ts';
import { validateStepOf } from '../policy/parse.ts';
import { CONTACT_ROLES, type CustomerKind, type Period, type Policy } from '../policy/types.ts';
import type { LocalDate } from '../time/dates.ts';
import type { Holidays } from '../time/working-days.ts';
import { localDate, type Instant } from '../time/zones.ts';
import { applyAct } from './apply.ts';
import { decide } from './decide.ts';
import type { NextAction } from './decision.ts';
import type { CustomerFacts } from './facts.ts';
import { MAX_ACTS_PER_TURN } from './forecast.ts';

/** An invoice that does not exist, as somebody wants to see it under a policy. Amounts are minor units. */
export interface PreviewInput {
  policy: Policy;
  kind: CustomerKind;
  country: string;
  zone: string;
  creditorZone: string;
  customerHolidays: Holidays;
  creditorHolidays: Holidays;
  closedWeeks: readonly Period[];
  issuedOn: LocalDate;
  dueOn: LocalDate;
  amountMinor: bigint;
  currency: string;
  chaseFrom: LocalDate | null;
  lastStepSent: string | null;
  collection: { method: 'transfer' | 'directDebit'; on: LocalDate | null };
  now: Instant;
}

/**
 * The facts of a customer with this one invoice, registered now, nothing paid or said, who can be reached in every way:
 * what `forecast` steps forward for a preview. Throws `unknownStep`.
 */
export function previewCustomer(input: PreviewInput): CustomerFacts {
  if (input.lastStepSent !== null) validateStepOf(input.policy, input.lastStepSent);
  const today = localDate(input.now, input.creditorZone);
  return {
    customerId: 'preview',
    kind: input.kind,
    country: input.country,
    zone: input.zone,
    creditorZone: input.creditorZone,
    customerHolidays: input.customerHolidays,
    creditorHolidays: input.creditorHolidays,
    closedWeeks: input.closedWeeks,
    recipients: CONTACT_ROLES.map((role) => ({ role, key: role, usable: true })),
    hasAddress: true,
    contacts: [],
    agencyId: null,
    cases: [
      {
        invoiceId: 'preview',
        run: 1,
        stage: 'upcoming',
        issuedOn: input.issuedOn,
        dueOn: input.dueOn,
        registeredOn: today,
        registeredAt: input.now,
        amountMinor: input.amountMinor,
        currency: input.currency,
        balanceMinor: input.amountMinor,
        movements: [],
        policy: input.policy,
        chaseFrom: input.chaseFrom,
        lastStepSent: input.lastStepSent,
        collection: { ...input.collection, failedOn: null, askedOn: null },
        limitationOn:
          limitationIn(input.country, input.kind, {
            issuedOn: input.issuedOn,
            dueOn: input.dueOn,
            contractYears: null,
            events: [],
          })?.on ?? null,
        promises: [],
        disputes: [],
        holds: [],
        runs: [{ run: 1, openedOn: today, closedOn: null }],
        steps: [],
        approvedSteps: [],
        approvalAnswer: null,
        approvalAgencyId: null,
        plans: [],
        notice: null,
        placement: null,
        insolvency: null,
        stepNow: null,
        tasksOpened: [],
        entryReviewed: false,
        releasedAt: input.now,
      },
    ],
  };
}

/**
 * What a case that begins now waits for first, as its first turn will decide; null where that turn asks for something at
 * once. `customer` is what `previewCustomer` supposes, or more where more is known.
 */
export function firstNext(customer: CustomerFacts, now: Instant): NextAction | null {
  let [facts] = customer.cases;
  for (let round = 0; facts && round < MAX_ACTS_PER_TURN; round += 1) {
    const decision = decide(facts, { ...customer, cases: [facts] }, now);
    if (decision.decision !== 'act') return decision.decision === 'wait' ? decision.next : null;
    facts = decision.acts.reduce(applyAct, facts);
  }
  return null;
}
