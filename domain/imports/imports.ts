import { DomainError } from '../errors.ts';
import type { RowResult } from './document.ts';
import { latin1 } from '../text/encoding.ts';
import { readEInvoice } from './einvoice.ts';
import { xmlFromPdf } from './pdf.ts';

export type ImportFormat = 'csv' | 'xml' | 'pdf';

/**
 * What a file is, by its first bytes (a PDF may have up to 1,024 bytes of something else in front); whatever is neither PDF
 * nor XML is taken for a table.
 */
export function sniffFormat(bytes: Uint8Array): ImportFormat {
  const head = latin1(bytes.subarray(0, 1_024));
  if (head.includes('%PDF-')) return 'pdf';
  const start = head
    .replace(/^(?:ï»¿|ÿþ|þÿ)/, '')
    .replaceAll('\0', '')
    .trimStart();
  return start.startsWith('<') ? 'xml' : 'csv';
}

/**
 * Reads a file that holds one document: CII or UBL XML, or a PDF with one inside. Faults of its content are in the result;
 * what cannot be read at all throws the `DomainError` of `readEInvoice` or `xmlFromPdf`.
 */
export async function readDocument(bytes: Uint8Array): Promise<RowResult> {
  switch (sniffFormat(bytes)) {
    case 'pdf':
      return readEInvoice(await xmlFromPdf(bytes));
    case 'xml':
      return readEInvoice(bytes);
    case 'csv':
      throw new DomainError('documentUnreadable', 'The file is neither a PDF nor an XML document.');
  }
}
