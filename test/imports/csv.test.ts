import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import { readCsv, type CsvOptions } from '../../domain/imports/csv.ts';
import type { ImportedDocument, RowResult } from '../../domain/imports/document.ts';

const rows = (text: string, options: CsvOptions = {}): RowResult[] => [...readCsv(Buffer.from(text), options).rows];
const HEAD = 'number;issuedOn;dueOn;amount;currency;customer.name\n';

/** One row under the usual header; `fields` in its order. */
const one = (fields: string, options: CsvOptions = {}): RowResult => rows(HEAD + fields, options)[0]!;
const document = (result: RowResult | undefined): ImportedDocument => {
  if (!result || !('document' in result)) throw new Error(`not a document: ${JSON.stringify(result)}`);
  return result.document;
};
const codes = (result: RowResult | undefined): string[] =>
  result && 'faults' in result ? result.faults.map(({ pointer, code }) => `${pointer} ${code}`) : ['none'];

const wholeFile = (text: string | Uint8Array, options: CsvOptions = {}): string => {
  try {
    readCsv(typeof text === 'string' ? Buffer.from(text) : text, options);
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  return 'read';
};

describe('a table', () => {
  test('a French export', () => {
    const text =
      'N° facture;Client;Code client;Date facture;Échéance;Montant TTC;Devise;Référence de paiement;Type de pièce;Pays\r\n' +
      'F-2026-1;"Société ""Été""; Fils";C1;05/03/2026;04/04/2026;1 234,56;EUR;RF18539007547034;Facture;France\r\n' +
      'A-2026-1;Dupont;C2;06/03/2026;;-12,50 €;;;Avoir;\r\n';
    const table = readCsv(Buffer.from(text));
    expect(table).toMatchObject({
      delimiter: ';',
      encoding: 'utf-8',
      decimalMark: ',',
      dateOrder: 'dayFirst',
      rowCount: 2,
    });
    const [first, second] = [...table.rows];
    expect(first).toEqual({
      line: 2,
      document: {
        kind: 'invoice',
        number: 'F-2026-1',
        issuedOn: '2026-03-05',
        dueOn: '2026-04-04',
        dueOnSource: 'document',
        amount: '1234.56',
        currency: 'EUR',
        customer: {
          reference: 'C1',
          name: 'Société "Été"; Fils',
          email: null,
          country: 'FR',
          kind: null,
          locale: null,
          registrationId: null,
          vatId: null,
          address: null,
        },
        seller: null,
        vat: [],
        references: ['RF18539007547034'],
        orderReference: null,
        correctsNumber: null,
        collection: null,
        iban: null,
        terms: null,
      },
    });
    expect(document(second)).toMatchObject({
      kind: 'creditNote',
      amount: '12.50',
      currency: 'EUR',
      dueOnSource: 'none',
    });
  });

  test('everything a table may say', () => {
    const text =
      'number,issuedOn,amount,currency,customer.reference,customer.email,customer.kind,customer.locale,collection.method,' +
      'collection.on,terms,chaseFrom,lastStepSent,policy,orderReference,correctsNumber,Street,ZIP,City\n' +
      'A,2026-03-01,10,EUR,C1,a@example.com,consumer,de,Lastschrift,2026-03-20,30 days net,2026-04-01,reminder-1,mine,PO7,X1,Hauptstr. 1,10115,Berlin\n';
    expect(document(rows(text)[0])).toMatchObject({
      dueOn: '2026-03-31',
      dueOnSource: 'terms',
      chaseFrom: '2026-04-01',
      lastStepSent: 'reminder-1',
      policy: 'mine',
      orderReference: 'PO7',
      correctsNumber: 'X1',
      collection: { method: 'directDebit', on: '2026-03-20' },
      customer: {
        reference: 'C1',
        name: null,
        email: 'a@example.com',
        kind: 'consumer',
        locale: 'de',
        address: { lines: ['Hauptstr. 1'], postalCode: '10115', city: 'Berlin', country: null },
      },
    });
  });

  test('rows can be read again', () => {
    const { rows: twice } = readCsv(Buffer.from(`${HEAD}A;2026-01-01;;1;EUR;B\n`));
    expect([...twice]).toEqual([...twice]);
  });

  test.each([
    ['', 'csvEmpty'],
    ['\n \n', 'csvEmpty'],
    ['A;2026-01-01;;1;EUR;B\n', 'csvNoHeader'],
    ['%PDF-1.7 x', 'csvNoHeader'],
    ['number;amount\nA;1\n', 'columnMissing'],
    [`number${';x'.repeat(500)}\n`, 'csvTooManyColumns'],
    [HEAD, 'read'],
  ])('%j as a whole: %s', (text, code) => expect(wholeFile(text)).toBe(code));

  test('columns that the caller names wrongly concern the whole file', () => {
    expect(wholeFile(HEAD, { columns: 'number' })).toBe('columnsInvalid');
    expect(wholeFile(HEAD, { columns: 'number=Nummer' })).toBe('columnMissing');
  });

  test.each(['\n', '\r\n', '\r'])('line break %j, blank lines, a separator line and spaces before quotes', (br) => {
    const text = `sep=|${br}${br}number|issuedOn|amount|currency|customer.name${br}${br}A| 2026-01-01 |1|EUR| "x|y"${br}|||||${br}B|2026-01-02|2|EUR|z`;
    const read = rows(text);
    expect(read.map(({ line }) => line)).toEqual([5, 7]);
    expect(read.map((row) => document(row).customer.name)).toEqual(['x|y', 'z']);
  });
});

describe('the faults of a row', () => {
  test.each([
    [';2026-01-01;;1;EUR;B', ['/number required']],
    ['A;;;1;EUR;B', ['/issuedOn required']],
    ['A;2026-01-01;;;EUR;B', ['/amount required']],
    ['A;2026-01-01;;1;EUR;', ['/customer/name required']],
    ['A;2026-01-01;;1;;B', ['/currency required']],
    ['A;2026-02-30;;1;EUR;B', ['/issuedOn dateInvalid']],
    ['A;2026-03-01;2026-02-01;1;EUR;B', ['/dueOn dueBeforeIssue']],
    ['A;2026-01-01;;1.005;EUR;B', ['/amount amountAmbiguous']],
    ['A;2026-01-01;;1234.005;EUR;B', ['/amount tooManyDecimals']],
    ['A;2026-01-01;;402279.7300000001;EUR;B', ['/amount tooManyDecimals']],
    ['A;2026-01-01;;12.5;JPY;B', ['/amount tooManyDecimals']],
    ['A;2026-01-01;;12.50;XYZ;B', ['/currency unknownCurrency']],
    ['A;2026-01-01;;0.00;EUR;B', ['/amount amountZero']],
    ['A;2026-01-01;;12,50 €;USD;B', ['/amount currencyMismatch']],
    ['A;2026-01-01;;9999999999999999999;EUR;B', ['/amount amountInvalid']],
    [`${'A'.repeat(101)};2026-01-01;;1;EUR;B`, ['/number tooLong']],
    [`A;2026-01-01;;1;EUR;${'B'.repeat(10_001)}`, ['/customer/name tooLong']],
    ['A\u0000;2026-01-01;;1;EUR;B', ['/number controlCharacter']],
    ['A;2026-01-01;;1;EUR', [' columnCount']],
    ['A;2026-01-01;;1;EUR;B;C', [' columnCount']],
    [
      ';x;y;z;EUR;',
      [
        '/number required',
        '/issuedOn dateInvalid',
        '/dueOn dateInvalid',
        '/amount amountInvalid',
        '/customer/name required',
      ],
    ],
  ])('%s', (fields, expected) => {
    expect(codes(one(fields))).toEqual(expected);
  });

  test('messages name the header, as the maker of the file knows the column', () => {
    const [row] = rows('Rechnungsnummer;Datum;Betrag;Währung;Kunde\nA;31.02.2026;1;EUR;B\n');
    expect(row).toEqual({
      line: 2,
      number: 'A',
      faults: [{ pointer: '/issuedOn', code: 'dateInvalid', message: 'column "Datum": "31.02.2026" is not a date' }],
    });
  });

  test('zeros behind the decimals of the currency are no fault', () => {
    expect(document(one('A;2026-01-01;;1234.0;JPY;B')).amount).toBe('1234');
    expect(document(one('A;2026-01-01;;1234.5000;EUR;B')).amount).toBe('1234.50');
  });

  test('a default currency serves rows without one', () => {
    expect(document(one('A;2026-01-01;;1;;B', { defaultCurrency: 'CHF' })).currency).toBe('CHF');
    expect(document(one('A;2026-01-01;;1;usd;B', { defaultCurrency: 'CHF' })).currency).toBe('USD');
  });

  test('unusable values of the customer', () => {
    const text = 'number;issuedOn;amount;currency;customer.name;email;country;customer.kind;language;document type\n';
    expect(codes(rows(`${text}A;2026-01-01;1;EUR;B;no at;Atlantis;robot;?;Zahlung\n`)[0]).toSorted()).toEqual([
      '/customer/country countryUnknown',
      '/customer/email emailInvalid',
      '/customer/kind customerKindUnknown',
      '/customer/locale localeUnknown',
      '/kind documentTypeUnknown',
    ]);
  });

  test('SQL, HTML and quotes in names are text', () => {
    const name = `Robert'); DROP TABLE invoices;-- <script>alert("x")</script>`;
    expect(document(one(`A;2026-01-01;;1;EUR;"${name.replaceAll('"', '""')}"`)).customer.name).toBe(name);
  });

  test('bytes that are not text concern their row only', () => {
    const bytes = Buffer.concat([
      Buffer.from(`${HEAD}Ä;2026-01-01;;1;EUR;Müller\nB;2026-01-01;;1;EUR;M`),
      Uint8Array.of(0xff),
      Buffer.from('ller\nÖ;2026-01-01;;1;EUR;Müller\n'),
    ]);
    const [a, b, c] = [...readCsv(bytes).rows];
    expect([document(a).number, codes(b), document(c).number]).toEqual(['Ä', ['/customer/name encodingInvalid'], 'Ö']);
  });
});

describe('a broken row in the middle', () => {
  const good = (number: string): string => `${number};2026-01-01;;10.00;EUR;"Name, ""quoted""\nin two lines"`;
  test.each([
    ['a quote that nobody closed', 'B;2026-01-01;;10.00;EUR;"Broken', 'rowBroken'],
    ['a quote in the first cell', '"B;2026-01-01;;10.00;EUR;Broken', 'rowBroken'],
    ['quotes that are not doubled', 'B;2026-01-01;;10.00;EUR;"The "best" one"', 'rowBroken'],
    ['too few columns', 'B;2026', 'columnCount'],
    ['too many columns', 'B;2026-01-01;;10.00;EUR;Jean; Paul', 'columnCount'],
  ])('%s costs one row', (_, broken, code) => {
    const read = rows(`${HEAD}${good('A')}\n${broken}\n${good('C')}\n${good('D')}\n`);
    expect(read.map(({ line }) => line)).toEqual([2, 4, 5, 7]);
    expect(
      read.map((row) => ('document' in row ? row.document.number : `${row.number} ${row.faults[0]!.code}`)),
    ).toEqual(['A', `B ${code}`, 'C', 'D']);
  });

  test('stray quotes inside an unquoted cell are text', () =>
    expect(document(one('A;2026-01-01;;1;EUR;19" rack')).customer.name).toBe('19" rack'));

  test('a quote left open at the top of a long file does not make reading slow', () => {
    const text = HEAD + 'A;2026-01-01;;1.50;EUR;"x\n'.repeat(20_001);
    const started = performance.now();
    expect(rows(text)).toHaveLength(20_001);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('dates of a file', () => {
  const dated = (...dates: [string, string][]): (string | null)[][] =>
    rows(HEAD + dates.map(([issued, due], i) => `A${i};${issued};${due};1;EUR;B`).join('\n')).map((row) =>
      'document' in row ? [row.document.issuedOn, row.document.dueOn] : codes(row),
    );

  test('day first unless something shows otherwise', () =>
    expect(dated(['03/04/2026', '05/06/2026'])).toEqual([['2026-04-03', '2026-06-05']]));

  test('month first when a column shows it, also for a silent column beside it', () =>
    expect(dated(['03/04/2026', '03/30/2026'])).toEqual([['2026-03-04', '2026-03-30']]));

  test('a column that shows both is day first, the other rows are faults', () =>
    expect(dated(['13/04/2026', ''], ['04/13/2026', ''])).toEqual([['2026-04-13', null], ['/issuedOn dateInvalid']]));
});

/** Writers of the same table in as many ways as European programs do. */
const day = fc.date({ min: new Date('2000-01-01'), max: new Date('2079-09-30'), noInvalidDate: true });
const word = fc.stringMatching(/^[A-Za-z0-9éüßñ€;,|"\t '-]{1,20}$/).map((text) => text.replace(/\s+/g, ' ').trim());
const record = fc.record({
  number: fc.stringMatching(/^[A-Z]{1,3}-[0-9]{1,8}$/),
  cents: fc.integer({ min: -999_999_999, max: 999_999_999 }).filter((cents) => cents !== 0),
  issued: day,
  days: fc.integer({ min: 0, max: 90 }),
  name: word.filter((text) => text !== ''),
});
const iso = (date: Date): string => date.toISOString().slice(0, 10);
const dateWriters: ((on: string) => string)[] = [
  (on) => on,
  (on) => on.replaceAll('-', ''),
  (on) => on.split('-').toReversed().join('/'),
  (on) => on.split('-').toReversed().join('.'),
  (on) =>
    on
      .split('-')
      .toReversed()
      .join('-')
      .replace(/-20(\d\d)$/, '-$1'),
];
const group = (digits: string, by: string): string => digits.replace(/\B(?=(\d{3})+$)/g, by);
const amountWriters = [
  ['', '.'],
  ['', ','],
  ['.', ','],
  [',', '.'],
  [' ', ','],
  ['\u00a0', ','],
  ["'", '.'],
].map(([by, mark]) => (cents: number): string => {
  const digits = String(Math.abs(cents)).padStart(3, '0');
  return `${cents < 0 ? '-' : ''}${group(digits.slice(0, -2), by!)}${mark}${digits.slice(-2)}`;
});
const encoders: Record<string, (text: string) => Uint8Array> = {
  'utf-8': (text) => Buffer.from(text),
  'utf-8 with mark': (text) => Buffer.from(`\ufeff${text}`),
  'utf-16le': (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'utf-16be': (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
  'windows-1252': (text) => Buffer.from(text.replaceAll('€', '\u0080'), 'latin1'),
};

test('what is written in any usual way is read back', () => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(';', ',', '\t', '|'),
      fc.constantFrom(...Object.keys(encoders)),
      fc.constantFrom(...dateWriters),
      fc.constantFrom(...amountWriters),
      fc.constantFrom('\n', '\r\n'),
      (records, delimiter, encoding, writeDate, writeAmount, br) => {
        const quote = (cell: string): string =>
          /[";,|\t\n]/.test(cell) || cell !== cell.trim() ? `"${cell.replaceAll('"', '""')}"` : cell;
        const line = (cells: string[]): string => cells.map(quote).join(delimiter);
        const due = ({ issued, days }: { issued: Date; days: number }): string =>
          iso(new Date(issued.getTime() + days * 86_400_000));
        const text = [
          line(['Rechnungsnummer', 'Belegdatum', 'Fällig am', 'Bruttobetrag', 'Währung', 'Kunde']),
          ...records.map((row) =>
            line([
              row.number,
              writeDate(iso(row.issued)),
              writeDate(due(row)),
              writeAmount(row.cents),
              'EUR',
              row.name,
            ]),
          ),
        ].join(br);
        const read = [...readCsv(encoders[encoding]!(text)).rows];
        expect(read).toHaveLength(records.length);
        read.forEach((result, i) => {
          const row = records[i]!;
          const wanted = due(row);
          const cents = Math.abs(row.cents);
          expect(document(result)).toMatchObject({
            number: row.number,
            kind: row.cents < 0 ? 'creditNote' : 'invoice',
            amount: `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, '0')}`,
            issuedOn: iso(row.issued),
            dueOn: wanted,
            customer: { name: row.name },
          });
        });
      },
    ),
    { numRuns: 300 },
  );
});

test('no bytes whatsoever do more than be refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, headed) => {
      const file = headed ? Buffer.concat([Buffer.from(HEAD), bytes]) : bytes;
      try {
        for (const row of readCsv(file).rows) expect(row.line).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(DomainError);
      }
    }),
    { numRuns: 500 },
  );
});

test('a hundred thousand rows', () => {
  const body = Array.from({ length: 100_000 }, (_, i) => `F${i};2026-01-01;2026-02-01;12,50;EUR;Name ${i}`).join('\n');
  const table = readCsv(Buffer.from(HEAD + body));
  let accepted = 0;
  for (const row of table.rows) if ('document' in row) accepted++;
  expect([table.rowCount, accepted]).toEqual([100_000, 100_000]);
});
