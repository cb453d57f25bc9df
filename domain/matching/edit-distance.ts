/**
 * Typing errors between two tokens: insertions, deletions, replacements and swaps of neighbours (optimal string
 * alignment), up to `most`; `most + 1` where there are more. Costs about `most` times the length.
 */
export function editDistance(a: string, b: string, most: number): number {
  if (a === b) return 0;
  const beyond = most + 1;
  if (Math.abs(a.length - b.length) > most) return beyond;
  let before: number[] = [];
  let last: number[] = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row: number[] = Array.from({ length: b.length + 1 }, () => beyond);
    if (i <= most) row[0] = i;
    let least = row[0]!;
    const to = Math.min(b.length, i + most);
    for (let j = Math.max(1, i - most); j <= to; j += 1) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1);
      let cost = Math.min(last[j - 1]! + (same ? 0 : 1), last[j]! + 1, row[j - 1]! + 1);
      const swapped =
        i > 1 && j > 1 && a.charCodeAt(i - 1) === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === b.charCodeAt(j - 1);
      if (swapped) cost = Math.min(cost, before[j - 2]! + 1);
      row[j] = Math.min(cost, beyond);
      least = Math.min(least, row[j]!);
    }
    if (least > most) return beyond;
    before = last;
    last = row;
  }
  return last[b.length]!;
}
