/** One line of a benchmark's report. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Median and quartiles of a series, by linear interpolation between neighbours. */
export interface Spread {
  low: number;
  median: number;
  high: number;
}

export function spread(values: readonly number[]): Spread {
  return { low: quantile(values, 0.25), median: quantile(values, 0.5), high: quantile(values, 0.75) };
}

/** The value below which the share `p` of `values` lies; NaN of none. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * p;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export const show = ({ low, median, high }: Spread, digits = 2): string =>
  `${median.toFixed(digits)} (quartiles ${low.toFixed(digits)} to ${high.toFixed(digits)})`;

/** Rows under a heading, columns as wide as their widest cell; numbers to the right. */
export function table(heading: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const cells = [heading, ...rows.map((row) => row.map(String))];
  const width = heading.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  for (const [index, row] of cells.entries()) {
    const isNumber = (text: string): boolean => /^[\d,.]+$/.test(text);
    const line = row.map((cell, i) =>
      index > 0 && isNumber(cell) ? cell.padStart(width[i]!) : cell.padEnd(width[i]!),
    );
    print(`  ${line.join('  ')}`.trimEnd());
  }
}

/** Says whether a bound of the benchmark holds: `ok` or `missed`. */
export function bound(what: string, holds: boolean): boolean {
  print(`${holds ? 'ok    ' : 'missed'}  ${what}`);
  return holds;
}

/** An A/A control whose median leaves 0.95 to 1.05 says that this machine can tell nothing just now. */
export const controlHolds = ({ median }: Spread): boolean => median >= 0.95 && median <= 1.05;
