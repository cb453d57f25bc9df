import { DomainError } from '../../errors.ts';
import { DecimalEvidence, parseAmountText, type DecimalMark } from '../../text/amount-text.ts';
import {
  afterBreak,
  csvRecords,
  endOfLine,
  firstRecord,
  withoutEmptyTail,
  type CsvRecord,
} from '../../text/csv-records.ts';
import { DateOrderEvidence, parseDateText, type DateOrder } from '../../text/date-text.ts';
import { decodeTable } from '../../text/encoding.ts';
import type { LocalDate } from '../../time/dates.ts';
import { accountOf, amountOf, cleanText, realId, RecordFault } from '../fields.ts';
import { Totals } from '../totals.ts';
import type { StatementEvent, Transaction } from '../transaction.ts';
import { checkMapping, columnsIn, isHeader, type CsvColumns, type CsvField, type CsvMapping } from './columns.ts';

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
 * `amountMissing`, `amountInvalid`, `amountAmbiguous`, `amountZero`, `tooManyDecimals`, `currencyMissing`,
 * `unknownCurrency`, `currencyMismatch`.
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
  let complete = true;
  for (const record of records()) {
    try {
      const transaction = transactionOf(record, table);
      const { amountMinor } = transaction;
      totals.book(amountMinor, transaction.currency);
      rows.push({
        amountMinor,
        balanceMinor: balanceIn(record, table, transaction.currency),
        on: transaction.bookedOn,
      });
      yield { kind: 'transaction', transaction, statement: 1, account: null };
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error;
      complete = false;
      yield { kind: 'rejected', record: error.at(`line ${record.line}`), statement: 1 };
    }
  }
  const balances = complete ? balancesOf(rows) : { opening: null, closing: null };
  const told = { position: 1, account: null, currency: totals.currency ?? currency, reference: null, copy: false };
  yield { kind: 'statement', summary: totals.summary({ ...told, ...balances }) };
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
      const columns = columnsIn(cells, mapping);
      return [{ columns, delimiter, width: cells.length, end: record.end, line: line + record.lines }];
    })
      .filter(({ columns }) => isHeader(columns))
      .sort((a, b) => b.columns.size - a.columns.size);
    if (found[0]) return found[0];
    at = afterBreak(text, endOfLine(text, at));
  }
  return null;
}

interface Style {
  decimalMark: DecimalMark;
  dateOrder: DateOrder;
}

interface Table extends Style {
  columns: CsvColumns;
  currency: string | null;
}

/** First pass: what the columns show about decimal mark and date order. */
function styleOf(records: Iterable<CsvRecord>, columns: CsvColumns): Style {
  const amounts = new DecimalEvidence();
  const dates = new DateOrderEvidence();
  for (const record of records) {
    if ('broken' in record) continue;
    for (const field of ['amount', 'debit', 'credit', 'balance'] as const) {
      const cell = cellOf(record, columns, field);
      if (cell !== null) amounts.see(cell);
    }
    for (const field of ['bookedOn', 'valueOn'] as const) {
      const cell = cellOf(record, columns, field);
      if (cell !== null) dates.see(cell);
    }
  }
  return { decimalMark: amounts.mark(), dateOrder: dates.order() ?? 'dayFirst' };
}

function cellOf(record: CsvRecord, columns: CsvColumns, field: CsvField): string | null {
  const place = columns.get(field);
  return place === undefined ? null : cleanText(record.cells[place]);
}

function transactionOf(record: CsvRecord, table: Table): Transaction {
  if ('broken' in record) {
    if (record.broken === 'quote')
      throw new RecordFault('rowBroken', 'A quote in this line is not closed, or not doubled.');
    throw new RecordFault('columnCount', 'The row has not as many columns as the header.');
  }
  const cell = (field: CsvField): string | null => cellOf(record, table.columns, field);
  const bookedOn = dayOf(cell('bookedOn'), table);
  if (bookedOn === null) throw new RecordFault('dateMissing', 'The row has no date.');
  const { amountMinor, currency } = moneyOf(cell, table);
  return {
    status: 'booked',
    bookedOn,
    valueOn: dayOf(cell('valueOn'), table),
    amountMinor,
    currency,
    counterparty: { name: cell('counterparty'), ultimateName: null, account: accountOf(cell('account')) },
    structuredReferences: [],
    remittance: cell('remittance'),
    bankText: null,
    bankId: realId(cell('id')),
    endToEndId: realId(cell('endToEndId')),
    mandateId: null,
    returns: null,
    feesMinor: null,
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

/** One signed column, or one for each direction, in which banks write signs or leave them out. */
function moneyOf(cell: (field: CsvField) => string | null, table: Table): { amountMinor: bigint; currency: string } {
  const stated = cell('currency')?.toUpperCase() ?? null;
  const [signed, debit, credit] = [cell('amount'), cell('debit'), cell('credit')].map((text) =>
    text === null ? null : readMoney(text, stated, table),
  );
  const sides = [debit, credit].filter((side) => side && side.minor !== 0n);
  if (sides.length === 2) throw new RecordFault('amountAmbiguous', 'The row is both a debit and a credit.');
  const told = signed ?? sides[0] ?? debit ?? credit ?? null;
  if (told === null) throw new RecordFault('amountMissing', 'The row has no amount.');
  if (told.minor === 0n) throw new RecordFault('amountZero', 'The amount is zero: nothing moved.');
  const magnitude = told.minor < 0n ? -told.minor : told.minor;
  if (told === signed) return { amountMinor: told.minor, currency: told.currency };
  return { amountMinor: told === debit ? -magnitude : magnitude, currency: told.currency };
}

function readMoney(text: string, stated: string | null, table: Table): { minor: bigint; currency: string } {
  const read = parseAmountText(text, table.decimalMark);
  if ('problem' in read) throw new RecordFault(read.problem, 'The amount cannot be read, or in two ways.');
  const currency = stated ?? read.currency ?? table.currency;
  if (currency === null) throw new RecordFault('currencyMissing', 'The row names no currency and there is no default.');
  if (stated !== null && read.currency !== null && read.currency !== stated) {
    throw new RecordFault('currencyMismatch', 'Amount and currency column name two currencies.');
  }
  const minor = amountOf(read.decimal, currency);
  return { minor: read.negative ? -minor : minor, currency };
}

interface BalancedRow {
  amountMinor: bigint;
  balanceMinor: bigint | null;
  on: LocalDate;
}

/** The running balance behind a row; one that cannot be read is none, since nothing is applied by it. */
function balanceIn(record: CsvRecord, table: Table, currency: string): bigint | null {
  const text = cellOf(record, table.columns, 'balance');
  if (text === null) return null;
  try {
    const read = readMoney(text, null, { ...table, currency });
    return read.currency === currency ? read.minor : null;
  } catch (error) {
    if (error instanceof RecordFault) return null;
    throw error;
  }
}

/**
 * Opening and closing balance of a table with a running one. Whether it goes forward or back in time is what its balances
 * say, and its dates where they say nothing.
 */
function balancesOf(rows: readonly BalancedRow[]): {
  opening: { amountMinor: bigint; on: LocalDate | null } | null;
  closing: { amountMinor: bigint; on: LocalDate | null } | null;
} {
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
