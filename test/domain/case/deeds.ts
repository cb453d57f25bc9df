import fc from 'fast-check';
import { applyAct } from '../../../domain/case/apply.ts';
import { isOpen, type CaseFacts, type CustomerFacts } from '../../../domain/case/facts.ts';
import { openStep } from '../../../domain/case/ladder.ts';
import { isBranch } from '../../../domain/case/requests.ts';
import { addDays, type LocalDate } from '../../../domain/time/dates.ts';
import { localDate, type Instant } from '../../../domain/time/zones.ts';
import { FIRST_DAY, FROM, policies } from './arbitraries.ts';
import * as on from './builders.ts';
import { Clerk, type Sheet } from './clerk.ts';

/** What can happen, as commands of fast-check: each tells the clerk, then lets it happen to the cases. */

/** The cases as they go on, and the instant that has been reached. */
export interface Office {
  going: on.Going;
  now: Instant;
  outages: { from: Instant; to: Instant }[];
}

interface Args {
  whom: number;
  amount: bigint;
  /** A part of it, or no to what is asked. */
  part: boolean;
  days: number;
  /** Outreach looks before the case has heard of it. */
  outreachFirst: boolean;
}

const today = (clerk: Clerk, office: Office): LocalDate => localDate(office.now, clerk.zone);
const isPaused = (office: Office): boolean => office.outages.some((o) => o.from <= office.now && office.now < o.to);
const factsOf = (office: Office, sheet: Sheet): CaseFacts => office.going.played.cases.get(sheet.id)!;
const everyCase = (office: Office, change: (facts: CaseFacts) => CaseFacts): on.Happening => ({
  ...on.change(office.now, () => ({})),
  change,
});

interface Scene extends Args {
  clerk: Clerk;
  office: Office;
  /** The instant that has been reached. */
  now: Instant;
  sheet: Sheet;
}

type Deed = (scene: Scene) => on.Happening | null;

/** Each returns null, and nothing happens, where the service would refuse it. */
const DEEDS: Record<string, Deed> = {
  pay({ now, sheet, amount }) {
    if (sheet.owed === 0n) return null;
    const paid = amount < sheet.owed ? amount : sheet.owed;
    sheet.owed -= paid;
    sheet.paid += paid;
    return on.pay(now, amount, sheet.id);
  },
  credit({ now, sheet, amount }) {
    if (sheet.owed === 0n) return null;
    sheet.owed -= amount < sheet.owed ? amount : sheet.owed;
    return on.credit(now, amount, sheet.id);
  },
  reverse({ office, sheet, amount }) {
    // A case whose end nobody has noticed yet is not reopened; under proceedings it would be held anew.
    const unnoticed = sheet.owed === 0n && isOpen(factsOf(office, sheet).stage);
    if (sheet.paid === 0n || sheet.insolvent || unnoticed) return null;
    const back = amount < sheet.paid ? amount : sheet.paid;
    sheet.owed += back;
    sheet.paid -= back;
    sheet.writtenOff = false;
    return on.reverse(office.now, amount, sheet.id);
  },
  promise({ clerk, office, sheet, amount, part, days }) {
    const madeOn = today(clerk, office);
    const taken = sheet.word?.status === 'active' || sheet.plan?.status === 'active' || sheet.insolvent;
    if (sheet.owed === 0n || taken) return null;
    const { graceDays, maxDays, maxBroken } = sheet.facts.policy.promise!;
    const holds = days <= maxDays && sheet.brokenWords < maxBroken;
    const payOn = addDays(madeOn, days);
    const some = part ? amount : null;
    const lastDay = addDays(payOn, graceDays);
    sheet.word = { amount: some, lastDay, paidBefore: sheet.paid, holds, status: 'active' };
    return on.promise(office.now, payOn, some, sheet.id);
  },
  withdrawPromise({ now, sheet }) {
    if (sheet.word?.status !== 'active') return null;
    sheet.word.status = 'withdrawn';
    return on.withdrawPromise(now, sheet.id);
  },
  dispute({ now, sheet, amount, part }) {
    const some = part ? amount : null;
    if (sheet.owed === 0n || (some !== null && some > sheet.owed)) return null;
    sheet.disputes.push(some);
    return on.dispute(now, some, sheet.id);
  },
  resolve({ now, sheet }) {
    sheet.disputes = [];
    return on.resolve(now, sheet.id);
  },
  pause({ clerk, office, sheet, part, days }) {
    if (sheet.owed === 0n) return null;
    const until = part ? addDays(today(clerk, office), days) : null;
    sheet.pauses.push(until);
    return on.hold(office.now, until, 'pause', sheet.id);
  },
  resume({ now, sheet }) {
    if (sheet.insolvent) return null;
    sheet.pauses = [];
    return on.lift(now, sheet.id);
  },
  answer({ office, sheet, part }) {
    const open = openStep(factsOf(office, sheet));
    if (open?.status !== 'awaitingApproval') return null;
    if (!part && isBranch(open.step)) sheet.approved.add(`${open.step}@${open.amountMinor}`);
    return on.answer(office.now, part ? 'refused' : 'approved', sheet.id);
  },
  skip: ({ now, office, sheet }) => (sheet.placed || sheet.notice || isPaused(office) ? null : on.skip(now, sheet.id)),
  agree({ clerk, office, sheet, part, days }) {
    const agreedOn = today(clerk, office);
    const covered = part ? [sheet] : clerk.sheets.filter((s) => s.owed > 0n);
    const fit = (s: Sheet): boolean =>
      s.owed > 0n && !s.placed && !s.insolvent && s.disputes.length === 0 && s.plan?.status !== 'active';
    if (covered.length === 0 || !covered.every(fit)) return null;
    const inDays = [days, days + 12];
    const total = covered.reduce((sum, s) => sum + s.owed, 0n);
    const second = total / 2n;
    const dueOn = inDays.map((n) => addDays(agreedOn, n));
    const plan = {
      agreedOn,
      shares: new Map(covered.map((s) => [s.id, s.owed])),
      instalments: [
        { dueOn: dueOn[0]!, amount: total - second },
        { dueOn: dueOn[1]!, amount: second },
      ],
      graceDays: Math.min(...covered.map((s) => s.facts.policy.plan!.graceDays)),
      status: 'active' as const,
    };
    for (const s of covered) {
      s.plan = plan;
      if (s.word?.status === 'active') s.word.status = 'withdrawn';
    }
    return on.agree(office.now, inDays, covered.map((s) => s.id)); // prettier-ignore
  },
  cancelPlans({ clerk, now }) {
    for (const plan of clerk.plans) if (plan.status === 'active') plan.status = 'cancelled';
    return on.cancelPlans(now);
  },
  /** The post has taken the formal notice, or it has reached the addressee. */
  post({ clerk, office, sheet, part }) {
    if (sheet.notice === null || sheet.notice.deliveredOn !== null || sheet.owed === 0n) return null;
    const day = today(clerk, office);
    sheet.notice.dispatchedOn ??= day;
    if (part) sheet.notice.deliveredOn = day;
    const notice = { ...sheet.notice };
    return on.change(office.now, () => ({ notice }), sheet.id);
  },
  /** The post brings the formal notice back: it counts as tried, its case stands where it was before. */
  returned({ office, sheet }) {
    if (sheet.notice === null || sheet.notice.deliveredOn !== null || sheet.placed || sheet.owed === 0n) return null;
    sheet.notice = null;
    const failed = (facts: CaseFacts) =>
      facts.steps.map((s) =>
        s.step === '~formalNotice' && s.status === 'left' ? { ...s, status: 'failed' as const } : s,
      );
    return on.change(office.now, (facts) => ({ notice: null, steps: failed(facts) }), sheet.id);
  },
  recall({ clerk, office, sheet }) {
    if (!sheet.placed || isPaused(office)) return null;
    sheet.placed = false;
    const endedOn = today(clerk, office);
    return on.change(office.now, (f) => ({ placement: { ...f.placement!, status: 'recalled', endedOn } }), sheet.id);
  },
  giveUp({ now, sheet }) {
    if (!sheet.placed) return null;
    return on.change(now, (f) => ({ placement: { ...f.placement!, status: 'givenUp' } }), sheet.id);
  },
  writeOff({ office, sheet }) {
    // A command is carried out in a turn.
    if (sheet.owed === 0n || sheet.plan?.status === 'active' || isPaused(office)) return null;
    sheet.givenUpByHand = true;
    return {
      ...on.change(office.now, () => ({}), sheet.id),
      change: (facts, at, day) => {
        const open = openStep(facts);
        const free = open
          ? applyAct(facts, { act: 'withdrawRequest', step: open.step, reason: 'writtenOff', on: day })
          : facts;
        return applyAct(free, { act: 'writeOff', balanceMinor: free.balanceMinor, on: day, at });
      },
    };
  },
  insolvency({ clerk, office }) {
    const judgmentOn = today(clerk, office);
    if (clerk.sheets.some((s) => s.insolvent)) return null;
    for (const s of clerk.sheets.filter((one) => one.owed > 0n)) {
      s.insolvent = true;
      s.placed = false;
      if (s.word?.status === 'active') s.word.status = 'withdrawn';
      if (s.plan?.status === 'active') s.plan.status = 'cancelled';
    }
    const cancel = on.cancelPlans(office.now);
    const withdrawn = (f: CaseFacts) =>
      f.promises.map((p) => (p.status === 'active' ? { ...p, status: 'withdrawn' as const, endedOn: judgmentOn } : p));
    return {
      ...cancel,
      all: (played, now, day) => {
        cancel.all!(played, now, day);
        for (const [id, facts] of played.cases) {
          if (!isOpen(facts.stage) || facts.balanceMinor === 0n) continue;
          const hold = { id: `${id}-i`, kind: 'insolvency' as const, fromOn: day, untilOn: null, liftedOn: null };
          const placement = facts.placement && { ...facts.placement, status: 'ended' as const, endedOn: day };
          const holds = [...facts.holds, hold];
          const insolvency = { judgmentOn, outcome: null };
          played.cases.set(id, { ...facts, promises: withdrawn(facts), holds, placement, insolvency });
          played.wakeAt.set(id, now);
        }
      },
    };
  },
  /** The proceedings are withdrawn and everything goes on, or there are no assets and nothing does. */
  insolvencyEnds({ clerk, office, part }) {
    if (!clerk.sheets.some((s) => s.insolvent)) return null;
    const outcome = part ? ('noAssets' as const) : ('withdrawn' as const);
    const day = today(clerk, office);
    if (outcome === 'withdrawn') for (const s of clerk.sheets) s.insolvent = false;
    const { now } = office;
    return everyCase(office, (facts) => {
      if (facts.insolvency === null || !isOpen(facts.stage)) return facts;
      const lifted = facts.holds.map((h) => (h.kind === 'insolvency' && !h.liftedOn ? { ...h, liftedOn: day } : h));
      if (outcome === 'noAssets') return { ...facts, insolvency: { ...facts.insolvency, outcome } };
      return { ...facts, insolvency: null, holds: lifted, releasedAt: Math.max(facts.releasedAt, now) };
    });
  },
  moveDue({ clerk, office, now, sheet, days }) {
    const dueOn = addDays(today(clerk, office), days - 20);
    return sheet.owed === 0n || dueOn < sheet.facts.issuedOn ? null : on.moveDue(now, dueOn, sheet.id);
  },
  /** The creditor closes for some days, which are not those that run. */
  closedWeek({ clerk, office, days }) {
    const from = addDays(today(clerk, office), 1 + days);
    const week = { from, to: addDays(from, 6) };
    clerk.closedDays.push(week);
    const { played } = office.going;
    played.customer = { ...played.customer, closedWeeks: [...played.customer.closedWeeks, week] };
    return on.change(office.now, (f) => ({ ...f }), 'nobody');
  },
  holiday({ clerk, office, days }) {
    const day = addDays(today(clerk, office), 1 + days);
    clerk.closedDays.push({ from: day, to: day });
    const { played } = office.going;
    const customerHolidays = new Set([...played.customer.customerHolidays, day]);
    played.customer = { ...played.customer, customerHolidays };
    return on.change(office.now, (f) => ({ ...f }), 'nobody');
  },
  /** Time passes. */
  wait({ office, days, amount }) {
    office.now += days * 86_400_000 + Number(amount % 24n) * 3_600_000;
    return null;
  },
  /** Nothing runs for days. */
  outage({ office, days }) {
    if (!isPaused(office)) office.outages.push({ from: office.now, to: office.now + (1 + days) * 86_400_000 });
    return null;
  },
};

class Command implements fc.Command<Clerk, Office> {
  readonly kind: string;
  readonly args: Args;

  constructor(kind: string, args: Args) {
    this.kind = kind;
    this.args = args;
  }

  check = (): boolean => true;

  run(clerk: Clerk, office: Office): void {
    const sheet = clerk.sheets[this.args.whom % clerk.sheets.length]!;
    const happening = DEEDS[this.kind]!({ ...this.args, clerk, office, now: office.now, sheet });
    on.goOn(office.going, office.now, {
      happenings: happening === null ? [] : [happening],
      outages: office.outages,
      outreachFirst: this.args.outreachFirst,
      check: (played, now) => {
        if (!office.outages.some((o) => o.from <= now && now < o.to)) clerk.compare(played, now);
      },
    });
  }

  toString = (): string => {
    const { whom, amount, part, days, outreachFirst } = this.args;
    return `['${this.kind}', { whom: ${whom}, amount: ${amount}n, part: ${part}, days: ${days}, outreachFirst: ${outreachFirst} }]`;
  };
}

/** A history written down: what a failure prints, to be made a named test. */
export type Written = [kind: string, args: Partial<Args>];

const plain: Args = { whom: 0, amount: 30_000n, part: false, days: 0, outreachFirst: false };

/** Lets it happen to a customer and compares with the clerk; returns what was played. */
export function follow(who: CustomerFacts, history: readonly Written[]): on.Played {
  const { clerk, office } = open(who);
  for (const [kind, args] of history) new Command(kind, { ...plain, ...args }).run(clerk, office);
  return office.going.played;
}

export function open(who: CustomerFacts): { clerk: Clerk; office: Office } {
  const office = { going: on.begin(who, FROM), now: FROM, outages: [] };
  return { clerk: new Clerk(who.cases, who.creditorZone), office };
}

const args: fc.Arbitrary<Args> = fc.record({
  whom: fc.nat({ max: 2 }),
  amount: fc.constantFrom(1_000n, 30_000n, 59_500n, 60_000n, 120_000n, 500_000n),
  part: fc.boolean(),
  days: fc.nat({ max: 45 }),
  outreachFirst: fc.boolean(),
});

/** Mostly time passes, and what only matters beyond the ladder comes often enough to get there. */
const WEIGHTS: Record<string, number> = { wait: 12, answer: 6, post: 3, pay: 2 };

export const histories = fc.commands(
  Object.keys(DEEDS).flatMap((kind) =>
    Array.from({ length: WEIGHTS[kind] ?? 1 }, () => args.map((a) => new Command(kind, a))),
  ),
  { maxCommands: 60, size: 'max' },
);

/** A customer in one zone with its creditor, whose policy goes on to the legal end. */
export const customersToTheEnd: fc.Arbitrary<CustomerFacts> = fc
  .record({
    policy: policies,
    notice: fc.record({
      channel: fc.constantFrom('email', 'registeredLetter'),
      deadlineDays: fc.constantFrom(8, 15),
      approval: fc.constantFrom('approver', null),
    }),
    placement: fc.option(fc.record({ approval: fc.constantFrom('approver', null) })),
    writeOff: fc.record({
      below: fc.constantFrom({}, { EUR: '30.00' }, { EUR: '400.00' }),
      approval: fc.constantFrom('approver', null),
      afterPlacementDays: fc.constantFrom(0, 30),
    }),
    agencyId: fc.constantFrom('agy', null),
    cases: fc.array(
      fc.record({
        due: fc.integer({ min: -20, max: 15 }),
        amount: fc.constantFrom(1_500n, 60_000n, 120_000n, 500_000n),
        limitation: fc.option(fc.integer({ min: 20, max: 200 })),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    zone: fc.constantFrom('Europe/Paris', 'America/Sao_Paulo', 'Pacific/Auckland'),
  })
  .map((d) => {
    const { formalNotice, placement, writeOff } = on.policy([1], {
      formalNotice: { ...d.notice, day: 62, from: 'due', dispatchDays: 2 },
      placement: d.placement && { daysAfterNotice: 10, ...d.placement },
      writeOff: d.writeOff,
    });
    const policy = { ...d.policy, formalNotice, placement, writeOff };
    const cases = d.cases.map(({ due, amount, limitation }, index) => {
      const dueOn = addDays(FIRST_DAY, due);
      const when = { dueOn, issuedOn: addDays(dueOn, -30), registeredOn: FIRST_DAY, registeredAt: FROM };
      const limitationOn = limitation === null ? null : addDays(FIRST_DAY, limitation);
      return on.invoice({ ...when, invoiceId: `inv_${index}`, policy, amountMinor: amount, limitationOn });
    });
    return on.customer(cases, { zone: d.zone, creditorZone: d.zone, agencyId: d.agencyId });
  });
