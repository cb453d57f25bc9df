import { describe, expect, test } from 'vitest';
import { readStatement, sniffFormat } from '../../../domain/statement/read.ts';
import {
  balance,
  bytesOf,
  camt,
  detail,
  entry,
  faultsOf,
  latin1Of,
  OWN,
  PAYER,
  processorTime,
  read,
  sorted,
} from './fixtures.ts';

const payer = `<RltdPties><Dbtr><Nm>ACME SAS</Nm></Dbtr><DbtrAcct><Id><IBAN>${PAYER}</IBAN></Id></DbtrAcct>
  <UltmtDbtr><Nm>ACME Holding</Nm></UltmtDbtr><Cdtr><Nm>Us</Nm></Cdtr><CdtrAcct><Id><IBAN>${OWN}</IBAN></Id></CdtrAcct></RltdPties>`;

describe('an entry', () => {
  test('is told with all that it says', () => {
    const file = camt({
      head: balance('OPBD', '1000.00') + balance('CLBD', '1100.00'),
      entries: [
        entry({
          rest:
            '<AcctSvcrRef>BANK-1</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd>' +
            '</Fmly></Domn></BkTxCd>',
          details: [
            detail(
              `<Refs><EndToEndId>E2E-1</EndToEndId><MndtId>M-9</MndtId></Refs>${payer}
              <RmtInf><Ustrd>Invoice  F-2026-</Ustrd><Ustrd>0042 &amp; more</Ustrd>
              <Strd><RfrdDocInf><Nb>F-2026-0043</Nb></RfrdDocInf><CdtrRefInf><Ref>RF18 5390 0754 7034</Ref></CdtrRefInf>
              <AddtlRmtInf>thanks</AddtlRmtInf></Strd></RmtInf>`,
            ),
          ],
        }).replace('</Ntry>', '<AddtlNtryInf>VIREMENT RECU</AddtlNtryInf></Ntry>'),
      ],
    });
    const { transactions, statements, rejected, warnings } = read(file);
    expect(transactions).toEqual([
      {
        status: 'booked',
        bookedOn: '2026-11-20',
        valueOn: '2026-11-21',
        amountMinor: 10_000n,
        currency: 'EUR',
        counterparty: { name: 'ACME SAS', ultimateName: 'ACME Holding', account: PAYER },
        structuredReferences: ['RF18539007547034'],
        remittance: 'Invoice F-2026- 0042 & more F-2026-0043 thanks',
        bankText: 'VIREMENT RECU',
        bankId: 'BANK-1',
        endToEndId: 'E2E-1',
        mandateId: 'M-9',
        returns: null,
        feesMinor: null,
        bankCode: 'PMNT/RCDT/ESCT',
        source: 'camt.053',
        position: 'statement 1, entry 1',
      },
    ]);
    expect(statements).toEqual([
      {
        position: 1,
        account: OWN,
        currency: 'EUR',
        reference: 'S-1',
        opening: { amountMinor: 100_000n, on: '2026-11-30' },
        closing: { amountMinor: 110_000n, on: '2026-11-30' },
        entries: 1,
        sumMinor: 10_000n,
        balance: 'holds',
        copy: false,
      },
    ]);
    expect([rejected, warnings]).toEqual([[], []]);
  });

  test.each([
    ['NOTPROVIDED', null],
    ['NONREF', null],
    ['0000000000', null],
    ['E2E 7', 'E2E 7'],
  ])('with the end-to-end id %s has %s', (told, id) => {
    const file = camt({ entries: [entry({ details: [detail(`<Refs><EndToEndId>${told}</EndToEndId></Refs>`)] })] });
    expect(read(file).transactions[0]!.endToEndId).toBe(id);
  });

  test.each([
    ['version 1', '01', '<Dbtr><Nm>P</Nm></Dbtr><DbtrAcct><Id><PrtryAcct><Id>12 34</Id></PrtryAcct></Id></DbtrAcct>'],
    ['version 2', '02', '<Dbtr><Nm>P</Nm></Dbtr><DbtrAcct><Id><Othr><Id>1234</Id></Othr></Id></DbtrAcct>'],
    ['version 8', '08', '<Dbtr><Pty><Nm>P</Nm></Pty></Dbtr><DbtrAcct><Id><Othr><Id>1234</Id></Othr></Id></DbtrAcct>'],
    [
      'version 8, of a bank',
      '08',
      '<Dbtr><Agt><FinInstnId><Nm>P</Nm></FinInstnId></Agt></Dbtr><DbtrAcct><Id><Othr><Id>1234</Id></Othr></Id></DbtrAcct>',
    ],
  ])('names its payer in %s', (_, version, parties) => {
    const file = camt({ version, entries: [entry({ details: [detail(`<RltdPties>${parties}</RltdPties>`)] })] });
    expect(read(file).transactions[0]!.counterparty).toEqual({ name: 'P', ultimateName: null, account: '1234' });
  });

  test.each([
    ['<Sts>BOOK</Sts>', 'booked'],
    ['<Sts><Cd>BOOK</Cd></Sts>', 'booked'],
    ['', 'booked'],
    ['<Sts>PDNG</Sts>', 'pending'],
    ['<Sts><Cd>FUTR</Cd></Sts>', 'pending'],
    ['<Sts>\n  <Cd>INFO</Cd>\n</Sts>', 'information'],
  ])('of the status %s is %s, and only a booked one moves the balance', (status, told) => {
    const { transactions, statements } = read(camt({ entries: [entry({ status })] }));
    expect(transactions[0]!.status).toBe(told);
    expect(statements[0]).toMatchObject(
      told === 'booked' ? { entries: 1, sumMinor: 10_000n } : { entries: 0, sumMinor: 0n },
    );
  });

  test('without days is dated by the closing balance, else by the statement, and with times by their day', () => {
    const bare = entry({ days: '' });
    expect(read(camt({ head: balance('CLBD', '1'), entries: [bare] })).transactions[0]!.bookedOn).toBe('2026-11-30');
    expect(read(camt({ entries: [bare] })).transactions[0]!.bookedOn).toBe('2026-12-01');
    const timed = entry({ days: '<BookgDt><DtTm>2026-11-19T23:30:00-05:00</DtTm></BookgDt>' });
    expect(read(camt({ entries: [timed] })).transactions[0]).toMatchObject({ bookedOn: '2026-11-19', valueOn: null });
  });

  test.each([
    ['200000', 20_000_000n],
    ['01.00', 100n],
    ['8.850', 885n],
    ['8.85000', 885n],
    ['.5', 50n],
    ['7.', 700n],
  ])('of %s counts %s cents', (amount, minor) => {
    expect(read(camt({ entries: [entry({ amount })] })).transactions[0]!.amountMinor).toBe(minor);
  });

  test('takes the reversal flag for no sign', () => {
    const file = camt({ entries: [entry({ sign: 'DBIT', rest: '<RvslInd>true</RvslInd>' })] });
    const { transactions } = read(file);
    expect(transactions[0]).toMatchObject({ amountMinor: -10_000n, returns: { reasonCode: null } });
  });
});

describe('what cannot be used is rejected by itself', () => {
  test.each([
    ['tooManyDecimals', entry({ amount: '8.851' })],
    ['tooManyDecimals', entry({ amount: '100.5', currency: 'JPY' })],
    ['amountInvalid', entry({ amount: '-0.00' })],
    ['amountInvalid', entry({ amount: '1,000.00' })],
    ['amountInvalid', entry({ amount: '9999999999999999' })],
    ['amountInvalid', entry({ amount: '999999999999999', currency: 'CLF' })],
    ['amountZero', entry({ amount: '0.00' })],
    ['unknownCurrency', entry({ currency: 'EUX' })],
    ['signInvalid', entry({ sign: 'CREDIT' })],
    ['statusUnknown', entry({ status: '<Sts>DONE</Sts>' })],
    ['dateInvalid', entry({ days: '<BookgDt><Dt>2026-02-30</Dt></BookgDt>' })],
    ['dateInvalid', entry({ days: '<BookgDt><Dt>2026-02-28</Dt></BookgDt><ValDt><Dt>30.02.2026</Dt></ValDt>' })],
  ])('%s', (code, broken) => {
    const file = read(camt({ entries: [entry({ amount: '1.00' }), broken, entry({ amount: '2.00' })] }));
    expect(faultsOf(file)).toEqual([`${code} at statement 1, entry 2`]);
    expect(file.transactions.map(({ amountMinor }) => amountMinor)).toEqual([100n, 200n]);
    expect(file.transactions[1]!.position).toBe('statement 1, entry 3');
  });

  test('a balance without a sign is a credit; one that cannot be read is none', () => {
    const ok = read(camt({ head: balance('PRCD', '10', '') + balance('CLBD', '110', ''), entries: [entry()] }));
    expect(ok.statements[0]!.balance).toBe('holds');
    const broken = read(camt({ head: balance('OPBD', 'ten') + balance('CLBD', '110'), entries: [entry()] }));
    expect(faultsOf(broken)).toEqual(['amountInvalid at statement 1, balance OPBD']);
    expect(broken.statements[0]).toMatchObject({ opening: null, balance: 'unknown' });
    const differs = read(camt({ head: balance('OPBD', '10', 'DBIT') + balance('CLBD', '80'), entries: [entry()] }));
    expect(differs.statements[0]!.balance).toBe('broken');
  });
});

test('a remittance has no codes of Swiss readers in it', () => {
  const told = `<RmtInf><Strd><CdtrRefInf><Ref>210000000003139471430009017</Ref></CdtrRefInf>
    <AddtlRmtInf>?REJECT?0</AddtlRmtInf><AddtlRmtInf>F-1?</AddtlRmtInf></Strd></RmtInf>`;
  expect(read(camt({ entries: [entry({ details: [detail(told)] })] })).transactions[0]).toMatchObject({
    structuredReferences: ['210000000003139471430009017'],
    remittance: 'F-1?',
  });
});

test('a remittance that is full goes on within a word', () => {
  const full = 'RE 2026-0042 '.repeat(12).slice(0, 140);
  const texts = (...all: string[]) => `<RmtInf>${all.map((one) => `<Ustrd>${one}</Ustrd>`).join('')}</RmtInf>`;
  const told = (...all: string[]) => read(camt({ entries: [entry({ details: [detail(texts(...all))] })] }));
  expect(told(full, 'REST', 'MORE').transactions[0]!.remittance).toBe(`${full}REST MORE`);
  expect(told('RE', '2026-0042').transactions[0]!.remittance).toBe('RE 2026-0042');
});

test.each([
  '<Ustrd>+++090/9337/55493+++</Ustrd>',
  '<Strd><CdtrRefInf><Ref>+++090/9337/55493+++</Ref></CdtrRefInf></Strd>',
  '<Strd><CdtrRefInf><Ref>090933755493</Ref></CdtrRefInf></Strd>',
])('a structured reference of Belgium is told as its digits: %s', (inner) => {
  const file = camt({ entries: [entry({ details: [detail(`<RmtInf>${inner}</RmtInf>`)] })] });
  expect(read(file).transactions[0]!.structuredReferences).toEqual(['090933755493']);
});

test('a French label is parted where there is no remittance beside it', () => {
  const rest = '<AddtlNtryInf>VIR SEPA RECU /DE ACME /MOTIF FACT 417 /REF E2E-1</AddtlNtryInf>';
  expect(read(camt({ entries: [entry({ rest })] })).transactions[0]).toMatchObject({
    counterparty: { name: 'ACME' },
    remittance: 'FACT 417 E2E-1',
    bankText: 'VIR SEPA RECU',
  });
});

test.each(['true', '1'])('a reversal is one where its flag is %s', (flag) => {
  const { transactions } = read(camt({ entries: [entry({ rest: `<RvslInd>${flag}</RvslInd>` })] }));
  expect(transactions[0]!.returns).not.toBeNull();
});

test.each([
  ['ISO-8859-2', '\u00b3', 'ł'],
  ['windows-1250', '\u00b3', 'ł'],
  ['ISO-8859-1', '\u00e9', 'é'],
  ['UTF-16', 'e', 'e'],
])('a file may be declared as %s', (encoding, byte, letter) => {
  const file = camt({ entries: [entry({ details: [detail(`<RmtInf><Ustrd>F-${byte}</Ustrd></RmtInf>`)] })] });
  const bytes = latin1Of(file.replace('UTF-8', encoding));
  expect(sniffFormat(bytes)).toBe('camt.053');
  expect(read(bytes).transactions[0]!.remittance).toBe(`F-${letter}`);
});

describe('a batch', () => {
  const part = (amount: string, inner = '') => detail(`<Amt Ccy="EUR">${amount}</Amt>${inner}`);

  test('of 100 with 30 and 70 in it is 100, and each part is told', () => {
    const file = read(
      camt({
        head: balance('OPBD', '0') + balance('CLBD', '100'),
        entries: [entry({ rest: '<AcctSvcrRef>B</AcctSvcrRef>', details: [part('30'), part('70')] })],
      }),
    );
    expect(file.transactions.map((one) => [one.amountMinor, one.bankId, one.position])).toEqual([
      [3_000n, null, 'statement 1, entry 1, detail 1'],
      [7_000n, null, 'statement 1, entry 1, detail 2'],
    ]);
    expect(file.statements[0]).toMatchObject({ entries: 1, sumMinor: 10_000n, balance: 'holds' });
  });

  test('of ten equal parts without an id is ten', () => {
    const ten = Array.from({ length: 10 }, () => part('10', '<Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>'));
    expect(read(camt({ entries: [entry({ details: ten })] })).transactions).toHaveLength(10);
  });

  test('that mixes credits and debits adds up with their own signs', () => {
    const debit = detail('<Amt Ccy="EUR">20</Amt><CdtDbtInd>DBIT</CdtDbtInd>');
    const { transactions } = read(camt({ entries: [entry({ details: [part('120'), debit] })] }));
    expect(transactions.map(({ amountMinor }) => amountMinor)).toEqual([12_000n, -2_000n]);
  });

  test.each([
    ['what was instructed', ['30', '70'].map((one) => `<InstdAmt><Amt Ccy="EUR">${one}</Amt></InstdAmt>`)],
    [
      'the value in its own currency',
      ['30', '70'].map(
        (one) => `<TxAmt><Amt Ccy="USD">33</Amt></TxAmt><CntrValAmt><Amt Ccy="EUR">${one}</Amt></CntrValAmt>`,
      ),
    ],
  ])('adds up by %s where that is all it tells', (_, amounts) => {
    const details = amounts.map((one) => detail(`<AmtDtls>${one}</AmtDtls>`));
    const { transactions, warnings } = read(camt({ entries: [entry({ details })] }));
    expect([transactions.map(({ amountMinor }) => amountMinor), warnings]).toEqual([[3_000n, 7_000n], []]);
  });

  test('that says how many transactions it has but tells one, or none, is one', () => {
    const batch = '<Btch><NbOfTxs>254</NbOfTxs></Btch>';
    for (const details of [[batch, part('100')], [batch]]) {
      const { transactions, warnings } = read(camt({ entries: [entry({ details })] }));
      expect([transactions.length, transactions[0]!.amountMinor, warnings]).toEqual([1, 10_000n, []]);
    }
  });

  test.each([
    ['another sum', [part('30'), part('71')]],
    ['another currency', [part('30'), detail('<Amt Ccy="USD">70</Amt>')]],
    ['no amount', [part('30'), detail('<Refs/>')]],
    ['a part of zero', [part('100'), part('0')]],
    ['decimals that do not exist', [part('30.001'), part('69.999')]],
  ])('whose parts have %s stays one, with a warning', (_, details) => {
    const { transactions, warnings } = read(camt({ entries: [entry({ details })] }));
    expect(transactions.map(({ amountMinor }) => amountMinor)).toEqual([10_000n]);
    expect(warnings).toMatchObject([{ code: 'detailsDiffer', position: 'statement 1, entry 1' }]);
  });

  test('of one transaction in another currency books what the entry says', () => {
    const file = camt({ entries: [entry({ details: [detail('<Amt Ccy="USD">123.45</Amt>')] })] });
    expect(read(file).transactions[0]).toMatchObject({ amountMinor: 10_000n, currency: 'EUR' });
  });

  test('of twins on one day is two', () => {
    const twin = entry({ amount: '4.50', sign: 'DBIT' });
    expect(read(camt({ entries: [twin, twin] })).transactions).toHaveLength(2);
  });
});

describe('a return', () => {
  const reason = (code: string) => `<RtrInf><Rsn><Cd>${code}</Cd></Rsn></RtrInf>`;

  test('with a fee netted into it says both: 53.00 are 50.00 and 3.00', () => {
    const returned = detail(
      `<Refs><EndToEndId>E2E-1</EndToEndId></Refs>
       <AmtDtls><InstdAmt><Amt Ccy="EUR">50.00</Amt></InstdAmt></AmtDtls>
       <Chrgs><Amt Ccy="EUR">3.00</Amt></Chrgs><Chrgs><Amt Ccy="EUR">0.00</Amt></Chrgs>${payer}${reason('MS03')}`,
    );
    expect(
      read(camt({ entries: [entry({ amount: '53.00', sign: 'DBIT', details: [returned] })] })).transactions[0],
    ).toMatchObject({
      amountMinor: -5_300n,
      feesMinor: 300n,
      counterparty: { name: 'ACME SAS', account: PAYER },
      returns: { reasonCode: 'MS03', originalEndToEndId: 'E2E-1', originalAmountMinor: 5_000n },
    });
  });

  test.each([
    [
      'that are booked apart',
      '50.00',
      '<AmtDtls><InstdAmt><Amt Ccy="EUR">50.00</Amt></InstdAmt></AmtDtls>',
      '',
      null,
      5_000n,
    ],
    [
      'of another currency',
      '53.00',
      '<AmtDtls><InstdAmt><Amt Ccy="USD">50.00</Amt></InstdAmt></AmtDtls>',
      '',
      null,
      null,
    ],
    ['that the bank says are included', '53.00', '', '<ChrgInclInd>true</ChrgInclInd>', 300n, 5_000n],
    ['that it does not', '53.00', '', '', null, null],
  ])('with charges %s', (_, amount, amounts, included, fees, original) => {
    const charges = `<Chrgs><TtlChrgsAndTaxAmt Ccy="EUR">3</TtlChrgsAndTaxAmt><Rcrd><Amt Ccy="EUR">3</Amt>${included}</Rcrd></Chrgs>`;
    const file = camt({
      entries: [entry({ amount, sign: 'DBIT', details: [detail(amounts + charges + reason('AC04'))] })],
    });
    const { feesMinor, returns } = read(file).transactions[0]!;
    expect([feesMinor, returns!.originalAmountMinor]).toEqual([fees, original]);
  });

  test('may tell its reason in words alone', () => {
    const words = '<RtrInf><AddtlInf>AC04 Konto aufgeloest</AddtlInf></RtrInf>';
    const { transactions } = read(camt({ entries: [entry({ sign: 'DBIT', details: [detail(words)] })] }));
    expect(transactions[0]).toMatchObject({ returns: { reasonCode: 'AC04' }, bankText: 'AC04 Konto aufgeloest' });
  });

  test.each([
    ['NRTI+109+00931+914', true],
    ['NTRF+166+00931', false],
    ['109', false],
  ])('by the German code %s alone: %s', (code, undoes) => {
    const rest = `<BkTxCd><Prtry><Cd>${code}</Cd><Issr>DK</Issr></Prtry></BkTxCd>`;
    expect(read(camt({ entries: [entry({ sign: 'DBIT', rest })] })).transactions[0]!.returns !== null).toBe(undoes);
  });

  test('that is a credit is our own payment coming back', () => {
    const us = `<RltdPties><Dbtr><Nm>Us</Nm></Dbtr><DbtrAcct><Id><IBAN>${OWN}</IBAN></Id></DbtrAcct>
      <Cdtr><Nm>Supplier</Nm></Cdtr><CdtrAcct><Id><IBAN>${PAYER}</IBAN></Id></CdtrAcct></RltdPties>`;
    const { transactions } = read(camt({ entries: [entry({ details: [detail(us + reason('AC01'))] })] }));
    expect(transactions[0]).toMatchObject({
      amountMinor: 10_000n,
      counterparty: { name: 'Supplier', account: PAYER },
      returns: { reasonCode: 'AC01' },
    });
  });

  test('whose bank turns the parties around still names the other side', () => {
    const turned = `<RltdPties><Cdtr><Nm>ACME</Nm></Cdtr><CdtrAcct><Id><IBAN>${PAYER}</IBAN></Id></CdtrAcct></RltdPties>`;
    const { transactions } = read(
      camt({ entries: [entry({ sign: 'DBIT', details: [detail(turned + reason('MD06'))] })] }),
    );
    expect(transactions[0]!.counterparty).toEqual({ name: 'ACME', ultimateName: null, account: PAYER });
  });

  test('may be told by its code alone, or by words of the bank', () => {
    const coded = '<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>IDDT</Cd><SubFmlyCd>UPDD</SubFmlyCd></Fmly></Domn></BkTxCd>';
    expect(read(camt({ entries: [entry({ sign: 'DBIT', rest: coded })] })).transactions[0]!.returns).not.toBeNull();
    const own = detail('<RtrInf><Rsn><Prtry>X9</Prtry></Rsn></RtrInf>');
    expect(read(camt({ entries: [entry({ details: [own] })] })).transactions[0]!.returns!.reasonCode).toBe('X9');
  });

  test('a transfer that arrives less its fee says the fee', () => {
    const net = detail(
      '<AmtDtls><InstdAmt><Amt Ccy="EUR">100</Amt></InstdAmt></AmtDtls><Chrgs><Rcrd><Amt Ccy="EUR">2.5</Amt></Rcrd></Chrgs>',
    );
    const { transactions } = read(camt({ entries: [entry({ amount: '97.50', details: [net] })] }));
    expect(transactions[0]).toMatchObject({ amountMinor: 9_750n, feesMinor: 250n, returns: null });
  });
});

describe('a message', () => {
  test.each([
    ['BkToCstmrAcctRpt', 'camt.052'],
    ['BkToCstmrStmt', 'camt.053'],
    ['BkToCstmrDbtCdtNtfctn', 'camt.054'],
  ] as const)('%s is %s in any version, with any prefix', (message, source) => {
    for (const version of ['02', '04', '06', '08', '10', '13']) {
      const file = camt({ message, version, entries: [entry()] });
      expect(read(file).transactions[0]!.source).toBe(source);
      const prefixed = file.replace('xmlns=', 'xmlns:n=').replace(/<(\/?)(?=[A-Z])/g, '<$1n:');
      expect(read(prefixed).transactions).toEqual(read(file).transactions);
    }
    expect(read(camt({ message, entries: [entry()] }).replaceAll(message, `${message}V01`)).transactions).toHaveLength(
      1,
    );
  });

  test('of several statements tells each with its own account, currency and copies', () => {
    const one = camt({ entries: [entry()] });
    const second = `<Stmt><Id>S-2</Id><CpyDplctInd>CODU</CpyDplctInd><Acct><Id><Othr><Id>1 2 ab</Id></Othr></Id><Ccy>CHF</Ccy></Acct>
      ${entry().replace(' Ccy="EUR"', '')}</Stmt>`;
    const { transactions, statements } = read(one.replace('</Stmt>', `</Stmt>${second}`));
    expect(transactions.map(({ currency, position }) => [currency, position])).toEqual([
      ['EUR', 'statement 1, entry 1'],
      ['CHF', 'statement 2, entry 1'],
    ]);
    expect(statements).toMatchObject([
      { copy: false },
      { copy: true, account: '12AB', currency: 'CHF', reference: 'S-2' },
    ]);
  });

  test('without entries is a statement, without a statement none', () => {
    expect(read(camt()).statements).toHaveLength(1);
    const none = '<Document><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr></BkToCstmrStmt></Document>';
    expect(() => read(none)).toThrow(expect.objectContaining({ code: 'statementMissing' }));
    expect(() => read('<Invoice><ID>1</ID></Invoice>')).toThrow(
      expect.objectContaining({ code: 'statementFormatUnknown' }),
    );
    expect(() => read('<Invoice><ID>1</ID></Invoice>', { format: 'camt.053' })).toThrow(
      expect.objectContaining({ code: 'statementFormatUnknown' }),
    );
  });

  test('may come in an envelope, in UTF-16, in Latin-1, with damage in it, and behind a mark', () => {
    const file = camt({
      entries: [entry({ details: [detail('<RltdPties><Dbtr><Nm>Müller</Nm></Dbtr></RltdPties>')] })],
    });
    const nameIn = (bytes: Uint8Array | string) => read(bytes).transactions[0]!.counterparty.name;
    const utf16 = (order: 'le' | 'be', mark: string) => {
      const bytes = Buffer.from(mark + file.replace('UTF-8', 'UTF-16'), 'utf16le');
      return order === 'le' ? bytes : bytes.swap16();
    };
    expect(
      nameIn(
        file.replace('<Document', '<E:Envelope><Head/><Document').replace('</Document>', '</Document></E:Envelope>'),
      ),
    ).toBe('Müller');
    expect(nameIn(utf16('le', '\ufeff'))).toBe('Müller');
    expect(nameIn(utf16('be', ''))).toBe('Müller');
    expect(nameIn(latin1Of(file.replace('UTF-8', 'ISO-8859-1')))).toBe('Müller');
    expect(nameIn(latin1Of(file))).toBe('M\ufffdller');
    expect(nameIn(`\ufeff${file}`)).toBe('Müller');
    expect(() => read(file.replace('UTF-8', 'EBCDIC'))).toThrow(expect.objectContaining({ code: 'xmlEncoding' }));
  });

  test('is read the same in pieces of any size', async () => {
    const file = bytesOf(
      camt({
        head: '<!-- é > not <Ntry> a tag -->',
        entries: [
          entry({ details: [detail(`${payer}<RmtInf><Ustrd>a <![CDATA[<b> & ]]>€ &#233;</Ustrd></RmtInf>`)] }),
          entry(),
        ],
      }),
    );
    const whole = read(file);
    expect(whole.transactions[0]!.remittance).toBe('a <b> & € é');
    for (const size of [1, 2, 7, 64, 300]) {
      const events = [];
      const pieces = Array.from({ length: Math.ceil(file.length / size) }, (_, i) =>
        file.subarray(i * size, (i + 1) * size),
      );
      for await (const told of readStatement(pieces)) events.push(...told);
      expect(sorted(events)).toEqual(whole);
    }
  });
});

describe('a file that is cut, broken or hostile', () => {
  const three = camt({ entries: [entry({ amount: '1' }), entry({ amount: '2' }), entry({ amount: '3' })] });

  test('tells what was whole, then that it ends early', () => {
    const third = three.lastIndexOf('<Ntry>');
    const inEntry = read(three.slice(0, third + 30));
    expect(inEntry.transactions).toHaveLength(2);
    expect(faultsOf(inEntry)).toEqual(['fileEndsEarly at statement 1, entry 3']);
    expect(inEntry.statements).toHaveLength(1);
    const behind = read(three.slice(0, three.indexOf('</BkToCstmrStmt>')));
    expect([behind.transactions.length, faultsOf(behind)]).toEqual([3, ['fileEndsEarly at statement 1']]);
    expect(() => read(three.slice(0, three.indexOf('<Stmt>')))).toThrow(expect.objectContaining({ code: 'xmlBroken' }));
  });

  test('tells what stands before the place where it breaks', () => {
    const broken = read(three.replace('>2</Amt>', '>2</Atm>'));
    expect(broken.transactions).toHaveLength(1);
    expect(faultsOf(broken)).toEqual(['xmlBroken at statement 1, entry 2']);
    const junk = read(`${three}\0\0 and more`);
    expect([junk.transactions.length, faultsOf(junk)]).toEqual([3, ['xmlBroken at statement 1']]);
    expect(read(`${three}\0\u001a\n`).rejected).toEqual([]);
  });

  test.each([
    ['xmlDoctype', '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Document>&b;</Document>'],
    ['xmlDoctype', '<?xml version="1.0"?><!DOCTYPE Document SYSTEM "file:///etc/passwd"><Document/>'],
    ['xmlTooDeep', `<Document>${'<a>'.repeat(100_000)}`],
    ['xmlTooDeep', three.replace('<Ntry>', `<Ntry>${'<NtryDtls>'.repeat(100)}`)],
    ['xmlTooLarge', three.replace('<Sts>', `<AddtlNtryInf>${'x'.repeat(200_000)}</AddtlNtryInf><Sts>`)],
    ['xmlTooLarge', `<Document><!--${'x'.repeat(3_000_000)}`],
    ['xmlTooLarge', three.replace('<Ntry>', `<Ntry>${'<Amt/>'.repeat(30_000)}`)],
    ['xmlTooLarge', `<Document ${Array.from({ length: 100 }, (_, i) => `a${i}="1"`).join(' ')}/>`],
  ])('is refused with %s', (code, file) => {
    const time = processorTime(() =>
      expect(() => read(file, { format: 'camt.053' })).toThrow(expect.objectContaining({ code })),
    );
    expect(time).toBeLessThan(2_000);
  });

  test('with a million transactions in an entry tells it as one', () => {
    const many = camt({
      entries: [entry({ details: Array.from({ length: 100_001 }, () => detail('<Amt Ccy="EUR">1</Amt>')) })],
    });
    const { transactions, warnings } = read(many);
    expect([transactions.length, warnings.length]).toEqual([1, 1]);
  });
});

test('formats are told by their first bytes', () => {
  expect(sniffFormat(bytesOf(camt()))).toBe('camt.053');
  expect(sniffFormat(bytesOf('<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08">'))).toBe('camt.054');
  for (const none of ['', '   ', '<html>', 'hello', '%PDF-1.7', '{"a":1}'])
    expect(sniffFormat(bytesOf(none))).toBeNull();
  expect(() => read('')).toThrow(expect.objectContaining({ code: 'statementEmpty' }));
  expect(() => read('hello')).toThrow(expect.objectContaining({ code: 'statementFormatUnknown' }));
});
