import type { Account, EntryKind } from '../ledger/postings.ts';
import type { LocalDate } from '../time/dates.ts';
import { runningBalance } from './running-balance.ts';

/** What a line of a customer's statement is. */
export type StatementLineKind =
  | 'invoice'
  | 'creditNote'
  | 'receipt'
  | 'return'
  | 'interest'
  | 'compensation'
  | 'costs'
  | 'waiver'
  | 'difference'
  | 'discount'
  | 'writeOff'
  | 'recovery'
  | 'transfer';

/** A journal entry as one customer sees it, in one currency. Signed minor units: debit +, credit −. */
export interface CustomerEntry {
  on: LocalDate;
  kind: EntryKind;
  /** What the entry does to the customer's account: its receivables, and its money and credit that are not applied yet. */
  deltaMinor: bigint;
  /** The entry's other side, by account. */
  others: readonly { account: Account; amountMinor: bigint }[];
  /** Number of the invoice or credit note, or what the payer wrote. */
  reference: string | null;
  invoiceId: string | null;
}

export interface CustomerLine {
  on: LocalDate;
  kind: StatementLineKind;
  reference: string | null;
  invoiceId: string | null;
  /** More is owed +, less −. Minor units. */
  amountMinor: bigint;
  /** What is owed after it; negative in the customer's favour. */
  balanceMinor: bigint;
}

export interface CustomerStatement {
  openingMinor: bigint;
  lines: readonly CustomerLine[];
  closingMinor: bigint;
}

/** A statement of account as it is drawn: what a customer was billed and has paid in one currency. */
export interface StatementDocument {
  locale: string;
  date: LocalDate;
  from: LocalDate;
  to: LocalDate;
  currency: string;
  creditor: StatementParty;
  customer: StatementParty;
  /** Country from which it is sent. */
  fromCountry: string;
  statement: CustomerStatement;
}

/** Address lines as they are on record, the country last. */
export interface StatementParty {
  name: string;
  addressLines: readonly string[];
  registration: string | null;
  vatId: string | null;
  email: string | null;
}

/**
 * The account of a customer in one currency from `from` to `to`, both counted: what was owed before, one line for each
 * thing that moved it, and what is owed afterwards. Opening and lines add up to closing, whatever the journal holds:
 * what no account of the other side explains is money that moved between customers (`transfer`). Entries in the order of
 * the journal; the lines come by date.
 */
export function statementOfCustomer(
  entries: readonly CustomerEntry[],
  from: LocalDate,
  to: LocalDate,
): CustomerStatement {
  const before = entries.filter(({ on }) => on < from);
  const openingMinor = before.reduce((sum, { deltaMinor }) => sum + deltaMinor, 0n);
  const moves = entries
    .filter(({ on }) => from <= on && on <= to)
    .flatMap((entry) => {
      const { on, reference, invoiceId } = entry;
      return movesOf(entry).map((move) => ({ on, reference, invoiceId, ...move }));
    });
  const lines = runningBalance(moves, openingMinor);
  return { openingMinor, lines, closingMinor: lines.at(-1)?.balanceMinor ?? openingMinor };
}

/** One move for each account of the other side; the rest, if any, is a transfer. */
function movesOf({ kind, deltaMinor, others }: CustomerEntry): { kind: StatementLineKind; amountMinor: bigint }[] {
  const moves = others.flatMap(({ account, amountMinor }) => {
    const line = lineOf(account, kind);
    return line === null ? [] : [{ kind: line, amountMinor: -amountMinor }];
  });
  const rest = moves.reduce((left, { amountMinor }) => left - amountMinor, deltaMinor);
  return rest === 0n ? moves : [...moves, { kind: 'transfer', amountMinor: rest }];
}

function lineOf(account: Account, kind: EntryKind): StatementLineKind | null {
  switch (account) {
    case 'sales':
      return 'invoice';
    case 'creditNotes':
      return 'creditNote';
    case 'bank':
    case 'agency':
      return kind === 'returned' || kind === 'agencyRemittanceUndone' ? 'return' : 'receipt';
    case 'interest':
    case 'compensation':
    case 'costs':
      return account;
    case 'interestWaived':
      return 'waiver';
    case 'differences':
    case 'bankFees':
      return 'difference';
    case 'discounts':
      return 'discount';
    case 'losses':
      return 'writeOff';
    case 'recoveries':
      return 'recovery';
    case 'receivable':
    case 'unappliedCash':
    case 'unappliedCredit':
    case 'vat':
    case 'allowance':
    case 'allowanceExpense':
    case 'allowanceReleased':
    case 'setAside':
      return null;
  }
}
