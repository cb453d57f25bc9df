import { cleanText, amountOf, RecordFault } from '../fields.ts';
import { unwrapped } from './fields.ts';
import { plainText } from './plain.ts';
import { inSubfields, subfieldsOf } from './subfields.ts';
import { inWords, slashWords } from './words.ts';

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
  /** What the bank adds to the code of a return: its reason, in a code of its own. */
  returnKey: string | null;
  original: string | null;
  charges: string | null;
}

export const NOTHING: Information = {
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
  returnKey: null,
  original: null,
  charges: null,
};

/** A text has six lines of 65 characters, or some more. */
const LONGEST = 10_000;

/**
 * The text by its dialect: subfields, words between slashes, or plain.
 * @param credit money came: the other side is the one who ordered it
 */
export function readInformation(lines: readonly string[], credit: boolean): Information {
  const text = unwrapped(lines).slice(0, LONGEST);
  const subfields = subfieldsOf(text);
  if (subfields !== null) return { ...NOTHING, ...inSubfields(subfields) };
  const words = slashWords(text);
  if (words !== null) return { ...NOTHING, ...inWords(words, credit) };
  return { ...NOTHING, ...plainText(lines) };
}

/** An amount such as `50,00` or `EUR50,00`, `+50,00EUR`; null for none, another currency, and what cannot be read. */
export function toldAmount(text: string | null, currency: string): bigint | null {
  const parts = /^[+]?([A-Z]{3})?\s*(\d+[.,]\d*)\s*([A-Z]{3})?/.exec(cleanText(text) ?? '');
  if (!parts || (parts[1] ?? parts[3] ?? currency) !== currency) return null;
  try {
    const minor = amountOf(parts[2]!, currency);
    return minor === 0n ? null : minor;
  } catch (error) {
    if (error instanceof RecordFault) return null;
    throw error;
  }
}
