import { describe, expect, it } from 'vitest';
import { holidaysOf } from '../../activities/holidays.ts';

/** The eleven days of C. trav. L3133-1 in 2026, as reference law section 12 lists them; Easter is 5 April. */
const FRANCE_2026 = [
  '2026-01-01',
  '2026-04-06',
  '2026-05-01',
  '2026-05-08',
  '2026-05-14',
  '2026-05-25',
  '2026-07-14',
  '2026-08-15',
  '2026-11-01',
  '2026-11-11',
  '2026-12-25',
];

describe('public holidays', () => {
  it('of France are the eleven of the law, no observances among them', () => {
    expect(holidaysOf('FR', null, 2026, 2026)).toEqual(FRANCE_2026);
    expect(holidaysOf('FR', '75002', 2026, 2026)).toEqual(FRANCE_2026);
  });

  it('follow Easter, 28 March 2027', () => {
    const days = holidaysOf('FR', '75002', 2027, 2027);
    expect(days).toContain('2027-03-29');
    expect(days).toContain('2027-05-06');
    expect(days).toContain('2027-05-17');
  });

  it.each(['57000', '67000', '68 100'])('of Alsace-Moselle (%s) have two days more', (postalCode) => {
    expect(holidaysOf('FR', postalCode, 2026, 2026)).toEqual([...FRANCE_2026, '2026-04-03', '2026-12-26'].sort());
  });

  it.each([
    ['97600', '2026-04-27'],
    ['97200', '2026-05-22'],
    ['97100', '2026-05-27'],
    ['97150', '2026-05-28'],
    ['97800', '2026-05-28'],
    ['97300', '2026-06-10'],
    ['97133', '2026-10-09'],
    ['97700', '2026-10-09'],
    ['97400', '2026-12-20'],
  ])('of the overseas postcode %s have the day of the abolition of slavery, %s', (postalCode, day) => {
    expect(holidaysOf('FR', postalCode, 2026, 2026)).toContain(day);
    expect(holidaysOf('FR', '75002', 2026, 2026)).not.toContain(day);
  });

  it('of Germany are those of the whole country', () => {
    expect(holidaysOf('DE', '10115', 2026, 2026)).toEqual([
      '2026-01-01',
      '2026-04-03',
      '2026-04-06',
      '2026-05-01',
      '2026-05-14',
      '2026-05-25',
      '2026-10-03',
      '2026-12-25',
      '2026-12-26',
    ]);
  });

  it('of the United Kingdom follow the postcode and count the substitute days', () => {
    expect(holidaysOf('GB', 'SW1A 1AA', 2026, 2026)).toEqual(
      expect.arrayContaining(['2026-04-06', '2026-08-31', '2026-12-28']),
    );
    expect(holidaysOf('GB', 'EH1 1BB', 2026, 2026)).toContain('2026-11-30');
    expect(holidaysOf('GB', 'EH1 1BB', 2026, 2026)).not.toContain('2026-04-06');
    expect(holidaysOf('GB', 'bt1 5gs', 2026, 2026)).toContain('2026-07-13');
  });

  it('of several days are counted day by day, into the next year too', () => {
    expect(holidaysOf('KR', null, 2026, 2026)).toEqual(
      expect.arrayContaining(['2026-09-24', '2026-09-25', '2026-09-26']),
    );
    expect(holidaysOf('SZ', null, 2027, 2027)).toContain('2027-01-02');
  });

  it('are not counted where only the afternoon is free', () => {
    expect(holidaysOf('IS', null, 2026, 2026)).not.toContain('2026-12-31');
    expect(holidaysOf('IS', null, 2026, 2026)).toContain('2026-12-25');
  });

  it('come in order, each once, for the years asked only', () => {
    const days = holidaysOf('FR', '67000', 2025, 2030);
    expect(days).toEqual([...new Set(days)].sort());
    expect(days).toHaveLength(6 * 13);
    expect(days[0]).toBe('2025-01-01');
    expect(days.at(-1)).toBe('2030-12-26');
  });

  it('of a country nobody knows are none', () => {
    expect(holidaysOf('ZZ', null, 2026, 2026)).toEqual([]);
    expect(holidaysOf('', 'x', 2026, 2026)).toEqual([]);
  });
});
