import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemAct } from '../../db/act.ts';
import { inTransaction } from '../../db/database.ts';
import { check } from '../../db/repositories/ledger.ts';
import { writeOffBalance } from '../../db/repositories/write-offs.ts';
import { FRENCH_CHART } from '../../domain/books/chart.ts';
import { newInvoice, startApi, type Harness, type TestCreditor } from '../api/harness.ts';
import { checkFec } from './fec-checker.ts';

/** The creditor's books as files: what is in them, and that they stay what they are. Today is 20 November 2026. */

let h: Harness;
beforeAll(async () => {
  h = await startApi();
});
afterAll(() => h.stop());

const VAT_20 = [{ rate: '20', net: '1000.00', vat: '200.00' }];

const open = async (overrides: Record<string, unknown> = {}) =>
  h.creditor({ registrationId: '552 100 554 00013', ...overrides });

const bill = async (own: TestCreditor, number: string, fields: Record<string, unknown> = {}) =>
  newInvoice(h, own.operator, { number, issuedOn: '2026-09-01', dueOn: '2026-10-01', vat: VAT_20, ...fields });

const pay = async (own: TestCreditor, id: string, amount: string, currency = 'EUR') => {
  const paid = await h.call(own.operator, 'POST', `/v1/invoices/${id}/payments`, {
    amount,
    currency,
    receivedOn: '2026-11-19',
  });
  expect(paid.status, JSON.stringify(paid.body)).toBe(201);
};

/** Gives up what is left of an invoice, as its case would. */
const writeOff = async (id: string) => {
  await inTransaction(h.db, async (tx) => {
    await writeOffBalance(tx, systemAct(Date.parse('2026-11-20T09:00:00Z')), id, '2026-11-20');
    await tx.updateTable('invoices').set({ stage: 'writtenOff' }).where('id', '=', id).execute();
    await tx
      .updateTable('case_runs')
      .set({ closed_on: '2026-11-20', closed_stage: 'writtenOff', stage_before: 'reminding' })
      .where('invoice_id', '=', id)
      .execute();
  });
};

const fetch = async (own: TestCreditor, url: string, headers: Record<string, string> = {}) => {
  const { raw, status } = await h.call(own.operator, 'GET', url, undefined, headers);
  expect(status, raw.body).toBe(200);
  const filename = /filename="([^"]+)"/.exec(String(raw.headers['content-disposition']))![1]!;
  return {
    text: raw.body,
    bytes: raw.rawPayload,
    filename,
    number: Number(raw.headers['export-number']),
    id: String(raw.headers['export-id']),
  };
};

/** Debits less credits of each account, in cents. */
function balances(fec: string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const line of fec.trim().split('\r\n').slice(1)) {
    const cells = line.split('\t');
    const cents = (text: string): number => Number(text.replace(',', ''));
    sums[cells[4]!] = (sums[cells[4]!] ?? 0) + cents(cells[11]!) - cents(cells[12]!);
  }
  return Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0));
}

describe('GET /v1/exports/fec', () => {
  test('holds every entry, VAT split off, and passes the checker', async () => {
    const own = await open();
    const paid = await bill(own, 'V-1');
    await bill(own, 'V-2', { amount: '1200.00' });
    await pay(own, paid.id, '700.00');
    await h.call(own.operator, 'POST', `/v1/invoices/${paid.id}/credit-notes`, {
      number: 'A-1',
      amount: '120.00',
      currency: 'EUR',
      issuedOn: '2026-11-18',
    });
    const fec = await fetch(own, '/v1/exports/fec?from=2026-01-01&to=2026-11-20');
    expect(fec.filename).toBe('552100554FEC20261120.txt');
    expect(checkFec(fec.filename, fec.bytes)).toEqual([]);
    expect(balances(fec.text)).toEqual({
      '411000': 240_000 - 70_000 - 12_000,
      '707000': -200_000,
      '709000': 10_000,
      '445710': -40_000 + 2_000,
      '512000': 70_000,
    });
    const [, first] = fec.text.split('\r\n');
    expect(first!.split('\t')).toEqual([
      'BQ',
      'Banque',
      '1',
      '20261119',
      '512000',
      'Banques',
      '',
      '',
      expect.stringMatching(/^rec_/),
      '20261119',
      'Encaissement',
      '700,00',
      '0,00',
      '',
      '',
      '20261120',
      '',
      '',
    ]);
    const sale = fec.text.split('\r\n').filter((line) => line.includes('Facture V-1'));
    expect(sale.map((line) => line.split('\t').slice(4, 13))).toEqual([
      [
        '411000',
        'Clients',
        expect.any(String),
        expect.any(String),
        'V-1',
        '20260901',
        'Facture V-1',
        '1200,00',
        '0,00',
      ],
      ['707000', 'Ventes de marchandises', '', '', 'V-1', '20260901', 'Facture V-1', '0,00', '1000,00'],
      ['445710', 'TVA collectée', '', '', 'V-1', '20260901', 'Facture V-1', '0,00', '200,00'],
    ]);
  });

  test('is the same export while nothing changes, and the next number once something has', async () => {
    const own = await open();
    const invoice = await bill(own, 'N-1');
    const first = await fetch(own, '/v1/exports/fec?from=2026-01-01&to=2026-11-20');
    const again = await fetch(own, '/v1/exports/fec?from=2026-01-01&to=2026-11-20');
    expect([first.number, again.number, again.id]).toEqual([1, 1, first.id]);
    await pay(own, invoice.id, '100.00');
    const second = await fetch(own, '/v1/exports/fec?from=2026-01-01&to=2026-11-20');
    expect(second.number).toBe(2);
    expect(checkFec(second.filename, second.bytes)).toEqual([]);
    // What was exported keeps its number, and what came later has the next.
    for (const line of first.text.split('\r\n').filter(Boolean)) expect(second.text).toContain(line);
    const file = await fetch(own, `/v1/exports/${first.id}/file`);
    expect([file.text, file.filename]).toEqual([first.text, first.filename]);
    const { body } = await h.call(own.operator, 'GET', '/v1/exports?kind=fec');
    expect(body.data).toMatchObject([
      { number: 2, kind: 'fec', from: '2026-01-01', to: '2026-11-20', lines: 3 + 4 },
      { number: 1, lines: 3, madeBy: expect.any(String), chartVersion: 0 },
    ]);
    const stranger = await open();
    const refused = await h.call(stranger.operator, 'GET', `/v1/exports/${first.id}/file`);
    expect(refused.status).toBe(404);
  });

  test('numbers without a gap whoever asks at the same time, an entry for an earlier day last', async () => {
    const own = await open();
    await Promise.all(Array.from({ length: 12 }, (_, n) => bill(own, `G-${n}`)));
    await Promise.all([
      ...Array.from({ length: 4 }, () => fetch(own, '/v1/exports/fec?from=2026-01-01&to=2026-11-20')),
      ...Array.from({ length: 12 }, (_, n) => bill(own, `H-${n}`, { issuedOn: '2026-08-01' })),
    ]);
    const last = await fetch(own, '/v1/exports/fec?from=2026-01-01&to=2026-11-20');
    expect(checkFec(last.filename, last.bytes)).toEqual([]);
    const numbers = [
      ...new Set(
        last.text
          .split('\r\n')
          .slice(1, -1)
          .map((line) => Number(line.split('\t')[2])),
      ),
    ];
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, n) => n + 1));
  });

  test('begins its numbers with the financial year', async () => {
    const own = await open();
    const { version: _, ...chart } = (await h.call(own.operator, 'GET', '/v1/accounts')).body;
    await h.call(own.operator, 'PUT', '/v1/accounts', { ...chart, yearBegins: 10 });
    await bill(own, 'Y-1', { issuedOn: '2026-09-30' });
    await bill(own, 'Y-2', { issuedOn: '2026-10-01', dueOn: '2026-10-31' });
    const year = await fetch(own, '/v1/exports/fec?from=2026-10-01&to=2026-11-20');
    expect(year.text.split('\r\n')[1]!.split('\t')[2]).toBe('1');
    const before = await fetch(own, '/v1/exports/fec?from=2026-01-01&to=2026-09-30');
    expect(before.text.split('\r\n')[1]!.split('\t')[2]).toBe('1');
  });

  test('leaves VAT on receipts pending until the money comes, to the cent', async () => {
    const own = await open();
    const { version: _, ...chart } = (await h.call(own.operator, 'GET', '/v1/accounts')).body;
    await h.call(own.operator, 'PUT', '/v1/accounts', { ...chart, vatDueOn: 'receipts' });
    const invoice = await bill(own, 'R-1', { amount: '100.00', vat: [{ rate: '5.5', net: '94.79', vat: '5.21' }] });
    for (const amount of ['33.33', '33.33']) await pay(own, invoice.id, amount);
    const part = await fetch(own, '/v1/exports/fec?from=2026-01-01&to=2026-11-20');
    // 5.21 × 66.66 % = 3.47; the rest is pending.
    expect(balances(part.text)).toMatchObject({ '445710': -347, '445800': -174 });
    await writeOff(invoice.id);
    const lost = await fetch(own, '/v1/exports/fec?from=2026-01-01&to=2026-11-20');
    expect(checkFec(lost.filename, lost.bytes)).toEqual([]);
    expect(balances(lost.text)).toEqual({ '445710': -347, '512000': 6_666, '654000': 3_334 - 174, '707000': -9_479 });
  });

  test('refuses what it cannot say, and changes nothing', async () => {
    const without = await h.creditor();
    await bill(without, 'E-1');
    const noSiren = await h.call(without.operator, 'GET', '/v1/exports/fec');
    expect([noSiren.status, noSiren.body.code]).toEqual([422, 'registrationIdMissing']);
    const own = await open();
    await bill(own, 'E-2');
    await bill(own, 'E-3', { currency: 'GBP' });
    const foreign = await h.call(own.operator, 'GET', '/v1/exports/fec');
    expect([foreign.status, foreign.body.code]).toEqual([422, 'foreignCurrency']);
    expect(foreign.body.detail).toContain('1 in GBP');
    expect((await h.call(own.operator, 'GET', '/v1/exports')).body.data).toEqual([]);
    const fec = await fetch(own, '/v1/exports/fec?foreign=omit');
    expect(checkFec(fec.filename, fec.bytes)).toEqual([]);
    expect((await h.call(own.operator, 'GET', '/v1/exports')).body.data).toMatchObject([{ omittedEntries: 1 }]);
    for (const [query, code, pointer] of [
      ['?to=2026-12-31', 'futureDate', '/to'],
      ['?from=2026-11-01&to=2026-10-01', 'periodInvalid', '/from'],
    ]) {
      const refused = await h.call(own.operator, 'GET', `/v1/exports/fec${query}`);
      expect([refused.status, refused.body.code, refused.body.errors[0].pointer]).toEqual([422, code, pointer]);
    }
  });
});

describe('the other exports', () => {
  test('are the journal in every currency and the sub-ledger of each invoice', async () => {
    const own = await open();
    const invoice = await bill(own, 'J-1', { issuedOn: '2026-05-01', dueOn: '2026-06-01' });
    await bill(own, 'J-2', { currency: 'GBP' });
    await pay(own, invoice.id, '300.00');
    const journal = await fetch(own, '/v1/exports/journal?from=2026-01-01&to=2026-11-20');
    expect(journal.filename).toBe('journal-2026-01-01-2026-11-20.csv');
    const rows = journal.text
      .trim()
      .split('\r\n')
      .map((line) => line.split(','));
    expect(rows[0]).toContain('accountName');
    expect(rows.filter((row) => row.at(-1) === 'GBP')).toHaveLength(3);
    const subledger = await fetch(own, '/v1/exports/subledger?from=2026-06-01&to=2026-11-20');
    expect(
      subledger.text
        .trim()
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(',').slice(2)),
    ).toEqual([
      ['J-1', '2026-05-01', '2026-06-01', '', 'opening', '', '', '1200.00', 'EUR'],
      ['J-1', '2026-05-01', '2026-06-01', '2026-11-20', 'allocated', '', '300.00', '900.00', 'EUR'],
      ['J-2', '2026-09-01', '2026-10-01', '2026-09-01', 'invoiceRegistered', '1200.00', '', '1200.00', 'GBP'],
    ]);
  });
});

describe('PUT /v1/accounts', () => {
  test('takes another chart, by which later exports are made, and refuses one that nobody could book by', async () => {
    const own = await open();
    const { body: before } = await h.call(own.operator, 'GET', '/v1/accounts');
    expect(before).toEqual({ version: 0, ...FRENCH_CHART });
    const { version: _, ...chart } = before;
    await bill(own, 'C-1');
    const old = await fetch(own, '/v1/exports/fec');
    const sales = { number: '706000', label: 'Prestations de services' };
    const { body: after } = await h.call(own.operator, 'PUT', '/v1/accounts', {
      ...chart,
      accounts: { ...chart.accounts, sales },
    });
    expect(after).toMatchObject({ version: 1, accounts: { sales } });
    const renewed = await fetch(own, '/v1/exports/fec');
    expect([renewed.number, renewed.text.includes('706000'), old.text.includes('706000')]).toEqual([2, true, false]);
    const wrong = {
      ...chart,
      accounts: { ...chart.accounts, bank: { number: '5X', label: 'Bank' }, vat: { number: '411000', label: 'TVA' } },
      journals: { ...chart.journals, bank: { number: 'VE', label: 'Banque' } },
    };
    const refused = await h.call(own.operator, 'PUT', '/v1/accounts', wrong);
    expect([refused.status, refused.body.code]).toEqual([422, 'chartInvalid']);
    expect(refused.body.errors.map((fault: { pointer: string; code: string }) => [fault.pointer, fault.code])).toEqual([
      ['/accounts/vat/label', 'accountNamedTwice'],
      ['/accounts/bank/number', 'accountNumberInvalid'],
      ['/journals/bank/number', 'journalCodeTaken'],
    ]);
    expect((await h.call(own.operator, 'GET', '/v1/accounts')).body.version).toBe(1);
  });
});

describe('POST /v1/invoices/{id}/vat-correction', () => {
  const correct = (own: TestCreditor, id: string) =>
    h.call(own.approver, 'POST', `/v1/invoices/${id}/vat-correction`, { reason: 'Closed without assets' });

  test('takes the VAT of a loss back, and makes it due again in proportion to what comes', async () => {
    const own = await open();
    const invoice = await bill(own, 'T-1');
    await pay(own, invoice.id, '300.00');
    await writeOff(invoice.id);
    const { status, body } = await correct(own, invoice.id);
    expect([status, body]).toEqual([
      201,
      {
        invoiceId: invoice.id,
        documentId: expect.stringMatching(/^doc_/),
        net: '750.00',
        vat: '150.00',
        currency: 'EUR',
      },
    ]);
    const pdf = await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}/documents/${body.documentId}`);
    expect(pdf.raw.body).toContain('T-1 15000');
    const fec = await fetch(own, '/v1/exports/fec');
    expect(balances(fec.text)).toMatchObject({ '654000': 75_000, '445710': -20_000 + 15_000 });

    await pay(own, invoice.id, '300.01');
    const after = await fetch(own, '/v1/exports/fec');
    expect(checkFec(after.filename, after.bytes)).toEqual([]);
    // 150.00 × 300.01 / 900.00 = 50.00 and a bit.
    expect(balances(after.text)).toMatchObject({
      '654000': 75_000,
      '445710': -5_000 - 5_000,
      '758000': -30_001 + 5_000,
    });
    const tasks = (await h.call(own.operator, 'GET', '/v1/tasks')).body.data;
    expect(tasks.filter((task: { kind: string }) => task.kind === 'vatDueAgain')).toMatchObject([
      { subject: 'VAT of 50.00 EUR is due again on invoice T-1' },
    ]);
    await pay(own, invoice.id, '599.99');
    expect(balances((await fetch(own, '/v1/exports/fec')).text)).toMatchObject({
      '445710': -20_000,
      '758000': -75_000,
    });
    expect(await check(h.db, own.id)).toEqual([]);
  });

  test('is refused where nothing is lost, nothing was due or nothing is known, and twice', async () => {
    const own = await open();
    const owed = await bill(own, 'U-1');
    expect((await correct(own, owed.id)).body.code).toBe('notWrittenOff');
    await writeOff(owed.id);
    expect((await h.call(own.operator, 'POST', `/v1/invoices/${owed.id}/vat-correction`, { reason: 'x' })).status).toBe(
      403,
    );
    expect((await correct(own, owed.id)).status).toBe(201);
    expect((await correct(own, owed.id)).body.code).toBe('vatRelieved');
    const plain = await bill(own, 'U-2', { vat: [] });
    await writeOff(plain.id);
    expect((await correct(own, plain.id)).body.code).toBe('vatUnknown');
    const german = await h.creditor({ country: 'DE', timeZone: 'Europe/Berlin', locale: 'de' });
    const abroad = await bill(german, 'U-3');
    await writeOff(abroad.id);
    expect((await correct(german, abroad.id)).body.code).toBe('vatReliefUnknown');
    const { version: _, ...chart } = (await h.call(own.operator, 'GET', '/v1/accounts')).body;
    await h.call(own.operator, 'PUT', '/v1/accounts', { ...chart, vatDueOn: 'receipts' });
    const receipts = await bill(own, 'U-4');
    await writeOff(receipts.id);
    expect((await correct(own, receipts.id)).body.code).toBe('vatNotDue');
  });
});

describe('POST /v1/invoices/{id}/doubtful', () => {
  const doubt = (own: TestCreditor, id: string, percent = '60') =>
    h.call(own.approver, 'POST', `/v1/invoices/${id}/doubtful`, { percent, reason: 'No answer' });

  test('moves what is open to 416 with an allowance without VAT, until nothing is open', async () => {
    const own = await open();
    const invoice = await bill(own, 'W-1');
    const { status, body } = await doubt(own, invoice.id);
    expect([status, body]).toEqual([
      201,
      { invoiceId: invoice.id, percent: '60', allowance: '600.00', currency: 'EUR' },
    ]);
    const marked = await fetch(own, '/v1/exports/fec');
    expect(checkFec(marked.filename, marked.bytes)).toEqual([]);
    const sold = { '707000': -100_000, '445710': -20_000 };
    expect(balances(marked.text)).toEqual({ ...sold, '416000': 120_000, '681740': 60_000, '491000': -60_000 });
    await pay(own, invoice.id, '200.00');
    expect(balances((await fetch(own, '/v1/exports/fec')).text)).toMatchObject({
      '416000': 100_000,
      '491000': -60_000,
    });
    await writeOff(invoice.id);
    const lost = await fetch(own, '/v1/exports/fec');
    expect(checkFec(lost.filename, lost.bytes)).toEqual([]);
    expect(balances(lost.text)).toEqual({
      ...sold,
      '512000': 20_000,
      '654000': 100_000,
      '681740': 60_000,
      '781740': -60_000,
    });
    expect(await check(h.db, own.id)).toEqual([]);
  });

  test('is taken back, and is refused where there is nothing to doubt', async () => {
    const own = await open();
    const invoice = await bill(own, 'W-2');
    for (const percent of ['0', '100.01', 'all', '-5']) {
      const refused = await doubt(own, invoice.id, percent);
      expect([refused.status, refused.body.code, refused.body.errors[0].pointer]).toEqual([
        422,
        'allowanceInvalid',
        '/percent',
      ]);
    }
    expect(
      (await h.call(own.operator, 'POST', `/v1/invoices/${invoice.id}/doubtful`, { percent: '50', reason: 'x' }))
        .status,
    ).toBe(403);
    expect((await doubt(own, invoice.id, '33.33')).body.allowance).toBe('333.30');
    expect((await doubt(own, invoice.id)).body.code).toBe('alreadyDoubtful');
    expect((await h.call(own.approver, 'DELETE', `/v1/invoices/${invoice.id}/doubtful`)).status).toBe(204);
    const again = await h.call(own.approver, 'DELETE', `/v1/invoices/${invoice.id}/doubtful`);
    expect([again.status, again.body.code]).toEqual([409, 'notDoubtful']);
    expect(balances((await fetch(own, '/v1/exports/fec')).text)).toMatchObject({ '411000': 120_000 });
    await pay(own, invoice.id, '1200.00');
    expect((await doubt(own, invoice.id)).body.code).toBe('nothingOwed');
    const kinds = (await h.call(own.operator, 'GET', `/v1/invoices/${invoice.id}/timeline`)).body.data;
    expect(kinds.map((event: { kind: string }) => event.kind)).toEqual(
      expect.arrayContaining(['markedDoubtful', 'doubtfulEnded']),
    );
  });
});
