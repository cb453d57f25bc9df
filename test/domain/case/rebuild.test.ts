import { describe, expect, test } from 'vitest';
import { compareWithLog, type LoggedEvent, type LoggedTurn, type Origin } from '../../../domain/case/rebuild.ts';
import type { CaseFacts, StepFact } from '../../../domain/case/facts.ts';
import { limitationIn } from '../../../domain/law/limitation.ts';
import { at, customer, invoice, policy } from './builders.ts';

const CLAIM = { issuedOn: '2026-08-05', dueOn: '2026-09-04', contractYears: null, events: [] };
const LIMIT = limitationIn('FR', 'business', CLAIM)!.on;

const originOf = (facts: CaseFacts): Origin => ({
  invoiceId: facts.invoiceId,
  issuedOn: facts.issuedOn,
  dueOn: facts.dueOn,
  registeredAt: facts.registeredAt,
  amountMinor: facts.amountMinor,
  currency: facts.currency,
  chaseFrom: null,
  lastStepSent: null,
  collection: { method: 'transfer', on: null },
  limitationYears: null,
});

const text = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? String(member) : member));
const same = (a: unknown, b: unknown): boolean => text(a) === text(b);

/**
 * In compressed time a turn may be judged at the moment it was planned for, days before what is on record by then; facts
 * cut such dates off at the day that is judged, and a later turn knows them whole.
 */
describe('dates that lie after the day that was judged', () => {
  const facts = invoice({ limitationOn: LIMIT });
  const origin = originOf(facts);
  /** What the database says at the end, and what the log says of it. */
  const events: LoggedEvent[] = [
    { n: 1, at: facts.registeredAt, kind: 'invoiceRegistered', data: { dueOn: facts.dueOn } },
    { n: 2, at: at('2026-09-12'), kind: 'disputed', data: { disputeId: 'dis_1', amount: '100.00' } },
    {
      n: 3,
      at: at('2026-09-12'),
      kind: 'promised',
      data: { promiseId: 'prm_1', amount: '200.00', payOn: '2026-09-30', graceDays: 2, holds: true },
    },
    { n: 4, at: at('2026-09-12'), kind: 'paused', data: { holdId: 'hol_1', kind: 'pause', until: null } },
    { n: 5, at: at('2026-09-12'), kind: 'paymentAllocated', data: { allocationId: 'all_1', amount: '300.00' } },
    { n: 6, at: at('2026-09-14'), kind: 'resumed', data: { holdId: 'hol_1', kind: 'pause' } },
    { n: 7, at: at('2026-09-14'), kind: 'promiseWithdrawn', data: { promiseId: 'prm_1' } },
    {
      n: 8,
      at: at('2026-09-14'),
      kind: 'disputeResolved',
      data: { disputeId: 'dis_1', outcome: 'rejected' },
    },
  ];

  /** As `facts` of the database has them: nothing begins or ends after the day that is judged. */
  function known(day: string, upTo: number): CaseFacts {
    const begun = (date: string): string => (date < day ? date : day);
    const ended = upTo >= 8 ? begun('2026-09-14') : null;
    const stays = { id: 'prm_1', amountMinor: 20_000n, payOn: '2026-09-30', graceDays: 2, holds: true };
    return {
      ...facts,
      balanceMinor: facts.amountMinor - 30_000n,
      movements: [{ on: begun('2026-09-12'), amountMinor: -30_000n, kind: 'payment' }],
      disputes: [{ id: 'dis_1', amountMinor: 10_000n, openedOn: begun('2026-09-12'), resolvedOn: ended }],
      promises: [
        {
          ...stays,
          madeOn: begun('2026-09-12'),
          status: ended === null ? 'active' : 'withdrawn',
          endedOn: ended,
          paidBeforeMinor: 0n,
        },
      ],
      holds: [{ id: 'hol_1', kind: 'pause', fromOn: begun('2026-09-12'), untilOn: null, liftedOn: ended }],
      releasedAt: upTo >= 8 ? at('2026-09-14') : facts.registeredAt,
    };
  }

  const turn = (name: string, day: string, upTo: number): LoggedTurn => {
    const before = known(day, upTo);
    return {
      name,
      at: at(day),
      eventsBefore: upTo,
      eventsAfter: upTo,
      facts: before,
      customer: customer([before]),
      commanded: [],
      decisions: [{ decision: 'wait', until: null, next: null }],
    };
  };
  const found = (turns: LoggedTurn[]): string[] =>
    compareWithLog(origin, events, turns, same).map(({ turn: { name }, field }) => `${name}: ${field}`);
  const first: LoggedTurn = { ...turn('first', '2026-09-09', 1), facts };

  test('are the same to a turn on an earlier day and to the one after it', () => {
    expect(
      found([first, turn('early', '2026-09-10', 5), turn('later', '2026-09-13', 5), turn('last', '2026-09-16', 5)]),
    ).toEqual([]);
  });

  test('so are the days on which something ended', () => {
    expect(
      found([first, turn('early', '2026-09-10', 8), turn('between', '2026-09-13', 8), turn('last', '2026-09-16', 8)]),
    ).toEqual([]);
  });

  test('a date that is another one is told once, and gone on from as it was recorded', () => {
    const wrong = turn('wrong', '2026-09-16', 5);
    wrong.facts = { ...wrong.facts, disputes: [{ ...wrong.facts.disputes[0]!, openedOn: '2026-09-11' }] };
    const after = turn('after', '2026-09-17', 5);
    after.facts = { ...after.facts, disputes: wrong.facts.disputes };
    expect(found([first, wrong, after])).toEqual(['wrong: disputes']);
  });
});

describe('a letter that is taken back before it was posted', () => {
  const steps = policy([5, { day: 12, channel: 'letter' }, 40]);
  const facts = invoice({ policy: steps, limitationOn: LIMIT });
  const origin = originOf(facts);
  const letter: StepFact = {
    id: null,
    step: 's2',
    occurrence: 1,
    status: 'requested',
    channel: 'letter',
    plannedAt: at('2026-09-16'),
    plannedOn: '2026-09-16',
    amountMinor: 120_000n,
    leftOn: null,
    reanchors: false,
    reason: null,
    redraw: false,
  };
  const events: LoggedEvent[] = [
    { n: 1, at: facts.registeredAt, kind: 'invoiceRegistered', data: { dueOn: facts.dueOn } },
    { n: 2, at: at('2026-09-16'), kind: 'contactQueued', data: { step: 's2', amount: '1200.00' } },
    { n: 3, at: at('2026-09-16'), kind: 'stepTaken', data: { step: 's2', on: '2026-09-16' } },
    { n: 4, at: at('2026-09-18'), kind: 'contactWithdrawn', data: { step: 's2', reason: 'paymentAllocated' } },
  ];
  const turnWith = (name: string, day: string, known: StepFact[], upTo: number, acts: LoggedTurn['decisions']) => {
    const before: CaseFacts = { ...facts, steps: known };
    return {
      name,
      at: at(day),
      eventsBefore: upTo,
      eventsAfter: upTo,
      facts: before,
      customer: customer([before]),
      commanded: [],
      decisions: acts,
    } satisfies LoggedTurn;
  };
  const asks = turnWith('asks', '2026-09-16', [], 1, [
    {
      decision: 'act',
      acts: [
        {
          act: 'request',
          step: 's2',
          occurrence: 1,
          channel: 'letter',
          plannedAt: letter.plannedAt,
          plannedOn: letter.plannedOn,
          reanchors: false,
          asksMinor: 120_000n,
          on: '2026-09-16',
        },
      ],
    },
    { decision: 'wait', until: null, next: null },
  ]);
  const wait: LoggedTurn['decisions'] = [{ decision: 'wait', until: null, next: null }];
  const found = (...turns: LoggedTurn[]) =>
    compareWithLog(origin, events, turns, same).map(({ turn: { name }, field }) => `${name}: ${field}`);

  test('is asked for again, as if it had not left', () => {
    const posted: StepFact = { ...letter, status: 'left', leftOn: '2026-09-16' };
    const left = { ...turnWith('left', '2026-09-17', [posted], 3, wait), facts: reminding(posted) };
    const back = turnWith('back', '2026-09-19', [letter], 4, wait);
    expect(found(asks, left, { ...back, facts: reminding(letter) })).toEqual([]);
    // Were it still counted as left, the record would say otherwise.
    expect(found(asks, left, { ...back, facts: reminding(posted) })).toEqual(['back: steps']);
  });

  /** A case whose step was asked for reminds. */
  const reminding = (step: StepFact): CaseFacts => ({ ...facts, stage: 'reminding', steps: [step] });
});
