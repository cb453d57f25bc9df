/** Device names of Windows, which no file may have whatever its extension. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)$/i;
const LONGEST = 60;

/**
 * A text of a customer's or creditor's as part of a file name that every system takes: letters and digits without
 * accents, `.`, `_` and `-`; no separator of folders, no dot at either end, at most 60 characters.
 */
export function safeName(text: string, otherwise: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, LONGEST)
    .replace(/\.{2,}/g, '.')
    .replace(/^[.-]+|[.-]+$/g, '');
  if (plain === '') return otherwise;
  return RESERVED.test(plain.split('.')[0]!) ? `_${plain}` : plain;
}

/** `message-007`: sorts as it counts, up to 999. */
export const numbered = (word: string, n: number): string => `${word}-${String(n).padStart(3, '0')}`;
