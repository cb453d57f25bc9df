import { DomainError } from '../../errors.ts';
import { DecimalEvidence } from '../../text/amount-text.ts';
import {
  afterBreak,
  csvRecords,
  endOfLine,
  firstRecord,
  withoutEmptyTail,
  type CsvRecord,
} from '../../text/csv-records.ts';
import { DateOrderEvidence } from '../../text/date-text.ts';
import { decodeTable } from '../../text/encoding.ts';
import type { LocalDate } from '../../time/dates.ts';
import { cleanText, RecordFault } from '../fields.ts';
import { Totals } from '../totals.ts';
import type { StatementEvent } from '../transaction.ts';
import { checkMapping, columnsIn, isHeader, type CsvColumns, type CsvMapping } from './columns.ts';
import { knownHeader } from './headers.ts';
import { balanceIn, numberOf, textAt, transactionOf, type Table } from './row.ts';
import { directionOf, isBalanceText, statusOf } from './words.ts';

const DELIMITERS = [';', '\t', ',', '|'];
/** Some banks put account, period and balance above the table. */
const MAX_PREAMBLE = 30;
/** A line of more cells is no header. */
const MAX_COLUMNS = 500;

/**
 * A bank's table of transactions: one statement, oldest or newest first. Encoding, delimiter, decimal mark and date order
 * are recognised from the whole file; headers by the mapping, else by their names. `currency` is for rows that name none.
 *
 * Throws `csvNoHeader` and `columnMissing`. Rejected rows: `rowBroken`, `columnCount`, `dateMissing`, `dateInvalid`,
 * `amountMissing`, `amountInvalid`, `amountAmbiguous`, `amountZero`, `signInvalid`, `tooManyDecimals`, `currencyMissing`,
 * `unknownCurrency`, `currencyMismatch`. Rows that are balances, and notes behind the last row, are no transactions.
 */
export function* readBankCsv(
  bytes: Uint8Array,
  mapping: CsvMapping,
  currency: string | null,
): Generator<StatementEvent> {
  const text = decodeTable(bytes).text.replace(/^\ufeff/, '');
  const header = findHeader(text, mapping);
  if (header === null) {
    throw new DomainError('csvNoHeader', 'The file has no header with a date and an amount: name them with a mapping.');
  }
  checkMapping(header.columns, mapping);
  const records = () => csvRecords(text, header.delimiter, header.width, header.end, header.line);
  const table: Table = { columns: header.columns, ...styleOf(records(), header.columns), currency };

  const totals = new Totals();
  const rows: BalancedRow[] = [];
  const account = ownAccount(records(), header.columns);
  let complete = true;
  /** What may be the note at the end of the table: a fault as soon as another row follows. */
  let notes: StatementEvent[] = [];
  for (const record of records()) {
    if (isBalanceRow(record, table) || isHeaderAgain(record, table)) continue;
    try {
      const transaction = transactionOf(record, table);
      if (transaction.status === 'booked') {
        const { amountMinor } = transaction;
        totals.book(amountMinor, transaction.currency);
        const balanceMinor = balanceIn(record, table, transaction.currency);
        rows.push({ amountMinor, balanceMinor, on: transaction.bookedOn });
      }
      complete &&= notes.length === 0;
      yield* notes;
      notes = [];
      yield { kind: 'transaction', transaction, statement: 1, account };
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error;
      const rejected: StatementEvent = { kind: 'rejected', record: error.at(`line ${record.line}`), statement: 1 };
      if (isNote(record, table)) {
        notes.push(rejected);
        continue;
      }
      complete = false;
      yield* notes;
      notes = [];
      yield rejected;
    }
  }
  const balances = complete ? balancesOf(rows) : { opening: null, closing: null };
  const told = { position: 1, account, currency: totals.currency ?? currency, reference: null, copy: false };
  yield { kind: 'statement', summary: totals.summary({ ...told, ...balances }) };
}

/** Words where the date should be: a total, a disclaimer. Behind the last row it is no part of the table. */
function isNote(record: CsvRecord, { columns }: Table): boolean {
  const date = textAt(record, columns.places.get('bookedOn')![0]);
  const first = textAt(record, 0);
  if ('broken' in record) return first !== null && !/\d/.test(first);
  // A word such as `offen` marks a row that has no date yet.
  return date !== null && !/\d/.test(date) && statusOf(date) === 'booked';
}

/** An opening or closing balance among the rows: its text says so, and it names nobody. */
function isBalanceRow(record: CsvRecord, { columns: { places } }: Table): boolean {
  if ('broken' in record) return false;
  const told = (['remittance', 'bankText', 'counterparty', 'endToEndId'] as const)
    .flatMap((field) => places.get(field) ?? [])
    .flatMap((place) => textAt(record, place) ?? []);
  const account = places.get('account')?.[0];
  return told.length === 1 && isBalanceText(told[0]!) && textAt(record, account) === null;
}

/** Each page of some tables begins with the header. */
const isHeaderAgain = (record: CsvRecord, { columns }: Table): boolean =>
  knownHeader(textAt(record, columns.places.get('bookedOn')![0]) ?? '')?.field === 'bookedOn';

/** The one account that all rows are of, where a column tells it. */
function ownAccount(records: Iterable<CsvRecord>, { places }: CsvColumns): string | null {
  const place = places.get('ownAccount')?.[0];
  if (place === undefined) return null;
  const [only, ...others] = distinct(records, place);
  return only === undefined || others.length > 0 ? null : numberOf(only);
}

function distinct(records: Iterable<CsvRecord>, place: number): Set<string> {
  const found = new Set<string>();
  for (const record of records) {
    const text = 'broken' in record ? null : textAt(record, place);
    if (text !== null) found.add(text);
    if (found.size > 1) break;
  }
  return found;
}

/** Whether the text looks like such a table, with headers that are known here. */
export const isBankCsv = (text: string): boolean => findHeader(text, {}) !== null;

interface Header {
  columns: CsvColumns;
  delimiter: string;
  width: number;
  /** Where the first row starts, and its line. */
  end: number;
  line: number;
}

/** The first line that is a header in the delimiter in which most of it is known. */
function findHeader(text: string, mapping: CsvMapping): Header | null {
  let at = 0;
  for (let line = 1; line <= MAX_PREAMBLE && at < text.length; line++) {
    const found = DELIMITERS.flatMap((delimiter): Header[] => {
      const record = firstRecord(text, at, delimiter);
      if (record.cells.length > MAX_COLUMNS) return [];
      const cells = withoutEmptyTail(record.cells, 1).map((cell) => cleanText(cell) ?? '');
      // A column may lack its header, where each row has it.
      const next = withoutEmptyTail(firstRecord(text, record.end, delimiter).cells, 1).length;
      while (cells.length < Math.min(next, record.cells.length)) cells.push('');
      const columns = columnsIn(cells, mapping);
      return [{ columns, delimiter, width: cells.length, end: record.end, line: line + record.lines }];
    })
      .filter(({ columns }) => isHeader(columns))
      .sort((a, b) => b.columns.places.size - a.columns.places.size);
    if (found[0]) return found[0];
    at = afterBreak(text, endOfLine(text, at));
  }
  return null;
}

/** First pass: what the columns show about decimal mark, date order and direction. */
function styleOf(records: Iterable<CsvRecord>, columns: CsvColumns): Omit<Table, 'columns' | 'currency'> {
  const { places } = columns;
  const amounts = new DecimalEvidence();
  const balances = new DecimalEvidence();
  const dates = new DateOrderEvidence();
  // A column that is named so, or one of a kind of booking or without a header that holds nothing but directions.
  const named = places.get('direction')?.[0];
  const likely = new Set([...(places.get('bankText') ?? []), ...columns.unnamed]);
  const directions = new Set(named === undefined ? [...likely, ...columns.unknown] : [named]);
  let isSigned = false;
  let debits = 0;
  const account = places.get('account')?.[0];
  const accounts = new Set<string | null>();
  let rows = 0;
  for (const record of records) {
    if ('broken' in record) continue;
    rows++;
    for (const field of ['amount', 'debit', 'credit', 'balance'] as const) {
      const cell = textAt(record, places.get(field)?.[0]);
      if (cell !== null) (field === 'balance' ? balances : amounts).see(cell);
      if (field === 'amount' && cell !== null) isSigned ||= /[-\u2212(]/.test(cell);
    }
    for (const place of [...(places.get('bookedOn') ?? []), ...(places.get('valueOn') ?? [])]) {
      const cell = textAt(record, place);
      if (cell !== null) dates.see(cell);
    }
    for (const place of directions) {
      const isCredit = directionOf(textAt(record, place));
      if (isCredit === false) debits++;
      if (place !== named && isCredit === null) directions.delete(place);
    }
    if (account !== undefined && accounts.size < 2) accounts.add(textAt(record, account));
  }
  // A header that is not known says nothing: there the amounts must lack signs, and some be debits.
  const proven = [...directions].filter((place) => place === named || likely.has(place) || (!isSigned && debits > 0));
  const [direction = null] = places.has('amount') && rows > 0 ? proven : [];
  const { ownAccounts } = columns;
  const accountIsOwn = ownAccounts === 'yes' || (ownAccounts === 'perhaps' && rows > 1 && accounts.size === 1);
  const decimalMark = amounts.mark() ?? balances.mark();
  const balanceMark = balances.mark() ?? decimalMark;
  return { decimalMark, balanceMark, dateOrder: dates.order() ?? 'dayFirst', direction, accountIsOwn };
}

interface BalancedRow {
  amountMinor: bigint;
  balanceMinor: bigint | null;
  on: LocalDate;
}

/**
 * Opening and closing balance of a table with a running one. Whether it goes forward or back in time is what its balances
 * say, and its dates where they say nothing.
 */
function balancesOf(told: readonly BalancedRow[]): {
  opening: { amountMinor: bigint; on: LocalDate | null } | null;
  closing: { amountMinor: bigint; on: LocalDate | null } | null;
} {
  const rows = balancesBehind(told);
  const first = rows[0];
  const last = rows.at(-1);
  if (!first || !last || first.balanceMinor === null || last.balanceMinor === null)
    return { opening: null, closing: null };
  let forwards = 0;
  rows.slice(1).forEach(({ balanceMinor, amountMinor }, index) => {
    const before = rows[index]!;
    if (balanceMinor === null || before.balanceMinor === null) return;
    if (balanceMinor === before.balanceMinor + amountMinor) forwards++;
    if (balanceMinor === before.balanceMinor - before.amountMinor) forwards--;
  });
  const backwards = forwards === 0 ? first.on > last.on : forwards < 0;
  const [oldest, newest] = backwards ? [last, first] : [first, last];
  return {
    opening: { amountMinor: oldest.balanceMinor! - oldest.amountMinor, on: null },
    closing: { amountMinor: newest.balanceMinor!, on: newest.on },
  };
}

/** The same rows with the balances behind them, where a bank writes those before them. */
function balancesBehind(rows: readonly BalancedRow[]): readonly BalancedRow[] {
  let before = 0;
  rows.slice(1).forEach((row, index) => {
    const above = rows[index]!;
    if (row.balanceMinor === null || above.balanceMinor === null) return;
    const difference = row.balanceMinor - above.balanceMinor;
    const isBehind = difference === row.amountMinor || difference === -above.amountMinor;
    const isBefore = difference === above.amountMinor || difference === -row.amountMinor;
    before += Number(isBefore) - Number(isBehind);
  });
  if (before <= 0) return rows;
  return rows.map((row) => ({
    ...row,
    balanceMinor: row.balanceMinor === null ? null : row.balanceMinor + row.amountMinor,
  }));
}
