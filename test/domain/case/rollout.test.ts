import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BULK_COMMANDS, BULK_KINDS, bulkRefusal } from '../../../domain/case/bulk.ts';
import { isOpen, type CustomerFacts } from '../../../domain/case/facts.ts';
import { THANK_YOU } from '../../../domain/case/requests.ts';
import {
  contactsAhead,
  firstBeyond,
  listedUntil,
  listMove,
  moved,
  moveRefusal,
  planMove,
  type ListedContact,
  type Promised,
} from '../../../domain/case/rollout.ts';
import { localDate, type Instant } from '../../../domain/time/zones.ts';
import { customers, FROM, happenings, policies } from './arbitraries.ts';
import { at, customer, dispute, invoice, pay, play, policy, type Played } from './builders.ts';

/** A run plays four stretches of time and foretells as many. */
const RUNS = { numRuns: Math.ceil(Number(process.env['CASE_RUNS'] ?? 150) / 2) };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The customer as a stretch of time has left it. */
const after = (played: Played): CustomerFacts => ({ ...played.customer, cases: [...played.cases.values()] });

const openIds = (who: CustomerFacts): Set<string> =>
  new Set(who.cases.filter((c) => isOpen(c.stage)).map((c) => c.invoiceId));

function promises(who: CustomerFacts, lines: ReturnType<typeof listMove>, now: Instant): Map<string, Promised> {
  const days = { listedOn: localDate(now, who.zone), until: listedUntil(now, who.zone) };
  return new Map(lines.map((line) => [line.invoiceId, { contacts: line.after.contacts, ...days }]));
}

const letterOf = (played: Played, id: string) => played.sent.filter((s) => s.invoiceId === id && s.step !== THANK_YOU);

describe('a move', { timeout: 120_000 }, () => {
  const worlds = fc.record({
    who: customers,
    to: policies,
    what: happenings,
    listedAfter: fc.integer({ min: 0, max: 24 * 50 }),
    movedAfter: fc.integer({ min: 0, max: 24 * 29 }),
  });

  test('never has a contact that its listing did not show, and makes nobody else hear more', () => {
    const seen = { moved: 0, differing: 0 };
    fc.assert(
      fc.property(worlds, ({ who, to, what, listedAfter, movedAfter }) => {
        const listedAt = FROM + listedAfter * HOUR;
        const movedAt = listedAt + movedAfter * HOUR;
        const during = (from: Instant, end: Instant) => what.filter((h) => h.at > from && h.at <= end);
        const then = after(play(who, FROM, listedAt, { happenings: during(0, listedAt) }));
        const lines = listMove(then, openIds(then), to, listedAt);
        const between = play(then, listedAt, movedAt, { happenings: during(listedAt, movedAt) });
        const now = after(between);
        const listed = lines.filter((line) => line.status === 'listed').map((line) => line.invoiceId);
        const may = listed.filter((id) => {
          const own = now.cases.find((c) => c.invoiceId === id)!;
          return isOpen(own.stage) && moveRefusal(own, to) === null;
        });
        const listing = promises(then, lines, listedAt);
        const plan = planMove(now, new Set(may), to, listing, movedAt);
        seen.moved += plan.move.size;
        seen.differing += plan.differs.size;
        expect([...plan.move, ...plan.differs].sort()).toEqual(may.sort());

        const cases = now.cases.map((c) => (plan.move.has(c.invoiceId) ? moved(c, to, now, movedAt).facts : c));
        const end = movedAt + 70 * DAY;
        const really = play({ ...now, cases }, movedAt, end);
        const otherwise = play(now, movedAt, end);
        for (const { invoiceId: id } of now.cases) {
          const { contacts, until } = listing.get(id) ?? { contacts: [], until: '9999-12-31' };
          const sent = letterOf(really, id).filter((s) => s.day <= until);
          const unused = contacts.map((c) => `${c.on} ${c.step ?? c.reason} ${c.channel}`);
          for (const s of letterOf(between, id)) use(unused, s);
          const beyond = sent.filter((s) => !use(unused, s));
          if (plan.move.has(id)) expect(beyond).toEqual([]);
          else if (beyond.length > 0) {
            const anyway = letterOf(otherwise, id).map((s) => `${s.day} ${s.step} ${s.channel}`);
            expect(sent.filter((s) => !use(anyway, s))).toEqual([]);
          }
        }
      }),
      RUNS,
    );
    expect(seen.moved).toBeGreaterThan(seen.differing / 10);
  });

  /** Takes the earliest listed line of the same step that is not later; false where there is none. */
  function use(lines: string[], sent: { day: string; step: string; channel: string }): boolean {
    const key = `${sent.step.replace(/^~/, '')} ${sent.channel}`;
    const index = lines
      .map((line, at) => ({ line: line.replace(' ~', ' '), at }))
      .filter(({ line }) => line.slice(11) === key && line.slice(0, 10) <= sent.day)
      .sort((a, b) => (a.line < b.line ? -1 : 1))[0]?.at;
    if (index === undefined) return false;
    lines.splice(index, 1);
    return true;
  }

  test('with nothing in between happens as listed, for every case that can be moved', () => {
    fc.assert(
      fc.property(worlds, ({ who, to, what, listedAfter }) => {
        const now = FROM + listedAfter * HOUR;
        const then = after(play(who, FROM, now, { happenings: what.filter((h) => h.at <= now) }));
        const lines = listMove(then, openIds(then), to, now);
        const listed = lines.filter((line) => line.status === 'listed').map((line) => line.invoiceId);
        expect(planMove(then, new Set(listed), to, promises(then, lines, now), now).differs).toEqual(new Set());
      }),
      RUNS,
    );
  });
});

describe('what stands in the way', () => {
  const old = policy([5, 12, 19]);
  const began = { dueOn: '2026-08-03', registeredOn: '2026-07-20', registeredAt: at('2026-07-20') };
  const who = customer([invoice({ ...began, policy: old })]);
  const [id] = who.cases.map((c) => c.invoiceId);
  const played = (until: string) => after(play(who, at('2026-08-03'), at(until, '20:00')));

  test('a version that lacks the step where the case stands', () => {
    const without = { ...old, steps: old.steps.filter((s) => s.key !== 's2') };
    expect(moveRefusal(played('2026-08-10').cases[0]!, without)).toBeNull();
    const stands = played('2026-08-17');
    expect(moveRefusal(stands.cases[0]!, without)).toBe('stepMissing');
    const [line] = listMove(stands, new Set([id!]), without, at('2026-08-17', '20:00'));
    expect(line).toMatchObject({ status: 'refused', code: 'stepMissing' });
    expect(line!.after).toEqual(line!.before);
    // Steps that somebody else has sent count, too.
    expect(moveRefusal({ ...who.cases[0]!, lastStepSent: 's2' }, without)).toBe('stepMissing');
  });

  test('an approval that waits, a branch the version does not have', () => {
    const asks = policy([5, 12], { approvalAbove: { EUR: '1.00' } });
    const waiting = customer([invoice({ ...began, policy: asks })]);
    const facts = after(play(waiting, at('2026-08-03'), at('2026-08-12'))).cases[0]!;
    expect(moveRefusal(facts, asks)).toBe('stepUnderWay');
    const noticed = { ...who.cases[0]!, notice: { leftOn: '2026-08-20', dispatchedOn: null, deliveredOn: null } };
    expect(moveRefusal(noticed, { ...old, formalNotice: null })).toBe('stepMissing');
  });

  test('nobody hears a milder word after a firmer one: steps before the present one count as passed over', () => {
    const more = policy([5, { key: 'new', day: 8 }, 12, 19].map((s) => (typeof s === 'number' ? { day: s } : s)));
    const renamed = {
      ...more,
      steps: more.steps.map((s, n) => ({ ...s, key: ['s1', 'extra', 's2', 's3'][n]! })),
    };
    const now = at('2026-08-17', '20:00');
    const { acts, facts } = moved(played('2026-08-17').cases[0]!, renamed, who, now);
    expect(acts).toMatchObject([{ act: 'skipStep', step: 'extra', reason: 'policyChanged' }]);
    expect(facts.steps.at(-1)).toMatchObject({ step: 'extra', status: 'skipped' });
  });

  test('a listing shows what the customer will hear; money lets less leave, a released hold earlier: that differs', () => {
    const now = at('2026-08-04');
    const sooner = policy([3, 10, 17, 24]);
    const lines = listMove(who, new Set([id!]), sooner, now);
    expect(lines[0]!.after.contacts.map((c) => `${c.step} ${c.on}`)).toEqual([
      's1 2026-08-06',
      's2 2026-08-13',
      's3 2026-08-20',
      's4 2026-08-27',
    ]);
    expect(lines[0]!.before.next).toMatchObject({ action: 'contact', step: 's1', at: at('2026-08-10') });
    const listing = promises(who, lines, now);
    const differs = (w: CustomerFacts, then = now) => planMove(w, new Set([id!]), sooner, listing, then).differs.size;
    const paid = pay(now, 1_000n).change(who.cases[0]!, now, '2026-08-04');
    expect(differs({ ...who, cases: [paid] })).toBe(0);
    // Listed while disputed, moved once that was settled.
    const held = { ...who, cases: [dispute(now, null).change(who.cases[0]!, now, '2026-08-04')] };
    const heldListing = promises(held, listMove(held, new Set([id!]), sooner, now), now);
    expect(planMove(who, new Set([id!]), sooner, heldListing, now).differs).toEqual(new Set([id]));
    // Thirty days later it no longer shows thirty days.
    expect(differs(who, at('2026-09-03'))).toBe(0);
    expect(differs(who, at('2026-09-04'))).toBe(1);
  });

  test('another case of the customer whose contacts change along is listed', () => {
    const contact = { minimumGapDays: 5, maximumPer30Days: 9 };
    const first = policy([5, 30], { contact, formalNotice: null });
    const cases = [
      invoice({ ...began, policy: first, invoiceId: 'inv_a' }),
      invoice({ ...began, policy: { ...first, name: 'other' }, invoiceId: 'inv_b', dueOn: '2026-08-06' }),
    ];
    const two = customer(cases);
    const later = policy([12, 30], { contact, formalNotice: null });
    const lines = listMove(two, new Set(['inv_a']), later, at('2026-08-04'));
    expect(lines.map((line) => [line.invoiceId, line.status])).toEqual([
      ['inv_a', 'listed'],
      ['inv_b', 'affected'],
    ]);
    expect(lines[1]!.before.contacts[0]!.on > lines[1]!.after.contacts[0]!.on).toBe(true);
    // Without that line nobody moves: inv_b would hear earlier than anybody was shown.
    const listing = promises(two, lines, at('2026-08-04'));
    expect(planMove(two, new Set(['inv_a']), later, listing, at('2026-08-04')).move.size).toBe(1);
    listing.delete('inv_b');
    expect(planMove(two, new Set(['inv_a']), later, listing, at('2026-08-04')).move.size).toBe(0);
  });
});

test('a contact is covered by one of its own: the same, and not on a later day', () => {
  const on = (day: string, step = 's1'): ListedContact => ({
    on: day,
    action: 'contact',
    step,
    channel: 'email',
    reason: 'reminder',
  });
  const listed = [on('2026-08-05'), on('2026-08-12'), on('2026-08-06', 's2')];
  expect(firstBeyond([], listed)).toBeNull();
  expect(firstBeyond([on('2026-08-05'), on('2026-08-20')], listed)).toBeNull();
  expect(firstBeyond([on('2026-08-04')], listed)).toEqual(on('2026-08-04'));
  expect(firstBeyond([on('2026-08-12'), on('2026-08-06')], listed)).toBeNull();
  expect(firstBeyond([on('2026-08-06'), on('2026-08-11')], listed)).toEqual(on('2026-08-11'));
  expect(firstBeyond([on('2026-08-06', 's2'), on('2026-08-30', 's2')], listed)).toEqual(on('2026-08-30', 's2'));
  expect(firstBeyond([{ ...on('2026-08-30'), channel: 'letter', action: 'task' }], listed)).not.toBeNull();
  expect(contactsAhead(listed, '2026-09-10')).toBe(2);
});

test('what a stage is certain to refuse', () => {
  const open = { stage: 'reminding', balanceMinor: 1n, paused: false } as const;
  const refusals = (over: Partial<Parameters<typeof bulkRefusal>[1]>) =>
    Object.fromEntries(BULK_KINDS.map((kind) => [kind, bulkRefusal(kind, { ...open, ...over })]));
  expect(refusals({})).toMatchObject({ pause: null, resume: 'notPaused', reopen: 'caseOpen', recall: 'notPlaced' });
  expect(refusals({ paused: true })).toMatchObject({ pause: 'alreadyPaused', resume: null });
  expect(refusals({ stage: 'placed' })).toMatchObject({ recall: null, placement: 'stageForbids', 'write-off': null });
  expect(refusals({ stage: 'formalNotice' })).toMatchObject({ placement: null, 'formal-notice': 'stageForbids' });
  expect(refusals({ stage: 'settled', balanceMinor: 0n })).toMatchObject({
    pause: 'caseClosed',
    reopen: 'nothingOwed',
  });
  expect(refusals({ stage: 'writtenOff' })).toMatchObject({ 'write-off': 'caseClosed', reopen: null });
  expect(BULK_COMMANDS['write-off'].role).toBe('approver');
});
