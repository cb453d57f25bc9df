import { readCsv } from '../domain/imports/csv.ts';
import type { RowResult } from '../domain/imports/document.ts';
import { readDocument, sniffFormat, type ImportFormat } from '../domain/imports/imports.ts';
import { defaultCurrency } from './import-currency.ts';

/** A file as rows, whatever it is. */
export interface ImportSource {
  format: ImportFormat;
  rowCount: number;
  /** Can be iterated more than once. */
  rows: Iterable<RowResult>;
}

/**
 * Opens an uploaded file. Its bytes say what it is; the declared type only decides that something which was sent as a
 * document is not read as a table. Throws the `DomainError` of `readCsv` or `readDocument` when nothing of it can be read.
 */
export async function openSource(
  file: { contentType: string; columns: string | null; body: Uint8Array },
  country: string,
): Promise<ImportSource> {
  const format = sniffFormat(file.body);
  if (format !== 'csv' || /pdf|xml/i.test(file.contentType)) {
    return { format, rowCount: 1, rows: [await readDocument(file.body)] };
  }
  const currency = defaultCurrency(country);
  const table = readCsv(file.body, {
    columns: file.columns ?? '',
    ...(currency === null ? {} : { defaultCurrency: currency }),
  });
  return { format, rowCount: table.rowCount, rows: table.rows };
}
