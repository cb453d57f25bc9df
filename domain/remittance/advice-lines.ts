import { DomainError, type Fault } from '../errors.ts';
import { DecimalEvidence, parseAmountText } from '../text/amount-text.ts';
import { columnOf, recognised } from '../imports/csv-columns.ts';
import { normalHeader } from '../text/headers.ts';
import { csvRecords, firstRecord } from '../text/csv-records.ts';
import { decodeTable } from '../text/encoding.ts';
import { quotations } from '../matching/tokens.ts';
import { currencyExponent, parseAmount } from '../money.ts';

/** What a payer says it pays on one invoice: the number as it is written, positive minor units. */
export interface AdviceLine {
  number: string;
  amountMinor: bigint;
}

/** Lines of an advice at most. */
export const MOST_LINES = 1_000;

/** Further names of the column of what is paid; they win over what an invoice is of. */
const PAID = new Set(
  (
    'amount paid,paid,paid amount,payment amount,net paid,montant regle,montant paye,regle,paye,reglement,' +
    'net regle,gezahlt,bezahlt,zahlbetrag,gezahlter betrag,uberweisungsbetrag'
  ).split(','),
);
const DELIMITERS = [';', '\t', ',', '|'];

/**
 * The lines of a table with a column of numbers and one of amounts, both found by their headers in French, German or
 * English. Throws `adviceUnreadable` with a fault for each line that cannot be used.
 */
export function linesOfCsv(bytes: Uint8Array, currency: string): AdviceLine[] {
  const text = decodeTable(bytes)
    .text.replace(/^\ufeff/, '')
    .replace(/^\s*\n/, '');
  const headers = DELIMITERS.map((delimiter) => {
    const record = firstRecord(text, 0, delimiter);
    return { delimiter, ...record, known: recognised(record.cells, new Map()) };
  });
  const header = headers.reduce((a, b) =>
    b.known > a.known || (b.known === a.known && b.cells.length > a.cells.length) ? b : a,
  );
  const numberAt = header.cells.findIndex((cell) => columnOf(cell) === 'number');
  const paidAt = header.cells.findIndex((cell) => PAID.has(normalHeader(cell)));
  const amountAt = paidAt >= 0 ? paidAt : header.cells.findIndex((cell) => columnOf(cell) === 'amount');
  if (numberAt < 0 || amountAt < 0) {
    throw unreadable([lineFault(1, 'columnMissing', 'no column of invoice numbers and one of amounts was recognised')]);
  }
  const records = [...csvRecords(text, header.delimiter, header.cells.length, header.end, 1 + header.lines)];
  const evidence = new DecimalEvidence();
  for (const { cells } of records) evidence.see(cells[amountAt] ?? '');
  const faults: Fault[] = [];
  const lines: AdviceLine[] = [];
  for (const record of records) {
    const number = (record.cells[numberAt] ?? '').trim();
    const amount = (record.cells[amountAt] ?? '').trim();
    // A line of totals names no invoice.
    if (number === '' && !('broken' in record)) continue;
    const read = 'broken' in record ? lineFault(record.line, 'lineBroken', 'the line cannot be read') : null;
    const minor = read ?? amountOf(record.line, parseAmountText(amount, evidence.mark()), currency);
    if (typeof minor === 'bigint') lines.push({ number, amountMinor: minor });
    else faults.push(minor);
  }
  if (faults.length > 0) throw unreadable(faults);
  return bounded(lines);
}

function amountOf(line: number, read: ReturnType<typeof parseAmountText>, currency: string): bigint | Fault {
  if ('problem' in read) return lineFault(line, read.problem, 'holds no amount that can be read in one way');
  if (read.currency !== null && read.currency !== currency) {
    return lineFault(line, 'currencyMismatch', `is in ${read.currency}`);
  }
  if (read.negative) return lineFault(line, 'amountInvalid', 'holds a negative amount');
  try {
    const minor = parseAmount(read.decimal, currency);
    return minor > 0n ? minor : lineFault(line, 'amountInvalid', 'holds an amount of zero');
  } catch (error) {
    if (error instanceof DomainError) return lineFault(line, error.code, error.message);
    throw error;
  }
}

/** Text that is read; mails and remittance slips are far shorter. */
const LONGEST = 200_000;

/** The lines of a text that count; what a reply quotes from earlier mails does not. */
const linesOf = (text: string): { line: number; text: string }[] =>
  text
    .slice(0, LONGEST)
    .split(/\r\n|\r|\n/)
    .map((one, index) => ({ line: index + 1, text: one.normalize('NFKD').replace(/\p{M}/gu, '') }))
    .filter((one) => one.text.trim() !== '' && !one.text.trimStart().startsWith('>'));

/** Everything in a text that may be a number, normalised: what is looked up before `linesOfText`. */
export function tokensOfText(text: string): string[] {
  const tokens = linesOf(text).flatMap((one) => quotations(one.text).map(({ token }) => token));
  return [...new Set(tokens.filter((token) => /\d/.test(token) && token.length <= 100))].slice(0, 20_000);
}

/**
 * The lines of a mail or slip that name a known invoice, each with the last amount on it: what is paid stands behind what was
 * billed and what was taken off. Other lines are prose. `known`: the numbers and references of `tokensOfText` that are
 * invoices. Throws `adviceUnreadable` where a line names two invoices, has no amount (and no other line has one for its
 * invoice) or a negative one, and where no line names any.
 */
export function linesOfText(text: string, currency: string, known: ReadonlySet<string>): AdviceLine[] {
  const faults: Fault[] = [];
  const lines: AdviceLine[] = [];
  const without: { line: number; number: string }[] = [];
  for (const { line, text: content } of linesOf(text)) {
    const numbers = numbersIn(content, known);
    const [first] = numbers;
    if (!first) continue;
    if (numbers.some(({ token }) => token !== first.token)) {
      faults.push(lineFault(line, 'severalNumbers', 'names more than one invoice'));
      continue;
    }
    const rest = numbers.reduce(
      (kept, { from, to }) => kept.slice(0, from) + '|'.repeat(to - from) + kept.slice(to),
      content,
    );
    const amount = lastAmount(rest, currency);
    if (amount === null) without.push({ line, number: first.token });
    else if (amount === 'negative') faults.push(lineFault(line, 'amountInvalid', 'holds a negative amount'));
    else lines.push({ number: content.slice(first.from, first.to), amountMinor: amount });
  }
  const numbers = new Set(lines.map(({ number }) => tokenOf(number)));
  for (const { line, number } of without) {
    if (!numbers.has(number)) faults.push(lineFault(line, 'amountMissing', 'names an invoice and no amount'));
  }
  if (faults.length > 0) throw unreadable(faults);
  return bounded(lines);
}

const tokenOf = (number: string): string => number.toUpperCase().replace(/[^A-Z0-9]/g, '');

interface Place {
  token: string;
  from: number;
  to: number;
}

/** Where known numbers stand in a line, the longer ones before what lies within them. */
function numbersIn(content: string, known: ReadonlySet<string>): Place[] {
  const runs = [...content.toUpperCase().matchAll(/[A-Z0-9]+/g)];
  const hits = quotations(content).filter(({ token }) => known.has(token));
  return hits
    .filter((hit) => !hits.some((other) => other !== hit && other.from <= hit.from && other.to >= hit.to))
    .map(({ token, from, to }) => ({ token, from: runs[from]!.index, to: runs[to]!.index + runs[to]![0].length }));
}

/** The last amount of a line, in minor units; digits without decimals count only beside the currency. */
function lastAmount(text: string, currency: string): bigint | 'negative' | null {
  const exponent = currencyExponent(currency);
  const whole = String.raw`(?:\d{1,3}(?:[ .,'’]\d{3})+|\d+)`;
  const decimals = exponent === 0 ? '' : String.raw`[.,]\d{${exponent}}`;
  const sign = currency === 'EUR' ? '(?:€|EUR)' : currency;
  const written = String.raw`(?<![\d.,/])([-−–(]?\s?)(${whole}${decimals})(?![.,/]?\d)(\s?-(?!\w))?`;
  const beside = String.raw`(?<![\d.,/])([-−–(]?\s?)(${whole})(?=\s?${sign})(\s?-(?!\w))?|(?<=${sign}\s?)([-−–]?)(${whole})(?![.,/]?\d)`;
  const found = [...text.matchAll(new RegExp(written, 'gi'))];
  const matches = found.length > 0 ? found : [...text.matchAll(new RegExp(beside, 'gi'))];
  const last = matches.at(-1);
  if (!last) return null;
  const digits = last[2] ?? last[5] ?? '';
  // A dash with a blank on both sides parts a number from its amount.
  const lead = last[1] ?? last[4] ?? '';
  const parts = /^[-−–]\s$/.test(lead);
  if ((lead.trim() !== '' && !parts) || (last[3] ?? '').trim() !== '') return 'negative';
  const cut = exponent > 0 && found.length > 0 ? digits.length - exponent - 1 : digits.length;
  const plain = digits.slice(0, cut).replace(/\D/g, '');
  const behind = digits.slice(cut + 1);
  const minor = parseAmount(behind === '' ? plain : `${plain}.${behind}`, currency);
  return minor > 0n ? minor : null;
}

function bounded(lines: AdviceLine[]): AdviceLine[] {
  if (lines.length === 0) {
    throw unreadable([lineFault(1, 'required', 'no line names an invoice and an amount')]);
  }
  if (lines.length > MOST_LINES) {
    throw unreadable([lineFault(MOST_LINES + 1, 'tooLong', `an advice has at most ${MOST_LINES} lines`)]);
  }
  return lines;
}

const lineFault = (line: number, code: string, message: string): Fault => ({
  pointer: `/line/${line}`,
  code,
  message: `Line ${line}: ${message}.`,
});

const unreadable = (faults: Fault[]): DomainError =>
  new DomainError('adviceUnreadable', faults[0]!.message, faults.slice(0, 100));
