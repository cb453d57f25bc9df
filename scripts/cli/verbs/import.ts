import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { sniffFormat, type ImportFormat } from '../../../domain/imports/imports.ts';
import { withQuery, type Api } from '../api.ts';
import { CliError, Refusal } from '../errors.ts';
import { fileProblem } from '../files.ts';
import { importProgress } from '../import-progress.ts';
import type { Output } from '../output.ts';
import { rejectedCsv, type RejectedRow } from '../rejected-csv.ts';
import { text, type Verb } from '../verb.ts';

/** An import as the API answers it. */
interface ImportView {
  id: string;
  status: 'running' | 'done';
  totalRows: number | null;
  doneRows: number;
  accepted: number;
  unchanged: number;
  rejected: number;
  rows: RejectedRow[];
  nextCursor: string | null;
}

const CONTENT_TYPES: Readonly<Record<ImportFormat, string>> = {
  csv: 'text/csv',
  xml: 'application/xml',
  pdf: 'application/pdf',
};

/** Rejected rows that are shown. */
const SHOWN = 10;
const POLL_MS = 250;

export const importFiles: Verb = {
  name: 'import',
  takes: 'FILE… [options]',
  summary: 'Takes in invoices and credit notes: CSV, Factur-X/ZUGFeRD PDF, UBL or CII XML',
  about:
    'The good rows go in and the others are told by line; the same file again adds nothing. Ends with 1 when a file could\n' +
    'not be read at all. The reading goes on when this is interrupted.',
  options: {
    columns: {
      value: 'MAP',
      help: 'of a CSV: number="Document Number",references="Billing Number"+"Assignment Number",…',
    },
    rejected: { value: 'FILE', help: 'writes all rejected rows there, as CSV' },
  },
  words: { least: 1, most: Number.POSITIVE_INFINITY },
  async run(call) {
    const { api, output } = call;
    const columns = text(call, 'columns');
    const told: { name: string; rows: RejectedRow[] }[] = [];
    let exitCode = 0;
    for (const file of call.words) {
      const name = basename(file);
      try {
        const done = await importFile(api, output, resolve(call.folder, file), name, columns);
        const all = text(call, 'rejected') !== undefined;
        const rows = await rejectedRows(api, done, all ? Number.POSITIVE_INFINITY : SHOWN);
        told.push({ name, rows });
        printResult(output, name, done, rows);
        if (rows.some(isWholeFile)) exitCode = 1;
      } catch (error) {
        // What concerns this file alone does not keep the others out; a wrong key or a dead API would.
        if (!(error instanceof OneFile) && !(error instanceof Refusal && [413, 415, 422].includes(error.status)))
          throw error;
        output.note(`${name}: ${error.message}`);
        exitCode = 1;
      }
    }
    const path = text(call, 'rejected');
    if (path !== undefined) await writeRejected(output, resolve(call.folder, path), told);
    return exitCode;
  },
};

/** A file that cannot be read from the disk. */
class OneFile extends CliError {}

/** Line 0 stands for the file as a whole. */
const isWholeFile = (row: RejectedRow): boolean => row.line === 0;

async function importFile(
  api: Api,
  output: Output,
  path: string,
  name: string,
  columns: string | undefined,
): Promise<ImportView> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new OneFile(fileProblem(error));
  });
  const { id } = await api.patiently<{ id: string }>(withQuery('/v1/imports', { columns }), {
    method: 'POST',
    body: { bytes, contentType: CONTENT_TYPES[sniffFormat(bytes)] },
    // Sent again after a broken connection, it is still one import.
    idempotencyKey: randomUUID(),
  });
  const progress = importProgress(output, name);
  try {
    for (;;) {
      const view = await api.patiently<ImportView>(withQuery(`/v1/imports/${id}`, { status: 'rejected', limit: '1' }));
      progress.update(view.doneRows, view.totalRows);
      if (view.status === 'done') return view;
      await pause(POLL_MS);
    }
  } finally {
    progress.stop();
  }
}

async function rejectedRows(api: Api, done: ImportView, most: number): Promise<RejectedRow[]> {
  const rows: RejectedRow[] = [];
  let cursor: string | null = null;
  if (done.rejected === 0) return rows;
  do {
    const query = { status: 'rejected', limit: String(Math.min(200, most)), cursor: cursor ?? undefined };
    const page: ImportView = await api.patiently<ImportView>(withQuery(`/v1/imports/${done.id}`, query));
    rows.push(...page.rows);
    cursor = page.nextCursor;
  } while (cursor !== null && rows.length < most);
  return rows;
}

function printResult(output: Output, name: string, done: ImportView, rows: readonly RejectedRow[]): void {
  output.line(`${name}: ${done.accepted} accepted, ${done.unchanged} unchanged, ${done.rejected} rejected`);
  for (const row of rows.slice(0, SHOWN)) {
    const where = isWholeFile(row) ? 'the file' : `line ${row.line}`;
    output.line(
      `  ${[where, row.number ?? '', `${row.code ?? ''}:`, row.message ?? ''].filter((part) => part !== '').join('  ')}`,
    );
  }
  if (done.rejected > SHOWN) {
    output.line(`  … and ${done.rejected - SHOWN} more; --rejected FILE writes all of them.`);
  }
}

async function writeRejected(
  output: Output,
  path: string,
  told: readonly { name: string; rows: readonly RejectedRow[] }[],
): Promise<void> {
  try {
    await writeFile(path, rejectedCsv(told));
  } catch (error) {
    throw new CliError(`The rejected rows could not be written: ${fileProblem(error)}`);
  }
  output.note(`Rejected rows are in ${path}.`);
}
