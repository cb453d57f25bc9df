import Calendar from 'date-holidays';
import { addDays, type LocalDate } from '../domain/time/dates.ts';

/** date-holidays costs some 3 MB, so it stays out of workflow bundles: activities look up, workflows get plain dates. */

const HOUR_MS = 3_600_000;

/** One calendar year of one place takes about a millisecond to work out and is a dozen strings: kept for good. */
const years = new Map<string, readonly LocalDate[]>();

/**
 * Public holidays of a country (ISO 3166-1 alpha-2) from 1 January of `fromYear` to 31 December of `toYear`, ascending
 * and each once, substitute days included. A postcode narrows it to what is known of the region:
 *
 * - France: 57, 67 and 68 have Good Friday and 26 December besides. By law (C. trav. L3134-13) Good Friday is one only in
 *   communes with a Protestant or mixed church; not contacting anybody there on that day errs on the right side.
 *   Overseas departments and collectivities (971 to 978) have their days of the abolition of slavery.
 * - United Kingdom: Scotland and Northern Ireland by the letters of the postcode, else England and Wales.
 *
 * Elsewhere only what holds for the whole country. Days that are free from noon on only are not counted. A country
 * nobody knows has none.
 */
export function holidaysOf(country: string, postalCode: string | null, fromYear: number, toYear: number): LocalDate[] {
  const state = stateOf(country, postalCode?.replaceAll(' ', '').toUpperCase() ?? '');
  const found = new Set<LocalDate>();
  // A long holiday may begin in the year before.
  for (let year = fromYear - 1; year <= toYear; year += 1) {
    for (const date of holidaysOfYear(country, state, year)) found.add(date);
  }
  const first = `${fromYear}-01-01`;
  const last = `${toYear}-12-31`;
  return [...found].filter((date) => first <= date && date <= last).sort();
}

function holidaysOfYear(country: string, state: string | null, year: number): readonly LocalDate[] {
  const key = `${country}/${state ?? ''}/${year}`;
  const known = years.get(key);
  if (known) return known;
  const options: { types: 'public'[] } = { types: ['public'] };
  const calendar = state === null ? new Calendar(country, options) : new Calendar(country, state, options);
  // An unknown country yields nothing at all rather than an empty list.
  let dates = (calendar.getHolidays(year) ?? []).flatMap(datesOf);
  // Saint-Martin moved its day from Guadeloupe's, 27 May, to 28 May; the library has the old one.
  if (state === 'MF') dates = dates.map((date) => (date === `${year}-05-27` ? `${year}-05-28` : date));
  years.set(key, dates);
  return dates;
}

/** The dates one holiday covers: `date` is its local beginning, the length may be an hour off where clocks change. */
function datesOf(holiday: { date: string; start: Date; end: Date }): LocalDate[] {
  const first = holiday.date.slice(0, 10);
  if (holiday.date.slice(11, 13) >= '12') return [];
  const hours = (holiday.end.getTime() - holiday.start.getTime()) / HOUR_MS;
  const days = Math.max(1, Math.ceil((hours - 1) / 24));
  return Array.from({ length: days }, (_, day) => addDays(first, day));
}

const FR_STATES: Readonly<Record<string, string>> = {
  '57': '57',
  '67': '67',
  '68': '68',
  '971': 'GP',
  '972': 'MQ',
  '973': 'GF',
  '974': 'RE',
  '976': 'YT',
  '977': 'BL',
  '978': 'MF',
  // Both islands kept the Guadeloupe postcodes they had before they became collectivities of their own.
  '97133': 'BL',
  '97150': 'MF',
};

const GB_SCOTLAND = /^(AB|DD|DG|EH|FK|G|HS|IV|KA|KW|KY|ML|PA|PH|TD|ZE)\d/;
const GB_NORTHERN_IRELAND = /^BT\d/;

/** The region's code in date-holidays, `null` where the whole country is meant. */
function stateOf(country: string, postalCode: string): string | null {
  if (country === 'FR' && /^\d{5}$/.test(postalCode)) {
    return FR_STATES[postalCode] ?? FR_STATES[postalCode.slice(0, 3)] ?? FR_STATES[postalCode.slice(0, 2)] ?? null;
  }
  if (country === 'GB') {
    if (GB_SCOTLAND.test(postalCode)) return 'SCT';
    return GB_NORTHERN_IRELAND.test(postalCode) ? 'NIR' : 'ENG';
  }
  return null;
}
