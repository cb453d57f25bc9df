import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseAmount } from '../../domain/money.ts';
import { parsePolicy } from '../../domain/policy/parse.ts';
import { bankMessage, BOOK_POLICY } from '../../scripts/book/play.ts';
import { decimalText, readYear } from '../../scripts/book/year.ts';
import { UsageError } from '../../scripts/start/options.ts';
import { hundredths, readTables } from '../../scripts/tables/read.ts';
import { writeSmallTable } from './small-table.ts';

describe('amounts of a table', () => {
  test('lose the noise of floats: rounded to the hundredth, half away from zero', () => {
    expect(hundredths('1552294.3599999999')).toBe(155_229_436n);
    expect(hundredths('158001.36000000002')).toBe(15_800_136n);
    expect(hundredths('0.005')).toBe(1n);
    expect(hundredths('0.00499')).toBe(0n);
    expect(hundredths('12.999')).toBe(1_300n);
    expect(hundredths('12')).toBe(1_200n);
    expect(hundredths('12.5')).toBe(1_250n);
  });

  test('are written in the scale of their currency, or not at all', () => {
    expect(decimalText(120_005n, 'EUR')).toBe('1200.05');
    expect(decimalText(120_000n, 'JPY')).toBe('1200');
    expect(decimalText(120_050n, 'KRW')).toBeNull();
    expect(decimalText(100n, 'XXY')).toBeNull();
    expect(parseAmount(decimalText(155_229_436n, 'USD')!, 'USD')).toBe(155_229_436n);
  });
});

describe('a year of a table', () => {
  const folder = mkdtempSync(join(tmpdir(), 'relance-table-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const prefix = writeSmallTable(folder);

  test('is its invoices, the payments that belong to them in the order of their dates, and what was left out', () => {
    const year = readYear(prefix, 2017);
    expect(year).toMatchObject({ table: 'small', year: 2017, from: '2017-09-20', to: '2017-10-12' });
    expect(year.invoices).toHaveLength(12);
    expect(year.leftOut).toEqual({ invoices: 1, payments: 1 });
    const dates = year.payments.map(({ bookedOn }) => bookedOn);
    expect(dates).toEqual(dates.toSorted());
    expect(year.invoices[0]).toMatchObject({ number: '7000000001', reference: 'INV700001', amount: '100.10' });
    expect(year.payments.find(({ id }) => id === '2')).toMatchObject({
      amount: '501.30',
      meant: ['7000000002', '7000000003'],
    });
    // The same table holds another year, whose payment is not ours.
    expect(year.payments.map(({ id }) => id)).not.toContain('90');
    expect(readYear(prefix, 2018).invoices.map(({ number }) => number)).toEqual(['8000000001']);
  });

  test('has customers with a country, a language and an address in a reserved domain', () => {
    const { customers } = readYear(prefix, 2017);
    expect(customers.map(({ country, locale }) => `${country} ${locale}`)).toEqual(['FR fr', 'DE de', 'GB en']);
    for (const { email } of customers) expect(email).toMatch(/^accounts@[a-z0-9-]+\.example$/);
  });

  test('is told as a bank tells it', () => {
    const [payment] = readYear(prefix, 2017).payments;
    expect(bankMessage(payment!)).toEqual({
      type: 'transaction.booked',
      timestamp: '2017-09-22T05:00:00Z',
      data: {
        id: '1',
        bookedOn: '2017-09-22',
        amount: '100.10',
        currency: 'EUR',
        direction: 'credit',
        counterparty: { name: 'Alder & Co', iban: 'XX00ALDER0000000000001' },
        remittance: 'no 7000000001 thanks',
      },
    });
  });

  test('is looked after by a policy that Relance takes, without interest', () => {
    expect(parsePolicy(BOOK_POLICY)).toMatchObject({ name: 'book', interest: null, approvalAbove: null });
  });

  test('that is not there is a sentence that says which are', () => {
    expect(() => readYear(prefix, 1999)).toThrow(UsageError);
    expect(() => readYear(prefix, 1999)).toThrow('--year 1999: the table has 2017 to 2018.');
    expect(() => readYear(prefix, undefined)).toThrow(/needs --year: the table has 2017 to 2018\./);
    expect(() => readYear(`${prefix}-not`, 2017)).toThrow(/there is no such table; .*-not_invoices\.csv/);
  });

  test('cannot be read from a file without its columns', () => {
    for (const what of ['invoices', 'payments', 'matches'])
      writeFileSync(join(folder, `odd_${what}.csv`), 'a,b\n1,2\n');
    expect(() => readTables(join(folder, 'odd'))).toThrow(/odd_invoices\.csv has no column invoice_id, Customer ID/);
  });
});
