/**
 * Records of delimited text (RFC 4180, any delimiter, any line break). Own reader because a general parser either stops at
 * the first broken quote or swallows every row up to the next quote: here a record that does not come out whole costs its
 * first line only, and reading resumes on the line after.
 */
export type CsvRecord =
  | { line: number; cells: string[] }
  /** `columns`: the record was readable but has this many cells instead of the expected number. */
  | { line: number; broken: 'quote' | 'columns'; cells: string[]; raw: string };

/** A quoted cell may span lines, as addresses do; further than this it is a quote that nobody closed. */
const MAX_RECORD = 65_536;
const MAX_RECORD_LINES = 64;

interface Reading {
  cells: string[];
  end: number;
  lines: number;
  sound: boolean;
}

/**
 * Yields the records of `text` from `start` on (`line` is the line number there), blank lines left out. `columns` is how
 * many cells a record must have; empty cells behind them are dropped.
 */
export function* csvRecords(
  text: string,
  delimiter: string,
  columns: number,
  start = 0,
  line = 1,
): Generator<CsvRecord> {
  let at = start;
  let number = line;
  while (at < text.length) {
    const lineEnd = endOfLine(text, at);
    if (isBlank(text, at, lineEnd, delimiter)) {
      at = afterBreak(text, lineEnd);
      number++;
      continue;
    }
    const reading = readRecord(text, at, delimiter);
    const cells = withoutEmptyTail(reading.cells, columns);
    if (reading.sound && cells.length === columns) {
      yield { line: number, cells };
      at = reading.end;
      number += reading.lines;
      continue;
    }
    const raw = text.slice(at, lineEnd);
    const oneLine = reading.sound && reading.lines === 1;
    yield {
      line: number,
      broken: oneLine ? 'columns' : 'quote',
      cells: oneLine ? cells : naiveSplit(raw, delimiter),
      raw,
    };
    at = afterBreak(text, lineEnd);
    number++;
  }
}

/** The cells of the one line that starts at `start`, quotes respected, and where the next line starts. */
export function firstRecord(
  text: string,
  start: number,
  delimiter: string,
): { cells: string[]; end: number; lines: number } {
  const reading = readRecord(text, start, delimiter);
  if (reading.sound) return reading;
  const lineEnd = endOfLine(text, start);
  return { cells: naiveSplit(text.slice(start, lineEnd), delimiter), end: afterBreak(text, lineEnd), lines: 1 };
}

function readRecord(text: string, start: number, delimiter: string): Reading {
  const cells: string[] = [];
  let at = start;
  let lines = 1;
  const limit = Math.min(text.length, start + MAX_RECORD);
  for (;;) {
    if (text[at] === '"') {
      let value = '';
      let from = at + 1;
      for (;;) {
        const quote = text.indexOf('"', from);
        if (quote < 0 || quote > limit) return { cells, end: at, lines, sound: false };
        value += text.slice(from, quote);
        if (text[quote + 1] !== '"') {
          at = quote + 1;
          break;
        }
        value += '"';
        from = quote + 2;
      }
      lines += lineBreaks(value);
      if (lines > MAX_RECORD_LINES) return { cells, end: at, lines, sound: false };
      while (text[at] === ' ' && delimiter !== ' ') at++;
      cells.push(value);
    } else {
      const from = at;
      while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at++;
      cells.push(text.slice(from, at));
    }
    const next = text[at];
    if (next === delimiter) {
      at++;
      // A space before an opening quote (`a, "b"`) is not part of the cell.
      if (text[at] === ' ' && text[at + 1] === '"') at++;
      continue;
    }
    if (next === undefined || next === '\n' || next === '\r') {
      return { cells, end: afterBreak(text, at), lines, sound: true };
    }
    return { cells, end: at, lines, sound: false };
  }
}

/** For naming a broken line only: what its cells would be without regard to quotes. */
const naiveSplit = (raw: string, delimiter: string): string[] =>
  raw
    .slice(0, MAX_RECORD)
    .split(delimiter)
    .map((cell) => cell.replace(/^"|"$/g, ''));

export function withoutEmptyTail(cells: string[], columns: number): string[] {
  let length = cells.length;
  while (length > columns && cells[length - 1]!.trim() === '') length--;
  return length === cells.length ? cells : cells.slice(0, length);
}

export function endOfLine(text: string, at: number): number {
  let end = at;
  while (end < text.length && text[end] !== '\n' && text[end] !== '\r') end++;
  return end;
}

export const afterBreak = (text: string, at: number): number =>
  at >= text.length ? text.length : text[at] === '\r' && text[at + 1] === '\n' ? at + 2 : at + 1;

const lineBreaks = (text: string): number => text.match(/\r\n|\r|\n/g)?.length ?? 0;

function isBlank(text: string, from: number, to: number, delimiter: string): boolean {
  for (let i = from; i < to; i++) {
    const char = text[i]!;
    if (char !== delimiter && char.trim() !== '') return false;
  }
  return true;
}
