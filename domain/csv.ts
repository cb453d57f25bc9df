/**
 * A table as CSV (RFC 4180: commas, quotes doubled, CRLF). A cell that a spreadsheet would take for a formula gets an
 * apostrophe in front, since names and references in it come from strangers.
 */
export function csvOf(header: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  return [header, ...rows].map((row) => `${row.map(cellOf).join(',')}\r\n`).join('');
}

/** A plain number is none, even a negative one. */
const FORMULA = /^(?!-?\d+(\.\d+)?$)[=+\-@\t\r]/;

function cellOf(value: string | null): string {
  const text = value ?? '';
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
