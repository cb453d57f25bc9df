import type { Channel, Tone } from '../../domain/policy/types.ts';
import type { LocalDate } from '../../domain/time/dates.ts';

/** Why less than an invoice's total is asked for. */
export type RowNote = 'partPaid' | 'partDisputed' | 'partPromised';

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

/** Everything a template may say. Names and free texts may hold anything: they are cleaned and escaped by `renderMessage`. */
export interface MessageModel {
  /** BCP 47. The words are French, German or English (any other language reads English); numbers and dates follow the region. */
  locale: string;
  tone: Tone;
  channel: Channel;
  creditor: { name: string; replyTo: string | null; iban: string | null; addressLines: string[] };
  customer: { name: string; addressLines: string[] };
  /** The person addressed; left out or without a name, the salutation is general. */
  contact?: { name: string | null };
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
  /** Needed by `plan-note`. */
  instalments?: { dueOn: LocalDate; amount: string; currency: string }[];
}
