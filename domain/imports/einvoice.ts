import { DomainError, type Fault } from '../errors.ts';
import type { LocalDate } from '../time/dates.ts';
import { readCii } from './cii.ts';
import {
  cleanText,
  CONTROL,
  fault,
  LIMITS,
  normalAmount,
  requiredFault,
  textFaults,
  type ImportedCustomer,
  type ImportedDocument,
  type RowResult,
} from './document.ts';
import { collectionFromTerms, dueOnFromTerms, termsAmongNotes } from './terms.ts';
import { readUbl } from './ubl.ts';
import { countryCode, ibanShape, looksLikeEmail } from './values.ts';
import { readXml } from './xml.ts';

/** What both syntaxes say, as they say it; `einvoice.ts` gives it its meaning once. */
export interface RawEInvoice {
  /** UBL CreditNote says by its root what it is. */
  isCreditNote: boolean;
  number: string | null;
  typeCode: string | null;
  issuedOn: LocalDate | null;
  /** All due dates; several are instalments. */
  dueDates: LocalDate[];
  payable: string | null;
  payableCurrency: string | null;
  currency: string | null;
  customer: Omit<ImportedCustomer, 'kind' | 'locale'>;
  seller: ImportedDocument['seller'];
  vat: { rate: string | null; net: string | null; vat: string | null }[];
  references: (string | null)[];
  orderReference: string | null;
  correctsNumber: string | null;
  /** References of unclear purpose; on a credit they may name the invoice. */
  otherReferences: (string | null)[];
  /** UNTDID 4461. */
  paymentMeans: string[];
  hasMandate: boolean;
  iban: string | null;
  terms: string[];
  notes: string[];
}

/**
 * Invoice types of UNTDID 1001 that claim money (the list of EN 16931 BT-3, without 130 invoicing data sheet and 325
 * pro forma, which claim nothing).
 */
const INVOICE_TYPES = new Set(
  (
    '80 82 84 202 203 204 211 218 219 295 326 331 380 382 383 384 385 386 387 388 389 390 393 394 395 456 457 527 553 575 ' +
    '623 633 751 780 817 870 875 876 877 935'
  ).split(' '),
);
/** Credit types of UNTDID 1001 (the same list). */
const CREDIT_TYPES = new Set('81 83 261 262 296 308 381 396 420 458 502 503 532'.split(' '));

/** UNTDID 4461: 49 direct debit, 59 SEPA direct debit. */
const DIRECT_DEBIT = new Set(['49', '59']);
/** 30 credit transfer, 31 debit transfer, 42 to a bank account, 58 SEPA credit transfer. */
const TRANSFER = new Set(['30', '31', '42', '58']);

export type EInvoiceSyntax = 'cii' | 'ubl';

/** Root elements by local name; `CrossIndustryDocument` is ZUGFeRD 1. */
export const EINVOICE_ROOTS: ReadonlyMap<string, EInvoiceSyntax> = new Map([
  ['CrossIndustryInvoice', 'cii'],
  ['CrossIndustryDocument', 'cii'],
  ['Invoice', 'ubl'],
  ['CreditNote', 'ubl'],
]);

/**
 * Reads one e-invoice in CII (Factur-X, ZUGFeRD 1 and 2, XRechnung) or UBL 2 (Peppol, XRechnung). Faults of its content are
 * in the result; throws `DomainError` when it cannot be read at all: those of `readXml`, and `xmlNotInvoice` for another root.
 *
 * - The amount is what the document asks to pay, prepayments considered as it says. A negative one makes a credit note, as a
 *   credit type does; a credit type with a negative amount is still a credit.
 * - The due date is the document's (of several, the last: instalments are not chased before the whole is due), else what the
 *   payment terms say in words, else none.
 */
export function readEInvoice(bytes: Uint8Array): RowResult {
  const root = readXml(bytes);
  const syntax = EINVOICE_ROOTS.get(root.name);
  if (!syntax) {
    throw new DomainError(
      'xmlNotInvoice',
      `<${root.name.slice(0, 60)}> is not an invoice: CII and UBL invoices are read.`,
    );
  }
  return interpret(syntax === 'cii' ? readCii(root) : readUbl(root));
}

function interpret(raw: RawEInvoice): RowResult {
  const faults: Fault[] = [];
  const number = cleanText(raw.number);
  const { issuedOn } = raw;
  if (number === null) faults.push(requiredFault('/number', 'the invoice number (BT-1)'));
  if (issuedOn === null) faults.push(requiredFault('/issuedOn', 'a readable issue date (BT-2)'));

  const stated = documentType(raw, faults);
  const money = payableAmount(raw, faults);
  const kind = stated === 'creditNote' || money?.negative ? 'creditNote' : 'invoice';

  const terms = statedTerms(raw);
  const due = kind === 'invoice' && issuedOn !== null ? dueDate(raw.dueDates, terms, issuedOn) : NO_DUE_DATE;
  if (due.on !== null && issuedOn !== null && due.on < issuedOn) {
    faults.push(fault('/dueOn', 'dueBeforeIssue', `the due date ${due.on} is before the issue date ${issuedOn}`));
  }
  const customer = interpretCustomer(raw);
  if (customer.name === null && customer.reference === null) {
    faults.push(requiredFault('/customer/name', "the buyer's name (BT-44)"));
  }
  if (number === null || issuedOn === null || money === null || faults.length > 0) return { line: 1, number, faults };

  const references = [...raw.references, ...(kind === 'creditNote' ? raw.otherReferences : [])].map(cleanText);
  const document: ImportedDocument = {
    kind,
    number,
    issuedOn,
    dueOn: due.on,
    dueOnSource: due.source,
    amount: money.amount,
    currency: money.currency,
    customer,
    seller: raw.seller && { ...raw.seller, name: cleanText(raw.seller.name) },
    vat: vatLines(raw, money.negative),
    references: [...new Set(references)].filter((text) => text !== null && text !== number) as string[],
    orderReference: cleanText(raw.orderReference),
    correctsNumber: cleanText(raw.correctsNumber) ?? (kind === 'creditNote' ? correctedInNotes(shortNotes(raw)) : null),
    collection: kind === 'invoice' ? collection(raw, terms, issuedOn, due.on) : null,
    iban: ibanShape(raw.iban),
    terms: terms === null ? null : clipTerms(terms),
    texts: [...raw.terms.slice(0, MAX_TEXTS).map((text) => text.slice(0, LIMITS.terms)), ...shortNotes(raw)],
  };
  faults.push(...textFaults(document));
  return faults.length > 0 ? { line: 1, number, faults } : { line: 1, document };
}

function documentType(raw: RawEInvoice, faults: Fault[]): ImportedDocument['kind'] {
  if (raw.isCreditNote) return 'creditNote';
  const code = raw.typeCode;
  if (code !== null && CREDIT_TYPES.has(code)) return 'creditNote';
  if (code === null || !INVOICE_TYPES.has(code)) {
    const what = code === null ? 'the document has no type code' : `type code "${code.slice(0, 20)}"`;
    faults.push(fault('/kind', 'documentTypeUnknown', `${what}: neither a known invoice nor a known credit note`));
  }
  return 'invoice';
}

function payableAmount(
  raw: RawEInvoice,
  faults: Fault[],
): { negative: boolean; amount: string; currency: string } | null {
  const currency = (raw.currency ?? raw.payableCurrency)?.toUpperCase() ?? null;
  if (currency === null) faults.push(requiredFault('/currency', 'the currency (BT-5)'));
  if (raw.payable === null) faults.push(requiredFault('/amount', 'the amount to pay (BT-115)'));
  if (currency === null || raw.payable === null) return null;
  if (raw.payableCurrency !== null && raw.payableCurrency.toUpperCase() !== currency) {
    const message = `the amount to pay is in ${raw.payableCurrency.slice(0, 10)}, the invoice in ${currency.slice(0, 10)}`;
    faults.push(fault('/currency', 'currencyMismatch', message));
    return null;
  }
  const negative = raw.payable.startsWith('-');
  const amount = normalAmount(raw.payable.replace(/^[-+]/, ''), currency, 'the amount to pay');
  if (typeof amount === 'string') return { negative, amount, currency };
  faults.push(amount);
  return null;
}

const NO_DUE_DATE = { on: null, source: 'none' } as const;

function dueDate(
  stated: LocalDate[],
  terms: string | null,
  issuedOn: LocalDate,
): { on: LocalDate | null; source: ImportedDocument['dueOnSource'] } {
  const last = stated.toSorted().at(-1);
  if (last !== undefined) return { on: last, source: 'document' };
  const worded = terms === null ? null : dueOnFromTerms(terms, issuedOn);
  return worded === null ? NO_DUE_DATE : { on: worded, source: 'terms' };
}

/**
 * Terms in their own field, else sentences about paying among the notes. Cut to the length that is kept before anything
 * searches them: no invoice has more to say, and searching stays quick for those that try.
 */
function statedTerms(raw: RawEInvoice): string | null {
  const terms = raw.terms.slice(0, MAX_TEXTS).join('\n').trim().slice(0, LIMITS.terms);
  return terms !== '' ? terms : termsAmongNotes(shortNotes(raw));
}

const MAX_TEXTS = 50;
const shortNotes = (raw: RawEInvoice): string[] =>
  raw.notes.slice(0, MAX_TEXTS).map((note) => note.slice(0, LIMITS.terms));

/** Line breaks matter to whoever reads terms again, so they stay; what is too long is cut, it is only shown. */
const clipTerms = (terms: string): string =>
  terms
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .replace(new RegExp(CONTROL.source, 'g'), ' ')
    .slice(0, LIMITS.terms);

function collection(
  raw: RawEInvoice,
  terms: string | null,
  issuedOn: LocalDate,
  dueOn: LocalDate | null,
): ImportedDocument['collection'] {
  const announced = terms === null ? null : collectionFromTerms(terms, issuedOn);
  const byMeans = raw.paymentMeans.some((code) => DIRECT_DEBIT.has(code));
  if (byMeans || (announced !== null && (announced.on !== null || raw.hasMandate))) {
    return { method: 'directDebit', on: announced?.on ?? dueOn };
  }
  return raw.paymentMeans.some((code) => TRANSFER.has(code)) ? { method: 'transfer', on: null } : null;
}

/** A credit's taxes carry the sign of the document: turned with it, so that they read like its amount. */
function vatLines(raw: RawEInvoice, negative: boolean): ImportedDocument['vat'] {
  const turn = (text: string): string => {
    const unsigned = text.replace(/^[-+]/, '');
    const below = text.startsWith('-') !== negative && !/^[0.]*$/.test(unsigned);
    return below ? `-${unsigned}` : unsigned;
  };
  return raw.vat.flatMap(({ rate, net, vat }) => {
    if (net === null || vat === null || !isDecimal(net) || !isDecimal(vat)) return [];
    return { rate: rate !== null && isDecimal(rate) ? rate : '0', net: turn(net), vat: turn(vat) };
  });
}

const isDecimal = (text: string): boolean => /^[-+]?\d{1,18}(\.\d{1,18})?$/.test(text);

/** Some producers name the corrected invoice in a note only: `Ursprungsbeleg-Nr : R87654321012345`. */
function correctedInNotes(notes: string[]): string | null {
  const pattern =
    /(?:ursprungsbeleg|ursprungsrechnung|originalrechnung|original invoice|facture d['’]origine|avoir sur (?:la )?facture)[^:\n]{0,20}:\s*(\S{2,100})/i;
  for (const note of notes) {
    const found = pattern.exec(note)?.[1];
    if (found) return cleanText(found.replace(/[.,;]+$/, ''));
  }
  return null;
}

function interpretCustomer(raw: RawEInvoice): ImportedCustomer {
  const { customer } = raw;
  const country = customer.country === null ? null : countryCode(customer.country);
  const email = customer.email?.replace(/^mailto:/i, '') ?? null;
  return {
    reference: cleanText(customer.reference),
    name: cleanText(customer.name),
    email: email !== null && looksLikeEmail(email) ? email : null,
    country,
    kind: null,
    locale: null,
    registrationId: cleanText(customer.registrationId),
    vatId: cleanText(customer.vatId),
    address: customer.address && {
      lines: customer.address.lines.flatMap((line) => cleanText(line) ?? []),
      postalCode: cleanText(customer.address.postalCode),
      city: cleanText(customer.address.city),
      country,
    },
  };
}
