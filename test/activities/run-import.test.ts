import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { createRunImport } from '../../activities/run-import.ts';
import { inTransaction, type Db } from '../../db/database.ts';
import { changeCreditor } from '../../db/repositories/creditors.ts';
import { createCustomer } from '../../db/repositories/customers.ts';
import { verifyChain } from '../../db/repositories/events.ts';
import { changeDueOn } from '../../db/repositories/invoices.ts';
import { check } from '../../db/repositories/ledger.ts';
import { act, openBook, type Book } from '../db/book.ts';
import { cii, pdfWith } from '../imports/fixtures.ts';
import '../support/servers.ts';
import {
  bookOf,
  importDeps,
  importFile,
  NOW,
  outcomeOf,
  upload,
  type HeardLog,
  type Outcome,
} from './import-fixtures.ts';

/** Files that nobody in this project wrote; they are no part of the product, so a checkout may lack them. */
const corpus = process.env['CORPUS_DIR'] ?? path.resolve(import.meta.dirname, '../../../shared/data');
const absent = !existsSync(corpus);
const why = absent ? ` (skipped: no test data at CORPUS_DIR or ${corpus})` : '';

let book: Book;
beforeEach(async () => {
  book = await openBook();
});
afterEach(async () => book.drop());

const read = (body: string | Uint8Array, contentType = 'text/csv'): Promise<Outcome> =>
  importFile(book.db, book.creditor.id, { body, contentType });

/** The database of a book, for another process. */
async function urlOf(db: Db): Promise<string> {
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(db);
  const url = new URL(inject('databaseUrl'));
  url.pathname = `/${rows[0]!.name}`;
  return url.href;
}

const HEADER = 'number;customer reference;customer name;amount;currency;issued on;due on';
const row = (number: number, customer = number % 7): string =>
  `INV-${number};C${customer};Customer ${customer};${number}.50;EUR;2026-01-05;2026-02-0${1 + (number % 9)}`;
const table = (count: number): string => [HEADER, ...Array.from({ length: count }, (_, i) => row(i + 1))].join('\n');

describe('a table', () => {
  test('becomes cases; the broken rows are told by line and a second import adds nothing', async () => {
    const file = [
      HEADER,
      row(1),
      'INV-2;C2;Customer 2;12.345;EUR;2026-01-05;2026-02-05',
      row(3),
      'INV-4;"C4',
      row(5),
    ].join('\n');
    const first = await read(file);
    expect(first).toMatchObject({ status: 'done', counts: [3, 0, 2] });
    expect(first.lines).toEqual([
      '2 INV-1 accepted',
      '3 INV-2 rejected tooManyDecimals /amount',
      '4 INV-3 accepted',
      '5 INV-4 rejected rowBroken',
      '6 INV-5 accepted',
    ]);
    const before = await bookOf(book.db);
    expect(before).toMatchObject({
      counts: { customers: 3, events: 3, case_runs: 3 },
      starts: ['INV-1', 'INV-3', 'INV-5'],
    });

    const second = await read(file);
    expect(second.counts).toEqual([0, 3, 2]);
    expect(await bookOf(book.db)).toEqual(before);
    expect(await check(book.db)).toEqual([]);
  });

  test('fills in customers from all their rows, the country and the creditor', async () => {
    await read(
      [
        'number;customer reference;customer name;amount;issued on;email;country;customer type;adresse;code postal;ville',
        'A1;C1;Un;10;2026-01-05;;;;;;',
        'A2;C1;Un;10;2026-01-05;first@un.example;DE;;Hauptstr. 1;10115;Berlin',
        'A3;C1;Un;10;2026-01-05;second@un.example;;;;;',
        'A4;C2;Deux;10;2026-01-05;;;particulier;;;',
      ].join('\n'),
    );
    const customers = await book.db.selectFrom('customers').selectAll().orderBy('reference').execute();
    expect(customers).toMatchObject([
      {
        reference: 'C1',
        country: 'DE',
        locale: 'de',
        time_zone: 'Europe/Berlin',
        kind: 'business',
        contacts: [{ role: 'billing', email: 'first@un.example' }],
        address: { lines: ['Hauptstr. 1'], postalCode: '10115', city: 'Berlin', country: 'DE' },
      },
      { reference: 'C2', country: 'FR', locale: 'fr', time_zone: 'Europe/Paris', kind: 'consumer', contacts: [] },
    ]);
  });

  test('leaves a known customer as it is, and needs a name for an unknown one', async () => {
    const home = { id: book.creditor.id, country: 'FR', locale: 'fr', timeZone: 'Europe/Paris' };
    await inTransaction(book.db, (tx) => createCustomer(tx, act, home, { reference: 'C1', name: 'Known as this' }));
    const { lines } = await read(
      ['number;customer reference;customer name;amount;issued on', 'A1;C1;;10;2026-01-05', 'A2;C2;;10;2026-01-05'].join(
        '\n',
      ),
    );
    expect(lines).toEqual(['2 A1 accepted', '3 A2 rejected unknownCustomer /customer/name']);
    const names = await book.db.selectFrom('customers').select('name').execute();
    expect(names).toEqual([{ name: 'Known as this' }]);
  });

  test('tells customers without a reference apart by number and name, and refuses to guess between two', async () => {
    const home = { id: book.creditor.id, country: 'FR', locale: 'fr', timeZone: 'Europe/Paris' };
    await inTransaction(book.db, async (tx) => {
      await createCustomer(tx, act, home, { reference: 'T1', name: 'Twin' });
      await createCustomer(tx, act, home, { reference: 'T2', name: 'Twin' });
      await createCustomer(tx, act, home, { reference: 'S1', name: 'Single', registrationId: '123456789' });
    });
    const { lines } = await read(
      [
        'number;customer name;siren;amount;issued on',
        'A1;Twin;;10;2026-01-05',
        'A2;Single renamed;123456789;10;2026-01-05',
        'A3;Single;987654321;10;2026-01-05',
        'A4;New;;10;2026-01-05',
        'A5;New;;10;2026-01-05',
        'A6;New;555;10;2026-01-05',
        `A7;${'Long '.repeat(40)};;10;2026-01-05`,
      ].join('\n'),
    );
    expect(lines[0]).toBe('2 A1 rejected customerAmbiguous /customer/reference');
    expect(lines.slice(1).every((line) => line.endsWith('accepted'))).toBe(true);
    const invoices = await book.db
      .selectFrom('invoices as i')
      .innerJoin('customers as c', 'c.id', 'i.customer_id')
      .select(['i.number', 'c.reference'])
      .orderBy('i.number')
      .execute();
    expect(invoices.slice(0, -1).map(({ number, reference }) => `${number} ${reference}`)).toEqual([
      'A2 S1',
      'A3 987654321',
      'A4 New',
      'A5 New',
      'A6 New',
    ]);
    expect(invoices.at(-1)!.reference).toMatch(/^Long .*~[0-9a-f]{12}$/);
    expect(invoices.at(-1)!.reference).toHaveLength(100);
  });

  test('refuses another content under a number, says what differs, and adds no customer for it', async () => {
    await read([HEADER, row(1)].join('\n'));
    const second = await read([HEADER, 'INV-1;NEW;New customer;99.00;EUR;2026-01-05;2026-02-02', row(2)].join('\n'));
    expect(second.lines).toEqual(['2 INV-1 rejected invoiceExists /customer', '3 INV-2 accepted']);
    expect(second.messages[0]).toMatch(/Different: customer, amount\.$/);
    const references = await book.db.selectFrom('customers').select('reference').orderBy('reference').execute();
    expect(references.map(({ reference }) => reference)).toEqual(['C1', 'C2']);
  });

  test('says where a due date came from, and takes one it worked out itself for no content', async () => {
    const file = [
      'number;customer reference;customer name;amount;issued on;due on;payment terms',
      'A1;C1;One;10;2026-01-05;2026-02-15;',
      'A2;C1;One;10;2026-01-05;;10 days net',
      'A3;C1;One;10;2026-01-05;;',
    ].join('\n');
    expect((await read(file)).counts).toEqual([3, 0, 0]);
    const registered = await book.db
      .selectFrom('events as e')
      .innerJoin('invoices as i', 'i.id', 'e.invoice_id')
      .select(['i.number', 'i.due_on', 'e.data', 'e.kind', 'e.actor'])
      .orderBy('i.number')
      .execute();
    expect(registered).toMatchObject([
      { number: 'A1', due_on: '2026-02-15', kind: 'invoiceRegistered', actor: 'desk', data: { dueOnFrom: 'document' } },
      { number: 'A2', due_on: '2026-01-15', data: { dueOnFrom: 'terms' } },
      { number: 'A3', due_on: '2026-02-04', data: { dueOnFrom: 'paymentDays' } },
    ]);

    await inTransaction(book.db, (tx) => changeCreditor(tx, book.creditor.id, { paymentDays: 60 }));
    const moved = await book.db
      .selectFrom('invoices')
      .select('id')
      .where('number', '=', 'A1')
      .executeTakeFirstOrThrow();
    await inTransaction(book.db, (tx) => changeDueOn(tx, act, book.creditor.id, moved.id, '2026-03-15'));
    expect((await read(file)).counts).toEqual([0, 3, 0]);
  });

  test('takes the euro where its creditor has it, and asks for the currency elsewhere', async () => {
    const file = 'number;customer name;amount;issued on\nA1;One;10;2026-01-05';
    expect((await read(file)).counts).toEqual([1, 0, 0]);
    await inTransaction(book.db, (tx) => changeCreditor(tx, book.creditor.id, { country: 'CH' }));
    expect((await read(file.replace('A1', 'A2'))).lines).toEqual(['2 A2 rejected required /currency']);
  });

  test('applies credit notes to the invoice they correct, wherever both stand in the file', async () => {
    const file = [
      'number;document type;corrects;customer reference;customer name;amount;issued on',
      'CN1;credit note;INV1;C1;One;-30;2026-01-20',
      'INV1;invoice;;C1;One;100;2026-01-05',
      'CN2;credit note;UNKNOWN;C1;One;5;2026-01-20',
      'CN3;credit note;INV1;C1;One;90;2026-01-21',
      'CN4;credit note;INV1;C2;Two;10;2026-01-21',
      'CN5;credit note;INV1;C1;One;10;2026-01-05;too many cells',
    ].join('\n');
    const { lines, counts } = await read(file);
    expect(counts).toEqual([4, 0, 2]);
    expect(lines[4]).toMatch(/^6 CN4 rejected customerMismatch/);
    const before = await bookOf(book.db);
    expect(before).toMatchObject({
      invoices: [{ number: 'INV1', balance_minor: 0n }],
      credits: [
        { number: 'CN1', amount_minor: 3_000n, unapplied_minor: 0n },
        { number: 'CN2', amount_minor: 500n, unapplied_minor: 500n },
        { number: 'CN3', amount_minor: 9_000n, unapplied_minor: 2_000n },
      ],
      counts: { customers: 1 },
    });
    expect((await read(file)).counts).toEqual([0, 4, 2]);
    expect(await bookOf(book.db)).toEqual(before);
    expect(await check(book.db)).toEqual([]);
  });

  test('a credit note that came before its invoice stays unapplied, and is unchanged when it comes again', async () => {
    const head = 'number;document type;corrects;customer reference;customer name;amount;issued on';
    const note = 'CN1;credit note;INV1;C1;One;30;2026-01-20';
    await read([head, note].join('\n'));
    const both = await read([head, 'INV1;invoice;;C1;One;100;2026-01-05', note].join('\n'));
    expect(both.lines).toEqual(['2 INV1 accepted', '3 CN1 unchanged']);
    expect((await read([head, note.replace(';30;', ';31;')].join('\n'))).lines).toEqual([
      '2 CN1 rejected creditNoteExists',
    ]);
  });

  test('a value that only the database refuses costs its own row', async () => {
    await sql`alter table invoices add check (number <> 'INV-2')`.execute(book.db);
    const { lines } = await read(table(3));
    expect(lines).toEqual(['2 INV-1 accepted', '3 - rejected rowUnstorable', '4 INV-3 accepted']);
  });
});

describe('a file of which nothing can be read', () => {
  test.each([
    ['', 'text/csv', 'csvEmpty'],
    ['a;b;c\n1;2;3', 'text/csv', 'csvNoHeader'],
    ['%PDF-1.7 and nothing else', 'application/pdf', 'pdfUnreadable'],
    ['<html></html>', 'application/xml', 'xmlNotInvoice'],
    ['<broken', 'text/xml', 'xmlBroken'],
    ['number;amount', 'application/pdf', 'documentUnreadable'],
  ])('%j as %s ends as done with line 0: %s', async (body, contentType, code) => {
    const outcome = await read(body, contentType);
    expect(outcome).toMatchObject({ status: 'done', counts: [0, 0, 1] });
    expect(outcome.lines).toEqual([`0 - rejected ${code}`]);
    expect(outcome.messages[0]).toMatch(/\.$/);
  });

  test('a PDF without an invoice in it', async () => {
    const outcome = await read(await pdfWith([]), 'application/pdf');
    expect(outcome.lines).toEqual(['0 - rejected pdfWithoutXml']);
  });
});

describe('an e-invoice', () => {
  test('goes to the customer of its numbers, else to one it was given before, never to a namesake with another reference', async () => {
    const home = { id: book.creditor.id, country: 'FR', locale: 'fr', timeZone: 'Europe/Paris' };
    await inTransaction(book.db, (tx) => createCustomer(tx, act, home, { reference: 'K1', name: 'Buyer' }));
    const buyer = (reference: string, name: string): string => `${reference}<Name>${name}</Name>`;
    await read(cii({ number: 'E1', buyer: buyer('<ID>K2</ID>', 'Buyer') }), 'application/xml');
    await read(cii({ number: 'E2', buyer: buyer('', 'Other') }), 'application/xml');
    await read(cii({ number: 'E3', buyer: buyer('<ID>K3</ID>', 'Other') }), 'application/xml');
    const found = await book.db
      .selectFrom('invoices as i')
      .innerJoin('customers as c', 'c.id', 'i.customer_id')
      .select(['i.number', 'c.reference'])
      .orderBy('i.number')
      .execute();
    expect(found).toEqual([
      { number: 'E1', reference: 'K2' },
      { number: 'E2', reference: 'Other' },
      { number: 'E3', reference: 'Other' },
    ]);
  });

  test('that came as a PDF is kept with its invoice, once', async () => {
    const body = await pdfWith([{ name: 'factur-x.xml', content: cii({ number: 'P/1' }) }]);
    const file = { body, contentType: 'application/pdf' };
    expect((await importFile(book.db, book.creditor.id, file)).lines).toEqual(['1 P/1 accepted']);
    expect((await importFile(book.db, book.creditor.id, file)).lines).toEqual(['1 P/1 unchanged']);
    const files = await book.db.selectFrom('invoice_files').selectAll().execute();
    expect(files).toMatchObject([{ filename: 'P-1.pdf', content_type: 'application/pdf' }]);
    expect(files[0]!.bytes.equals(Buffer.from(body))).toBe(true);
    expect(await verifyChain(book.db, files[0]!.invoice_id)).toEqual([]);
  });
});

describe('going on after a crash', () => {
  test.each([1, 2, 3])('thrown out of batch %d of 4, the second attempt does the rest', async (batches) => {
    const file = `${table(700)}\nBAD;C1;One;1.001;EUR;2026-01-05;2026-02-01`;
    const importId = await upload(book.db, book.creditor.id, { body: file });
    let calls = 0;
    const dying = importDeps(book.db, () => {
      calls += 1;
      if (calls > batches) throw new Error('INV-1 of Customer 1 died');
      return NOW;
    });
    await expect(createRunImport(dying)({ importId })).rejects.toThrow(/^import interrupted: Error$/);
    const between = await outcomeOf(book.db, importId);
    expect(between).toMatchObject({ status: 'running', counts: [batches * 200, 0, 0] });

    await createRunImport(importDeps(book.db))({ importId });
    expect(await outcomeOf(book.db, importId)).toMatchObject({ status: 'done', counts: [700, 0, 1] });
    await createRunImport(importDeps(book.db))({ importId });
    expect(await outcomeOf(book.db, importId)).toMatchObject({ status: 'done', counts: [700, 0, 1] });
    expect(await bookOf(book.db)).toMatchObject({ counts: { customers: 7, events: 700, case_runs: 700 } });
    expect(await check(book.db)).toEqual([]);
  });

  test('killed with SIGKILL at a random moment, a new process brings the same book as one that was left in peace', async () => {
    const file = table(3_000);
    const peace = await openBook();
    onTestFinished(async () => peace.drop());
    await importFile(peace.db, peace.creditor.id, { body: file });

    const importId = await upload(book.db, book.creditor.id, { body: file });
    const child = path.join(import.meta.dirname, 'import-child.ts');
    const url = await urlOf(book.db);
    const victim = spawn(process.execPath, ['--import', 'tsx', child, url, importId], { stdio: 'inherit' });
    const gone = new Promise((resolve) => victim.once('exit', resolve));
    const goal = 200 * (2 + Math.floor(Math.random() * 9));
    while ((await outcomeOf(book.db, importId)).counts[0] < goal) await pause(5);
    victim.kill('SIGKILL');
    await gone;
    const { counts, status } = await outcomeOf(book.db, importId);
    expect(status).toBe('running');
    expect(counts[0]).toBeGreaterThanOrEqual(goal);
    expect(counts[0]).toBeLessThan(3_000);

    await createRunImport(importDeps(book.db))({ importId });
    expect(await outcomeOf(book.db, importId)).toMatchObject({ status: 'done', counts: [3_000, 0, 0] });
    expect(await bookOf(book.db)).toEqual(await bookOf(peace.db));
  }, 60_000);

  test('two readers of one import, and two imports of one file, do each row once', async () => {
    const file = table(900);
    const ids = [
      await upload(book.db, book.creditor.id, { body: file }),
      await upload(book.db, book.creditor.id, { body: file }),
    ];
    await Promise.all([...ids, ...ids].map((importId) => createRunImport(importDeps(book.db))({ importId })));
    const outcomes = await Promise.all(ids.map((id) => outcomeOf(book.db, id)));
    expect(outcomes.map(({ status }) => status)).toEqual(['done', 'done']);
    const total = outcomes.map(({ counts }) => counts).reduce((a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
    expect(total).toEqual([900, 900, 0]);
    expect(await bookOf(book.db)).toMatchObject({ counts: { events: 900, customers: 7, case_runs: 900 } });
    expect(await check(book.db)).toEqual([]);
  });
});

describe('as an activity', () => {
  test('it beats with numbers only and stops when it is cancelled', async () => {
    const importId = await upload(book.db, book.creditor.id, { body: table(600) });
    const environment = new MockActivityEnvironment();
    const beats: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => {
      beats.push(details);
      if (beats.length === 5) environment.cancel();
    });
    const running = environment.run(createRunImport(importDeps(book.db)), { importId });
    await expect(running).rejects.toMatchObject({ name: 'CancelledFailure' });
    expect(beats).toHaveLength(5);
    expect(beats.every((beat) => /^\{"rows":\d+\}$/.test(JSON.stringify(beat)))).toBe(true);
    await createRunImport(importDeps(book.db))({ importId });
    expect((await outcomeOf(book.db, importId)).counts).toEqual([600, 0, 0]);
  });

  test('what it logs and throws holds no cell of the file', async () => {
    const heard: HeardLog = { text: '' };
    const file =
      'number;customer name;amount;issued on\nCANARY-1;CANARY-2;CANARY-3;CANARY-4\nCANARY-5;CANARY-6;1;2026-01-05';
    const importId = await upload(book.db, book.creditor.id, { body: file });
    const dying = importDeps(
      book.db,
      () => {
        throw new Error('CANARY-7');
      },
      heard,
    );
    const failure = await createRunImport(dying)({ importId }).catch((error: unknown) => error);
    expect(`${String(failure)} ${JSON.stringify(failure)} ${(failure as Error).stack}`).not.toContain('CANARY');
    expect(heard.text).toContain('an import was interrupted');
    expect(heard.text).not.toContain('CANARY');
  });

  test('an import that does not exist is not tried again', async () => {
    await expect(createRunImport(importDeps(book.db))({ importId: 'imp_none' })).rejects.toMatchObject({
      nonRetryable: true,
      type: 'notFound',
    });
  });
});

test('property: importing any table twice adds nothing, in whatever order its rows come', async () => {
  const oneRow = fc.record({
    number: fc.integer({ min: 1, max: 12 }).map((n) => `N${n}`),
    kind: fc.constantFrom('invoice', 'invoice', 'credit note'),
    customer: fc.integer({ min: 1, max: 4 }).map((n) => `K${n}`),
    amount: fc.integer({ min: 1, max: 50_000 }).map((cents) => (cents / 100).toFixed(2)),
    corrects: fc.constantFrom('', 'N1', 'N2'),
    due: fc.constantFrom('', '2026-02-10', '2025-12-01'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(oneRow, { minLength: 1, maxLength: 25 }), async (rows) => {
      const own = await openBook();
      try {
        const lines = rows.map((r) => [
          r.number,
          r.kind,
          r.corrects,
          r.customer,
          r.customer,
          r.amount,
          '2026-01-05',
          r.due,
        ]);
        const file = [
          'number;document type;corrects;customer reference;customer name;amount;issued on;due on',
          ...lines.map((cells) => cells.join(';')),
        ].join('\n');
        const first = await importFile(own.db, own.creditor.id, { body: file });
        const before = await bookOf(own.db);
        const again = await importFile(own.db, own.creditor.id, { body: file });
        expect(await bookOf(own.db)).toEqual(before);
        expect(again.counts).toEqual([0, first.counts[0] + first.counts[1], first.counts[2]]);
        expect(await check(own.db)).toEqual([]);
      } finally {
        await own.drop();
      }
    }),
    { numRuns: 12 },
  );
}, 60_000);

describe.skipIf(absent)(`the shared files${why}`, () => {
  test('the e-invoices become cases, credits or rejections that name their reason', async () => {
    const folder = path.join(corpus, 'e-invoices');
    const seen: Record<string, string> = {};
    for (const name of readdirSync(folder).toSorted()) {
      const contentType = name.endsWith('.pdf') ? 'application/pdf' : 'application/xml';
      const outcome = await read(readFileSync(path.join(folder, name)), contentType);
      expect(outcome.status).toBe('done');
      const line = await book.db
        .selectFrom('import_rows as r')
        .leftJoin('events as e', (join) => join.onRef('e.invoice_id', '=', 'r.invoice_id').on('e.n', '=', 1))
        .select(['r.number', 'r.status', 'r.code', 'r.message', 'r.credit_note_id', 'e.data'])
        .where('r.import_id', '=', outcome.importId)
        .executeTakeFirstOrThrow();
      const what = line.credit_note_id === null ? 'invoice' : 'credit';
      const due = line.data ? ` due ${String(line.data['dueOn'])} from ${String(line.data['dueOnFrom'])}` : '';
      const reason = line.code === null ? '' : ` ${line.code}: ${line.message?.replace(/^.*Different/, 'different')}`;
      seen[name] = `${line.number} ${line.status} ${what}${due}${reason}`;
    }
    expect(seen).toEqual({
      'EN16931_Einfach.ubl.xml': '471102 accepted invoice due 2018-04-04 from terms',
      'EN16931_Elektron.cii.xml': '181301674 accepted invoice due 2018-04-25 from terms',
      'EN16931_Kraftfahrversicherung_Bruttopreise.ubl.xml':
        '00.123.456.7-2018-1 accepted invoice due 2018-04-10 from paymentDays',
      'EN16931_Physiotherapeut.cii.xml': 'R18-31 accepted invoice due 2018-11-21 from document',
      'EN16931_SEPA_Prenotification.ubl.xml':
        '471102 rejected invoice invoiceExists: different: dueOn, collection, collection/on.',
      'Facture_UE_BASICWL.pdf': 'FA-2017-0008 accepted invoice due 2017-12-03 from document',
      'XRECHNUNG_Einfach.cii.xml': '471102 rejected invoice invoiceExists: different: issuedOn, dueOn.',
      'zugferd_2p0_BASIC_Einfach.pdf': '471102 rejected invoice invoiceExists: different: amount, vat.',
      'zugferd_2p0_EN16931_Betriebskostenabrechnung.pdf':
        '471102 rejected invoice invoiceExists: different: customer, amount, vat.',
      'zugferd_2p0_EN16931_Kraftfahrversicherung_Bruttopreise.pdf':
        '00.123.456.7-2018-1 unchanged invoice due 2018-04-10 from paymentDays',
      'zugferd_2p0_EN16931_Rechnungskorrektur.pdf': 'RK21012345 accepted credit',
      'zugferd_2p0_EXTENDED_Rechnungskorrektur.pdf': 'RK21012345 unchanged credit',
    });
    expect(await check(book.db)).toEqual([]);
  });

  test('single_invoices.csv: 8,421 cases, 1,275 rejections by line, once', async () => {
    const body = readFileSync(path.join(corpus, 'payments-to-invoices', 'single_invoices.csv'));
    const first = await importFile(book.db, book.creditor.id, { body });
    expect(first).toMatchObject({ status: 'done', counts: [8_421, 0, 1_275] });
    const rejected = first.lines.filter((line) => line.includes('rejected'));
    expect(rejected.every((line) => line.endsWith(' rejected tooManyDecimals /amount'))).toBe(true);
    expect(first.messages.every((message) => /\b(JPY|KRW)\b/.test(message))).toBe(true);
    const before = await bookOf(book.db);
    expect((before['starts'] as string[]).length).toBe(8_421);
    expect(new Set(before['starts'] as string[]).size).toBe(8_421);

    const again = await importFile(book.db, book.creditor.id, { body });
    expect(again.counts).toEqual([0, 8_421, 1_275]);
    expect(await bookOf(book.db)).toEqual(before);
    expect(await check(book.db)).toEqual([]);
  }, 120_000);
});
