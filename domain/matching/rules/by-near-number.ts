import { distinct, groupOf, linkEvidence, onlyPayer, paidByOther, payerEvidence, type Context } from '../context.ts';
import { overlaps, unexplainedNumbers } from '../reading.ts';
import { exactShares, shareOf } from '../sums.ts';
import type { Item, Proposal } from '../types.ts';
import { namedOrNear } from './by-payer.ts';

/** Numbers with typing errors whose invoices add up to the amount, together with those that are named exactly. */
export function nearNumbersEqualSum(context: Context): Proposal[] {
  const { payment } = context;
  const single = distinct(context.near.map(({ item }) => item)).filter((item) =>
    exactShares([item], payment.amountMinor),
  );
  const candidates: Item[][] = context.named.length === 0 ? single.map((item) => [item]) : [];
  const all = namedOrNear(context);
  if (all.length > 1 || candidates.length === 0) candidates.push(all);
  return candidates.flatMap((items) => {
    if (!items.some((item) => context.near.some((link) => link.item === item))) return [];
    const shares = exactShares(items, payment.amountMinor);
    if (!shares || paidByOther(context, items)) return [];
    return [
      {
        rule: 'nearNumbersEqualSum' as const,
        shares,
        evidence: [
          ...linkEvidence([...context.exact, ...context.near], items),
          ...payerEvidence(context, items),
          { kind: 'equalSum' as const },
        ],
        confidence: 'strong' as const,
      },
    ];
  });
}

/** Two different numbers of one invoice stand in the text, one of them with a typing error at least, and less came than is open. */
export function twoNumbersAgree(context: Context): Proposal[] {
  const { payment } = context;
  const links = [...context.exact, ...context.near];
  const agreeing = distinct(links.map(({ item }) => item)).filter((item) => {
    const own = links.filter((link) => link.item.invoiceId === item.invoiceId);
    return own.some((a) => own.some((b) => a.token !== b.token && !overlaps(a.span, b.span)));
  });
  const fitting = agreeing.filter((item) => payment.amountMinor <= item.balanceMinor && !paidByOther(context, [item]));
  if (context.named.some((item) => !agreeing.includes(item))) return [];
  return fitting.map((item) => ({
    rule: 'twoNumbersAgree',
    shares: [shareOf(item, payment.amountMinor)],
    evidence: [
      ...linkEvidence(links, [item]),
      ...payerEvidence(context, [item]),
      { kind: 'lowerAmount', shortMinor: item.balanceMinor - payment.amountMinor },
    ],
    confidence: 'strong',
  }));
}

/** A payer who is known wrote one number with a typing error, which only one of its invoices is near to, and paid less. */
export function nearNumberLowerAmount(context: Context): Proposal[] {
  const { payment } = context;
  const payer = onlyPayer(context);
  if (!payer || context.truncated || context.named.length > 0) return [];
  const group = groupOf(context, payer);
  const items = distinct(context.near.map(({ item }) => item)).filter((item) => group.has(item.customerId));
  if (items.length !== 1 || unexplainedNumbers(context.reading, context.near).some((token) => token.length >= 8))
    return [];
  return items
    .filter((item) => payment.amountMinor < item.balanceMinor)
    .map((item) => ({
      rule: 'nearNumberLowerAmount',
      shares: [shareOf(item, payment.amountMinor)],
      evidence: [
        ...linkEvidence(context.near, [item]),
        ...payerEvidence(context, [item]),
        { kind: 'lowerAmount', shortMinor: item.balanceMinor - payment.amountMinor },
      ],
      confidence: 'possible',
    }));
}
