import { DomainError } from '../../errors.ts';
import {
  afterBreak,
  csvRecords,
  endOfLine,
  firstRecord,
  withoutEmptyTail,
  type CsvRecord,
} from '../../text/csv-records.ts';
import { decodeTable } from '../../text/encoding.ts';
import { cleanText, RecordFault } from '../fields.ts';
import { Totals } from '../totals.ts';
import type { StatementEvent } from '../transaction.ts';
import { balancesOf, type BalancedRow } from './balances.ts';
import { checkMapping, columnsIn, isHeader, type CsvColumns, type CsvMapping } from './columns.ts';
import { knownHeader } from './headers.ts';
import { balanceIn, numberOf, textAt, transactionOf, type Table } from './row.ts';
import { styleOf } from './style.ts';
import { isBalanceText, statusOf } from './words.ts';

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
 * `unknownCurrency`, `currencyMismatch`, `balanceRow`. Notes behind the last row are no part of the table.
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
    if (isHeaderAgain(record, table)) continue;
    if (isBalanceRow(record, table)) {
      if (hasAmount(record, table)) yield balanceRow(record.line);
      continue;
    }
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

/** One whose balance stands where amounts do is named, lest a payment is taken for it unseen. */
const balanceRow = (line: number): StatementEvent => {
  const message = 'The row is a balance by its text, and no transaction.';
  return { kind: 'rejected', record: { position: `line ${line}`, code: 'balanceRow', message }, statement: 1 };
};

const hasAmount = (record: CsvRecord, { columns: { places } }: Table): boolean =>
  (['amount', 'debit', 'credit'] as const).some((field) => textAt(record, places.get(field)?.[0]) !== null);

/** Each page of some tables begins with the header. */
function isHeaderAgain(record: CsvRecord, { columns }: Table): boolean {
  const date = textAt(record, columns.places.get('bookedOn')![0]);
  return date !== null && !/\d/.test(date) && knownHeader(date)?.field === 'bookedOn';
}

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

/** ABN AMRO writes no header: account, currency, day, balances before and behind, value date, amount, text. */
const WITHOUT_HEADER = /^\d{8,10}\t[A-Z]{3}\t\d{8}\t-?[\d.]+,\d\d\t-?[\d.]+,\d\d\t\d{8}\t-?[\d.]+,\d\d\t/;
const ITS_HEADER = ['Rekening', 'Munt', 'Boekdatum', 'Startsaldo', 'Endsaldo', 'Rentedatum', 'Bedrag', 'Omschrijving'];

/** The first line that is a header in the delimiter in which most of it is known. */
function findHeader(text: string, mapping: CsvMapping): Header | null {
  if (WITHOUT_HEADER.test(text)) {
    const columns = columnsIn(ITS_HEADER, mapping);
    return { columns, delimiter: '\t', width: ITS_HEADER.length, end: 0, line: 1 };
  }
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
