import { describe, expect, test } from 'vitest';
import { DecimalEvidence, parseAmountText, type DecimalMark } from '../../domain/text/amount-text.ts';
import { DateOrderEvidence, parseDateText } from '../../domain/text/date-text.ts';
import { decodeTable, decodeWindows1252 } from '../../domain/text/encoding.ts';
import { collectionFromTerms, dueOnFromTerms } from '../../domain/imports/terms.ts';
import { collectionMethod, countryCode, customerKind, documentKind, localeTag } from '../../domain/imports/values.ts';

const decimalMark = (...amounts: string[]): DecimalMark => {
  const evidence = new DecimalEvidence();
  amounts.forEach((amount) => evidence.see(amount));
  return evidence.mark();
};

describe('amounts', () => {
  test.each<[string[], DecimalMark]>([
    [['1.234,56'], ','],
    [['1,234.56'], '.'],
    [['1.234', '12,5'], ','],
    [['1,234', '0.50'], '.'],
    [['1.234.567'], ','],
    [['1234,567'], ','],
    [['1 234,567'], ','],
    [['0,567'], ','],
    [['1.234', '999'], null],
    [['1,50', '1.50'], 'mixed'],
  ])('the mark that %j show is %j', (amounts, mark) => expect(decimalMark(...amounts)).toBe(mark));

  test.each<[string, DecimalMark, string, boolean]>([
    ['1.234,56', ',', '1234.56', false],
    ['1 234,56', ',', '1234.56', false],
    ['1\u00a0234,56', ',', '1234.56', false],
    ['12\u202f345,6', ',', '12345.6', false],
    ["1'234.50", '.', '1234.50', false],
    ['1,234.56', '.', '1234.56', false],
    ['1234.5', '.', '1234.5', false],
    ['1.234', ',', '1234', false],
    ['1.234', '.', '1.234', false],
    ['1200', null, '1200', false],
    ['007', null, '7', false],
    ['.50', '.', '0.50', false],
    ['-12,50', ',', '12.50', true],
    ['\u2212 12,50', ',', '12.50', true],
    ['12,50-', ',', '12.50', true],
    ['(12.50)', '.', '12.50', true],
    ['+12.50', '.', '12.50', false],
  ])('%j with mark %j is %s', (text, mark, decimal, negative) =>
    expect(parseAmountText(text, mark)).toEqual({ decimal, negative, currency: null }),
  );

  test.each([
    ['12,50 €', 'EUR'],
    ['EUR 12,50', 'EUR'],
    ['£12,50', 'GBP'],
    ['$12,50', null],
    ['-12,50 CHF', 'CHF'],
  ])('%j carries the currency %j', (text, currency) =>
    expect(parseAmountText(text, ',')).toMatchObject({ decimal: '12.50', currency }),
  );

  test.each<[string, DecimalMark]>([
    ['12.50', ','],
    ['12,50', '.'],
    ['1.23.456', ','],
    ['12 50,00', ','],
    ['1,2,3', ','],
    ['1.2E+05', '.'],
    ['abc', '.'],
    ['--5', '.'],
    ['-5-', '.'],
    ['', '.'],
    ['１２', '.'],
  ])('%j with mark %j is no amount', (text, mark) =>
    expect(parseAmountText(text, mark)).toEqual({ problem: 'amountInvalid' }),
  );

  test.each<DecimalMark>([null, 'mixed'])('1.234 is not guessed at when the column is %j', (mark) =>
    expect(parseAmountText('1.234', mark)).toEqual({ problem: 'amountAmbiguous' }),
  );
});

describe('dates', () => {
  test.each([
    ['2026-03-04', '2026-03-04'],
    ['2026-03-04T00:00:00Z', '2026-03-04'],
    ['2026-03-04 00:00:00.000', '2026-03-04'],
    ['2026/3/4', '2026-03-04'],
    ['20260304', '2026-03-04'],
    ['04/03/2026', '2026-03-04'],
    ['4.3.2026', '2026-03-04'],
    ['04-03-26', '2026-03-04'],
    ['31.12.99', '1999-12-31'],
    ['4 mars 2026', '2026-03-04'],
    ['1er février 2026', '2026-02-01'],
    ['4. März 2026', '2026-03-04'],
    ['March 4, 2026', '2026-03-04'],
    ['29.02.2028', '2028-02-29'],
  ])('%s is %s', (text, on) => expect(parseDateText(text)).toBe(on));

  test.each(['30.02.2026', '2026-13-01', '12/2026', '45000', '', 'soon', '00.00.0000', '4.3.1026'])(
    '%j is no date',
    (text) => expect(parseDateText(text)).toBeNull(),
  );

  test('month first where the column shows it and nothing speaks against', () => {
    const order = (...dates: string[]) => {
      const evidence = new DateOrderEvidence();
      dates.forEach((date) => evidence.see(date));
      return evidence.order();
    };
    expect(order('03/04/2026', '03/14/2026')).toBe('monthFirst');
    expect(order('03/04/2026', '14/03/2026')).toBe('dayFirst');
    expect(order('14/03/2026', '03/14/2026')).toBe('dayFirst');
    expect(order('03/04/2026')).toBeNull();
    expect(parseDateText('03/14/2026', 'monthFirst')).toBe('2026-03-14');
  });
});

describe('encodings', () => {
  const euros = 'Müller — 5 €';
  test('windows-1252 has its own characters where Latin-1 has controls', () =>
    expect(decodeWindows1252(Uint8Array.of(0x80, 0x93, 0x9f, 0xfc, 0x41))).toBe('€“ŸüA'));
  test('UTF-16 is known without its mark', () => {
    const text = 'number;amount\nA;1\n';
    expect(decodeTable(Buffer.from(text, 'utf16le'))).toEqual({ text, encoding: 'utf-16le' });
    expect(decodeTable(Buffer.from(text, 'utf16le').swap16())).toEqual({ text, encoding: 'utf-16be' });
  });
  test('a damaged byte does not turn a UTF-8 file into another encoding', () => {
    const bytes = Buffer.concat([Buffer.from(`${euros}\n`), Uint8Array.of(0x41, 0xff, 0x0a), Buffer.from(euros)]);
    expect(decodeTable(bytes)).toEqual({ text: `${euros}\nA\ufffd\n${euros}`, encoding: 'utf-8' });
  });
});

describe('due dates in payment terms', () => {
  const issued = '2018-03-05';
  test.each([
    ['Zahlbar innerhalb 30 Tagen netto bis 04.04.2018, 3% Skonto innerhalb 10 Tagen bis 15.03.2018', '2018-04-04'],
    ['Zahlbar innerhalb von 14 Tagen ohne Abzug.', '2018-03-19'],
    ['10 Tage 2% Skonto, 30 Tage netto', '2018-04-04'],
    ['Bei Zahlung innerhalb 10 Tagen 2 % Skonto oder 30 Tage netto.', '2018-04-04'],
    ['Zahlbar sofort rein netto', '2018-03-05'],
    ['Bitte überweisen Sie den Betrag bis zum 4. April 2018.', '2018-04-04'],
    ['Fällig am 04.04.2018. Bei Verzug Zinsen ab dem 05.04.2018.', '2018-04-04'],
    ['Der Betrag wird am 20.03.2018 per SEPA-Lastschrift eingezogen.', '2018-03-20'],
    ['30 days net', '2018-04-04'],
    ['Net 30.', '2018-04-04'],
    ['2/10 net 30', '2018-04-04'],
    ['2% 10 days, net 30 days', '2018-04-04'],
    ['Due on April 4, 2018', '2018-04-04'],
    ['Payable by 4 April 2018 without discount', '2018-04-04'],
    ['Due on receipt', '2018-03-05'],
    ['Paiement à 30 jours', '2018-04-04'],
    ['Paiement à 30 jours, pas d’escompte pour paiement anticipé. Retard : pénalités dès 10 jours.', '2018-04-04'],
    ['À régler avant le 4 avril 2018', '2018-04-04'],
    ['Paiement à réception de facture', '2018-03-05'],
    ['45 jours fin de mois', '2018-05-15'],
    ['30 jours fin de mois', '2018-04-30'],
    ['04.04.2018', '2018-04-04'],
  ])('%s', (terms, due) => expect(dueOnFromTerms(terms, issued)).toBe(due));

  test.each([
    ['Wir würden zu den Fälligkeiten 01.07.2018, 01.10.2018 abbuchen.'],
    ['Würden Sie ein Mandat erteilen, wenn wir am 01.07.2018 abbuchen?'],
    ['Zahlbar in 14 Tagen, spätestens in 30 Tagen'],
    ['3% Skonto bis 15.03.2018'],
    ['Gemäß Angebot vom 01.02.2018'],
    ['30 jours fin de mois le 10'],
    ['10 jours ouvrés'],
    ['10 Werktage'],
    ['Vielen Dank für Ihren Auftrag'],
    [''],
  ])('none in: %s', (terms) => expect(dueOnFromTerms(terms, issued)).toBeNull());

  test('an announced direct debit, not an offered one', () => {
    const announced =
      'Der Betrag in Höhe von EUR 529,87 wird am 20.03.2018 von Ihrem Konto per SEPA-Lastschrift eingezogen.';
    expect(collectionFromTerms(announced, issued)).toEqual({ on: '2018-03-20' });
    expect(collectionFromTerms('Le montant sera prélevé le 20/03/2018', issued)).toEqual({ on: '2018-03-20' });
    expect(collectionFromTerms('We will collect the amount.', issued)).toEqual({ on: null });
    expect(collectionFromTerms('Wir würden dann zum 01.07.2018 abbuchen', issued)).toBeNull();
  });

  test('hostile terms take no time', () => {
    const started = performance.now();
    for (const piece of ['1 ', 'zahlbar ', '30 ', '1.1.', 'wird ', 'ab ', 'le 1 '])
      dueOnFromTerms(piece.repeat(20_000), issued);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('values', () => {
  test('meanings in three languages', () => {
    expect([documentKind('Avoir'), documentKind('Gutschrift'), documentKind('381')]).toEqual(
      Array(3).fill('creditNote'),
    );
    expect([documentKind('FACTURE'), documentKind('Rechnung'), documentKind('380')]).toEqual(Array(3).fill('invoice'));
    expect(documentKind('Zahlung')).toBeNull();
    expect([customerKind('Particulier'), customerKind('Behörde'), customerKind('B2B')]).toEqual([
      'consumer',
      'publicBody',
      'business',
    ]);
    expect([countryCode('fr'), countryCode('Allemagne'), countryCode('Österreich'), countryCode('XX')]).toEqual([
      'FR',
      'DE',
      'AT',
      null,
    ]);
    expect([localeTag('de_ch'), localeTag('Français'), localeTag('klingon')]).toEqual(['de-CH', 'fr', null]);
    expect([collectionMethod('Prélèvement SEPA'), collectionMethod('Überweisung'), collectionMethod('Karte')]).toEqual([
      'directDebit',
      'transfer',
      null,
    ]);
  });
});
