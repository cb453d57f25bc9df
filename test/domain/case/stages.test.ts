import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CaseFacts } from '../../../domain/case/facts.ts';
import { FORMAL_NOTICE } from '../../../domain/case/requests.ts';
import {
  CLOSED_STAGES,
  FIRST_STAGE,
  isOpen,
  isLawful,
  OPEN_STAGES,
  stageDiagram,
  TRANSITIONS,
} from '../../../domain/case/stages.ts';
import { addDays } from '../../../domain/time/dates.ts';
import { FIRST_DAY, FROM } from './arbitraries.ts';
import {
  change,
  credit,
  customer,
  hold,
  invoice,
  lift,
  pay,
  play,
  policy,
  reverse,
  type Happening,
} from './builders.ts';

const DAY = 86_400_000;

/** A ladder that goes on by itself to the write-off, by mail. */
const toTheEnd = policy([{ day: 2 }], {
  formalNotice: { day: 8, channel: 'email', deadlineDays: 5, approval: null },
  placement: { daysAfterNotice: 0, approval: null },
  writeOff: { afterPlacementDays: 40, below: { EUR: '30.00' }, approval: null },
});

const recalled = ({ placement }: CaseFacts): Partial<CaseFacts> =>
  placement?.status === 'active'
    ? { placement: { ...placement, status: 'recalled', endedOn: placement.placedOn } }
    : {};

/** The post brought the notice back: it counts as tried. */
const noticeReturned = (facts: CaseFacts): Partial<CaseFacts> => ({
  notice: null,
  steps: facts.steps.map((s) =>
    s.step === FORMAL_NOTICE && s.status === 'left' ? { ...s, status: 'failed', reason: 'returned' } : s,
  ),
});

const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc
    .record({
      what: fc.nat({ max: 6 }),
      hours: fc.integer({ min: 1, max: 24 * 90 }),
      amount: fc.constantFrom(20_000n, 119_000n, 120_000n),
    })
    .map(({ what, hours, amount }) => {
      const when = FROM + hours * 3_600_000;
      const all = [
        () => pay(when, amount),
        () => credit(when, amount),
        () => reverse(when, amount),
        () => hold(when, null, 'pause'),
        () => lift(when),
        () => change(when, recalled),
        () => change(when, noticeReturned),
      ];
      return all[what]!();
    }),
  { maxLength: 8 },
);

const unpaid = () =>
  customer(
    [
      invoice({
        policy: toTheEnd,
        dueOn: addDays(FIRST_DAY, 5),
        issuedOn: FIRST_DAY,
        registeredOn: FIRST_DAY,
        registeredAt: FROM,
        amountMinor: 120_000n,
      }),
    ],
    { agencyId: 'agy_1' },
  );

const played = (what: Happening[]) => [...play(unpaid(), FROM, FROM + 200 * DAY, { happenings: what }).ways];

test('whatever comes between, a case goes only the listed ways', () => {
  // `play` refuses any other.
  fc.assert(
    fc.property(happenings, (what) => {
      for (const way of played(what)) expect(isLawful(...(way.split('>') as [never, never]))).toBe(true);
    }),
    { numRuns: Number(process.env['CASE_RUNS'] ?? 150) },
  );
});

test('an invoice that nobody pays is walked to its end', () => {
  expect(played([])).toEqual([
    'upcoming>reminding',
    'reminding>formalNotice',
    'formalNotice>placed',
    'placed>writtenOff',
  ]);
});

test('a recall leads back to the notice, and to the ladder where the notice came back', () => {
  const recall = change(FROM + 30 * DAY, recalled);
  expect(played([recall])).toContain('placed>formalNotice');
  expect(played([change(FROM + 29 * DAY, noticeReturned), recall])).toContain('placed>reminding');
});

test('what an agency had is under notice when its money goes back', () => {
  const back = reverse(FROM + 40 * DAY, 120_000n);
  expect(played([pay(FROM + 30 * DAY, 120_000n), back]).slice(3, 5)).toEqual([
    'placed>settled',
    'settled>formalNotice',
  ]);
});

test('every stage can be reached, and every open one can close in each way', () => {
  const reached = new Set<string>([FIRST_STAGE, ...TRANSITIONS.map((t) => t.to)]);
  expect([...OPEN_STAGES, ...CLOSED_STAGES].filter((stage) => !reached.has(stage))).toEqual([]);
  for (const from of OPEN_STAGES) for (const to of CLOSED_STAGES) expect(isLawful(from, to)).toBe(true);
  expect(isLawful('upcoming', 'placed')).toBe(false);
});

test('the diagram has every cause', () => {
  for (const { cause } of TRANSITIONS) expect(stageDiagram()).toContain(cause);
  expect(TRANSITIONS.filter((t) => !isOpen(t.from) && t.to === 'placed')).toEqual([]);
});
