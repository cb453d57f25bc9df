import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { inTransaction, sqlState, type Tx } from '../db/database.ts';
import type { Act } from '../db/act.ts';
import { findCreditor } from '../db/repositories/creditors.ts';
import {
  claimLines,
  finishImport,
  linesDone,
  loadImport,
  recordLines,
  setTotalRows,
  type LineResult,
} from '../db/repositories/imports.ts';
import { DomainError } from '../domain/errors.ts';
import type { RowResult } from '../domain/imports/document.ts';
import type { ActivityDeps } from './deps.ts';
import { stayAlive } from './import-alive.ts';
import { writeCreditNote } from './import-credit-notes.ts';
import { CustomerDirectory } from './import-customers.ts';
import { writeInvoices, type DocumentRow, type ImportRun, type WrittenRows } from './import-invoices.ts';
import { rejectedByFaults, rejectedByStore, rejectedFile } from './import-results.ts';
import { openSource, type ImportSource } from './import-source.ts';

export type ImportDeps = Pick<ActivityDeps, 'db' | 'log'> & { clock: Pick<ActivityDeps['clock'], 'now'> };

/** Rows of one transaction: some twenty statements, well under a second. */
const BATCH = 200;

/**
 * Reads an uploaded file into invoices and credit notes. Each batch of rows is one transaction together with what became
 * of its lines, so that whoever goes on after a crash finds every row either done or untouched; reading a file that is
 * done changes nothing. Invoices go in before credit notes, wherever the file has them, so that a credit finds its invoice.
 *
 * A file that cannot be read at all ends as `done` with one rejected line 0. What is thrown to Temporal is a code.
 */
export function createRunImport(deps: ImportDeps) {
  return async function runImport({ importId }: { importId: string }): Promise<void> {
    try {
      await readIntoBook(deps, importId);
    } catch (error) {
      if (error instanceof CancelledFailure) throw error;
      const code = codeOf(error);
      deps.log.warn({ importId, code }, 'an import was interrupted');
      throw ApplicationFailure.create({
        message: `import interrupted: ${code}`,
        type: code,
        nonRetryable: error instanceof DomainError && error.code === 'notFound',
      });
    }
  };
}

async function readIntoBook(deps: ImportDeps, importId: string): Promise<void> {
  const upload = await loadImport(deps.db, importId);
  if (!upload) throw new DomainError('notFound', 'There is no such import.');
  if (upload.status === 'done') return;
  const creditor = await findCreditor(deps.db, upload.creditor_id);
  if (!creditor) throw new DomainError('notFound', 'There is no such creditor.');

  const act = (): Act => ({ actor: upload.actor, at: deps.clock.now() });
  const file = { contentType: upload.content_type, columns: upload.columns, body: upload.body };
  try {
    const source = await reading(async () => openSource(file, creditor.country));
    await setTotalRows(deps.db, importId, source.rowCount);
    const run: ImportRun = {
      importId,
      creditor,
      directory: new CustomerDirectory(creditor, source.format !== 'csv'),
      pdf: source.format === 'pdf' ? { filename: upload.filename, bytes: upload.body } : null,
    };
    await learnCustomers(run, source);
    await writeRows(deps, act, run, source);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    if (!(error.cause instanceof DomainError)) {
      deps.log.error({ importId, code: codeOf(error.cause) }, 'the reader of imports failed');
    }
    await inTransaction(deps.db, async (tx) => recordLines(tx, importId, [rejectedFile(error.cause)]));
  }
  await finishImport(deps.db, importId);
}

/** A first pass: what the file says of a customer may stand in its last row. */
async function learnCustomers({ directory }: ImportRun, source: ImportSource): Promise<void> {
  let rows = 0;
  for (const slice of slices(source)) {
    for (const row of slice) if ('document' in row) directory.learn(row.document.customer);
    rows += slice.length;
    await stayAlive({ rows });
  }
}

async function writeRows(deps: ImportDeps, act: () => Act, run: ImportRun, source: ImportSource): Promise<void> {
  const done = await linesDone(deps.db, run.importId);
  const creditNotes: DocumentRow[] = [];
  let batch: RowResult[] = [];
  const flush = async (): Promise<void> => {
    const rows = batch;
    batch = [];
    await commitEach(deps, run, rows, async (tx, open) => {
      const faulty = open.flatMap((row) =>
        'faults' in row ? [rejectedByFaults(row.line, row.number, row.faults)] : [],
      );
      const documents = open.filter((row) => 'document' in row);
      const written = await writeInvoices(tx, act(), run, documents);
      return { results: [...faulty, ...written.results], found: written.found };
    });
    for (const { line } of rows) done.add(line);
    await stayAlive({ rows: done.size });
  };

  for (const slice of slices(source)) {
    for (const row of slice) {
      if (done.has(row.line)) continue;
      if ('document' in row && row.document.kind === 'creditNote') creditNotes.push(row);
      else if (batch.push(row) === BATCH) await flush();
    }
  }
  if (batch.length > 0) await flush();
  for (const row of creditNotes) {
    await commitEach(deps, run, [row], async (tx) => writeCreditNote(tx, act(), run, row));
    done.add(row.line);
    await stayAlive({ rows: done.size });
  }
}

type Write<Row> = (tx: Tx, open: Row[]) => Promise<WrittenRows>;

/**
 * `commitRows`, and where PostgreSQL refuses a value (SQLSTATE classes 22 and 23), which no repetition changes, row by row,
 * so that one row that slipped through every check does not keep the others out.
 */
async function commitEach<Row extends { line: number }>(
  deps: ImportDeps,
  run: ImportRun,
  rows: readonly Row[],
  write: Write<Row>,
): Promise<void> {
  try {
    await commitRows(deps, run, rows, write);
  } catch (error) {
    if (!/^2[23]/.test(sqlState(error) ?? '')) throw error;
    if (rows.length > 1) {
      for (const row of rows) await commitEach(deps, run, [row], write);
      return;
    }
    deps.log.error({ importId: run.importId, line: rows[0]?.line, code: codeOf(error) }, 'a row cannot be stored');
    const refused = rows.map(({ line }) => rejectedByStore(line));
    await commitRows(deps, run, rows, async () => Promise.resolve({ results: refused, found: new Map() }));
  }
}

/** Writes rows and what became of them in one transaction, leaving out those that another reader has done meanwhile. */
async function commitRows<Row extends { line: number }>(
  deps: ImportDeps,
  run: ImportRun,
  rows: readonly Row[],
  write: Write<Row>,
): Promise<void> {
  const found = await inTransaction(deps.db, async (tx) => {
    const lines = rows.map(({ line }) => line);
    const taken = await claimLines(tx, run.importId, lines);
    const open = rows.filter(({ line }) => !taken.has(line));
    if (open.length === 0) return null;
    const written = await write(tx, open);
    await recordLines(tx, run.importId, inOrder(written.results));
    return written.found;
  });
  if (found) run.directory.keep(found);
}

const inOrder = (results: readonly LineResult[]): LineResult[] => [...results].sort((a, b) => a.line - b.line);

/** The rows of a file, as they are read. */
function* slices(source: ImportSource): Generator<RowResult[]> {
  const rows = source.rows[Symbol.iterator]();
  for (;;) {
    const slice: RowResult[] = [];
    while (slice.length < BATCH) {
      const next = readingNext(rows);
      if (next.done) break;
      slice.push(next.value);
    }
    if (slice.length === 0) return;
    yield slice;
  }
}

/** The file itself is at fault: the same bytes would fail again, so it is told to whoever sent them. */
class Unreadable extends Error {
  constructor(cause: unknown) {
    super('unreadable', { cause });
  }
}

async function reading<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Unreadable(error);
  }
}

function readingNext(rows: Iterator<RowResult>): IteratorResult<RowResult, unknown> {
  try {
    return rows.next();
  } catch (error) {
    throw new Unreadable(error);
  }
}

/** What may be said of an error where cell contents must not appear. */
function codeOf(error: unknown): string {
  const state = sqlState(error);
  if (state !== null) return `sql${state}`;
  if (error instanceof DomainError) return error.code;
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(code)) return code;
  return error instanceof Error ? error.name : 'unknown';
}
