import { accountOf, amountOf, cleanText, joinTexts, realId, RecordFault, referenceOf } from '../fields.ts';

/** What the text of a transaction (`:86:`) says, in whatever dialect. */
export interface Information {
  /** The German code of the kind of booking (GVC). */
  code: string | null;
  bookingText: string | null;
  name: string | null;
  ultimateName: string | null;
  account: string | null;
  structuredReferences: string[];
  remittance: string | null;
  endToEndId: string | null;
  mandateId: string | null;
  /** As the bank codes it: it proves a return. */
  returnReason: string | null;
  original: string | null;
  charges: string | null;
}

const NOTHING: Information = {
  code: null,
  bookingText: null,
  name: null,
  ultimateName: null,
  account: null,
  structuredReferences: [],
  remittance: null,
  endToEndId: null,
  mandateId: null,
  returnReason: null,
  original: null,
  charges: null,
};

/** A code of three digits, then subfields behind `?` or what some banks write for it. */
const SUBFIELDS = /^(\d{3})\s*([?>~^])(?=\d\d)/;

/** The text by its dialect: German subfields, words between slashes, or plain. */
export function readInformation(lines: readonly string[]): Information {
  // Lines are cut anywhere, within a word too; a blank at the end of one is part of the text.
  const text = lines.join('');
  const subfields = SUBFIELDS.exec(text);
  if (subfields) return inSubfields(text.slice(subfields[0].length - 1), subfields[1]!, subfields[2]!);
  const words = slashWords(text);
  if (words !== null) return inWords(words);
  return { ...NOTHING, remittance: joinTexts(lines) };
}

/** A full subfield goes on in the next one within a word; one that ends early ended with a word. */
const FULL = 27;

function inSubfields(text: string, code: string, separator: string): Information {
  const subfields = text
    .split(new RegExp(`\\${separator}(?=\\d\\d)`))
    .slice(1)
    .map((part) => ({ number: Number(part.slice(0, 2)), text: part.slice(2) }));
  const all = (from: number, to: number) => subfields.filter(({ number }) => number >= from && number <= to);
  const told = [...all(20, 29), ...all(60, 63)].reduce(
    (joined, { text: part }) => joined + part + (part.length < FULL ? ' ' : ''),
    '',
  );
  const keywords = keywordsIn(told);
  // What the bank puts in its own field goes before what may be the payer's words.
  const account = all(31, 31)[0]?.text ?? keywords.get('IBAN');
  const remittance = cleanText(keywords.get('SVWZ') ?? keywords.get(''));
  return {
    ...NOTHING,
    code,
    bookingText: joinTexts(all(0, 0).map((part) => part.text)),
    name: cleanText(
      all(32, 33)
        .map((part) => part.text)
        .join(''),
    ),
    ultimateName: cleanText(keywords.get('ABWA') ?? keywords.get('ABWE')),
    account: accountOf(account),
    remittance,
    endToEndId: realId(keywords.get('EREF')),
    mandateId: realId(keywords.get('MREF')),
    original: keywords.get('OAMT') ?? null,
    charges: keywords.get('COAM') ?? null,
  };
}

const KEYWORD = /(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC|PURP)\+/g;

/** Texts by the keyword before them, `''` before the first; the first of a kind counts. */
function keywordsIn(text: string): Map<string, string> {
  const parts = text.split(KEYWORD);
  const found = new Map([['', parts[0]!]]);
  for (let i = 1; i + 1 < parts.length; i += 2) {
    const [keyword, value] = [parts[i]!, parts[i + 1]!];
    if (!found.has(keyword)) found.set(keyword, value.trim());
  }
  return found;
}

const WORDS =
  'EREF PREF MARF CSID TRTP RTYP IBAN BIC NAME REMI BENM ORDP ULTC ULTD ULTB CNTP PURP RTRN ISDT OCMT CHGS TRCD CREF ' +
  'KREF MREF SVWZ ADDR';
const WORD = new RegExp(`/(${WORDS.split(' ').join('|')})/`, 'g');

/** Texts by the word between slashes before them; null where the text does not begin with one. */
function slashWords(text: string): Map<string, string> | null {
  const parts = text.split(WORD);
  if (parts[0]!.trim() !== '' || parts.length < 3) return null;
  const found = new Map<string, string>();
  let party = '';
  for (let i = 1; i + 1 < parts.length; i += 2) {
    const [word, value] = [parts[i]!, parts[i + 1]!.replace(/^\/+|\/+$/g, '').trim()];
    // The name of the ultimate party stands behind its own word: `/ULTD//NAME/…`.
    if (word === 'ULTD' || word === 'ULTC' || word === 'ULTB') party = 'ULT';
    else if (word === 'BENM' || word === 'ORDP' || word === 'REMI') party = '';
    const key = word === 'NAME' ? party + word : word;
    if (value !== '' && !found.has(key)) found.set(key, value);
  }
  return found;
}

function inWords(words: ReadonlyMap<string, string>): Information {
  // `/CNTP/account/BIC/name/city/`.
  const [account, , name] = words.get('CNTP')?.split('/') ?? [];
  const remi = words.get('REMI') ?? words.get('SVWZ') ?? '';
  // `/REMI/USTD//text/` or `/REMI/STRD/CUR/reference/`.
  const structured = /^STRD\/[A-Z]*\/(.+)$/.exec(remi)?.[1];
  const reference = referenceOf(structured);
  const remittance = structured === undefined ? cleanText(remi.replace(/^USTD\/+/, '')) : null;
  return {
    ...NOTHING,
    bookingText: joinTexts([words.get('TRTP'), words.get('RTYP')]),
    name: cleanText(words.get('NAME') ?? name),
    ultimateName: cleanText(words.get('ULTNAME')),
    account: accountOf(words.get('IBAN') ?? account),
    structuredReferences: reference === null ? [] : [reference],
    remittance,
    endToEndId: realId(words.get('EREF')),
    mandateId: realId(words.get('MARF') ?? words.get('MREF')),
    returnReason: realId(words.get('RTRN')?.split('/')[0]),
    original: words.get('OCMT') ?? null,
    charges: words.get('CHGS') ?? null,
  };
}

/** An amount such as `50,00` or `EUR50,00`, `+50,00EUR`; null for none, another currency, and what cannot be read. */
export function toldAmount(text: string | null, currency: string): bigint | null {
  const parts = /^[+]?([A-Z]{3})?\s*(\d+[.,]\d*)\s*([A-Z]{3})?/.exec(text?.trim() ?? '');
  if (!parts || (parts[1] ?? parts[3] ?? currency) !== currency) return null;
  try {
    const minor = amountOf(parts[2]!, currency);
    return minor === 0n ? null : minor;
  } catch (error) {
    if (error instanceof RecordFault) return null;
    throw error;
  }
}
