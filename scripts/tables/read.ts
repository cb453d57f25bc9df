import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { csvRecords } from '../../domain/text/csv-records.ts';
import { normaliseToken } from '../../domain/matching/tokens.ts';
import { StackError } from '../stack/errors.ts';

/** Invoices, payments and their true matches as three CSV files, and how they are read: for benchmarks and for a book. */

const FILES = {
  invoices: [
    'invoice_id',
    'Customer ID',
    'Customer Name',
    'Billing Number',
    'Assignment Number',
    'Currency Code',
    'Amount',
    'Document Date',
    'Due Date',
  ],
  payments: ['payment_id', 'Business Partner', 'Account Number', 'Memo Line', 'Amount', 'Currency', 'Posting Date'],
  matches: ['match_category', 'invoice_ids', 'payment_ids'],
} as const;

/** An invoice of a table. Amounts in hundredths whatever the currency: the tables write JPY and KRW with decimals, too. */
export interface TableInvoice {
  id: string;
  customerId: string;
  customerName: string;
  /** Billing Number and Assignment Number, as they are and normalised. */
  billingNumber: string;
  assignmentNumber: string;
  tokens: string[];
  currency: string;
  amountMinor: bigint;
  issuedOn: string;
  dueOn: string;
}

export interface TablePayment {
  id: string;
  payerName: string;
  payerAccount: string;
  memo: string;
  currency: string;
  amountMinor: bigint;
  bookedOn: string;
}

/** One row of the true matches. */
export interface TableMatch {
  category: string;
  invoiceIds: string[];
  paymentIds: string[];
}

export interface Tables {
  name: string;
  invoices: TableInvoice[];
  payments: TablePayment[];
  matches: TableMatch[];
}

/** Which of the three files of a table are not there. */
export const missingFiles = (prefix: string): string[] =>
  Object.keys(FILES)
    .map((what) => `${prefix}_${what}.csv`)
    .filter((path) => !existsSync(path));

/**
 * Reads `PREFIX_invoices.csv`, `PREFIX_payments.csv` and `PREFIX_matches.csv`.
 * @throws StackError where a file lacks a column or a line cannot be read
 */
export function readTables(prefix: string): Tables {
  const rows = (what: keyof typeof FILES): Record<string, string>[] => readCsv(`${prefix}_${what}.csv`, FILES[what]);
  return {
    name: basename(prefix),
    invoices: rows('invoices').map((row) => ({
      id: row['invoice_id']!,
      customerId: row['Customer ID']!,
      customerName: row['Customer Name']!,
      billingNumber: row['Billing Number']!,
      assignmentNumber: row['Assignment Number']!,
      tokens: [...new Set([row['Billing Number']!, row['Assignment Number']!].map(normaliseToken))],
      currency: row['Currency Code']!,
      amountMinor: hundredths(row['Amount']!),
      issuedOn: day(row['Document Date']!),
      dueOn: day(row['Due Date']!),
    })),
    payments: rows('payments').map((row) => ({
      id: row['payment_id']!,
      payerName: row['Business Partner']!,
      payerAccount: row['Account Number']!,
      memo: row['Memo Line']!,
      currency: row['Currency']!,
      amountMinor: hundredths(row['Amount']!),
      bookedOn: day(row['Posting Date']!),
    })),
    matches: rows('matches').map((row) => ({
      category: row['match_category']!,
      invoiceIds: ids(row['invoice_ids']!),
      paymentIds: ids(row['payment_ids']!),
    })),
  };
}

function readCsv(path: string, wanted: readonly string[]): Record<string, string>[] {
  const text = readFileSync(path, 'utf8');
  const width = (text.split('\n', 1)[0] ?? '').split(',').length;
  const [head, ...records] = [...csvRecords(text, ',', width)].map((record) => {
    if ('broken' in record) throw new StackError(`${path}: line ${record.line} cannot be read.`);
    return record.cells;
  });
  const missing = wanted.filter((column) => !head?.includes(column));
  if (missing.length > 0) throw new StackError(`${path} has no column ${missing.join(', ')}.`);
  return records.map((cells) => Object.fromEntries(cells.map((cell, index) => [head![index]!, cell])));
}

/** Sums of floats are in the tables (`1552294.3599999999`): rounded to the hundredth, half away from zero, in text. */
export function hundredths(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  const digits = fraction.padEnd(3, '0');
  return BigInt(whole + digits.slice(0, 2)) + (digits[2]! >= '5' ? 1n : 0n);
}

const day = (text: string): string => `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}`;
const ids = (text: string): string[] => (JSON.parse(text) as number[]).map(String);
