import { describe, expect, it } from 'vitest';
import { limitationOn } from '../../../domain/law/limitation.ts';

describe('the basic limitation period', () => {
  it.each([
    // The examples of reference law section 7.
    ['FR', 'business', '2025-04-30', '2030-04-30'],
    ['FR', 'consumer', '2025-04-30', '2027-04-30'],
    ['DE', 'business', '2025-04-30', '2028-12-31'],
    ['GB', 'business', '2025-04-30', '2031-04-30'],
    // The same rules elsewhere in the calendar.
    ['FR', 'publicBody', '2025-04-30', '2030-04-30'],
    ['DE', 'consumer', '2025-12-31', '2028-12-31'],
    ['DE', 'publicBody', '2026-01-01', '2029-12-31'],
    ['FR', 'consumer', '2024-02-29', '2026-02-28'],
    ['FR', 'business', '2020-03-01', '2025-03-01'],
    ['GB', 'consumer', '2024-02-29', '2030-02-28'],
  ] as const)('%s %s due %s ends on %s', (country, kind, dueOn, on) => {
    expect(limitationOn(country, kind, dueOn)?.on).toBe(on);
  });

  it('names its source', () => {
    expect(limitationOn('FR', 'consumer', '2025-04-30')?.source).toContain('L218-1');
    expect(limitationOn('DE', 'business', '2025-04-30')?.source).toContain('199');
  });

  it.each(['ES', 'US', 'ZZ', '', 'constructor', 'fr'])('is not guessed for "%s"', (country) => {
    expect(limitationOn(country, 'business', '2025-04-30')).toBeNull();
  });
});
