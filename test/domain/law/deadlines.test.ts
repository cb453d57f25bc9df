import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holidaysOf } from '../../../activities/holidays.ts';
import { deadlineRuleOf } from '../../../domain/law/country-law.ts';
import { lastDayOf, lastDayOfPeriodFrom, planBefore, type Period } from '../../../domain/law/deadlines.ts';
import { addDays, daysBetween } from '../../../domain/time/dates.ts';
import { isWorkingDay } from '../../../domain/time/working-days.ts';

const PARIS = new Set(holidaysOf('FR', '75002', 2023, 2033));
const METZ = new Set(holidaysOf('FR', '57000', 2023, 2033));
const BERLIN = new Set(holidaysOf('DE', '10115', 2023, 2033));
const FR = deadlineRuleOf('FR');
const DE = deadlineRuleOf('DE');
const NO_MOVE = { movesOffFreeDays: false, source: 'test' };

describe('the last day of a period', () => {
  test('law.md §12, CPC 641-642: delivered Friday 7 August 2026, 8 days end on Saturday 15, a holiday: Monday 17', () => {
    expect(lastDayOf('2026-08-07', { days: 8 }, NO_MOVE, PARIS)).toBe('2026-08-15');
    expect(lastDayOf('2026-08-07', { days: 8 }, FR, PARIS)).toBe('2026-08-17');
  });

  test('law.md §6, CPC 641-642: BODACC 31 December 2026, two months: Sunday 28 February 2027, Monday 1 March; plan for Friday 26 February', () => {
    const last = lastDayOf('2026-12-31', { months: 2 }, FR, PARIS);
    expect(last).toBe('2027-03-01');
    expect(planBefore(last, PARIS)).toBe('2027-02-26');
  });

  test('law.md §4, CPC 1416: opposition within a month of service, to the same number of the day', () => {
    expect(lastDayOf('2026-03-10', { months: 1 }, FR, PARIS)).toBe('2026-04-10');
  });

  test('law.md §12: Easter Monday 6 April 2026 and 29 March 2027 do not end a period', () => {
    expect(lastDayOf('2026-03-29', { days: 8 }, FR, PARIS)).toBe('2026-04-07');
    expect(lastDayOf('2027-03-21', { days: 8 }, FR, PARIS)).toBe('2027-03-30');
  });

  test('C. trav. L3134-13: in Alsace-Moselle Good Friday and 26 December do not either', () => {
    // Good Friday 3 April 2026, then the weekend and Easter Monday.
    expect(lastDayOf('2026-03-26', { days: 8 }, FR, METZ)).toBe('2026-04-07');
    expect(lastDayOf('2026-03-26', { days: 8 }, FR, PARIS)).toBe('2026-04-03');
    // 26 December 2028 is a Tuesday.
    expect(lastDayOf('2028-12-18', { days: 8 }, FR, METZ)).toBe('2028-12-27');
    expect(lastDayOf('2028-12-18', { days: 8 }, FR, PARIS)).toBe('2028-12-26');
  });

  test.each([
    ['97600', '2026-04-27'],
    ['97200', '2026-05-22'],
    ['97100', '2026-05-27'],
    ['97150', '2026-05-28'],
    ['97300', '2026-06-10'],
    ['97133', '2026-10-09'],
    ['97400', '2030-12-20'],
  ])('law.md §12: overseas (%s) a period does not end on %s', (postalCode, day) => {
    const year = Number(day.slice(0, 4));
    const there = new Set(holidaysOf('FR', postalCode, year, year + 1));
    expect(lastDayOf(addDays(day, -8), { days: 8 }, NO_MOVE, there)).toBe(day);
    expect(lastDayOf(addDays(day, -8), { days: 8 }, FR, there) > day).toBe(true);
    expect(lastDayOf(addDays(day, -8), { days: 8 }, FR, PARIS)).toBe(day);
  });

  test('BGB 187(1), 188(2)-(3): a month from 31 January ends on the last day of February', () => {
    expect(lastDayOf('2028-01-31', { months: 1 }, DE, BERLIN)).toBe('2028-02-29');
    // 28 February 2026 is a Saturday (BGB 193).
    expect(lastDayOf('2026-01-31', { months: 1 }, DE, BERLIN)).toBe('2026-03-02');
  });

  test('law.md §1, BGB 193: what is due on Saturday 31 May 2025 is due on Monday 2 June', () => {
    expect(lastDayOf('2025-05-30', { days: 1 }, DE, BERLIN)).toBe('2025-06-02');
  });

  test('BGB 187(2): a period that begins with a day counts that day', () => {
    expect(lastDayOfPeriodFrom('2026-03-02', { weeks: 1 }, NO_MOVE, BERLIN)).toBe('2026-03-08');
    expect(lastDayOfPeriodFrom('2026-01-01', { months: 1 }, NO_MOVE, BERLIN)).toBe('2026-01-31');
    expect(lastDayOfPeriodFrom('2026-01-31', { months: 1 }, NO_MOVE, BERLIN)).toBe('2026-02-28');
    expect(lastDayOfPeriodFrom('2026-03-01', { weeks: 1 }, DE, BERLIN)).toBe('2026-03-09');
  });
});

describe('whatever the day', () => {
  const day = fc.integer({ min: 0, max: 3_000 }).map((n) => addDays('2024-01-01', n));
  const period: fc.Arbitrary<Period> = fc.oneof(
    fc.record({ days: fc.integer({ min: 1, max: 90 }) }),
    fc.record({ weeks: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ months: fc.integer({ min: 1, max: 12 }) }),
  );
  const place = fc.constantFrom(
    { rule: FR, holidays: PARIS },
    { rule: FR, holidays: METZ },
    { rule: DE, holidays: BERLIN },
  );

  test('a period ends on a working day, at most a few days after its own end, never before it', () => {
    fc.assert(
      fc.property(day, period, place, (event, lasts, { rule, holidays }) => {
        const own = lastDayOf(event, lasts, NO_MOVE, holidays);
        const last = lastDayOf(event, lasts, rule, holidays);
        expect(isWorkingDay(last, holidays)).toBe(true);
        expect(daysBetween(own, last)).toBeGreaterThanOrEqual(0);
        expect(daysBetween(own, last)).toBeLessThanOrEqual(5);
        expect(own > event).toBe(true);
        const planned = planBefore(last, holidays);
        expect(planned < last && isWorkingDay(planned, holidays)).toBe(true);
      }),
    );
  });

  test('a later event never ends a period earlier', () => {
    fc.assert(
      fc.property(day, fc.integer({ min: 0, max: 40 }), period, place, (event, more, lasts, { rule, holidays }) => {
        const later = lastDayOf(addDays(event, more), lasts, rule, holidays);
        expect(later >= lastDayOf(event, lasts, rule, holidays)).toBe(true);
      }),
    );
  });
});
