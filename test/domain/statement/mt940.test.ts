import { describe, expect, test } from 'vitest';
import { sniffFormat } from '../../../domain/statement/read.ts';
import { bytesOf, faultsOf, latin1Of, read } from './fixtures.ts';

const OPENING = ':60F:C261119EUR1000,00';
const CLOSING = ':62F:C261120EUR1100,00';
const LINE = ':61:2611201120C100,00NTRFNONREF//BANK-1';
const lines = (...all: string[]): string => `${all.join('\r\n')}\r\n`;
const message = (...all: string[]): string =>
  lines(':20:STARTUMS', ':25:10070000/1234567', ':28C:00012/001', OPENING, ...all, CLOSING, '-');
const one = (...all: string[]) => read(message(...all)).transactions[0]!;

describe('a statement line', () => {
  test('is told with what stands beside it', () => {
    const file = read(
      message(
        LINE,
        '/OCMT/EUR100,00/',
        ':86:166?00GUTSCHRIFT?10931?20EREF+E2E-1?21MREF+M-1?22SVWZ+Rechnung 2026-00?2342 und 2026-0043 vom 1.1?24.2026' +
          '?30BYLADEMM?31DE89 3704 0044 0532 0130 00?32ACME GmbH & Co?33. KG?60ABWA+ACME Holding',
      ),
    );
    expect(file.transactions).toEqual([
      {
        status: 'booked',
        bookedOn: '2026-11-20',
        valueOn: '2026-11-20',
        amountMinor: 10_000n,
        currency: 'EUR',
        counterparty: { name: 'ACME GmbH & Co. KG', ultimateName: 'ACME Holding', account: 'DE89370400440532013000' },
        structuredReferences: [],
        remittance: 'Rechnung 2026-00 42 und 2026-0043 vom 1.1 .2026',
        bankText: 'GUTSCHRIFT /OCMT/EUR100,00/',
        bankId: 'BANK-1',
        endToEndId: 'E2E-1',
        mandateId: 'M-1',
        returns: null,
        feesMinor: null,
        bankCode: 'NTRF 166',
        source: 'mt940',
        position: 'line 5',
      },
    ]);
    expect(file.statements).toEqual([
      {
        position: 1,
        account: '10070000/1234567',
        currency: 'EUR',
        reference: 'STARTUMS 00012/001',
        opening: { amountMinor: 100_000n, on: '2026-11-19' },
        closing: { amountMinor: 110_000n, on: '2026-11-20' },
        entries: 1,
        sumMinor: 10_000n,
        balance: 'holds',
        copy: false,
      },
    ]);
    expect(file.rejected).toEqual([]);
  });

  test.each([
    ['C100,00', 10_000n, false],
    ['D100,00', -10_000n, false],
    ['CR100,00', 10_000n, false],
    ['DR100,00', -10_000n, false],
    ['RC100,00', -10_000n, true],
    ['RD100,00', 10_000n, true],
    ['RDR100,00', 10_000n, true],
    ['C000000000100,', 10_000n, false],
    ['C1125250,4', 112_525_040n, false],
    ['C1,50000', 150n, false],
    ['C,5', 50n, false],
    ['CN100.50', 10_050n, false],
    [' C 100,00 ', 10_000n, false],
  ])('marked %s', (marked, amountMinor, undoes) => {
    const { amountMinor: minor, returns } = one(`:61:2611201120${marked}NTRFNONREF`);
    expect([minor, returns !== null]).toEqual([amountMinor, undoes]);
  });

  test.each([
    ['261231', '0102', '2027-01-02', '2026-12-31'],
    ['270102', '1231', '2026-12-31', '2027-01-02'],
    ['260630', '0701', '2026-07-01', '2026-06-30'],
    ['260630', '', '2026-06-30', '2026-06-30'],
    ['160230', '0301', '2016-03-01', '2016-02-29'],
    ['150230', '0301', '2015-03-01', '2015-02-28'],
    ['150229', '', '2015-02-28', '2015-02-28'],
    ['991231', '', '1999-12-31', '1999-12-31'],
    ['20261231', '0102', '2027-01-02', '2026-12-31'],
    ['201120', '1120', '2020-11-20', '2020-11-20'],
  ])('of value %s, entered %s, is booked on %s with value %s', (value, booked, bookedOn, valueOn) => {
    expect(one(`:61:${value}${booked}C1,00NTRFNONREF`)).toMatchObject({ bookedOn, valueOn });
  });

  test.each([
    ['NONREF', null, null],
    ['NONREF//NONREF', null, null],
    ['KUNDE 7//B-1', 'KUNDE 7', 'B-1'],
    ['EREF//B/2', null, 'B/2'],
  ])('with the references %s', (references, bankText, bankId) => {
    expect(one(`:61:261120C1,00NTRF${references}`)).toMatchObject({ bankText, bankId });
  });

  test('may be wrapped, within its tag too', () => {
    expect(one(':61:2611201120CR', '30,00N062NONREF', ':', '86:166?00GUTSCHR?20SVWZ+Test')).toMatchObject({
      amountMinor: 3_000n,
      remittance: 'Test',
    });
  });

  test.each([
    ['lineInvalid', ':61:2611201120X100,00NTRFNONREF'],
    ['lineInvalid', ':61:2611201120C100NTRFNONREF'],
    ['lineInvalid', ':61:2611201120D12.345,67NTRFNONREF'],
    ['lineInvalid', ':61:'],
    ['dateInvalid', ':61:261320C100,00NTRFNONREF'],
    ['dateInvalid', ':61:260431C100,00NTRFNONREF'],
    ['dateInvalid', ':61:2611209920C100,00NTRFNONREF'],
    ['tooManyDecimals', ':61:261120C100,001NTRFNONREF'],
    ['amountZero', ':61:261120C0,00NTRFNONREF'],
  ])('that cannot be used is rejected by itself: %s', (code, broken) => {
    const file = read(message(':61:261120C1,00NTRFNONREF', broken, ':86:its text', ':61:261120C2,00NTRFNONREF'));
    expect(faultsOf(file)).toEqual([`${code} at line 6`]);
    expect(file.transactions.map(({ amountMinor }) => amountMinor)).toEqual([100n, 200n]);
  });
});

describe('the text', () => {
  test('joins its subfields before it looks for keywords, whatever parts them', () => {
    const full = (text: string) => text.padEnd(27, '.').slice(0, 27);
    const told = `?20${full('EREF+E2E-LONG-0123456789AB')}?21CD MREF+M-2?22SVWZ+F-2026-?6000042`;
    const expected = { endToEndId: 'E2E-LONG-0123456789AB.CD', mandateId: 'M-2', remittance: 'F-2026- 00042' };
    expect(one(LINE, `:86:166${told}`)).toMatchObject(expected);
    expect(one(LINE, `:86:166${told.replaceAll('?', '>')}`)).toMatchObject(expected);
    expect(one(LINE, ...`:86:166${told}`.match(/.{1,20}/g)!)).toMatchObject(expected);
  });

  test('without keywords is the remittance', () => {
    expect(one(LINE, ':86:051?20Rechnung 4711?21vom 12.3.').remittance).toBe('Rechnung 4711 vom 12.3.');
  });

  test('may be words between slashes', () => {
    const told = one(
      LINE,
      ':86:/TRTP/SEPA OVERBOEKING/IBAN/NL46ABNA0499998748/NAME/CONTRA ACCOUN',
      'T HOLDER/ULTD//NAME/PARENT/REMI/USTD//F-1 of 2026//EREF/E2E-3/MARF/M-3',
    );
    expect(told).toMatchObject({
      counterparty: { name: 'CONTRA ACCOUNT HOLDER', ultimateName: 'PARENT', account: 'NL46ABNA0499998748' },
      remittance: 'F-1 of 2026',
      endToEndId: 'E2E-3',
      mandateId: 'M-3',
      bankText: 'SEPA OVERBOEKING',
    });
    expect(
      one(LINE, ':86:/CNTP/NL46ABNA0499998748/ABNANL2A/ACME/CITY//REMI/STRD/CUR/RF18 5390 0754 7034/'),
    ).toMatchObject({
      counterparty: { name: 'ACME', account: 'NL46ABNA0499998748' },
      structuredReferences: ['RF18539007547034'],
      remittance: null,
    });
    expect(one(LINE, ':86:/BENM//NAME/JOHN DOE/REMI//ISDT/2013-01-02')).toMatchObject({
      counterparty: { name: 'JOHN DOE' },
      remittance: null,
    });
  });

  test('may be plain, and hold what looks like a tag', () => {
    expect(one(LINE, ':86:Invoice 12', ':26:37 h', 'at ABN/AMRO').remittance).toBe('Invoice 12 :26:37 h at ABN/AMRO');
  });

  test.each(['?', '>', '<', '~', '^'])('of Poland, parted by %s, has a whole account and a name', (separator) => {
    const told =
      ':86:020?00VE02?20Faktura 417/11/2026?21oraz 418?3010901014?310000071219812874?32KOWALSKI SP Z O O?33UL PROSTA 1' +
      '?38PL61109010140000071219812874';
    const expected = {
      counterparty: { name: 'KOWALSKI SP Z O O UL PROSTA 1', account: 'PL61109010140000071219812874' },
      remittance: 'Faktura 417/11/2026 oraz 418',
    };
    expect(one(LINE, told.replaceAll('?', separator))).toMatchObject(expected);
    if (separator === '?' || separator === '>') return;
    const at27 = told.replace('?32', '?27').replace('?33', '?28').replaceAll('?', separator);
    expect(one(LINE, at27)).toMatchObject(expected);
  });

  test('may have longer subfields, and no code', () => {
    const first = 'Faktura 2026-00417 za listopad 2026';
    expect(one(LINE, `:86:?00PRZELEW?20${first}?21oraz 418?32ACME`)).toMatchObject({
      remittance: `${first}oraz 418`,
      counterparty: { name: 'ACME' },
      bankText: 'PRZELEW',
    });
    expect(one(LINE, ':86:020?20RECHNUNG 2026-00417 VOM 12.11.2026?21KUNDE?32ACME').remittance).toBe(
      'RECHNUNG 2026-00417 VOM 12.11.2026 KUNDE',
    );
  });

  test('may have keywords with a colon, which are cut where there are others', () => {
    const text = 'RE 26-11 EREF: E2E7 MREF: M-1 CRED: DE98ZZZ09999999999 IBAN: DE89370400440532013000 BIC: GENODEF1XXX';
    const subfields = text.match(/.{1,27}/g)!.map((part, index) => `?${20 + index}${part}`);
    expect(one(LINE, `:86:166${subfields.join('')}?32ACME`)).toMatchObject({
      remittance: 'RE 26-11',
      endToEndId: 'E2E7',
      mandateId: 'M-1',
      counterparty: { account: 'DE89370400440532013000' },
    });
    expect(one(LINE, ':86:166?20SVWZ+RE 1 ABWA: ACME H?21ABWA+ACME Holding')).toMatchObject({
      remittance: 'RE 1',
      counterparty: { ultimateName: 'ACME Holding' },
    });
    expect(one(LINE, ':86:166?20SVWZ+Konto IBAN: DE89 BIC: X').remittance).toBe('Konto IBAN: DE89 BIC: X');
  });

  test.each([
    ['C', ':86:/BENM//NAME/WE/ORDP//NAME/ACME/ULTD/ACME HOLDING//ID/REMI/F-1', 'ACME', 'ACME HOLDING'],
    ['D', ':86:/BENM//NAME/ACME/ORDP//NAME/WE/REMI/F-1', 'ACME', null],
    ['C', ':86:/ORDP/FR7630006000011234567890189/ACME/REMI/F-1', 'ACME', null],
    ['C', ':86:/ORDP/ACME/REMI/F-1/OCMT/EUR1,00', 'ACME', null],
    ['C', ':86:/ORDP/ACME/REMI//ROC/E2E-1///URI/F-1', 'ACME', null],
  ])('names who ordered a %s, or who got it', (mark, text, name, ultimateName) => {
    expect(one(`:61:261120${mark}1,00NTRFNONREF`, text)).toMatchObject({
      counterparty: { name, ultimateName },
      remittance: 'F-1',
    });
  });

  test('may have something before its words', () => {
    expect(
      one(LINE, ':86:CR TRANSFER', '/EREF/E2E-1', '/ORDP//ID/DE89370400440532013000/NAME/ACME', '/REMI/F-1'),
    ).toMatchObject({
      counterparty: { name: 'ACME', account: 'DE89370400440532013000' },
      remittance: 'F-1',
      endToEndId: 'E2E-1',
      bankText: 'CR TRANSFER',
    });
    expect(one(LINE, ':86:Pay F-1 /NAME/ ACME').remittance).toBe('Pay F-1 /NAME/ ACME');
  });

  test('may begin with account and name', () => {
    const told = one(':61:2611201120C1,00NOVBNL91ABNA0417164300', 'ACME', ':86:NL91ABNA0417164300 ACME BV', '', 'F-1');
    expect(told).toMatchObject({ counterparty: { name: 'ACME BV', account: 'NL91ABNA0417164300' }, remittance: 'F-1' });
    const silent = one(':61:2611201120C1,00NOVBNL91ABNA0417164300', 'ACME', ':86:F-1');
    expect(silent).toMatchObject({ counterparty: { name: 'ACME', account: 'NL91ABNA0417164300' }, remittance: 'F-1' });
  });

  test('may name its parts in Polish', () => {
    expect(
      one(LINE, ':86:944 PRZELEW; z rach.: 61109010140000071219812874; od: ACME; tyt.: FV/1; TNR: 77'),
    ).toMatchObject({
      counterparty: { name: 'ACME', account: '61109010140000071219812874' },
      remittance: 'FV/1',
      bankText: 'PRZELEW 77',
      bankCode: 'NTRF 944',
    });
  });

  test('may name its parts in French', () => {
    expect(one(LINE, ':86:VIR RECU 12345S DE: ACME SARL', 'MOTIF: FACT 417 REF: NOTPROVIDED')).toMatchObject({
      counterparty: { name: 'ACME SARL' },
      remittance: 'FACT 417',
      bankText: 'VIR RECU 12345S',
    });
  });

  test('may hold a structured reference', () => {
    expect(one(LINE, ':86:VAN ACME', '+++090/9337/55493+++').structuredReferences).toEqual(['090933755493']);
    expect(one(LINE, ':86:VAN ACME', '+++090/9337/55494+++').structuredReferences).toEqual([]);
    expect(one(LINE, ':86:/NAME/ACME/REMI/ISSUER: CUR      REF: 6000000001234567/EREF/X')).toMatchObject({
      structuredReferences: ['6000000001234567'],
      remittance: null,
    });
  });

  test('that fills its lines was cut within words', () => {
    const text =
      'VIREMENT DE LA SOCIETE ACME POUR LA FACTURE F-2026-0042 ET LA FACTURE F-2026-0043 DU MOIS DE NOVEMBRE 2026 SELON CONTRAT 12345678';
    expect(one(LINE, ...`:86:${text}`.match(/.{1,65}/g)!).remittance).toBe(text);
    expect(one(LINE, ':86:Rechnung', '4711').remittance).toBe('Rechnung 4711');
  });

  test('keeps the blank that the end of a full line lost', () => {
    const full = '/NAME/ACME/REMI/'.padEnd(65, 'x');
    expect(one(LINE, `:86:${full}`, 'y'.repeat(64), 'z').remittance).toBe(`${full.slice(16)}${'y'.repeat(64)} z`);
  });

  test('behind the closing balance is the statement’s', () => {
    const file = read(lines(':20:X', OPENING, LINE, CLOSING, ':86:D000004C000002', '-'));
    expect(file.transactions[0]!.remittance).toBeNull();
  });

  test('may wear the tag of the account', () => {
    expect(one(LINE, ':25:166?00GUTSCHRIFT?20SVWZ+F-1')).toMatchObject({ remittance: 'F-1' });
  });

  test('may be of code page 850', () => {
    const file = message(LINE, ':86:166?20SVWZ+B#ro?32M#ller');
    expect(read(latin1Of(file.replaceAll('#', '\u0081'))).transactions[0]).toMatchObject({
      remittance: 'Büro',
      counterparty: { name: 'Müller' },
    });
    expect(read(latin1Of(message(LINE, ':86:\u0084Büro\u0094'))).transactions[0]!.remittance).toBe('„Büro”');
  });

  test('is UTF-8 or UTF-16, else windows-1252', () => {
    const file = message(LINE, ':86:166?20SVWZ+Büro?32Müller');
    const utf16 = new Uint8Array(Buffer.from(`\ufeff${file}`, 'utf16le'));
    for (const bytes of [bytesOf(file), latin1Of(file), utf16])
      expect(read(bytes).transactions[0]!.remittance).toBe('Büro');
  });
});

describe('a return', () => {
  test.each([
    [
      'by its German code',
      'D53,00NRTINONREF',
      '109?20EREF+E2E-1?21SVWZ+RUECKGABEGRUND: AC04 KONTO?22OAMT+50,00?23COAM+3,00',
    ],
    ['by its type and the line below', 'D53,00NRTINONREF', '/EREF/E2E-1/RTRN/AC04/OCMT/EUR50,00/CHGS/EUR3,00/'],
  ])('says its reason, its original and its fee %s', (_, marked, text) => {
    expect(one(`:61:261120${marked}`, `:86:${text}`)).toMatchObject({
      amountMinor: -5_300n,
      feesMinor: 300n,
      returns: { reasonCode: 'AC04', originalEndToEndId: 'E2E-1', originalAmountMinor: 5_000n },
    });
  });

  test.each([
    ['SVWZ+RETURN AC04 KONTO ZU', 'AC04'],
    ['SVWZ+RETURN XY99?34912', '912'],
  ])('gives its reason where %s', (text, reasonCode) => {
    expect(one(':61:261120D1,00NRTINONREF', `:86:109?20${text}`).returns).toMatchObject({ reasonCode });
  });

  test('tells the purpose of what it returns, too', () => {
    expect(one(LINE, ':86:159?20SVWZ+RETOURE AC01 SVWZ: RE 12').remittance).toBe('RETOURE AC01 RE 12');
  });

  test('is not what a payer writes', () => {
    expect(one(LINE, ':86:166?20SVWZ+RUECKGABEGRUND: AC04').returns).toBeNull();
  });

  test('of our own payment is a credit', () => {
    expect(one(LINE, ':86:159?20SVWZ+Retoure')).toMatchObject({ amountMinor: 10_000n, returns: { reasonCode: null } });
  });
});

describe('a file', () => {
  test('may have junk around its statements, and none between them', () => {
    const body = message(LINE);
    for (const file of [
      `\u0001\r\n${body.replace('-\r\n', '-\u0003\r\n')}`,
      `0000 01INGB\r\n940 00\r\n${body.replace('-\r\n', '-XXX\r\n')}`,
      `{1:F01BANK}{2:I940}{3:{108:X}}{4:${body.replace('-\r\n', '-}\r\n')}`,
      `{1:F01BANK}{2:I940}{4:\r\n${body.replace('-\r\n', '-}{5:}\r\n')}`,
    ]) {
      expect(sniffFormat(bytesOf(file))).toBe('mt940');
      const twice = read(file + file);
      expect([twice.transactions.length, twice.statements.map(({ balance }) => balance), twice.rejected]).toEqual([
        2,
        ['holds', 'holds'],
        [],
      ]);
    }
    const unparted = body.replace('-\r\n', '');
    expect(read(unparted + unparted).statements).toHaveLength(2);
    const untitled = lines(OPENING, LINE, CLOSING);
    expect(read(untitled + untitled).statements.map(({ balance }) => balance)).toEqual(['holds', 'holds']);
  });

  test('without a balance takes the currency of the caller, else rejects its lines', () => {
    const file = lines(LINE, ':86:x');
    expect(read(file, { currency: 'CHF' }).transactions[0]!.currency).toBe('CHF');
    expect(faultsOf(read(file))).toEqual(['currencyMissing at line 1', 'fileEndsEarly at line 2']);
  });

  test('of an interim report is pending, in the currency of its floor limit', () => {
    const file = read(
      lines(':20:X', ':25:1', ':28C:1', ':34F:EURD0,', ':13D:2611201200+0100', LINE, ':86:x', ':90C:1EUR1,'),
    );
    expect(file.transactions).toMatchObject([{ status: 'pending', currency: 'EUR', amountMinor: 10_000n }]);
    expect([file.rejected, file.statements]).toMatchObject([[], [{ entries: 0, balance: 'unknown' }]]);
  });

  test.each([
    [':25:50070010/0123456EUR', '50070010/0123456'],
    [':25:/PL61109010140000071219812874', 'PL61109010140000071219812874'],
    [':25:DE89370400440532013000EUR', 'DE89370400440532013000'],
  ])('is of an account: %s', (field, account) => {
    expect(read(message(LINE).replace(':25:10070000/1234567', field)).statements[0]!.account).toBe(account);
  });

  test('with a balance that is none says so', () => {
    const broken = read(message(LINE).replace(OPENING, ':60F:X261119EUR1000,00'));
    expect(faultsOf(broken)).toEqual(['balanceInvalid at line 4']);
    expect(broken.statements[0]!.balance).toBe('unknown');
    expect(read(message(LINE).replace('1000,00', '1000.00').replace('1100,00', '1100')).statements[0]!.balance).toBe(
      'holds',
    );
    expect(read(message(LINE).replace('1100,00', '1100,01')).statements[0]!.balance).toBe('broken');
    expect(read(message(LINE).replace('C261119', 'D260230')).statements[0]).toMatchObject({
      opening: { amountMinor: -100_000n, on: null },
      balance: 'broken',
    });
  });

  test('that is cut tells what was whole, then that it ends early', () => {
    const whole = message(':61:261120C60,00NTRFNONREF', ':86:first', ':61:261120C40,00NTRFNONREF', ':86:second one');
    const cut = (before: string) => read(whole.slice(0, whole.indexOf(before)));
    expect([cut('ond one').transactions.length, faultsOf(cut('ond one'))]).toEqual([1, ['fileEndsEarly at line 8']]);
    expect([cut(',00NTRFNONREF\r\n:86:second').transactions.length]).toEqual([1]);
    const atLine = read(whole.slice(0, whole.indexOf(CLOSING)));
    expect([atLine.transactions.length, faultsOf(atLine)]).toEqual([2, ['fileEndsEarly at line 8']]);
    expect(read(whole).rejected).toEqual([]);
    expect(read(whole.slice(0, whole.lastIndexOf('\r\n-'))).rejected).toEqual([]);
  });

  test('without a field is no statement', () => {
    expect(() => read('hello', { format: 'mt940' })).toThrow(expect.objectContaining({ code: 'statementMissing' }));
  });
});
