import { baseOfReference } from './creditor-reference.ts';
import { editDistance } from './edit-distance.ts';
import { quotations, type Quotation } from './tokens.ts';
import type { Item, Payment } from './types.ts';

/** A place in one of the payment's texts. */
interface Span {
  text: number;
  from: number;
  to: number;
}

/** One of an invoice's tokens, found in what the payer wrote. */
export interface Link {
  item: Item;
  /** The invoice's token. */
  token: string;
  /** What is written, normalised. */
  read: string;
  /** Typing errors between the two; 0 where it is the token itself. */
  distance: number;
  span: Span;
}

/** What a payer wrote, cut into what may be numbers. */
export interface Reading {
  spans: (Quotation & Span)[];
  /** All tokens, each once: what an index is asked for. */
  tokens: string[];
  /** Those among them that stand in a creditor's reference with right check digits. */
  checked: string[];
}

/** Numbers of this length and more may carry one typing error, and from `TWO_ERRORS` on two. */
const ONE_ERROR = 6;
const TWO_ERRORS = 8;
/** What stands behind check digits and is shorter may be anything: one text in 97 has them right by accident. */
const SHORTEST_BASE = 4;
/** Longer texts are read to here; what banks pass on is far shorter. */
const MOST_SPANS = 1_500;

/** The texts of a payment that may name invoices, the structured ones among them. */
export function readPayment(payment: Payment): Reading {
  const texts = [payment.remittance, payment.endToEndId, ...payment.structuredReferences].filter(
    (text) => text !== null,
  );
  const spans = texts.flatMap((text, index) => quotations(text).map((found) => ({ ...found, text: index })));
  const kept = spans.slice(0, MOST_SPANS);
  const checked = kept.flatMap((span) => {
    const token = baseOfReference(span.token);
    return token === null || token.length < SHORTEST_BASE ? [] : [{ ...span, token }];
  });
  const all = [...kept, ...checked];
  return {
    spans: all,
    tokens: [...new Set(all.map(({ token }) => token))],
    checked: [...new Set(checked.map(({ token }) => token))],
  };
}

/**
 * The invoices that the texts name by one of their tokens, exactly. A token that only lies within a longer one that is
 * known too does not count: `INV-2026-0042` names that invoice and not also the one whose number is `2026`.
 */
export function exactLinks(reading: Reading, items: readonly Item[]): Link[] {
  const byToken = new Map<string, Item[]>();
  for (const item of items) {
    for (const token of item.tokens) byToken.set(token, [...(byToken.get(token) ?? []), item]);
  }
  const hits = reading.spans.filter(({ token }) => byToken.has(token));
  const outer = hits.filter((hit) => !hits.some((other) => covers(other, hit)));
  return outer.flatMap((span) =>
    byToken.get(span.token)!.map((item) => ({ item, token: span.token, read: span.token, distance: 0, span })),
  );
}

/**
 * The invoices of which a token stands in the texts with one or two typing errors, the nearest reading of each token
 * once. What a known number already explains is not read as another one. Short tokens carry no errors: `F-12` is not F-13.
 */
export function nearLinks(reading: Reading, items: readonly Item[], explained: readonly Link[]): Link[] {
  const free = reading.spans.filter(
    (span) =>
      span.token.length >= ONE_ERROR - 1 &&
      /\d/.test(span.token) &&
      !explained.some((link) => overlaps(link.span, span)),
  );
  const byLength = spansByLength(free);
  const links: Link[] = [];
  for (const item of items) {
    for (const token of item.tokens) {
      const most = token.length >= TWO_ERRORS ? 2 : token.length >= ONE_ERROR ? 1 : 0;
      if (most === 0) continue;
      const best = nearestSpan(token, most, byLength);
      if (best !== null) links.push({ item, token, read: best.span.token, ...best });
    }
  }
  return nearestOnly(links);
}

/** Whether a place was put together out of some of the groups of a longer row of digits, as `55 21 00` of `55 21 00 554`. */
export function isPieceOfDigits(reading: Reading, span: Span): boolean {
  return span.from < span.to && reading.spans.some((other) => covers(other, span) && /^\d+$/.test(other.token));
}

/** Each token once, at its first place. */
function spansByLength(spans: readonly (Quotation & Span)[]): Map<number, (Quotation & Span)[]> {
  const byLength = new Map<number, (Quotation & Span)[]>();
  for (const span of new Map(spans.toReversed().map((one) => [one.token, one])).values()) {
    const list = byLength.get(span.token.length);
    if (list) list.push(span);
    else byLength.set(span.token.length, [span]);
  }
  return byLength;
}

/** Where a token stands with the fewest errors; lengths that differ by more than the errors allowed cannot be near. */
function nearestSpan(
  token: string,
  most: number,
  byLength: ReadonlyMap<number, readonly (Quotation & Span)[]>,
): { distance: number; span: Quotation & Span } | null {
  let best: { distance: number; span: Quotation & Span } | null = null;
  for (let length = token.length - most; length <= token.length + most; length += 1) {
    for (const span of byLength.get(length) ?? []) {
      const limit = best === null ? most : best.distance - 1;
      const distance = editDistance(token, span.token, limit);
      if (distance > limit) continue;
      best = { distance, span };
      if (distance <= 1) return best;
    }
  }
  return best;
}

/** Runs of four digits and more that no link explains: the payer named something that is not known here. */
export function unexplainedNumbers(reading: Reading, links: readonly Link[]): string[] {
  const single = reading.spans.filter(
    (span) => span.from === span.to && /\d{4,}/.test(span.token) && !links.some((link) => overlaps(link.span, span)),
  );
  return [...new Set(single.map(({ token }) => token))];
}

/** Of the invoices that one place in the text is near to, those that it is nearest to. */
function nearestOnly(links: readonly Link[]): Link[] {
  return links.filter(
    (link) =>
      !links.some((other) => other !== link && overlaps(other.span, link.span) && other.distance < link.distance),
  );
}

const covers = (a: Span, b: Span): boolean =>
  a.text === b.text && a.from <= b.from && a.to >= b.to && a.to - a.from > b.to - b.from;

export const overlaps = (a: Span, b: Span): boolean => a.text === b.text && a.from <= b.to && b.from <= a.to;
