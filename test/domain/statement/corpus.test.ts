import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { DomainError } from '../../../domain/errors.ts';
import { formatAmount } from '../../../domain/money.ts';
import { readStatementSync, sniffFormat } from '../../../domain/statement/read.ts';
import type { Transaction } from '../../../domain/statement/transaction.ts';
import { sorted } from './fixtures.ts';

/** Files that nobody in this project wrote; they are no part of the product, so a checkout may lack them. */
const corpus = process.env['CORPUS_DIR'] ?? path.resolve(import.meta.dirname, '../../../../shared/data');
const folder = path.join(corpus, 'bank-statements');
const absent = !existsSync(folder);
const why = absent ? ` (skipped: no test data at CORPUS_DIR or ${corpus})` : '';

const files = absent
  ? []
  : (readdirSync(folder, { recursive: true }) as string[]).filter((file) => /\.(xml|txt|sta)$/.test(file)).toSorted();

const bytesIn = (file: string): Uint8Array => readFileSync(path.join(folder, file));

/** Snippets of MT940 without a balance name no currency. */
const readIn = (file: string) => sorted(readStatementSync(bytesIn(file), { currency: 'EUR' }));

function sumsOf(transactions: readonly Transaction[]): string {
  const sums = new Map<string, bigint>();
  for (const { currency, amountMinor } of transactions) sums.set(currency, (sums.get(currency) ?? 0n) + amountMinor);
  return [...sums].map(([currency, minor]) => `${formatAmount(minor, currency)} ${currency}`).join(' + ') || '0';
}

function row(file: string): string {
  const format = sniffFormat(bytesIn(file));
  try {
    const { transactions, statements, rejected, warnings } = readIn(file);
    const of = (status: Transaction['status']) => transactions.filter((one) => one.status === status);
    return [
      format,
      `${statements.length} statements of ${statements.map(({ entries }) => entries).join('+') || '0'} entries`,
      `${of('booked').length} booked ${sumsOf(of('booked'))}`,
      `${of('pending').length} pending`,
      `${of('information').length} information`,
      `${transactions.filter(({ returns }) => returns !== null).length} returns`,
      `balance ${statements.map(({ balance }) => balance).join(' ') || 'none'}`,
      ...[...rejected, ...warnings].map(({ code, position }) => `${code} at ${position}`),
    ].join(', ');
  } catch (error) {
    if (error instanceof DomainError) return `${format}, refused: ${error.code}`;
    throw error;
  }
}

test.skipIf(absent)(`every shared bank file is read, or refused with its reason${why}`, () => {
  expect(files).toHaveLength(78);
  expect(Object.fromEntries(files.map((file) => [file, row(file)]))).toMatchSnapshot();
});

test.skipIf(absent)(`of the 29 shared statements of camt.053, 14 add up${why}`, () => {
  const statements = files
    .filter((file) => /camt.?053|camt53|CAMT_053|camt\/banks/.test(file) && !file.includes('wrong'))
    .flatMap((file) => readIn(file).statements);
  expect(statements).toHaveLength(29);
  expect(statements.filter(({ balance }) => balance === 'holds')).toHaveLength(14);
});

test.skipIf(absent)(`of the shared returned debit, 50.00 are undone and 3.00 are a fee${why}`, () => {
  const [returned] = readIn('camt/edge-cases/test-camt-ruecklastschrift.xml').transactions;
  expect(returned).toMatchObject({
    amountMinor: -5_300n,
    feesMinor: 300n,
    returns: { reasonCode: 'MS03', originalAmountMinor: 5_000n },
    counterparty: { name: 'Sven Schuldner' },
  });
});
