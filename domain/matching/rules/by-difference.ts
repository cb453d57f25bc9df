import { linkEvidence, onlyPayer, payerEvidence, type Context } from '../context.ts';
import { shareOf, subsetsOf, sumOf } from '../sums.ts';
import type { Evidence, Item, Proposal, Share } from '../types.ts';
import { unambiguous } from './by-number.ts';
import { isNoAccident, namedOrNear } from './by-payer.ts';

/** The invoices named, less the discount that was agreed for paying by this day, are the amount. */
export function discountInTime(context: Context): Proposal[] {
  const { payment } = context;
  const items = unambiguous(context);
  const taken = items.filter((item) => item.discount !== null && payment.bookedOn <= item.discount.until);
  if (taken.length === 0) return [];
  const shares = items.map((item): Share => {
    const discountMinor = taken.includes(item) ? item.discount!.amountMinor : 0n;
    const writeOff = discountMinor > 0n ? ({ kind: 'discount', amountMinor: discountMinor } as const) : null;
    return shareOf(item, item.balanceMinor - discountMinor, writeOff);
  });
  if (shares.reduce((sum, share) => sum + share.amountMinor, 0n) !== payment.amountMinor) return [];
  return [
    {
      rule: 'discountInTime',
      shares,
      evidence: [
        ...linkEvidence(context.exact, items),
        ...payerEvidence(context, items),
        ...taken.map((item): Evidence => ({
          kind: 'discountTaken',
          invoiceId: item.invoiceId,
          discountMinor: item.discount!.amountMinor,
        })),
      ],
      confidence: 'certain',
    },
  ];
}

/**
 * What is named or nearly named, or the only invoices of a payer who is known, are the amount but for a small
 * difference, which is given up. A single invoice named exactly is a part payment for the rules before: its policy
 * decides on what is left.
 */
export function tolerance(context: Context): Proposal[] {
  return within(context).map(({ items, shortMinor }) => ({
    rule: 'tolerance',
    shares: shortShares(items, shortMinor, 'difference'),
    evidence: [
      ...linkEvidence([...context.exact, ...context.near], items),
      ...payerEvidence(context, items),
      { kind: 'withinTolerance', differenceMinor: shortMinor },
    ],
    confidence: 'likely',
  }));
}

/** The payer's bank kept its fees: the amount and they are exactly what is named, or nearly, up to what is usual. */
export function bankFees(context: Context): Proposal[] {
  const { payment, settings } = context;
  const items = namedOrNear(context);
  if (items.length === 0) return [];
  const shortMinor = sumOf(items) - payment.amountMinor;
  const told = payment.feesMinor !== null && shortMinor === payment.feesMinor;
  if (shortMinor <= 0n || (!told && (shortMinor > settings.feesMinor || items.length === 1))) return [];
  return [
    {
      rule: 'bankFees',
      shares: shortShares(items, shortMinor, 'bankFees'),
      evidence: [
        ...linkEvidence([...context.exact, ...context.near], items),
        ...payerEvidence(context, items),
        { kind: 'bankFees', feesMinor: shortMinor },
      ],
      confidence: told ? 'strong' : 'possible',
    },
  ];
}

interface Short {
  items: Item[];
  shortMinor: bigint;
}

function within(context: Context): Short[] {
  const { payment } = context;
  const fits = (items: Item[]): Short[] => {
    const shortMinor = sumOf(items) - payment.amountMinor;
    const bearable = items.some((item) => item.balanceMinor > shortMinor);
    return bearable && shortMinor > 0n && shortMinor <= toleranceOf(items) ? [{ items, shortMinor }] : [];
  };
  const known = namedOrNear(context);
  const whole = fits(known);
  if (whole.length > 0) return whole;
  const payer = onlyPayer(context);
  if (!payer || context.truncated) return [];
  const own = context.own.filter((item) => item.customerId === payer.customerId);
  if (known.length === 0) return own.flatMap((item) => fits([item]));
  if (known.some((item) => item.customerId !== payer.customerId)) return [];
  const others = own.filter((item) => !known.includes(item));
  const toleranceMinor = toleranceOf([...known, ...others]);
  const rest = payment.amountMinor - sumOf(known);
  // So many more sums would do as the tolerance is wide.
  if (rest <= 0n || toleranceMinor === 0n || !isNoAccident(others.length, 1, 2, rest / toleranceMinor)) return [];
  return (subsetsOf(others, rest + 1n, rest + toleranceMinor, 1, 2) ?? []).map((set) => ({
    items: [...known, ...set],
    shortMinor: sumOf(set) - rest,
  }));
}

/** What all of them bear: the least that any of their policies tolerates. */
const toleranceOf = (items: readonly Item[]): bigint =>
  items.reduce(
    (least, item) => (item.toleranceMinor < least ? item.toleranceMinor : least),
    items[0]?.toleranceMinor ?? 0n,
  );

/** The largest of them bears what is missing: it is settled all the same. */
function shortShares(items: readonly Item[], shortMinor: bigint, kind: 'difference' | 'bankFees'): Share[] {
  const largest = items.reduce((a, b) => (b.balanceMinor > a.balanceMinor ? b : a));
  return items.map((item) =>
    item === largest
      ? shareOf(item, item.balanceMinor - shortMinor, { kind, amountMinor: shortMinor })
      : shareOf(item, item.balanceMinor),
  );
}
