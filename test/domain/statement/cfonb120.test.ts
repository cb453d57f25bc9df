import { describe, expect, test } from 'vitest';
import { sniffFormat } from '../../../domain/statement/read.ts';
import { bytesOf, cfonb, faultsOf, latin1Of, punched, read, type CfonbParts } from './fixtures.ts';

const opening = cfonb({ kind: '01', amount: punched(100_000n) });
const closing = (minor: bigint) => cfonb({ kind: '07', amount: punched(minor) });
const lines = (...records: string[]): string => `${records.join('\n')}\n`;
const operation = (parts: Partial<CfonbParts> = {}) => cfonb({ kind: '04', code: '05', ...parts });
const detail = (qualifier: string, text: string) => cfonb({ kind: '05', qualifier, text });
const one = (...records: string[]) => read(lines(opening, ...records, closing(110_000n))).transactions[0]!;

describe('an operation', () => {
  test('is told with all its details, in their order', () => {
    const file = read(
      lines(
        opening,
        operation({ valueOn: '191126', label: 'VIR SEPA RECU', reference: 'BANK-7' }),
        detail('LIB', 'Facture'),
        detail('NPY', 'ACME SAS'),
        detail('LCC', 'F-2026-0042'),
        detail('', ''),
        detail('X?X', 'unknown'),
        detail('LC2', 'et F-2026-0043'),
        detail('LCS', 'RF18 5390 0754 7034'),
        detail('NPO', 'ACME Holding'),
        detail('RCN', `${'E2E-1'.padEnd(35)}SALA`),
        detail('RUM', 'MANDATE-1'),
        detail('REF', 'REMISE 12'),
        closing(110_000n),
      ),
    );
    expect(file.transactions).toEqual([
      {
        status: 'booked',
        bookedOn: '2026-11-20',
        valueOn: '2026-11-19',
        amountMinor: 10_000n,
        currency: 'EUR',
        counterparty: { name: 'ACME SAS', ultimateName: 'ACME Holding', account: null },
        structuredReferences: ['RF18539007547034'],
        remittance: 'Facture F-2026-0042 et F-2026-0043',
        bankText: 'VIR SEPA RECU REMISE 12',
        bankId: 'BANK-7',
        endToEndId: 'E2E-1',
        mandateId: 'MANDATE-1',
        returns: null,
        feesMinor: null,
        bankCode: '05',
        source: 'cfonb120',
        position: 'line 2',
      },
    ]);
    expect(file.statements).toEqual([
      {
        position: 1,
        account: '300060000112345678901',
        currency: 'EUR',
        reference: null,
        opening: { amountMinor: 100_000n, on: '2026-11-20' },
        closing: { amountMinor: 110_000n, on: '2026-11-20' },
        entries: 1,
        sumMinor: 10_000n,
        balance: 'holds',
        copy: false,
      },
    ]);
    expect(file.rejected).toEqual([]);
  });

  test.each(['{ABCDEFGHI', '}JKLMNOPQR'])('has its sign in its last digit: %s', (digits) => {
    for (const [digit, char] of digits.split('').entries()) {
      const amount = `000000000123${char}`.padStart(14, '0');
      const minor = BigInt(1230 + digit) * (digits.startsWith('{') ? 1n : -1n);
      expect(one(operation({ amount })).amountMinor).toBe(minor);
    }
  });

  test.each([
    ['EUR', '2', 10_000n],
    ['   ', ' ', 10_000n],
    ['EUR', '3', 1_000n],
    ['EUR', '0', 1_000_000n],
    ['JPY', '0', 10_000n],
    ['BHD', '3', 10_000n],
  ])('in %j with %j decimals counts %s', (currency, decimals, minor) => {
    const account = cfonb({ kind: '01', currency, amount: punched(0n) });
    const file = read(lines(account, operation({ currency, decimals, amount: punched(10_000n) })));
    expect(file.transactions[0]!.amountMinor).toBe(minor);
  });

  test.each([
    ['05', null],
    ['A3', null],
    ['B1', null],
    ['03', 'AC'],
    ['10', 'AC'],
    ['12', 'AC'],
    ['27', 'AC'],
    ['33', 'AC'],
    ['34', 'AC'],
  ])('of the code %s undoes something: %s', (code, reasonCode) => {
    const { returns } = one(operation({ code, reason: 'AC', amount: punched(-500n) }), detail('RCN', 'E2E-9'));
    expect(returns).toEqual(
      reasonCode === null
        ? null
        : { reasonCode, originalBankId: null, originalEndToEndId: 'E2E-9', originalAmountMinor: null },
    );
  });

  test('tells fees and the amount before them, where they are of its currency', () => {
    const debit = operation({ code: '10', amount: punched(-5_300n) });
    const told = (currency: string) =>
      one(debit, detail('MMO', `${currency}200000000005000`), detail('FEE', `${currency}200000000000300`));
    expect(told('EUR')).toMatchObject({ feesMinor: 300n, returns: { originalAmountMinor: 5_000n } });
    expect(told('USD')).toMatchObject({ feesMinor: null, returns: { originalAmountMinor: null } });
  });

  test('names the payee of a debit, or whom the bank calls its payer', () => {
    const debit = operation({ amount: punched(-1n) });
    expect(one(debit, detail('NPY', 'Us'), detail('NBE', 'Shop'), detail('NBU', 'Chain')).counterparty).toEqual({
      name: 'Shop',
      ultimateName: 'Chain',
      account: null,
    });
    expect(one(debit, detail('NPY', 'Shop')).counterparty.name).toBe('Shop');
  });

  test('names the payee of what comes back to us', () => {
    const back = one(operation({ code: '12' }), detail('NBE', 'Shop'));
    expect(back).toMatchObject({ counterparty: { name: 'Shop' }, returns: { reasonCode: null } });
  });

  test('tells the account of the other side where an id is one', () => {
    const account = 'DE89370400440532013000';
    expect(one(operation(), detail('IPY', account)).counterparty.account).toBe(account);
    expect(one(operation(), detail('IPY', '552100554')).counterparty.account).toBeNull();
    const debit = operation({ amount: punched(-1n) });
    expect(one(debit, detail('CBE', account), detail('NBE', 'Shop')).counterparty.account).toBe(account);
  });

  test('is undone where the bank gives a reason for it', () => {
    const debit = operation({ code: 'B1', amount: punched(-500n) });
    expect(one(debit, detail('RET', 'AC04 COMPTE CLOS'))).toMatchObject({
      returns: { reasonCode: 'AC04' },
      bankText: 'AC04 COMPTE CLOS',
    });
    expect(one(debit, detail('RET', 'x')).returns).toBeNull();
    expect(one(debit, detail('LIB', 'AC04')).returns).toBeNull();
  });

  test('goes on within a word where a text is full', () => {
    const full = 'FACTURE '.repeat(9).slice(0, 66);
    expect(one(operation(), detail('LCC', `${full}2026`), detail('LC2', '-0042 ET SUITE')).remittance).toBe(
      `${full}2026-0042 ET SUITE`,
    );
  });

  test.each([
    ['VIR SEPA RECU /DE ACME SARL', ['/MOTIF FACT 417 /REF E2E-1'], 'VIR SEPA RECU /DE ACME SARL'],
    ['VIR SEPA RECU /DE ACME SARL /MO', ['TIF FACT 417 /REF E2E-1'], 'VIR SEPA RECU /DE ACME SARL /MO'],
    ['VIR SEPA RECU', ['/DE ACME SARL', '/MOTIF FACT 417', '/REF E2E-1'], 'VIR SEPA RECU'],
    ['VIR RECU', ['DE: ACME SARL DATE: 19/11', 'MOTIF: FACT 417 REF: E2E-1'], 'VIR RECU 19/11'],
  ])('is freed of the words of French banks: %s', (label, texts, bankText) => {
    expect(one(operation({ label }), ...texts.map((text) => detail('LIB', text)))).toMatchObject({
      counterparty: { name: 'ACME SARL' },
      remittance: 'FACT 417 E2E-1',
      bankText,
    });
  });

  test('keeps what only looks like such words', () => {
    expect(one(operation(), detail('LIB', 'MOTIF : FACT 417')).remittance).toBe('MOTIF : FACT 417');
  });

  test('has no id where there are only zeros', () => {
    expect(one(operation({ reference: '0000000000000000' })).bankId).toBeNull();
  });
});

describe('records', () => {
  const records = [opening, operation(), operation(), closing(120_000n)];

  test.each([
    ['lines', lines(...records)],
    ['Windows lines with blanks between them', records.join('\r\n\r\n')],
    ['short lines', records.map((record) => record.trimEnd()).join('\n')],
    [
      'of French letters for the braces',
      lines(...records)
        .replaceAll('{', 'é')
        .replaceAll('}', 'è'),
    ],
    ['one run', records.join('')],
    ['one run with an end of file', `${records.join('')}\u001a`],
  ])('may be %s', (_, file) => {
    const { transactions, statements, rejected } = read(file);
    expect([transactions.length, statements[0]!.balance, rejected]).toEqual([2, 'holds', []]);
    expect(sniffFormat(bytesOf(file))).toBe('cfonb120');
  });

  test('are Latin-1 or UTF-8', () => {
    const file = lines(opening, operation(), detail('NPY', 'SOCIÉTÉ GÉNÉRALE'), closing(110_000n));
    for (const bytes of [latin1Of(file), bytesOf(file)]) {
      expect(read(bytes).transactions[0]!.counterparty.name).toBe('SOCIÉTÉ GÉNÉRALE');
    }
  });

  test('of several statements are told apart', () => {
    const { statements } = read(lines(...records, opening, closing(100_000n)));
    expect(statements.map(({ position, entries, balance }) => [position, entries, balance])).toEqual([
      [1, 2, 'holds'],
      [2, 0, 'holds'],
    ]);
  });
});

describe('each break has its own code, and neighbours are read', () => {
  test.each([
    [
      'an operation outside',
      [operation(), detail('LIB', 'x'), opening, operation(), closing(110_000n)],
      ['operationOutsideStatement at line 1'],
      1,
    ],
    [
      'a detail without an operation',
      [opening, detail('LIB', 'x'), operation(), closing(110_000n)],
      ['detailWithoutOperation at line 2'],
      1,
    ],
    [
      'an opening in an open statement',
      [opening, operation(), opening, operation(), closing(110_000n)],
      ['openingBeforeClosing at line 3'],
      2,
    ],
    [
      'a closing without an opening',
      [opening, operation(), closing(110_000n), closing(0n)],
      ['closingWithoutOpening at line 4'],
      1,
    ],
    [
      'a record that does not exist',
      [opening, operation(), '99 what is this', operation(), closing(120_000n)],
      ['recordUnknown at line 3'],
      2,
    ],
    ['no closing', [opening, operation()], ['fileEndsEarly at end'], 1],
    ['30 February', [opening, operation({ on: '300226' }), operation(), closing(0n)], ['dateInvalid at line 2'], 1],
    [
      'a value date that is none',
      [opening, operation({ valueOn: '321326' }), operation(), closing(0n)],
      ['dateInvalid at line 2'],
      1,
    ],
    [
      'an opening date that is none',
      [cfonb({ kind: '01', on: '  CART' }), operation(), closing(0n)],
      ['dateInvalid at line 1'],
      1,
    ],
    [
      'a closing date that is none',
      [opening, operation(), cfonb({ kind: '07', on: '000000' })],
      ['dateInvalid at line 3'],
      1,
    ],
    [
      'a sign that is none',
      [opening, operation({ amount: '00000000001234' }), operation(), closing(0n)],
      ['amountInvalid at line 2'],
      1,
    ],
    [
      'letters in an amount',
      [opening, operation({ amount: '0000000O00123{' }), operation(), closing(0n)],
      ['amountInvalid at line 2'],
      1,
    ],
    [
      'decimals that are none',
      [opening, operation({ decimals: 'X' }), operation(), closing(0n)],
      ['amountInvalid at line 2'],
      1,
    ],
    [
      'too many decimals',
      [opening, operation({ decimals: '3', amount: punched(1_001n) }), operation(), closing(0n)],
      ['tooManyDecimals at line 2'],
      1,
    ],
    [
      'an unknown currency',
      [opening, operation({ currency: 'EUX' }), operation(), closing(0n)],
      ['unknownCurrency at line 2'],
      1,
    ],
    [
      'another currency than that of the account',
      [opening, operation({ currency: 'USD' }), operation(), closing(0n)],
      ['currencyMismatch at line 2'],
      1,
    ],
    ['zero', [opening, operation({ amount: punched(0n) }), operation(), closing(0n)], ['amountZero at line 2'], 1],
    [
      'negative zero',
      [opening, operation({ amount: '0000000000000}' }), operation(), closing(0n)],
      ['amountZero at line 2'],
      1,
    ],
    [
      'a rejected operation, which takes its details along',
      [opening, operation({ on: '000000' }), detail('LIB', 'x'), operation(), closing(0n)],
      ['dateInvalid at line 2'],
      1,
    ],
  ])('%s', (_, records, faults, transactions) => {
    const file = read(lines(...records));
    expect(faultsOf(file)).toEqual(faults);
    expect(file.transactions).toHaveLength(transactions);
  });

  test.each(['\n', ''])('a last operation that may be cut, with %j between records, is not told', (between) => {
    const records = [opening, operation(), operation(), detail('LIB', 'F-2026-0123')];
    const cut = records.join(between).slice(0, -60 - 3);
    const file = read(cut);
    expect(file.transactions).toHaveLength(1);
    expect(faultsOf(file)).toEqual(['fileEndsEarly at end']);
    // A bank that leaves blanks out ends its lines, and a closed statement is whole.
    expect(read(`${cut}\n`).transactions).toHaveLength(2);
    expect(read([...records, closing(0n).trimEnd()].join('\n')).transactions).toHaveLength(2);
  });

  test('an opening balance with a broken date still counts', () => {
    const file = read(lines(cfonb({ kind: '01', on: 'XX1126', amount: punched(1n) }), closing(1n)));
    expect(file.statements[0]).toMatchObject({ opening: { amountMinor: 1n, on: null }, balance: 'holds' });
    const none = read(lines(cfonb({ kind: '01', amount: 'X'.repeat(14) }), closing(1n)));
    expect(none.statements[0]).toMatchObject({ opening: null, balance: 'unknown' });
  });
});
