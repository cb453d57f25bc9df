import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inTransaction } from '../../db/database.ts';
import { appendEvent, verifyChain } from '../../db/repositories/events.ts';
import { act, addCustomer, addInvoice, codeOf, openBook, type Book } from './book.ts';

let book: Book;
beforeAll(async () => {
  book = await openBook();
});
afterAll(() => book.drop());

const add = (invoiceId: string, data: Record<string, unknown>, text: string | null = null) =>
  inTransaction(book.db, (tx) => appendEvent(tx, act, { invoiceId, kind: 'held', data, text }));

/** What somebody with the database's keys could do. */
async function tamper(statement: ReturnType<typeof sql>): Promise<void> {
  await book.db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx);
    await statement.execute(tx);
  });
}

describe('the chain of a case', () => {
  test('holds from the first event on, whoever writes at the same time', async () => {
    const invoiceId = await addInvoice(book, await addCustomer(book));
    await Promise.all(Array.from({ length: 20 }, (_, n) => add(invoiceId, { b: n, a: { z: [1, 'x'], y: null } })));
    await add(invoiceId, {}, 'said on the phone');
    expect(await verifyChain(book.db, invoiceId)).toEqual([]);
    const rows = await book.db
      .selectFrom('events')
      .select('n')
      .where('invoice_id', '=', invoiceId)
      .orderBy('n')
      .execute();
    expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 22 }, (_, n) => n + 1));
    expect(await codeOf(add('inv_none', {}))).toBe('notFound');
  });

  test('shows every change: of content, of a text, of what is missing; an erased text is none', async () => {
    const invoiceId = await addInvoice(book, await addCustomer(book));
    const first = await add(invoiceId, { amount: '1.00' }, 'because');
    const second = await add(invoiceId, { amount: '2.00' });
    await add(invoiceId, { amount: '3.00' });

    await tamper(sql`update events set data = '{"amount": "9.00"}' where id = ${second}`);
    expect(await verifyChain(book.db, invoiceId)).toEqual([`${invoiceId}: event 3 was changed`]);
    await tamper(sql`update events set data = '{"amount": "2.00"}' where id = ${second}`);
    await book.db
      .updateTable('event_texts')
      .set({ text: 'for another reason' })
      .where('event_id', '=', first)
      .execute();
    expect(await verifyChain(book.db, invoiceId)).toEqual([`${invoiceId}: the text of event 2 was changed`]);
    await book.db.deleteFrom('event_texts').where('event_id', '=', first).execute();
    expect(await verifyChain(book.db, invoiceId)).toEqual([]);
    await tamper(sql`delete from events where invoice_id = ${invoiceId} and n = 4`);
    expect(await verifyChain(book.db, invoiceId)).toEqual([
      `${invoiceId}: the chain does not end where the invoice says`,
    ]);
    await tamper(sql`delete from events where id = ${first}`);
    expect((await verifyChain(book.db, invoiceId))[0]).toBe(`${invoiceId}: event 2 is missing`);
  });
});
