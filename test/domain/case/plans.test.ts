import { describe, expect, test } from 'vitest';
import { admitPlan, type PlannedInvoice } from '../../../domain/case/plan-admission.ts';
import type { CaseFacts } from '../../../domain/case/facts.ts';
import { forecast } from '../../../domain/case/forecast.ts';
import { instalmentRests, instalmentStatus, openInstalment } from '../../../domain/case/plan-course.ts';
import { DomainError } from '../../../domain/errors.ts';
import type { LocalDate } from '../../../domain/time/dates.ts';
import { localDate } from '../../../domain/time/zones.ts';
import {
  agree,
  at,
  cancelPlans,
  credit,
  customer,
  dispute,
  hold,
  invoice,
  lift,
  PARIS,
  pay,
  play,
  policy,
  promise,
  resolve,
  reverse,
  type Happening,
  type Played,
} from './builders.ts';

const START = at('2026-08-05');
const END = at('2027-06-30');
/** Due Friday 4 September 2026; steps on Wednesdays 9, 16, 23. Plans have three days of grace. */
const TERMS = {
  plan: { maxInstalments: 6, graceDays: 3 },
  formalNotice: null,
  thankYou: 'thank-you',
  contact: { days: 'mon-fri', from: '08:30', to: '18:30', minimumGapDays: 0, maximumPer30Days: 30 },
};

const one = (over: Partial<CaseFacts> = {}): CaseFacts =>
  invoice({ invoiceId: 'inv_a', policy: policy([5, 12, 19], TERMS), ...over });

const run = (cases: CaseFacts[], happenings: Happening[], extraWakes: number[] = []): Played =>
  play(customer(cases), START, END, { happenings, extraWakes });

/** What left, as `invoice step day`; notes by their kind. */
const told = (played: Played): string[] =>
  played.sent
    .filter((s) => s.step !== '~thankYou')
    .map((s) => `${s.invoiceId.slice(4)} ${s.step.replace(/^~plan:pla\d+:/, '')} ${s.day}`);

const ends = (played: Played): string[] =>
  played.planEnds.map((p) => `${p.invoiceId.slice(4)} ${p.became} ${localDate(p.at - 1, PARIS)}`);

const status = (played: Played, id = 'inv_a') => played.cases.get(id)!.plans.at(-1)!.status;

describe('a plan over one invoice', () => {
  // Thursday 10 September: the first step left on the 9th. Instalments on Wednesday 30 September and Friday 30 October.
  const agreed = agree(at('2026-09-10', '10:00'), [20, 50]);

  test('is confirmed at once, told of before each date, and holds every reminder; nothing paid, it breaks after its grace', () => {
    const played = run([one()], [agreed]);
    expect(told(played)).toEqual([
      'a s1 2026-09-09',
      'a agreed 2026-09-10',
      // Three days before is a Sunday; the day after the date is a Thursday.
      'a before1 2026-09-28',
      'a after1 2026-10-01',
      // Broken at the end of Saturday 3 October: the next rung leaves on Monday, the third is later by the days held.
      'a s2 2026-10-05',
      'a s3 2026-10-16',
    ]);
    expect(ends(played)).toEqual(['a planBroken 2026-10-03']);
    expect(played.cases.get('inv_a')!.plans[0]!.endedOn).toBe('2026-10-03');
  });

  test('paid to its end is kept, and the case settled', () => {
    const played = run([one()], [agreed, pay(at('2026-09-29'), 60_000n), pay(at('2026-10-31'), 60_000n)]);
    expect(status(played)).toBe('kept');
    expect(played.closed.get('inv_a')).toMatchObject({ stage: 'settled', thank: true });
    expect(told(played)).toEqual([
      'a s1 2026-09-09',
      'a agreed 2026-09-10',
      'a before1 2026-09-28',
      'a before2 2026-10-27',
    ]);
  });

  test('is not told of an instalment that is paid already, and credit counts like money', () => {
    const played = run([one()], [agreed, credit(at('2026-09-20'), 60_000n), pay(at('2026-10-02'), 60_000n)]);
    expect(told(played)).toEqual(['a s1 2026-09-09', 'a agreed 2026-09-10']);
    expect(status(played)).toBe('kept');
  });

  test('a part of an instalment is not the instalment: what is missing is asked for', () => {
    const played = run([one()], [agreed, pay(at('2026-09-29'), 59_999n)]);
    const late = played.sent.find((s) => s.step.endsWith('after1'))!;
    expect([late.amountMinor, late.message.template, late.message.kind]).toEqual([1n, 'plan-late', 'plan']);
    expect(late.message.items[0]!.asks).toBe(true);
    expect(ends(played)).toEqual(['a planBroken 2026-10-03']);
  });

  test('one whose money goes back is late again, and may break', () => {
    const happenings = [agreed, pay(at('2026-09-20'), 60_000n), reverse(at('2026-10-02'), 60_000n)];
    const played = run([one()], happenings);
    expect(told(played)).toContain('a after1 2026-10-02');
    expect(ends(played)).toEqual(['a planBroken 2026-10-03']);
  });

  test('money that goes back after it was kept reopens the case; the plan stays kept and the ladder goes on', () => {
    const happenings = [agreed, pay(at('2026-09-29'), 120_000n), reverse(at('2026-10-08'), 120_000n)];
    const played = run([one()], happenings);
    expect(status(played)).toBe('kept');
    expect(told(played)).toContain('a s2 2026-10-14');
    expect(ends(played)).toEqual(['a planKept 2026-09-29']);
  });

  test('cancelled, the ladder goes on later by the days it held', () => {
    const played = run([one()], [agreed, cancelPlans(at('2026-09-17', '10:00'))]);
    // Held from the 10th to the 17th, seven days: the 16th becomes the 23rd, the 23rd the 30th.
    expect(told(played)).toEqual(['a s1 2026-09-09', 'a agreed 2026-09-10', 'a s2 2026-09-23', 'a s3 2026-09-30']);
  });

  test('agreed before any step had left and broken, the first step after due leaves', () => {
    const played = run([one()], [agree(at('2026-09-01', '10:00'), [7])]);
    expect(told(played)).toEqual([
      'a agreed 2026-09-01',
      'a before1 2026-09-07',
      'a after1 2026-09-09',
      'a s1 2026-09-14',
      'a s2 2026-09-23',
      'a s3 2026-09-30',
    ]);
  });

  test('a date so near that the confirmation is its note gets no other before it', () => {
    expect(told(run([one()], [agree(at('2026-09-10', '10:00'), [3, 40])]))).toEqual([
      'a s1 2026-09-09',
      'a agreed 2026-09-10',
      'a after1 2026-09-14',
      'a s2 2026-09-17',
      'a s3 2026-09-29',
    ]);
  });

  test('takes the place of a promise', () => {
    const played = run([one()], [promise(at('2026-09-10'), '2026-09-20'), agreed, pay(at('2026-09-29'), 120_000n)]);
    expect(played.cases.get('inv_a')!.promises.map((p) => p.status)).toEqual(['withdrawn']);
    expect(played.promises).toEqual([]);
  });

  test('is silent while a dispute or another hold lies over it; its dates go on', () => {
    const silent = run([one()], [agreed, dispute(at('2026-09-20'), 1_000n)]);
    expect(told(silent).slice(0, 4)).toEqual([
      'a s1 2026-09-09',
      'a agreed 2026-09-10',
      'a s2 2026-10-05',
      'a s3 2026-10-16',
    ]);
    expect(ends(silent)).toEqual(['a planBroken 2026-10-03']);
    const heard = run([one()], [agreed, dispute(at('2026-09-20'), 1_000n), resolve(at('2026-09-29', '09:00'))]);
    expect(told(heard)).toContain('a before1 2026-09-29');
    const paused = run([one()], [agreed, hold(at('2026-09-20'), null, 'pause'), lift(at('2026-10-02', '09:00'))]);
    expect(told(paused)).toContain('a after1 2026-10-02');
    expect(told(paused)).not.toContain('a before1 2026-09-28');
  });

  test('leaves by letter where the policy says so and there is no address, else not at all', () => {
    const nobody = (noAddress: 'letter' | 'task'): Played => {
      const facts = one({ policy: policy([5], { ...TERMS, noAddress }) });
      return play(customer([facts], { recipients: [] }), START, END, { happenings: [agreed] });
    };
    expect(
      nobody('letter')
        .sent.map((s) => `${s.channel} ${s.day}`)
        .slice(1, 3),
    ).toEqual(['letter 2026-09-10', 'letter 2026-09-28']);
    expect(nobody('task').sent).toEqual([]);
    expect(
      nobody('task')
        .cases.get('inv_a')!
        .steps.filter((s) => s.step.startsWith('~plan')),
    ).toMatchObject([
      { status: 'skipped', reason: 'noAddress' },
      { status: 'skipped', reason: 'noAddress' },
      { status: 'skipped', reason: 'noAddress' },
    ]);
  });

  test('notes count for gap and cap but wait for neither, only for the hours', () => {
    const contact = { days: 'mon-fri', from: '08:30', to: '18:30', minimumGapDays: 9, maximumPer30Days: 1 };
    const facts = one({ policy: policy([5, 12], { ...TERMS, contact }) });
    const played = run([facts], [agree(at('2026-09-11', '20:00'), [10])]);
    expect(told(played).slice(0, 4)).toEqual([
      'a s1 2026-09-09',
      'a agreed 2026-09-14',
      'a before1 2026-09-18',
      'a after1 2026-09-22',
    ]);
    // The cap counts the day and the 29 before: thirty days after the last note.
    expect(told(played)[4]).toBe('a s2 2026-10-22');
  });

  test('is foretold: its notes, and the day on which it breaks', () => {
    const played = play(customer([one()]), START, at('2026-09-10', '12:00'), { happenings: [agreed] });
    const world = { ...played.customer, cases: [...played.cases.values()] };
    const lines = forecast(world, at('2026-09-10', '12:00'));
    expect(lines.slice(0, 4).map((l) => `${l.action} ${l.reason} ${localDate(l.at - 1, PARIS)}`)).toEqual([
      'contact plan 2026-09-28',
      'contact plan 2026-10-01',
      'planEnds planBroken 2026-10-03',
      'contact reminder 2026-10-05',
    ]);
  });
});

describe('a plan over several invoices', () => {
  const two = (): CaseFacts[] => [
    one({ balanceMinor: 40_000n, amountMinor: 40_000n }),
    one({ invoiceId: 'inv_b', dueOn: '2026-09-05' }),
  ];
  const agreed = agree(at('2026-09-08', '10:00'), [22, 52]);

  test('is spoken of once; money on any of them serves the instalments in their order', () => {
    // 800.00 twice: 400.00 for the one and 400.00 for the other are the first.
    const played = run(two(), [agreed, pay(at('2026-09-20'), 40_000n)]);
    expect(told(played)).toEqual([
      'a agreed 2026-09-08',
      // The first case is settled: the second leads from here on, and nothing is said twice.
      'b before2 2026-10-27',
      'b after2 2026-11-02',
      'b s1 2026-11-03',
      // The 11th is Armistice Day.
      'b s2 2026-11-12',
      'b s3 2026-11-18',
    ]);
    expect(played.closed.get('inv_a')?.stage).toBe('settled');
    expect(ends(played)).toEqual(['b planBroken 2026-11-02']);
  });

  test('breaks for all of them at the same moment, and their reminders leave together', () => {
    const played = run(two(), [agreed]);
    expect(ends(played)).toEqual(['a planBroken 2026-10-03', 'b planBroken 2026-10-03']);
    const next = played.messages.find((m) => m.kind === 'reminder')!;
    expect([next.day, next.items.length]).toEqual(['2026-10-05', 2]);
  });

  test('is kept when all of it is paid', () => {
    const played = run(two(), [
      agreed,
      pay(at('2026-09-21'), 40_000n, 'inv_a'),
      pay(at('2026-09-22'), 120_000n, 'inv_b'),
    ]);
    expect([status(played, 'inv_a'), status(played, 'inv_b')]).toEqual(['kept', 'kept']);
    expect([...played.closed.values()].map((c) => c.stage)).toEqual(['settled', 'settled']);
  });
});

test('what was paid serves the instalments in their order', () => {
  const instalments = [100n, 100n, 50n].map((amountMinor, i) => ({ n: i + 1, dueOn: `2026-09-1${i}`, amountMinor }));
  const rests = (paidMinor: bigint) => instalmentRests({ instalments, paidMinor });
  expect(rests(0n).map((r) => r.restMinor)).toEqual([100n, 100n, 50n]);
  expect(rests(130n).map((r) => r.restMinor)).toEqual([0n, 70n, 50n]);
  expect(rests(999n).map((r) => r.restMinor)).toEqual([0n, 0n, 0n]);
  expect(openInstalment({ instalments, paidMinor: 130n })?.n).toBe(2);
  expect(openInstalment({ instalments, paidMinor: 250n })).toBeNull();
  const statusOn = (today: LocalDate): string[] => rests(130n).map((r) => instalmentStatus(r, today));
  expect(statusOn('2026-09-10')).toEqual(['paid', 'partly', 'open']);
  expect(statusOn('2026-09-11')).toEqual(['paid', 'due', 'open']);
  expect(statusOn('2026-09-12')).toEqual(['paid', 'late', 'due']);
});

describe('admission', () => {
  const planned = (over: Partial<PlannedInvoice> = {}): PlannedInvoice => ({
    id: 'inv_1',
    number: 'F-1',
    customerId: 'cus_1',
    currency: 'EUR',
    balanceMinor: 100_000n,
    policy: policy([5], { plan: { maxInstalments: 3, graceDays: 5 } }),
    closed: false,
    placed: false,
    disputed: false,
    insolvent: false,
    planned: false,
    ...over,
  });
  const halves = [
    { dueOn: '2026-09-10', amount: '500.00' },
    { dueOn: '2026-10-10', amount: '500' },
  ];
  const TODAY = '2026-09-10';

  /** `code pointer…` of the refusal. */
  function refusal(invoices: PlannedInvoice[], instalments = halves): string {
    try {
      admitPlan(invoices, instalments, TODAY);
      return 'admitted';
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return [error.code, ...error.faults.map((f) => f.pointer)].join(' ');
    }
  }

  test('takes the strictest terms of all policies', () => {
    const strict = planned({ id: 'inv_2', policy: policy([5], { plan: { maxInstalments: 2, graceDays: 1 } }) });
    const instalments = [
      { dueOn: '2026-09-10', amount: '1500.00' },
      { dueOn: '2026-10-10', amount: '500.00' },
    ];
    expect(admitPlan([planned(), strict], instalments, TODAY)).toMatchObject({
      graceDays: 1,
      totalMinor: 200_000n,
      currency: 'EUR',
      customerId: 'cus_1',
      instalments: [
        { n: 1, amountMinor: 150_000n },
        { n: 2, amountMinor: 50_000n },
      ],
    });
    const three = [...instalments.slice(0, 1), { dueOn: '2026-10-01', amount: '1' }, instalments[1]!];
    expect(refusal([planned(), strict], three)).toBe('tooManyInstalments /instalments');
  });

  test.each<[string, PlannedInvoice[]]>([
    ['nothingOwed', []],
    ['duplicateInvoice /invoiceIds/1', [planned(), planned()]],
    ['planSeveralCustomers /invoiceIds/1', [planned(), planned({ id: 'inv_2', customerId: 'cus_2' })]],
    ['planSeveralCurrencies /invoiceIds/1', [planned(), planned({ id: 'inv_2', currency: 'USD' })]],
    ['invoiceClosed /invoiceIds/0', [planned({ closed: true })]],
    ['nothingOwed /invoiceIds/0', [planned({ balanceMinor: 0n })]],
    ['stageForbids /invoiceIds/0', [planned({ placed: true })]],
    ['planExists /invoiceIds/0', [planned({ planned: true })]],
    ['held /invoiceIds/0', [planned({ insolvent: true })]],
    ['partDisputed /invoiceIds/0', [planned({ disputed: true })]],
    ['branchOff /invoiceIds/0', [planned({ policy: policy([5], { plan: null }) })]],
  ])('refuses invoices: %s', (code, invoices) => {
    expect(refusal(invoices)).toBe(code);
  });

  test.each<[string, [dueOn: string, amount: string][]]>([
    [
      'instalmentInPast /instalments/0/dueOn /instalments/1/dueOn',
      [
        ['2026-09-08', '1'],
        ['2026-09-09', '1'],
      ],
    ],
    [
      'instalmentOrder /instalments/1/dueOn',
      [
        ['2026-09-20', '1'],
        ['2026-09-20', '1'],
      ],
    ],
    [
      'amountInvalid /instalments/0/amount /instalments/1/amount',
      [
        ['2026-09-20', '0'],
        ['2026-09-21', '0.00'],
      ],
    ],
    ['tooManyDecimals /instalments/0/amount', [['2026-09-20', '1.001']]],
    [
      'planDoesNotAddUp /instalments',
      [
        ['2026-09-20', '500.00'],
        ['2026-09-21', '499.99'],
      ],
    ],
  ])('refuses instalments: %s', (code, rows) => {
    expect(
      refusal(
        [planned()],
        rows.map(([dueOn, amount]) => ({ dueOn, amount })),
      ),
    ).toBe(code);
  });

  test('says both sums where they differ', () => {
    expect(() => admitPlan([planned()], [{ dueOn: TODAY, amount: '999.99' }], TODAY)).toThrow(
      'The instalments add up to 999.99 EUR, the invoices owe 1000.00 EUR.',
    );
  });
});
