import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A table as `npm start -- --book` reads it, all of it invented: a dozen invoices, and payments as people make them. */

const CUSTOMERS: Readonly<Record<string, string>> = { A1: 'Alder & Co', B2: 'Birch GmbH', C3: 'Cedar Ltd' };

// id, number, reference, customer, currency, amount, document date, due date
const INVOICES = [
  [1, '7000000001', 'INV700001', 'A1', 'EUR', '100.1', '20170920', '20171002'],
  [2, '7000000002', 'INV700002', 'A1', 'EUR', '200.2', '20170920', '20171002'],
  [3, '7000000003', 'INV700003', 'A1', 'EUR', '301.1', '20170920', '20171004'],
  [4, '7136284950', 'INV713628', 'B2', 'EUR', '412.35', '20170920', '20170928'],
  [5, '7000000005', 'INV700005', 'B2', 'EUR', '999.99', '20170920', '20170925'],
  [6, '7000000006', 'INV700006', 'B2', 'USD', '1234.5', '20170920', '20170929'],
  [7, '7000000007', 'INV700007', 'C3', 'USD', '650', '20170920', '20170925'],
  [8, '7000000008', 'INV700008', 'C3', 'JPY', '5000', '20170920', '20170930'],
  [9, '7000000009', 'INV700009', 'C3', 'JPY', '4321.75', '20170920', '20170930'],
  [10, '7000000010', 'INV700010', 'C3', 'USD', '77.77', '20170920', '20170926'],
  [11, '7000000011', 'INV700011', 'A1', 'EUR', '850', '20170922', '20171006'],
  [12, '7000000012', 'INV700012', 'A1', 'EUR', '60.06', '20170922', '20170925'],
  [13, '7000000013', 'INV700013', 'B2', 'EUR', '45', '20170922', '20171010'],
  [90, '8000000001', 'INV800001', 'A1', 'EUR', '10', '20180920', '20181001'],
] as const;

// id, payer, account, text, amount, currency, posting date, category, invoices
const PAYMENTS = [
  // Exactly, with a number.
  [1, 'Alder & Co', 'ALDER', 'no 7000000001 thanks', '100.1', 'EUR', '20170922', 'one', [1]],
  // One payment for two invoices, with the noise of a float.
  [2, 'Alder & Co', 'ALDER', '7000000002 | 7000000003', '501.29999999999995', 'EUR', '20171003', 'multi', [2, 3]],
  // A slip of the pen in the number, the amount is right.
  [4, 'Birch GmbH', 'BIRCH', 'invoice 7136284590', '412.35', 'EUR', '20170927', 'one', [4]],
  // A few cents are missing.
  [5, 'Birch GmbH', 'BIRCH', '7000000005', '999.94', 'EUR', '20171009', 'one', [5]],
  // In two parts.
  [6, 'Birch GmbH', 'BIRCH', 'first part of 7000000006', '1000', 'USD', '20170926', 'parts', [6]],
  [7, 'Birch GmbH', 'BIRCH', 'rest of 7000000006', '234.5', 'USD', '20171012', 'parts', [6]],
  // By its reference, from somebody who changed the name.
  [8, 'CDR TRADING', 'CEDAR', 'INV700007', '650', 'USD', '20171005', 'one', [7]],
  [9, 'Cedar Ltd', 'CEDAR', '7000000008', '5000', 'JPY', '20170925', 'one', [8]],
  // Yen with decimals: left out, as is their invoice.
  [10, 'Cedar Ltd', 'CEDAR', '7000000009', '4321.75', 'JPY', '20170925', 'one', [9]],
  // Nothing that names its invoice, from nobody known, and no amount that is due.
  [11, 'Unknown sender', 'OTHER', 'as agreed', '811.11', 'EUR', '20171006', 'one', [11]],
  [90, 'Alder & Co', 'ALDER', '8000000001', '10', 'EUR', '20180925', 'one', [90]],
] as const;

/** Writes its three files into a folder. Returns the prefix of their names. */
export function writeSmallTable(folder: string): string {
  const prefix = join(folder, 'small');
  const write = (what: string, head: string, rows: readonly (readonly unknown[])[]): void =>
    writeFileSync(`${prefix}_${what}.csv`, `${head}\n${rows.map((cells) => cells.join(',')).join('\n')}\n`);
  write(
    'invoices',
    'invoice_id,Assignment Number,Billing Number,Customer ID,Customer Name,Currency Code,Amount,Document Date,Due Date',
    INVOICES.map(([id, number, reference, customer, currency, amount, on, due]) => [
      id,
      reference,
      number,
      customer,
      CUSTOMERS[customer],
      currency,
      amount,
      on,
      due,
    ]),
  );
  write(
    'payments',
    'payment_id,Business Partner,Account Number,Memo Line,Amount,Currency,Posting Date',
    PAYMENTS.map(([id, payer, account, memo, amount, currency, on]) => [
      id,
      payer,
      `XX00${account}0000000000001`,
      memo,
      amount,
      currency,
      on,
    ]),
  );
  const matches = new Map<string, { category: string; payments: number[] }>();
  for (const [id, , , , , , , category, invoices] of PAYMENTS) {
    const key = JSON.stringify(invoices);
    matches.set(key, { category, payments: [...(matches.get(key)?.payments ?? []), id] });
  }
  write(
    'matches',
    'match_id,match_category,invoice_ids,payment_ids',
    [...matches].map(([invoices, { category, payments }], index) => [
      index,
      category,
      `"${invoices}"`,
      `"${JSON.stringify(payments)}"`,
    ]),
  );
  return prefix;
}
