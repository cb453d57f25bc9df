import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { sql } from 'kysely';
import { systemAct } from '../../db/act.ts';
import { createDatabase, inTransaction, type Db } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { drainFeed } from '../../db/repositories/bank-transactions.ts';
import { paymentOf } from '../../db/repositories/cash-application.ts';
import { check } from '../../db/repositories/ledger.ts';
import { matchPayment } from '../../db/repositories/matching-book.ts';
import { importStatement } from '../../db/repositories/statements.ts';
import { settingsOf, DEFAULT_MATCHING } from '../../domain/matching/settings.ts';
import { readStatement } from '../../domain/statement/read.ts';
import { parseInstant } from '../../domain/time/zones.ts';
import { openBook } from '../../test/support/book.ts';
import { registerInvoices } from './invoices.ts';
import type { Benchmark } from '../main.ts';
import { bound, print, table } from '../support/report.ts';
import { withServers } from '../support/servers.ts';

/** What of the rate of parsing alone a file should reach on its way to committed allocations. */
const LEAST_SHARE = 0.25;
const IBAN = 'FR7630006000011234567890189';
const NOW = parseInstant('2026-11-26T09:00:00Z');

export const benchmark: Benchmark = {
  about: 'a bank file from its bytes to committed allocations, beside reading it alone',
  options: { entries: 3_000 },
  run: async ({ entries = 3_000 }) =>
    withServers({ temporal: false }, async ({ databaseUrl, folder }) => {
      const db = createDatabase(databaseUrl, { max: 4, applicationName: 'bench' });
      try {
        return await measure(db, join(folder, 'statement.xml'), entries);
      } finally {
        await db.destroy();
      }
    }),
};

async function measure(db: Db, path: string, entries: number): Promise<boolean> {
  const clock = { now: () => NOW } as never;
  const creditor = await openBook(
    { db, clock },
    { steps: [{ key: 'reminder', day: 5, from: 'due', channel: 'email', template: 'reminder' }] },
  );
  await registerInvoices(db, creditor, NOW, entries);
  const feedId = newId('fee');
  await db
    .insertInto('feeds')
    .values({
      id: feedId,
      creditor_id: creditor.id,
      kind: 'file',
      name: 'Bench',
      iban: IBAN,
      created_at: new Date(NOW),
    })
    .execute();
  await writeFile(path, camt(entries));
  await sql`vacuum (analyze)`.execute(db);

  const parse = await timed(async () => {
    let told = 0;
    for await (const piece of readStatement(createReadStream(path))) {
      for (const event of piece) if (event.kind === 'transaction') told += 1;
    }
    if (told !== entries) throw new Error(`${told} of ${entries} entries were read.`);
  });
  const taken = await timed(async () => {
    const account = { feedId, creditorId: creditor.id, iban: IBAN };
    const file = { path, filename: null, options: {}, requireBalance: false };
    await inTransaction(db, (tx) => importStatement(tx, systemAct(NOW), account, file));
  });
  // Matching alone, on the same lines and books: nothing is written.
  const rows = await db
    .selectFrom('bank_transactions')
    .selectAll()
    .where('feed_id', '=', feedId)
    .orderBy('seq')
    .execute();
  const matched = await timed(async () => {
    for (const row of rows) await matchPayment(db, creditor.id, paymentOf(row), settingsOf(DEFAULT_MATCHING, 'EUR'));
  });
  const drained = await timed(async () => {
    for (;;) {
      const { left, applied } = await drainFeed(db, feedId, { now: NOW, holidays: () => new Set() });
      if (left === 0 || applied === 0) break;
    }
  });
  const settled = await db
    .selectFrom('allocations')
    .select((eb) => eb.fn.countAll<bigint>().as('n'))
    .executeTakeFirstOrThrow();
  const problems = await check(db, creditor.id);
  if (settled.n !== BigInt(entries) || problems.length > 0)
    throw new Error(`${settled.n} allocations; ${problems[0] ?? ''}`);

  const whole = taken + drained;
  const line = (what: string, ms: number): string[] => [
    what,
    (ms / entries).toFixed(3),
    ((entries * 1000) / ms).toFixed(0),
  ];
  print();
  table(
    ['stage', 'ms an entry', 'entries a second'],
    [
      line('read alone', parse),
      line('read, told apart, written down with the file', taken),
      line('matched alone (part of the next)', matched),
      line('receipt, match, postings, allocation, events, outbox, commit', drained),
      line('bytes to committed allocations', whole),
    ],
  );
  const share = parse / whole;
  print(`the whole way runs at ${(share * 100).toFixed(1)} % of the rate of reading alone`);
  return bound(`at least ${LEAST_SHARE * 100} % of reading alone`, share >= LEAST_SHARE);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function camt(entries: number): string {
  const parts = Array.from(
    { length: entries },
    (_, n) => `<Ntry><Amt Ccy="EUR">${100 + (n % 900)}.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
<BookgDt><Dt>2026-11-25</Dt></BookgDt><ValDt><Dt>2026-11-25</Dt></ValDt><AcctSvcrRef>R${n}</AcctSvcrRef><NtryDtls><TxDtls>
<Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties><Dbtr><Nm>Customer ${n % 500}</Nm></Dbtr>
<DbtrAcct><Id><IBAN>DE${String(n % 500).padStart(20, '0')}</IBAN></Id></DbtrAcct></RltdPties>
<RmtInf><Ustrd>Facture BENCH-${String(n).padStart(6, '0')}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
<GrpHdr><MsgId>B</MsgId><CreDtTm>2026-11-25T20:00:00</CreDtTm></GrpHdr><Stmt><Id>1</Id><Acct><Id><IBAN>${IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>
${parts.join('')}</Stmt></BkToCstmrStmt></Document>`;
}
