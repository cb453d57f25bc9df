import type { Link, Reading } from './reading.ts';
import type { Evidence, Item, KnownPayer, MatchingSettings, Payment } from './types.ts';

/** All that a rule looks at. */
export interface Context {
  payment: Payment;
  settings: MatchingSettings;
  reading: Reading;
  /** Open invoices in the payment's currency that the text names exactly. */
  exact: readonly Link[];
  /** Invoices that the text names exactly and that are settled: it may be paid twice. */
  closed: readonly Link[];
  /** The open ones that are named, each once, in the order of the text. */
  named: readonly Item[];
  /** Who pays, by the surest evidence there is; several where that is not clear. */
  payers: readonly KnownPayer[];
  /** Open invoices of the payers and of the customers named. */
  own: readonly Item[];
  /** There are more than `own` has: no rule may call one of them the only one. */
  truncated: boolean;
  /** Of `own` and of the invoices of exactly this balance, those that the text nearly names. */
  near: readonly Link[];
  /** Open invoices of anyone whose balance is the amount. */
  equal: readonly Item[];
}

export const distinct = (items: readonly Item[]): Item[] => [
  ...new Map(items.map((item) => [item.invoiceId, item])).values(),
];

/** The one customer who pays, or null. Whom it may pay for besides makes it no less the only one. */
export function onlyPayer(context: Context): KnownPayer | null {
  const known = context.payers.filter(({ by }) => by !== 'relation');
  const ids = new Set(known.map(({ customerId }) => customerId));
  return ids.size === 1 ? known[0]! : null;
}

/** The payer and the customers that it pays for by a recorded relation. */
export const groupOf = (context: Context, payer: KnownPayer): ReadonlySet<string> =>
  new Set([
    payer.customerId,
    ...context.payers.filter(({ by }) => by === 'relation').map(({ customerId }) => customerId),
  ]);

/** Whether it is known that somebody else pays than whose invoices these are. */
export function paidByOther(context: Context, items: readonly Item[]): boolean {
  if (context.payers.length === 0) return false;
  return items.some((item) => !context.payers.some(({ customerId }) => customerId === item.customerId));
}

export function payerEvidence(context: Context, items: readonly Item[]): Evidence[] {
  const known = context.payers.filter(({ customerId }) => items.some((item) => item.customerId === customerId));
  return known.slice(0, 1).map(({ customerId, by }) => ({ kind: 'payer', customerId, by }));
}

export const linkEvidence = (links: readonly Link[], items: readonly Item[]): Evidence[] =>
  items.flatMap((item) =>
    links
      .filter((link) => link.item.invoiceId === item.invoiceId)
      .map(({ token, read, distance }): Evidence =>
        distance === 0
          ? { kind: 'number', invoiceId: item.invoiceId, token }
          : { kind: 'nearNumber', invoiceId: item.invoiceId, token, read, distance },
      ),
  );

/**
 * A token that stands for itself: long enough, and no year, date or small count. Others only count beside an amount or a
 * payer that agrees.
 */
export function isStrong(token: string): boolean {
  if (token.length < 5) return false;
  if (!/\d/.test(token)) return false;
  return !/^(?:\d{5}|(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d{2})$/.test(
    token,
  );
}
