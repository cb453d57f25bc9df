import { createHash } from 'node:crypto';
import { PDFDocument, PDFName, PDFRawStream, PDFHexString } from 'pdf-lib';

/** The parts of a CII invoice that tests vary; XML as given. */
export interface CiiParts {
  number?: string;
  type?: string;
  issued?: string;
  buyer?: string;
  means?: string;
  terms?: string;
  payable?: string;
  currency?: string;
  settlement?: string;
  notes?: string;
}

const date = (compact: string): string => `<u:DateTimeString format="102">${compact}</u:DateTimeString>`;

/** A CII invoice with prefixes of its own choice. */
export const cii = (parts: CiiParts = {}): string => `<?xml version="1.0" encoding="UTF-8"?>
<x:CrossIndustryInvoice xmlns:x="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100" xmlns="urn:r" xmlns:u="urn:u">
  <x:ExchangedDocument><ID>${parts.number ?? 'R-1'}</ID><TypeCode>${parts.type ?? '380'}</TypeCode>
    <IssueDateTime>${date(parts.issued ?? '20260305')}</IssueDateTime>${parts.notes ?? ''}</x:ExchangedDocument>
  <x:SupplyChainTradeTransaction>
    <IncludedSupplyChainTradeLineItem><ID>LINE</ID></IncludedSupplyChainTradeLineItem>
    <ApplicableHeaderTradeAgreement>
      <SellerTradeParty><Name>Seller SAS</Name><SpecifiedLegalOrganization><ID>123456789</ID></SpecifiedLegalOrganization>
        <SpecifiedTaxRegistration><ID schemeID="FC">1</ID></SpecifiedTaxRegistration>
        <SpecifiedTaxRegistration><ID schemeID="VA">FR11123456789</ID></SpecifiedTaxRegistration></SellerTradeParty>
      <BuyerTradeParty>${parts.buyer ?? '<ID>C1</ID><Name>Buyer &amp; Co</Name>'}</BuyerTradeParty>
    </ApplicableHeaderTradeAgreement>
    <ApplicableHeaderTradeSettlement>
      <InvoiceCurrencyCode>${parts.currency ?? 'EUR'}</InvoiceCurrencyCode>${parts.means ?? ''}
      <SpecifiedTradePaymentTerms>${parts.terms ?? ''}</SpecifiedTradePaymentTerms>
      <SpecifiedTradeSettlementHeaderMonetarySummation>${parts.payable ?? '<DuePayableAmount>100</DuePayableAmount>'}</SpecifiedTradeSettlementHeaderMonetarySummation>
      ${parts.settlement ?? ''}
    </ApplicableHeaderTradeSettlement>
  </x:SupplyChainTradeTransaction>
</x:CrossIndustryInvoice>`;

export const due = (compact: string): string => `<DueDateDateTime>${date(compact)}</DueDateDateTime>`;

/** A UBL invoice or credit note around what the test gives. */
export const ubl = (root: 'Invoice' | 'CreditNote', body: string, payable = '100.00'): string => `
<${root} xmlns="urn:oasis:names:specification:ubl:schema:xsd:${root}-2" xmlns:a="urn:a" xmlns:b="urn:b">
  <b:ID>U-1</b:ID><b:IssueDate>2026-03-05+01:00</b:IssueDate>${body}
  <b:DocumentCurrencyCode>EUR</b:DocumentCurrencyCode>
  <a:AccountingCustomerParty><a:Party><a:PartyName><b:Name>Trading name</b:Name></a:PartyName>
    <a:PartyLegalEntity><b:RegistrationName>Legal name GmbH</b:RegistrationName><b:CompanyID>HRB 1</b:CompanyID></a:PartyLegalEntity>
    <a:Contact><b:ElectronicMail>pay@example.com</b:ElectronicMail></a:Contact></a:Party></a:AccountingCustomerParty>
  <a:LegalMonetaryTotal><b:PayableAmount currencyID="EUR">${payable}</b:PayableAmount></a:LegalMonetaryTotal>
</${root}>`;

export interface Attachment {
  name: string;
  content: Uint8Array | string;
}

/** A one-page PDF with the attachments, as PDF/A-3 producers write it. */
export async function pdfWith(attachments: Attachment[], options = { useObjectStreams: false }): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  document.addPage([100, 100]);
  for (const { name, content } of attachments) {
    await document.attach(typeof content === 'string' ? Buffer.from(content) : content, name);
  }
  return document.save(options);
}

function rc4(key: Uint8Array, data: Uint8Array): Uint8Array {
  const s = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (let i = 0, j = 0; i < 256; i++) {
    j = (j + s[i]! + key[i % key.length]!) & 255;
    [s[i], s[j]] = [s[j]!, s[i]!];
  }
  let [i, j] = [0, 0];
  return data.map((byte) => {
    i = (i + 1) & 255;
    j = (j + s[i]!) & 255;
    [s[i], s[j]] = [s[j]!, s[i]!];
    return byte ^ s[(s[i]! + s[j]!) & 255]!;
  });
}

const PADDING = Buffer.from('28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A', 'hex');

/** The same, encrypted with the 40-bit standard handler and an empty user password (ISO 32000-1, 7.6.3, algorithms 1, 2 and 4). */
export async function encryptedPdfWith(attachments: Attachment[]): Promise<Uint8Array> {
  const document = await PDFDocument.load(await pdfWith(attachments));
  const { context } = document;
  const id = createHash('md5').update('id').digest();
  const owner = rc4(createHash('md5').update(PADDING).digest().subarray(0, 5), PADDING);
  const permissions = Buffer.alloc(4);
  permissions.writeInt32LE(-4);
  const key = createHash('md5').update(PADDING).update(owner).update(permissions).update(id).digest().subarray(0, 5);
  for (const [ref, object] of context.enumerateIndirectObjects()) {
    if (!(object instanceof PDFRawStream)) continue;
    const salt = Buffer.alloc(5);
    salt.writeUIntLE(ref.objectNumber, 0, 3);
    salt.writeUIntLE(ref.generationNumber, 3, 2);
    const objectKey = createHash('md5').update(key).update(salt).digest().subarray(0, 10);
    context.assign(ref, PDFRawStream.of(object.dict, rc4(objectKey, object.contents)));
  }
  const hex = (bytes: Uint8Array): PDFHexString => PDFHexString.of(Buffer.from(bytes).toString('hex'));
  context.trailerInfo.ID = context.obj([hex(id), hex(id)]);
  context.trailerInfo.Encrypt = context.register(
    context.obj({ Filter: 'Standard', V: 1, R: 2, P: -4, O: hex(owner), U: hex(rc4(key, PADDING)) }),
  );
  return document.save({ useObjectStreams: false });
}

/** A name tree that refers to itself. */
export async function pdfWithLoopedTree(): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  document.addPage([100, 100]);
  const { context } = document;
  const node = context.obj({});
  const ref = context.register(node);
  node.set(PDFName.of('Kids'), context.obj([ref, ref]));
  document.catalog.set(PDFName.of('Names'), context.obj({ EmbeddedFiles: ref }));
  return document.save({ useObjectStreams: false });
}
