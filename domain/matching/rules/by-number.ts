import { distinct, isStrong, linkEvidence, paidByOther, payerEvidence, type Context } from '../context.ts';
import { isPieceOfDigits, overlaps, unexplainedNumbers, type Link } from '../reading.ts';
import { exactShares, shareOf, subsetsOf, sumOf } from '../sums.ts';
import { normaliseToken } from '../tokens.ts';
import type { Item, Proposal } from '../types.ts';

/** Invoices that one text names: more would be a statement, which a remittance advice says better. */
const MOST_NAMED = 60;

/**
 * The creditor's own reference came back as it was given: a structured reference, an end-to-end id, or what stands behind the
 * check digits of an `RF` reference, that is one invoice's token. The sum must be what is open, or less on a single invoice.
 */
export function structuredReference(context: Context): Proposal[] {
  const { payment } = context;
  const given = new Set([
    ...[...payment.structuredReferences, payment.endToEndId ?? '']
      .map(normaliseToken)
      .filter((token) => token.length >= 5),
    ...context.reading.checked,
  ]);
  const links = context.exact.filter(({ token }) => given.has(token));
  const items = distinct(links.map(({ item }) => item));
  const [only] = items;
  if (
    only === undefined ||
    links.some((link) => items.some((other) => other !== link.item && sharesToken(other, link)))
  )
    return [];
  const evidence = [
    ...links.map(({ item, token }) => ({ kind: 'structuredReference' as const, invoiceId: item.invoiceId, token })),
    ...payerEvidence(context, items),
  ];
  const exact = exactShares(items, payment.amountMinor);
  if (exact) {
    return [
      {
        rule: 'structuredReference',
        shares: exact,
        evidence: [...evidence, { kind: 'equalSum' }],
        confidence: 'certain',
      },
    ];
  }
  // More than one number beside it: the sum is for the rules of numbers.
  if (items.length > 1 || context.named.length > 1 || payment.amountMinor > only.balanceMinor) return [];
  const shortMinor = only.balanceMinor - payment.amountMinor;
  return [
    {
      rule: 'structuredReference',
      shares: [shareOf(only, payment.amountMinor)],
      evidence: [...evidence, { kind: 'lowerAmount', shortMinor }],
      confidence: 'certain',
    },
  ];
}

const sharesToken = (item: Item, link: Link): boolean => item.tokens.includes(link.token);

/** The invoices named add up to the amount, all of them or the only some of them that do. */
export function numbersEqualSum(context: Context): Proposal[] {
  const { payment } = context;
  const named = unambiguous(context);
  if (named.length === 0 || named.length > MOST_NAMED) return [];
  const propose = (items: readonly Item[]): Proposal[] => {
    const shares = exactShares(items, payment.amountMinor);
    if (!shares) return [];
    const evidence = [
      ...linkEvidence(context.exact, items),
      ...payerEvidence(context, items),
      { kind: 'equalSum' as const },
    ];
    return [{ rule: 'numbersEqualSum', shares, evidence, confidence: 'certain' }];
  };
  const all = propose(named);
  if (all.length > 0) return all;
  const candidates = distinct(context.exact.map(({ item }) => item));
  if (candidates.length < 2) return [];
  const sets = subsetsOf(candidates, payment.amountMinor, payment.amountMinor, 1, candidates.length);
  return (sets ?? []).flatMap(propose);
}

/** Exactly one invoice is named, and less than is open on it came: a part of it. */
export function numberLowerAmount(context: Context): Proposal[] {
  const { payment } = context;
  const named = unambiguous(context);
  const [only] = named;
  if (only === undefined || named.length > 1 || payment.amountMinor >= only.balanceMinor) return [];
  if (namesUnclear(context)) return [];
  const known = context.payers.some(({ customerId }) => customerId === only.customerId);
  // A short number may be anything, and somebody else's invoice a slip of the pen: then the amount would have to agree.
  if (!known && !isStronglyNamed(context, only)) return [];
  if (paidByOther(context, [only])) return [];
  return [
    {
      rule: 'numberLowerAmount',
      shares: [shareOf(only, payment.amountMinor)],
      evidence: [
        ...linkEvidence(context.exact, [only]),
        ...payerEvidence(context, [only]),
        { kind: 'lowerAmount', shortMinor: only.balanceMinor - payment.amountMinor },
      ],
      confidence: 'strong',
    },
  ];
}

/** More came than is open on what is named, and nothing else is: what exceeds it is the customer's credit. */
export function numbersExceeded(context: Context): Proposal[] {
  const { payment } = context;
  const named = unambiguous(context);
  if (named.length === 0 || payment.amountMinor <= sumOf(named) || namesUnclear(context)) return [];
  const known = named.every((item) => context.payers.some(({ customerId }) => customerId === item.customerId));
  const strong = named.every((item) => isStronglyNamed(context, item));
  const oneCustomer = new Set(named.map(({ customerId }) => customerId)).size === 1;
  if (!oneCustomer || (!known && !strong) || paidByOther(context, named)) return [];
  // An invoice of exactly this amount is what the money may be for instead.
  if (context.own.some((item) => exactShares([item], payment.amountMinor) !== null)) return [];
  // Another number that is not known may be the invoice that the rest is for.
  if (unexplainedNumbers(context.reading, context.exact).length > 0) return [];
  const shares: ReturnType<typeof shareOf>[] = [];
  let left = payment.amountMinor;
  for (const item of named) {
    const amountMinor = left < item.payableMinor ? left : item.payableMinor;
    if (amountMinor > 0n) shares.push(shareOf(item, amountMinor));
    left -= amountMinor;
  }
  if (left === 0n && named.length > 1) return [];
  return [
    {
      rule: 'numbersExceeded',
      shares,
      evidence: [
        ...linkEvidence(context.exact, named),
        ...payerEvidence(context, named),
        { kind: 'excess', excessMinor: left },
      ],
      confidence: 'strong',
    },
  ];
}

/** The invoices named, by the links that tell them apart. */
export const unambiguous = (context: Context): Item[] => distinct(clearLinks(context).map(({ item }) => item));

/** Something is named of which nobody can say which invoice it is: the money may be for that. */
export function namesUnclear(context: Context): boolean {
  const clear = clearLinks(context);
  return context.exact.some((link) => !clear.some((one) => one.token === link.token && overlaps(one.span, link.span)));
}

/** Where one number is the number of several invoices, those of whoever pays are meant, else none of them. */
function clearLinks(context: Context): Link[] {
  const shared = (link: Link): Link[] =>
    context.exact.filter(
      (other) => other.item !== link.item && other.token === link.token && overlaps(other.span, link.span),
    );
  const ofPayer = (item: Item): boolean => context.payers.some(({ customerId }) => customerId === item.customerId);
  return context.exact.filter((link) => {
    const others = shared(link);
    return others.length === 0 || (ofPayer(link.item) && others.every(({ item }) => !ofPayer(item)));
  });
}

/** By a token that stands for itself and is no piece of a longer row of digits: of a telephone or a register's number. */
export const isStronglyNamed = (context: Context, item: Item): boolean =>
  context.exact.some(
    (link) => link.item === item && isStrong(link.token) && !isPieceOfDigits(context.reading, link.span),
  );
