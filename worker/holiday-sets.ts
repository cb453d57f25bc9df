import { holidaysOf } from '../activities/holidays.ts';
import type { BusinessClock } from '../activities/deps.ts';
import type { Holidays } from '../domain/time/working-days.ts';
import { localDate } from '../domain/time/zones.ts';

/** Public holidays of the years around the present as sets, worked out once a place and year. */
export function holidaySets(clock: BusinessClock): (country: string, postalCode: string | null) => Holidays {
  const sets = new Map<string, Holidays>();
  return (country, postalCode) => {
    const year = Number(localDate(clock.now(), 'UTC').slice(0, 4));
    const key = `${country}/${postalCode ?? ''}/${year}`;
    const known = sets.get(key);
    if (known) return known;
    const set: Holidays = new Set(holidaysOf(country, postalCode, year - 1, year + 2));
    sets.set(key, set);
    return set;
  };
}
