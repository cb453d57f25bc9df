import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import type { ImportedDocument, RowResult } from '../../domain/imports/document.ts';
import { readEInvoice } from '../../domain/imports/einvoice.ts';
import { readXml, textOf } from '../../domain/imports/xml.ts';
import { cii, due, ubl } from './fixtures.ts';

const read = (xml: string | Uint8Array): RowResult => readEInvoice(typeof xml === 'string' ? Buffer.from(xml) : xml);
const document = (xml: string): ImportedDocument => {
  const result = read(xml);
  if (!('document' in result)) throw new Error(`not a document: ${JSON.stringify(result)}`);
  return result.document;
};
const codes = (xml: string): string[] => {
  const result = read(xml);
  return 'faults' in result ? result.faults.map(({ pointer, code }) => `${pointer} ${code}`) : ['none'];
};
const refusal = (xml: string | Uint8Array): string => {
  try {
    read(xml);
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  return 'read';
};

describe('CII', () => {
  test('an invoice with everything', () => {
    const buyer =
      '<ID>C1</ID><Name>Buyer &amp; Co</Name><SpecifiedLegalOrganization><ID>HRB 7</ID></SpecifiedLegalOrganization>' +
      '<DefinedTradeContact><EmailURIUniversalCommunication><URIID>pay@example.com</URIID></EmailURIUniversalCommunication></DefinedTradeContact>' +
      '<PostalTradeAddress><PostcodeCode>10115</PostcodeCode><LineOne>Hauptstr. 1</LineOne><CityName>Berlin</CityName><CountryID>DE</CountryID></PostalTradeAddress>' +
      '<SpecifiedTaxRegistration><ID schemeID="VA">DE1</ID></SpecifiedTaxRegistration>';
    const means =
      '<PaymentReference>RF18</PaymentReference><SpecifiedTradeSettlementPaymentMeans><TypeCode>58</TypeCode>' +
      '<PayeePartyCreditorFinancialAccount><IBANID>DE02 1203 0000 0000 2020 51</IBANID></PayeePartyCreditorFinancialAccount></SpecifiedTradeSettlementPaymentMeans>' +
      '<ApplicableTradeTax><CalculatedAmount>19</CalculatedAmount><BasisAmount>100</BasisAmount><RateApplicablePercent>19</RateApplicablePercent></ApplicableTradeTax>';
    expect(
      document(cii({ buyer, means, terms: `<Description>Zahlbar bis bald</Description>${due('20260404')}` })),
    ).toEqual({
      kind: 'invoice',
      number: 'R-1',
      issuedOn: '2026-03-05',
      dueOn: '2026-04-04',
      dueOnSource: 'document',
      amount: '100.00',
      currency: 'EUR',
      customer: {
        reference: 'C1',
        name: 'Buyer & Co',
        email: 'pay@example.com',
        country: 'DE',
        kind: null,
        locale: null,
        registrationId: 'HRB 7',
        vatId: 'DE1',
        address: { lines: ['Hauptstr. 1'], postalCode: '10115', city: 'Berlin', country: 'DE' },
      },
      seller: { name: 'Seller SAS', registrationId: '123456789', vatId: 'FR11123456789' },
      vat: [{ rate: '19', net: '100', vat: '19' }],
      references: ['RF18'],
      orderReference: null,
      correctsNumber: null,
      collection: { method: 'transfer', on: null },
      iban: 'DE02120300000000202051',
      terms: 'Zahlbar bis bald',
      texts: ['Zahlbar bis bald'],
    });
  });

  test('ZUGFeRD 1 has other names for the same', () => {
    const xml = cii({ terms: due('20260404') })
      .replaceAll('CrossIndustryInvoice', 'CrossIndustryDocument')
      .replaceAll('x:ExchangedDocument', 'x:HeaderExchangedDocument')
      .replaceAll('x:SupplyChainTradeTransaction', 'x:SpecifiedSupplyChainTradeTransaction')
      .replaceAll('ApplicableHeaderTrade', 'ApplicableSupplyChainTrade')
      .replaceAll('HeaderMonetarySummation', 'MonetarySummation');
    expect(document(xml)).toMatchObject({
      number: 'R-1',
      amount: '100.00',
      dueOn: '2026-04-04',
      dueOnSource: 'document',
    });
  });

  test.each([
    ['380', '100', 'invoice', '100.00'],
    ['384', '100', 'invoice', '100.00'],
    ['326', '0.01', 'invoice', '0.01'],
    ['575', '440.000', 'invoice', '440.00'],
    ['384', '-8.79', 'creditNote', '8.79'],
    ['380', '-5', 'creditNote', '5.00'],
    ['381', '100', 'creditNote', '100.00'],
    ['381', '-100', 'creditNote', '100.00'],
    ['261', '7', 'creditNote', '7.00'],
  ])('type %s over %s is a %s over %s', (type, payable, kind, amount) =>
    expect(document(cii({ type, payable: `<DuePayableAmount>${payable}</DuePayableAmount>` }))).toMatchObject({
      kind,
      amount,
    }),
  );

  test('the payable amount counts prepayments; without it the gross does if nothing was prepaid', () => {
    const payable = (text: string): string => cii({ payable: text });
    const gross = '<GrandTotalAmount>300</GrandTotalAmount>';
    expect(document(payable(`${gross}<DuePayableAmount>120.5</DuePayableAmount>`)).amount).toBe('120.50');
    expect(document(payable(`${gross}<TotalPrepaidAmount>0.00</TotalPrepaidAmount>`)).amount).toBe('300.00');
    expect(codes(payable(`${gross}<TotalPrepaidAmount>5</TotalPrepaidAmount>`))).toEqual(['/amount required']);
  });

  test('due dates: the last of instalments, else words, else none', () => {
    const two = cii({
      terms: `${due('20260404')}</SpecifiedTradePaymentTerms><SpecifiedTradePaymentTerms>${due('20260504')}`,
    });
    expect(document(two)).toMatchObject({ dueOn: '2026-05-04', dueOnSource: 'document' });
    expect(document(cii({ terms: '<Description>30 jours net</Description>' }))).toMatchObject({
      dueOn: '2026-04-04',
      dueOnSource: 'terms',
    });
    expect(
      document(cii({ notes: '<IncludedNote><Content>Zahlbar bis 04.04.2026</Content></IncludedNote>' })),
    ).toMatchObject({
      dueOn: '2026-04-04',
      dueOnSource: 'terms',
      terms: 'Zahlbar bis 04.04.2026',
    });
    expect(document(cii())).toMatchObject({ dueOn: null, dueOnSource: 'none' });
  });

  test('direct debit, by means or by words', () => {
    const means =
      '<SpecifiedTradeSettlementPaymentMeans><TypeCode>59</TypeCode></SpecifiedTradeSettlementPaymentMeans>';
    expect(document(cii({ means, terms: due('20260404') })).collection).toEqual({
      method: 'directDebit',
      on: '2026-04-04',
    });
    const terms = `<Description>Der Betrag wird am 20.03.2026 eingezogen.</Description>${due('20260404')}`;
    expect(document(cii({ means, terms })).collection).toEqual({ method: 'directDebit', on: '2026-03-20' });
    expect(document(cii({ terms })).collection).toEqual({ method: 'directDebit', on: '2026-03-20' });
    expect(document(cii()).collection).toBeNull();
  });

  test('the corrected invoice, by reference or in a note', () => {
    const settlement =
      '<InvoiceReferencedDocument><IssuerAssignedID>R-0</IssuerAssignedID></InvoiceReferencedDocument>';
    expect(document(cii({ type: '381', settlement })).correctsNumber).toBe('R-0');
    const notes = '<IncludedNote><Content>Ursprungsbeleg-Nr  : R-00\nx</Content></IncludedNote>';
    expect(document(cii({ type: '381', notes })).correctsNumber).toBe('R-00');
    expect(document(cii({ notes })).correctsNumber).toBeNull();
  });

  test.each([
    [{ type: '325' }, ['/kind documentTypeUnknown']],
    [{ type: 'x' }, ['/kind documentTypeUnknown']],
    [{ number: '' }, ['/number required']],
    [{ number: 'R\u0085' }, ['/number controlCharacter']],
    [{ issued: '20260230' }, ['/issuedOn required']],
    [{ payable: '' }, ['/amount required']],
    [{ payable: '<DuePayableAmount>1.005</DuePayableAmount>' }, ['/amount tooManyDecimals']],
    [{ payable: '<DuePayableAmount>1e3</DuePayableAmount>' }, ['/amount amountInvalid']],
    [{ payable: '<DuePayableAmount>0.00</DuePayableAmount>' }, ['/amount amountZero']],
    [{ payable: '<DuePayableAmount currencyID="USD">1</DuePayableAmount>' }, ['/currency currencyMismatch']],
    [{ currency: 'XXY' }, ['/currency unknownCurrency']],
    [{ currency: '' }, ['/currency required']],
    [{ buyer: '' }, ['/customer/name required']],
    [{ terms: due('20260101') }, ['/dueOn dueBeforeIssue']],
    [{ number: '', payable: '' }, ['/number required', '/amount required']],
  ])('%j is rejected with its reason', (parts, expected) => expect(codes(cii(parts))).toEqual(expected));
});

describe('UBL', () => {
  test('an invoice', () =>
    expect(
      document(
        ubl(
          'Invoice',
          '<b:DueDate>2026-04-04</b:DueDate><b:InvoiceTypeCode>380</b:InvoiceTypeCode><a:OrderReference><b:ID>PO-1</b:ID></a:OrderReference>' +
            '<a:PaymentMeans><b:PaymentMeansCode>30</b:PaymentMeansCode><b:PaymentID>RF18</b:PaymentID><a:PayeeFinancialAccount><b:ID>FR7630006000011234567890189</b:ID></a:PayeeFinancialAccount></a:PaymentMeans>' +
            '<a:InvoiceLine><b:ID>not this</b:ID></a:InvoiceLine>',
        ),
      ),
    ).toMatchObject({
      kind: 'invoice',
      number: 'U-1',
      issuedOn: '2026-03-05',
      dueOn: '2026-04-04',
      amount: '100.00',
      orderReference: 'PO-1',
      references: ['RF18'],
      iban: 'FR7630006000011234567890189',
      customer: { name: 'Legal name GmbH', registrationId: 'HRB 1', email: 'pay@example.com' },
      collection: { method: 'transfer', on: null },
    }));

  test('a credit note, whatever its sign', () => {
    const reference =
      '<a:BillingReference><a:InvoiceDocumentReference><b:ID>U-0</b:ID></a:InvoiceDocumentReference></a:BillingReference>';
    expect(document(ubl('CreditNote', reference))).toMatchObject({
      kind: 'creditNote',
      amount: '100.00',
      correctsNumber: 'U-0',
    });
    expect(document(ubl('CreditNote', '', '-3'))).toMatchObject({ kind: 'creditNote', amount: '3.00' });
    expect(document(ubl('Invoice', '<b:InvoiceTypeCode>381</b:InvoiceTypeCode>')).kind).toBe('creditNote');
  });
});

describe('XML that is no invoice', () => {
  const bomb =
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Invoice>&b;</Invoice>';
  const external = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><Invoice><ID>&x;</ID></Invoice>';
  test.each<[string, string | Uint8Array, string]>([
    ['empty', '', 'xmlBroken'],
    ['not XML', 'number;amount', 'xmlBroken'],
    ['cut off', cii().slice(0, 700), 'xmlBroken'],
    ['crossed tags', '<a><b></a></b>', 'xmlBroken'],
    ['two roots', '<Invoice/><Invoice/>', 'xmlBroken'],
    ['an unknown entity', '<Invoice>&nbsp;</Invoice>', 'xmlBroken'],
    ['an unbound prefix', '<x:Invoice/>', 'xmlBroken'],
    ['another root', '<Order/>', 'xmlNotInvoice'],
    ['a bomb', bomb, 'xmlDoctype'],
    ['an external entity', external, 'xmlDoctype'],
    ['too deep', '<a>'.repeat(65) + '</a>'.repeat(65), 'xmlTooDeep'],
    ['far too deep', '<a>'.repeat(500_000), 'xmlTooDeep'],
    ['too deep where lines are skipped', `<Invoice>${'<InvoiceLine>'.repeat(500_000)}`, 'xmlTooDeep'],
    ['too many elements', `<Invoice>${'<a/>'.repeat(100_001)}</Invoice>`, 'xmlTooLarge'],
    ['too long a text', `<Invoice><ID>${'9'.repeat(100_001)}</ID></Invoice>`, 'xmlTooLarge'],
    ['too many bytes', Buffer.alloc(20_000_001, 32), 'xmlTooLarge'],
    ['bytes that are not UTF-8', Buffer.from([0x3c, 0x61, 0xff, 0x3e]), 'xmlEncoding'],
    ['an encoding we do not read', '<?xml version="1.0" encoding="EBCDIC-CP-FR"?><Invoice/>', 'xmlEncoding'],
  ])('%s', (_, xml, code) => {
    const started = performance.now();
    expect(refusal(xml)).toBe(code);
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test('hostile terms and notes take no time', () => {
    for (const piece of [
      'wird ',
      'ziehen wir ',
      'zahlbar 1.1.',
      'originalrechnung ',
      '30 ',
      'le 1 ',
      'paiement ',
      '1 mai ',
    ]) {
      const started = performance.now();
      const text = piece.repeat(Math.floor(90_000 / piece.length));
      expect(codes(cii({ terms: `<Description>${text}</Description>` }))).toEqual(['none']);
      const notes = `<IncludedNote><Content>${text}</Content></IncludedNote>`.repeat(60);
      expect(codes(cii({ type: '381', notes }))).toEqual(['none']);
      expect(performance.now() - started).toBeLessThan(3_000);
    }
  });

  test('an invoice without anything in it is faults, not an error', () =>
    expect(codes('<Invoice/>')).toContain('/number required'));

  test('other encodings, byte order marks and leading blank lines are read', () => {
    const xml = '<?xml version="1.0" encoding="ISO-8859-1"?><a><b>Müller</b></a>';
    const name = (bytes: Uint8Array): string | null => textOf(readXml(bytes), 'b');
    expect(name(Buffer.from(xml, 'latin1'))).toBe('Müller');
    expect(name(Buffer.from('\ufeff<a><b>Müller</b></a>'))).toBe('Müller');
    expect(name(Buffer.from('\n <?xml version="1.0"?><a><b>Müller</b></a>'))).toBe('Müller');
    expect(name(Buffer.from('\ufeff<a><b><![CDATA[Müller]]></b></a>', 'utf16le'))).toBe('Müller');
  });

  test('whatever is cut from an invoice or put into it, it is a result or a refusal', () => {
    const whole = cii({ terms: due('20260404') });
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(40), fc.string({ maxLength: 8 }), (at, length, text) => {
        try {
          expect(read(whole.slice(0, at) + text + whole.slice(at + length)).line).toBe(1);
        } catch (error) {
          expect(error).toBeInstanceOf(DomainError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
