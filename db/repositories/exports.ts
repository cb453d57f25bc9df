import { createHash } from 'node:crypto';
import { createGunzip, createGzip } from 'node:zlib';
import { once } from 'node:events';
import { pipeline, Readable } from 'node:stream';
import { sql, type Selectable } from 'kysely';
import type { Chart } from '../../domain/books/chart.ts';
import { FEC_CURRENCY, fecFilename, fecHeader, fecLines, sirenOf } from '../../domain/books/fec.ts';
import { JOURNAL_COLUMNS, journalRows, SUBLEDGER_COLUMNS, subledgerRows } from '../../domain/books/tables.ts';
import { csvOf } from '../../domain/csv.ts';
import { DomainError } from '../../domain/errors.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { inTransaction, instant, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database, ExportKind } from '../types.ts';
import { bookEntries, foreignEntries, numberEntries } from './book-entries.ts';
import { findChart } from './charts.ts';
import { creditorsDate, findCreditor, type CreditorRow } from './creditors.ts';
import { subledgerInvoices } from './subledger.ts';

export type ExportRow = Selectable<Database['exports']>;

export interface ExportOrder {
  kind: ExportKind;
  from: LocalDate;
  to: LocalDate;
  /** A FEC is kept in euros: entries in other currencies refuse it unless they are to be left out. */
  omitForeign: boolean;
}

/**
 * Makes an export of the books and keeps it, numbered within its kind. The same question while nothing has changed is the
 * same export with the same bytes; where something has, the next number. Entries are numbered first, for good.
 * Throws `registrationIdMissing`, `foreignCurrency`.
 */
export async function makeExport(db: Db, act: Act, creditorId: string, order: ExportOrder): Promise<ExportRow> {
  const creditor = (await findCreditor(db, creditorId))!;
  const { version, chart } = await findChart(db, creditorId);
  const filename = filenameOf(order, creditor);
  await inTransaction(db, async (tx) => {
    await lockBooks(tx, creditorId);
    await numberEntries(tx, creditorId, order.to, await creditorsDate(tx, act, creditorId), chart);
  });
  const file = await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => await writeFile(tx, creditorId, order, chart));
  return await inTransaction(db, async (tx) => {
    await lockBooks(tx, creditorId);
    const same = await tx
      .selectFrom('exports')
      .selectAll()
      .where('creditor_id', '=', creditorId)
      .where('kind', '=', order.kind)
      .where('from_on', '=', order.from)
      .where('to_on', '=', order.to)
      .where('sha256', '=', file.sha256)
      .where('filename', '=', filename)
      .orderBy('number')
      .limit(1)
      .executeTakeFirst();
    if (same) return same;
    const last = await tx
      .selectFrom('exports')
      .select((eb) => eb.fn.max('number').as('number'))
      .where('creditor_id', '=', creditorId)
      .where('kind', '=', order.kind)
      .executeTakeFirst();
    const id = newId('exp');
    const row = await tx
      .insertInto('exports')
      .values({
        id,
        creditor_id: creditorId,
        kind: order.kind,
        number: (last?.number ?? 0) + 1,
        from_on: order.from,
        to_on: order.to,
        chart_version: version,
        filename,
        content_type: order.kind === 'fec' ? 'text/plain; charset=utf-8' : 'text/csv; charset=utf-8',
        lines: file.lines,
        omitted: file.omitted,
        sha256: file.sha256,
        actor: act.actor,
        at: instant(act.at),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    for (const [n, bytes] of file.chunks.entries()) {
      await tx.insertInto('export_chunks').values({ export_id: id, n, bytes }).execute();
    }
    return row;
  });
}

/** One export after the other of a creditor: numbers are given in turn. */
async function lockBooks(tx: Tx, creditorId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`books:${creditorId}`}, 0))`.execute(tx);
}

function filenameOf(order: ExportOrder, creditor: CreditorRow): string {
  if (order.kind !== 'fec') return `${order.kind}-${order.from}-${order.to}.csv`;
  const siren = sirenOf(creditor.registration_id);
  if (siren !== null) return fecFilename(siren, order.to);
  const message = 'The name of a FEC begins with the SIREN: give the creditor its registrationId.';
  throw new DomainError('registrationIdMissing', message);
}

interface WrittenFile {
  chunks: Buffer[];
  sha256: Buffer;
  lines: bigint;
  omitted: bigint;
}

async function writeFile(tx: Tx, creditorId: string, order: ExportOrder, chart: Chart): Promise<WrittenFile> {
  let omitted = 0n;
  if (order.kind === 'fec') {
    const foreign = await foreignEntries(tx, creditorId, order, FEC_CURRENCY);
    omitted = foreign.reduce((sum, { entries }) => sum + entries, 0n);
    if (omitted > 0n && !order.omitForeign) throw foreignCurrency(foreign);
  }
  const hash = createHash('sha256');
  const gzip = createGzip({ level: 6 });
  const chunks: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
  let lines = -1n;
  for await (const text of textOf(tx, creditorId, order, chart)) {
    for (const char of text) if (char === '\n') lines += 1n;
    hash.update(text, 'utf8');
    if (!gzip.write(text)) await once(gzip, 'drain');
  }
  const ended = once(gzip, 'end');
  gzip.end();
  await ended;
  return { chunks: pieces(Buffer.concat(chunks)), sha256: hash.digest(), lines, omitted };
}

/** The file, piece by piece, with its heading first. */
async function* textOf(tx: Tx, creditorId: string, order: ExportOrder, chart: Chart): AsyncGenerator<string> {
  switch (order.kind) {
    case 'fec':
      yield fecHeader();
      for await (const batch of bookEntries(tx, creditorId, order, FEC_CURRENCY)) {
        yield batch.map((entry) => fecLines(entry, chart)).join('');
      }
      return;
    case 'journal':
      yield csvOf(JOURNAL_COLUMNS, []);
      for await (const batch of bookEntries(tx, creditorId, order)) {
        yield rowsOf(batch.flatMap((entry) => journalRows(entry, chart)));
      }
      return;
    case 'subledger':
      yield csvOf(SUBLEDGER_COLUMNS, []);
      for await (const batch of subledgerInvoices(tx, creditorId, order)) yield rowsOf(batch.flatMap(subledgerRows));
  }
}

/** Rows without the heading. */
const rowsOf = (rows: string[][]): string => csvOf([], rows).slice('\r\n'.length);

function foreignCurrency(foreign: readonly { currency: string; entries: bigint }[]): DomainError {
  const found = foreign.map(({ currency, entries }) => `${entries} in ${currency}`).join(', ');
  return new DomainError(
    'foreignCurrency',
    `A FEC is in euros and the rates of the day are not known here: there are entries in other currencies (${found}). ` +
      'Ask for it with foreign=omit and book those by the journal export.',
  );
}

const PIECE = 1 << 20;

function pieces(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let from = 0; from < bytes.length; from += PIECE) found.push(bytes.subarray(from, from + PIECE));
  return found;
}

/** The exports of a creditor, newest first, behind the position `after`. */
export async function listExports(
  db: Db,
  creditorId: string,
  kind: ExportKind | undefined,
  after: bigint | null,
  count: number,
): Promise<ExportRow[]> {
  return await db
    .selectFrom('exports')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .$if(kind !== undefined, (query) => query.where('kind', '=', kind!))
    .$if(after !== null, (query) => query.where('seq', '<', after))
    .orderBy('seq', 'desc')
    .limit(count)
    .execute();
}

/** An export of the creditor; `undefined` when it is another's or none. */
export async function findExport(db: Db, creditorId: string, id: string): Promise<ExportRow | undefined> {
  return await db
    .selectFrom('exports')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** The bytes of an export, as they were made. */
export function readExport(db: Db, id: string): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let n = 0; ; n++) {
      const row = await db
        .selectFrom('export_chunks')
        .select('bytes')
        .where('export_id', '=', id)
        .where('n', '=', n)
        .executeTakeFirst();
      if (!row) return;
      yield row.bytes;
    }
  }
  // A failure on the way destroys the stream that is read, and with it the answer.
  return pipeline(Readable.from(chunks()), createGunzip(), () => undefined);
}
