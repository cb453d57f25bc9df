import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays, dateOfDayNumber, dayNumber, weekday } from '../../../domain/time/dates.ts';
import {
  closesAt,
  isContactDay,
  nextMoment,
  nextMomentOnOrAfterDay,
  opensAt,
  type ContactCalendar,
} from '../../../domain/time/contact-window.ts';
import { addWorkingDays, isWorkingDay, workingDayOnOrAfter } from '../../../domain/time/working-days.ts';
import { instantAt, isoInstant, localDate, parseInstant } from '../../../domain/time/zones.ts';

const NONE = new Set<string>();

function calendar(
  change: Partial<Omit<ContactCalendar, 'window'>> & { window?: Partial<ContactCalendar['window']> } = {},
): ContactCalendar {
  return {
    zone: 'Europe/Paris',
    holidays: NONE,
    closed: [],
    ...change,
    window: {
      weekdays: [1, 2, 3, 4, 5],
      from: '08:30',
      to: '18:30',
      minimumGapDays: 3,
      maximumPer30Days: 4,
      holidays: 'customer',
      ...change.window,
    },
  };
}

const iso = (at: number | null): string | null => (at === null ? null : isoInstant(at));
const next = (from: string, by: ContactCalendar): string | null => iso(nextMoment(parseInstant(from), by));

describe('working days', () => {
  it('end a period on the next working day, as in the example of law section 12', () => {
    expect(workingDayOnOrAfter(addDays('2026-08-07', 8), new Set(['2026-08-15']))).toBe('2026-08-17');
    expect(workingDayOnOrAfter('2026-08-17', NONE)).toBe('2026-08-17');
  });

  it('skip weekends and holidays', () => {
    expect(isWorkingDay('2026-09-04', NONE)).toBe(true);
    expect(isWorkingDay('2026-09-05', NONE)).toBe(false);
    expect(addWorkingDays('2026-09-04', 1, NONE)).toBe('2026-09-07');
    expect(addWorkingDays('2026-04-02', 1, new Set(['2026-04-03', '2026-04-06']))).toBe('2026-04-07');
    expect(addWorkingDays('2026-09-05', 5, NONE)).toBe('2026-09-11');
  });

  it.each([0, -1, 1.5])('are not counted by %s', (n) => {
    expect(() => addWorkingDays('2026-09-04', n, NONE)).toThrow(expect.objectContaining({ code: 'daysInvalid' }));
  });

  it('n-th working day after: exactly n working days lie behind it', () => {
    const day = fc.integer({ min: dayNumber('2020-01-01'), max: dayNumber('2030-01-01') }).map(dateOfDayNumber);
    fc.assert(
      fc.property(day, fc.integer({ min: 1, max: 60 }), fc.array(fc.integer({ min: 1, max: 90 })), (from, n, off) => {
        const holidays = new Set(off.map((days) => addDays(from, days)));
        const found = addWorkingDays(from, n, holidays);
        let counted = 0;
        for (let at = addDays(from, 1); at <= found; at = addDays(at, 1)) if (isWorkingDay(at, holidays)) counted += 1;
        expect(counted).toBe(n);
        expect(isWorkingDay(found, holidays)).toBe(true);
      }),
    );
  });
});

describe('the contact window', () => {
  it('is open from its first moment and closed at its last', () => {
    expect(next('2026-09-07T06:29:59.999Z', calendar())).toBe('2026-09-07T06:30:00.000Z');
    expect(next('2026-09-07T06:30:00Z', calendar())).toBe('2026-09-07T06:30:00.000Z');
    expect(next('2026-09-07T16:29:59.999Z', calendar())).toBe('2026-09-07T16:29:59.999Z');
    expect(next('2026-09-07T16:30:00Z', calendar())).toBe('2026-09-08T06:30:00.000Z');
  });

  it('goes from Friday evening to Monday morning, across a change of clocks', () => {
    expect(next('2026-10-23T16:30:00Z', calendar())).toBe('2026-10-26T07:30:00.000Z');
  });

  it('skips holidays and closed weeks', () => {
    expect(next('2026-07-14T08:00:00Z', calendar({ holidays: new Set(['2026-07-14']) }))).toBe(
      '2026-07-15T06:30:00.000Z',
    );
    const august = calendar({ closed: [{ from: '2026-08-03', to: '2026-08-21' }] });
    expect(isContactDay('2026-08-03', august)).toBe(false);
    expect(isContactDay('2026-08-21', august)).toBe(false);
    expect(next('2026-08-01T08:00:00Z', august)).toBe('2026-08-24T06:30:00.000Z');
  });

  it('may cover whole days, the night included', () => {
    const always = calendar({ window: { weekdays: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' } });
    expect(next('2026-10-25T00:30:00Z', always)).toBe('2026-10-25T00:30:00.000Z');
    expect(closesAt('2026-10-25', always)).toBe(opensAt('2026-10-26', always));
  });

  it('has no moment in an hour the clocks jump over', () => {
    const night = calendar({ window: { weekdays: [7], from: '02:10', to: '02:50' } });
    expect(next('2026-03-28T12:00:00Z', night)).toBe('2026-04-05T00:10:00.000Z');
  });

  it('finds nothing when there is nothing within 400 days', () => {
    const from = parseInstant('2026-01-01T00:00:00Z');
    expect(nextMoment(from, calendar({ closed: [{ from: '2025-01-01', to: '2029-01-01' }] }))).toBeNull();
    expect(nextMoment(from, calendar({ window: { weekdays: [] } }))).toBeNull();
    expect(nextMomentOnOrAfterDay('2026-01-01', calendar({ window: { weekdays: [] } }))).toBeNull();
    expect(nextMoment(from, calendar({ closed: [{ from: '2025-01-01', to: '2026-12-31' }] }))).not.toBeNull();
  });

  it('opens a given day at its first moment', () => {
    expect(iso(nextMomentOnOrAfterDay('2026-09-07', calendar()))).toBe('2026-09-07T06:30:00.000Z');
    expect(iso(nextMomentOnOrAfterDay('2026-09-05', calendar()))).toBe('2026-09-07T06:30:00.000Z');
    const newYork = calendar({ zone: 'America/New_York' });
    expect(iso(nextMomentOnOrAfterDay('2026-09-05', newYork))).toBe('2026-09-07T12:30:00.000Z');
  });

  it('gives the earliest moment: it is inside, and nothing between is', () => {
    const zone = fc.constantFrom('Europe/Paris', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia');
    const from = fc.integer({ min: Date.UTC(2011, 11, 1), max: Date.UTC(2012, 0, 31) });
    const hours = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 1, max: 24 })).filter(([a, b]) => a < b);
    const weekdays = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
    const clock = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;
    fc.assert(
      fc.property(zone, from, hours, weekdays, (name, at, [opens, closes], days) => {
        const by = calendar({ zone: name, window: { weekdays: days, from: clock(opens), to: clock(closes) } });
        const inside = (moment: number): boolean => {
          const day = localDate(moment, name);
          return (
            days.includes(weekday(day)) &&
            moment >= instantAt(day, clock(opens), name) &&
            moment < instantAt(day, clock(closes), name)
          );
        };
        const found = nextMoment(at, by);
        expect(found).not.toBeNull();
        expect(inside(found as number)).toBe(true);
        for (let probe = at; probe < (found as number); probe += 900_000) expect(inside(probe)).toBe(false);
        if (found !== at) expect(inside((found as number) - 1)).toBe(false);
      }),
    );
  });
});
