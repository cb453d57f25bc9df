import fontkit from '@pdf-lib/fontkit';
import { createHash } from 'node:crypto';
import { PDFDocument, rgb, type PDFFont, type PDFPage } from 'pdf-lib';
import { face, type Weight } from './fonts.ts';
import { PAGE, points, type Layout, type Mark } from './page.ts';

const PRODUCER = 'Relance';
const BLACK = rgb(0, 0, 0);
const GREY = rgb(0.42, 0.42, 0.42);
const LIGHT = rgb(0.72, 0.72, 0.72);

/**
 * Draws a layout. Equal layouts give equal bytes: the only time in the file is the layout's date, and the tag of each font
 * subset follows from the characters in it.
 */
export async function draw(layout: Layout): Promise<Uint8Array> {
  const document = await newDocument(layout.title, layout.date);
  document.setLanguage(layout.language);
  document.registerFontkit(fontkit);
  const marks = layout.pages.flat();
  const fonts = new Map<Weight, PDFFont>();
  for (const weight of ['regular', 'bold'] as const) {
    const texts = marks.flatMap((mark) => (mark.kind === 'text' && mark.weight === weight ? [mark.text] : []));
    if (texts.length > 0) fonts.set(weight, await embed(document, weight, texts));
  }
  for (const page of layout.pages) {
    const drawn = document.addPage([points(PAGE.width), points(PAGE.height)]);
    for (const mark of page) put(drawn, mark, fonts);
  }
  return document.save({ addDefaultPage: false });
}

/** An empty document that says who made it and bears the given day instead of the hour of its making. */
export async function newDocument(title: string, date: string): Promise<PDFDocument> {
  const document = await PDFDocument.create({ updateMetadata: false });
  const day = new Date(`${date}T00:00:00Z`);
  document.setTitle(title, { showInWindowTitleBar: true });
  document.setProducer(PRODUCER);
  document.setCreator(PRODUCER);
  document.setCreationDate(day);
  document.setModificationDate(day);
  return document;
}

function embed(document: PDFDocument, weight: Weight, texts: string[]): Promise<PDFFont> {
  const { bytes, postscriptName } = face(weight);
  return document.embedFont(bytes, { subset: true, customName: `${tagOf(texts)}+${postscriptName}` });
}

/** Six letters for a set of characters (ISO 32000-1, 9.6.4: different subsets in a file have different tags). */
function tagOf(texts: string[]): string {
  const characters = [...new Set(texts.flatMap((text) => Array.from(text)))].sort().join('');
  const digest = createHash('sha256').update(characters).digest();
  return String.fromCharCode(...digest.subarray(0, 6).map((byte) => 65 + (byte % 26)));
}

function put(page: PDFPage, mark: Mark, fonts: ReadonlyMap<Weight, PDFFont>): void {
  if (mark.kind === 'text') {
    const font = fonts.get(mark.weight)!;
    page.drawText(mark.text, {
      x: points(mark.x),
      y: points(PAGE.height - mark.y),
      size: mark.size,
      font,
      color: mark.grey ? GREY : BLACK,
    });
  } else {
    page.drawLine({
      start: { x: points(mark.x1), y: points(PAGE.height - mark.y1) },
      end: { x: points(mark.x2), y: points(PAGE.height - mark.y2) },
      thickness: mark.width,
      color: mark.grey ? LIGHT : BLACK,
    });
  }
}
