import { parseAmountText, type DecimalMark } from '../../text/amount-text.ts';
import type { CsvRecord } from '../../text/csv-records.ts';
import { parseDateText, type DateOrder } from '../../text/date-text.ts';
import type { LocalDate } from '../../time/dates.ts';
import { isCurrency } from '../../money.ts';
import {
  accountOf,
  amountOf,
  belgianReferences,
  cleanText,
  joinTexts,
  realId,
  RecordFault,
  referenceOf,
} from '../fields.ts';
import { frenchLabel } from '../french-label.ts';
import { NOTHING, readInformation, type Information } from '../mt940/information.ts';
import { reasonIn } from '../return-reasons.ts';
import type { Counterparty, ReturnInformation, Transaction } from '../transaction.ts';
import type { CsvColumns } from './columns.ts';
import type { CsvField } from './headers.ts';
import { directionOf, statusOf } from './words.ts';

/** How a table is written, as its columns and rows show together. */
export interface Table {
  columns: CsvColumns;
  decimalMark: DecimalMark;
  /** Some banks write balances otherwise than amounts. */
  balanceMark: DecimalMark;
  dateOrder: DateOrder;
  /** The column that says whether an amount without a sign is a debit or a credit. */
  direction: number | null;
  /** The column of accounts holds the same one in every row, under a header that may mean the own one. */
  accountIsOwn: boolean;
  /** The caller's, for rows that name none. */
  currency: string | null;
}

/** A cell as text; some banks write `="00123"` or `'00123'` so that a spreadsheet leaves it alone. */
export function textAt(record: CsvRecord, place: number | undefined): string | null {
  const text = place === undefined ? null : cleanText(record.cells[place]);
  return text === null ? null : cleanText(/^(?:="(.*)"|'(.*)')$/.exec(text)?.slice(1).join('') ?? text);
}

type Cell = (field: CsvField) => string | null;
type Cells = (field: CsvField) => string[];

/** Throws a `RecordFault` with the codes of `readBankCsv`. */
export function transactionOf(record: CsvRecord, table: Table): Transaction {
  if ('broken' in record) {
    if (record.broken === 'quote')
      throw new RecordFault('rowBroken', 'A quote in this line is not closed, or not doubled.');
    throw new RecordFault('columnCount', 'The row has not as many columns as the header.');
  }
  const { places } = table.columns;
  const cells: Cells = (field) => (places.get(field) ?? []).flatMap((place) => textAt(record, place) ?? []);
  const cell: Cell = (field) => textAt(record, places.get(field)?.[0]);
  const status = statusOf(cell('status'));
  const valuta = cell('valueOn');
  const isCode = valuta !== null && isCurrency(valuta);
  const valueOn = isCode ? null : dayOf(valuta, table);
  const bookedOn = dayOf(cells('bookedOn')[0] ?? null, table) ?? (status === 'booked' ? null : valueOn);
  if (bookedOn === null) throw new RecordFault('dateMissing', 'The row has no date.');
  const stated = cell('currency') ?? (isCode ? valuta : null);
  const { amountMinor, currency } = moneyOf(cell, stated, textAt(record, table.direction ?? undefined), table);
  const told = textsOf(cells, places.has('remittance'));
  const label = labelOf(told.remittance, amountMinor > 0n);
  const counterparty = counterpartyOf(cell, cells, amountMinor > 0n, table);
  const endToEndId = realId(cell('endToEndId')) ?? label.endToEndId;
  const returns = returnsOf(cell, told.bankText, endToEndId, currency, table);
  return {
    status,
    bookedOn,
    valueOn,
    amountMinor,
    currency,
    counterparty: {
      ...counterparty,
      name: counterparty.name ?? label.name,
      account: counterparty.account ?? label.account,
    },
    structuredReferences: [
      ...cells('structuredReference').flatMap((text) => referenceOf(text.replaceAll(/[*+/]/g, '')) ?? []),
      ...label.structuredReferences,
      ...belgianReferences(label.remittance),
    ],
    remittance: label.remittance,
    bankText: joinTexts([told.bankText, label.bookingText]),
    bankId: realId(cell('id')),
    endToEndId,
    mandateId: realId(cell('mandateId')) ?? label.mandateId,
    returns,
    feesMinor: returns === null ? null : readable(cell('fees'), currency, table),
    bankCode: null,
    source: 'csv',
    position: `line ${record.line}`,
  };
}

function dayOf(text: string | null, { dateOrder }: Table): LocalDate | null {
  if (text === null) return null;
  const day = parseDateText(text, dateOrder);
  if (day === null) throw new RecordFault('dateInvalid', 'A date is not one that exists.');
  return day;
}

/**
 * One signed column, one for each direction, in which banks write signs or leave them out, or one without signs beside a
 * column that says the direction.
 */
function moneyOf(
  cell: Cell,
  stated: string | null,
  direction: string | null,
  table: Table,
): { amountMinor: bigint; currency: string } {
  const [signed, debit, credit] = [cell('amount'), cell('debit'), cell('credit')].map((text) =>
    text === null ? null : readMoney(text, stated, table),
  );
  const sides = [debit, credit].filter((side) => side && side.minor !== 0n);
  if (sides.length === 2) throw new RecordFault('amountAmbiguous', 'The row is both a debit and a credit.');
  const told = signed ?? sides[0] ?? debit ?? credit ?? null;
  if (told === null) throw new RecordFault('amountMissing', 'The row has no amount.');
  if (told.minor === 0n) throw new RecordFault('amountZero', 'The amount is zero: nothing moved.');
  const magnitude = told.minor < 0n ? -told.minor : told.minor;
  const { currency } = told;
  if (told !== signed) return { amountMinor: told === debit ? -magnitude : magnitude, currency };
  if (told.minor < 0n || table.direction === null) return { amountMinor: told.minor, currency };
  const isCredit = directionOf(direction);
  if (isCredit === null) throw new RecordFault('signInvalid', 'The row is neither a credit nor a debit.');
  return { amountMinor: isCredit ? magnitude : -magnitude, currency };
}

function readMoney(text: string, stated: string | null, table: Table): { minor: bigint; currency: string } {
  const read = parseAmountText(text, table.decimalMark);
  if ('problem' in read) throw new RecordFault(read.problem, 'The amount cannot be read, or in two ways.');
  const named = stated?.toUpperCase() ?? null;
  const currency = named ?? read.currency ?? table.columns.currency ?? table.currency;
  if (currency === null) throw new RecordFault('currencyMissing', 'The row names no currency and there is no default.');
  if (named !== null && read.currency !== null && read.currency !== named) {
    throw new RecordFault('currencyMismatch', 'Amount and currency column name two currencies.');
  }
  const minor = amountOf(read.decimal, currency);
  return { minor: read.negative ? -minor : minor, currency };
}

/** The running balance behind a row; one that cannot be read is none, since nothing is applied by it. */
export function balanceIn(record: CsvRecord, table: Table, currency: string): bigint | null {
  const text = textAt(record, table.columns.places.get('balance')?.[0]);
  return readable(text, currency, { ...table, decimalMark: table.balanceMark });
}

function readable(text: string | null, currency: string, table: Table): bigint | null {
  if (text === null) return null;
  try {
    const read = readMoney(text, null, { ...table, columns: { ...table.columns, currency }, currency });
    return read.currency === currency ? read.minor : null;
  } catch (error) {
    if (error instanceof RecordFault) return null;
    throw error;
  }
}

const IBAN = /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/;

/** An account's number, without the quotes that keep spreadsheets from counting with it; null for a name or a masked one. */
export function numberOf(text: string | undefined): string | null {
  const account = accountOf(text?.replace(/^'|'$/g, '')) ?? '';
  const isNumber = account.replace(/\D/g, '').length >= 4 && !/[*•…]|XXX\d/.test(account);
  return isNumber ? account : null;
}

/** One column for whoever is on the other side, or one for the payer and one for the payee: then the sign says which. */
function counterpartyOf(cell: Cell, cells: Cells, credit: boolean, table: Table): Counterparty {
  const { places } = table.columns;
  const sided = (payer: CsvField, payee: CsvField): string | undefined => {
    // A column of payers alone names us in a debit; one of payees alone names the other side of both.
    return credit && places.has(payer) ? cells(payer)[0] : cells(payee)[0];
  };
  const isNumber = (text: string): boolean => IBAN.test(accountOf(text) ?? '');
  const first = cell('counterparty');
  // Some banks call the account on the other side the counterparty; else a second column is our own name.
  const isAccount = first !== null && isNumber(first);
  const name = isAccount ? cells('counterparty').find((text) => !isNumber(text)) : first;
  const accounts = table.accountIsOwn ? [] : cells('account').slice(0, 1);
  return {
    name: name ?? sided('payer', 'payee') ?? null,
    ultimateName: null,
    account: numberOf((isAccount ? first : accounts[0]) ?? sided('payerAccount', 'payeeAccount')),
  };
}

/** All that the payer wrote, each text once; the bank's booking text where the table has no other. */
function textsOf(cells: Cells, hasRemittance: boolean): Pick<Transaction, 'remittance' | 'bankText'> {
  const bank = cells('bankText');
  if (!hasRemittance) return { remittance: bank[0] ?? null, bankText: joinTexts(bank.slice(1)) };
  const all = cells('remittance');
  // Some banks call the direction the details.
  const texts = all.length > 1 ? all.filter((text) => !/^(?:credit|debit)$/i.test(text)) : all;
  const once = texts.filter((text, index) => !texts.some((other, at) => holds(other, text, at < index)));
  return { remittance: joinTexts(once), bankText: joinTexts(bank) };
}

const holds = (other: string, text: string, before: boolean): boolean =>
  other.length === text.length ? before && other === text : other.toLowerCase().includes(text.toLowerCase());

/** What a text says where it is a label in the words of a bank, or of MT940 (`/TRTP/…/REMI/…`); else it is the remittance. */
function labelOf(text: string | null, credit: boolean): Information {
  if (text?.startsWith('/')) return readInformation([text], credit);
  const label = frenchLabel(text);
  if (label === null) return { ...NOTHING, remittance: text };
  return { ...NOTHING, name: label.name, remittance: label.remittance, bookingText: label.bankText };
}

/** Words of the bank, in its own column. */
const UNDOING = /^(?:sepa[- ]?)?(?:r(?:ue|ü)cklastschrift|retoure|(?:pr(?:e|é)l(?:e|è)vement|ch(?:e|è)que) impay)/i;

function returnsOf(
  cell: Cell,
  bankText: string | null,
  endToEndId: string | null,
  currency: string,
  table: Table,
): ReturnInformation | null {
  const reasonCode = realId(cell('returnReason'));
  const original = readable(cell('originalAmount'), currency, table);
  if (reasonCode === null && !original && !UNDOING.test(bankText ?? '')) return null;
  return {
    reasonCode: reasonCode ?? reasonIn(cell('remittance')),
    originalBankId: null,
    originalEndToEndId: endToEndId,
    originalAmountMinor: original === null || original === 0n ? null : original < 0n ? -original : original,
  };
}
