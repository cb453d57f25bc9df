import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { businessNow, parseDay, realDelay, REAL_TIME, type ClockSetting } from '../../../domain/time/business-clock.ts';

const DAY_MS = 86_400_000;
const setting = fc.record({
  anchorReal: fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }),
  anchorBusiness: fc.integer({ min: 1_500_000_000_000, max: 1_900_000_000_000 }),
  dayMs: fc.oneof(fc.constantFrom(1, 500, 1000, 2000, DAY_MS), fc.integer({ min: 1, max: DAY_MS })),
});

describe('the business clock', () => {
  it('shows the real time when it is not compressed', () => {
    expect(businessNow(REAL_TIME, 1_795_000_000_123)).toBe(1_795_000_000_123);
    expect(realDelay(REAL_TIME, 1000, 61_000)).toBe(60_000);
  });

  it('lets a day last two seconds', () => {
    const demo: ClockSetting = { anchorReal: 1000, anchorBusiness: Date.UTC(2026, 2, 2), dayMs: 2000 };
    expect(businessNow(demo, 1000)).toBe(Date.UTC(2026, 2, 2));
    expect(businessNow(demo, 3000)).toBe(Date.UTC(2026, 2, 3));
    expect(businessNow(demo, 2000)).toBe(Date.UTC(2026, 2, 2, 12));
    expect(realDelay(demo, Date.UTC(2026, 2, 2), Date.UTC(2026, 2, 4))).toBe(4000);
  });

  it('stands still before its anchor and never runs backwards', () => {
    fc.assert(
      fc.property(setting, fc.integer({ min: -DAY_MS, max: 10 * DAY_MS }), fc.nat(DAY_MS), (clock, at, more) => {
        const early = businessNow(clock, clock.anchorReal + at);
        expect(early).toBeGreaterThanOrEqual(clock.anchorBusiness);
        expect(businessNow(clock, clock.anchorReal + at + more)).toBeGreaterThanOrEqual(early);
      }),
    );
  });

  it('has reached the moment once the delay is over, and not a millisecond of delay is too much', () => {
    fc.assert(
      fc.property(setting, fc.nat(3 * DAY_MS), fc.nat(400 * DAY_MS), (clock, elapsed, ahead) => {
        const real = clock.anchorReal + elapsed;
        const from = businessNow(clock, real);
        const until = from + ahead;
        const delay = realDelay(clock, from, until);
        expect(businessNow(clock, real + delay)).toBeGreaterThanOrEqual(until);
        // A millisecond of business lost by rounding `from` down, then one of real time by rounding up.
        if (delay > 1) expect(businessNow(clock, real + delay - 2)).toBeLessThan(until);
      }),
      { numRuns: 2000 },
    );
  });

  it('never waits for what is past', () => {
    expect(realDelay(REAL_TIME, 2000, 1000)).toBe(0);
  });
});

describe('parseDay', () => {
  it.each([
    ['2s', 2000],
    ['500ms', 500],
    ['1m', 60_000],
    ['24h', DAY_MS],
    ['0.5s', 500],
    ['1.5m', 90_000],
    ['1ms', 1],
  ])('reads %s', (text, expected) => {
    expect(parseDay(text)).toBe(expected);
  });

  it.each(['', '2', 's', '2 s', '-2s', '0s', '0ms', '1.5ms', '25h', '2d', '1e3ms', '2S', '٢s', '99999999h'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseDay(text)).toThrow(expect.objectContaining({ code: 'dayInvalid' }));
    },
  );
});
