import fontkit from '@pdf-lib/fontkit';
import { existsSync, readFileSync } from 'node:fs';

/** The two weights of the one family that everything is printed in: Noto Sans (see `templates/fonts/README.md`). */
export type Weight = 'regular' | 'bold';

const FILES: Readonly<Record<Weight, string>> = { regular: 'NotoSans-Regular', bold: 'NotoSans-Bold' };

/** From the sources, or from the compiled tree one folder deeper. */
const FOLDER = [
  new URL('../../templates/fonts/', import.meta.url),
  new URL('../../../templates/fonts/', import.meta.url),
].find((folder) => existsSync(folder));

interface Face {
  bytes: Uint8Array;
  postscriptName: string;
  unitsPerEm: number;
  /** Advance of a character in font units; null when the font has no such character. */
  advance: (codePoint: number) => number | null;
}

const loaded = new Map<Weight, Face>();

/** A weight as it lies beside the program, read once. */
export function face(weight: Weight): Face {
  const known = loaded.get(weight);
  if (known) return known;
  if (!FOLDER) throw new Error('The folder "templates/fonts" is missing beside the program.');
  const bytes = new Uint8Array(readFileSync(new URL(`${FILES[weight]}.ttf`, FOLDER)));
  const font = fontkit.create(bytes);
  const advances = new Map<number, number | null>();
  const made: Face = {
    bytes,
    postscriptName: FILES[weight],
    unitsPerEm: font.unitsPerEm,
    advance: (codePoint) => {
      let advance = advances.get(codePoint);
      if (advance === undefined) {
        advance = font.hasGlyphForCodePoint(codePoint) ? font.glyphForCodePoint(codePoint).advanceWidth : null;
        advances.set(codePoint, advance);
      }
      return advance;
    },
  };
  loaded.set(weight, made);
  return made;
}

const MM_PER_POINT = 25.4 / 72;

/** Width of a text in millimetres at a size in points, without kerning, as it is drawn. */
export function widthOf(text: string, size: number, weight: Weight): number {
  const { advance, unitsPerEm } = face(weight);
  let units = 0;
  for (const character of text) units += advance(character.codePointAt(0)!) ?? 0;
  return (units / unitsPerEm) * size * MM_PER_POINT;
}
