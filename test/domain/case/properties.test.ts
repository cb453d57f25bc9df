import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide } from '../../../domain/case/decide.ts';
import { isOpen, type CaseFacts } from '../../../domain/case/facts.ts';
import { forecast } from '../../../domain/case/forecast.ts';
import { ladder, openStep } from '../../../domain/case/ladder.ts';
import { openInstalment } from '../../../domain/case/plan-course.ts';
import { isAside, isBranch, planNoteOf, THANK_YOU } from '../../../domain/case/requests.ts';
import { calendarOf } from '../../../domain/case/moments.ts';
import { standing } from '../../../domain/case/standing.ts';
import { closesAt, isContactDay, opensAt } from '../../../domain/time/contact-window.ts';
import { addDays, daysBetween, type LocalDate } from '../../../domain/time/dates.ts';
import { localDate, type Instant } from '../../../domain/time/zones.ts';
import { agreements, customers, FIRST_DAY, FROM, happenings, outages } from './arbitraries.ts';
import { at, customer, invoice, moveDue, play, policy, type Happening, type Played, type Sent } from './builders.ts';

const TO = FROM + 200 * 86_400_000;
const RUNS = { numRuns: Number(process.env['CASE_RUNS'] ?? 150) };

/** Everything a played stretch did, for comparing. */
function story(played: Played): string[] {
  return [
    ...played.sent.map((s) => `${s.at} ${s.invoiceId} ${s.step} ${s.channel} ${s.amountMinor}`),
    ...played.tasks.map((t) => `${t.at} ${t.invoiceId} task ${t.task}`),
    ...played.approvals.map((a) => `${a.at} ${a.invoiceId} approval ${a.step}`),
  ].sort();
}

describe('whatever happens', () => {
  const worlds = fc.record({ who: customers, what: happenings, outages });

  test('contacts keep within window, gap and cap, ask for what may be asked, and no step leaves twice', () => {
    fc.assert(
      fc.property(worlds, ({ who, what, outages }) => {
        const played = play(who, FROM, TO, { happenings: what, outages, check: checkStanding });
        checkContacts(played);
        checkSteps(played);
      }),
      RUNS,
    );
  });

  test('a case with something left to do and nothing in its way wakes again or has asked a person', () => {
    fc.assert(
      fc.property(worlds, ({ who, what, outages }) => {
        const played = play(who, FROM, TO, { happenings: what, outages });
        for (const [id, facts] of played.cases) {
          if (!isOpen(facts.stage) || played.wakeAt.has(id)) continue;
          const today = localDate(TO, who.creditorZone);
          const held = standing(facts, today).heldWhole;
          // A notice that nobody has posted yet is a person's task, too.
          const posting = facts.notice !== null && facts.notice.dispatchedOn === null;
          const asked = posting || facts.tasksOpened.some((t) => t !== 'missingAddress');
          expect(held || asked).toBe(true);
        }
      }),
      RUNS,
    );
  });

  test('turns that nobody needed change nothing', () => {
    const wakes = fc.array(fc.integer({ min: 0, max: 24 * 120 }), { maxLength: 60 });
    fc.assert(
      fc.property(worlds, wakes, ({ who, what: all }, hours) => {
        const what = all.filter((h) => !h.skips);
        const extraWakes = hours.map((h) => FROM + h * 3_600_000);
        expect(story(play(who, FROM, TO, { happenings: what, extraWakes }))).toEqual(
          story(play(who, FROM, TO, { happenings: what })),
        );
      }),
      RUNS,
    );
  });

  test('a note that outreach kept back until its due date is gone, though that date moves later', () => {
    // Outreach holds inv_2's note back on the 10th for the reminder of inv_0, then the customer is away; nothing wakes
    // the case itself on the 13th.
    const contact = { minimumGapDays: 2, maximumPer30Days: 2 };
    const steps = policy([{ day: -3 }, { day: 1 }], { contact, formalNotice: null });
    const cases = ['2026-08-09', '2026-08-10', '2026-08-13'].map((dueOn, n) => {
      const when = { issuedOn: FIRST_DAY, dueOn, registeredOn: FIRST_DAY, registeredAt: FROM };
      return invoice({ ...when, invoiceId: `inv_${n}`, policy: steps });
    });
    const who = customer(cases, { closedWeeks: [{ from: '2026-08-11', to: '2026-08-20' }] });
    const happenings = [moveDue(at('2026-08-22', '07:00'), '2026-09-08')];
    const alone = play(who, FROM, TO, { happenings });
    const woken = play(who, FROM, TO, { happenings, extraWakes: [at('2026-08-13', '00:00')] });
    expect(story(alone)).toEqual(story(woken));
    const note = alone.cases.get('inv_2')!.steps.find((s) => s.step === 's1');
    expect(note).toMatchObject({ status: 'skipped', reason: 'dueDateReached', plannedOn: '2026-08-10' });
    expect(alone.sent.map((s) => `${s.invoiceId} ${s.step} ${s.day}`)).toEqual([
      'inv_0 s1 2026-08-06',
      'inv_0 s2 2026-08-10',
      'inv_1 s2 2026-09-09',
      'inv_2 s2 2026-09-09',
    ]);
  });

  test('a note for which no day is free is kept until its due date, in case that moves', () => {
    // The reminder of inv_0 on Monday 24 leaves inv_2 no day before Thursday 27; a look on Monday or none, all the same.
    const contact = { minimumGapDays: 3, maximumPer30Days: 9 };
    const steps = policy([{ day: -1 }, { day: 1 }], { contact, formalNotice: null });
    const cases = ['2026-08-23', '2026-08-27'].map((dueOn, n) => {
      const when = { issuedOn: FIRST_DAY, dueOn, registeredOn: FIRST_DAY, registeredAt: FROM };
      return invoice({ ...when, invoiceId: `inv_${2 * n}`, policy: steps });
    });
    const extraWakes = [at('2026-08-24', '09:00')];
    const left = (happenings: Happening[], wakes: number[]): string[] =>
      play(customer(cases), FROM, TO, { happenings, extraWakes: wakes }).sent.map(
        (s) => `${s.invoiceId} ${s.step} ${s.day}`,
      );
    const moved = [moveDue(at('2026-08-25', '07:00'), '2026-09-08', 'inv_2')];
    const once = ['inv_0 s2 2026-08-24'];
    for (const wakes of [[], extraWakes]) {
      expect(left(moved, wakes)).toEqual([...once, 'inv_2 s1 2026-09-07', 'inv_2 s2 2026-09-10']);
      expect(left([], wakes)).toEqual([...once, 'inv_2 s2 2026-08-28']);
    }
  });

  test('deciding is a function of the facts', () => {
    fc.assert(
      fc.property(customers, fc.integer({ min: 0, max: 24 * 100 }), (who, hours) => {
        const now = FROM + hours * 3_600_000;
        for (const facts of who.cases) {
          const frozen = JSON.stringify(facts, (_k, v: unknown) => (typeof v === 'bigint' ? String(v) : v));
          expect(decide(facts, who, now)).toEqual(decide(facts, who, now));
          expect(JSON.stringify(facts, (_k, v: unknown) => (typeof v === 'bigint' ? String(v) : v))).toBe(frozen);
        }
      }),
      RUNS,
    );
  });
});

describe('what is foretold', () => {
  test('is what happens when nothing changes, from any moment on', () => {
    fc.assert(
      fc.property(
        fc.record({ who: customers, what: happenings }),
        fc.integer({ min: 0, max: 80 }),
        ({ who, what }, days) => {
          const now = FROM + days * 86_400_000;
          const before = play(who, FROM, now, { happenings: what.filter((h) => h.at <= now) });
          const open = [...before.cases.values()].filter((c) => isOpen(c.stage));
          const world = { ...before.customer, cases: open };
          const foretold = forecast(world, now);
          const happened = play(world, now, TO);
          const leaves = ['contact', 'formalNotice'];
          const lines = foretold.filter(
            (l) =>
              l.at <= TO && (leaves.includes(l.action) || (l.action === 'task' && (l.step || l.reason === 'plan'))),
          );
          // A branch or a note of a plan is no step of the ladder: its line has none.
          const left = (at: Instant, id: string, step: string | null): string =>
            `${at} ${id} ${step === null || isBranch(step) || isAside(step) ? null : step}`;
          const missing = happened.tasks.filter((t) => t.step !== null).map((t) => left(t.at, t.invoiceId, t.step));
          const sent = happened.sent.filter((s) => s.step !== THANK_YOU).map((s) => left(s.at, s.invoiceId, s.step));
          expect(lines.map((l) => left(l.at, l.invoiceId, l.step)).sort()).toEqual([...sent, ...missing].sort());
          const tasks = foretold.filter(
            (l) => l.at <= TO && l.action === 'task' && l.step === null && l.reason !== 'plan',
          );
          expect(tasks.map((l) => `${l.at} ${l.invoiceId} ${l.reason}`).sort()).toEqual(
            happened.tasks
              .filter((t) => t.step === null)
              .map((t) => `${t.at} ${t.invoiceId} ${t.task}`)
              .sort(),
          );
          const ends = foretold.filter((l) => l.at <= TO && l.action === 'planEnds');
          expect(ends.map((l) => `${l.at} ${l.invoiceId} ${l.reason}`).sort()).toEqual(
            happened.planEnds.map((p) => `${p.at} ${p.invoiceId} ${p.became}`).sort(),
          );
          const asked = foretold.filter((l) => l.at <= TO && l.action === 'approval');
          expect(asked.map((l) => left(l.at, l.invoiceId, l.step)).sort()).toEqual(
            happened.approvals.map((a) => left(a.at, a.invoiceId, a.step)).sort(),
          );
        },
      ),
      RUNS,
    );
  });
});

test('what a waiting case says is next is the first line of its calendar', () => {
  fc.assert(
    fc.property(customers, fc.option(agreements), fc.integer({ min: 0, max: 60 }), (who, plans, days) => {
      const now = FROM + days * 86_400_000;
      const happenings = (plans ?? []).filter((h) => h.at <= now);
      const played = play({ ...who, cases: who.cases.slice(0, 1) }, FROM, now, { happenings });
      const [facts] = played.cases.values();
      const decision = decide(facts!, played.customer, now);
      // What outreach was asked for leaves when outreach says; the case waits for what comes after it.
      const asked = facts!.steps.some((s) => s.status === 'requested');
      fc.pre(decision.decision === 'wait' && openStep(facts!) === null && !asked);
      if (decision.decision !== 'wait' || decision.next === null) return;
      const [first] = forecast({ ...played.customer, cases: [facts!] }, now);
      // Channel and reason of a line say how the contact went, `next` why it is foreseen.
      const { at, action, step } = decision.next;
      expect({ at, action, step }).toEqual({ at: first!.at, action: first!.action, step: first!.step });
    }),
    RUNS,
  );
});

/** Nothing is asked while held, and each open request asks for the balance less its disputed and promised parts. */
function checkStanding(played: Played, now: Instant): void {
  const today = localDate(now, played.customer.creditorZone);
  for (const sent of played.sent) {
    if (sent.at !== now || sent.step === THANK_YOU) continue;
    const facts = played.cases.get(sent.invoiceId)!;
    const here = standing(facts, today);
    if (planNoteOf(sent.step) !== null) {
      checkPlanNote(sent, facts, today);
      continue;
    }
    expect(here.heldWhole).toBe(false);
    expect(sent.amountMinor).toBe(facts.balanceMinor - here.disputedMinor - here.promisedMinor);
    expect(sent.amountMinor > 0n).toBe(true);
    expect(facts.collection.method === 'directDebit' && facts.collection.failedOn === null).toBe(false);
    if (facts.chaseFrom !== null) expect(sent.day >= facts.chaseFrom).toBe(true);
    if (facts.limitationOn !== null) expect(today <= facts.limitationOn).toBe(true);
    if (isBranch(sent.step)) {
      expect(sent.message.kind).toBe('formalNotice');
      continue;
    }
    const rung = ladder(facts, today).find((r) => r.step.key === sent.step)!;
    if (rung.beforeDue) {
      expect(sent.day < facts.dueOn && today < facts.dueOn).toBe(true);
      expect(sent.message.kind).toBe('beforeDue');
    } else {
      expect(sent.day > facts.dueOn && today > facts.dueOn).toBe(true);
      expect(sent.message.kind).toBe('reminder');
    }
  }
}

/** A note is true when it leaves: of an active plan that nothing else silences, for the instalment that is open. */
function checkPlanNote({ step, day, amountMinor, message }: Sent, facts: CaseFacts, today: LocalDate): void {
  const note = planNoteOf(step)!;
  const plan = facts.plans.find((p) => p.id === note.planId)!;
  expect(plan.status).toBe('active');
  expect(plan.disputed).toBe(false);
  expect(facts.holds.some((h) => h.kind !== 'plan' && h.kind !== 'approval' && h.liftedOn === null)).toBe(false);
  expect(message.items).toHaveLength(1);
  if (note.note === 'agreed') {
    expect(amountMinor).toBe(plan.totalMinor);
    return;
  }
  const open = openInstalment(plan)!;
  expect([note.n, amountMinor]).toEqual([open.n, open.restMinor]);
  const lastGrace = addDays(open.dueOn, plan.graceDays);
  for (const date of [day, today]) {
    if (note.note === 'before') expect(date < open.dueOn && date >= addDays(open.dueOn, -3)).toBe(true);
    else expect(date > open.dueOn && date <= lastGrace).toBe(true);
  }
}

function checkContacts(played: Played): void {
  const { customer: who } = played;
  const perDay = new Set<string>();
  for (const message of played.messages) {
    for (const to of message.recipients.to) {
      const key = `${message.channel} ${to} ${message.day}`;
      expect(perDay.has(key), `two messages: ${key}`).toBe(false);
      perDay.add(key);
    }
  }
  for (const sent of played.sent) {
    const { contact } = sent.message.items.find((i) => i.invoiceId === sent.invoiceId)!.policy;
    const calendar = calendarOf(who, contact);
    expect(isContactDay(sent.day, calendar)).toBe(true);
    expect(opensAt(sent.day, calendar) <= sent.at && sent.at < closesAt(sent.day, calendar)).toBe(true);
    if (isAside(sent.step)) continue;
    const days = new Set(who.contacts.map((c) => c.day).filter((day) => day < sent.day));
    const distances = [...days].map((day) => daysBetween(day, sent.day));
    expect(Math.min(...distances)).toBeGreaterThanOrEqual(contact.minimumGapDays);
    expect(distances.filter((d) => d < 30).length + 1).toBeLessThanOrEqual(contact.maximumPer30Days);
  }
}

/** A step at most once, in the ladder's order, two of one case never on one day, and no stranger is warned. */
function checkSteps(played: Played): void {
  for (const [id, facts] of played.cases) {
    const all = played.sent.filter((s) => s.invoiceId === id && !isAside(s.step) && !isBranch(s.step));
    const again = all.filter((s) => s.message.items.some((i) => i.step === s.step && i.occurrence > 1));
    const sent = all.filter((s) => !again.includes(s));
    const order = sent.map((s) => facts.policy.steps.findIndex((step) => step.key === s.step));
    expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
    expect(new Set(sent.map((s) => s.day)).size).toBe(sent.length);
    const records = facts.steps.filter((s) => !isAside(s.step)).map((s) => `${s.step} ${s.occurrence}`);
    expect(new Set(records).size).toBe(records.length);
    // A reminder is sent again only before a notice, for more than any before it.
    for (const repeated of again) {
      const written = all.filter((s) => s.channel !== 'call' && s.message.kind === 'reminder');
      const before = written.filter((s) => s.at < repeated.at);
      expect(facts.policy.formalNotice).not.toBeNull();
      for (const s of before) expect(repeated.amountMinor).toBeGreaterThan(s.amountMinor);
    }
    const first = facts.policy.steps[order[0] ?? 0]!;
    const milder = ladder(facts, FIRST_DAY).filter((r) => !r.beforeDue && r.index < (order[0] ?? 0));
    if (sent.length > 0 && facts.lastStepSent === null && first.tone === 'final') expect(milder).toEqual([]);
    expect(openStep(facts) === null || isOpen(facts.stage)).toBe(true);
  }
}

test('the calendar of a customer with 300 open cases is quick', () => {
  const cases = Array.from({ length: 300 }, (_, i) => {
    const dueOn = addDays(FIRST_DAY, (i * 7) % 90);
    const held = { id: 'h', kind: 'pause' as const, fromOn: dueOn, untilOn: addDays(dueOn, i % 9), liftedOn: null };
    const when = { dueOn, issuedOn: addDays(dueOn, -30), registeredOn: FIRST_DAY, registeredAt: FROM };
    return invoice({ ...when, policy: policy([-5, 5, 12, 19, 25]), holds: i % 3 === 0 ? [held] : [] });
  });
  const contacts = [-20, -13, -6].map((n) => ({
    day: addDays(FIRST_DAY, n),
    channel: 'email' as const,
    recipientKey: 'b',
  }));
  // Processor time: the clock on the wall would measure whoever else is at work here.
  const started = process.cpuUsage();
  const lines = forecast(customer(cases, { contacts }), FROM);
  const { user, system } = process.cpuUsage(started);
  expect(lines.length).toBeGreaterThan(600);
  expect((user + system) / 1000).toBeLessThan(2_000);
});
