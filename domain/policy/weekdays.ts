const NAMES = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/**
 * ISO weekdays (1 Monday to 7), ascending, of a list of days and ranges: `mon-fri`, `mon,wed,fri`, `mon-wed,fri`.
 * `null` when it is none, when a range runs backwards or a day comes twice.
 */
export function parseWeekdays(text: string): number[] | null {
  const days: number[] = [];
  for (const part of text.split(',')) {
    const [first = '', last = first, ...rest] = part.split('-');
    const from = NAMES.indexOf(first) + 1;
    const to = NAMES.indexOf(last) + 1;
    if (rest.length > 0 || from === 0 || to < from) return null;
    for (let day = from; day <= to; day += 1) days.push(day);
  }
  return new Set(days).size === days.length ? days.sort((a, b) => a - b) : null;
}

/** The shortest way to write the weekdays: runs of three and more as a range. Reads back as the same days. */
export function formatWeekdays(weekdays: readonly number[]): string {
  const runs: number[][] = [];
  for (const day of [...weekdays].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && run.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  return runs
    .map((run) => {
      const names = run.map((day) => NAMES[day - 1]);
      return run.length > 2 ? `${names[0]}-${names.at(-1)}` : names.join(',');
    })
    .join(',');
}
