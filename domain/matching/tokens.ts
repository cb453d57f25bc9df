/**
 * How an invoice's number is recognised in what a payer wrote. Numbers and texts are reduced to the letters A to Z and
 * digits; a number is found where it begins and ends with a run of them, however the payer parted it.
 */

/** Adjacent runs that may together be one number: `INV / 2026 - 00 42` has four. */
const MOST_RUNS = 6;
const SHORTEST = 3;
/** A bank's remittance text has at most a few hundred characters; more is not looked at. */
const LONGEST_TEXT = 4_000;

/** Upper case, accents folded, nothing but A-Z and 0-9: the form in which numbers and references are compared. */
export function normaliseToken(text: string): string {
  return runsOf(text).join('');
}

/** A possible number in a text, with the first and the last run of letters and digits it covers. */
export interface Quotation {
  token: string;
  from: number;
  to: number;
}

/**
 * Every run of letters and digits, and every join of up to six adjacent ones, of three characters or more: `INV 2026-0042`
 * holds `INV`, `INV2026`, `INV20260042`, `2026`, `20260042` and `0042`, while `F-123` does not hold `F12`.
 */
export function quotations(text: string): Quotation[] {
  const runs = runsOf(text.slice(0, LONGEST_TEXT));
  const found: Quotation[] = [];
  for (let from = 0; from < runs.length; from += 1) {
    let token = '';
    for (let to = from; to < Math.min(runs.length, from + MOST_RUNS); to += 1) {
      token += runs[to];
      if (token.length >= SHORTEST) found.push({ token, from, to });
    }
  }
  return found;
}

/** The tokens of `quotations`, each once. */
export function quotedTokens(text: string): string[] {
  return [...new Set(quotations(text).map(({ token }) => token))];
}

function runsOf(text: string): string[] {
  return (
    text
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toUpperCase()
      .match(/[A-Z0-9]+/g) ?? []
  );
}
