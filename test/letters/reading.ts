import {
  decodePDFRawStream,
  PDFArray,
  PDFDict,
  PDFDocument,
  PDFName,
  type PDFObject,
  type PDFPage,
  type PDFRawStream,
} from 'pdf-lib';
import type { Layout, Mark } from '../../activities/letters/index.ts';

export type TextMark = Extract<Mark, { kind: 'text' }>;

export const textsOf = (page: readonly Mark[]): TextMark[] => page.filter((mark) => mark.kind === 'text');

/** All texts of a layout, page by page, in the order they were put down. */
export const wordsOf = (layout: Layout): string[][] =>
  layout.pages.map((page) => textsOf(page).map((mark) => mark.text));

export const load = (bytes: Uint8Array): Promise<PDFDocument> => PDFDocument.load(bytes, { updateMetadata: false });

/** What a reader copies out of a PDF of ours: the glyphs on each page, through the `ToUnicode` map of their font. */
export async function readPages(bytes: Uint8Array): Promise<string[]> {
  const document = await load(bytes);
  return document.getPages().map((page) => readPage(document, page));
}

function readPage(document: PDFDocument, page: PDFPage): string {
  const fonts = page.node.Resources()!.lookup(PDFName.of('Font'), PDFDict);
  const maps = new Map(fonts.keys().map((key) => [key.decodeText(), unicodeOf(fonts.lookup(key, PDFDict))] as const));
  let map = new Map<string, string>();
  const texts: string[] = [];
  for (const [, font, glyphs] of contentOf(document, page).matchAll(/\/(\S+) \S+ Tf|<([0-9A-F]+)> Tj/g)) {
    if (font !== undefined) map = maps.get(font)!;
    else texts.push((glyphs!.match(/.{4}/g) ?? []).map((glyph) => map.get(glyph)!).join(''));
  }
  return texts.join('\n');
}

function contentOf(document: PDFDocument, page: PDFPage): string {
  const contents = page.node.Contents();
  const parts: PDFObject[] = contents instanceof PDFArray ? contents.asArray() : contents ? [contents] : [];
  return parts.map((part) => decoded(document.context.lookup(part) as PDFRawStream)).join('\n');
}

/** Glyph, in four hexadecimal digits, to text. */
function unicodeOf(font: PDFDict): Map<string, string> {
  const cmap = decoded(font.lookup(PDFName.of('ToUnicode')) as PDFRawStream);
  return new Map(
    [...cmap.matchAll(/<([0-9A-F]{4})> <([0-9A-F]+)>/g)].map(([, glyph, code]) => [
      glyph!,
      Buffer.from(code!, 'hex').swap16().toString('utf16le'),
    ]),
  );
}

const decoded = (stream: PDFRawStream): string => Buffer.from(decodePDFRawStream(stream).decode()).toString('latin1');
