import type { LocalDate } from '../time/dates.ts';
import type { Holidays } from '../time/working-days.ts';
import { deadlineRuleOf } from './country-law.ts';
import { lastDayOf, planBefore } from './deadlines.ts';

export type Proceedings = 'safeguard' | 'receivership' | 'liquidation' | 'other';

/** Where somebody is, as far as the period for declaring claims asks. */
export interface Seat {
  country: string;
  postalCode: string | null;
}

/** Until when claims of before the judgment are to be declared to the trustee. */
export interface DeclarationPeriod {
  /** The last day in time. */
  declareBy: LocalDate;
  /** The working day before it: what is planned for the last day is late when anything goes wrong. */
  planBy: LocalDate;
  /** `judgment`: the publication is not known yet, so the real last day is this one or a later one. */
  from: 'publication' | 'judgment';
  source: string;
}

const PERIOD_MONTHS = 2;
const ABROAD_MONTHS = 2;

/**
 * The period for declaring claims. France (C. com. art. L622-24, R622-24, by L631-14 and L641-3 in receivership and
 * liquidation too): two months from the notice in the BODACC, two more for creditors outside of mainland France where the
 * debtor is in it. Months end on the same number, else on the last day of the month, and a last day that is a Saturday,
 * Sunday or holiday moves to the next working day (CPC art. 641, 642). Without the date of the notice it is reckoned from
 * the judgment, which comes first: too early rather than too late. `null` for other proceedings and other countries: no
 * statutory date is known here, and we do not guess.
 */
export function declarationPeriod(
  proceedings: { kind: Proceedings; judgmentOn: LocalDate; publishedOn: LocalDate | null },
  debtor: Seat,
  creditor: Seat,
  holidays: Holidays,
): DeclarationPeriod | null {
  if (debtor.country !== 'FR' || proceedings.kind === 'other') return null;
  const { judgmentOn, publishedOn } = proceedings;
  const more = isMainlandFrance(debtor) && !isMainlandFrance(creditor);
  const period = { months: PERIOD_MONTHS + (more ? ABROAD_MONTHS : 0) };
  const declareBy = lastDayOf(publishedOn ?? judgmentOn, period, deadlineRuleOf('FR'), holidays);
  return {
    declareBy,
    planBy: planBefore(declareBy, holidays),
    from: publishedOn === null ? 'judgment' : 'publication',
    source: 'C. com. art. L622-24, R622-24; CPC art. 641, 642',
  };
}

/** Overseas departments and collectivities have postal codes that begin with 97 or 98. */
const isMainlandFrance = ({ country, postalCode }: Seat): boolean =>
  country === 'FR' && !/^9[78]/.test((postalCode ?? '').trim());
