import { formatAmount } from '../money.ts';
import type { LocalDate } from '../time/dates.ts';
import type { Claim } from './claim.ts';

/** A period of interest as the API and an agency's file write it: amounts as decimal strings in the claim's currency. */
export interface ShownPeriod {
  from: LocalDate;
  to: LocalDate;
  days: number;
  base: string;
  rate: string;
  source: string;
  amount: string;
}

export const shownPeriods = ({ periods, currency }: Pick<Claim, 'periods' | 'currency'>): ShownPeriod[] =>
  periods.map(({ from, to, days, baseMinor, rate, source, amountMinor }) => ({
    from,
    to,
    days,
    base: formatAmount(baseMinor, currency),
    rate,
    source,
    amount: formatAmount(amountMinor, currency),
  }));
