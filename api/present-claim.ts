import type { z } from 'zod';
import type { Claim } from '../domain/law/claim.ts';
import { shownPeriods } from '../domain/law/shown-periods.ts';
import { formatAmount } from '../domain/money.ts';
import type { claim as shape } from './schemas/claim.ts';

export function presentClaim(claim: Claim): z.output<typeof shape> {
  const amount = (minor: bigint): string => formatAmount(minor, claim.currency);
  return {
    asOf: claim.asOf,
    currency: claim.currency,
    principal: amount(claim.principalMinor),
    interest: amount(claim.interestMinor),
    compensation: amount(claim.compensationMinor),
    costs: amount(claim.costsMinor),
    total: amount(claim.totalMinor),
    perDay: amount(claim.perDayMinor),
    accrued: amount(claim.accruedMinor),
    periods: shownPeriods(claim),
    regime: claim.regime,
    sources: [...claim.sources],
    notes: claim.notes.map(({ code, message }) => ({ code, message })),
  };
}
