import { systemAct } from '../../db/act.ts';
import { inTransaction, type Db } from '../../db/database.ts';
import { createImport } from '../../db/repositories/imports.ts';

const HEADER = 'number;issued on;due on;amount;currency;customer reference;customer name;customer email';

/** Uploads a file of invoices, each line as the heading has it; returns the id of the import. */
export async function uploadFile(db: Db, creditorId: string, lines: readonly string[], at: number): Promise<string> {
  const body = Buffer.from(`${[HEADER, ...lines].join('\n')}\n`);
  return await inTransaction(db, async (tx) =>
    createImport(tx, systemAct(at), { creditorId, contentType: 'text/csv', columns: null, filename: null, body }),
  );
}

/** Throws when a line of the file was rejected. */
export async function refuseRejected(db: Db, importId: string): Promise<void> {
  const row = await db
    .selectFrom('import_rows')
    .select(['line', 'code', 'message'])
    .where('import_id', '=', importId)
    .where('status', '=', 'rejected')
    .limit(1)
    .executeTakeFirst();
  if (row) throw new Error(`Line ${row.line} was rejected: ${row.code} ${row.message}`);
}
