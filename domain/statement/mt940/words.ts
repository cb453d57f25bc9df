import { accountOf, cleanText, joinTexts, realId, referenceOf } from '../fields.ts';
import type { Information } from './information.ts';

const WORDS =
  'EREF PREF IREF MARF CSID TRTP RTYP IBAN BIC NAME REMI BENM ORDP ULTC ULTD ULTB CNTP PURP RTRN ISDT OCMT CHGS TRCD CREF ' +
  'KREF MREF SVWZ ADDR ROC URI';
const WORD = new RegExp(`/(${WORDS.split(' ').join('|')})/`, 'g');
/** Words behind which a party is described. */
const PARTIES: ReadonlySet<string> = new Set(['BENM', 'ORDP', 'ULTC', 'ULTD', 'ULTB']);

/** Words by which a text shows its dialect though something stands before the first. */
const PROOF = /\/(?:REMI|EREF|ORDP|BENM|NAME)\//g;

/**
 * Texts by the word between slashes before them, `''` before the first; null where the text does not begin with one, or hold
 * several. A name is kept by its party (`ORDP NAME`), whether it stands behind a word of its own (`/ORDP//NAME/…`) or not
 * (`/ORDP/…`), and so is an account before it.
 */
export function slashWords(text: string): Map<string, string> | null {
  const parts = text.split(WORD);
  if (parts.length < 3 || (parts[0]!.trim() !== '' && (text.match(PROOF)?.length ?? 0) < 2)) return null;
  const found = new Map([['', parts[0]!]]);
  const keep = (key: string, value: string): void => {
    if (value !== '' && !found.has(key)) found.set(key, value);
  };
  let party = '';
  for (let i = 1; i + 1 < parts.length; i += 2) {
    const [word, value] = [parts[i]!, parts[i + 1]!.replace(/^[/\s]+|[/\s]+$/g, '')];
    if (PARTIES.has(word)) {
      party = word;
      const { name, account } = partyIn(value);
      keep(`${word} NAME`, name);
      keep(`${word} ACCOUNT`, account);
      continue;
    }
    if (word === 'REMI') party = '';
    keep(word === 'NAME' && party !== '' ? `${party} NAME` : word, value);
  }
  return found;
}

/** Of `account/name/place`, or `ID/account`. */
function partyIn(value: string): { name: string; account: string } {
  const parts = value.replace(/^ID\//, '').split('/');
  const isNumber = (part: string): boolean => /^[A-Z]{2}\d{2}[A-Z0-9]{8,30}$|^\d+$/.test(part);
  return {
    name: parts.find((part) => part !== '' && !isNumber(part)) ?? '',
    account: parts.find((part) => isNumber(part) && part.length >= 8) ?? '',
  };
}

export function inWords(words: ReadonlyMap<string, string>, credit: boolean): Partial<Information> {
  // `/CNTP/account/BIC/name/city/`.
  const [account, , name] = words.get('CNTP')?.split('/') ?? [];
  const [likely, other] = credit ? ['ORDP', 'BENM'] : ['BENM', 'ORDP'];
  const [ultimate, otherUltimate] = credit ? ['ULTD NAME', 'ULTC NAME'] : ['ULTC NAME', 'ULTD NAME'];
  const remi = words.get('REMI') ?? words.get('SVWZ') ?? words.get('URI') ?? '';
  // `/REMI/USTD//text/`, `/ROC/id///URI/text`, or a reference: `/REMI/STRD/CUR/reference/`, `/REMI/ISSUER: CUR REF: reference/`.
  const structured = /^STRD\/[A-Z]*\/(.+)$/.exec(remi)?.[1] ?? /^ISSUER: [A-Z]+\s+REF: ([A-Z0-9 ]+)$/.exec(remi)?.[1];
  const reference = referenceOf(structured);
  return {
    bookingText: joinTexts([words.get(''), words.get('TRTP'), words.get('RTYP')]),
    name: cleanText(words.get(`${likely} NAME`) ?? words.get('NAME') ?? name ?? words.get(`${other} NAME`)),
    ultimateName: cleanText(words.get(ultimate) ?? words.get(otherUltimate) ?? words.get('ULTB NAME')),
    account: accountOf(words.get('IBAN') ?? account ?? words.get(`${likely} ACCOUNT`)),
    structuredReferences: reference === null ? [] : [reference],
    remittance: structured === undefined ? cleanText(remi.replace(/^USTD\/+/, '')) : null,
    endToEndId: realId(words.get('EREF')) ?? realId(words.get('ROC')),
    mandateId: realId(words.get('MARF') ?? words.get('MREF')),
    returnReason: realId(words.get('RTRN')?.split('/')[0]),
    original: words.get('OCMT') ?? null,
    charges: words.get('CHGS') ?? null,
  };
}
