import { DomainError, type Fault } from '../errors.ts';
import { addDays, type LocalDate } from '../time/dates.ts';
import { parsePercent } from './percent.ts';
import { REFERENCE_RATES } from './reference-rates.ts';

export const RATE_SERIES = ['ecbMro', 'frLegalProfessional', 'frLegalIndividual', 'deBase', 'gbBankRate'] as const;

/**
 * A series of reference rates by half-year:
 *
 * - `ecbMro`: main refinancing operations of the ECB, its value on 1 January and 1 July;
 * - `frLegalProfessional`, `frLegalIndividual`: taux de l'intérêt légal by the quality of the creditor (CMF L313-2);
 * - `deBase`: Basiszinssatz (BGB § 247);
 * - `gbBankRate`: Bank Rate on 31 December and 30 June before the half-year (SI 2002/1675).
 */
export type RateSeries = (typeof RATE_SERIES)[number];

/** A reference rate and where it was published. `from` and `to` are the first and last day it holds. */
export interface ReferenceRate {
  series: RateSeries;
  from: LocalDate;
  to: LocalDate;
  /** Per cent a year, a decimal string: `"2.15"`, `"-0.88"`. */
  rate: string;
  source: string;
}

/** Every rate that is known, ascending in each series, without gap or overlap. */
export type RateBook = ReadonlyMap<RateSeries, readonly ReferenceRate[]>;

/** The rates that come with the program and those a person added. Throws as `extendRates`. */
export function rateBook(added: readonly ReferenceRate[] = []): RateBook {
  return extendRates(BUILT_IN, added);
}

/**
 * The book with further rates. Each covers one half-year and follows its series without gap. One that is there already
 * with the same rate changes nothing; one that says something else is refused, as is the whole list with it.
 *
 * Throws `ratesInvalid` with a fault per row: `percentInvalid`, `periodInvalid` (not a half-year), `rateConflict` (another
 * rate is known for it), `ratesOverlap`, `ratesGap`.
 */
export function extendRates(book: RateBook, added: readonly ReferenceRate[]): RateBook {
  const faults: Fault[] = [];
  const extended = new Map([...book].map(([series, rows]) => [series, [...rows]]));
  const byStart = added
    .map((row, index) => ({ row, index }))
    .sort((a, b) => (a.row.from === b.row.from ? a.index - b.index : a.row.from < b.row.from ? -1 : 1));
  for (const { row, index } of byStart) {
    const rows = extended.get(row.series) ?? [];
    const fault = faultOf(row, rows);
    if (fault !== null) faults.push({ ...fault, pointer: `/rates/${index}${fault.pointer}` });
    else if (!rows.some((known) => known.from === row.from)) rows.push(row);
    extended.set(row.series, rows);
  }
  if (faults.length > 0) {
    faults.sort((a, b) => a.pointer.localeCompare(b.pointer, 'en', { numeric: true }));
    throw new DomainError('ratesInvalid', 'The rates leave a gap, overlap or contradict what is known.', faults);
  }
  return extended;
}

/** The rate of a series on a day. Throws `rateUnknown` beyond what is known: rates are never extrapolated. */
export function rateOn(book: RateBook, series: RateSeries, on: LocalDate): ReferenceRate {
  const rows = book.get(series) ?? [];
  const found = rows.find((row) => row.from <= on && on <= row.to);
  if (found) return found;
  const known = rows.length === 0 ? 'none is known' : `known from ${rows[0]!.from} to ${rows.at(-1)!.to}`;
  throw new RateUnknown(series, on, known);
}

/** A computation needs a rate that nobody has entered yet: it is refused, never extrapolated. */
export class RateUnknown extends DomainError {
  readonly series: RateSeries;
  readonly on: LocalDate;

  constructor(series: RateSeries, on: LocalDate, known: string) {
    const remedy = 'Add it with its source: relance rates add, or PUT /v1/rates.';
    super('rateUnknown', `The reference rate ${series} of ${on} is not known (${known}). ${remedy}`, [
      { pointer: '/asOf', code: 'rateUnknown', message: `${series}: ${known}.` },
    ]);
    this.series = series;
    this.on = on;
  }
}

/** The last day on which a series is known; null where none of it is. */
export function lastKnownOn(book: RateBook, series: RateSeries): LocalDate | null {
  return book.get(series)?.at(-1)?.to ?? null;
}

function faultOf(row: ReferenceRate, known: readonly ReferenceRate[]): Fault | null {
  try {
    parsePercent(row.rate);
  } catch {
    return { pointer: '/rate', code: 'percentInvalid', message: `"${row.rate.slice(0, 20)}" is not per cent a year.` };
  }
  if (row.to !== halfYearEnd(row.from)) {
    return {
      pointer: '/to',
      code: 'periodInvalid',
      message: 'A reference rate covers a half-year: 1 January to 30 June, or 1 July to 31 December.',
    };
  }
  const same = known.find((one) => one.from === row.from);
  if (same) {
    if (parsePercent(same.rate) === parsePercent(row.rate)) return null;
    return { pointer: '/rate', code: 'rateConflict', message: `${same.rate} is known (${same.source}).` };
  }
  const last = known.at(-1);
  if (last === undefined) return null;
  if (row.from <= last.to) return { pointer: '/from', code: 'ratesOverlap', message: `Known until ${last.to}.` };
  if (row.from !== addDays(last.to, 1)) {
    return { pointer: '/from', code: 'ratesGap', message: `The days after ${last.to} would be missing.` };
  }
  return null;
}

/** The last day of the half-year that begins on `from`; null where none does. */
function halfYearEnd(from: LocalDate): LocalDate | null {
  const year = from.slice(0, 4);
  if (from === `${year}-01-01`) return `${year}-06-30`;
  return from === `${year}-07-01` ? `${year}-12-31` : null;
}

const BUILT_IN: RateBook = extendRates(new Map(), REFERENCE_RATES);
