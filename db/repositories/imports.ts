import type { Selectable } from 'kysely';
import type { Act } from '../act.ts';
import { instant, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database } from '../types.ts';
import { startImport } from './outbox.ts';

export type ImportRow = Omit<Selectable<Database['imports']>, 'body'>;
export type ImportLine = Selectable<Database['import_rows']>;

const SHOWN = [
  'id',
  'seq',
  'creditor_id',
  'actor',
  'content_type',
  'columns',
  'filename',
  'status',
  'total_rows',
  'done_rows',
  'accepted',
  'unchanged',
  'rejected',
  'at',
  'recorded_at',
] as const;

/** Keeps an uploaded file and has it read. */
export async function createImport(
  tx: Tx,
  act: Act,
  upload: {
    creditorId: string;
    contentType: string;
    columns: string | null;
    filename: string | null;
    body: Buffer;
  },
): Promise<string> {
  const id = newId('imp');
  await tx
    .insertInto('imports')
    .values({
      id,
      creditor_id: upload.creditorId,
      actor: act.actor,
      content_type: upload.contentType,
      columns: upload.columns,
      filename: upload.filename,
      body: upload.body,
      at: instant(act.at),
    })
    .execute();
  await startImport(tx, id);
  return id;
}

/** An import with its file, for whoever reads it. */
export async function loadImport(db: Db | Tx, importId: string): Promise<(ImportRow & { body: Buffer }) | undefined> {
  return await db
    .selectFrom('imports')
    .select([...SHOWN, 'body'])
    .where('id', '=', importId)
    .executeTakeFirst();
}

export async function findImport(db: Db | Tx, creditorId: string, importId: string): Promise<ImportRow | undefined> {
  return await db
    .selectFrom('imports')
    .select(SHOWN)
    .where('creditor_id', '=', creditorId)
    .where('id', '=', importId)
    .executeTakeFirst();
}

/** How many rows the file has, once that is known. */
export async function setTotalRows(db: Db | Tx, importId: string, totalRows: number): Promise<void> {
  await db.updateTable('imports').set({ total_rows: totalRows }).where('id', '=', importId).execute();
}

/** What became of a line of the file. */
export interface LineResult {
  line: number;
  number: string | null;
  status: 'accepted' | 'unchanged' | 'rejected';
  invoiceId?: string | null;
  creditNoteId?: string | null;
  code?: string | null;
  pointer?: string | null;
  message?: string | null;
}

/**
 * Writes what became of these lines, in the transaction of the rows themselves, and counts them. A line that was written
 * before keeps its first result: whoever reads the file again after a crash changes nothing.
 */
export async function recordLines(tx: Tx, importId: string, results: readonly LineResult[]): Promise<void> {
  if (results.length === 0) return;
  const written = await tx
    .insertInto('import_rows')
    .values(
      results.map((result) => ({
        import_id: importId,
        line: result.line,
        number: result.number,
        invoice_id: result.invoiceId ?? null,
        credit_note_id: result.creditNoteId ?? null,
        status: result.status,
        code: result.code ?? null,
        pointer: result.pointer ?? null,
        message: result.message ?? null,
      })),
    )
    .onConflict((conflict) => conflict.columns(['import_id', 'line']).doNothing())
    .returning('status')
    .execute();
  const count = (status: LineResult['status']): number => written.filter((row) => row.status === status).length;
  await tx
    .updateTable('imports')
    .set((eb) => ({
      done_rows: eb('done_rows', '+', written.length),
      accepted: eb('accepted', '+', count('accepted')),
      unchanged: eb('unchanged', '+', count('unchanged')),
      rejected: eb('rejected', '+', count('rejected')),
    }))
    .where('id', '=', importId)
    .execute();
}

/** The lines that are done already, so that reading goes on behind a crash. */
export async function linesDone(db: Db | Tx, importId: string): Promise<Set<number>> {
  const rows = await db.selectFrom('import_rows').select('line').where('import_id', '=', importId).execute();
  return new Set(rows.map((row) => row.line));
}

export async function finishImport(db: Db | Tx, importId: string): Promise<void> {
  await db.updateTable('imports').set({ status: 'done' }).where('id', '=', importId).execute();
}

/** Lines of an import in the order of the file, behind line `after`. */
export async function listLines(
  db: Db,
  importId: string,
  filter: { status?: LineResult['status'] | undefined },
  after: bigint | null,
  count: number,
): Promise<ImportLine[]> {
  const { status } = filter;
  return await db
    .selectFrom('import_rows')
    .selectAll()
    .where('import_id', '=', importId)
    .$if(status !== undefined, (query) => query.where('status', '=', status!))
    .$if(after !== null, (query) => query.where('line', '>', Number(after)))
    .orderBy('line')
    .limit(count)
    .execute();
}
