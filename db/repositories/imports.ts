import { sql, type Selectable } from 'kysely';
import type { LawWarning } from '../../domain/law/payment-terms.ts';
import type { Act } from '../act.ts';
import { inTransaction, instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database } from '../types.ts';
import type { CustomerRow } from './customers.ts';
import { pokeOutreaches, startImport } from './outbox.ts';
import { waitingCustomers } from './outreach.ts';

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
  /** As in the file, the first is 1; 0 stands for the file as a whole, of which nothing could be read. */
  line: number;
  number: string | null;
  status: 'accepted' | 'unchanged' | 'rejected';
  invoiceId?: string | null;
  creditNoteId?: string | null;
  code?: string | null;
  pointer?: string | null;
  message?: string | null;
  /** What the law may object to; the row goes in all the same. */
  warnings?: readonly LawWarning[];
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
        warnings: json(result.warnings ?? []),
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

/**
 * Takes the import for this transaction and says which of these lines are done already. Two readers of one import (a worker
 * that was believed dead, and its successor) take turns batch by batch.
 */
export async function claimLines(tx: Tx, importId: string, lines: readonly number[]): Promise<Set<number>> {
  await tx.selectFrom('imports').select('id').where('id', '=', importId).forNoKeyUpdate().execute();
  const rows = await tx
    .selectFrom('import_rows')
    .select('line')
    .where('import_id', '=', importId)
    .where('line', 'in', [...lines])
    .execute();
  return new Set(rows.map((row) => row.line));
}

/** The customers that a creditor knows under these references. */
export async function customersByReference(
  tx: Tx,
  creditorId: string,
  references: readonly string[],
): Promise<Map<string, CustomerRow>> {
  if (references.length === 0) return new Map();
  const rows = await tx
    .selectFrom('customers')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('reference', 'in', [...references])
    .execute();
  return new Map(rows.map((row) => [row.reference, row]));
}

/** The customers that have exactly this registration number, VAT number or name, oldest first. */
export async function customersAlike(
  tx: Tx,
  creditorId: string,
  by: 'registrationId' | 'vatId' | 'name',
  value: string,
): Promise<CustomerRow[]> {
  const query = tx.selectFrom('customers').selectAll().where('creditor_id', '=', creditorId).orderBy('seq');
  switch (by) {
    case 'registrationId':
      return await query.where('registration_id', '=', value).execute();
    case 'vatId':
      return await query.where('vat_id', '=', value).execute();
    case 'name':
      // The first condition is for the index on names, the second says what is meant.
      return await query
        .where(
          sql<boolean>`regexp_replace(upper(normalize(name, NFKD)), '[^A-Z0-9]', '', 'g')
            = regexp_replace(upper(normalize(${value}, NFKD)), '[^A-Z0-9]', '', 'g')`,
        )
        .where('name', '=', value)
        .execute();
  }
}

/** Ids and customers of the invoices that have these numbers. */
export async function invoicesByNumber(
  tx: Tx,
  creditorId: string,
  numbers: readonly string[],
): Promise<Map<string, { id: string; customerId: string }>> {
  if (numbers.length === 0) return new Map();
  const rows = await tx
    .selectFrom('invoices')
    .select(['id', 'customer_id', 'number'])
    .where('creditor_id', '=', creditorId)
    .where('number', 'in', [...numbers])
    .execute();
  return new Map(rows.map((row) => [row.number, { id: row.id, customerId: row.customer_id }]));
}

/** The credit note that has this number, as far as a repeat is compared with it. */
export async function creditNoteOf(
  tx: Tx,
  creditorId: string,
  number: string,
): Promise<{ invoiceId: string | null; reason: string | null } | undefined> {
  return await tx
    .selectFrom('credit_notes')
    .select(['invoice_id as invoiceId', 'reason'])
    .where('creditor_id', '=', creditorId)
    .where('number', '=', number)
    .executeTakeFirst();
}

/** The last row is in: what waited for the rest of the file may leave now. */
export async function finishImport(db: Db, importId: string): Promise<void> {
  await inTransaction(db, async (tx) => {
    const finished = await tx
      .updateTable('imports')
      .set({ status: 'done' })
      .where('id', '=', importId)
      .where('status', '=', 'running')
      .returning('creditor_id')
      .executeTakeFirst();
    if (finished) await pokeOutreaches(tx, await waitingCustomers(tx, finished.creditor_id));
  });
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
