import { decodeTable } from '../text/encoding.ts';
import { isLocalDate, type LocalDate } from '../time/dates.ts';
import { accountOf, amountOf, cleanText, fullYear, joinTexts, realId, RecordFault, referenceOf } from './fields.ts';
import { frenchLabel } from './french-label.ts';
import { isIban } from './iban.ts';
import { reasonIn } from './return-reasons.ts';
import { Totals } from './totals.ts';
import type { StatementEvent, Transaction } from './transaction.ts';

/**
 * CFONB 120, the statement format of French banks: records of 120 characters, 01 opening balance, 04 operation, 05 its
 * details, 07 closing balance (reference: bank-mail-matching, section 1; CFONB, Relevé de compte sur support informatique).
 *
 * Whatever stands out of its place is rejected by its own code, and its neighbours are read: `operationOutsideStatement`,
 * `detailWithoutOperation`, `openingBeforeClosing` (of the statement that did not end; the new one is read),
 * `closingWithoutOpening`, `recordUnknown`, `fileEndsEarly`; within a record `dateInvalid`, `amountInvalid`, `amountZero`,
 * `tooManyDecimals`, `unknownCurrency`, `currencyMismatch`.
 */
export function* readCfonb120(bytes: Uint8Array): Generator<StatementEvent> {
  const reader = new CfonbReader();
  let mayBeCut = false;
  for (const { text, line, whole } of recordsOf(decodeTable(bytes).text)) {
    mayBeCut = !whole;
    yield* reader.record(text, line);
  }
  yield* reader.end(mayBeCut);
}

const LENGTH = 120;

/**
 * Records with their lines from 1; where a file has no line breaks, every 120 characters are one. A short one is whole where a
 * line break follows: banks leave blanks at its end out.
 */
function* recordsOf(text: string): Generator<{ text: string; line: number; whole: boolean }> {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  let line = 0;
  for (const one of lines) {
    line++;
    const written = one.replace(/\p{Cc}+$/u, '');
    if (written.trim() === '') continue;
    const isRun = lines.length <= 2 && written.length > LENGTH;
    const isBroken = line < lines.length;
    if (!isRun) {
      yield { text: written.padEnd(LENGTH), line, whole: isBroken || written.length >= LENGTH };
      continue;
    }
    for (let from = 0; from < written.length; from += LENGTH, line++) {
      const record = written.slice(from, from + LENGTH);
      if (record.trim() === '') continue;
      yield { text: record.padEnd(LENGTH), line, whole: isBroken || record.length === LENGTH };
    }
  }
}

/** Operations that undo another one: unpaid cheque and bills, rejected debits, our own transfer that comes back. */
const UNDOING: ReadonlySet<string> = new Set(['03', '10', '12', '27', '33', '34']);

interface Statement {
  position: number;
  account: string | null;
  currency: string;
  opening: { amountMinor: bigint; on: LocalDate | null } | null;
  totals: Totals;
}

interface Operation {
  record: string;
  line: number;
  details: { qualifier: string; text: string }[];
}

class CfonbReader {
  private statements = 0;
  private statement: Statement | null = null;
  /** Null between operations; `unusable` takes the details of a rejected one with it. */
  private operation: Operation | 'unusable' | null = null;

  *record(text: string, line: number): Generator<StatementEvent> {
    const kind = text.slice(0, 2);
    if (kind === '05') return yield* this.detail(text, line);
    yield* this.operationEnds();
    if (kind === '04') yield* this.operationBegins(text, line);
    else if (kind === '01') yield* this.opening(text, line);
    else if (kind === '07') yield* this.closing(text, line);
    else yield this.rejected(line, 'recordUnknown', 'The line is none of the records 01, 04, 05 and 07.');
  }

  /** `mayBeCut`: nothing shows that the last record is whole. Then its operation is not told, unless the statement was closed. */
  *end(mayBeCut: boolean): Generator<StatementEvent> {
    if (mayBeCut) this.operation = null;
    yield* this.operationEnds();
    if (this.statement === null) return;
    const record = { position: 'end', code: 'fileEndsEarly', message: 'The file ends before the closing balance.' };
    yield { kind: 'rejected', record, statement: this.statement.position };
    yield this.summary(null);
  }

  private *opening(text: string, line: number): Generator<StatementEvent> {
    if (this.statement !== null) {
      yield this.rejected(line, 'openingBeforeClosing', 'A statement opens before the one before it was closed.');
      yield this.summary(null);
    }
    this.statement = {
      position: ++this.statements,
      account: accountOf(text.slice(2, 7) + text.slice(11, 16) + text.slice(21, 32)),
      currency: currencyOf(text),
      opening: null,
      totals: new Totals(),
    };
    const { balance, fault } = balanceOf(text);
    this.statement.opening = balance;
    if (fault !== null) yield this.rejected(line, fault.code, fault.message);
  }

  private *closing(text: string, line: number): Generator<StatementEvent> {
    if (this.statement === null) {
      yield this.rejected(line, 'closingWithoutOpening', 'A statement closes that was not opened.');
      return;
    }
    const { balance, fault } = balanceOf(text);
    if (fault !== null) yield this.rejected(line, fault.code, fault.message);
    yield this.summary(balance);
  }

  private *operationBegins(text: string, line: number): Generator<StatementEvent> {
    if (this.statement === null) {
      this.operation = 'unusable';
      yield this.rejected(line, 'operationOutsideStatement', 'An operation stands outside of a statement.');
      return;
    }
    this.operation = { record: text, line, details: [] };
  }

  private *detail(text: string, line: number): Generator<StatementEvent> {
    if (this.operation === 'unusable') return;
    if (this.operation === null) {
      yield this.rejected(line, 'detailWithoutOperation', 'A detail stands behind no operation.');
      return;
    }
    this.operation.details.push({ qualifier: text.slice(45, 48).trim(), text: text.slice(48, 118) });
  }

  /** An operation is whole once the next record is none of its details. */
  private *operationEnds(): Generator<StatementEvent> {
    const { operation, statement } = this;
    this.operation = null;
    if (operation === null || operation === 'unusable' || statement === null) return;
    try {
      const transaction = transactionOf(operation);
      if (transaction.currency !== statement.currency) {
        throw new RecordFault('currencyMismatch', 'The operation is in another currency than its account.');
      }
      statement.totals.book(transaction.amountMinor, transaction.currency);
      yield { kind: 'transaction', transaction, statement: statement.position, account: statement.account };
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error;
      yield this.rejected(operation.line, error.code, error.message);
    }
  }

  private rejected(line: number, code: string, message: string): StatementEvent {
    const statement = this.statement?.position ?? this.statements;
    return { kind: 'rejected', record: { position: `line ${line}`, code, message }, statement };
  }

  private summary(closing: Statement['opening']): StatementEvent {
    const { position, account, currency, opening, totals } = this.statement!;
    this.statement = null;
    const told = { position, account, currency, reference: null, opening, closing, copy: false };
    return { kind: 'statement', summary: totals.summary(told) };
  }
}

const currencyOf = (record: string): string => record.slice(16, 19).trim() || 'EUR';

/** What can be read of a balance, and what is wrong with it: one with a broken date still has its amount. */
function balanceOf(record: string): { balance: Statement['opening']; fault: RecordFault | null } {
  try {
    const amountMinor = signedAmount(record);
    try {
      return { balance: { amountMinor, on: dayOf(record.slice(34, 40)) }, fault: null };
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error;
      return { balance: { amountMinor, on: null }, fault: error };
    }
  } catch (error) {
    if (!(error instanceof RecordFault)) throw error;
    return { balance: null, fault: error };
  }
}

/** `ddmmyy`. Throws `dateInvalid`. */
function dayOf(text: string): LocalDate {
  const day = `${fullYear(text.slice(4, 6))}-${text.slice(2, 4)}-${text.slice(0, 2)}`;
  if (!isLocalDate(day)) throw new RecordFault('dateInvalid', 'A date is not one that exists.');
  return day;
}

const PLUS = '{ABCDEFGHI';
const MINUS = '}JKLMNOPQR';
/** In the French ISO 646 the braces are these letters. */
const BRACES: Readonly<Record<string, string>> = { é: '{', è: '}' };

/** The last digit of an amount carries its sign, a punch over it: `{` and A to I are +0 to +9, `}` and J to R -0 to -9. */
function signedAmount(record: string): bigint {
  const sign = record[103] ?? '';
  const last = BRACES[sign] ?? sign;
  const negative = MINUS.includes(last);
  const digit = (negative ? MINUS : PLUS).indexOf(last);
  if (last === '' || digit < 0 || !/^\d{13}$/.test(record.slice(90, 103))) {
    throw new RecordFault('amountInvalid', 'The amount or its sign cannot be read.');
  }
  const minor = scaled(record.slice(90, 103) + String(digit), record[19] ?? '', currencyOf(record));
  return negative ? -minor : minor;
}

/** Digits with so many decimals (blank: 2) in minor units of the currency. */
function scaled(digits: string, decimals: string, currency: string): bigint {
  const places = decimals.trim() === '' ? 2 : /^\d$/.test(decimals) ? Number(decimals) : null;
  if (places === null) throw new RecordFault('amountInvalid', 'The number of decimals cannot be read.');
  return amountOf(`${digits.slice(0, digits.length - places)}.${digits.slice(digits.length - places)}`, currency);
}

function transactionOf({ record, line, details }: Operation): Transaction {
  const currency = currencyOf(record);
  const bookedOn = dayOf(record.slice(34, 40));
  const valueOn = record.slice(42, 48).trim() === '' ? null : dayOf(record.slice(42, 48));
  const amountMinor = signedAmount(record);
  if (amountMinor === 0n) throw new RecordFault('amountZero', 'The amount is zero: nothing moved.');
  const credit = amountMinor > 0n;
  const code = record.slice(32, 34).trim();
  const endToEndId = realId(firstOf(details, 'RCN')?.slice(0, 35));
  const reason = cleanText(firstOf(details, 'RET'));
  const undoes = UNDOING.has(code) || reasonIn(reason) !== null;
  const payer = cleanText(firstOf(details, 'NPY'));
  const payee = cleanText(firstOf(details, 'NBE'));
  // A full text goes on in the next one within a word.
  const remittance = cleanText(textsOf(details, 'LIB', 'LCC', 'LC2').join(''));
  const label = record.slice(48, 79);
  // The words of some banks begin in the label, and go on in the details.
  const told = frenchLabel(remittance) ?? frenchLabel(cleanText(label + (remittance ?? '')));
  const bankText = label.includes(told?.bankText ?? '') ? null : told!.bankText;
  return {
    status: 'booked',
    bookedOn,
    valueOn,
    amountMinor,
    currency,
    counterparty: {
      // Banks also call the other side of a debit its payer; what comes back to us names its payee.
      name: (credit ? (payer ?? (undoes ? payee : null)) : (payee ?? payer)) ?? told?.name ?? null,
      ultimateName: cleanText(firstOf(details, credit ? 'NPO' : 'NBU')),
      account: ibanIn(details, credit ? PAYERS : PAYEES),
    },
    structuredReferences: textsOf(details, 'LCS').flatMap((text) => referenceOf(text) ?? []),
    remittance: told?.remittance ?? remittance,
    bankText: joinTexts([label, bankText, ...textsOf(details, 'REF'), reason]),
    bankId: realId(record.slice(104, 120)),
    endToEndId,
    mandateId: realId(firstOf(details, 'RUM')?.slice(0, 35)),
    returns: undoes
      ? {
          reasonCode: reasonIn(reason) ?? realId(record.slice(40, 42)) ?? reasonIn(remittance),
          originalBankId: null,
          originalEndToEndId: endToEndId,
          originalAmountMinor: toldAmount(firstOf(details, 'MMO'), currency),
        }
      : null,
    feesMinor: toldAmount(firstOf(details, 'FEE'), currency),
    bankCode: code === '' ? null : code,
    source: 'cfonb120',
    position: `line ${line}`,
  };
}

/** Qualifiers in which banks put the account of the other side, or an id of another kind. */
const PAYERS = ['CPY', 'IPY', 'CDB'];
const PAYEES = ['CBE', 'IBE', 'CPY', 'IPY'];

const ibanIn = (details: Operation['details'], qualifiers: readonly string[]): string | null =>
  textsOf(details, ...qualifiers)
    .map((text) =>
      text
        .trim()
        .split(/\s{2,}/)[0]!
        .replaceAll(' ', ''),
    )
    .find(isIban) ?? null;

/** Details of these qualifiers in the order of the file; qualifiers repeat, may be blank, and may be unknown. */
const textsOf = (details: Operation['details'], ...qualifiers: string[]): string[] =>
  details.filter(({ qualifier }) => qualifiers.includes(qualifier)).map(({ text }) => text);

const firstOf = (details: Operation['details'], qualifier: string): string | undefined =>
  details.find((detail) => detail.qualifier === qualifier)?.text;

/** Currency, number of decimals and 14 digits (`EUR200000000000300`); null for none and for another currency. */
function toldAmount(text: string | undefined, currency: string): bigint | null {
  const parts = /^([A-Z]{3})(\d)(\d{14})/.exec(text ?? '');
  if (!parts || parts[1] !== currency) return null;
  try {
    const minor = scaled(parts[3]!, parts[2]!, currency);
    return minor === 0n ? null : minor;
  } catch (error) {
    if (error instanceof RecordFault) return null;
    throw error;
  }
}
