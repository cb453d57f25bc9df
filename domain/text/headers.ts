/** Letters that are none with an accent on it. */
const WHOLE_LETTERS: Readonly<Record<string, string>> = { ß: 'ss', ø: 'o', ł: 'l', æ: 'ae', œ: 'oe' };

/** Headers are compared by their letters and digits alone; camel case counts as words. */
export function normalHeader(header: string): string {
  return header
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[ßøłæœ]/g, (letter) => WHOLE_LETTERS[letter]!)
    .replace(/n[°º]/g, 'n ')
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
}
