import { lawOf } from '../../law/country-law.ts';
import { imputeSeveral } from '../../law/imputation.ts';
import { linkEvidence, payerEvidence, type Context } from '../context.ts';
import { shareOf, sumOf } from '../sums.ts';
import type { Proposal } from '../types.ts';
import { namesUnclear, unambiguous } from './by-number.ts';

/**
 * Several invoices of one customer are named and less came than they are: the payer has not said how it is shared, so the
 * law of the customer's country does (C. civ. 1342-10, BGB § 366 II): what is due first, then the oldest, equals in
 * proportion.
 */
export function numbersShared(context: Context): Proposal[] {
  const { payment } = context;
  const named = unambiguous(context);
  const [first] = named;
  if (first === undefined || named.length < 2 || payment.amountMinor >= sumOf(named) || namesUnclear(context))
    return [];
  const law = lawOf(first.country);
  if (law === null || named.some((item) => item.customerId !== first.customerId)) return [];
  const debts = named.map((item) => ({
    id: item.invoiceId,
    dueOn: item.dueOn,
    openMinor: item.balanceMinor,
    // Interest runs at one rate on all of a customer's invoices, and none of them is secured.
    onerous: 0n,
    secured: false,
  }));
  const { shares } = imputeSeveral(payment.amountMinor, debts, law.imputation, payment.bookedOn);
  return [
    {
      rule: 'numbersShared',
      shares: shares.map(({ id, amountMinor }) =>
        shareOf(
          named.find((item) => item.invoiceId === id)!,
          amountMinor,
        ),
      ),
      evidence: [...linkEvidence(context.exact, named), ...payerEvidence(context, named), { kind: 'sharedByLaw' }],
      confidence: 'possible',
    },
  ];
}
