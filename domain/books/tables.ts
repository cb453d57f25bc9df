import { formatAmount } from '../money.ts';
import { bookLines, type BookEntry } from './book-lines.ts';
import type { Chart } from './chart.ts';

/** The journal as plain CSV, for any accounting software: each currency as it is. */
export const JOURNAL_COLUMNS = [
  'journal',
  'number',
  'on',
  'validatedOn',
  'kind',
  'account',
  'accountName',
  'customer',
  'customerName',
  'piece',
  'pieceOn',
  'text',
  'debit',
  'credit',
  'currency',
] as const;

export function journalRows(entry: BookEntry, chart: Chart): string[][] {
  return bookLines(entry, chart).map(({ journal, account, customer, text, amountMinor }) => [
    chart.journals[journal].number,
    String(entry.number),
    entry.onDate,
    entry.validatedOn,
    entry.kind,
    chart.accounts[account].number,
    chart.accounts[account].label,
    customer?.reference ?? '',
    customer?.name ?? '',
    entry.piece,
    entry.pieceOn,
    text,
    amountMinor > 0n ? formatAmount(amountMinor, entry.currency) : '',
    amountMinor < 0n ? formatAmount(-amountMinor, entry.currency) : '',
    entry.currency,
  ]);
}

/** The sub-ledger: what moved the balance of each invoice. */
export const SUBLEDGER_COLUMNS = [
  'customer',
  'customerName',
  'invoice',
  'issuedOn',
  'dueOn',
  'on',
  'kind',
  'debit',
  'credit',
  'balance',
  'currency',
] as const;

export interface SubledgerInvoice {
  customer: string;
  customerName: string;
  number: string;
  issuedOn: string;
  dueOn: string;
  currency: string;
  /** Balance before the first day of the period, minor units. */
  openingMinor: bigint;
  /** Signed minor units: debit +, credit −. */
  movements: readonly { on: string; kind: string; amountMinor: bigint }[];
}

/** An opening row where something was owed before the period, then a row each movement. */
export function subledgerRows(invoice: SubledgerInvoice): string[][] {
  const { currency } = invoice;
  const who = [invoice.customer, invoice.customerName, invoice.number, invoice.issuedOn, invoice.dueOn];
  const amount = (minor: bigint): string => formatAmount(minor, currency);
  let balance = invoice.openingMinor;
  const rows = balance === 0n ? [] : [[...who, '', 'opening', '', '', amount(balance), currency]];
  for (const { on, kind, amountMinor } of invoice.movements) {
    balance += amountMinor;
    const [debit, credit] = amountMinor > 0n ? [amount(amountMinor), ''] : ['', amount(-amountMinor)];
    rows.push([...who, on, kind, debit, credit, amount(balance), currency]);
  }
  return rows;
}
