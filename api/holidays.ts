import { localDate, type Instant } from '../domain/time/zones.ts';
import type { Holidays } from '../domain/time/working-days.ts';
import type { ApiDeps } from './deps.ts';

/** The public holidays of a place in the years around a moment, as rules that count working days want them. */
export function holidaysAround(
  deps: Pick<ApiDeps, 'holidays'>,
  now: Instant,
): (country: string, postalCode: string | null) => Holidays {
  const year = Number(localDate(now, 'UTC').slice(0, 4));
  return (country, postalCode) => new Set(deps.holidays(country, postalCode, year - 1, year + 3));
}
