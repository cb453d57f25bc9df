import type { Flow } from './flow.ts';
import { LEADING, mm } from './page.ts';
import { wrapped } from './text.ts';

export interface Column {
  title: string;
  /** Its share of the width, compared with the other columns. */
  share: number;
  align?: 'left' | 'right';
}

export interface Row {
  /** One text a column. */
  cells: readonly string[];
  /** Smaller, below the row, over its whole width. */
  note?: string | null;
}

export interface Table {
  columns: readonly Column[];
  rows: readonly Row[];
  /** Printed at the end, in bold: a label and the texts of the last columns. */
  totals?: readonly { label: string; values: readonly string[] }[];
  /** Where a table goes over to the next page: the labels there and here, and what has come together in `count` rows. */
  carried?: { out: string; in: string; values: (count: number) => readonly string[] };
}

const SIZE = 8.5;
const NOTE_SIZE = 7.5;
const PADDING = 1;
const LINE = mm(SIZE * LEADING.table);
const NOTE_LINE = mm(NOTE_SIZE * LEADING.table);
const SUM_HEIGHT = LINE + 2 * PADDING;

interface LaidRow {
  /** Lines of each cell. */
  cells: string[][];
  note: string[];
  height: number;
  /** How many rows have been said when this one has been. */
  count: number;
}

/** A table with its head on every page; sums are carried over from page to page. A row that fits no page is cut. */
export function putTable(flow: Flow, table: Table): void {
  const columns = placed(flow, table.columns);
  const head = headOf(flow, table.columns, columns);
  const totals = table.totals ?? [];
  const carriedHeight = table.carried ? SUM_HEIGHT : 0;
  const body = flow.frame.bottom - flow.frame.top - head.height - 2 * carriedHeight;
  const rows = table.rows.flatMap((row, i) => laid(flow, row, i + 1, columns, body));
  const sum = (line: { label: string; values: readonly string[] }): void => putSum(flow, columns, line);

  const first = rows[0]?.height ?? 0;
  flow.need(head.height + first + (rows.length > 1 ? carriedHeight : totals.length * SUM_HEIGHT));
  putHead(flow, columns, head);
  rows.forEach((row, i) => {
    const after = i === rows.length - 1 ? totals.length * SUM_HEIGHT : carriedHeight;
    if (flow.room < row.height + after && i > 0) {
      const { carried } = table;
      const values = carried?.values(rows[i - 1]!.count) ?? [];
      if (carried) sum({ label: carried.out, values });
      flow.breakPage();
      putHead(flow, columns, head);
      if (carried) sum({ label: carried.in, values });
    }
    putRow(flow, columns, row);
  });
  flow.need(totals.length * SUM_HEIGHT);
  if (totals.length > 0) flow.rule(flow.y, false);
  for (const line of totals) sum(line);
  flow.gap(3.4);
}

interface Place {
  left: number;
  right: number;
  align: 'left' | 'right';
}

/** The columns side by side over the width of the text. */
function placed(flow: Flow, columns: readonly Column[]): Place[] {
  const shares = columns.reduce((sum, column) => sum + column.share, 0);
  let at = flow.frame.left;
  return columns.map(({ share, align = 'left' }) => {
    const left = at;
    at += (flow.width * share) / shares;
    return { left, right: at, align };
  });
}

const inner = ({ left, right }: Place): number => right - left - 2 * PADDING;

function headOf(flow: Flow, columns: readonly Column[], places: Place[]): { cells: string[][]; height: number } {
  const cells = columns.map(({ title }, i) => wrapped(flow.clean(title), SIZE, 'bold', inner(places[i]!)));
  return { cells, height: Math.max(...cells.map((lines) => lines.length)) * LINE + 2 * PADDING };
}

function putHead(flow: Flow, places: Place[], head: { cells: string[][]; height: number }): void {
  const lowest = Math.max(...head.cells.map((lines) => lines.length));
  // Titles of one line stand beside the last line of longer ones.
  const cells = head.cells.map((lines) => [...Array<string>(lowest - lines.length).fill(''), ...lines]);
  putCells(flow, places, cells, flow.y + PADDING, 'bold');
  flow.y += head.height;
  flow.rule(flow.y, false);
}

/** A row, or its pieces where it is higher than a page. */
function laid(flow: Flow, row: Row, count: number, places: Place[], body: number): LaidRow[] {
  const cells = places.map((place, i) => wrapped(flow.clean(row.cells[i] ?? ''), SIZE, 'regular', inner(place)));
  const note = row.note ? wrapped(flow.clean(row.note), NOTE_SIZE, 'regular', flow.width - 2 * PADDING) : [];
  const noteHeight = note.length * NOTE_LINE;
  const most = Math.max(1, Math.floor((body - 2 * PADDING - noteHeight) / LINE));
  const lines = Math.max(...cells.map((one) => one.length));
  const made: LaidRow[] = [];
  for (let from = 0; from < lines; from += most) {
    const part = cells.map((one) => one.slice(from, from + most));
    const last = from + most >= lines;
    const own = Math.max(...part.map((one) => one.length)) * LINE;
    made.push({
      cells: part,
      note: last ? note : [],
      height: own + (last ? noteHeight : 0) + 2 * PADDING,
      count: last ? count : count - 1,
    });
  }
  return made;
}

function putRow(flow: Flow, places: Place[], row: LaidRow): void {
  putCells(flow, places, row.cells, flow.y + PADDING, 'regular');
  const below = flow.y + row.height - PADDING - row.note.length * NOTE_LINE;
  for (const [i, line] of row.note.entries()) {
    flow.put(line, flow.frame.left + PADDING, below + i * NOTE_LINE, { size: NOTE_SIZE, grey: true });
  }
  flow.y += row.height;
  flow.rule(flow.y);
}

function putSum(flow: Flow, places: Place[], { label, values }: { label: string; values: readonly string[] }): void {
  const cells = places.map((_, i) => [values[i - (places.length - values.length)] ?? '']);
  putCells(
    flow,
    places,
    cells.map(([text = '']) => [flow.clean(text)]),
    flow.y + PADDING,
    'bold',
  );
  flow.put(flow.clean(label), flow.frame.left + PADDING, flow.y + PADDING, { size: SIZE, weight: 'bold' });
  flow.y += SUM_HEIGHT;
}

function putCells(flow: Flow, places: Place[], cells: string[][], y: number, weight: 'regular' | 'bold'): void {
  for (const [i, lines] of cells.entries()) {
    const { left, right, align } = places[i]!;
    for (const [n, line] of lines.entries()) {
      flow.put(line, align === 'right' ? right - PADDING : left + PADDING, y + n * LINE, { size: SIZE, weight, align });
    }
  }
}
