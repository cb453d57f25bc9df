/** Longest token that is compared: a number is shorter, and what is longer has no typing errors, it is another text. */
const LONGEST = 64;

/** Three rows of the table, used again by every call: a payment is compared with thousands of numbers. */
let before = new Uint8Array(LONGEST + 1);
let last = new Uint8Array(LONGEST + 1);
let row = new Uint8Array(LONGEST + 1);

/**
 * Typing errors between two tokens: insertions, deletions, replacements and swaps of neighbours (optimal string
 * alignment), up to `most` (a small number); `most + 1` where there are more. Costs about `most` times the length.
 */
export function editDistance(a: string, b: string, most: number): number {
  if (a === b) return 0;
  const beyond = most + 1;
  if (most <= 0 || Math.abs(a.length - b.length) > most) return beyond;
  if (a.length > LONGEST || b.length > LONGEST) return beyond;
  last.fill(beyond);
  for (let j = 0; j <= Math.min(b.length, most); j += 1) last[j] = j;
  for (let i = 1; i <= a.length; i += 1) {
    row.fill(beyond);
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
    [before, last, row] = [last, row, before];
  }
  return last[b.length]!;
}
