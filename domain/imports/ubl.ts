import type { LocalDate } from '../time/dates.ts';
import { parseDateText } from '../text/date-text.ts';
import type { ImportedAddress } from './document.ts';
import type { RawEInvoice } from './einvoice.ts';
import { find, findAll, textOf, type XmlNode } from './xml.ts';

/** OASIS UBL 2.1 `Invoice` and `CreditNote` as EN 16931-3-2 and Peppol BIS Billing 3 use them. */
export function readUbl(root: XmlNode): RawEInvoice {
  const isCreditNote = root.name === 'CreditNote';
  const payable = find(root, 'LegalMonetaryTotal', 'PayableAmount');
  const buyer = find(root, 'AccountingCustomerParty', 'Party');
  const seller = find(root, 'AccountingSupplierParty', 'Party');
  const means = findAll(root, 'PaymentMeans');
  const currency = textOf(root, 'DocumentCurrencyCode');

  return {
    isCreditNote,
    number: textOf(root, 'ID'),
    // Plain UBL may leave the type out; the root then says that it is a commercial invoice.
    typeCode: textOf(root, isCreditNote ? 'CreditNoteTypeCode' : 'InvoiceTypeCode') ?? (isCreditNote ? '381' : '380'),
    issuedOn: isoDate(textOf(root, 'IssueDate')),
    dueDates: [
      ...findAll(root, 'DueDate'),
      ...findAll(root, 'PaymentMeans', 'PaymentDueDate'),
      ...findAll(root, 'PaymentTerms', 'PaymentDueDate'),
      ...findAll(root, 'PaymentTerms', 'InstallmentDueDate'),
    ].flatMap((node) => isoDate(node.text.trim()) ?? []),
    payable: payable?.text.trim() ?? null,
    payableCurrency: payable?.attributes['currencyID'] ?? null,
    currency,
    customer: {
      reference:
        textOf(root, 'AccountingCustomerParty', 'SupplierAssignedAccountID') ??
        textOf(buyer, 'PartyIdentification', 'ID'),
      ...partyOf(buyer),
      email: emailOf(buyer),
      country: textOf(buyer, 'PostalAddress', 'Country', 'IdentificationCode'),
      address: addressOf(find(buyer, 'PostalAddress')),
    },
    seller: seller ? partyOf(seller) : null,
    // A second tax total in the accounting currency has no subtotals.
    vat: findAll(root, 'TaxTotal', 'TaxSubtotal').map((tax) => ({
      rate: textOf(tax, 'TaxCategory', 'Percent'),
      net: textOf(tax, 'TaxableAmount'),
      vat: textOf(tax, 'TaxAmount'),
    })),
    references: means.flatMap((one) => findAll(one, 'PaymentID').map((id) => id.text.trim() || null)),
    orderReference: textOf(root, 'OrderReference', 'ID'),
    correctsNumber: textOf(root, 'BillingReference', 'InvoiceDocumentReference', 'ID'),
    otherReferences: [],
    paymentMeans: means.flatMap((one) => textOf(one, 'PaymentMeansCode') ?? []),
    hasMandate: means.some((one) => textOf(one, 'PaymentMandate', 'ID') !== null),
    iban: means.map((one) => textOf(one, 'PayeeFinancialAccount', 'ID')).find((id) => id !== null) ?? null,
    terms: findAll(root, 'PaymentTerms', 'Note').flatMap((note) => note.text.trim() || []),
    notes: findAll(root, 'Note').flatMap((note) => note.text.trim() || []),
  };
}

/** The registered name first: that is who owes. */
const partyOf = (party: XmlNode | undefined) => ({
  name: textOf(party, 'PartyLegalEntity', 'RegistrationName') ?? textOf(party, 'PartyName', 'Name'),
  registrationId: textOf(party, 'PartyLegalEntity', 'CompanyID'),
  vatId:
    findAll(party, 'PartyTaxScheme')
      .filter((scheme) => textOf(scheme, 'TaxScheme', 'ID') === 'VAT')
      .map((scheme) => textOf(scheme, 'CompanyID'))
      .find((id) => id !== null) ?? null,
});

function emailOf(party: XmlNode | undefined): string | null {
  const electronic = find(party, 'EndpointID');
  const fromEndpoint = electronic?.attributes['schemeID'] === 'EM' ? electronic.text.trim() : null;
  return textOf(party, 'Contact', 'ElectronicMail') ?? fromEndpoint;
}

function addressOf(node: XmlNode | undefined): ImportedAddress | null {
  if (!node) return null;
  const lines = [
    ...['StreetName', 'AdditionalStreetName'].flatMap((name) => textOf(node, name) ?? []),
    ...findAll(node, 'AddressLine', 'Line').flatMap((line) => line.text.trim() || []),
  ];
  return {
    lines,
    postalCode: textOf(node, 'PostalZone'),
    city: textOf(node, 'CityName'),
    country: textOf(node, 'Country', 'IdentificationCode'),
  };
}

/** `xsd:date`, whose optional zone says nothing about the day. */
const isoDate = (text: string | null): LocalDate | null =>
  text !== null && /^\d{4}-\d{2}-\d{2}(Z|[+-]\d{2}:\d{2})?$/.test(text) ? parseDateText(text.slice(0, 10)) : null;
