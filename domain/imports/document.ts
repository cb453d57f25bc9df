import { DomainError, type Fault } from '../errors.ts';
import { formatAmount, parseAmount } from '../money.ts';
import type { LocalDate } from '../time/dates.ts';

/** Where a due date came from; `none`: the importer applies the creditor's `paymentDays` and records that. */
export type DueOnSource = 'document' | 'terms' | 'none';

export interface ImportedAddress {
  lines: string[];
  postalCode: string | null;
  city: string | null;
  country: string | null;
}

export interface ImportedCustomer {
  /** The number that the seller gave this customer. */
  reference: string | null;
  name: string | null;
  email: string | null;
  /** ISO 3166-1 alpha-2. */
  country: string | null;
  kind: 'business' | 'consumer' | 'publicBody' | null;
  /** BCP 47. */
  locale: string | null;
  registrationId: string | null;
  vatId: string | null;
  address: ImportedAddress | null;
}

/**
 * The normal form of one invoice or credit note, whatever file it came from. Amounts are unsigned decimals at the full
 * scale of the currency: the sign is in `kind`.
 */
export interface ImportedDocument {
  kind: 'invoice' | 'creditNote';
  number: string;
  issuedOn: LocalDate;
  dueOn: LocalDate | null;
  dueOnSource: DueOnSource;
  amount: string;
  currency: string;
  customer: ImportedCustomer;
  seller: { name: string | null; registrationId: string | null; vatId: string | null } | null;
  /** As the document says, decimals unsigned unless a line runs against the document. */
  vat: { rate: string; net: string; vat: string }[];
  /** What a payer may quote besides the number. */
  references: string[];
  orderReference: string | null;
  /** The number of the invoice that a credit note (or a corrected invoice) refers to. */
  correctsNumber: string | null;
  collection: { method: 'transfer' | 'directDebit'; on: LocalDate | null } | null;
  /** The seller's account that the document asks to pay to, without spaces. */
  iban: string | null;
  terms: string | null;
  /** What its text says about late payment; null where the file shows no text of the invoice. */
  texts?: readonly string[];
  /** The next three are known to tables only. */
  chaseFrom?: LocalDate;
  lastStepSent?: string;
  policy?: string;
}

/** One row of an import: `line` counts from 1 in the file; a structured e-invoice is line 1. */
export type RowResult =
  { line: number; document: ImportedDocument } | { line: number; number: string | null; faults: Fault[] };

export const fault = (pointer: string, code: string, message: string): Fault => ({ pointer, code, message });

export const requiredFault = (pointer: string, what: string): Fault => fault(pointer, 'required', `${what} is missing`);

/** Longest texts that are taken, in characters; a payer quotes at most 140 (SEPA remittance information). */
export const LIMITS = { number: 100, reference: 140, name: 300, text: 500, terms: 4_000 } as const;

/**
 * Unsigned decimal text and currency to the normal form's amount. Zeros behind the currency's own decimals are noise of
 * the writer (`123.0` yen) and dropped; any other digit there is refused, never rounded.
 * Returns the amount at full scale, or a fault: `tooManyDecimals`, `unknownCurrency`, `amountInvalid`, `amountZero`.
 */
export function normalAmount(decimal: string, currency: string, source: string): string | Fault {
  const point = decimal.indexOf('.');
  const trimmed = point < 0 ? decimal : decimal.replace(/0+$/, '').replace(/\.$/, '');
  try {
    const minor = parseAmount(trimmed, currency);
    if (minor === 0n) return fault('/amount', 'amountZero', `${source}: the amount is zero, nothing is owed`);
    return formatAmount(minor, currency);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const pointer = error.code === 'unknownCurrency' ? '/currency' : '/amount';
    return fault(pointer, error.code, `${source}: ${error.message}`);
  }
}

/** White space collapsed to single spaces, invisible marks dropped; empty becomes null. */
export function cleanText(text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null;
  const cleaned = text
    .replace(/[\u200b-\u200f\u202a-\u202e\u2060\ufeff]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return cleaned === '' ? null : cleaned;
}

/** Control characters other than tab and line breaks: never part of a number or a name, and NUL cannot be stored. */
// oxlint-disable-next-line no-control-regex
export const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

/** The faults that length and control characters of a finished document give. */
export function textFaults(document: ImportedDocument): Fault[] {
  const faults: Fault[] = [];
  const check = (pointer: string, value: string | null | undefined, limit: number): void => {
    if (value === null || value === undefined) return;
    if (value.length > limit) {
      faults.push(fault(pointer, 'tooLong', `more than ${limit} characters (${value.length})`));
    }
    if (CONTROL.test(value)) faults.push(fault(pointer, 'controlCharacter', 'holds a control character'));
    if (value.includes('\ufffd')) faults.push(fault(pointer, 'encodingInvalid', 'holds bytes that are not valid text'));
  };
  const { customer } = document;
  check('/number', document.number, LIMITS.number);
  document.references.forEach((text, i) => check(`/references/${i}`, text, LIMITS.reference));
  check('/orderReference', document.orderReference, LIMITS.reference);
  check('/correctsNumber', document.correctsNumber, LIMITS.number);
  check('/terms', document.terms, LIMITS.terms);
  check('/iban', document.iban, 34);
  check('/policy', document.policy, LIMITS.number);
  check('/lastStepSent', document.lastStepSent, LIMITS.number);
  check('/customer/reference', customer.reference, LIMITS.number);
  check('/customer/name', customer.name, LIMITS.name);
  check('/customer/email', customer.email, 254);
  check('/customer/registrationId', customer.registrationId, LIMITS.number);
  check('/customer/vatId', customer.vatId, LIMITS.number);
  customer.address?.lines.forEach((text, i) => check(`/customer/address/lines/${i}`, text, LIMITS.text));
  check('/customer/address/postalCode', customer.address?.postalCode, LIMITS.number);
  check('/customer/address/city', customer.address?.city, LIMITS.name);
  return faults;
}
