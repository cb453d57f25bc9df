import type { LocalDate } from '../time/dates.ts';

/** What is known of money that came in, when it came in. Nothing of it is dated after `bookedOn`. */
export interface Payment {
  /** Positive minor units of `currency`. */
  amountMinor: bigint;
  currency: string;
  bookedOn: LocalDate;
  payerName: string | null;
  /** The party behind the payer, where the bank tells one. */
  ultimateName: string | null;
  /** IBAN or other account number, without spaces, upper case. */
  payerAccount: string | null;
  /** What the payer wrote. */
  remittance: string | null;
  endToEndId: string | null;
  structuredReferences: readonly string[];
  /** Fees that the bank says it kept from the amount, positive minor units. */
  feesMinor: bigint | null;
}

/** A discount for paying early, as a term of an invoice. */
export interface DiscountTerm {
  /** Last day on which it may be taken. */
  until: LocalDate;
  /** Positive minor units off what the invoice was of. */
  amountMinor: bigint;
}

/** An invoice as matching sees it. */
export interface Item {
  invoiceId: string;
  customerId: string;
  /** Normalised number first, then references; see `normaliseToken`. */
  tokens: readonly string[];
  /** It takes money: something is owed on it, or was given up and has not come since. */
  open: boolean;
  /** It is being chased, so money that is not applied to it holds it. */
  chased: boolean;
  /** What is open of the principal, minor units. */
  balanceMinor: bigint;
  /** With the interest and costs that are claimed on the day of the payment; `balanceMinor` where none are. */
  payableMinor: bigint;
  currency: string;
  issuedOn: LocalDate;
  dueOn: LocalDate;
  /** The customer's, whose law says how money for several invoices is shared. */
  country: string;
  /** By how much money for it may be off, by its policy; minor units, 0 where nothing is tolerated. */
  toleranceMinor: bigint;
  /** Null where none was agreed, or part of the invoice is settled already. */
  discount: DiscountTerm | null;
}

/** How a payer came to be known, the surest way first. */
export const PAYER_EVIDENCE = ['account', 'registration', 'alias', 'name', 'ultimateName', 'relation'] as const;
export type PayerEvidence = (typeof PAYER_EVIDENCE)[number];

/** A customer that the payer may be. */
export interface KnownPayer {
  customerId: string;
  by: PayerEvidence;
  /** Of a relation: the parent, who is known by itself. */
  parentId?: string | null;
}

/** What `match` asks of whoever keeps the books. Each is answered from an index, whatever the number of open invoices. */
export type Question =
  /** Invoices of the creditor, open or not, that have one of these tokens, known by the day of the payment. */
  | { ask: 'tokens'; tokens: readonly string[] }
  /** Who pays; several where it is not clear. */
  | { ask: 'payer' }
  /** The open invoices of these customers in the payment's currency, known by its day, up to `MOST_ITEMS`. */
  | { ask: 'itemsOf'; customerIds: readonly string[] }
  /** Open invoices of the creditor of exactly this balance in the payment's currency, known by its day, up to a few. */
  | { ask: 'amount'; amountMinor: bigint };

export type Answer =
  | {
      items: readonly Item[];
      /** There are more than were looked at: nothing may be called the only one. */ truncated: boolean;
    }
  | { payers: readonly KnownPayer[] };

/** Open invoices of a customer that are looked at; who has more is matched by numbers alone. */
export const MOST_ITEMS = 500;

/** Rules in the order in which they are tried (reference: bank-mail-matching, section 6). */
export const RULES = [
  'structuredReference',
  'numbersEqualSum',
  'discountInTime',
  'numberLowerAmount',
  'payerUniqueAmount',
  'nearNumbersEqualSum',
  'twoNumbersAgree',
  'remittanceAdvice',
  'completion',
  'subsetSum',
  'tolerance',
  'bankFees',
  'numbersExceeded',
  'nearNumberLowerAmount',
  'numbersShared',
] as const;
export type Rule = (typeof RULES)[number];

/** What a creditor lets a rule do: apply by itself, propose to a person, nothing. */
export type RuleMode = 'automatic' | 'propose' | 'off';

export interface MatchingSettings {
  modes: Readonly<Record<Rule, RuleMode>>;
  /** Positive minor units of bank fees at most that a payer's bank may keep, in the payment's currency. */
  feesMinor: bigint;
}

/** One reason for a proposal, as data; `reasonText` puts it in words. */
export type Evidence =
  | { kind: 'structuredReference'; invoiceId: string; token: string }
  | { kind: 'number'; invoiceId: string; token: string }
  | { kind: 'nearNumber'; invoiceId: string; token: string; read: string; distance: number }
  | { kind: 'payer'; customerId: string; by: PayerEvidence }
  | { kind: 'equalSum' }
  | { kind: 'excess'; excessMinor: bigint }
  | { kind: 'lowerAmount'; shortMinor: bigint }
  | { kind: 'uniqueAmount' }
  | { kind: 'completedBy'; invoiceIds: string[] }
  | { kind: 'withinTolerance'; differenceMinor: bigint }
  | { kind: 'bankFees'; feesMinor: bigint }
  | { kind: 'discountTaken'; invoiceId: string; discountMinor: bigint }
  | { kind: 'advised' }
  | { kind: 'sharedByLaw' };

/** How sure a proposal is: of `certain` and `strong` ones none was seen wrong, `likely` ones seldom, `possible` ones are guesses. */
export const CONFIDENCES = ['certain', 'strong', 'likely', 'possible'] as const;
export type Confidence = (typeof CONFIDENCES)[number];

export interface Share {
  invoiceId: string;
  customerId: string;
  /** Positive minor units of the money that go to it. */
  amountMinor: bigint;
  /** What of the invoice is given up with it and why: a small difference, a discount, a fee that the bank kept. */
  writeOff: { kind: 'difference' | 'discount' | 'bankFees'; amountMinor: bigint } | null;
}

/** Where money could go and why. */
export interface Proposal {
  rule: Rule;
  shares: Share[];
  evidence: Evidence[];
  confidence: Confidence;
}

/** Why money stays unapplied. */
export type UnappliedReason =
  'nothingQuoted' | 'severalQuoted' | 'closedQuoted' | 'otherCurrency' | 'exceedsBalance' | 'notUnique' | 'proposeOnly';

export type Decision = {
  /** The invoices that the money's text names, open or not: they are held while it is not applied. */
  quoted: Item[];
  /** Who it seems to be from. */
  payers: readonly KnownPayer[];
  /** What else could be meant, the likeliest first. */
  rivals: Proposal[];
} & ({ kind: 'apply'; proposal: Proposal } | { kind: 'review'; reason: UnappliedReason });
