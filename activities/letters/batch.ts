import { PDFDocument } from 'pdf-lib';
import { DomainError } from '../../domain/errors.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import { newDocument } from './draw.ts';

export interface PrintBatch {
  pdf: Uint8Array;
  /** The pages of each letter in the order given, counted from 1; blank pages belong to none. */
  pages: { from: number; to: number }[];
}

/**
 * Puts letters one behind the other into one PDF for a printer. With `duplex` a letter with an odd number of pages is
 * followed by a blank one, so that each begins on a sheet of its own. Equal letters give equal bytes.
 *
 * @param title for the title bar; it should name no one
 * @throws DomainError `batchEmpty`
 */
export async function renderBatch(
  letters: readonly Uint8Array[],
  { title, date, duplex = false }: { title: string; date: LocalDate; duplex?: boolean },
): Promise<PrintBatch> {
  if (letters.length === 0) throw new DomainError('batchEmpty', 'There is no letter to print.');
  const batch = await newDocument(title, date);
  const pages: PrintBatch['pages'] = [];
  for (const bytes of letters) {
    const letter = await PDFDocument.load(bytes, { updateMetadata: false });
    const from = batch.getPageCount() + 1;
    for (const page of await batch.copyPages(letter, letter.getPageIndices())) batch.addPage(page);
    const to = batch.getPageCount();
    pages.push({ from, to });
    if (duplex && to % 2 === 1) {
      const { width, height } = batch.getPage(to - 1).getSize();
      batch.addPage([width, height]);
    }
  }
  return { pdf: await batch.save({ addDefaultPage: false }), pages };
}
