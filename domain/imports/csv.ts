import { DomainError, type Fault } from '../errors.ts';
import type { LocalDate } from '../time/dates.ts';
import { DecimalEvidence, parseAmountText, type DecimalMark } from '../text/amount-text.ts';
import {
  findColumns,
  parseColumns,
  recognised,
  type ColumnField,
  type ColumnMapping,
  type Columns,
} from './csv-columns.ts';
import {
  afterBreak,
  csvRecords,
  endOfLine,
  firstRecord,
  withoutEmptyTail,
  type CsvRecord,
} from '../text/csv-records.ts';
import { DateOrderEvidence, parseDateText, type DateOrder } from '../text/date-text.ts';
import {
  cleanText,
  fault,
  LIMITS,
  normalAmount,
  textFaults,
  type ImportedAddress,
  type ImportedDocument,
  type RowResult,
} from './document.ts';
import { decodeTable, type Decoded } from '../text/encoding.ts';
import { dueOnFromTerms } from './terms.ts';
import { collectionMethod, countryCode, customerKind, documentKind, localeTag, looksLikeEmail } from './values.ts';

export interface CsvOptions {
  /** The API's column mapping: `number="Document Number",references=A+B`. */
  columns?: string;
  /** ISO 4217, for rows that name no currency. */
  defaultCurrency?: string;
}

/** A table whose shape is understood; its rows are read as they are asked for. */
export interface CsvTable {
  encoding: Decoded['encoding'];
  delimiter: string;
  /** The headers that each field is read from. */
  columns: Partial<Record<ColumnField, string[]>>;
  decimalMark: DecimalMark;
  dateOrder: DateOrder;
  /** Records under the header, readable or not: for a progress bar. */
  rowCount: number;
  /** Can be iterated more than once. */
  rows: Iterable<RowResult>;
}

const DELIMITERS = [';', '\t', ',', '|'];
const MAX_COLUMNS = 500;
const MAX_CELL = 10_000;
const DATE_FIELDS = ['issuedOn', 'dueOn', 'chaseFrom', 'collection.on'] as const;

/**
 * Reads a table of invoices and credit notes. Encoding, delimiter, decimal mark, date order and headers are recognised from
 * the whole file; then each row is a document or a list of faults, and no row harms another.
 *
 * Throws `DomainError` for what concerns the file: `csvEmpty`, `csvNoHeader`, `csvTooManyColumns`, `columnsInvalid`,
 * `columnMissing`, `columnAmbiguous`.
 *
 * - Amounts: every value of the column is looked at for which mark is the decimal one (see amount-text.ts). A negative amount
 *   or a document type that says so makes a credit note.
 * - Dates: `03/04/2026` is day first unless the column, or where it is silent the other date columns of the file, shows that
 *   the month comes first.
 */
export function readCsv(bytes: Uint8Array, options: CsvOptions = {}): CsvTable {
  const mapping = parseColumns(options.columns ?? '');
  const { text: decoded, encoding } = decodeTable(bytes);
  const text = decoded.replace(/^\ufeff/, '');
  const header = readHeader(text, mapping);
  const columns = findColumns(header.cells, mapping);
  const records = (): Generator<CsvRecord> =>
    csvRecords(text, header.delimiter, columns.width, header.end, header.line);

  const style = readStyle(records(), columns);
  return {
    encoding,
    delimiter: header.delimiter,
    columns: Object.fromEntries(
      [...columns.at].map(([field, places]) => [field, places.map((at) => columns.headers[at]!)]),
    ),
    decimalMark: style.decimalMark,
    dateOrder: style.fileOrder,
    rowCount: style.rowCount,
    rows: {
      *[Symbol.iterator]() {
        for (const record of records()) yield readRow(record, columns, style, options.defaultCurrency ?? null);
      },
    },
  };
}

interface Header {
  cells: string[];
  delimiter: string;
  /** Where the first record starts, and its line. */
  end: number;
  line: number;
}

/** The first line that is not blank; an `sep=;` line of spreadsheet programs before it names the delimiter. */
function readHeader(text: string, mapping: ColumnMapping): Header {
  let at = 0;
  let line = 1;
  let announced: string | null = null;
  for (;;) {
    if (at >= text.length) throw new DomainError('csvEmpty', 'The file is empty.');
    const end = endOfLine(text, at);
    const content = text.slice(at, Math.min(end, at + 64)).trim();
    const separator = /^sep=(.)$/i.exec(text.slice(at, Math.min(end, at + 8)));
    if (separator) announced = separator[1]!;
    else if (content !== '') break;
    at = afterBreak(text, end);
    line++;
  }

  const candidates = (announced === null ? DELIMITERS : [announced]).map((delimiter) => {
    const record = firstRecord(text, at, delimiter);
    const cells = withoutEmptyTail(record.cells, 1).map((cell) => cleanText(cell) ?? '');
    return { delimiter, cells, end: record.end, line: line + record.lines, known: recognised(cells, mapping) };
  });
  const best = candidates.reduce((a, b) =>
    b.known > a.known || (b.known === a.known && b.cells.length > a.cells.length) ? b : a,
  );
  if (best.cells.length > MAX_COLUMNS) {
    throw new DomainError(
      'csvTooManyColumns',
      `The file has ${best.cells.length} columns; at most ${MAX_COLUMNS} are read.`,
    );
  }
  if (best.known === 0) {
    throw new DomainError('csvNoHeader', 'The first line holds no header that is known or named with columns.');
  }
  return best;
}

interface Style {
  decimalMark: DecimalMark;
  fileOrder: DateOrder;
  order: (field: ColumnField) => DateOrder;
  rowCount: number;
}

/** First pass: what the columns show about decimal mark and date order. */
function readStyle(records: Iterable<CsvRecord>, columns: Columns): Style {
  const amounts = new DecimalEvidence();
  const dates = new Map(DATE_FIELDS.map((field) => [field as ColumnField, new DateOrderEvidence()]));
  const amountAt = columns.at.get('amount')![0]!;
  let rowCount = 0;
  for (const record of records) {
    rowCount++;
    if ('broken' in record) continue;
    amounts.see(record.cells[amountAt]!);
    for (const [field, evidence] of dates) {
      const place = columns.at.get(field)?.[0];
      if (place !== undefined) evidence.see(record.cells[place]!);
    }
  }
  const orders = new Map([...dates].map(([field, evidence]) => [field, evidence.order()]));
  const shown = [...orders.values()].filter((order) => order !== null);
  const fileOrder: DateOrder =
    shown.length > 0 && shown.every((order) => order === 'monthFirst') ? 'monthFirst' : 'dayFirst';
  return { decimalMark: amounts.mark(), fileOrder, order: (field) => orders.get(field) ?? fileOrder, rowCount };
}

/** Cells of one record by field, gathering the row's faults. */
class Row {
  readonly faults: Fault[] = [];
  private readonly cells: string[];
  private readonly columns: Columns;

  constructor(cells: string[], columns: Columns) {
    this.cells = cells;
    this.columns = columns;
  }

  all(field: ColumnField): string[] {
    return (this.columns.at.get(field) ?? []).flatMap((place) => {
      const cell = this.cells[place] ?? '';
      if (cell.length <= MAX_CELL) return cleanText(cell) ?? [];
      this.fault(field, 'tooLong', `more than ${MAX_CELL} characters`);
      return [];
    });
  }

  text(field: ColumnField): string | null {
    return this.all(field)[0] ?? null;
  }

  /** A value through a table of meanings; what has none is a fault. */
  meaning<T>(field: ColumnField, of: (text: string) => T | null, code: string, expected: string): T | null {
    const text = this.text(field);
    if (text === null) return null;
    const value = of(text);
    if (value === null) this.fault(field, code, `"${clip(text)}" is not ${expected}`);
    return value;
  }

  required(field: ColumnField): string | null {
    const text = this.text(field);
    if (text === null) this.fault(field, 'required', 'is empty');
    return text;
  }

  date(field: ColumnField, style: Style): LocalDate | null {
    return this.meaning(field, (text) => parseDateText(text, style.order(field)), 'dateInvalid', 'a date');
  }

  /** Messages point at the header, as the person who made the file knows the column. */
  fault(field: ColumnField, code: string, message: string): void {
    const pointer = `/${field.replaceAll('.', '/')}`;
    if (this.faults.some((known) => known.pointer === pointer)) return;
    this.faults.push(fault(pointer, code, `${this.header(field)}: ${message}`));
  }

  header(field: ColumnField): string {
    const places = this.columns.at.get(field);
    return places === undefined ? field : `column "${places.map((at) => this.columns.headers[at]).join('" + "')}"`;
  }
}

const clip = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

function readRow(record: CsvRecord, columns: Columns, style: Style, defaultCurrency: string | null): RowResult {
  const { line } = record;
  if ('broken' in record) return brokenRow(record, columns);

  const row = new Row(record.cells, columns);
  const number = row.required('number');
  const issuedOn = row.required('issuedOn') === null ? null : row.date('issuedOn', style);
  const dueOn = row.date('dueOn', style);
  const stated = row.meaning('kind', documentKind, 'documentTypeUnknown', 'an invoice or a credit note');
  const currency = row.text('currency')?.toUpperCase() ?? null;
  const money = readAmount(row, currency ?? defaultCurrency, currency !== null, style.decimalMark);
  const kind = stated === 'creditNote' || money?.negative ? 'creditNote' : 'invoice';
  const terms = row.text('terms')?.slice(0, LIMITS.terms) ?? null;
  const dueFromTerms =
    dueOn === null && terms !== null && issuedOn !== null && kind === 'invoice'
      ? dueOnFromTerms(terms, issuedOn)
      : null;
  if (kind === 'invoice' && dueOn !== null && issuedOn !== null && dueOn < issuedOn) {
    row.fault('dueOn', 'dueBeforeIssue', `${dueOn} is before the issue date ${issuedOn}`);
  }

  const reference = row.text('customer.reference');
  const name = row.text('customer.name');
  if (reference === null && name === null) {
    row.fault(columns.at.has('customer.reference') ? 'customer.reference' : 'customer.name', 'required', 'is empty');
  }
  const country = row.meaning('customer.country', countryCode, 'countryUnknown', 'a country');
  const email = row.meaning(
    'customer.email',
    (text) => (looksLikeEmail(text) ? text : null),
    'emailInvalid',
    'an e-mail address',
  );
  const method = collectionMethod(row.text('collection.method') ?? '');
  const collectedOn = row.date('collection.on', style);
  const chaseFrom = row.date('chaseFrom', style);
  const lastStepSent = row.text('lastStepSent');
  const policy = row.text('policy');

  const customer = {
    reference,
    name,
    email,
    country,
    kind: row.meaning('customer.kind', customerKind, 'customerKindUnknown', 'business, consumer or publicBody'),
    locale: row.meaning('customer.locale', localeTag, 'localeUnknown', 'a language'),
    registrationId: row.text('customer.registrationId'),
    vatId: row.text('customer.vatId'),
    address: readAddress(row, country),
  };
  if (number === null || issuedOn === null || money === null || row.faults.length > 0) {
    return { line, number, faults: row.faults };
  }
  const document: ImportedDocument = {
    kind,
    number,
    issuedOn,
    dueOn: dueOn ?? dueFromTerms,
    dueOnSource: dueOn !== null ? 'document' : dueFromTerms !== null ? 'terms' : 'none',
    amount: money.amount,
    currency: money.currency,
    customer,
    seller: null,
    vat: [],
    references: [...new Set(row.all('references'))].filter((text) => text !== number),
    orderReference: row.text('orderReference'),
    correctsNumber: row.text('correctsNumber'),
    collection: method === null && collectedOn === null ? null : { method: method ?? 'directDebit', on: collectedOn },
    iban: null,
    terms,
    ...(chaseFrom !== null ? { chaseFrom } : {}),
    ...(lastStepSent !== null ? { lastStepSent } : {}),
    ...(policy !== null ? { policy } : {}),
  };
  const faults = textFaults(document);
  return faults.length > 0 ? { line, number, faults } : { line, document };
}

/** A row that did not come out whole: its number is guessed for the report, nothing of it is used. */
function brokenRow(record: Extract<CsvRecord, { broken: string }>, columns: Columns): RowResult {
  const number = cleanText(record.cells[columns.at.get('number')![0]!]?.slice(0, 100));
  if (record.broken === 'quote') {
    return {
      line: record.line,
      number,
      faults: [fault('', 'rowBroken', 'a quote in this line is not closed, or not doubled')],
    };
  }
  const message = `the row has ${record.cells.length} columns, the header has ${columns.width}`;
  return { line: record.line, number, faults: [fault('', 'columnCount', message)] };
}

interface Money {
  negative: boolean;
  amount: string;
  currency: string;
}

/** A currency beside the amount (`12,50 €`) serves where the row has no other, and must not contradict one. */
function readAmount(row: Row, rowCurrency: string | null, stated: boolean, mark: DecimalMark): Money | null {
  const text = row.required('amount');
  if (text === null) return null;
  const read = parseAmountText(text, mark);
  if ('problem' in read) {
    const message =
      read.problem === 'amountAmbiguous'
        ? `"${clip(text)}" can be read two ways and no other row tells which mark is the decimal one`
        : `"${clip(text)}" is not an amount${mark === null || mark === 'mixed' ? '' : ` (the column's decimal mark is "${mark}")`}`;
    row.fault('amount', read.problem, message);
    return null;
  }
  const currency = stated ? rowCurrency : (read.currency ?? rowCurrency);
  if (currency === null) {
    row.fault('currency', 'required', 'the row names no currency and there is no default');
    return null;
  }
  if (stated && read.currency !== null && read.currency !== currency) {
    row.fault('amount', 'currencyMismatch', `"${clip(text)}" is not in ${clip(currency)}`);
    return null;
  }
  const amount = normalAmount(read.decimal, currency, row.header('amount'));
  if (typeof amount === 'string') return { negative: read.negative, amount, currency };
  row.faults.push(
    amount.pointer === '/currency'
      ? { ...amount, message: amount.message.replace(row.header('amount'), row.header('currency')) }
      : amount,
  );
  return null;
}

function readAddress(row: Row, country: string | null): ImportedAddress | null {
  const lines = row.all('customer.address.lines');
  const postalCode = row.text('customer.address.postalCode');
  const city = row.text('customer.address.city');
  return lines.length === 0 && postalCode === null && city === null ? null : { lines, postalCode, city, country };
}
