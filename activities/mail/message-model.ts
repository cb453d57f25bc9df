import type { Channel, CustomerKind, Tone } from '../../domain/policy/types.ts';
import type { LocalDate } from '../../domain/time/dates.ts';

/** Why less than an invoice's total is asked for. */
export type RowNote = 'partPaid' | 'partDisputed' | 'partPromised' | 'accessoriesOnly';

/** One invoice in a message. Amounts are decimal strings in the table's currency. */
export interface MessageRow {
  number: string;
  issuedOn: LocalDate;
  dueOn: LocalDate;
  /** Calendar days past the due date; 0 or less when it is not yet due. */
  daysLate: number;
  /** What this message asks for. */
  amount: string;
  /** What the invoice was issued for; shown where it differs from `amount`. */
  invoiceTotal: string;
  note?: RowNote | null;
}

/** One instalment of a plan: the `n`th `of` so many. */
export interface Instalment {
  dueOn: LocalDate;
  amount: string;
  currency: string;
  n: number;
  of: number;
  /** The last day on which it still counts as kept; needed by `plan-late`. */
  lastGraceDay?: LocalDate;
}

/**
 * What is claimed in one currency, decimal strings that add up to `total`. The principal is the total of the table in
 * that currency. What is null or left out is not claimed and not mentioned.
 */
export interface Claim {
  currency: string;
  principal: string;
  interest?: string | null;
  /** The fixed compensation for the costs of recovery (40 EUR an invoice between businesses). */
  compensation?: string | null;
  costs?: string | null;
  total: string;
  /** Interest of one further day. */
  perDay?: string | null;
}

/** Everything a template may say. Names and free texts may hold anything: they are cleaned and escaped by `renderMessage`. */
export interface MessageModel {
  /** BCP 47. The words are French, German or English (any other language reads English); numbers and dates follow the region. */
  locale: string;
  tone: Tone;
  channel: Channel;
  creditor: { name: string; replyTo: string | null; iban: string | null; addressLines: string[] };
  customer: { name: string; addressLines: string[] };
  /** The person addressed; left out or without a name, the salutation is general. Only a call script shows the numbers. */
  contact?: { name: string | null; phones?: readonly { number: string; name: string | null }[] };
  /** To be quoted with the payment; it also stands in the subject, in square brackets. */
  reference: string;
  today: LocalDate;
  /** One per currency; empty for a thank-you note. */
  tables: { currency: string; total: string; rows: MessageRow[] }[];
  /** Oldest first; what was said and done so far, in the reader's language. Only the call script shows it. */
  history: { on: LocalDate; what: string }[];
  /** Needed by `thank-you`. */
  paid?: { amounts: { amount: string; currency: string }[]; numbers: string[] };
  /** `https://…` (or `http://…` on a developer's machine). */
  portalUrl: string | null;
  /** The last day for paying, where the message sets one (`last-reminder`, `formal-notice`, a final `reminder`). */
  payBy?: LocalDate | null;
  /** Needed by `plan-note`; for `plan-due` and `plan-late` those that are still to be paid, where they are to be shown. */
  instalments?: { dueOn: LocalDate; amount: string; currency: string }[];
  /** Needed by `plan-due` and `plan-late`, which do well without tables: what is asked for is this instalment. */
  instalment?: Instalment;
  /** What is claimed beside the principal; without it only that is asked for. */
  claim?: Claim;
  /** Days for paying from receipt of a formal notice; it goes before `payBy`. */
  deadlineDays?: number;
  /**
   * Whom the creditor collects for, where it does (CPCE R124-4). Without letters this is the first one, in which it
   * presents itself; later contacts repeat reference and date of those there were.
   */
  collector?: {
    principal: { name: string; addressLines: string[] };
    letters: { reference: string; on: LocalDate }[];
  };
  /** It is the copy by e-mail of a letter, and says so. */
  copy?: boolean;
  /** What the debtor is and where (ISO 3166-1 alpha-2): a formal notice names the law only where it applies. */
  customerKind?: CustomerKind;
  country?: string;
}
