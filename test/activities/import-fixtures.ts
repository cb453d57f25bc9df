import { createRunImport, type ImportDeps } from '../../activities/run-import.ts';
import { inTransaction, type Db } from '../../db/database.ts';
import { createImport } from '../../db/repositories/imports.ts';

/** Monday 2 March 2026, ten o'clock in Paris. */
export const NOW = Date.parse('2026-03-02T09:00:00Z');

/** Everything that was logged, as one text. */
export interface HeardLog {
  text: string;
}

export function importDeps(db: Db, now: () => number = () => NOW, heard: HeardLog = { text: '' }): ImportDeps {
  const hear = (...said: unknown[]): void => {
    heard.text += `${JSON.stringify(said)}\n`;
  };
  return {
    db,
    clock: { now },
    log: { info: hear, warn: hear, error: hear },
  };
}

export interface Upload {
  body: string | Uint8Array;
  contentType?: string;
  columns?: string;
  filename?: string;
}

/** Keeps a file as the API would, without reading it. */
export async function upload(db: Db, creditorId: string, file: Upload): Promise<string> {
  return inTransaction(db, (tx) =>
    createImport(
      tx,
      { actor: 'desk', at: NOW },
      {
        creditorId,
        contentType: file.contentType ?? 'text/csv',
        columns: file.columns ?? null,
        filename: file.filename ?? null,
        body: Buffer.from(file.body as string),
      },
    ),
  );
}

export interface Outcome {
  importId: string;
  status: string;
  counts: [accepted: number, unchanged: number, rejected: number];
  /** `line number status code pointer` of each line. */
  lines: string[];
  messages: string[];
}

export async function outcomeOf(db: Db, importId: string): Promise<Outcome> {
  const row = await db.selectFrom('imports').selectAll().where('id', '=', importId).executeTakeFirstOrThrow();
  const lines = await db
    .selectFrom('import_rows')
    .selectAll()
    .where('import_id', '=', importId)
    .orderBy('line')
    .execute();
  return {
    importId,
    status: row.status,
    counts: [row.accepted, row.unchanged, row.rejected],
    lines: lines.map((line) =>
      [line.line, line.number ?? '-', line.status, line.code ?? '', line.pointer ?? ''].join(' ').trim(),
    ),
    messages: lines.flatMap((line) => line.message ?? []),
  };
}

/** Uploads a file and reads it. */
export async function importFile(db: Db, creditorId: string, file: Upload): Promise<Outcome> {
  const importId = await upload(db, creditorId, file);
  await createRunImport(importDeps(db))({ importId });
  return outcomeOf(db, importId);
}

/** Everything that an import may have written, with how often: two equal books give equal texts. */
export async function bookOf(db: Db): Promise<Record<string, unknown>> {
  const invoices = await db
    .selectFrom('invoices as i')
    .innerJoin('customers as c', 'c.id', 'i.customer_id')
    .select(['i.number', 'i.issued_on', 'i.due_on', 'i.amount_minor', 'i.currency', 'i.balance_minor', 'i.refs'])
    .select(['i.event_count', 'c.reference', 'c.name', 'c.country', 'c.kind', 'c.contacts'])
    .orderBy('i.number')
    .execute();
  const credits = await db
    .selectFrom('credit_notes')
    .select(['number', 'amount_minor', 'unapplied_minor', 'currency', 'issued_on'])
    .orderBy('number')
    .execute();
  const tables = [
    'customers',
    'case_runs',
    'invoice_tokens',
    'events',
    'journal_entries',
    'postings',
    'allocations',
  ] as const;
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const { count } = await db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<bigint>().as('count'))
      .executeTakeFirstOrThrow();
    counts[table] = Number(count);
  }
  const starts = await db
    .selectFrom('outbox as o')
    .innerJoin('invoices as i', 'i.id', 'o.target')
    .select('i.number')
    .where('o.kind', '=', 'startCase')
    .orderBy('i.number')
    .execute();
  return { invoices, credits, counts, starts: starts.map(({ number }) => number) };
}
