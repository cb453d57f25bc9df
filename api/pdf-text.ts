import { extractText, getDocumentProxy } from 'unpdf';
import { Problem } from './problem.ts';

/** A remittance slip has a page or two. */
const MOST_PAGES = 50;

/** The text of a PDF, line by line as it is set. Throws `pdfInvalid`. */
export async function textOfPdf(bytes: Buffer): Promise<string> {
  try {
    const document = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0, isEvalSupported: false });
    try {
      if (document.numPages > MOST_PAGES) throw new Problem('pdfInvalid', `It has more than ${MOST_PAGES} pages.`);
      const { text } = await extractText(document, { mergePages: false });
      return text.join('\n');
    } finally {
      await document.destroy();
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('pdfInvalid', 'The file is not a PDF that can be read.');
  }
}
