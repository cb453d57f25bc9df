/** A stream of the terminal, or whatever stands for it. */
export type Terminal = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

/** What a verb says: results on `out`, progress and trouble on `err`. */
export class Output {
  readonly out: Terminal;
  readonly err: Terminal;

  constructor(out: Terminal, err: Terminal) {
    this.out = out;
    this.err = err;
  }

  line(text = ''): void {
    this.out.write(`${harmless(text)}\n`);
  }

  note(text: string): void {
    this.err.write(`${harmless(text)}\n`);
  }

  /** Columns as wide as their widest cell; the last is cut where a terminal ends. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const all = [head, ...rows].map((row) => row.map((cell) => oneLine(cell)));
    const widths = head.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
    for (const row of all) {
      const text = row
        .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at]!)))
        .join('  ')
        .trimEnd();
      this.line(this.out.isTTY && this.out.columns !== undefined ? clip(text, this.out.columns) : text);
    }
  }

  /** Labels and values below each other; what is null is left out. */
  facts(pairs: readonly (readonly [label: string, value: string | null])[]): void {
    const told = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== null);
    const width = Math.max(...told.map(([label]) => label.length));
    for (const [label, value] of told) this.line(`${label.padEnd(width)}  ${oneLine(value)}`);
  }
}

/** Names and messages come from files and strangers: nothing in them may steer the terminal. */
const harmless = (text: string): string => text.replace(/(?!\n)[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, ' ');
const oneLine = (text: string): string => text.replace(/\s+/g, ' ');
const clip = (text: string, width: number): string =>
  width > 20 && text.length > width ? `${text.slice(0, width - 1)}…` : text;
