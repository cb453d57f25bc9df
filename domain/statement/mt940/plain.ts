import { accountOf, cleanText, joinTexts } from '../fields.ts';
import { frenchLabel } from '../french-label.ts';
import { isIban } from '../iban.ts';
import { unwrapped } from './fields.ts';
import type { Information } from './information.ts';

/** A text without codes. Where its first line is an account and whose it is, as in the Netherlands, that is told apart. */
export function plainText(lines: readonly string[]): Partial<Information> {
  const [first = '', ...others] = lines;
  const [number = '', ...name] = first.trim().split(/\s+/);
  if (others.length > 0 && isIban(number)) {
    return { account: accountOf(number), name: cleanText(name.join(' ')), remittance: textOf(others) };
  }
  const text = textOf(lines);
  return text === null ? {} : (labelled(text) ?? inFrench(text) ?? { remittance: text });
}

function inFrench(text: string): Partial<Information> | null {
  const label = frenchLabel(text);
  return label === null ? null : { name: label.name, remittance: label.remittance, bookingText: label.bankText };
}

/** As Polish banks write it: `944 PRZELEW; z rach.: account; od: name; tyt.: purpose; TNR: id`. */
function labelled(text: string): Partial<Information> | null {
  const [head = '', ...parts] = text.split(/; ?(?=(?:z rach\.|na rach\.|od|dla|tyt\.|TNR): )/);
  const told = new Map(parts.map((part) => [part.slice(0, part.indexOf(':')), part.slice(part.indexOf(':') + 1)]));
  if (!told.has('tyt.')) return null;
  const [, code = null, bookingText] = /^(\d{3})?(.*)$/.exec(head)!;
  return {
    code,
    bookingText: joinTexts([bookingText, told.get('TNR')]),
    name: cleanText(told.get('od') ?? told.get('dla')),
    account: accountOf(told.get('z rach.') ?? told.get('na rach.')),
    remittance: cleanText(told.get('tyt.')),
  };
}

/** What SWIFT lets a line have. */
const LINE = 65;

/** Lines end with words, unless several of them are as long as a line can be: then they were cut anywhere. */
function textOf(lines: readonly string[]): string | null {
  const cut = lines.slice(0, -1);
  const isCut = cut.length > 1 && cut.slice(1).every(({ length }) => length === LINE || length === LINE - 1);
  return isCut ? cleanText(unwrapped(lines)) : joinTexts(lines);
}
