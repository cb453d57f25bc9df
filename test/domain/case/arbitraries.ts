import fc from 'fast-check';
import type { CaseFacts, CustomerFacts } from '../../../domain/case/facts.ts';
import type { Policy } from '../../../domain/policy/types.ts';
import { addDays } from '../../../domain/time/dates.ts';
import {
  agree,
  answer,
  at,
  cancelPlans,
  change,
  credit,
  customer,
  dispute,
  hold,
  invoice,
  lift,
  moveDue,
  pay,
  policy,
  promise,
  resolve,
  reverse,
  skip,
  withdrawPromise,
  type Happening,
  type StepDraft,
} from './builders.ts';

/** Where random worlds begin. */
export const FIRST_DAY = '2026-08-03';
export const FROM = at(FIRST_DAY, '07:00');

/** Null five times out of six. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const ZONES = ['Europe/Paris', 'America/Los_Angeles', 'Pacific/Auckland', 'Asia/Kolkata', 'America/Sao_Paulo'];

/** A ladder that ascends: notes before due, then steps after it, some counted from the issue or from one another. */
const drafts: fc.Arbitrary<StepDraft[]> = fc
  .record({
    note: fc.option(fc.integer({ min: -12, max: -1 }), { nil: null }),
    gaps: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
    channels: fc.array(fc.constantFrom('email', 'email', 'call', 'letter'), { minLength: 5, maxLength: 5 }),
    tones: fc.array(fc.constantFrom('courteous', 'neutral', 'firm', 'final'), { minLength: 5, maxLength: 5 }),
    roles: fc.array(fc.constantFrom(['billing'], ['manager'], ['billing', 'manager']), { minLength: 5, maxLength: 5 }),
    previous: fc.integer({ min: 0, max: 5 }),
  })
  .map(({ note, gaps, channels, tones, roles, previous }) => {
    let day = 0;
    const after = gaps.map<StepDraft>((gap, index) => {
      day += gap;
      const hangs = previous > 0 && index >= previous;
      return {
        day: hangs ? gap : day,
        from: hangs ? 'previous' : 'due',
        channel: channels[index]!,
        tone: tones[index]!,
        to: [...roles[index]!],
      };
    });
    return note === null ? after : [{ day: note }, ...after];
  });

export const policies: fc.Arbitrary<Policy> = fc
  .record({
    drafts,
    entry: fc.constantFrom('first', 'first', 'byAge', 'hold'),
    late: fc.constantFrom('merge', 'skip', 'shift'),
    noAddress: fc.constantFrom('task', 'letter'),
    days: fc.constantFrom('mon-fri', 'mon-sun', 'tue,thu'),
    window: fc.constantFrom(['08:30', '18:30'], ['00:00', '24:00'], ['09:00', '09:15']),
    minimumGapDays: fc.integer({ min: 0, max: 8 }),
    maximumPer30Days: fc.integer({ min: 1, max: 6 }),
    graceDays: fc.integer({ min: 0, max: 4 }),
    notice: fc.boolean(),
    approval: rarely(fc.constantFrom({ EUR: '1000.00' }, {})),
    minimum: rarely(fc.constant({ EUR: '20.00' })),
    thankYou: fc.constantFrom('thank-you', null),
  })
  .map((p) =>
    policy(p.drafts, {
      entry: p.entry,
      late: p.late,
      noAddress: p.noAddress,
      contact: {
        days: p.days,
        from: p.window[0],
        to: p.window[1],
        minimumGapDays: p.minimumGapDays,
        maximumPer30Days: p.maximumPer30Days,
      },
      promise: { graceDays: p.graceDays, maxDays: 40, maxBroken: 3 },
      plan: { maxInstalments: 4, graceDays: p.graceDays },
      formalNotice: p.notice ? { day: 100, from: 'due' } : null,
      approvalAbove: p.approval,
      minimumAmount: p.minimum,
      thankYou: p.thankYou,
    }),
  );

const invoices: fc.Arbitrary<CaseFacts> = fc
  .record({
    policy: policies,
    due: fc.integer({ min: -40, max: 40 }),
    terms: fc.integer({ min: 0, max: 60 }),
    amount: fc.constantFrom(1_500n, 60_000n, 120_000n, 500_000n),
    sentBefore: rarely(fc.nat({ max: 2 })),
    chaseFrom: rarely(fc.integer({ min: 0, max: 40 })),
    debit: rarely(fc.constantFrom(-10, -3, 0, 'pending' as const)),
    limitation: rarely(fc.integer({ min: 10, max: 90 })),
  })
  .map((d) => {
    const dueOn = addDays(FIRST_DAY, d.due);
    const last = d.sentBefore === null ? null : (d.policy.steps[d.sentBefore]?.key ?? null);
    const failedOn = d.debit === null || d.debit === 'pending' ? null : addDays(FIRST_DAY, d.debit);
    return invoice({
      policy: d.policy,
      dueOn,
      issuedOn: addDays(dueOn, -d.terms),
      registeredOn: FIRST_DAY,
      registeredAt: FROM,
      amountMinor: d.amount,
      lastStepSent: last,
      chaseFrom: d.chaseFrom === null ? null : addDays(FIRST_DAY, d.chaseFrom),
      collection: {
        method: d.debit === null ? 'transfer' : 'directDebit',
        on: null,
        failedOn,
        askedOn: null,
      },
      limitationOn: d.limitation === null ? null : addDays(FIRST_DAY, d.limitation),
    });
  });

/** Invoices of one policy that fall due close together meet at outreach. */
function alike(own: CaseFacts, other: CaseFacts, index: number): CaseFacts {
  const { policy, issuedOn } = other;
  return { ...own, policy, issuedOn, dueOn: addDays(other.dueOn, index * (index % 3)), lastStepSent: null };
}

export const customers: fc.Arbitrary<CustomerFacts> = fc
  .record({
    cases: fc.array(invoices, { minLength: 1, maxLength: 4 }),
    alike: fc.boolean(),
    zone: fc.constantFrom(...ZONES),
    creditorZone: fc.constantFrom(...ZONES),
    roles: fc.constantFrom<('billing' | 'manager')[]>(['billing'], ['billing', 'manager'], ['manager'], []),
    closed: rarely(fc.integer({ min: 0, max: 60 })),
    holidays: fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 6 }),
    before: fc.array(fc.integer({ min: -29, max: -1 }), { maxLength: 3 }),
  })
  .map((d) =>
    customer(
      d.cases.map((c, index) => ({ ...(d.alike ? alike(c, d.cases[0]!, index) : c), invoiceId: `inv_${index}` })),
      {
        zone: d.zone,
        creditorZone: d.creditorZone,
        recipients: d.roles.map((role) => ({ role, key: role, usable: true })),
        closedWeeks:
          d.closed === null ? [] : [{ from: addDays(FIRST_DAY, d.closed), to: addDays(FIRST_DAY, d.closed + 9) }],
        customerHolidays: new Set(d.holidays.map((n) => addDays(FIRST_DAY, n))),
        contacts: d.before.map((n) => ({ day: addDays(FIRST_DAY, n), channel: 'email', recipientKey: 'billing' })),
      },
    ),
  );

/** So many days from now on which the instalments of a plan fall due. */
const instalmentDays: fc.Arbitrary<number[]> = fc
  .array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 })
  .map((gaps) => gaps.map((_, index) => gaps.slice(0, index + 1).reduce((a, b) => a + b, -1)));

/** A plan over everything, in the first weeks. */
export const agreements: fc.Arbitrary<Happening[]> = fc
  .record({ hours: fc.integer({ min: 1, max: 24 * 40 }), dates: instalmentDays })
  .map(({ hours, dates }) => [agree(FROM + hours * 3_600_000, dates)]);

/** Anything that can come between: money, words, people. */
export const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc
    .record({
      what: fc.nat({ max: 15 }),
      hours: fc.integer({ min: 1, max: 24 * 80 }),
      days: fc.integer({ min: 0, max: 30 }),
      amount: fc.constantFrom(1_000n, 30_000n, 60_000n, 120_000n),
      part: fc.boolean(),
      dates: instalmentDays,
      whom: fc.option(fc.nat({ max: 3 }), { nil: null }),
    })
    .map(({ what, hours, days, amount, part, dates, whom }) => {
      const when = FROM + hours * 3_600_000;
      const on = addDays(FIRST_DAY, Math.floor(hours / 24) + days);
      const id = whom === null ? undefined : `inv_${whom}`;
      const some = part ? amount : null;
      const all = [
        () => pay(when, amount, id),
        () => credit(when, amount, id),
        () => reverse(when, amount, id),
        () => promise(when, on, some, id),
        () => withdrawPromise(when, id),
        () => dispute(when, some, id),
        () => resolve(when, id),
        () => hold(when, part ? on : null, 'pause', id),
        () => lift(when, id),
        () => answer(when, part ? 'approved' : 'refused', id),
        () => moveDue(when, on, id),
        () => skip(when, id),
        () => change(when, () => ({ entryReviewed: true }), id),
        () => agree(when, dates),
        () => agree(when, dates, part ? ['inv_0', 'inv_1'] : [`inv_${whom ?? 0}`]),
        () => cancelPlans(when),
      ];
      return all[what]!();
    }),
  { maxLength: 8 },
);

export const outages = fc.array(
  fc
    .record({ hours: fc.integer({ min: 1, max: 24 * 80 }), lasts: fc.integer({ min: 1, max: 24 * 20 }) })
    .map(({ hours, lasts }) => ({ from: FROM + hours * 3_600_000, to: FROM + (hours + lasts) * 3_600_000 })),
  { maxLength: 1 },
);
