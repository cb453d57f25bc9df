import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill/implementation';
import { describe, expect, it } from 'vitest';
import { DomainError } from '../../../domain/errors.ts';
import { addDays, dateOfDayNumber, dayNumber } from '../../../domain/time/dates.ts';
import { instantAt, isoInstant, isTimeZone, localDate, parseInstant } from '../../../domain/time/zones.ts';

const ZONES = [
  'Europe/Paris',
  'America/New_York',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'Africa/Casablanca',
  'UTC',
];
/** Days on which clocks in one of the zones changed, Samoa's missing day among them. */
const CHANGES = [
  '2026-03-29',
  '2026-10-25',
  '2026-03-08',
  '2026-11-01',
  '2011-12-30',
  '1986-01-01',
  '2026-04-05',
  '2026-10-04',
];

const zone = fc.constantFrom(...ZONES);
const anyDate = fc.integer({ min: dayNumber('1975-01-01'), max: dayNumber('2060-12-31') }).map(dateOfDayNumber);
const nearChange = fc
  .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -2, max: 2 }))
  .map(([date, days]) => addDays(date, days));
const date = fc.oneof(anyDate, nearChange);
const minutes = fc.integer({ min: 0, max: 1439 });

const hhmm = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** The same question asked of an implementation of Temporal. */
function expectedInstant(day: string, time: string, timeZone: string): number {
  const wall = Temporal.PlainDateTime.from(`${day}T${time}`);
  const earlier = wall.toZonedDateTime(timeZone, { disambiguation: 'earlier' });
  if (earlier.toPlainDateTime().equals(wall)) return earlier.epochMilliseconds;
  return earlier.getTimeZoneTransition('next')!.epochMilliseconds; // a gap: where it ends
}

describe('instantAt', () => {
  it('agrees with Temporal for any date and time, gaps and overlaps included', () => {
    fc.assert(
      fc.property(date, minutes, zone, (day, minute, timeZone) => {
        expect(instantAt(day, hhmm(minute), timeZone)).toBe(expectedInstant(day, hhmm(minute), timeZone));
      }),
      { numRuns: 1500 },
    );
  });

  it('agrees with Temporal at every quarter of an hour of the days around a change', () => {
    for (const timeZone of ZONES.slice(0, 4)) {
      for (const day of CHANGES) {
        for (let minute = 0; minute < 1440; minute += 15) {
          const time = hhmm(minute);
          expect(instantAt(day, time, timeZone), `${day} ${time} ${timeZone}`).toBe(
            expectedInstant(day, time, timeZone),
          );
        }
      }
    }
  });

  it('takes the first moment after a gap and the earlier of two', () => {
    expect(isoInstant(instantAt('2026-03-29', '02:30', 'Europe/Paris'))).toBe('2026-03-29T01:00:00.000Z');
    expect(isoInstant(instantAt('2026-10-25', '02:30', 'Europe/Paris'))).toBe('2026-10-25T00:30:00.000Z');
    expect(isoInstant(instantAt('2026-03-08', '02:00', 'America/New_York'))).toBe('2026-03-08T07:00:00.000Z');
    expect(isoInstant(instantAt('2026-07-01', '08:30', 'Asia/Kathmandu'))).toBe('2026-07-01T02:45:00.000Z');
    expect(isoInstant(instantAt('2011-12-30', '09:00', 'Pacific/Apia'))).toBe('2011-12-30T10:00:00.000Z');
  });

  it('takes 24:00 for the start of the next day', () => {
    for (const timeZone of ZONES) {
      expect(instantAt('2026-10-25', '24:00', timeZone)).toBe(instantAt('2026-10-26', '00:00', timeZone));
    }
    expect(instantAt('2011-12-29', '24:00', 'Pacific/Apia')).toBe(instantAt('2011-12-31', '00:00', 'Pacific/Apia'));
  });

  it.each(['24:01', '25:00', '8:30', '08:60', '', '08:30:00'])('refuses the time "%s"', (time) => {
    expect(() => instantAt('2026-01-01', time, 'UTC')).toThrow(DomainError);
  });
});

describe('localDate', () => {
  const instant = fc.oneof(
    fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2060, 0) }),
    fc
      .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -172_800_000, max: 172_800_000 }))
      .map(([day, off]) => dayNumber(day) * 86_400_000 + off),
  );

  it('agrees with Temporal', () => {
    fc.assert(
      fc.property(instant, zone, (at, timeZone) => {
        const zoned = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
        expect(localDate(at, timeZone)).toBe(zoned.toPlainDate().toString());
      }),
      { numRuns: 1500 },
    );
  });

  it('finds the date an instant was made from, where that date exists', () => {
    fc.assert(
      fc.property(date, minutes, zone, (day, minute, timeZone) => {
        const expected = day === '2011-12-30' && timeZone === 'Pacific/Apia' ? '2011-12-31' : day;
        expect(localDate(instantAt(day, hhmm(minute), timeZone), timeZone)).toBe(expected);
      }),
    );
  });

  it('answers half a million questions in a few seconds', () => {
    const started = performance.now();
    let days = 0;
    for (let asked = 0; asked < 250_000; asked += 1) {
      const day = localDate(1_767_225_600_000 + asked * 126_000, 'Europe/Paris');
      if (instantAt(day, '08:30', 'Europe/Paris') > 0) days += 1;
    }
    expect(days).toBe(250_000);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('time zones', () => {
  it.each(['Europe/Paris', 'UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])('knows %s', (name) => {
    expect(isTimeZone(name)).toBe(true);
  });
  it.each(['', '+01:00', 'Europe/Atlantis', 'Europe/Paris ', 'local', '../etc/passwd', 'x'.repeat(500)])(
    'does not know "%s"',
    (name) => {
      expect(isTimeZone(name)).toBe(false);
    },
  );
  it('refuses to compute in an unknown zone', () => {
    expect(() => localDate(0, 'Europe/Atlantis')).toThrow(expect.objectContaining({ code: 'timeZoneInvalid' }));
  });
});

describe('instants as text', () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1950, 0), max: Date.UTC(2200, 0) }), (at) => {
        expect(parseInstant(isoInstant(at))).toBe(at);
      }),
    );
  });

  it.each([
    ['2026-11-20T09:00:00Z', '2026-11-20T09:00:00.000Z'],
    ['2026-11-20T09:00Z', '2026-11-20T09:00:00.000Z'],
    ['2026-11-20T09:00:00.5+01:00', '2026-11-20T08:00:00.500Z'],
    ['2026-11-20T09:00:00.123456789-05:30', '2026-11-20T14:30:00.123Z'],
  ])('reads %s', (text, expected) => {
    expect(isoInstant(parseInstant(text))).toBe(expected);
  });

  it.each([
    '2026-11-20',
    '2026-11-20T09:00:00',
    '2026-02-30T09:00:00Z',
    '2026-11-20T24:00:00Z',
    '2026-11-20T09:60:00Z',
    '2026-11-20 09:00:00Z',
    'now',
    '',
  ])('refuses "%s"', (text) => {
    expect(() => parseInstant(text)).toThrow(expect.objectContaining({ code: 'instantInvalid' }));
  });
});
