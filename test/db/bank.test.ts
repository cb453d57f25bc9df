import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { readProvider } from '../../domain/statement/providers/read.ts';
import type { Transaction } from '../../domain/statement/transaction.ts';
import { takeIn } from '../../db/repositories/transactions.ts';
import { dataKeyOf } from '../../domain/statement/standard-webhook.ts';
import { createDatabase, inTransaction } from '../../db/database.ts';
import { allocate } from '../../db/repositories/allocations.ts';
import { drainFeed } from '../../db/repositories/bank-transactions.ts';
import type { CustomerRow } from '../../db/repositories/customers.ts';
import { IntakeWriter, storeSingly, type IncomingWebhook } from '../../db/repositories/inbox.ts';
import { check } from '../../db/repositories/ledger.ts';
import {
  act,
  addCreditor,
  addCustomer,
  addFeed,
  addInvoice,
  invoiceOf,
  kindsOnTimeline,
  noHolidays,
  NOW,
  openBook,
  POLICY,
  type Book,
} from './book.ts';

let book: Book;
let feedId: string;
beforeAll(async () => {
  book = await openBook();
  feedId = await addFeed(book);
});
afterAll(() => book.drop());

let serial = 0;
const message = (body: object | string, change: Partial<IncomingWebhook> = {}): IncomingWebhook => {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  serial += 1;
  return {
    feedId,
    creditorId: book.creditor.id,
    webhookId: `msg_${serial}`,
    dataKey: dataKeyOf(bytes),
    body: bytes,
    receivedAt: NOW,
    ...change,
  };
};

interface Booking {
  id?: string;
  amount?: string;
  currency?: string;
  direction?: string;
  counterparty?: object;
  remittance?: string;
}
const booked = (data: Booking) => {
  serial += 1;
  const defaults = {
    id: `tx_${serial}`,
    bookedOn: '2026-03-02',
    amount: '100.00',
    currency: 'EUR',
    direction: 'credit',
  };
  return message({ type: 'transaction.booked', data: { ...defaults, ...data } });
};
const returned = (originalId: string, amount = '100.00', id = `back_${(serial += 1)}`, currency = 'EUR') =>
  message({
    type: 'transaction.returned',
    data: { id, originalId, amount, currency, bookedOn: '2026-03-02', reasonCode: 'AC04' },
  });

const take = async (...rows: IncomingWebhook[]) => {
  for (const row of rows) await storeSingly(book.db, row);
  return drainFeed(book.db, feedId, { now: NOW, holidays: noHolidays });
};
const rowOf = (row: IncomingWebhook) =>
  book.db.selectFrom('inbox').selectAll().where('webhook_id', '=', row.webhookId).executeTakeFirstOrThrow();
const receiptOf = async (row: IncomingWebhook) => {
  const { receipt_id: id } = await rowOf(row);
  return book.db.selectFrom('receipts').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
};
const tasksOf = async (kind: string) =>
  book.db.selectFrom('tasks').selectAll().where('kind', '=', kind).orderBy('seq').execute();
const holdsOf = async (receiptId: string) =>
  book.db.selectFrom('holds').selectAll().where('source_id', '=', receiptId).orderBy('seq').execute();

describe('taking webhooks in', () => {
  const count = async (webhookId: string) =>
    (await book.db.selectFrom('inbox').select('id').where('webhook_id', '=', webhookId).execute()).length;

  test('1,000 copies at once are one row, and each caller hears what became of its copy', async () => {
    const writer = new IntakeWriter(book.db);
    const row = booked({ direction: 'debit' });
    const results = await Promise.all(Array.from({ length: 1_000 }, () => writer.write(row)));
    expect(results.filter((result) => result === 'stored')).toHaveLength(1);
    expect(await count(row.webhookId)).toBe(1);
    expect(await writer.write(row)).toBe('duplicate');
    expect(await storeSingly(book.db, row)).toBe('duplicate');
    await drainFeed(book.db, feedId, { now: NOW, holidays: noHolidays });
  });

  test('the same transaction in another message is a duplicate too, unreadable ones are not', async () => {
    const writer = new IntakeWriter(book.db);
    const row = booked({ direction: 'debit' });
    const twins = [row, { ...row, webhookId: 'other-message' }, message('{'), message('{')];
    expect(await Promise.all(twins.map((twin) => writer.write(twin)))).toEqual([
      'stored',
      'duplicate',
      'stored',
      'stored',
    ]);
    await drainFeed(book.db, feedId, { now: NOW, holidays: noHolidays });
  });

  test('many share a commit, the feed is poked, and a caller hears only after it', async () => {
    await book.db.deleteFrom('outbox').execute();
    const writer = new IntakeWriter(book.db, { batch: 50 });
    const rows = Array.from({ length: 200 }, () => booked({ direction: 'debit' }));
    const seen = await Promise.all(rows.map(async (row) => [await writer.write(row), await count(row.webhookId)]));
    expect(seen.every(([result, stored]) => result === 'stored' && stored === 1)).toBe(true);
    await writer.drained();
    const stamps = await book.db
      .selectFrom('inbox')
      .select((eb) => eb.fn.countAll<bigint>().as('n'))
      .where(
        'webhook_id',
        'in',
        rows.map(({ webhookId }) => webhookId),
      )
      .executeTakeFirstOrThrow();
    expect(stamps.n).toBe(200n);
    const pokes = await book.db.selectFrom('outbox').select(['kind', 'target']).execute();
    expect(pokes).toEqual([{ kind: 'pokeFeed', target: feedId }]);
    expect(await drainFeed(book.db, feedId, { now: NOW, holidays: noHolidays, batch: 150 })).toEqual({
      applied: 150,
      left: 50,
    });
    expect(await drainFeed(book.db, feedId, { now: NOW, holidays: noHolidays })).toEqual({ applied: 50, left: 0 });
  });

  test('a bad row takes no other with it', async () => {
    const writer = new IntakeWriter(book.db);
    const good = [booked({ direction: 'debit' }), booked({ direction: 'debit' })];
    const bad = { ...booked({}), feedId: 'fee_none' };
    const results = await Promise.allSettled([writer.write(good[0]!), writer.write(bad), writer.write(good[1]!)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await Promise.all(good.map(({ webhookId }) => count(webhookId)))).toEqual([1, 1]);
    expect(await count(bad.webhookId)).toBe(0);
    await drainFeed(book.db, feedId, { now: NOW, holidays: noHolidays });
  });

  test('what would wait without bound is refused', async () => {
    const writer = new IntakeWriter(book.db, { queue: 3 });
    const rows = Array.from({ length: 5 }, () => booked({ direction: 'debit' }));
    const results = await Promise.allSettled(rows.map((row) => writer.write(row)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    await drainFeed(book.db, feedId, { now: NOW, holidays: noHolidays });
  });
});

describe('draining a feed', () => {
  test('applies what quotes exactly one open invoice, by number or reference', async () => {
    const debtor = await addCustomer(book);
    const first = await addInvoice(book, debtor, { number: 'FA-2026-7001' });
    const second = await addInvoice(book, debtor, { number: 'FA-2026-7002', references: ['PO 88-7755'] });
    const rows = [
      booked({ remittance: 'Paiement fa 2026 7001' }),
      booked({ amount: '40', remittance: 'Bestellung PO887755' }),
    ];
    expect(await take(...rows)).toEqual({ applied: 2, left: 0 });
    expect((await invoiceOf(book.db, first)).balance_minor).toBe(0n);
    expect((await invoiceOf(book.db, second)).balance_minor).toBe(6_000n);
    expect(await receiptOf(rows[0]!)).toMatchObject({ unapplied_minor: 0n, customer_id: debtor.id });
    expect(await kindsOnTimeline(book.db, second)).toEqual(['invoiceRegistered', 'paymentAllocated']);
    expect(await take()).toEqual({ applied: 0, left: 0 });
    expect(await check(book.db)).toEqual([]);
  });

  test('a debit is recorded and ignored', async () => {
    const row = booked({ direction: 'debit', remittance: 'FA-2026-7001' });
    await take(row);
    expect(await rowOf(row)).toMatchObject({ status: 'applied', receipt_id: null });
  });

  test.each([
    ['nothingQuoted', { remittance: 'merci' }],
    ['severalQuoted', { remittance: 'Q-501 et Q-502' }],
    ['otherCurrency', { remittance: 'Q-501', currency: 'USD' }],
    ['closedQuoted', { remittance: 'Q-503' }],
  ])('else it is unapplied, a task, and a hold on what it quotes: %s', async (reason, data: Booking) => {
    const other = { ...book, creditor: await addCreditor(book.db) };
    const otherFeed = await addFeed(other);
    const debtor = await addCustomer(other);
    const ids: string[] = [];
    for (const number of ['Q-501', 'Q-502', 'Q-503']) ids.push(await addInvoice(other, debtor, { number }));
    await book.db.updateTable('invoices').set({ stage: 'writtenOff' }).where('id', '=', ids[2]!).execute();
    const row = { ...booked(data), feedId: otherFeed, creditorId: other.creditor.id };
    await storeSingly(book.db, row);
    await drainFeed(book.db, otherFeed, { now: NOW, holidays: noHolidays });

    const receipt = await receiptOf(row);
    expect(receipt.unapplied_minor).toBe(receipt.amount_minor);
    const [task] = await book.db.selectFrom('tasks').selectAll().where('receipt_id', '=', receipt.id).execute();
    expect(task).toMatchObject({ kind: 'unappliedCash', status: 'open', data: { reason } });
    const held = (await holdsOf(receipt.id)).filter(({ invoice_id }) => invoice_id !== null);
    const quotedOpen = { nothingQuoted: 0, severalQuoted: 2, otherCurrency: 1, closedQuoted: 0 }[reason];
    expect(held).toHaveLength(quotedOpen!);
    for (const hold of held) expect(hold).toMatchObject({ kind: 'unappliedCash', until_on: null });
    const ofCustomer = (await holdsOf(receipt.id)).filter(({ invoice_id }) => invoice_id === null);
    expect(ofCustomer).toHaveLength(reason === 'nothingQuoted' || reason === 'otherCurrency' ? 0 : 1);

    if (reason === 'severalQuoted') {
      await inTransaction(book.db, (tx) =>
        allocate(tx, act, { receiptId: receipt.id, invoiceId: ids[0]!, amountMinor: 10_000n, rule: 'manual' }),
      );
      expect((await holdsOf(receipt.id)).map(({ lifted_on }) => lifted_on)).toEqual(Array(3).fill('2026-03-02'));
    }
  });

  test('a number that two customers own names nobody, and both invoices are held', async () => {
    const [a, b] = [await addCustomer(book), await addCustomer(book)];
    const ids = [
      await addInvoice(book, a, { references: ['SHARED-9'] }),
      await addInvoice(book, b, { references: ['SHARED-9'] }),
    ];
    const row = booked({ remittance: 'SHARED 9' });
    await take(row);
    const receipt = await receiptOf(row);
    expect(receipt.customer_id).toBeNull();
    const held = (await holdsOf(receipt.id)).map(({ invoice_id }) => invoice_id);
    expect(new Set(held)).toEqual(new Set(ids));
    expect(held).toHaveLength(2);
  });

  test('money is taken to be from the owner of the account, else of the name, when there is exactly one', async () => {
    const known = await addCustomer(book, 'Éts. Dupré & Fils');
    const namesakes = [await addCustomer(book, 'Twin Ltd'), await addCustomer(book, 'TWIN, LTD.')];
    const invoiceId = await addInvoice(book, known, { number: 'LEARN-1' });
    await addInvoice(book, known, { dueOn: '2026-02-01' });
    await take(booked({ remittance: 'LEARN-1', counterparty: { iban: 'DE02 1203', name: 'x' } }));
    expect((await invoiceOf(book.db, invoiceId)).balance_minor).toBe(0n);

    const byAccount = booked({ amount: '49.99', counterparty: { iban: 'de021203', name: 'Twin Ltd' } });
    const byName = booked({ amount: '50.00', counterparty: { name: 'ETS DUPRE + FILS' } });
    const byNobody = booked({ counterparty: { name: 'Twin Ltd', iban: 'FR99' } });
    await take(byAccount, byName, byNobody);
    expect((await receiptOf(byAccount)).customer_id).toBe(known.id);
    expect((await receiptOf(byName)).customer_id).toBe(known.id);
    expect((await receiptOf(byNobody)).customer_id).toBeNull();
    expect(namesakes).toHaveLength(2);
    // 100.00 is overdue and the share is a half: 49.99 does not hold, 50.00 does.
    expect(await holdsOf((await receiptOf(byAccount)).id)).toEqual([]);
    expect(await holdsOf((await receiptOf(byName)).id)).toMatchObject([
      { customer_id: known.id, invoice_id: null, until_on: '2026-03-05' },
    ]);
  });

  test('public holidays push the end of the hold back; without the branch there is no hold', async () => {
    const debtor = await addCustomer(book);
    await addInvoice(book, debtor, { number: 'HOL-1' });
    const row = booked({ remittance: 'HOL-1', amount: '200.00' });
    await storeSingly(book.db, row);
    const asked: string[] = [];
    const holidays = (country: string) => {
      asked.push(country);
      return new Set(['2026-03-04']);
    };
    await drainFeed(book.db, feedId, { now: NOW, holidays });
    expect(asked).toEqual(['FR']);
    const [, ofCustomer] = await holdsOf((await receiptOf(row)).id);
    expect(ofCustomer).toMatchObject({ invoice_id: null, until_on: '2026-03-06' });

    const off = { ...book, creditor: await addCreditor(book.db, { ...POLICY, unappliedCash: null }) };
    const offFeed = await addFeed(off);
    await addInvoice(off, await addCustomer(off), { number: 'HOL-2' });
    const second = {
      ...booked({ remittance: 'HOL-2', amount: '200.00' }),
      feedId: offFeed,
      creditorId: off.creditor.id,
    };
    await storeSingly(book.db, second);
    await drainFeed(book.db, offFeed, { now: NOW, holidays: noHolidays });
    expect(await holdsOf((await receiptOf(second)).id)).toEqual([]);
    expect(
      await book.db.selectFrom('tasks').select('kind').where('creditor_id', '=', off.creditor.id).execute(),
    ).toEqual([{ kind: 'unappliedCash' }]);
  });

  test('what cannot be read is kept and becomes a task, and what follows is handled', async () => {
    const before = (await tasksOf('unreadableWebhook')).length;
    const invoiceId = await addInvoice(book, await addCustomer(book), { number: 'AFTER-1' });
    const bad = [
      message('{"type":'),
      booked({ amount: '1.001' }),
      booked({ amount: '-1' }),
      booked({ currency: 'XXX' }),
    ];
    const good = booked({ remittance: 'AFTER-1' });
    expect(await take(...bad, good)).toEqual({ applied: 5, left: 0 });
    const codes = [];
    for (const row of bad) codes.push((await rowOf(row)).error_code);
    expect(codes).toEqual(['notJson', 'tooManyDecimals', 'amountInvalid', 'unknownCurrency']);
    expect((await tasksOf('unreadableWebhook')).length).toBe(before + 4);
    expect((await invoiceOf(book.db, invoiceId)).balance_minor).toBe(0n);
  });

  test('a transaction that cannot be written down lets what is behind it pass', async () => {
    await sql`create function refuse_odd() returns trigger language plpgsql as $$
      begin
        if new.amount_minor = 66613 then raise exception 'no' using errcode = '23514'; end if;
        return new;
      end $$`.execute(book.db);
    await sql`create trigger odd before insert on receipts for each row execute function refuse_odd()`.execute(book.db);
    const invoiceId = await addInvoice(book, await addCustomer(book), { number: 'BEHIND-1' });
    const account = { feedId, creditorId: book.creditor.id, iban: null };
    const one = (id: string, amountMinor: bigint, remittance: string): Transaction => {
      const [message] = readProvider('standard', booked({ id, remittance }).body);
      if (message?.kind !== 'transaction') throw new Error('It tells a transaction.');
      return { ...message.transaction, amountMinor, position: id };
    };
    await inTransaction(book.db, (tx) =>
      takeIn(tx, act, account, 'sta_odd', [one('odd-1', 66_613n, 'x'), one('odd-2', 10_000n, 'BEHIND-1')]),
    );
    await take();
    expect((await invoiceOf(book.db, invoiceId)).balance_minor).toBe(0n);
    expect(await tasksOf('transactionFailed')).toHaveLength(1);
    expect(await take()).toEqual({ applied: 0, left: 0 });
    await sql`drop trigger odd on receipts`.execute(book.db);
  });

  test('so does a message at which a rule says no that nobody expects', async () => {
    const debtor = await addCustomer(book);
    const first = await addInvoice(book, debtor, { number: 'NO-1' });
    const second = await addInvoice(book, debtor, { number: 'NO-2' });
    const refused = booked({ remittance: 'NO-1', amount: '200.00' });
    await storeSingly(book.db, refused);
    await storeSingly(book.db, booked({ remittance: 'NO-2' }));
    const holidays = (): never => {
      throw new DomainError('lawUnknown', 'Nobody knows these holidays.');
    };
    expect(await drainFeed(book.db, feedId, { now: NOW, holidays })).toEqual({ applied: 2, left: 0 });
    expect(await rowOf(refused)).toMatchObject({ status: 'unreadable', error_code: 'lawUnknown' });
    expect((await tasksOf('unreadableWebhook')).at(-1)!.data).toMatchObject({ code: 'lawUnknown' });
    expect((await invoiceOf(book.db, first)).balance_minor).toBe(10_000n);
    expect((await invoiceOf(book.db, second)).balance_minor).toBe(0n);
    expect(await check(book.db)).toEqual([]);
  });

  test('text of any kind is only ever data', async () => {
    const row = booked({
      remittance: `'; drop table invoices; -- <script>\u0000 \ud800`,
      counterparty: { name: "O'Neil\u0000" },
    });
    await take(row);
    expect(await receiptOf(row)).toMatchObject({ payer_name: "O'Neil" });
  });

  test('two drains at once apply each row once', async () => {
    const debtor = await addCustomer(book);
    const ids: string[] = [];
    for (let n = 0; n < 10; n += 1) ids.push(await addInvoice(book, debtor, { number: `PAR-${n}00` }));
    for (let n = 0; n < 10; n += 1) await storeSingly(book.db, booked({ remittance: `PAR-${n}00` }));
    const drains = await Promise.all(
      Array.from({ length: 4 }, () => drainFeed(book.db, feedId, { now: NOW, holidays: noHolidays })),
    );
    expect(drains.reduce((sum, { applied }) => sum + applied, 0)).toBe(10);
    for (const id of ids) expect((await invoiceOf(book.db, id)).balance_minor).toBe(0n);
    expect(await check(book.db)).toEqual([]);
  });

  test('a drain waits for a file that is taken in, and leaves the connection to others meanwhile', async () => {
    const row = booked({ direction: 'debit' });
    await storeSingly(book.db, row);
    const one = createDatabase(book.url, { max: 1 });
    let looks = 0;
    let drained!: ReturnType<typeof drainFeed>;
    await inTransaction(book.db, async (tx) => {
      await tx.selectFrom('feeds').select('id').where('id', '=', feedId).forNoKeyUpdate().execute();
      await new Promise<void>((resolve) => {
        const pause = async (): Promise<void> => {
          looks += 1;
          await one.selectFrom('feeds').select('id').execute();
          if (looks === 3) resolve();
        };
        drained = drainFeed(one, feedId, { now: NOW, holidays: noHolidays, pause });
      });
    });
    expect(await drained).toEqual({ applied: 1, left: 0 });
    await one.destroy();
  });
});

test('what hundreds of invoices have in common names none of them, and the number beside it still does', async () => {
  const customer = await addCustomer(book);
  for (let n = 0; n < 501; n += 1) {
    await addInvoice(book, customer, { number: `SHARED-${n}`, amountMinor: 7_777n, references: ['CONTRAT 2026'] });
  }
  const named = booked({ remittance: 'CONTRAT 2026 SHARED-17', amount: '77.77' });
  const bare = booked({ remittance: 'CONTRAT 2026', amount: '12.34' });
  await take(named, bare);
  expect(await receiptOf(named)).toMatchObject({ unapplied_minor: 0n, customer_id: customer.id });
  expect(await receiptOf(bare)).toMatchObject({ unapplied_minor: 1_234n, customer_id: null });
  expect(await holdsOf((await receiptOf(bare)).id)).toEqual([]);
  // Nor is what quotes nothing else looked at again for each of hundreds more.
  await addInvoice(book, customer, { number: 'SHARED-501', references: ['CONTRAT 2026'] });
  expect((await receiptOf(bare)).look_again).toBe(false);
}, 60_000);

describe('money that waits for invoices', () => {
  const waiting = async (token: string, count: number, customerId: string | null = null) => {
    const prefix = `rec_${token.toLowerCase()}`;
    await sql`
      insert into receipts (id, creditor_id, feed_id, booked_on, amount_minor, currency, unapplied_minor, customer_id, at)
      select ${prefix}::text || '_' || lpad(n::text, 6, '0'), ${book.creditor.id}, ${feedId}, '2026-03-02', 4321, 'EUR', 4321,
        ${customerId}, now()
      from generate_series(1, ${count}::int) as n`.execute(book.db);
    await sql`
      insert into receipt_tokens (creditor_id, token, receipt_id)
      select creditor_id, ${token}, id from receipts where id like ${`${prefix}_%`}`.execute(book.db);
  };
  const flagged = async () => {
    const { rows } = await sql<{ n: string; latest: boolean }>`
      select count(*) as n, bool_or(id like '%_000700') as latest from receipts where look_again`.execute(book.db);
    await book.db.updateTable('receipts').set({ look_again: false }).where('look_again', '=', true).execute();
    return { count: Number(rows[0]!.n), latest: rows[0]!.latest };
  };
  afterAll(async () => {
    await sql`delete from receipt_tokens where receipt_id like 'rec_wait%'`.execute(book.db);
    await sql`delete from receipts where id like 'rec_wait%'`.execute(book.db);
  });

  test('is looked at again in bounded numbers, the latest first, when thousands quote what an invoice has', async () => {
    const customer = await addCustomer(book);
    await flagged();
    await waiting('WAIT2026', 700);
    await addInvoice(book, customer, { number: 'WAIT-A', references: ['WAIT 2026'] });
    expect(await flagged()).toEqual({ count: 500, latest: true });
    await waiting('WAIT2027', 700, customer.id);
    await addInvoice(book, customer, { number: 'WAIT-B', amountMinor: 4_321n });
    expect(await flagged()).toEqual({ count: 500, latest: true });
  });
});

describe('returns', () => {
  let debtor: CustomerRow;
  beforeAll(async () => {
    debtor = await addCustomer(book);
  });

  test('take back the payment they name', async () => {
    const invoiceId = await addInvoice(book, debtor, { number: 'RET-100' });
    const row = booked({ remittance: 'RET-100', id: 'orig-1' });
    await take(row, returned('orig-1'));
    expect((await invoiceOf(book.db, invoiceId)).balance_minor).toBe(10_000n);
    expect(await receiptOf(row)).toMatchObject({ returned_minor: 10_000n, unapplied_minor: 0n });
    expect(await kindsOnTimeline(book.db, invoiceId)).toEqual([
      'invoiceRegistered',
      'paymentAllocated',
      'allocationReversed',
    ]);
  });

  test('that come first wait, and are handled right after their payment', async () => {
    const invoiceId = await addInvoice(book, debtor, { number: 'RET-200' });
    const early = returned('orig-2');
    await take(early);
    expect(await rowOf(early)).toMatchObject({ status: 'applied', receipt_id: null });
    const waiting = await book.db.selectFrom('bank_transactions').selectAll().where('state', '=', 'waiting').execute();
    expect(waiting).toMatchObject([{ amount_minor: -10_000n, returns: { originalBankId: 'orig-2' } }]);
    expect((await tasksOf('unknownReturn')).at(-1)).toMatchObject({ status: 'open' });

    await storeSingly(book.db, booked({ remittance: 'RET-200', id: 'orig-2' }));
    await storeSingly(book.db, booked({ remittance: 'RET-200', id: 'orig-2b', amount: '30.00' }));
    const drained = await drainFeed(book.db, feedId, { now: NOW, holidays: noHolidays, batch: 1 });
    expect(drained).toEqual({ applied: 1, left: 2 });
    expect(await take()).toEqual({ applied: 2, left: 0 });
    expect((await tasksOf('unknownReturn')).at(-1)).toMatchObject({ status: 'done' });
    expect((await invoiceOf(book.db, invoiceId)).balance_minor).toBe(7_000n);
    expect(await kindsOnTimeline(book.db, invoiceId)).toEqual([
      'invoiceRegistered',
      'paymentAllocated',
      'allocationReversed',
      'paymentAllocated',
    ]);
  });

  test('of more than was paid in, or in another currency, are looked at by a person', async () => {
    const invoiceId = await addInvoice(book, debtor, { number: 'RET-300' });
    const odd = returned('orig-3', '100.00', 'odd-currency', 'USD');
    await take(booked({ remittance: 'RET-300', id: 'orig-3' }), returned('orig-3', '103.00'), odd);
    expect((await invoiceOf(book.db, invoiceId)).balance_minor).toBe(10_000n);
    expect((await tasksOf('returnExceeds')).at(-1)).toMatchObject({ data: { amount: '3.00', currency: 'EUR' } });
    expect(await rowOf(odd)).toMatchObject({ status: 'unreadable', error_code: 'currencyMismatch' });
    expect(await check(book.db)).toEqual([]);
  });

  test('that come first and are in another currency than their payment are a task when it comes', async () => {
    const early = returned('orig-5', '100.00', 'odd-early', 'USD');
    await take(early);
    await take(booked({ remittance: 'RET-500', id: 'orig-5' }));
    expect((await tasksOf('unknownReturn')).at(-1)).toMatchObject({ status: 'done' });
    const row = await book.db
      .selectFrom('bank_transactions')
      .selectAll()
      .where('bank_id', '=', 'odd-early')
      .executeTakeFirstOrThrow();
    expect((await tasksOf('transactionFailed')).at(-1)).toMatchObject({
      status: 'open',
      data: { transactionId: row.id },
    });
  });

  test('find their payment by the id of a message though a file had told it before', async () => {
    const iban = 'FR7610107001011234567890129';
    await book.db.updateTable('feeds').set({ iban }).where('id', '=', feedId).execute();
    const invoiceId = await addInvoice(book, debtor, { number: 'RET-600', amountMinor: 60_600n });
    const payment = booked({ remittance: 'RET-600', id: 'told-by-message', amount: '606.00' });
    const [message] = readProvider('standard', payment.body);
    if (message?.kind !== 'transaction') throw new Error('no transaction');
    const told: Transaction = { ...message.transaction, bankId: 'told-by-file', source: 'camt.053', position: '1' };
    const account = { feedId, creditorId: book.creditor.id, iban };
    await inTransaction(book.db, (tx) => takeIn(tx, act, account, 'sta_file', [told]));
    const early = returned('told-by-message', '606.00');
    await take(early, payment);
    expect((await tasksOf('unknownReturn')).at(-1)).toMatchObject({ status: 'done' });
    expect((await invoiceOf(book.db, invoiceId)).balance_minor).toBe(60_600n);
    expect(await check(book.db)).toEqual([]);
  });

  test('of money that nobody had applied end its holds', async () => {
    await addInvoice(book, debtor, { number: 'RET-400' });
    const row = booked({ remittance: 'RET-400', amount: '120.00', id: 'orig-4' });
    await take(row);
    const receipt = await receiptOf(row);
    expect((await holdsOf(receipt.id)).every(({ lifted_on }) => lifted_on === null)).toBe(true);
    await take(returned('orig-4', '120.00'));
    expect((await holdsOf(receipt.id)).every(({ lifted_on }) => lifted_on === '2026-03-02')).toBe(true);
  });
});
