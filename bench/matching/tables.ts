import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { csvRecords } from '../../domain/text/csv-records.ts';
import { normaliseToken } from '../../domain/matching/tokens.ts';

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

/** Reads `NAME_invoices.csv`, `NAME_payments.csv` and `NAME_matches.csv` of a folder (described in its README). */
export function readTables(folder: string, name: string): Tables {
  const rows = (what: string): Record<string, string>[] => readCsv(join(folder, `${name}_${what}.csv`));
  return {
    name,
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

function readCsv(path: string): Record<string, string>[] {
  const text = readFileSync(path, 'utf8');
  const width = text.slice(0, text.indexOf('\n')).split(',').length;
  const [head, ...records] = [...csvRecords(text, ',', width)].map((record) => {
    if ('broken' in record) throw new Error(`${path}: line ${record.line} is broken.`);
    return record.cells;
  });
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
