import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill/implementation';
import { describe, expect, it } from 'vitest';
import {
  addDays,
  addYears,
  dateOfDayNumber,
  dayNumber,
  daysBetween,
  isLocalDate,
  weekday,
} from '../../../domain/time/dates.ts';

const date = fc.integer({ min: dayNumber('1900-01-01'), max: dayNumber('2200-12-31') }).map(dateOfDayNumber);

describe('plain dates', () => {
  it('count, move and fall on weekdays as Temporal has it', () => {
    fc.assert(
      fc.property(date, fc.integer({ min: -2000, max: 2000 }), fc.integer({ min: 0, max: 30 }), (day, days, years) => {
        const plain = Temporal.PlainDate.from(day);
        expect(addDays(day, days)).toBe(plain.add({ days }).toString());
        expect(daysBetween(day, addDays(day, days))).toBe(days);
        expect(addYears(day, years)).toBe(plain.add({ years }).toString());
        expect(weekday(day)).toBe(plain.dayOfWeek);
        expect(isLocalDate(day)).toBe(true);
      }),
    );
  });

  it.each(['2026-02-29', '2026-13-01', '2026-1-1', '26-01-01', '1899-12-31', '3000-01-01', '2026-01-01T00:00', ''])(
    'are not "%s"',
    (text) => {
      expect(isLocalDate(text)).toBe(false);
    },
  );
});
