import type { LocalDate } from '../time/dates.ts';

/** Where a transaction was told: the kind of message or file. Two of one kind never tell the same thing twice at once. */
export type SourceKind =
  | 'standard'
  | 'qonto'
  | 'bridge'
  | 'stripe'
  | 'gocardless'
  | 'camt.052'
  | 'camt.053'
  | 'camt.054'
  | 'cfonb120'
  | 'mt940'
  | 'csv';

/** `booked` moves money; `pending` is announced and `information` only told: both are shown and never applied. */
export type BookingStatus = 'booked' | 'pending' | 'information';

/** Who stands on the other side: the payer of a credit, the payee of a debit. */
export interface Counterparty {
  name: string | null;
  /** The party behind it (`UltmtDbtr`, NPO, ABWA), where another one pays in its name. */
  ultimateName: string | null;
  /** IBAN or other account number, without spaces, upper case. */
  account: string | null;
}

/** What a bank says of a transaction that undoes another one. */
export interface ReturnInformation {
  /** Mostly an ISO 20022 return reason such as `AC04`, as the bank gives it. */
  reasonCode: string | null;
  /** Ids of the transaction that is undone, where they are told. */
  originalBankId: string | null;
  originalEndToEndId: string | null;
  /**
   * Positive minor units that the original was of; null where only the booked amount is told. A bank may net its fee into
   * what it books: the returned debit of 50.00 with 3.00 of fees books 53.00.
   */
  originalAmountMinor: bigint | null;
  /** The creditor sent it back itself, at its provider: neither a chargeback nor a collection that failed. */
  refund?: true;
}

/**
 * One transaction of a bank account in the one form that everything else reads, whatever bank, file or message it came in
 * (reference: bank-mail-matching, sections 1 and 3). Texts have no NUL and their white space collapsed; an id that
 * a bank fills in to say that there is none (`NOTPROVIDED`, `NONREF`, zeros) is null.
 */
export interface Transaction {
  status: BookingStatus;
  bookedOn: LocalDate;
  valueOn: LocalDate | null;
  /** Signed minor units of `currency`, never zero: credit +, debit −, as booked. */
  amountMinor: bigint;
  currency: string;
  counterparty: Counterparty;
  /** Structured creditor references (`CdtrRefInf/Ref`, LCS), without spaces. */
  structuredReferences: string[];
  /** What the payer wrote, all its lines joined by a blank. */
  remittance: string | null;
  /** What else the bank says: booking text, additional information. Never read for references of the payer when `remittance` is there. */
  bankText: string | null;
  /** The bank's own id of this transaction: `AcctSvcrRef`, the id of a message. Not unique in any file format. */
  bankId: string | null;
  endToEndId: string | null;
  mandateId: string | null;
  /** Set where this undoes another transaction: a rejected debit, a returned transfer, a chargeback. */
  returns: ReturnInformation | null;
  /** Fees that the bank took from the amount or added to it, positive minor units; null where it names none. */
  feesMinor: bigint | null;
  /** Domain, family, bank code: what kind of booking it is, as the bank codes it. Null where it does not. */
  bankCode: string | null;
  source: SourceKind;
  /** Where it stands there: `statement 1, entry 3, detail 2`, `line 12`, the message's id. */
  position: string;
}

/** A record that cannot be used; its neighbours are. */
export interface RejectedRecord {
  position: string;
  /** Stable code, such as `dateInvalid`, `tooManyDecimals`, `recordOutOfPlace`. */
  code: string;
  /** A sentence without the payer's data. */
  message: string;
}

/** `holds`: opening + booked entries = closing; `broken`: they differ; `unknown`: a balance is not told, or entries are in several currencies. */
export type BalanceCheck = 'holds' | 'broken' | 'unknown';

/** One account statement or report of a file, told once all of its records were. */
export interface StatementSummary {
  /** Its place in the file, from 1. */
  position: number;
  /** IBAN or other account number, without spaces, upper case; null where none is told. */
  account: string | null;
  currency: string | null;
  /** The statement's own id or number. */
  reference: string | null;
  /** Signed minor units, with the days they are of. */
  opening: { amountMinor: bigint; on: LocalDate | null } | null;
  closing: { amountMinor: bigint; on: LocalDate | null } | null;
  /** Records read as booked transactions, and their signed sum. A batch counts once. */
  entries: number;
  sumMinor: bigint;
  balance: BalanceCheck;
  /** The bank flags it as a copy or duplicate of one sent before. */
  copy: boolean;
}

/** What a reader of a statement file yields, in the order of the file. */
export type StatementEvent =
  | {
      kind: 'transaction';
      transaction: Transaction;
      /** Which statement of the file, from 1, and whose account that is. */ statement: number;
      account: string | null;
    }
  | { kind: 'rejected'; record: RejectedRecord; statement: number }
  /** The record is used, but not all that it says: `detailsDiffer` where an entry's details do not add up to it. */
  | { kind: 'warning'; record: RejectedRecord; statement: number }
  | { kind: 'statement'; summary: StatementSummary };

/** Formats of statement files. */
export type StatementFormat = 'camt.052' | 'camt.053' | 'camt.054' | 'cfonb120' | 'mt940' | 'csv';
