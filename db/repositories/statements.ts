import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Selectable } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { formatAmount } from '../../domain/money.ts';
import { isSameAccount } from '../../domain/statement/account.ts';
import { readStatement, sniffFormat, type ReadOptions } from '../../domain/statement/read.ts';
import { balanceOfFile } from '../../domain/statement/totals.ts';
import type {
  BalanceCheck,
  RejectedRecord,
  StatementEvent,
  StatementFormat,
  StatementSummary,
  Transaction,
} from '../../domain/statement/transaction.ts';
import type { Act } from '../act.ts';
import { instant, json, type Db, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import type { Database, JsonObject } from '../types.ts';
import { askAboutSuspect } from './bank-transactions.ts';
import { pokeFeed } from './outbox.ts';
import { openTask } from './tasks.ts';
import { findTransaction, takeIn, type AccountRef } from './transactions.ts';

export type StatementRow = Selectable<Database['statements']>;

export interface StatementFile {
  /** On the disk, read twice: once for its hash, once for its records. */
  path: string;
  filename: string | null;
  /** How a table is read; other formats say it themselves. */
  options: ReadOptions;
  /** Refuse a file whose balances do not hold, instead of opening a task. */
  requireBalance: boolean;
}

/** Records that are told by place; more are counted only. */
const MOST_REJECTIONS = 500;
/** Transactions taken in at once. */
const BATCH = 500;

/**
 * Takes a bank file in, whole or not at all: the bytes with their hash, each transaction once whoever told it before, records
 * that cannot be used by their place. What is new is applied by the feed's workflow right after. The same bytes for the
 * same feed again answer what they did the first time and change nothing (`repeated`).
 *
 * Throws what `readStatement` does, `wrongAccount` where a statement is of another account than its feed, `balanceBroken`
 * where it was asked to.
 */
export async function importStatement(
  tx: Tx,
  act: Act,
  account: AccountRef,
  file: StatementFile,
): Promise<{ row: StatementRow; repeated: boolean }> {
  await tx.selectFrom('feeds').select('id').where('id', '=', account.feedId).forNoKeyUpdate().execute();
  const { sha256, size } = await hashOf(file.path);
  const before = await findByHash(tx, account.feedId, sha256);
  if (before) return { row: before, repeated: true };

  const id = newId('sta');
  const told = await takeRecords(tx, act, account, id, file);
  if (file.requireBalance && told.balance === 'broken') {
    throw new DomainError(
      'balanceBroken',
      'Opening balance and entries of a statement do not add up to its closing balance.',
    );
  }
  const row = await tx
    .insertInto('statements')
    .values({
      id,
      creditor_id: account.creditorId,
      feed_id: account.feedId,
      format: told.format,
      filename: file.filename,
      sha256,
      size: BigInt(size),
      entries: told.entries,
      receipts: told.receipts,
      duplicates: told.duplicates,
      suspects: told.suspects,
      provisional: told.provisional,
      rejected: told.rejected,
      rejections: json(told.rejections),
      accounts: json(told.statements.map(summaryJson)),
      balance: told.balance,
      actor: act.actor,
      at: instant(act.at),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await keepBytes(tx, id, file.path);
  if (told.balance === 'broken') await askAboutBalance(tx, act, account, row);
  await pokeFeed(tx, account.feedId);
  return { row, repeated: false };
}

interface Told {
  format: StatementFormat;
  entries: number;
  receipts: number;
  duplicates: number;
  suspects: number;
  provisional: number;
  rejected: number;
  rejections: RejectedRecord[];
  statements: StatementSummary[];
  balance: BalanceCheck;
}

async function takeRecords(tx: Tx, act: Act, account: AccountRef, id: string, file: StatementFile): Promise<Told> {
  const told: Told = {
    format: file.options.format ?? sniffFormat(await headOf(file.path)) ?? 'csv',
    entries: 0,
    receipts: 0,
    duplicates: 0,
    suspects: 0,
    provisional: 0,
    rejected: 0,
    rejections: [],
    statements: [],
    balance: 'unknown',
  };
  let batch: Transaction[] = [];
  const flush = async (): Promise<void> => {
    const taken = await takeIn(tx, act, account, id, batch);
    for (const [index, { intake, transactionId }] of taken.entries()) {
      if (intake === 'duplicate') told.duplicates += 1;
      else if (intake === 'provisional') told.provisional += 1;
      else if (intake === 'suspect') {
        told.suspects += 1;
        await askAboutSuspect(tx, act, (await findTransaction(tx, account.creditorId, transactionId))!);
      } else if (batch[index]!.amountMinor > 0n && batch[index]!.returns === null) told.receipts += 1;
    }
    batch = [];
  };
  for await (const events of readStatement(createReadStream(file.path), file.options)) {
    for (const event of events) {
      switch (event.kind) {
        case 'transaction':
          refuseOtherAccount(account, event.account);
          told.entries += 1;
          batch.push(event.transaction);
          if (batch.length >= BATCH) await flush();
          break;
        case 'rejected':
        case 'warning':
          note(told, event);
          break;
        case 'statement':
          refuseOtherAccount(account, event.summary.account);
          told.statements.push(event.summary);
      }
    }
  }
  await flush();
  return { ...told, balance: balanceOfFile(told.statements) };
}

function note(told: Told, event: Extract<StatementEvent, { kind: 'rejected' | 'warning' }>): void {
  if (event.kind === 'rejected') told.rejected += 1;
  if (told.rejections.length < MOST_REJECTIONS) told.rejections.push(event.record);
}

function refuseOtherAccount(account: AccountRef, told: string | null): void {
  if (account.iban === null || told === null || isSameAccount(account.iban, told)) return;
  throw new DomainError('wrongAccount', 'The file holds a statement of another account than its feed.');
}

function summaryJson(summary: StatementSummary): JsonObject {
  const { currency } = summary;
  const text = (minor: bigint): string => (currency === null ? minor.toString() : formatAmount(minor, currency));
  const balance = (one: StatementSummary['opening']) => one && { amount: text(one.amountMinor), on: one.on };
  return {
    position: summary.position,
    account: summary.account,
    currency,
    reference: summary.reference,
    opening: balance(summary.opening),
    closing: balance(summary.closing),
    entries: summary.entries,
    sum: text(summary.sumMinor),
    balance: summary.balance,
    copy: summary.copy,
  };
}

async function hashOf(path: string): Promise<{ sha256: Buffer; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { sha256: hash.digest(), size };
}

/** Enough to recognise a format by. */
async function headOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(16_384);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Bytes of one row: a file is written and read piece by piece. */
const PIECE = 1_048_576;

async function keepBytes(tx: Tx, id: string, path: string): Promise<void> {
  let n = 0;
  for await (const bytes of createReadStream(path, { highWaterMark: PIECE })) {
    await tx
      .insertInto('statement_chunks')
      .values({ statement_id: id, n, bytes: bytes as Buffer })
      .execute();
    n += 1;
  }
}

async function askAboutBalance(tx: Tx, act: Act, account: AccountRef, row: StatementRow): Promise<void> {
  await openTask(tx, act, {
    creditorId: account.creditorId,
    kind: 'statementBalance',
    key: `statementBalance:${row.id}`,
    subject: 'The balances of a statement do not hold',
    body: 'Opening balance and entries do not add up to the closing balance: something may be missing or told twice. What the file holds was taken in.',
    data: { statementId: row.id, feedId: row.feed_id },
    dueAt: act.at,
  });
}

async function findByHash(tx: Tx, feedId: string, sha256: Buffer): Promise<StatementRow | undefined> {
  return await tx
    .selectFrom('statements')
    .selectAll()
    .where('feed_id', '=', feedId)
    .where('sha256', '=', sha256)
    .executeTakeFirst();
}

export async function findStatement(db: Db | Tx, creditorId: string, id: string): Promise<StatementRow | undefined> {
  return await db
    .selectFrom('statements')
    .selectAll()
    .where('creditor_id', '=', creditorId)
    .where('id', '=', id)
    .executeTakeFirst();
}

export async function listStatements(
  db: Db,
  creditorId: string,
  feedId: string | undefined,
  after: bigint | null,
  count: number,
): Promise<StatementRow[]> {
  let query = db.selectFrom('statements').selectAll().where('creditor_id', '=', creditorId);
  if (feedId !== undefined) query = query.where('feed_id', '=', feedId);
  if (after !== null) query = query.where('seq', '<', after);
  return await query.orderBy('seq', 'desc').limit(count).execute();
}

/** The bytes as they came, piece by piece. */
export async function* statementBytes(db: Db, id: string): AsyncGenerator<Buffer> {
  for (let n = 0; ; n += 1) {
    const row = await db
      .selectFrom('statement_chunks')
      .select('bytes')
      .where('statement_id', '=', id)
      .where('n', '=', n)
      .executeTakeFirst();
    if (!row) return;
    yield row.bytes;
  }
}
