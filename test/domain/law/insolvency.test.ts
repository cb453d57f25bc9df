import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holidaysOf } from '../../../activities/holidays.ts';
import { declarationPeriod, type Seat } from '../../../domain/law/insolvency.ts';
import { addDays, addMonths, daysBetween, weekday } from '../../../domain/time/dates.ts';

const FRANCE = new Set(holidaysOf('FR', '75002', 2024, 2032));
const PARIS: Seat = { country: 'FR', postalCode: '75002' };
const judged = (judgmentOn: string, publishedOn: string | null) => ({
  kind: 'receivership' as const,
  judgmentOn,
  publishedOn,
});
const declareBy = (publishedOn: string, creditor = PARIS, debtor = PARIS) =>
  declarationPeriod(judged('2026-01-05', publishedOn), debtor, creditor, FRANCE)?.declareBy;

describe('the period for declaring claims', () => {
  test('ends two months after the notice, off weekends, planned for the working day before', () => {
    // The example of the sources: 28 February 2027 is a Sunday.
    expect(declarationPeriod(judged('2026-12-15', '2026-12-31'), PARIS, PARIS, FRANCE)).toMatchObject({
      declareBy: '2027-03-01',
      planBy: '2027-02-26',
      from: 'publication',
    });
    expect(declareBy('2026-03-10')).toBe('2026-05-11');
  });

  test('ends on the last day of a month without that number, and off holidays', () => {
    expect(declareBy('2026-07-31')).toBe('2026-09-30');
    // Two months after 14 May is 14 July, a holiday.
    expect(declareBy('2026-05-14')).toBe('2026-07-15');
  });

  test.each([
    [{ country: 'DE', postalCode: '10115' }, PARIS, '2026-07-10'],
    [{ country: 'FR', postalCode: '97110' }, PARIS, '2026-07-10'],
    [{ country: 'FR', postalCode: '20000' }, PARIS, '2026-05-11'],
    [{ country: 'FR', postalCode: null }, PARIS, '2026-05-11'],
    // Whether a period is longer where the court is overseas is not known here: the shorter one is the safe one.
    [{ country: 'DE', postalCode: '10115' }, { country: 'FR', postalCode: '97110' }, '2026-05-11'],
  ])('is longer for creditors outside of mainland France: %o against %o', (creditor, debtor, expected) => {
    expect(declareBy('2026-03-10', creditor, debtor)).toBe(expected);
  });

  test('is reckoned from the judgment while the notice is not known', () => {
    expect(declarationPeriod(judged('2026-03-10', null), PARIS, PARIS, FRANCE)).toMatchObject({
      declareBy: '2026-05-11',
      from: 'judgment',
    });
  });

  test('is not known elsewhere, nor for other proceedings', () => {
    expect(
      declarationPeriod(judged('2026-03-10', null), { country: 'DE', postalCode: null }, PARIS, FRANCE),
    ).toBeNull();
    const other = { kind: 'other' as const, judgmentOn: '2026-03-10', publishedOn: null };
    expect(declarationPeriod(other, PARIS, PARIS, FRANCE)).toBeNull();
  });

  test('whatever the day: a working day, two months and at most a few days later, planned for an earlier working day', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_800 }), (days) => {
        const notice = addDays('2025-01-01', days);
        const period = declarationPeriod(judged('2025-01-01', notice), PARIS, PARIS, FRANCE)!;
        expect(weekday(period.declareBy)).toBeLessThanOrEqual(5);
        expect(FRANCE.has(period.declareBy)).toBe(false);
        expect(daysBetween(addMonths(notice, 2), period.declareBy)).toBeGreaterThanOrEqual(0);
        expect(daysBetween(addMonths(notice, 2), period.declareBy)).toBeLessThanOrEqual(4);
        expect(period.planBy < period.declareBy).toBe(true);
        expect(FRANCE.has(period.planBy) || weekday(period.planBy) > 5).toBe(false);
      }),
    );
  });
});

test.each([
  ['2026-01-31', 1, '2026-02-28'],
  ['2028-01-31', 1, '2028-02-29'],
  ['2026-12-31', 2, '2027-02-28'],
  ['2026-11-30', 4, '2027-03-30'],
  ['2026-03-31', -1, '2026-02-28'],
  ['2026-01-15', -1, '2025-12-15'],
])('%s and %i months is %s', (date, months, expected) => {
  expect(addMonths(date, months)).toBe(expected);
});
