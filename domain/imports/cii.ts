import type { LocalDate } from '../time/dates.ts';
import { parseDateText } from '../text/date-text.ts';
import type { ImportedAddress } from './document.ts';
import type { RawEInvoice } from './einvoice.ts';
import { find, findAll, textOf, type XmlNode } from './xml.ts';

/**
 * UN/CEFACT Cross Industry Invoice, D16B as Factur-X, ZUGFeRD 2 and XRechnung use it (EN 16931-3-3), and its forerunner of
 * ZUGFeRD 1 (`CrossIndustryDocument`), which differs in the names of a few elements.
 */
export function readCii(root: XmlNode): RawEInvoice {
  const head = find(root, 'ExchangedDocument') ?? find(root, 'HeaderExchangedDocument');
  const trade = find(root, 'SupplyChainTradeTransaction') ?? find(root, 'SpecifiedSupplyChainTradeTransaction');
  const part = (name: string): XmlNode | undefined =>
    find(trade, `ApplicableHeaderTrade${name}`) ?? find(trade, `ApplicableSupplyChainTrade${name}`);
  const agreement = part('Agreement');
  const settlement = part('Settlement');
  const sums =
    find(settlement, 'SpecifiedTradeSettlementHeaderMonetarySummation') ??
    find(settlement, 'SpecifiedTradeSettlementMonetarySummation');
  const payable = find(sums, 'DuePayableAmount') ?? grossWithoutPrepayment(sums);
  const buyer = find(agreement, 'BuyerTradeParty');
  const seller = find(agreement, 'SellerTradeParty');
  const means = findAll(settlement, 'SpecifiedTradeSettlementPaymentMeans');
  const termsParts = findAll(settlement, 'SpecifiedTradePaymentTerms');

  return {
    isCreditNote: false,
    number: textOf(head, 'ID'),
    typeCode: textOf(head, 'TypeCode'),
    issuedOn: dateOf(find(head, 'IssueDateTime')),
    dueDates: termsParts.flatMap((terms) => dateOf(find(terms, 'DueDateDateTime')) ?? []),
    payable: payable?.text.trim() ?? null,
    payableCurrency: payable?.attributes['currencyID'] ?? null,
    currency: textOf(settlement, 'InvoiceCurrencyCode'),
    customer: {
      reference: textOf(buyer, 'ID'),
      name: textOf(buyer, 'Name'),
      email: emailOf(buyer),
      country: textOf(buyer, 'PostalTradeAddress', 'CountryID'),
      registrationId: textOf(buyer, 'SpecifiedLegalOrganization', 'ID'),
      vatId: taxId(buyer),
      address: addressOf(find(buyer, 'PostalTradeAddress')),
    },
    seller: seller
      ? {
          name: textOf(seller, 'Name'),
          registrationId: textOf(seller, 'SpecifiedLegalOrganization', 'ID'),
          vatId: taxId(seller),
        }
      : null,
    vat: findAll(settlement, 'ApplicableTradeTax').map((tax) => ({
      rate: textOf(tax, 'RateApplicablePercent') ?? textOf(tax, 'ApplicablePercent'),
      net: textOf(tax, 'BasisAmount'),
      vat: textOf(tax, 'CalculatedAmount'),
    })),
    references: [textOf(settlement, 'PaymentReference')],
    orderReference: documentId(find(agreement, 'BuyerOrderReferencedDocument')),
    correctsNumber: documentId(find(settlement, 'InvoiceReferencedDocument')),
    otherReferences: findAll(agreement, 'AdditionalReferencedDocument')
      .filter((reference) => textOf(reference, 'TypeCode') === '130')
      .map(documentId),
    paymentMeans: means.flatMap((one) => textOf(one, 'TypeCode') ?? []),
    hasMandate: termsParts.some((terms) => textOf(terms, 'DirectDebitMandateID') !== null),
    iban:
      means.map((one) => textOf(one, 'PayeePartyCreditorFinancialAccount', 'IBANID')).find((id) => id !== null) ?? null,
    terms: termsParts.flatMap((terms) => textOf(terms, 'Description') ?? []),
    notes: findAll(head, 'IncludedNote').flatMap((note) =>
      findAll(note, 'Content').map((content) => content.text.trim()),
    ),
  };
}

/** The gross total stands in for a missing payable amount only where nothing was prepaid. */
function grossWithoutPrepayment(sums: XmlNode | undefined): XmlNode | undefined {
  const prepaid = textOf(sums, 'TotalPrepaidAmount');
  return prepaid === null || /^0*(\.0*)?$/.test(prepaid) ? find(sums, 'GrandTotalAmount') : undefined;
}

/** `IssuerAssignedID`, in ZUGFeRD 1 `ID`. */
const documentId = (node: XmlNode | undefined): string | null => textOf(node, 'IssuerAssignedID') ?? textOf(node, 'ID');

/**
 * A date in UNTDID 2379 notation: 102 is CCYYMMDD, 203 and 204 carry a time behind it; ISO dates where no format is named.
 * The element around it is `DateTimeString` or `DateString`.
 */
function dateOf(node: XmlNode | undefined): LocalDate | null {
  const value = find(node, 'DateTimeString') ?? find(node, 'DateString') ?? find(node, 'DateTime');
  const text = value?.text.trim() ?? '';
  const format = value?.attributes['format'];
  if (format === '203' || format === '204')
    return /^\d{12}(\d{2})?$/.test(text) ? parseDateText(text.slice(0, 8)) : null;
  if (/^\d{8}$/.test(text)) return parseDateText(text);
  return /^\d{4}-\d{2}-\d{2}(T.*)?$/.test(text) ? parseDateText(text.slice(0, 10)) : null;
}

const taxId = (party: XmlNode | undefined): string | null =>
  findAll(party, 'SpecifiedTaxRegistration', 'ID')
    .find((id) => id.attributes['schemeID'] === 'VA')
    ?.text.trim() ?? null;

/** The buyer's electronic address when it is an e-mail (scheme EM), else that of its contact. */
function emailOf(party: XmlNode | undefined): string | null {
  const electronic = findAll(party, 'URIUniversalCommunication', 'URIID').find(
    (id) => id.attributes['schemeID'] === 'EM',
  );
  return (
    textOf(party, 'DefinedTradeContact', 'EmailURIUniversalCommunication', 'URIID') ?? electronic?.text.trim() ?? null
  );
}

function addressOf(node: XmlNode | undefined): ImportedAddress | null {
  if (!node) return null;
  const lines = ['LineOne', 'LineTwo', 'LineThree'].flatMap((name) => textOf(node, name) ?? []);
  return {
    lines,
    postalCode: textOf(node, 'PostcodeCode'),
    city: textOf(node, 'CityName'),
    country: textOf(node, 'CountryID'),
  };
}
