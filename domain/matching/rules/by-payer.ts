import { groupOf, isStrong, linkEvidence, onlyPayer, payerEvidence, type Context } from '../context.ts';
import { unexplainedNumbers } from '../reading.ts';
import { countOfSubsets, exactShares, shareOf, subsetsOf } from '../sums.ts';
import type { Item, Proposal } from '../types.ts';
import { isStronglyNamed } from './by-number.ts';

/** The payer is known and exactly one of its invoices, or of those it pays for, is of this amount. */
export function payerUniqueAmount(context: Context): Proposal[] {
  const { payment } = context;
  const payer = onlyPayer(context);
  if (!payer || context.truncated) return [];
  const group = groupOf(context, payer);
  // Who names only what is paid already may have paid it twice: what for else, or back to whom, is not ours to say.
  const namesClosed = context.closed.some(({ item, token }) => group.has(item.customerId) && isStrong(token));
  if (namesClosed && context.named.length === 0) return [];
  // Whoever names another invoice does not mean this one.
  const others = context.named.filter((item) => group.has(item.customerId) || isStronglyNamed(context, item));
  const items = context.own.filter(
    (item) =>
      group.has(item.customerId) &&
      exactShares([item], payment.amountMinor) !== null &&
      others.every(({ invoiceId }) => invoiceId === item.invoiceId),
  );
  return items.map((item) => ({
    rule: 'payerUniqueAmount',
    shares: exactShares([item], payment.amountMinor)!,
    evidence: [...payerEvidence(context, [item]), { kind: 'uniqueAmount' }],
    confidence: 'strong',
  }));
}

/** Further invoices that may complete what is named, and at most so many of a set that is named nowhere. */
const MOST_COMPLETING = 2;
const MOST_SUBSET = 5;
/** One accidental sum in so many payments is what a search among many sets may cost. */
const CHANCE = 1_000n;

/** What is named or nearly named is less than the amount, and one or two other open invoices are exactly the rest. */
export function completion(context: Context): Proposal[] {
  const { payment } = context;
  if (context.truncated) return [];
  const known = namedOrNear(context);
  const customers = new Set(known.map(({ customerId }) => customerId));
  const [customerId] = customers;
  if (customerId === undefined || customers.size > 1) return [];
  const payer = onlyPayer(context);
  if (payer && !groupOf(context, payer).has(customerId)) return [];
  const others = context.own.filter(
    (item) => item.customerId === customerId && !known.includes(item) && isMoreThanARest(context, item),
  );
  const rest = payment.amountMinor - known.reduce((sum, item) => sum + item.balanceMinor, 0n);
  if (rest <= 0n || !isNoAccident(others.length, 1, MOST_COMPLETING, rest)) return [];
  const sets = subsetsOf(others, rest, rest, 1, MOST_COMPLETING) ?? [];
  return sets.map((set) => ({
    rule: 'completion',
    shares: [...known, ...set].map((item) => shareOf(item, item.balanceMinor)),
    evidence: [
      ...linkEvidence([...context.exact, ...context.near], known),
      ...payerEvidence(context, known),
      { kind: 'completedBy', invoiceIds: set.map(({ invoiceId }) => invoiceId) },
      { kind: 'equalSum' },
    ],
    confidence: 'likely',
  }));
}

/** Exactly one set of two to five open invoices of a payer who is known adds up to the amount. */
export function subsetSum(context: Context): Proposal[] {
  const { payment } = context;
  const payer = onlyPayer(context);
  if (!payer || context.truncated) return [];
  const items = context.own.filter((item) => item.customerId === payer.customerId);
  const candidates = items.filter((item) => item.balanceMinor <= payment.amountMinor && isMoreThanARest(context, item));
  if (!isNoAccident(candidates.length, 2, MOST_SUBSET, payment.amountMinor)) return [];
  const sets = subsetsOf(candidates, payment.amountMinor, payment.amountMinor, 2, MOST_SUBSET) ?? [];
  // Whoever is named must be paid: a sum without it is a coincidence.
  const fitting = sets.filter((set) => context.named.every((item) => set.includes(item)));
  return fitting.map((set) => ({
    rule: 'subsetSum',
    shares: set.map((item) => shareOf(item, item.balanceMinor)),
    evidence: [...payerEvidence(context, set), { kind: 'equalSum' }],
    confidence: unexplainedNumbers(context.reading, context.exact).length > 0 ? 'possible' : 'likely',
  }));
}

/** Among so many sets one would hit the amount by accident only once in many payments. Amounts spread over their size. */
export const isNoAccident = (items: number, from: number, to: number, amountMinor: bigint): boolean =>
  countOfSubsets(items, from, to) * CHANCE <= amountMinor;

/** The few cents that a payment left make any sum come out: they prove nothing. */
const isMoreThanARest = ({ settings }: Context, item: Item): boolean =>
  item.balanceMinor > item.toleranceMinor && item.balanceMinor > settings.feesMinor;

/** What is named, and what is nearly named where that place in the text is near to nothing else. */
export function namedOrNear(context: Context): Item[] {
  const near = context.near
    .filter((link) => context.near.every((other) => other.item === link.item || other.read !== link.read))
    .map(({ item }) => item);
  return [...new Set([...context.named, ...near])];
}
