import { cleanText, joinTexts, realId } from './fields.ts';

/** Words of French banks within the label of a transfer: `/DE name /MOTIF text /REF id`, `DE: name MOTIF: text REF: id`. */
const WORD =
  /(?:^|\s)(?:\/(DE|BEN|MOTIF|REF|REFDO|REFBEN)(?=\s|$)|(DE|POUR|MOTIF|REF|REMISE|DATE|CHEZ|ID|MANDAT|LIB)\s?:(?=\s|$))/g;

export interface FrenchLabel {
  name: string | null;
  /** What the payer wrote, references included. */
  remittance: string | null;
  /** What else stands there. */
  bankText: string | null;
}

/** What such a label says; null for one that does not name both the other side and a purpose. */
export function frenchLabel(text: string | null): FrenchLabel | null {
  if (text === null || !text.includes('MOTIF')) return null;
  const words = [...text.matchAll(WORD)];
  const told = new Map<string, string>();
  for (const [index, match] of words.entries()) {
    const word = match[1] ?? match[2]!;
    const value = text.slice(match.index + match[0].length, words[index + 1]?.index).trim();
    if (!told.has(word)) told.set(word, value);
  }
  const name = told.get('DE') ?? told.get('BEN') ?? told.get('POUR');
  if (name === undefined || !told.has('MOTIF')) return null;
  const of = (...names: string[]) => names.map((word) => realId(told.get(word)));
  return {
    name: cleanText(name),
    remittance: joinTexts([...new Set([told.get('MOTIF'), ...of('REF', 'REFDO', 'REFBEN')])]),
    bankText: joinTexts([text.slice(0, words[0]!.index), ...of('REMISE', 'DATE', 'CHEZ', 'ID', 'MANDAT', 'LIB')]),
  };
}
