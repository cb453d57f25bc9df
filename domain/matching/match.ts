import { distinct, type Context } from './context.ts';
import { exactLinks, nearLinks, readPayment, type Link } from './reading.ts';
import { bankFees, discountInTime, tolerance } from './rules/by-difference.ts';
import { numbersShared } from './rules/by-law.ts';
import { nearNumberLowerAmount, nearNumbersEqualSum, twoNumbersAgree } from './rules/by-near-number.ts';
import { numberLowerAmount, numbersEqualSum, numbersExceeded, structuredReference } from './rules/by-number.ts';
import { completion, payerUniqueAmount, subsetSum } from './rules/by-payer.ts';
import { exactShares, shareOf } from './sums.ts';
import { PAYER_EVIDENCE } from './types.ts';
import type {
  Answer,
  Decision,
  Item,
  KnownPayer,
  MatchingSettings,
  Payment,
  Proposal,
  Question,
  Rule,
  UnappliedReason,
} from './types.ts';

interface RuleEntry {
  rule: Rule;
  find: (context: Context) => Proposal[];
}

/** Rules that need no more than the invoices named. */
const BY_NUMBER: readonly RuleEntry[] = [
  { rule: 'structuredReference', find: structuredReference },
  { rule: 'numbersEqualSum', find: numbersEqualSum },
  { rule: 'discountInTime', find: discountInTime },
  { rule: 'numberLowerAmount', find: numberLowerAmount },
];

/** Rules that look at what else the payer owes. */
const BY_BOOK: readonly RuleEntry[] = [
  { rule: 'payerUniqueAmount', find: payerUniqueAmount },
  { rule: 'nearNumbersEqualSum', find: nearNumbersEqualSum },
  { rule: 'twoNumbersAgree', find: twoNumbersAgree },
  { rule: 'completion', find: completion },
  { rule: 'subsetSum', find: subsetSum },
  { rule: 'tolerance', find: tolerance },
  { rule: 'bankFees', find: bankFees },
  { rule: 'numbersExceeded', find: numbersExceeded },
  { rule: 'nearNumberLowerAmount', find: nearNumberLowerAmount },
  { rule: 'numbersShared', find: numbersShared },
];

/** Candidates shown to a person at most. */
const MOST_RIVALS = 10;

/**
 * Where money belongs, by rules from the surest to the weakest (reference: bank-mail-matching, section 6). The first rule
 * that finds something decides: it applies where it found one thing only and the creditor lets it, else a person looks,
 * with all that was found in order. Asks what it needs and no more: each question is one look-up in an index.
 */
export function* match(payment: Payment, settings: MatchingSettings): Generator<Question, Decision, Answer> {
  const reading = readPayment(payment);
  const hits = reading.tokens.length === 0 ? [] : itemsIn(yield { ask: 'tokens', tokens: reading.tokens }).items;
  const links = exactLinks(reading, hits);
  const quoted = distinct(links.map(({ item }) => item));
  const exact = links.filter(({ item }) => item.open && item.currency === payment.currency);
  const payers = likeliest(payersIn(yield { ask: 'payer' }));
  const context: Context = {
    payment,
    settings,
    reading,
    exact,
    closed: links.filter(({ item }) => !item.open),
    named: distinct(exact.map(({ item }) => item)),
    payers,
    own: [],
    truncated: false,
    near: [],
    equal: [],
  };
  const first = settle(context, BY_NUMBER, quoted);
  if (first?.kind === 'apply') return first;

  const customerIds = [...new Set([...payers, ...context.named].map(({ customerId }) => customerId))];
  const book =
    customerIds.length === 0 ? { items: [], truncated: false } : itemsIn(yield { ask: 'itemsOf', customerIds });
  const equal = itemsIn(yield { ask: 'amount', amountMinor: payment.amountMinor });
  const own = distinct([...context.named, ...book.items]);
  // Of more than were looked at another one may be nearer.
  const within = [...(book.truncated ? [] : own), ...(equal.truncated ? [] : equal.items)];
  const near = nearLinks(
    reading,
    distinct(within).filter((item) => !context.named.some(({ invoiceId }) => invoiceId === item.invoiceId)),
    links,
  );
  // Another number of an invoice that is named exactly supports it, with its typing errors.
  const supporting = nearLinks(reading, context.named, exact).filter((link) => !isNamedBy(link, exact));
  const whole: Context = {
    ...context,
    own,
    near: [...near, ...supporting],
    equal: equal.items,
    truncated: book.truncated,
  };
  return settle(whole, [...BY_NUMBER, ...BY_BOOK], quoted) ?? review(whole, quoted, []);
}

const isNamedBy = (link: Link, exact: readonly Link[]): boolean => exact.some(({ token }) => token === link.token);

/** The decision of the first rule that finds something; null where none does. */
function settle(context: Context, rules: readonly RuleEntry[], quoted: Item[]): Decision | null {
  const found: { rule: Rule; proposals: Proposal[] }[] = [];
  for (const { rule, find } of rules) {
    if (context.settings.modes[rule] === 'off') continue;
    const proposals = different(find(context));
    if (proposals.length === 0) continue;
    const [only] = proposals;
    if (found.length === 0 && proposals.length === 1 && only && context.settings.modes[rule] === 'automatic') {
      return { kind: 'apply', proposal: only, quoted, payers: context.payers, rivals: [] };
    }
    found.push({ rule, proposals });
  }
  if (found.length === 0) return null;
  return review(
    context,
    quoted,
    found.flatMap(({ proposals }) => proposals),
  );
}

function review(context: Context, quoted: Item[], found: readonly Proposal[]): Decision {
  const rivals = different([...found, ...guesses(context)]).slice(0, MOST_RIVALS);
  return { kind: 'review', reason: reasonOf(context, quoted, found), quoted, payers: context.payers, rivals };
}

/** Single invoices that speak for themselves in one way: for a person to choose from. */
function guesses(context: Context): Proposal[] {
  const { payment } = context;
  const of = (item: Item): bigint =>
    payment.amountMinor < item.payableMinor ? payment.amountMinor : item.payableMinor;
  const guess = (item: Item, rule: Rule): Proposal => ({
    rule,
    shares: [shareOf(item, of(item))],
    evidence: [
      ...[...context.exact, ...context.near]
        .filter((link) => link.item.invoiceId === item.invoiceId)
        .map(({ token, read, distance }) =>
          distance === 0
            ? { kind: 'number' as const, invoiceId: item.invoiceId, token }
            : { kind: 'nearNumber' as const, invoiceId: item.invoiceId, token, read, distance },
        ),
      ...context.payers
        .filter(({ customerId }) => customerId === item.customerId)
        .map(({ customerId, by }) => ({ kind: 'payer' as const, customerId, by })),
      ...(exactShares([item], payment.amountMinor) ? [{ kind: 'equalSum' as const }] : []),
    ],
    confidence: 'possible',
  });
  const nearItems = distinct(context.near.map(({ item }) => item));
  return [
    ...context.named.map((item) => guess(item, 'numberLowerAmount')),
    ...nearItems.map((item) => guess(item, 'nearNumberLowerAmount')),
    ...context.equal.map((item) => guess(item, 'payerUniqueAmount')),
  ]
    .filter(({ shares }) => shares[0]!.amountMinor > 0n)
    .sort((a, b) => b.evidence.length - a.evidence.length);
}

function reasonOf(context: Context, quoted: readonly Item[], found: readonly Proposal[]): UnappliedReason {
  const open = quoted.filter((item) => item.open);
  if (found.length > 0) {
    const first = found.filter(({ rule }) => rule === found[0]!.rule);
    if (first.length === 1) return 'proposeOnly';
    return context.named.length > 1 ? 'severalQuoted' : 'notUnique';
  }
  if (quoted.length === 0) return 'nothingQuoted';
  if (open.length === 0) return 'closedQuoted';
  if (context.named.length === 0) return 'otherCurrency';
  return context.named.length > 1 ? 'severalQuoted' : 'exceedsBalance';
}

/** Proposals that send the same money to the same invoices are one. */
function different(proposals: readonly Proposal[]): Proposal[] {
  const key = ({ shares }: Proposal): string =>
    shares
      .map(({ invoiceId, amountMinor }) => `${invoiceId} ${amountMinor}`)
      .sort()
      .join();
  return [...new Map(proposals.toReversed().map((proposal) => [key(proposal), proposal])).values()].toReversed();
}

/** Those known by the surest evidence; a weaker one never contradicts it. Relations come beside whoever is related. */
function likeliest(payers: readonly KnownPayer[]): KnownPayer[] {
  for (const evidence of PAYER_EVIDENCE) {
    if (evidence !== 'relation' && payers.some(({ by }) => by === evidence)) {
      const known = payers.filter(({ by }) => by === evidence);
      const ofThese = (parentId: string | null | undefined): boolean =>
        parentId === undefined || parentId === null || known.some(({ customerId }) => customerId === parentId);
      return [...known, ...payers.filter(({ by, parentId }) => by === 'relation' && ofThese(parentId))];
    }
  }
  return [...payers];
}

function itemsIn(answer: Answer): { items: readonly Item[]; truncated: boolean } {
  if (!('items' in answer)) throw new TypeError('The answer is not about invoices.');
  return answer;
}

function payersIn(answer: Answer): readonly KnownPayer[] {
  if (!('payers' in answer)) throw new TypeError('The answer is not about payers.');
  return answer.payers;
}
