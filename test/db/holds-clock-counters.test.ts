import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REAL_TIME } from '../../domain/time/business-clock.ts';
import { createDatabase, inTransaction, instant } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { allocate } from '../../db/repositories/allocations.ts';
import { anchorClock, loadClock, touchClock } from '../../db/repositories/clock.ts';
import { backlog, contactCounters } from '../../db/repositories/counters.ts';
import { liftHold, setHold } from '../../db/repositories/holds.ts';
import { openTask } from '../../db/repositories/tasks.ts';
import { createTestDatabase } from '../support/servers.ts';
import {
  act,
  addCustomer,
  addInvoice,
  addReceipt,
  closeCase,
  codeOf,
  kindsOnTimeline,
  NOW,
  openBook,
  type Book,
} from './book.ts';

let book: Book;
beforeAll(async () => {
  book = await openBook();
});
afterAll(() => book.drop());

describe('a hold', () => {
  test('of a customer stops its open cases and their tasks, lifting it releases them', async () => {
    const debtor = await addCustomer(book);
    const [open, closed] = [await addInvoice(book, debtor), await addInvoice(book, debtor)];
    await closeCase(book.db, closed, 'settled', 'reminding');
    await inTransaction(book.db, (tx) =>
      openTask(tx, act, {
        creditorId: book.creditor.id,
        kind: 'call',
        key: `l:${open}`,
        invoiceId: open,
        subject: 'L',
        dueAt: NOW,
      }),
    );
    await book.db.deleteFrom('outbox').execute();
    const because = { ...act, actor: 'desk (someone)', reason: 'They called.' };
    const id = await inTransaction(book.db, (tx) =>
      setHold(tx, because, { customerId: debtor.id, invoiceId: null, kind: 'customer', untilOn: '2026-03-09' }),
    );
    expect(await kindsOnTimeline(book.db, open)).toEqual(['invoiceRegistered', 'held']);
    expect(await kindsOnTimeline(book.db, closed)).toEqual(['invoiceRegistered']);
    const task = await book.db
      .selectFrom('tasks')
      .select('status')
      .where('invoice_id', '=', open)
      .executeTakeFirstOrThrow();
    expect(task.status).toBe('cancelled');
    const sent = await book.db.selectFrom('outbox').select(['kind', 'target']).orderBy('kind').execute();
    expect(sent).toEqual([
      { kind: 'pokeOutreach', target: debtor.id },
      { kind: 'signalCase', target: open },
    ]);
    const { data } = await book.db
      .selectFrom('events')
      .select('data')
      .where('kind', '=', 'held')
      .where('invoice_id', '=', open)
      .executeTakeFirstOrThrow();
    expect(data).toEqual({ holdId: id, kind: 'customer', until: '2026-03-09', scope: 'customer' });
    expect(JSON.stringify(data)).not.toContain('called');

    expect(await inTransaction(book.db, (tx) => liftHold(tx, act, id))).toBe(true);
    expect(await inTransaction(book.db, (tx) => liftHold(tx, act, id))).toBe(false);
    expect(await kindsOnTimeline(book.db, open)).toEqual(['invoiceRegistered', 'held', 'released']);
  });

  test('of one invoice is a pause where it is one; dates and ids are checked', async () => {
    const debtor = await addCustomer(book);
    const [paused, other] = [await addInvoice(book, debtor), await addInvoice(book, debtor)];
    const hold = (change: object) =>
      inTransaction(book.db, (tx) =>
        setHold(tx, act, { customerId: debtor.id, invoiceId: paused, kind: 'pause', untilOn: null, ...change }),
      );
    const id = await hold({});
    await inTransaction(book.db, (tx) => liftHold(tx, act, id));
    expect(await kindsOnTimeline(book.db, paused)).toEqual(['invoiceRegistered', 'paused', 'resumed']);
    expect(await kindsOnTimeline(book.db, other)).toEqual(['invoiceRegistered']);
    expect(await codeOf(hold({ untilOn: '2026-03-01' }))).toBe('untilInPast');
    expect(await codeOf(hold({ invoiceId: 'inv_none' }))).toBe('invoiceClosed');
    expect(await codeOf(hold({ customerId: 'cus_none' }))).toBe('notFound');
    expect(await codeOf(inTransaction(book.db, (tx) => liftHold(tx, act, 'hol_none')))).toBe('notFound');
  });

  test('a task is opened once by its key, however many ask', async () => {
    const task = { creditorId: book.creditor.id, kind: 'ladderEnded', key: 'once', subject: 'S', dueAt: NOW };
    const opened = await Promise.all(
      Array.from({ length: 8 }, () => inTransaction(book.db, (tx) => openTask(tx, act, task))),
    );
    expect(opened.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(opened.map(({ taskId }) => taskId)).size).toBe(1);
  });
});

describe('the business clock', () => {
  const DAY = 86_400_000;

  test('is real time unless it was begun otherwise on empty data', async () => {
    expect(await anchorClock(book.db, { realNow: NOW })).toEqual(REAL_TIME);
    expect(await loadClock(book.db)).toEqual(REAL_TIME);
    expect(await codeOf(anchorClock(book.db, { realNow: NOW, dayMs: 2_000 }))).toBe('clockDiffers');
    await touchClock(book.db, NOW);
    expect(await loadClock(book.db)).toEqual(REAL_TIME);
  });

  test('stands still while down, never goes back, and refuses other values', async () => {
    const database = await createTestDatabase();
    const db = createDatabase(database.url);
    const begun = Date.parse('2026-03-02T00:00:00Z');
    const first = await anchorClock(db, { realNow: 1_000, now: begun, dayMs: 2_000 });
    expect(first).toEqual({ anchorReal: 1_000, anchorBusiness: begun, dayMs: 2_000 });
    await touchClock(db, begun + 5 * DAY);
    await touchClock(db, begun + 4 * DAY);
    const again = await anchorClock(db, { realNow: 900_000 });
    expect(again).toEqual({ anchorReal: 900_000, anchorBusiness: begun + 5 * DAY, dayMs: 2_000 });
    expect(await loadClock(db)).toEqual(again);
    expect(await anchorClock(db, { realNow: 900_000, now: begun, dayMs: 2_000 })).toEqual(again);
    expect(await codeOf(anchorClock(db, { realNow: 900_000, dayMs: 3_000 }))).toBe('clockDiffers');
    expect(await codeOf(anchorClock(db, { realNow: 900_000, now: begun + 1 }))).toBe('clockDiffers');
    expect(await codeOf(anchorClock(db, { realNow: 900_000, dayMs: DAY }))).toBe('clockDiffers');

    await sql`insert into creditors (id, name, country, time_zone, locale, sender_email, created_at)
      values ('cre_1', 'N', 'FR', 'UTC', 'fr', 'n@example.com', now())`.execute(db);
    await sql`insert into journal_entries (creditor_id, kind, key, on_date, at, actor)
      values ('cre_1', 'received', 'k', '2026-03-09', ${instant(begun + 7 * DAY + 123)}, 'system')`.execute(db);
    expect((await anchorClock(db, { realNow: 1_000_000 })).anchorBusiness).toBe(begun + 7 * DAY + 123);
    await db.destroy();
    await database.drop();
  });
});

describe('the counters that must stay zero', () => {
  const send = async (
    customerId: string,
    invoiceId: string,
    amountMinor: bigint,
    step: string,
    change: object = {},
  ) => {
    const id = newId('con');
    await book.db
      .insertInto('contacts')
      .values({
        id,
        creditor_id: book.creditor.id,
        customer_id: customerId,
        kind: 'reminder',
        channel: 'email',
        status: 'sent',
        sender: 'Atelier <a@atelier.example>',
        reference: id,
        recipients: ['a@example.com'],
        recipient_key: id,
        day: '2026-03-02',
        planned_at: instant(NOW),
        queued_at: instant(NOW),
        sending_real: sql<Date>`clock_timestamp()`,
        template: 'reminder',
        tone: 'neutral',
        locale: 'fr',
        ...change,
      })
      .execute();
    await book.db
      .insertInto('contact_items')
      .values({
        contact_id: id,
        invoice_id: invoiceId,
        step,
        occurrence: 1,
        amount_minor: amountMinor,
        currency: 'EUR',
        asks: true,
      })
      .execute();
    return id;
  };
  const withdraw = (contactId: string) =>
    book.db.updateTable('contact_items').set({ withdrawn: true }).where('contact_id', '=', contactId).execute();

  test('count what asked for money that was in, and the same step sent twice', async () => {
    const debtor = await addCustomer(book);
    const invoiceId = await addInvoice(book, debtor);
    const receiptId = await addReceipt(book, 4_000n);
    await send(debtor.id, invoiceId, 10_000n, 'one');
    await inTransaction(book.db, (tx) =>
      allocate(tx, act, { receiptId, invoiceId, amountMinor: 4_000n, rule: 'manual' }),
    );
    await send(debtor.id, invoiceId, 6_000n, 'two');
    expect(await contactCounters(book.db)).toEqual({ duplicate: 0, afterPayment: 0 });

    const failed = await send(debtor.id, invoiceId, 6_000n, 'three', { status: 'failed' });
    await withdraw(failed);
    await withdraw(await send(debtor.id, invoiceId, 10_000n, 'three', { status: 'withdrawn' }));
    await send(debtor.id, invoiceId, 6_000n, 'three');
    expect(await contactCounters(book.db)).toEqual({ duplicate: 0, afterPayment: 0 });

    const late = await send(debtor.id, invoiceId, 6_001n, 'four');
    expect(await contactCounters(book.db)).toEqual({ duplicate: 0, afterPayment: 1 });
    await withdraw(late);
    await send(debtor.id, invoiceId, 6_000n, 'four');
    expect(await contactCounters(book.db)).toEqual({ duplicate: 1, afterPayment: 1 });
  });

  test('and what waits is counted', async () => {
    await addReceipt(book, 5n);
    const waiting = await backlog(book.db);
    expect(waiting).toMatchObject({ inboxPending: 0, inboxWaiting: 0, unappliedReceipts: 1 });
    expect(waiting.outboxPending).toBeGreaterThan(0);
    expect(waiting.outboxOldestSeconds).toBeGreaterThan(0);
    expect(waiting.openTasks).toBeGreaterThan(0);
  });
});
