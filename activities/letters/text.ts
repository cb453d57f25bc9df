import { DomainError } from '../../domain/errors.ts';
import { oneLine } from '../mail/format.ts';
import { face, widthOf, type Weight } from './fonts.ts';

/** Characters without a shape of their own: direction marks, joiners, variation selectors, soft hyphens, byte order marks. */
const INVISIBLE = /[\p{Cf}\p{Variation_Selector}]/gu;
/** What the font holds and draws right without shaping. */
const PRINTED = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Common}\p{Script=Inherited}]$/u;
/** Enough to see what kind of writing it is. */
const CODE_POINTS_NAMED = 5;

/**
 * One line of text as it can be printed: composed (NFC), without invisible characters. Latin, Greek and Cyrillic writing
 * print, with their accents; so do narrow and no-break spaces and the signs of currencies.
 *
 * @throws DomainError `unprintable` for anything else (Arabic, Hebrew, Chinese, emoji…): such a letter must be written
 * elsewhere or the name transcribed. The error names code points, in numeric order, never the text.
 */
export function printable(text: string): string {
  const line = composed(text);
  const foreign = new Set(Array.from(line).filter((character) => !isPrinted(character)));
  if (foreign.size > 0)
    throw unprintable([...foreign].map((character) => character.codePointAt(0)!).sort((a, b) => a - b));
  return line;
}

/**
 * The same for records, which must always print: what cannot be printed stands as its code points, `[U+0645 U+0646]`, so
 * nothing is lost.
 */
export function recorded(text: string): string {
  return Array.from(composed(text), (character) =>
    isPrinted(character) ? character : `[${nameOf(character.codePointAt(0)!)}]`,
  )
    .join('')
    .replaceAll('][U+', ' U+');
}

const composed = (text: string): string => oneLine(text).normalize('NFC').replace(INVISIBLE, '');

const isPrinted = (character: string): boolean =>
  PRINTED.test(character) && face('regular').advance(character.codePointAt(0)!) !== null;

const nameOf = (codePoint: number): string => `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;

function unprintable(codePoints: number[]): DomainError {
  const named = codePoints.slice(0, CODE_POINTS_NAMED).map(nameOf).join(', ');
  const more = codePoints.length > CODE_POINTS_NAMED ? ` and ${codePoints.length - CODE_POINTS_NAMED} more` : '';
  return new DomainError('unprintable', `The letter holds characters that cannot be printed: ${named}${more}.`);
}

/**
 * Lines of at most `width` millimetres, broken at plain spaces: no-break spaces hold. A word that is longer than a line is
 * cut where it must be. At least one line.
 */
export function wrapped(text: string, size: number, weight: Weight, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((one) => pieces(one, size, weight, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && widthOf(longer, size, weight) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

/** A word in as many pieces as it needs to fit; nearly always one. */
function pieces(word: string, size: number, weight: Weight, width: number): string[] {
  if (widthOf(word, size, weight) <= width) return [word];
  const cut: string[] = [];
  let piece = '';
  for (const character of word) {
    if (piece !== '' && widthOf(piece + character, size, weight) > width) {
      cut.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...cut, piece];
}
