import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addDays } from '../../../domain/time/dates.ts';
import { FIRST_DAY, FROM } from './arbitraries.ts';
import { customer, invoice, policy } from './builders.ts';
import { customersToTheEnd, follow, histories, open, type Written } from './deeds.ts';

/** `CASE_RUNS=20000` is the nightly size; each run is a history of up to 60 commands. */
const RUNS = { numRuns: Number(process.env['CASE_RUNS'] ?? 300) };

test('whatever happens to a case, a clerk with a pencil comes to the same', { timeout: 3_600_000 }, () => {
  fc.assert(
    fc.property(customersToTheEnd, histories, (who, history) => {
      fc.modelRun(() => {
        const { clerk, office } = open(who);
        return { model: clerk, real: office };
      }, history);
    }),
    RUNS,
  );
});

/** Histories that once went wrong, as the property printed them. */
describe('a clerk would not have', () => {
  const terms = {
    formalNotice: { day: 20, from: 'due', channel: 'registeredLetter', deadlineDays: 8, dispatchDays: 2 },
    placement: { daysAfterNotice: 10 },
    writeOff: {},
    plan: { maxInstalments: 4, graceDays: 2 },
    contact: { days: 'mon-fri', from: '08:30', to: '18:30', minimumGapDays: 0, maximumPer30Days: 30 },
  };
  const who = (over = {}) => {
    const when = { dueOn: FIRST_DAY, issuedOn: addDays(FIRST_DAY, -30), registeredOn: FIRST_DAY, registeredAt: FROM };
    return customer([invoice({ ...when, invoiceId: 'inv_0', policy: policy([1], terms), ...over })], {
      agencyId: 'agy',
    });
  };
  const asked: Written[] = [
    ['wait', { days: 22 }],
    ['wait', { days: 8 }],
  ];

  test('taken the approval of one amount for that of another: money came before the case heard of the answer', () => {
    const played = follow(who(), [...asked, ['outage', {}], ['answer', {}], ['pay', {}], ['wait', { days: 3 }]]);
    expect(played.approvals.map((a) => a.step)).toEqual(['~formalNotice', '~formalNotice']);
    const facts = played.cases.get('inv_0')!;
    expect(facts.steps.at(-1)).toMatchObject({ status: 'awaitingApproval', amountMinor: 90_000n });
    expect(facts.approvalAnswer).toBeNull();
  });

  test('handed over before the deadline: the post delivered later than was reckoned when the question was put', () => {
    const notice: Written[] = [...asked, ['answer', {}], ['wait', { days: 2 }], ['post', {}]];
    const played = follow(who(), [
      ...notice,
      ['wait', { days: 20 }],
      ['post', { part: true }],
      ['answer', {}],
      ['wait', { days: 4 }],
    ]);
    expect(played.approvals.map((a) => a.step)).toEqual(['~formalNotice', '~placement']);
    expect(played.cases.get('inv_0')!.placement).toBeNull();
  });

  test('given up what a plan was agreed for since the question was put', () => {
    const barred = who({
      limitationOn: addDays(FIRST_DAY, 70),
      policy: policy([1], { ...terms, formalNotice: null, placement: null }),
    });
    const played = follow(barred, [
      ['wait', { days: 44 }],
      ['agree', { days: 20 }],
      ['answer', {}],
      ['wait', { days: 1 }],
    ]);
    expect(played.approvals.map((a) => a.step)).toEqual(['~writeOff']);
    expect(played.cases.get('inv_0')).toMatchObject({ stage: 'upcoming', balanceMinor: 120_000n });
    expect(played.cases.get('inv_0')!.plans.map((p) => p.status)).toEqual(['active']);
  });
});
