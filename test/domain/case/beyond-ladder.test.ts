import { describe, expect, test } from 'vitest';
import { decide } from '../../../domain/case/decide.ts';
import type { CaseFacts, StepFact } from '../../../domain/case/facts.ts';
import { forecast } from '../../../domain/case/forecast.ts';
import { ladder } from '../../../domain/case/ladder.ts';
import { planContacts } from '../../../domain/case/plan-contacts.ts';
import { FORMAL_NOTICE, NOTICE_COPY } from '../../../domain/case/requests.ts';
import { at, customer, invoice, policy } from './builders.ts';

const left = (step: string, leftOn: string, over: Partial<StepFact> = {}): StepFact => ({
  id: null,
  step,
  occurrence: 1,
  status: 'left',
  channel: 'email',
  plannedAt: at(leftOn),
  plannedOn: leftOn,
  amountMinor: 120_000n,
  leftOn,
  reanchors: false,
  reason: null,
  redraw: false,
  ...over,
});

/** Friday 16 October 2026: the notice was posted the day before. */
const NOTICE = { day: 40, from: 'due', channel: 'registeredLetter', deadlineDays: 8, emailCopy: true };
const noticed = (over: Partial<CaseFacts> = {}, notice: object = NOTICE): CaseFacts =>
  invoice({
    stage: 'formalNotice',
    policy: policy([5], { formalNotice: notice, placement: { daysAfterNotice: 15 } }),
    steps: [left('s1', '2026-09-09'), left(FORMAL_NOTICE, '2026-10-14', { channel: 'registeredLetter' })],
    notice: { leftOn: '2026-10-14', dispatchedOn: '2026-10-15', deliveredOn: null },
    ...over,
  });
const asksForCopy = (facts: CaseFacts, when = at('2026-10-16')): boolean => {
  const decision = decide(facts, customer([facts]), when);
  return decision.decision === 'act' && decision.acts.some((a) => a.act === 'request' && a.step === NOTICE_COPY);
};

describe('the copy of a notice by e-mail', () => {
  test('is asked for once its letter is posted, once for each notice', () => {
    expect(asksForCopy(noticed())).toBe(true);
    expect(asksForCopy(noticed({}, { ...NOTICE, emailCopy: false }))).toBe(false);
    const unposted = { leftOn: '2026-10-14', dispatchedOn: null, deliveredOn: null };
    expect(asksForCopy(noticed({ notice: unposted }))).toBe(false);
    const copied = noticed();
    copied.steps.push(left(NOTICE_COPY, '2026-10-16'));
    expect(asksForCopy(copied)).toBe(false);
    // The letter came back and was sent again.
    copied.steps.push(left(FORMAL_NOTICE, '2026-10-16', { channel: 'registeredLetter', occurrence: 2 }));
    expect(asksForCopy(copied)).toBe(true);
  });

  test('is not asked for what is no longer so', () => {
    const paid = { on: '2026-10-15', amountMinor: -20_000n, kind: 'payment' as const };
    expect(asksForCopy(noticed({ balanceMinor: 100_000n, movements: [paid] }))).toBe(false);
    const hold = { id: 'hol_1', kind: 'customer' as const, fromOn: '2026-10-15', untilOn: null, liftedOn: null };
    expect(asksForCopy(noticed({ holds: [hold] }))).toBe(false);
    const placement = { id: 'plc_1', status: 'active' as const, placedOn: '2026-10-15', endedOn: null };
    expect(asksForCopy(noticed({ placement }))).toBe(false);
    expect(asksForCopy(noticed(), at('2026-11-12'))).toBe(false);
    const facts = noticed();
    const nobody = customer([facts], { recipients: [] });
    expect(
      JSON.stringify(decide(facts, nobody, at('2026-10-16')), (_, v) => (typeof v === 'bigint' ? '' : v)),
    ).not.toContain(NOTICE_COPY);
  });

  test('leaves as a message of its own, and is foretold as a contact', () => {
    const facts = noticed();
    const foretold = forecast(customer([facts]), at('2026-10-16'));
    expect(foretold[0]).toMatchObject({ action: 'contact', step: null, channel: 'email', reason: 'formalNotice' });
    expect(foretold.filter((line) => line.action === 'formalNotice')).toEqual([]);

    const waiting: StepFact = { ...left(NOTICE_COPY, '2026-10-16'), status: 'requested', leftOn: null };
    const copy = noticed({ steps: [...facts.steps, waiting] });
    const other = noticed({ notice: null }, { ...NOTICE, channel: 'email', emailCopy: false });
    const asked: StepFact = { ...left(FORMAL_NOTICE, '2026-10-16'), status: 'requested', leftOn: null };
    other.steps = [left('s1', '2026-09-09'), asked];
    const { messages } = planContacts(customer([copy, other]), at('2026-10-16'));
    expect(messages).toHaveLength(1);
    expect(messages[0]!.items).toHaveLength(1);
    // What was taken back meanwhile does not leave.
    expect(planContacts(customer([{ ...copy, notice: null }]), at('2026-10-16')).messages).toEqual([]);
  });
});

describe('a step that a person pulled forward', () => {
  const pulled = (over: Partial<CaseFacts>) =>
    invoice({ policy: policy([5, 12]), stepNow: { step: 's1', on: '2026-09-07' }, ...over });

  test('leaves at the next moment of contact, and the calendar says so at once', () => {
    const facts = pulled({});
    const [first, second] = forecast(customer([facts]), at('2026-09-07', '10:00'));
    expect(first).toMatchObject({ action: 'contact', step: 's1', at: at('2026-09-07', '10:00') });
    // Later steps keep their own days.
    expect(second).toMatchObject({ step: 's2', at: at('2026-09-16') });
    const decision = decide(facts, customer([facts]), at('2026-09-07', '22:00'));
    expect(decision).toMatchObject({ decision: 'wait', next: { at: at('2026-09-08'), step: 's1', reason: 'stepDue' } });
  });

  test('obeys gap and closed weeks', () => {
    const facts = pulled({});
    const near = [{ day: '2026-09-06', channel: 'email' as const, recipientKey: 'b' }];
    const gap = decide(facts, customer([facts], { contacts: near }), at('2026-09-07', '10:00'));
    expect(gap).toMatchObject({ decision: 'wait', next: { at: at('2026-09-09') } });
    const closedWeeks = [{ from: '2026-09-07', to: '2026-09-13' }];
    const closed = decide(facts, customer([facts], { closedWeeks }), at('2026-09-07', '10:00'));
    expect(closed).toMatchObject({ decision: 'wait', next: { at: at('2026-09-14') } });
  });

  test('waits for a due date that was moved after all', () => {
    const facts = pulled({ dueOn: '2026-10-02' });
    expect(ladder(facts, '2026-09-08')[0]!.ownDay).toBe('2026-10-07');
    expect(decide(facts, customer([facts]), at('2026-09-08'))).toMatchObject({
      decision: 'wait',
      next: { at: at('2026-10-07'), step: 's1' },
    });
  });
});

describe('closed weeks of the creditor', () => {
  test('have no notice', () => {
    const facts = invoice({
      policy: policy([5], { formalNotice: { ...NOTICE, approval: null } }),
      stage: 'reminding',
      steps: [left('s1', '2026-09-09')],
    });
    const closedWeeks = [{ from: '2026-10-12', to: '2026-10-18' }];
    const free = forecast(customer([facts]), at('2026-09-10'));
    expect(free[0]).toMatchObject({ action: 'formalNotice', at: at('2026-10-14') });
    const closed = forecast(customer([facts], { closedWeeks }), at('2026-09-10'));
    expect(closed[0]).toMatchObject({ action: 'formalNotice', at: at('2026-10-19') });
  });
});
