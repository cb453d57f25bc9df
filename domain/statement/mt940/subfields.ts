import { accountOf, cleanText, joinTexts, realId } from '../fields.ts';
import type { Information } from './information.ts';

/** A text in subfields of two digits behind a separator: `166?00GUTSCHRIFT?20SVWZ+…`. */
export interface Subfields {
  code: string | null;
  separator: string;
  parts: { number: number; text: string }[];
}

/** A code of three digits, then subfields behind `?` or what some banks write for it. */
const SUBFIELDS = /^(\d{3})?\s*([?><~^])(?=\d\d)/;

/** Null where the text is of another dialect. */
export function subfieldsOf(text: string): Subfields | null {
  const start = SUBFIELDS.exec(text);
  if (start === null) return null;
  const [head, code = null, separator = ''] = start;
  const parts = text
    .slice(head.length - 1)
    .split(new RegExp(`\\${separator}(?=\\d\\d)`))
    .slice(1)
    .map((part) => ({ number: Number(part.slice(0, 2)), text: part.slice(2) }));
  return { code, separator, parts };
}

/** What a subfield may have: in Germany, then as some banks beyond it write them. */
const WIDTHS = [27, 35, 65];
/** A character or two too many are a slip, and no other width. */
const SLIP = 3;

/** A full subfield goes on in the next one within a word; one that ends early ended with a word. */
function joined(parts: Subfields['parts']): string {
  const longest = Math.max(...parts.map(({ text }) => text.trimEnd().length));
  const full = WIDTHS.find((width) => longest <= width + SLIP) ?? longest;
  return parts.reduce((all, { text }) => all + text + (text.length < full ? ' ' : ''), '');
}

/** A name may be parted before the sign that ends a word: `GmbH & Co`, `. KG`. */
function nameIn(parts: Subfields['parts']): string | null {
  const [first, second] = parts;
  const isOne = first !== undefined && second !== undefined && /^[.,;)]/.test(second.text);
  return cleanText(isOne ? parts.map(({ text }) => text).join('') : joined(parts));
}

export function inSubfields({ code, separator, parts }: Subfields): Partial<Information> {
  const all = (from: number, to: number) => parts.filter(({ number }) => number >= from && number <= to);
  const textsOf = (from: number, to: number) => all(from, to).map(({ text }) => text);
  const nameAt32 = nameIn(all(32, 33));
  // Polish banks name the other side in 27 to 29 where they have no 32.
  const isPolish = nameAt32 === null && separator !== '?' && separator !== '>' && all(27, 27).length > 0;
  const keywords = keywordsIn(joined([...all(20, isPolish ? 26 : 29), ...all(60, 63)]));
  return {
    code,
    bookingText: joinTexts(textsOf(0, 0)),
    name: isPolish ? nameIn(all(27, 29)) : nameAt32,
    ultimateName: cleanText(keywords.get('ABWA') ?? keywords.get('ABWE')),
    // What the bank puts in its own field goes before what may be the payer's words; 38 holds the whole IBAN.
    account: accountOf(realId(textsOf(38, 38)[0]) ?? textsOf(31, 31)[0] ?? keywords.get('IBAN')),
    remittance: cleanText(keywords.get('SVWZ') ?? keywords.get('')),
    endToEndId: realId(keywords.get('EREF')),
    mandateId: realId(keywords.get('MREF')),
    returnReason: /^[A-Z]{2}\d{2}$/.exec(keywords.get('RTRN') ?? '')?.[0] ?? null,
    returnKey: textsOf(34, 34).find((text) => /^9\d\d$/.test(text)) ?? null,
    original: keywords.get('OAMT') ?? null,
    charges: keywords.get('COAM') ?? null,
  };
}

const KEYWORD =
  /(?:(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC|PURP|BREF|RREF|RTRN)\+|(?:^| )(EREF|KREF|MREF|CRED|SVWZ|ABWA|ABWE): )/g;
/** Behind an id, and behind what is written with a colon, the bank goes on in its way. */
const MORE = / (?:IBAN|BIC): .*$/s;
const IDS: ReadonlySet<string> = new Set(['EREF', 'KREF', 'MREF', 'CRED']);

/**
 * Texts by the keyword before them, `''` before the first; the first of a kind counts, and one with a plus sign before one
 * with a colon: those are cut.
 */
function keywordsIn(text: string): Map<string, string> {
  const found = new Map<string, string>();
  const cut = new Map<string, string>();
  let keyword = '';
  let from = 0;
  let isColon = false;
  const keep = (to: number): void => {
    const value = text.slice(from, to);
    const told = isColon || IDS.has(keyword) ? value.replace(MORE, '') : value;
    const known = isColon && keyword !== 'SVWZ' ? cut : found;
    const before = known.get(keyword);
    if (before === undefined) known.set(keyword, keyword === '' ? told : told.trim());
    // A return tells its own purpose, then that of what it returns.
    else if (keyword === 'SVWZ' && !before.includes(told.trim())) known.set(keyword, `${before} ${told.trim()}`);
    const iban = / IBAN: ([A-Z]{2}\d{2}[A-Z0-9 ]{11,36}?)(?= BIC:|$)/.exec(value.trimEnd())?.[1];
    if (isColon && iban !== undefined && !cut.has('IBAN')) cut.set('IBAN', iban);
  };
  for (const match of text.matchAll(KEYWORD)) {
    keep(match.index);
    keyword = match[1] ?? match[2]!;
    isColon = match[2] !== undefined;
    from = match.index + match[0].length;
  }
  keep(text.length);
  return new Map([...cut, ...found]);
}
