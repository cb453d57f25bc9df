import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holidaysOf } from '../../../activities/holidays.ts';
import { claimOf, type AccessoryMovement, type ClaimFacts, type PrincipalMovement } from '../../../domain/law/claim.ts';
import { imputeClaimed, partsOf } from '../../../domain/law/claimed.ts';
import { lawOf } from '../../../domain/law/country-law.ts';
import { impute, imputeSeveral, sumOfParts, type Debt, type Parts } from '../../../domain/law/imputation.ts';
import { exactInterest, interestPeriods } from '../../../domain/law/interest.ts';
import { dueDateHolidays } from '../../../domain/law/national-holidays.ts';
import { extendRates, rateBook, rateOn, type ReferenceRate } from '../../../domain/law/rates.ts';
import { addDays, dateOfDayNumber, dayNumber } from '../../../domain/time/dates.ts';
import { claimFacts } from './claim-facts.ts';

const BOOK = rateBook();
const FIRST = dayNumber('2019-01-01');
const LAST = dayNumber('2026-12-31');

const someDay = fc.integer({ min: FIRST, max: LAST }).map(dateOfDayNumber);
const minor = fc.bigInt({ min: 0n, max: 10_000_000n });
const parts: fc.Arbitrary<Parts> = fc.record({ costs: minor, interest: minor, principal: minor, compensation: minor });
const country = fc.constantFrom('FR', 'DE', 'GB', 'BE', 'IE', 'AT');
const payments: fc.Arbitrary<PrincipalMovement[]> = fc.array(
  fc.record({
    on: someDay,
    amountMinor: fc.bigInt({ min: 1n, max: 200_000n }).map((amount) => -amount),
    kind: fc.constantFrom('payment' as const, 'credit' as const),
  }),
  { maxLength: 5 },
);
const paid: fc.Arbitrary<AccessoryMovement[]> = fc.array(
  fc.record({
    on: someDay,
    part: fc.constantFrom('interest' as const, 'compensation' as const, 'costs' as const),
    amountMinor: fc.bigInt({ min: 1n, max: 50_000n }),
    how: fc.constantFrom('paid' as const, 'waived' as const),
  }),
  { maxLength: 3 },
);
const facts: fc.Arbitrary<ClaimFacts> = fc
  .record({ country, dueOn: someDay, movements: payments, accessories: paid })
  .map((some) => claimFacts(some));

describe('a payment', () => {
  test('is split to the cent, no part negative or more than is open', () => {
    fc.assert(
      fc.property(minor, parts, country, (amount, open, where) => {
        const { parts: got, restMinor } = impute(amount, open, lawOf(where)!.imputation.order);
        expect(sumOfParts(got) + restMinor).toBe(amount);
        for (const part of ['costs', 'interest', 'principal', 'compensation'] as const) {
          expect(got[part]).toBeGreaterThanOrEqual(0n);
          expect(got[part]).toBeLessThanOrEqual(open[part]);
        }
        expect(restMinor === 0n || sumOfParts(got) === sumOfParts(open)).toBe(true);
      }),
    );
  });

  test('on a claim leaves what is open, waived or still claimed, to the cent', () => {
    fc.assert(
      fc.property(
        minor,
        facts,
        fc.constantFrom('waive' as const, 'claim' as const),
        minor,
        (amount, some, how, least) => {
          const claim = claimOf(some, BOOK, '2026-12-31');
          const policy = {
            claim: 'always',
            whenPrincipalPaid: how,
            contractRate: null,
            minimum: { EUR: String(least) },
          };
          const {
            parts: got,
            restMinor,
            onceSettled: { waived, leftMinor },
          } = imputeClaimed(amount, claim, lawOf(some.country)!.imputation.order, policy);
          const open = partsOf(claim);
          expect(sumOfParts(got) + restMinor).toBe(amount);
          const principalLeft = open.principal - got.principal;
          expect(sumOfParts(got) + principalLeft + sumOfParts(waived) + leftMinor).toBe(sumOfParts(open));
          expect(leftMinor === 0n || how === 'claim').toBe(true);
          expect(sumOfParts(waived) === 0n || how === 'waive' || sumOfParts(waived) < 100n * least).toBe(true);
        },
      ),
    );
  });

  test('shared among several debts (C. civ. 1342-10, BGB § 366) is conserved, and those due come first', () => {
    const debt = fc.record<Debt>({
      id: fc.uuid(),
      dueOn: someDay,
      openMinor: minor,
      onerous: fc.constantFrom(0n, 5_000_000n, 12_150_000n),
      secured: fc.boolean(),
    });
    fc.assert(
      fc.property(minor, fc.array(debt, { maxLength: 6 }), someDay, country, (amount, debts, today, where) => {
        const { shares, restMinor } = imputeSeveral(amount, debts, lawOf(where)!.imputation, today);
        expect(shares.reduce((sum, one) => sum + one.amountMinor, 0n) + restMinor).toBe(amount);
        const got = new Map(shares.map((one) => [one.id, one.amountMinor]));
        for (const one of debts) expect(got.get(one.id) ?? 0n).toBeLessThanOrEqual(one.openMinor);
        const dueLeft = debts.some((one) => one.dueOn <= today && (got.get(one.id) ?? 0n) < one.openMinor);
        const othersServed = debts.some((one) => one.dueOn > today && got.has(one.id));
        expect(dueLeft && othersServed).toBe(false);
      }),
    );
  });

  test('C. civ. 1342-10: the dearest debt, then the oldest, equals in proportion', () => {
    const owed = (id: string, openMinor: bigint, own: Partial<Debt> = {}): Debt => ({
      id,
      openMinor,
      dueOn: '2026-01-31',
      onerous: 0n,
      secured: false,
      ...own,
    });
    const share = (amount: bigint, debts: Debt[], where: string) =>
      imputeSeveral(amount, debts, lawOf(where)!.imputation, '2026-03-01').shares.map((one) => [
        one.id,
        one.amountMinor,
      ]);
    const debts = [
      owed('later', 1_000n, { dueOn: '2026-06-30' }),
      owed('old', 1_000n, { dueOn: '2025-12-31' }),
      owed('dear', 1_000n, { onerous: 12_150_000n }),
    ];
    expect(share(2_500n, debts, 'FR')).toEqual([
      ['dear', 1_000n],
      ['old', 1_000n],
      ['later', 500n],
    ]);
    expect(share(100n, [owed('a', 200n), owed('b', 100n)], 'FR')).toEqual([
      ['a', 67n],
      ['b', 33n],
    ]);
    // BGB § 366(2): less security goes before more burden.
    expect(share(100n, [owed('secured', 100n, { secured: true, onerous: 9n }), owed('bare', 100n)], 'DE')).toEqual([
      ['bare', 100n],
    ]);
  });
});

describe('a claim', () => {
  test('grows with time where nothing is paid', () => {
    fc.assert(
      fc.property(country, someDay, someDay, (where, dueOn, asOf) => {
        const some = claimFacts({ country: where, dueOn });
        const earlier = claimOf(some, BOOK, asOf);
        const next = asOf < '2026-12-31' ? addDays(asOf, 1) : asOf;
        expect(claimOf(some, BOOK, next).accruedMinor).toBeGreaterThanOrEqual(earlier.accruedMinor);
      }),
    );
  });

  test('is never changed by what is dated later', () => {
    fc.assert(
      fc.property(facts, someDay, fc.integer({ min: 1, max: 400 }), (some, asOf, later) => {
        const on = addDays(asOf, later);
        const more: ClaimFacts = {
          ...some,
          movements: [...some.movements, { on, amountMinor: -5_000n, kind: 'payment' }],
          accessories: [...some.accessories, { on, part: 'interest', amountMinor: 100n, how: 'paid' }],
          costs: [{ on, amountMinor: 1_000n }],
          judgmentOn: on,
          noticeReceivedOn: on,
        };
        expect(claimOf(more, BOOK, asOf)).toEqual(claimOf(some, BOOK, asOf));
      }),
    );
  });

  test('adds up: no part is negative, the total is their sum, the periods are the accrued interest', () => {
    fc.assert(
      fc.property(facts, someDay, (some, asOf) => {
        const claim = claimOf(some, BOOK, asOf);
        const all = [claim.principalMinor, claim.interestMinor, claim.compensationMinor, claim.costsMinor];
        for (const part of all) expect(part).toBeGreaterThanOrEqual(0n);
        expect(all.reduce((sum, part) => sum + part, 0n)).toBe(claim.totalMinor);
        expect(claim.periods.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)).toBe(claim.accruedMinor);
      }),
    );
  });

  test('before it is rounded, the interest of two stretches is that of both', () => {
    const rule = lawOf('FR')!.interest.business!;
    const base = [{ from: '1900-01-01', baseMinor: 1_234_567n }];
    const exact = (from: string, to: string): bigint =>
      interestPeriods(rule, null, BOOK, base, from, to).reduce((sum, period) => sum + exactInterest(period), 0n);
    fc.assert(
      fc.property(someDay, someDay, someDay, (a, b, c) => {
        const [from, middle, to] = [a, b, c].sort() as [string, string, string];
        if (middle === to) return;
        expect(exact(from, middle) + exact(addDays(middle, 1), to)).toBe(exact(from, to));
      }),
    );
  });
});

test('the German holidays that move a due date are those of the calendar, 2000 to 2060', () => {
  const nationwide = holidaysOf('DE', null, 2000, 2060).filter((date) => date !== '2017-10-31');
  expect([...dueDateHolidays('DE', 2000, 2060)].sort()).toEqual(nationwide);
});

describe('reference rates', () => {
  const next: ReferenceRate = { series: 'ecbMro', from: '2027-01-01', to: '2027-06-30', rate: '2.40', source: 'ECB' };
  const faultsOf = (rates: ReferenceRate[]): unknown => {
    try {
      extendRates(BOOK, rates);
      return null;
    } catch (error) {
      return (error as { faults: { pointer: string; code: string }[] }).faults.map(({ pointer, code }) => [
        pointer,
        code,
      ]);
    }
  };

  test.each([
    ['a gap', { from: '2027-07-01', to: '2027-12-31' }, '/rates/1/from', 'ratesGap'],
    ['no half-year', { to: '2027-05-31' }, '/rates/1/to', 'periodInvalid'],
    ['a first day within a half-year', { from: '2027-02-01' }, '/rates/1/to', 'periodInvalid'],
    ['an overlap with what is known', { from: '2018-07-01', to: '2018-12-31' }, '/rates/1/from', 'ratesOverlap'],
    [
      'another rate for a known half-year',
      { from: '2026-07-01', to: '2026-12-31', rate: '2.41' },
      '/rates/1/rate',
      'rateConflict',
    ],
    ['no number', { rate: '2,40' }, '/rates/1/rate', 'percentInvalid'],
  ] as const)('%s refuses the whole list', (_, own, pointer, code) => {
    expect(
      faultsOf([
        { ...next, series: 'deBase' },
        { ...next, ...own },
      ]),
    ).toEqual([[pointer, code]]);
    expect(BOOK.get('deBase')!.at(-1)!.to).toBe('2026-12-31');
  });

  test('follow their series in any order, and the same again changes nothing', () => {
    const after = { ...next, from: '2027-07-01', to: '2027-12-31', rate: '2.50' };
    const book = extendRates(BOOK, [after, next, next]);
    expect(rateOn(book, 'ecbMro', '2027-12-31').rate).toBe('2.50');
    expect(rateOn(book, 'ecbMro', '2027-06-30').rate).toBe('2.40');
    expect(() => rateOn(book, 'ecbMro', '2028-01-01')).toThrow(/not known/);
    expect(() => rateOn(book, 'ecbMro', '2018-12-31')).toThrow(/not known/);
  });
});
