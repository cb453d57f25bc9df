import { decodeDesk, decodeTable } from '../../text/encoding.ts';
import { isLocalDate, type LocalDate } from '../../time/dates.ts';
import { accountOf, amountOf, belgianReferences, cleanText, fullYear, joinTexts, RecordFault } from '../fields.ts';
import { isReturnCode, reasonIn } from '../return-reasons.ts';
import { Totals } from '../totals.ts';
import type { ReturnInformation, StatementEvent, StatementSummary, Transaction } from '../transaction.ts';
import { mt940Messages, type Mt940Field, type Mt940Message } from './fields.ts';
import { readInformation, toldAmount, type Information } from './information.ts';
import { readLine, type StatementLine } from './line.ts';

/**
 * SWIFT MT940 in the dialects of European banks (reference: bank-mail-matching, section 1). Text is UTF-16, UTF-8, else
 * windows-1252 or code page 850. `currency` is the account's, for a statement without a balance.
 *
 * Rejected records: those of a statement line (`line.ts`), `currencyMissing`, `balanceInvalid`, and `fileEndsEarly` where
 * the last statement has no closing balance. A last transaction that ends without a line break there is not told, since
 * nothing shows that it is whole.
 */
export function* readMt940(bytes: Uint8Array, currency: string | null): Generator<StatementEvent> {
  const messages = mt940Messages(decoded(bytes));
  for (const [index, message] of messages.entries()) {
    yield* readMessage(message, index + 1, currency, index + 1 === messages.length);
  }
}

function decoded(bytes: Uint8Array): string {
  if (decodeTable(bytes.subarray(0, 512)).encoding.startsWith('utf-16')) return decodeTable(bytes).text;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return decodeDesk(bytes);
  }
}

function* readMessage(
  message: Mt940Message,
  position: number,
  defaultCurrency: string | null,
  isLast: boolean,
): Generator<StatementEvent> {
  const { fields } = message;
  const opening = balanceIn(fields, '60');
  const closing = balanceIn(fields, '62');
  for (const { field, balance } of [opening, closing]) {
    if (field !== null && balance === null) {
      yield rejected(position, field.line, new RecordFault('balanceInvalid', 'A balance cannot be read.'));
    }
  }
  const available = balanceIn(fields, '64').balance;
  const currency =
    (opening.balance ?? closing.balance ?? available)?.currency ?? currencyOfFloor(fields) ?? defaultCurrency;
  const account = accountIn(fields);
  const isInterim = opening.field === null && closing.field === null && fields.some(({ tag }) => INTERIM.test(tag));
  const endsEarly = isLast && !isInterim && closing.field === null;
  const totals = new Totals();

  const bookings = bookingsOf(fields);
  for (const booking of bookings) {
    const mayBeCut = endsEarly && message.openEnd && booking === bookings.at(-1) && booking.last === fields.at(-1);
    if (mayBeCut) continue;
    try {
      const transaction = transactionOf(booking, currency, isInterim);
      if (!isInterim) totals.book(transaction.amountMinor, transaction.currency);
      yield { kind: 'transaction', transaction, statement: position, account };
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error;
      yield rejected(position, booking.line.line, error);
    }
  }
  if (endsEarly) {
    const { line } = fields.at(-1)!;
    yield rejected(position, line, new RecordFault('fileEndsEarly', 'The file ends before the closing balance.'));
  }
  yield { kind: 'statement', summary: summaryOf(message, position, account, currency, totals) };
}

/** What only an interim report (MT942) has: the time, the floor limit, the sums. What it tells is to be booked. */
const INTERIM = /^(?:13D?|34F|90[CD])$/;

/** Of a report without balances: `:34F:EURD100,`. */
const currencyOfFloor = (fields: readonly Mt940Field[]): string | null =>
  /^[A-Z]{3}/.exec(fields.find(({ tag }) => tag === '34F')?.lines[0] ?? '')?.[0] ?? null;

const rejected = (statement: number, line: number, fault: RecordFault): StatementEvent => ({
  kind: 'rejected',
  record: fault.at(`line ${line}`),
  statement,
});

/** A statement line with its text. */
interface Booking {
  line: Mt940Field;
  text: string[];
  last: Mt940Field;
}

/** A `:86:` behind a `:61:` is its text; one behind the closing balance is the statement's. */
function bookingsOf(fields: readonly Mt940Field[]): Booking[] {
  const bookings: Booking[] = [];
  let current: Booking | null = null;
  for (const field of fields) {
    if (field.tag === '61') {
      current = { line: field, text: [], last: field };
      bookings.push(current);
    } else if (current !== null && (field.tag === '86' || isMistagged(field))) {
      current.text.push(...field.lines);
      current.last = field;
    } else {
      current = null;
    }
  }
  return bookings;
}

/** Some files give the text the tag of the account. */
const isMistagged = ({ tag, lines }: Mt940Field): boolean => tag === '25' && /^\d{3}\?\d\d/.test(lines[0]!);

function accountIn(fields: readonly Mt940Field[]): string | null {
  const field = fields.find((one) => (one.tag === '25' || one.tag === '25P') && !isMistagged(one));
  const account = accountOf(field?.lines[0])?.replace(/^\//, '') ?? null;
  // Some banks write the currency behind the number.
  return /^([A-Z]{2}\d{2}[A-Z0-9]{11,30}|(?:[A-Z0-9]+\/)?\d{4,})[A-Z]{3}$/.exec(account ?? '')?.[1] ?? account;
}

interface Balance {
  amountMinor: bigint;
  currency: string;
  on: LocalDate | null;
}

/** The balance of a kind (`60F` and `60M` are one): its field, and what can be read of it. The last closing one counts. */
function balanceIn(
  fields: readonly Mt940Field[],
  kind: '60' | '62' | '64',
): { field: Mt940Field | null; balance: Balance | null } {
  const found = fields.filter(({ tag }) => tag.startsWith(kind));
  const field = (kind === '60' ? found[0] : found.at(-1)) ?? null;
  return { field, balance: field === null ? null : balanceOf(field.lines[0]!) };
}

function balanceOf(text: string): Balance | null {
  const parts = /^([CD])(\d{2})(\d{2})(\d{2})([A-Z]{3})\s*(\d{1,30}(?:[.,]\d*)?|,\d+)\s*$/.exec(text);
  if (!parts) return null;
  const [, mark, year = '', month, day, currency = '', amount = ''] = parts;
  try {
    const minor = amountOf(amount, currency);
    const on = `${fullYear(year)}-${month}-${day}`;
    return { amountMinor: mark === 'D' ? -minor : minor, currency, on: isLocalDate(on) ? on : null };
  } catch (error) {
    if (error instanceof RecordFault) return null;
    throw error;
  }
}

function summaryOf(
  { fields }: Mt940Message,
  position: number,
  account: string | null,
  currency: string | null,
  totals: Totals,
): StatementSummary {
  const inCurrency = (kind: '60' | '62') => {
    const { balance } = balanceIn(fields, kind);
    return balance?.currency === currency ? { amountMinor: balance.amountMinor, on: balance.on } : null;
  };
  const reference = joinTexts(['20', '28'].map((tag) => fields.find((field) => field.tag.startsWith(tag))?.lines[0]));
  const told = { position, account, currency, reference, opening: inCurrency('60'), closing: inCurrency('62') };
  return totals.summary({ ...told, copy: false });
}

function transactionOf({ line: field, text }: Booking, currency: string | null, isInterim: boolean): Transaction {
  if (currency === null) throw new RecordFault('currencyMissing', 'The statement names no currency.');
  const line = readLine(field.lines, currency);
  const told = readInformation(text, line.amountMinor > 0n);
  const below = ibanIn(line.supplement);
  const reference = ibanIn(line.customerReference ?? '');
  return {
    status: isInterim ? 'pending' : 'booked',
    bookedOn: line.bookedOn,
    valueOn: line.valueOn,
    amountMinor: line.amountMinor,
    currency,
    counterparty: {
      name: told.name ?? (reference === null ? null : cleanText(line.supplement)),
      ultimateName: told.ultimateName,
      account: told.account ?? below ?? reference,
    },
    structuredReferences: [...told.structuredReferences, ...belgianReferences(told.remittance)],
    remittance: told.remittance,
    bankText: joinTexts([
      told.bookingText,
      reference === null ? line.customerReference : null,
      below === null ? cleanText(line.supplement) : null,
    ]),
    bankId: line.bankId,
    endToEndId: told.endToEndId,
    mandateId: told.mandateId,
    returns: returnsOf(line, told, currency),
    feesMinor: feesOf(line, told, currency),
    bankCode: joinTexts([line.type, told.code]),
    source: 'mt940',
    position: `line ${field.line}`,
  };
}

/** Some banks write the other account as the reference, or below the statement line. */
const ibanIn = (text: string): string | null =>
  /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(text.trim()) ? text.trim() : null;

function returnsOf(line: StatementLine, told: Information, currency: string): ReturnInformation | null {
  const undoes = line.reversal || line.type === 'NRTI' || isReturnCode(told.code) || told.returnReason !== null;
  if (!undoes) return null;
  return {
    reasonCode: told.returnReason ?? reasonIn(told.remittance) ?? told.returnKey,
    originalBankId: null,
    // A return travels under the end-to-end id of what it returns.
    originalEndToEndId: told.endToEndId,
    originalAmountMinor: originalOf(line, told, currency),
  };
}

/** Told in the text (`OAMT+`) or on the line below the statement line (`/OCMT/EUR50,00/CHGS/EUR3,00`). */
const originalOf = (line: StatementLine, told: Information, currency: string): bigint | null =>
  toldAmount(told.original ?? wordIn(line.supplement, 'OCMT'), currency);

/** Only what makes up the difference between original and booked amount was taken from it or added to it. */
function feesOf(line: StatementLine, told: Information, currency: string): bigint | null {
  const fees = toldAmount(told.charges ?? wordIn(line.supplement, 'CHGS'), currency);
  const original = originalOf(line, told, currency);
  if (fees === null || original === null) return null;
  const booked = line.amountMinor > 0n ? line.amountMinor : -line.amountMinor;
  return booked === original + fees || booked === original - fees ? fees : null;
}

const wordIn = (text: string, word: 'OCMT' | 'CHGS'): string | null =>
  new RegExp(`/${word}/([^/]*)`).exec(text)?.[1] ?? null;
