import { describe, expect, test } from 'vitest';
import { sniffFormat, type CsvMapping } from '../../../domain/statement/read.ts';
import { bytesOf, faultsOf, latin1Of, read } from './fixtures.ts';

const FRENCH = `Compte courant;FR76...
Solde au;30/11/2026

Date opération;Date de valeur;Libellé;Débit;Crédit;Devise;Solde
20/11/2026;21/11/2026;"VIR ACME; Facture F-2026-0042";;1 200,50;EUR;2 200,50
21/11/2026;21/11/2026;PRLV LOYER;-800,00;;EUR;1 400,50
`;
const GERMAN = `"Buchungstag";"Wertstellung";"Auftraggeber/Empfänger";"IBAN";"Verwendungszweck";"Kundenreferenz";"Betrag";"Währung";"Saldo nach Buchung"
"21.11.2026";"21.11.2026";"Vermieter";"DE89 3704 0044 0532 0130 00";"Miete";"NOTPROVIDED";"-800,00";"EUR";"1.400,50"
"20.11.2026";"20.11.2026";"ACME GmbH";"DE89370400440532013000";"Rechnung
F-2026-0042";"E2E-1";"1.200,50";"EUR";"2.200,50"
`;
const ENGLISH = `Date,Description,Amount
11/20/2026,Invoice 42,1200.50
11/21/2026,Rent,(800.00)
`;

describe('a bank’s table', () => {
  test('in French: two columns of amounts, what stands above it, the oldest first', () => {
    const file = read(latin1Of(FRENCH));
    expect(file.transactions).toEqual([
      {
        status: 'booked',
        bookedOn: '2026-11-20',
        valueOn: '2026-11-21',
        amountMinor: 120_050n,
        currency: 'EUR',
        counterparty: { name: null, ultimateName: null, account: null },
        structuredReferences: [],
        remittance: 'VIR ACME; Facture F-2026-0042',
        bankText: null,
        bankId: null,
        endToEndId: null,
        mandateId: null,
        returns: null,
        feesMinor: null,
        bankCode: null,
        source: 'csv',
        position: 'line 5',
      },
      expect.objectContaining({ amountMinor: -80_000n, position: 'line 6' }),
    ]);
    expect(file.statements).toEqual([
      {
        position: 1,
        account: null,
        currency: 'EUR',
        reference: null,
        opening: { amountMinor: 100_000n, on: null },
        closing: { amountMinor: 140_050n, on: '2026-11-21' },
        entries: 2,
        sumMinor: 40_050n,
        balance: 'holds',
        copy: false,
      },
    ]);
    expect(file.rejected).toEqual([]);
  });

  test('in German: names, accounts, ids, the newest first', () => {
    const { transactions, statements } = read(GERMAN);
    expect(transactions).toMatchObject([
      {
        amountMinor: -80_000n,
        endToEndId: null,
        counterparty: { name: 'Vermieter', account: 'DE89370400440532013000' },
      },
      { amountMinor: 120_050n, endToEndId: 'E2E-1', remittance: 'Rechnung F-2026-0042', position: 'line 3' },
    ]);
    expect(statements[0]).toMatchObject({
      opening: { amountMinor: 100_000n },
      closing: { amountMinor: 140_050n },
      balance: 'holds',
    });
  });

  test('in English: the month first, the currency of the caller', () => {
    const { transactions, statements } = read(ENGLISH, { currency: 'USD' });
    expect(transactions.map(({ bookedOn, amountMinor, currency }) => [bookedOn, amountMinor, currency])).toEqual([
      ['2026-11-20', 120_050n, 'USD'],
      ['2026-11-21', -80_000n, 'USD'],
    ]);
    expect(statements[0]).toMatchObject({ currency: 'USD', opening: null, balance: 'unknown' });
    expect(faultsOf(read(ENGLISH))).toEqual(['currencyMissing at line 2', 'currencyMissing at line 3']);
  });

  test('is recognised by its header, others are not', () => {
    for (const file of [FRENCH, GERMAN, ENGLISH]) expect(sniffFormat(bytesOf(file))).toBe('csv');
    expect(sniffFormat(bytesOf('a;b;c\n1;2;3\n'))).toBeNull();
    expect(sniffFormat(bytesOf('Date,Name\n1,2\n'))).toBeNull();
  });

  test('is read by a mapping, which goes before names', () => {
    const csv: CsvMapping = {
      bookedOn: 'when',
      amount: 'How Much',
      id: 'key',
      remittance: 'Text 2',
      counterparty: 'who',
    };
    const file = 'key|when|Date|how much|Text 1|Text 2|Who\nK1|2026-11-20|x|12.5|a|b|ACME\n';
    expect(read(file, { format: 'csv', csv, currency: 'EUR' }).transactions[0]).toMatchObject({
      bookedOn: '2026-11-20',
      amountMinor: 1_250n,
      remittance: 'b',
      bankId: 'K1',
      counterparty: { name: 'ACME' },
    });
    expect(() => read(file, { format: 'csv', csv: { ...csv, balance: 'nowhere' } })).toThrow(
      expect.objectContaining({ code: 'columnMissing' }),
    );
    expect(() => read(file, { format: 'csv', csv: { ...csv, bookedOn: 'nowhere' } })).toThrow(
      expect.objectContaining({ code: 'csvNoHeader' }),
    );
    expect(() => read('only text', { format: 'csv' })).toThrow(expect.objectContaining({ code: 'csvNoHeader' }));
  });

  test.each([
    ['dateMissing', ';1,50;EUR'],
    ['dateInvalid', '30.02.2026;1,50;EUR'],
    ['amountMissing', '20.11.2026;;EUR'],
    ['amountInvalid', '20.11.2026;1,5,0;EUR'],
    ['amountInvalid', '20.11.2026;many;EUR'],
    ['amountZero', '20.11.2026;0,00;EUR'],
    ['amountZero', '20.11.2026;-0,00;EUR'],
    ['tooManyDecimals', '20.11.2026;1,505;EUR'],
    ['currencyMissing', '20.11.2026;1,50;'],
    ['unknownCurrency', '20.11.2026;1,50;EUX'],
    ['currencyMismatch', '20.11.2026;1,50 USD;EUR'],
    ['columnCount', '20.11.2026;1,50'],
    ['rowBroken', '20.11.2026;"1,50;EUR'],
  ])('rejects a row by itself: %s', (code, row) => {
    const file = read(`Datum;Betrag;Währung\n19.11.2026;10,25;EUR\n${row}\n21.11.2026;20,25;EUR\n`);
    expect(faultsOf(file)).toEqual([`${code} at line 3`]);
    expect(file.transactions.map(({ amountMinor }) => amountMinor)).toEqual([1_025n, 2_025n]);
  });

  test.each([
    ['10,25;', -1_025n],
    ['-10,25;', -1_025n],
    [';10,25', 1_025n],
    ['0,00;10,25', 1_025n],
    ['10,25;0,00', -1_025n],
  ])('has its sign by the column: %s', (cells, minor) => {
    expect(read(`Datum;Soll;Haben;Währung\n19.11.2026;${cells};EUR\n`).transactions[0]!.amountMinor).toBe(minor);
  });

  test('with an amount on both sides is rejected', () => {
    expect(faultsOf(read('Datum;Soll;Haben;Währung\n19.11.2026;1,25;2,25;EUR\n'))).toEqual([
      'amountAmbiguous at line 2',
    ]);
  });

  test.each([
    ['Datum;Betrag;Soll/Haben', ['10,25;H', '10,25;S'], [1_025n, -1_025n]],
    ['Datum;Bedrag (EUR);Af Bij', ['10,25;Bij', '10,25;Af'], [1_025n, -1_025n]],
    ['Date;Amount;Dr/Cr', ['10.25;CR', '-10.25;DR'], [1_025n, -1_025n]],
    ['Date;Amount;Transaction Type', ['10.25;credit', '10.25;debit'], [1_025n, -1_025n]],
    ['Date;Amount;Type', ['10.25;credit', '10.25;transfer'], [1_025n, 1_025n]],
    ['Datum;Umsatz; ', ['10,25;H', '10,25;S'], [1_025n, -1_025n]],
    ['Datum;Bedrag;Richting', ['10,25;C', '10,25;D'], [1_025n, -1_025n]],
    ['Datum;Bedrag;Rubriek', ['10,25;C', '10,25;C'], [1_025n, 1_025n]],
    ['Datum;Bedrag;Rubriek', ['-10,25;C', '10,25;D'], [-1_025n, 1_025n]],
    ['Datum;Betrag', ['10,25+', '10,25-'], [1_025n, -1_025n]],
  ])('has its sign by the word beside it: %s', (header, cells, minors) => {
    const rows = cells.map((cell) => `19.11.2026;${cell}\n`).join('');
    expect(read(`${header}\n${rows}`, { currency: 'EUR' }).transactions.map(({ amountMinor }) => amountMinor)).toEqual(
      minors,
    );
  });

  test('whose direction is no known word is rejected', () => {
    const file = read('Datum;Betrag;S/H\n19.11.2026;1,25;?\n20.11.2026;1,25;H\n', { currency: 'EUR' });
    expect([faultsOf(file), file.transactions.length]).toEqual([['signInvalid at line 2'], 1]);
  });

  test.each([
    ['Status', 'Gebucht', 'booked'],
    ['State', 'COMPLETED', 'booked'],
    ['Info', 'Umsatz vorgemerkt', 'pending'],
    ['State', 'PENDING', 'pending'],
    ['Statut', 'Refusé', 'information'],
    ['State', 'REVERTED', 'information'],
    ['Info', 'Lieferung wurde storniert, Rest in Rechnung 12', 'booked'],
  ])('is %s %s: %s', (header, word, status) => {
    const file = read(`Date;Montant;${header}\n19/11/2026;1,25;${word}\n`, { currency: 'EUR' });
    expect([file.transactions[0]!.status, file.statements[0]!.entries]).toEqual([status, status === 'booked' ? 1 : 0]);
  });

  test.each([
    ['Date,Description,Amount (GBP)', '19/11/2026,x,1.25', 'GBP'],
    ['Datum;Gutschrift in CHF;Lastschrift in CHF', '19.11.2026;1,25;', 'CHF'],
    ['Dato;Beløb;Valuta', '19-11-2026;1,25;DKK', 'DKK'],
  ])('is in the currency that its header names, else its row: %s', (header, row, currency) => {
    const { transactions } = read(`${header}\n${row}\n`, { currency: 'EUR' });
    expect(transactions).toMatchObject([{ amountMinor: 125n, currency }]);
  });

  test.each([
    ['Zahlungspflichtige*r;Zahlungsempfänger*in;IBAN', 'Kunde;Wir;DE89370400440532013000', 'Kunde', 'Kunde'],
    ['Payer Name;Payee Name;IBAN', ';Shop;DE89370400440532013000', null, 'Shop'],
    ['Payee;Note;IBAN', 'Kunde;x;DE89370400440532013000', 'Kunde', 'Kunde'],
    ['Naam;Naam tegenpartij;IBAN', 'Wij;;DE89370400440532013000', null, null],
    ['Counterparty;Name;Note', 'DE89 3704 0044 0532 0130 00;Kunde;x', 'Kunde', 'Kunde'],
  ])('names whoever is on the other side: %s', (header, cells, ofCredit, ofDebit) => {
    const name = (amount: string, row: string) =>
      read(`Date;Amount;${header}\n19/11/2026;${amount};${row}\n`, { currency: 'EUR' }).transactions[0]!.counterparty;
    expect(name('1.25', cells)).toMatchObject({ name: ofCredit, account: 'DE89370400440532013000' });
    const turned = header.startsWith('Zahlung') ? cells.replace(/^(.*?);(.*?);/, '$2;$1;') : cells;
    expect(name('-1.25', turned).name).toBe(ofDebit);
  });

  test('does not take the own account for the payer’s', () => {
    const first = read('IBAN;Datum;Betrag\nDE89370400440532013000;19.11.2026;1,25\n', { currency: 'EUR' });
    expect(first.transactions[0]!.counterparty.account).toBeNull();
    const named = read('IBAN;Datum;Betrag\nDE89370400440532013000;19.11.2026;1,25\n', {
      currency: 'EUR',
      csv: { account: 'IBAN' },
    });
    expect(named.transactions[0]!.counterparty.account).toBe('DE89370400440532013000');
    const same = read('Date;Account;Amount\n19/11/2026;20-00-00 12345678;1.25\n20/11/2026;20-00-00 12345678;2.25\n', {
      currency: 'GBP',
    });
    expect(same.transactions.map(({ counterparty }) => counterparty.account)).toEqual([null, null]);
    const masked = read('Compte;Date;Montant\n4974****1234;19/11/2026;1,25\n', { currency: 'EUR' });
    expect(masked.statements[0]!.account).toBeNull();
    const told = read(
      'Auftragskonto;Buchungstag;Betrag;Kontonummer/IBAN\nDE89370400440532013000;19.11.26;1,25;DE12500105170648489890\n',
      { currency: 'EUR' },
    );
    expect([told.statements[0]!.account, told.transactions[0]!.counterparty.account]).toEqual([
      'DE89370400440532013000',
      'DE12500105170648489890',
    ]);
  });

  test('joins what the payer wrote, each text once, apart from the bank’s words', () => {
    const file = read(
      'Datum;Bedrag;Mutatiesoort;Omschrijving-1;Omschrijving-2;Betalingskenmerk;Machtigingskenmerk\n' +
        '19-11-2026;1,25;Overschrijving;Factuur 2026-0042 en 43;Factuur 2026-0042;+++090/9337/55493+++;M-1\n',
      { currency: 'EUR' },
    );
    expect(file.transactions[0]).toMatchObject({
      remittance: 'Factuur 2026-0042 en 43',
      bankText: 'Overschrijving',
      structuredReferences: ['090933755493'],
      mandateId: 'M-1',
    });
  });

  test('frees a label of the words of French banks', () => {
    const file = read('Date;Libellé;Montant\n19/11/2026;VIR SEPA RECU /DE ACME /MOTIF FACT 417 /REF E2E;1,25\n', {
      currency: 'EUR',
    });
    expect(file.transactions[0]).toMatchObject({
      counterparty: { name: 'ACME' },
      remittance: 'FACT 417 E2E',
      bankText: 'VIR SEPA RECU',
    });
  });

  test('of ABN AMRO has no header, and texts as in MT940', () => {
    const file = read(
      '417164300\tEUR\t20261120\t1000,00\t1010,25\t20261121\t10,25\t/TRTP/SEPA/IBAN/NL20INGB0001234567/NAME/ACME/REMI/F-1/EREF/E1\n' +
        '417164300\tEUR\t20261121\t1010,25\t1005,25\t20261121\t-5,00\tBEA NR:X\n',
    );
    expect(sniffFormat(bytesOf('417164300\tEUR\t20261120\t1000,00\t1010,25\t20261121\t10,25\tx\n'))).toBe('csv');
    expect(file.transactions).toMatchObject([
      {
        bookedOn: '2026-11-20',
        valueOn: '2026-11-21',
        amountMinor: 1_025n,
        counterparty: { name: 'ACME', account: 'NL20INGB0001234567' },
        remittance: 'F-1',
        endToEndId: 'E1',
        bankText: 'SEPA',
        position: 'line 1',
      },
      { amountMinor: -500n, remittance: 'BEA NR:X' },
    ]);
    expect(file.statements[0]).toMatchObject({ account: '417164300', balance: 'holds' });
  });

  test('tells a returned debit with its original and its fee', () => {
    const file = read(
      'Buchungstag;Buchungstext;Verwendungszweck;Lastschrift Ursprungsbetrag;Auslagenersatz Ruecklastschrift;Betrag;Waehrung\n' +
        '20.11.26;RUECKLASTSCHRIFT;RE 42 RUECKGABEGRUND: AC04;50,00;3,00;-53,00;EUR\n' +
        '20.11.26;GUTSCHRIFT;Ruecklastschrift RE 42;;;53,00;EUR\n',
    );
    expect(file.transactions).toMatchObject([
      { amountMinor: -5_300n, feesMinor: 300n, returns: { reasonCode: 'AC04', originalAmountMinor: 5_000n } },
      { amountMinor: 5_300n, feesMinor: null, returns: null },
    ]);
  });

  test('may hold balances and end in notes, which are no transactions', () => {
    const file = read(
      'Datum;Buchungstext;Betrag;Saldo\n01.11.2026;Anfangssaldo;1.000,00;1.000,00\n20.11.2026;RE 42;10,25;1.010,25\n' +
        'Summe;;10,25;\n\nHinweis:\nDiese Liste ist kein Kontoauszug.\n',
      { currency: 'EUR' },
    );
    expect([file.transactions.length, faultsOf(file), file.statements[0]!.balance]).toEqual([
      1,
      ['balanceRow at line 2'],
      'holds',
    ]);
    const dated = read('Date;Libellé;Montant;Solde\n20/11/2026;Solde initial au 20/11/2026;;5,00\n', {
      currency: 'EUR',
    });
    expect([dated.transactions.length, dated.rejected]).toEqual([0, []]);
    const paid = read('Date;Libellé;Montant\n20/11/2026;Solde final facture 12;1,25\n', { currency: 'EUR' });
    expect(paid.transactions).toHaveLength(1);
    const within = read('Datum;Betrag\n19.11.2026;1,25\nSumme;1,25\n20.11.2026;2,25\n', { currency: 'EUR' });
    expect(faultsOf(within)).toEqual(['dateInvalid at line 3']);
  });

  test('may repeat its header, and tell balances before each row', () => {
    const file = read(
      'Datum;Saldo;Bedrag\n19.11.2026;100,00;10,25\nDatum;Saldo;Bedrag\n20.11.2026;110,25;-5,00\n21.11.2026;105,25;1,00\n',
      { currency: 'EUR' },
    );
    expect([file.transactions.length, file.rejected]).toEqual([3, []]);
    expect(file.statements[0]).toMatchObject({
      opening: { amountMinor: 10_000n },
      closing: { amountMinor: 10_625n },
      balance: 'holds',
    });
  });

  test('may be written so that a spreadsheet leaves it alone, with balances written otherwise than amounts', () => {
    const file = read('Date;Montant;Référence;Solde\n="20/11/2026";="1 200,50";="00123";2200.50\n', {
      currency: 'EUR',
    });
    expect(file.transactions[0]).toMatchObject({ amountMinor: 120_050n, remittance: '00123' });
    expect(file.statements[0]!.closing!.amountMinor).toBe(220_050n);
  });

  test.each([
    'dateOp;dateVal;label;amount',
    'Data księgowania;Opis operacji;Kwota',
    'Fecha Operación;Concepto;Importe',
    'Data contabile;Descrizione;Accrediti;Addebiti',
    'Bokføringsdato;Beskrivelse;Ut;Inn',
    'Boekingsdatum;Mededelingen;Bedrag',
    'Settlement date (UTC),Counterparty name,Total amount (incl. VAT)',
    'Kirjauspäivä;Määrä EUROA;Viesti',
  ])('is recognised by headers of many banks: %s', (header) => {
    expect(sniffFormat(bytesOf(`${header}\n`))).toBe('csv');
  });

  test('with rejected rows or balances that do not go on has none that holds', () => {
    expect(read(FRENCH.replace('1 400,50', '1 400,51')).statements[0]!.balance).toBe('broken');
    expect(read(FRENCH.replace('-800,00', 'x')).statements[0]!.balance).toBe('unknown');
    expect(read(FRENCH.replace('1 400,50', '')).statements[0]!.balance).toBe('unknown');
  });
});
