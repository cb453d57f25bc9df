/** A row that did not go in, as the API tells it. */
export interface RejectedRow {
  line: number;
  number: string | null;
  code: string | null;
  pointer: string | null;
  message: string | null;
}

/** Rejected rows of several files as one table that spreadsheet programs read (RFC 4180, with a byte order mark). */
export function rejectedCsv(files: readonly { name: string; rows: readonly RejectedRow[] }[]): string {
  const head = ['file', 'line', 'number', 'code', 'pointer', 'message'];
  const rows = files.flatMap(({ name, rows: rejected }) =>
    rejected.map((row) => [name, String(row.line), row.number, row.code, row.pointer, row.message]),
  );
  return `\ufeff${[head, ...rows].map((cells) => `${cells.map(cell).join(',')}\r\n`).join('')}`;
}

/** What a spreadsheet would take for a formula is made text. */
function cell(value: string | null): string {
  const text = /^[=+\-@\t\r]/.test(value ?? '') ? `'${value}` : (value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
