import { z } from 'zod';
import { DomainError } from '../../errors.ts';
import { parseAmount } from '../../money.ts';
import { isLocalDate, type LocalDate } from '../../time/dates.ts';
import { localDate, parseInstant } from '../../time/zones.ts';
import type { BankMessage } from '../bank-message.ts';
import type { Counterparty, ReturnInformation, SourceKind, Transaction } from '../transaction.ts';

/** Fields as providers send them. What we do not know is let through: a provider may add to its messages. */
export const idField = z
  .string()
  .min(1)
  .max(200)
  .refine((value) => !value.includes('\0'), 'no NUL in an id');
export const textField = z.string().max(4_000).nullish();
export const dateField = z.string().refine(isLocalDate, 'a date is written YYYY-MM-DD');
export const instantField = z.string().refine(isInstant, 'an instant is written like 2026-11-20T09:00:00Z');
export const currencyField = z.string().max(10);
/** Names and values that the creditor has put on its own objects. */
export const metadataField = z.record(z.string(), z.unknown()).nullish();

/** The least that says what moved; the rest of a transaction is null unless given. */
export interface Movement extends Partial<Omit<Transaction, 'counterparty' | 'returns'>> {
  bookedOn: LocalDate;
  amountMinor: bigint;
  currency: string;
  bankId: string;
  source: SourceKind;
  counterparty?: Partial<Counterparty>;
  returns?: Partial<ReturnInformation> | null;
}

/** A message that money moved, told by a provider under an id of its own. Throws `amountInvalid` for zero. */
export function moved(movement: Movement): BankMessage {
  if (movement.amountMinor === 0n) throw new DomainError('amountInvalid', 'The amount is zero.');
  const { counterparty, returns, ...rest } = movement;
  const transaction: Transaction = {
    status: 'booked',
    valueOn: null,
    structuredReferences: [],
    remittance: null,
    bankText: null,
    endToEndId: null,
    mandateId: null,
    feesMinor: null,
    bankCode: null,
    position: movement.bankId,
    ...rest,
    counterparty: { name: null, ultimateName: null, account: null, ...counterparty },
    returns: returns
      ? { reasonCode: null, originalBankId: null, originalEndToEndId: null, originalAmountMinor: null, ...returns }
      : null,
  };
  return { kind: 'transaction', transaction };
}

export const nothing = (why: string): BankMessage => ({ kind: 'nothing', why });

/**
 * Signed minor units of an amount that came as a JSON number: by its shortest text, never by multiplying, which would
 * make 123456788.99999999 of 1234567.89 × 100. Throws `amountInvalid` (more digits than such a number holds for sure),
 * `tooManyDecimals`, `unknownCurrency`.
 */
export function minorOfNumber(amount: number, currency: string): bigint {
  const text = String(amount);
  const unsigned = text.replace(/^-/, '');
  if (unsigned.replace('.', '').length > 15)
    throw new DomainError('amountInvalid', 'The amount is too long to be exact.');
  const minor = parseAmount(unsigned, currency);
  return text.startsWith('-') ? -minor : minor;
}

/** Texts joined by a blank, each once, white space collapsed and without NUL; null when nothing is said. */
export function textOf(...parts: readonly (string | null | undefined)[]): string | null {
  const said = parts.map((part) => (part ?? '').replaceAll('\0', '').replace(/\s+/g, ' ').trim());
  return [...new Set(said)].filter((part) => part !== '').join(' ') || null;
}

/** An account number without spaces, in upper case. */
export const accountOf = (text: string | null | undefined): string | null =>
  textOf(text)?.replaceAll(' ', '').toUpperCase() ?? null;

/** The day of an instant on the calendar of a zone. */
export const dayOf = (instant: string, zone: string): LocalDate => localDate(parseInstant(instant), zone);

/**
 * Keys under which shops put the number of an invoice or a payment reference on what they collect, without capitals,
 * blanks and signs: `Invoice-Number` and `invoice_number` are one.
 */
const REFERENCE_KEYS = new Set(
  (
    'invoice invoices invoiceid invoiceno invoicenr invoicenum invoicenumber invoiceref invoicereference ' +
    'facture factures factureid nofacture numfacture numerofacture facturenumero reffacture ' +
    'rechnung rechnungsnr rechnungsnummer reference ref paymentreference'
  ).split(' '),
);

/** References that the creditor has put on a payment itself, in the order they stand there. */
export function referencesIn(metadata: Readonly<Record<string, unknown>> | null | undefined): string[] {
  const found = Object.entries(metadata ?? {}).flatMap(([key, value]) => {
    const known = REFERENCE_KEYS.has(key.toLowerCase().replace(/[^a-z]/g, ''));
    const text = known && (typeof value === 'string' || typeof value === 'number') ? textOf(String(value)) : null;
    return text === null ? [] : [text];
  });
  return [...new Set(found)];
}

/** Structured references among the texts: those with the form of ISO 11649 (`RF18…`), without spaces. */
export const structuredAmong = (texts: readonly string[]): string[] =>
  texts.map((text) => text.replaceAll(' ', '').toUpperCase()).filter((text) => /^RF\d{2}[0-9A-Z]{1,21}$/.test(text));

/** Within the years that a payment can be of, so that it has a day in every zone. */
function isInstant(text: string): boolean {
  try {
    const at = parseInstant(text);
    return at >= 0 && at < Date.UTC(2100, 0);
  } catch {
    return false;
  }
}
