import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changesOf, ordinaryNext, withChanges, type CaseView } from '../../../domain/case/case-view.ts';

const day = fc.constantFrom('2026-02-08', '2026-02-09', '2026-03-01');
const channel = fc.constantFrom('email', 'call', 'letter');
const line = fc.record({ on: day, step: fc.constantFrom('a', 'reminder-1', 'last'), channel });
const done = fc.record({
  on: day,
  step: fc.constantFrom('a', 'b'),
  channel,
  what: fc.constantFrom('left', 'failed', 'merged'),
});
const next = fc.constantFrom(null, {
  at: '2026-02-09T07:30:00.000Z',
  action: 'promiseEnds',
  step: null,
  reason: 'promise',
});
const view: fc.Arbitrary<CaseView> = fc
  .record({
    stage: fc.constantFrom('upcoming', 'reminding', 'settled'),
    closed: fc.boolean(),
    balance: fc.constantFrom('0.00', '1200.00'),
    balanceMinor: fc.constantFrom('0', '120000'),
    currency: fc.constant('EUR'),
    holds: fc.subarray(['promise', 'dispute']),
    wakeAt: fc.constantFrom(null, '2026-02-09T07:30:00.000Z'),
    next,
    calendar: fc.array(line, { maxLength: 4 }),
    done: fc.array(done, { maxLength: 4 }),
  })
  .chain((v) => fc.constantFrom(v, { ...v, next: ordinaryNext(v) })) as fc.Arbitrary<CaseView>;

const FIRST: CaseView = {
  stage: 'reminding',
  closed: false,
  balance: '1200.00',
  balanceMinor: '120000',
  currency: 'EUR',
  holds: [],
  wakeAt: '2026-02-09T07:30:00.000Z',
  next: { at: '2026-02-09T07:30:00.000Z', action: 'contact', step: 'one', reason: 'stepDue' },
  calendar: [
    { on: '2026-02-08', step: 'one', channel: 'email' },
    { on: '2026-02-15', step: 'two', channel: 'call' },
  ],
  done: [],
};

describe('what a turn tells its workflow', () => {
  it('gives the whole view back, whatever was known before', () => {
    fc.assert(
      fc.property(fc.option(view), view, (known, now) => {
        const told = JSON.parse(JSON.stringify(changesOf(known, now))) as ReturnType<typeof changesOf>;
        expect(withChanges(known, told)).toEqual(now);
      }),
    );
  });

  it('says nothing when nothing changed', () => {
    expect(changesOf(FIRST, { ...FIRST })).toEqual({});
  });

  it('says of a step that left only the new wake-up and that line', () => {
    const after: CaseView = {
      ...FIRST,
      wakeAt: '2026-02-16T07:30:00.000Z',
      next: { at: '2026-02-16T07:30:00.000Z', action: 'task', step: 'two', reason: 'stepDue' },
      calendar: FIRST.calendar.slice(1),
      done: [{ on: '2026-02-09', step: 'one', channel: 'email', what: 'left' }],
    };
    expect(changesOf(FIRST, after)).toEqual({
      wakeAt: '2026-02-16T07:30:00.000Z',
      passed: 1,
      done: ['2026-02-09 one'],
    });
  });

  it('takes back what turned out otherwise', () => {
    const left: CaseView = { ...FIRST, done: [{ on: '2026-02-09', step: 'one', channel: 'email', what: 'left' }] };
    const failed: CaseView = { ...FIRST, done: [{ on: '2026-02-09', step: 'one', channel: 'email', what: 'failed' }] };
    expect(changesOf(left, failed)).toEqual({ kept: 0, done: ['2026-02-09 one email failed'] });
  });
});
