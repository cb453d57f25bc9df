import type { CustomerKind } from '../policy/types.ts';
import { addDays, addMonths, later, type LocalDate } from '../time/dates.ts';

/** How the payment term of an invoice was agreed: which maximum of the law it is measured against. */
export const TERM_KINDS = ['notAgreed', 'fromIssue', 'endOfMonthAfter', 'endOfMonthBefore', 'periodic'] as const;
/**
 * `notAgreed`: nothing was agreed. `fromIssue`: days from the issue of the invoice. `endOfMonthAfter`: the days, then the
 * end of the month they lead to. `endOfMonthBefore`: the end of the month of issue, then the days. `periodic`: an invoice
 * that sums up the deliveries of a period.
 */
export type TermKind = (typeof TERM_KINDS)[number];

/** Trades and buyers with a maximum of their own. */
export const TERM_SECTORS = ['perishableFood', 'transport', 'vehicleHire', 'hospital'] as const;
export type TermSector = (typeof TERM_SECTORS)[number];

/** What is known of how an invoice is to be paid. */
export interface PaymentTerms {
  /** Null: nobody said. */
  kind: TermKind | null;
  sector: TermSector | null;
  /** When goods, service or (public buyers) the invoice were received; null where it is not known. */
  receivedOn: LocalDate | null;
  /** A longer term than the usual maximum was expressly agreed (Dir. 2011/7 art. 3(5), BGB § 271a). */
  expresslyAgreed: boolean;
}

/** One maximum. */
export interface TermLimit {
  from: 'issue' | 'receipt';
  days: number;
  /** The month end comes after the days, before them, or not at all. */
  monthEnd: 'after' | 'before' | null;
  /** An express agreement may go beyond it; whether it is grossly unfair is not judged here. */
  unlessExpress: boolean;
  /** How sure it is: `unconfirmed` says so in its warning. */
  sure: 'law' | 'secondary' | 'unconfirmed';
  source: string;
}

/** The maxima of a country, for firms and for public buyers; where nothing is known for somebody, nothing is warned of. */
export interface PaymentTermRules {
  business: {
    /** By how it was agreed. */
    terms: Readonly<Partial<Record<TermKind, TermLimit>>>;
    sectors: Readonly<Partial<Record<TermSector, TermLimit>>>;
    /** Where nobody said how it was agreed: each reading that may be meant. */
    unsaid: readonly TermLimit[];
  } | null;
  publicBody: { usual: TermLimit; sectors: Readonly<Partial<Record<TermSector, TermLimit>>> } | null;
}

/** Something about an invoice that the law may object to; the invoice is taken all the same. */
export interface LawWarning {
  code: 'paymentTermTooLong' | 'paymentTermUnsaid' | 'mentionMissing' | 'mentionsNotSeen';
  message: string;
  /** The last day that is within the maximum; null where the warning is of something else. */
  limitOn: LocalDate | null;
  source: string;
}

/**
 * Warns when an invoice falls due later than the law allows. Consumers have no maximum. Where nobody said how the term
 * was agreed, the furthest reading decides whether it is too long, and what lies between the nearest and the furthest is
 * asked about (`paymentTermUnsaid`). What counts from receipt counts from the issue date where no receipt is known, and
 * the warning says so.
 */
export function paymentTermWarnings(
  rules: PaymentTermRules | null,
  invoice: { kind: CustomerKind; issuedOn: LocalDate; dueOn: LocalDate; terms: PaymentTerms },
): LawWarning[] {
  const limits = limitsFor(rules, invoice.kind, invoice.terms);
  const dated = limits.map((limit) => ({ limit, on: lastDueDate(limit, invoice) }));
  dated.sort((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : 0));
  const nearest = dated[0];
  const furthest = dated.at(-1);
  if (!nearest || !furthest) return [];
  if (invoice.dueOn > furthest.on) return [tooLong(invoice, furthest)];
  return invoice.dueOn > nearest.on ? [unsaid(invoice, nearest, furthest)] : [];
}

/** The last due date that a maximum allows. */
export function lastDueDate(
  { from, days, monthEnd }: TermLimit,
  { issuedOn, terms }: { issuedOn: LocalDate; terms: PaymentTerms },
): LocalDate {
  const start = from === 'receipt' ? (terms.receivedOn ?? issuedOn) : issuedOn;
  switch (monthEnd) {
    case 'after':
      return endOfMonth(addDays(start, days));
    case 'before':
      return addDays(endOfMonth(start), days);
    case null:
      return addDays(start, days);
  }
}

function limitsFor(rules: PaymentTermRules | null, kind: CustomerKind, terms: PaymentTerms): TermLimit[] {
  const { sector } = terms;
  const usual = ((): readonly TermLimit[] => {
    if (kind === 'consumer' || rules === null) return [];
    if (kind === 'publicBody') {
      const buyer = rules.publicBody;
      return buyer === null ? [] : [(sector === null ? undefined : buyer.sectors[sector]) ?? buyer.usual];
    }
    const trade = rules.business;
    if (trade === null) return [];
    const own = sector === null ? undefined : trade.sectors[sector];
    if (own !== undefined) return [own];
    const agreed = terms.kind === null ? undefined : trade.terms[terms.kind];
    return agreed === undefined ? trade.unsaid : [agreed];
  })();
  return usual.filter((limit) => !(limit.unlessExpress && terms.expresslyAgreed));
}

type Dated = { limit: TermLimit; on: LocalDate };

const tooLong = (invoice: { terms: PaymentTerms }, { limit, on }: Dated): LawWarning => ({
  code: 'paymentTermTooLong',
  message: `The payment term ends after ${on}, ${inWords(limit, invoice.terms)}.`,
  limitOn: on,
  source: sourceOf(limit),
});

const unsaid = (invoice: { terms: PaymentTerms }, nearest: Dated, furthest: Dated): LawWarning => ({
  code: 'paymentTermUnsaid',
  message:
    `The payment term ends after ${nearest.on}, ${inWords(nearest.limit, invoice.terms)}. It is in time only where ` +
    `the contract agrees the term that ends by ${furthest.on}: say so in \`terms.kind\`.`,
  limitOn: nearest.on,
  source: sourceOf(nearest.limit),
});

function inWords({ from, days, monthEnd, unlessExpress }: TermLimit, terms: PaymentTerms): string {
  const counted =
    monthEnd === 'after'
      ? `${days} days and then to the end of the month`
      : monthEnd === 'before'
        ? `${days} days from the end of the month`
        : `${days} days`;
  const start = from === 'issue' ? 'from issue' : 'from receipt';
  const instead = from === 'receipt' && terms.receivedOn === null ? ' (reckoned from issue: no receipt is known)' : '';
  const unless = unlessExpress ? ', the most unless more was expressly agreed' : ', the most that may be agreed';
  return `${counted} ${start}${instead}${unless}`;
}

const sourceOf = ({ source, sure }: TermLimit): string => (sure === 'unconfirmed' ? `${source} (unconfirmed)` : source);

/** The last day of the month a date is in. */
export function endOfMonth(date: LocalDate): LocalDate {
  const first = `${date.slice(0, 8)}01`;
  return later(date, addDays(addMonths(first, 1), -1));
}
