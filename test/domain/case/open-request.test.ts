import { describe, expect, test } from 'vitest';
import { decide } from '../../../domain/case/decide.ts';
import type { CaseFacts, StepFact } from '../../../domain/case/facts.ts';
import { ladder } from '../../../domain/case/ladder.ts';
import { at, customer, invoice, play, policy, steps } from './builders.ts';

function record(step: string, plannedOn: string, status: StepFact['status']): StepFact {
  const rest = { channel: 'email' as const, amountMinor: null, reanchors: false, reason: null, redraw: false };
  const leftOn = status === 'left' ? plannedOn : null;
  return { id: null, step, occurrence: 1, status, plannedAt: at(plannedOn), plannedOn, leftOn, ...rest };
}

const decideAt = (facts: CaseFacts, day: string, time = '08:30') => decide(facts, customer([facts]), at(day, time));

describe('a case with an open request looks again', () => {
  test('at the moment at which the following step may leave, had the open one left as planned', () => {
    const facts = invoice({ policy: policy([5, 6, 19]), steps: [record('s1', '2026-09-09', 'requested')] });
    // The second step is due on the 10th; the gap of three lets it leave on Monday the 14th.
    expect(decideAt(facts, '2026-09-09')).toMatchObject({ decision: 'wait', until: at('2026-09-14') });
  });

  test('after the last step when the ladder ends, since nothing else would wake it', () => {
    const formalNotice = { day: 40, from: 'due' };
    const facts = invoice({
      policy: policy([5], { formalNotice }),
      steps: [record('s1', '2026-09-09', 'requested')],
    });
    expect(decideAt(facts, '2026-09-09')).toMatchObject({ decision: 'wait', until: at('2026-10-14') });
  });

  test('every day once that moment has passed and the message is still queued', () => {
    const facts = invoice({ steps: [record('s1', '2026-09-09', 'queued')] });
    expect(decideAt(facts, '2026-09-18', '12:00')).toMatchObject({ decision: 'wait', until: at('2026-09-21') });
  });
});

describe('a request that has not left when the following step may', () => {
  test('is merged into it', () => {
    const left = record('s1', '2026-09-09', 'left');
    const facts = invoice({ steps: [left, record('s2', '2026-09-16', 'requested')] });
    const played = play(customer([facts]), at('2026-09-23'), at('2026-10-30'));
    expect(steps(played)).toEqual(['s3 2026-09-23']);
    expect([...played.cases.values()][0]!.steps[1]).toMatchObject({ step: 's2', status: 'merged' });
  });

  test('leaves all the same where it would be the first contact, and later ones keep their distance', () => {
    const facts = invoice({ steps: [record('s1', '2026-09-09', 'requested')] });
    const played = play(customer([facts]), at('2026-09-16'), at('2026-10-30'));
    expect(steps(played)).toEqual(['s1 2026-09-16', 's2 2026-09-23', 's3 2026-09-30']);
  });

  test('is taken back when the due date moved away', () => {
    const facts = invoice({ dueOn: '2026-10-02', steps: [record('s1', '2026-09-09', 'requested')] });
    expect(decideAt(facts, '2026-09-10')).toEqual({
      decision: 'act',
      acts: [{ act: 'withdrawRequest', step: 's1', reason: 'dueDateMoved', on: '2026-09-10' }],
    });
  });
});

test('a step that counts from a note is not moved by days held before the due date', () => {
  const held = { id: 'h', kind: 'pause' as const, fromOn: '2026-09-01', untilOn: '2026-09-03', liftedOn: '2026-09-03' };
  const facts = invoice({
    policy: policy([-5, { day: 10, from: 'previous' }]),
    steps: [record('s1', '2026-08-31', 'left')],
    holds: [held],
  });
  expect(ladder(facts, '2026-09-04')[1]!.ownDay).toBe('2026-09-10');
});
