import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inTransaction } from '../../db/database.ts';
import { allocate, undoAllocation } from '../../db/repositories/allocations.ts';
import { recordCreditNote } from '../../db/repositories/credit-notes.ts';
import { setHold } from '../../db/repositories/holds.ts';
import { check } from '../../db/repositories/ledger.ts';
import { recordPayment, recordReceipt } from '../../db/repositories/receipts.ts';
import { returnReceipt } from '../../db/repositories/returns.ts';
import { completeTask, openTask } from '../../db/repositories/tasks.ts';
import type { CustomerRow } from '../../db/repositories/customers.ts';
import {
  act,
  addCreditor,
  addCustomer,
  addFeed,
  addInvoice,
  addReceipt,
  closeCase,
  codeOf,
  invoiceOf,
  kindsOnTimeline,
  noHolidays,
  openBook,
  receiptOf,
  type Book,
} from './book.ts';

let book: Book;
let customer: CustomerRow;
beforeAll(async () => {
  book = await openBook();
  customer = await addCustomer(book);
});
afterAll(() => book.drop());

const apply = (receiptId: string, invoiceId: string, amountMinor: bigint) =>
  inTransaction(book.db, (tx) => allocate(tx, act, { receiptId, invoiceId, amountMinor, rule: 'manual' }));
const undo = (allocationId: string) => inTransaction(book.db, (tx) => undoAllocation(tx, act, allocationId, 'manual'));
const giveBack = (receiptId: string, amountMinor: bigint) =>
  inTransaction(book.db, (tx) => returnReceipt(tx, act, { receiptId, amountMinor, bookedOn: '2026-03-02' }));
const signals = async (invoiceId: string) => {
  const rows = await book.db
    .selectFrom('outbox')
    .select(['kind', 'payload'])
    .where('target', '=', invoiceId)
    .orderBy('id')
    .execute();
  return rows.map(({ kind, payload }) =>
    kind === 'startCase' ? `start ${String(payload['run'])}` : payload['signal'],
  );
};

describe('the journal', () => {
  test('refuses at commit what does not balance, and is never changed', async () => {
    const unbalanced = book.db.transaction().execute(async (tx) => {
      const { rows } = await sql<{
        id: bigint;
      }>`insert into journal_entries (creditor_id, kind, key, on_date, at, actor)
        values (${book.creditor.id}, 'received', 'bad', '2026-03-02', now(), 'system') returning id`.execute(tx);
      await sql`insert into postings (entry_id, line, creditor_id, account, currency, amount_minor) values
        (${rows[0]?.id.toString()}, 1, ${book.creditor.id}, 'bank', 'EUR', 100),
        (${rows[0]?.id.toString()}, 2, ${book.creditor.id}, 'unappliedCash', 'USD', -100)`.execute(tx);
    });
    await expect(unbalanced).rejects.toThrow('does not balance');
    await addReceipt(book, 500n);
    for (const table of ['journal_entries', 'postings', 'events', 'allocations', 'allocation_reversals']) {
      if (table === 'events') await addInvoice(book, customer);
      if (table === 'allocations') await apply(await addReceipt(book, 1n), await addInvoice(book, customer), 1n);
      if (table === 'allocation_reversals') {
        const { allocationId } = await apply(await addReceipt(book, 1n), await addInvoice(book, customer), 1n);
        await undo(allocationId);
      }
      await expect(sql`delete from ${sql.table(table)}`.execute(book.db)).rejects.toThrow('append-only');
    }
    await expect(sql`update postings set amount_minor = 1`.execute(book.db)).rejects.toThrow('append-only');
    await expect(sql`update events set actor = 'nobody'`.execute(book.db)).rejects.toThrow('append-only');
    expect(await check(book.db)).toEqual([]);
  });

  test('a kept total that was tampered with is found', async () => {
    const other = { ...book, creditor: await addCreditor(book.db) };
    const invoiceId = await addInvoice(other, await addCustomer(other));
    expect(await check(book.db, other.creditor.id)).toEqual([]);
    await book.db.updateTable('invoices').set({ balance_minor: 9_999n }).where('id', '=', invoiceId).execute();
    expect(await check(book.db, other.creditor.id)).toEqual([`invoice ${invoiceId}: balance 9999, receivable 10000`]);
    await book.db.updateTable('invoices').set({ balance_minor: 10_000n }).where('id', '=', invoiceId).execute();
  });
});

describe('an allocation', () => {
  test('lowers the balance, tells the case, its customer and the timeline', async () => {
    const invoiceId = await addInvoice(book, customer);
    const receiptId = await addReceipt(book, 4_000n);
    await inTransaction(book.db, (tx) =>
      openTask(tx, act, {
        creditorId: book.creditor.id,
        kind: 'call',
        key: `call:${invoiceId}`,
        invoiceId,
        subject: 'Call',
        dueAt: act.at,
      }),
    );
    const result = await apply(receiptId, invoiceId, 3_000n);
    expect(result).toMatchObject({ differenceMinor: 0n, balanceMinor: 7_000n });
    expect((await invoiceOf(book.db, invoiceId)).balance_minor).toBe(7_000n);
    expect(await receiptOf(book.db, receiptId)).toMatchObject({ unapplied_minor: 1_000n, customer_id: customer.id });
    expect(await kindsOnTimeline(book.db, invoiceId)).toEqual(['invoiceRegistered', 'paymentAllocated']);
    expect(await signals(invoiceId)).toEqual(['start 1', 'paymentAllocated']);
    const task = await book.db
      .selectFrom('tasks')
      .selectAll()
      .where('invoice_id', '=', invoiceId)
      .executeTakeFirstOrThrow();
    expect(task).toMatchObject({ status: 'cancelled', outcome: { why: 'paymentAllocated' } });
    await expect(codeOf(inTransaction(book.db, (tx) => completeTask(tx, act, task.id, {})))).resolves.toBe(
      'taskClosed',
    );
  });

  test('is refused with a reason before anything is written', async () => {
    const invoiceId = await addInvoice(book, customer);
    const dollars = await addReceipt(book, 5_000n, 'USD');
    const euros = await addReceipt(book, 20_000n);
    const other = { ...book, creditor: await addCreditor(book.db) };
    const foreign = await addInvoice(other, await addCustomer(other));
    const closed = await addInvoice(book, customer);
    await book.db.updateTable('invoices').set({ stage: 'cancelled' }).where('id', '=', closed).execute();
    const small = await addReceipt(book, 10n);

    expect(await codeOf(apply(dollars, invoiceId, 5_000n))).toBe('currencyMismatch');
    expect(await codeOf(apply(euros, invoiceId, 10_001n))).toBe('exceedsBalance');
    expect(await codeOf(apply(small, invoiceId, 11n))).toBe('exceedsUnapplied');
    expect(await codeOf(apply(euros, invoiceId, 0n))).toBe('amountInvalid');
    expect(await codeOf(apply(euros, foreign, 1n))).toBe('notFound');
    expect(await codeOf(apply(euros, 'inv_none', 1n))).toBe('notFound');
    expect(await codeOf(apply('rec_none', invoiceId, 1n))).toBe('notFound');
    expect(await codeOf(apply(euros, closed, 1n))).toBe('invoiceClosed');
    expect(await kindsOnTimeline(book.db, invoiceId)).toEqual(['invoiceRegistered']);
    expect(await check(book.db)).toEqual([]);
  });

  test('gives up what the tolerance allows and takes it back with itself', async () => {
    const invoiceId = await addInvoice(book, customer);
    const beyond = await apply(await addReceipt(book, 9_989n), invoiceId, 9_989n);
    expect(beyond).toMatchObject({ differenceMinor: 0n, balanceMinor: 11n });
    await undo(beyond.allocationId);
    const within = await apply(await addReceipt(book, 9_990n), invoiceId, 9_990n);
    expect(within).toMatchObject({ differenceMinor: 10n, balanceMinor: 0n });
    const { rows } = await sql<{ sum: bigint }>`select sum(amount_minor)::bigint as sum from postings
      where account = 'differences' and invoice_id = ${invoiceId}`.execute(book.db);
    expect(rows[0]?.sum).toBe(10n);
    await undo(within.allocationId);
    expect((await invoiceOf(book.db, invoiceId)).balance_minor).toBe(10_000n);
    expect(await codeOf(undo(within.allocationId))).toBe('alreadyReversed');
    expect(await check(book.db)).toEqual([]);
  });

  test('undone on a closed case, it reopens the case at its former stage in a new run', async () => {
    const invoiceId = await addInvoice(book, customer);
    const { allocationId } = await apply(await addReceipt(book, 10_000n), invoiceId, 10_000n);
    await closeCase(book.db, invoiceId, 'settled', 'reminding');
    await undo(allocationId);
    expect(await invoiceOf(book.db, invoiceId)).toMatchObject({ stage: 'reminding', run: 2, balance_minor: 10_000n });
    expect(await signals(invoiceId)).toEqual(['start 1', 'paymentAllocated', 'start 2']);
    expect((await kindsOnTimeline(book.db, invoiceId)).slice(2)).toEqual(['allocationReversed', 'reopened']);
    expect(
      await book.db.selectFrom('case_runs').selectAll().where('invoice_id', '=', invoiceId).execute(),
    ).toHaveLength(2);
  });

  test('with the last cent the holds of the money end and its task closes', async () => {
    const debtor = await addCustomer(book);
    const invoiceId = await addInvoice(book, debtor);
    const receiptId = await addReceipt(book, 2_000n);
    await inTransaction(book.db, async (tx) => {
      await setHold(tx, act, {
        customerId: debtor.id,
        invoiceId: null,
        kind: 'unappliedCash',
        untilOn: null,
        sourceId: receiptId,
      });
      await openTask(tx, act, {
        creditorId: book.creditor.id,
        kind: 'unappliedCash',
        key: `unappliedCash:${receiptId}`,
        receiptId,
        subject: 'Money',
        dueAt: act.at,
      });
    });
    const held = () =>
      book.db.selectFrom('holds').select('lifted_on').where('source_id', '=', receiptId).executeTakeFirstOrThrow();
    await apply(receiptId, invoiceId, 1_999n);
    expect(await held()).toEqual({ lifted_on: null });
    await apply(receiptId, invoiceId, 1n);
    expect(await held()).toEqual({ lifted_on: '2026-03-02' });
    const task = await book.db
      .selectFrom('tasks')
      .select('status')
      .where('receipt_id', '=', receiptId)
      .executeTakeFirstOrThrow();
    expect(task.status).toBe('done');
    expect(await kindsOnTimeline(book.db, invoiceId)).toEqual([
      'invoiceRegistered',
      'held',
      'paymentAllocated',
      'paymentAllocated',
      'released',
    ]);
  });

  test('closing the task of unapplied money lifts its holds too', async () => {
    const debtor = await addCustomer(book);
    await addInvoice(book, debtor);
    const receiptId = await addReceipt(book, 2_000n);
    const taskId = await inTransaction(book.db, async (tx) => {
      await setHold(tx, act, {
        customerId: debtor.id,
        invoiceId: null,
        kind: 'unappliedCash',
        untilOn: null,
        sourceId: receiptId,
      });
      const task = {
        creditorId: book.creditor.id,
        kind: 'unappliedCash',
        key: receiptId,
        receiptId,
        subject: 'Money',
        dueAt: act.at,
      };
      return (await openTask(tx, act, task)).taskId;
    });
    await inTransaction(book.db, (tx) => completeTask(tx, act, taskId, { note: 'not ours' }));
    const hold = await book.db
      .selectFrom('holds')
      .selectAll()
      .where('source_id', '=', receiptId)
      .executeTakeFirstOrThrow();
    expect(hold.lifted_on).toBe('2026-03-02');
  });
});

describe('a payment that a person reports', () => {
  const pay = (invoiceId: string, amountMinor: bigint, receivedOn = '2026-02-27', currency = 'EUR') =>
    inTransaction(book.db, (tx) =>
      recordPayment(tx, act, { invoiceId, amountMinor, currency, receivedOn }, noHolidays),
    );

  test('is applied up to the balance, the rest is on the worklist and may hold the customer', async () => {
    const debtor = await addCustomer(book);
    const invoiceId = await addInvoice(book, debtor);
    const second = await addInvoice(book, debtor);
    const { receiptId, appliedMinor } = await pay(invoiceId, 16_000n);
    expect(appliedMinor).toBe(10_000n);
    expect((await receiptOf(book.db, receiptId)).unapplied_minor).toBe(6_000n);
    const hold = await book.db
      .selectFrom('holds')
      .selectAll()
      .where('source_id', '=', receiptId)
      .executeTakeFirstOrThrow();
    // 60.00 of the 100.00 still overdue is more than half; three working days after Monday the 2nd is Thursday.
    expect(hold).toMatchObject({ customer_id: debtor.id, invoice_id: null, until_on: '2026-03-05' });
    expect(await kindsOnTimeline(book.db, second)).toEqual(['invoiceRegistered', 'held']);
    expect(await book.db.selectFrom('tasks').select('kind').where('receipt_id', '=', receiptId).execute()).toEqual([
      { kind: 'unappliedCash' },
    ]);
  });

  test('for a settled invoice it is all unapplied; in another currency or of tomorrow it is refused', async () => {
    const invoiceId = await addInvoice(book, await addCustomer(book));
    await pay(invoiceId, 10_000n);
    await closeCase(book.db, invoiceId, 'settled', 'reminding');
    expect((await pay(invoiceId, 500n)).appliedMinor).toBe(0n);
    expect(await codeOf(pay(invoiceId, 500n, '2026-03-02', 'USD'))).toBe('currencyMismatch');
    expect(await codeOf(pay(invoiceId, 500n, '2026-03-03'))).toBe('futureDate');
    expect(await codeOf(pay(invoiceId, 0n))).toBe('amountInvalid');
  });
});

describe('money that goes back', () => {
  test('undoes the last allocations first and applies what is left of the last one again', async () => {
    const [a, b] = [await addInvoice(book, customer), await addInvoice(book, customer)];
    const receiptId = await addReceipt(book, 12_000n);
    await apply(receiptId, a, 6_000n);
    await apply(receiptId, b, 5_000n);
    await giveBack(receiptId, 3_000n);
    expect(await receiptOf(book.db, receiptId)).toMatchObject({ unapplied_minor: 0n, returned_minor: 3_000n });
    expect((await invoiceOf(book.db, a)).balance_minor).toBe(4_000n);
    expect((await invoiceOf(book.db, b)).balance_minor).toBe(7_000n);
    await giveBack(receiptId, 9_000n);
    expect((await invoiceOf(book.db, a)).balance_minor).toBe(10_000n);
    expect((await invoiceOf(book.db, b)).balance_minor).toBe(10_000n);
    expect(await codeOf(giveBack(receiptId, 1n))).toBe('exceedsReceipt');
    expect(await check(book.db)).toEqual([]);
  });

  test('marks a direct debit as failed', async () => {
    const invoiceId = await addInvoice(book, customer, { collection: { method: 'directDebit', on: null } });
    const receiptId = await addReceipt(book, 10_000n);
    await apply(receiptId, invoiceId, 10_000n);
    await giveBack(receiptId, 10_000n);
    expect((await invoiceOf(book.db, invoiceId)).collection_failed_on).toBe('2026-03-02');
  });
});

describe('a credit note', () => {
  let count = 0;
  const credit = (invoiceId: string | null, amountMinor: bigint, number = `CN-${(count += 1)}`, currency = 'EUR') =>
    inTransaction(book.db, (tx) =>
      recordCreditNote(tx, act, {
        customerId: customer.id,
        invoiceId,
        number,
        amountMinor,
        currency,
        issuedOn: '2026-03-01',
      }),
    );

  test('is applied up to the balance; the rest is credit that can be allocated later', async () => {
    const [a, b] = [await addInvoice(book, customer), await addInvoice(book, customer)];
    const { creditNoteId, appliedMinor } = await credit(a, 12_000n);
    expect(appliedMinor).toBe(10_000n);
    expect((await invoiceOf(book.db, a)).balance_minor).toBe(0n);
    await inTransaction(book.db, (tx) =>
      allocate(tx, act, { creditNoteId, invoiceId: b, amountMinor: 2_000n, rule: 'manual' }),
    );
    expect((await invoiceOf(book.db, b)).balance_minor).toBe(8_000n);
    expect(await signals(b)).toEqual(['start 1', 'creditNoted']);
    expect(await kindsOnTimeline(book.db, b)).toEqual(['invoiceRegistered', 'creditNoted']);
    const other = await addInvoice(book, await addCustomer(book));
    const more = await credit(null, 100n);
    expect(
      await codeOf(
        inTransaction(book.db, (tx) =>
          allocate(tx, act, { creditNoteId: more.creditNoteId, invoiceId: other, amountMinor: 1n, rule: 'manual' }),
        ),
      ),
    ).toBe('customerMismatch');
    expect(await check(book.db)).toEqual([]);
  });

  test('comes in once by its number', async () => {
    const invoiceId = await addInvoice(book, customer);
    const first = await credit(invoiceId, 1_000n, 'CN-once');
    expect(await credit(invoiceId, 1_000n, 'CN-once')).toMatchObject({
      creditNoteId: first.creditNoteId,
      outcome: 'unchanged',
    });
    expect(await codeOf(credit(invoiceId, 1_001n, 'CN-once'))).toBe('creditNoteExists');
    expect(await codeOf(credit(invoiceId, 5n, 'CN-usd', 'USD'))).toBe('currencyMismatch');
    const foreign = await addInvoice(book, await addCustomer(book));
    expect(await codeOf(credit(foreign, 5n, 'CN-foreign'))).toBe('customerMismatch');
    expect((await invoiceOf(book.db, invoiceId)).balance_minor).toBe(9_000n);
  });
});

describe('random histories', () => {
  /** What the books must say: a model with nothing but numbers. */
  interface Model {
    invoices: { amount: bigint; standing: { id: string; amount: bigint; difference: bigint }[] }[];
    receipts: { amount: bigint; returned: bigint; standing: { id: string; invoice: number; amount: bigint }[] }[];
  }
  const balanceOf = (invoice: Model['invoices'][number]) =>
    invoice.standing.reduce((left, one) => left - one.amount - one.difference, invoice.amount);
  const unappliedOf = (receipt: Model['receipts'][number]) =>
    receipt.standing.reduce((left, one) => left - one.amount, receipt.amount - receipt.returned);

  const step = fc.oneof(
    fc.record({ do: fc.constant('receive' as const), amount: fc.integer({ min: 1, max: 600 }) }),
    fc.record({
      do: fc.constant('allocate' as const),
      from: fc.nat(),
      to: fc.nat(),
      amount: fc.integer({ min: 1, max: 400 }),
    }),
    fc.record({ do: fc.constant('allocateAll' as const), from: fc.nat(), to: fc.nat() }),
    fc.record({ do: fc.constant('undo' as const), which: fc.nat() }),
    fc.record({ do: fc.constant('return' as const), from: fc.nat(), amount: fc.integer({ min: 1, max: 600 }) }),
    fc.record({ do: fc.constant('credit' as const), to: fc.nat(), amount: fc.integer({ min: 1, max: 200 }) }),
  );

  test('keep the books balanced and agree with a model', async () => {
    let serial = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
        const amounts = [300n, 155n, 90n];
        const ids: string[] = [];
        for (const amountMinor of amounts) ids.push(await addInvoice(book, customer, { amountMinor }));
        const receiptIds: string[] = [];
        const model: Model = { invoices: amounts.map((amount) => ({ amount, standing: [] })), receipts: [] };
        const drop = (allocationId: string) => {
          for (const one of [...model.invoices, ...model.receipts]) {
            one.standing.splice(
              0,
              one.standing.length,
              ...(one.standing.filter(({ id }) => id !== allocationId) as never[]),
            );
          }
        };
        const put = async (from: number, to: number, amount: bigint) => {
          const invoice = model.invoices[to]!;
          const receipt = model.receipts[from]!;
          const attempt = apply(receiptIds[from]!, ids[to]!, amount);
          if (amount > unappliedOf(receipt)) return expect(await codeOf(attempt)).toBe('exceedsUnapplied');
          if (amount > balanceOf(invoice)) return expect(await codeOf(attempt)).toBe('exceedsBalance');
          const done = await attempt;
          const rest = balanceOf(invoice) - amount;
          const difference = rest <= 10n ? rest : 0n;
          expect(done.differenceMinor).toBe(difference);
          invoice.standing.push({ id: done.allocationId, amount, difference });
          receipt.standing.push({ id: done.allocationId, invoice: to, amount });
        };
        for (const one of steps) {
          const some = model.receipts.length;
          if (one.do === 'receive') {
            receiptIds.push(await addReceipt(book, BigInt(one.amount)));
            model.receipts.push({ amount: BigInt(one.amount), returned: 0n, standing: [] });
          } else if (one.do === 'allocate' && some > 0) {
            await put(one.from % some, one.to % 3, BigInt(one.amount));
          } else if (one.do === 'allocateAll' && some > 0) {
            const [free, open] = [
              unappliedOf(model.receipts[one.from % some]!),
              balanceOf(model.invoices[one.to % 3]!),
            ];
            if (free > 0n && open > 0n) await put(one.from % some, one.to % 3, free < open ? free : open);
          } else if (one.do === 'undo') {
            const all = model.invoices.flatMap(({ standing }) => standing);
            const chosen = all[one.which % Math.max(1, all.length)];
            if (!chosen) continue;
            await undo(chosen.id);
            drop(chosen.id);
          } else if (one.do === 'credit') {
            const invoice = model.invoices[one.to % 3]!;
            serial += 1;
            const made = await inTransaction(book.db, (tx) =>
              recordCreditNote(tx, act, {
                customerId: customer.id,
                invoiceId: ids[one.to % 3]!,
                number: `R-${serial}`,
                amountMinor: BigInt(one.amount),
                currency: 'EUR',
                issuedOn: '2026-03-01',
              }),
            );
            const open = balanceOf(invoice);
            const applied = BigInt(one.amount) < open ? BigInt(one.amount) : open;
            expect(made.appliedMinor).toBe(applied);
            if (applied === 0n) continue;
            const row = await book.db
              .selectFrom('allocations')
              .select('id')
              .where('credit_note_id', '=', made.creditNoteId)
              .executeTakeFirstOrThrow();
            invoice.standing.push({ id: row.id, amount: applied, difference: 0n });
          } else if (one.do === 'return' && some > 0) {
            const from = one.from % some;
            const receipt = model.receipts[from]!;
            const amount = BigInt(one.amount);
            const attempt = giveBack(receiptIds[from]!, amount);
            if (amount > receipt.amount - receipt.returned) {
              expect(await codeOf(attempt)).toBe('exceedsReceipt');
              continue;
            }
            await attempt;
            let last: number | null = null;
            while (unappliedOf(receipt) < amount) {
              const undone = receipt.standing.at(-1)!;
              last = undone.invoice;
              drop(undone.id);
            }
            receipt.returned += amount;
            const rest = unappliedOf(receipt);
            if (last === null || rest === 0n) continue;
            const again = await book.db
              .selectFrom('allocations')
              .select('id')
              .where('receipt_id', '=', receiptIds[from]!)
              .orderBy('seq', 'desc')
              .limit(1)
              .executeTakeFirstOrThrow();
            const left = balanceOf(model.invoices[last]!) - rest;
            model.invoices[last]!.standing.push({ id: again.id, amount: rest, difference: left <= 10n ? left : 0n });
            receipt.standing.push({ id: again.id, invoice: last, amount: rest });
          }
        }
        for (const [index, id] of ids.entries()) {
          expect((await invoiceOf(book.db, id)).balance_minor).toBe(balanceOf(model.invoices[index]!));
        }
        for (const [index, id] of receiptIds.entries()) {
          expect((await receiptOf(book.db, id)).unapplied_minor).toBe(unappliedOf(model.receipts[index]!));
        }
        expect(await check(book.db)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});

describe('many writers at once', () => {
  test('never take more than there is, and none waits for ever', async () => {
    const other = { ...book, creditor: await addCreditor(book.db) };
    const debtors = [await addCustomer(other), await addCustomer(other)];
    const invoices = [
      await addInvoice(other, debtors[0]!, { amountMinor: 1_000n }),
      await addInvoice(other, debtors[1]!, { amountMinor: 1_000n }),
      await addInvoice(other, debtors[0]!, { amountMinor: 1_000n }),
    ];
    const receipts = [await addReceipt(other, 900n), await addReceipt(other, 1_200n)];
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        const codes: string[] = [];
        for (let turn = 0; turn < 12; turn += 1) {
          const receiptId = receipts[(writer + turn) % 2]!;
          const invoiceId = invoices[(writer * 2 + turn) % 3]!;
          codes.push(await codeOf(apply(receiptId, invoiceId, 100n)));
          if (turn % 5 === 4) {
            const standing = await book.db
              .selectFrom('allocations')
              .select('id')
              .where('receipt_id', '=', receiptId)
              .orderBy('seq', 'desc')
              .limit(1)
              .executeTakeFirst();
            if (standing) codes.push(await codeOf(undo(standing.id)));
          }
          if (turn === 6) codes.push(await codeOf(giveBack(receiptId, 150n)));
        }
        return codes;
      }),
    );
    const known = ['accepted', 'exceedsUnapplied', 'exceedsBalance', 'exceedsReceipt', 'alreadyReversed'];
    expect(outcomes.flat().filter((code) => !known.includes(code))).toEqual([]);
    expect(outcomes.flat()).toContain('accepted');
    expect(await check(book.db, other.creditor.id)).toEqual([]);
    for (const id of invoices) expect((await invoiceOf(book.db, id)).balance_minor).toBeGreaterThanOrEqual(0n);
  });

  test('a receipt of a bank is believed even when it is dated tomorrow', async () => {
    const feedId = await addFeed(book);
    const { creditor } = book;
    const money = { creditorId: creditor.id, bookedOn: '2026-03-03', amountMinor: 1n, currency: 'EUR' };
    const accepted = inTransaction(book.db, (tx) => recordReceipt(tx, act, { ...money, feedId, externalId: 'x' }));
    expect(await codeOf(accepted)).toBe('accepted');
    expect(await codeOf(inTransaction(book.db, (tx) => recordReceipt(tx, act, money)))).toBe('futureDate');
  });
});
