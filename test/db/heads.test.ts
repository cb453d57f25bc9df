import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inTransaction } from '../../db/database.ts';
import { appendEvent } from '../../db/repositories/events.ts';
import { anchorCreditor, findHead, verifyCase, verifyCases, verifyHeads } from '../../db/repositories/heads.ts';
import { upkeep } from '../../worker/relays/upkeep.ts';
import { act, addCreditor, addCustomer, addInvoice, NOW, openBook, type Book } from './book.ts';

const DAY = 86_400_000;

let book: Book;
let cases: string[];
beforeEach(async () => {
  book = await openBook();
  const customer = await addCustomer(book);
  cases = [];
  for (let n = 0; n < 3; n += 1) cases.push(await addInvoice(book, customer));
  for (const id of cases) for (let n = 0; n < 3; n += 1) await add(id, { n: String(n) });
});
afterEach(() => book.drop());

const add = (invoiceId: string, data: Record<string, unknown>) =>
  inTransaction(book.db, (tx) => appendEvent(tx, act, { invoiceId, kind: 'held', data }));
const anchor = (day = 0) => anchorCreditor(book.db, book.creditor, NOW + day * DAY);

async function tamper(...statements: ReturnType<typeof sql>[]): Promise<void> {
  await book.db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx);
    for (const statement of statements) await statement.execute(tx);
  });
}

async function problems(): Promise<string[]> {
  const heads = await verifyHeads(book.db, book.creditor.id, 0);
  const chains = await verifyCases(book.db, book.creditor.id, 0n, 100);
  return [...heads.problems, ...chains.problems].map((p) => `${p.kind}: ${p.message}`);
}

test('a head is written once a business day, for the chains that grew', async () => {
  expect(await anchor()).toMatchObject({ n: 1, cases: 3 });
  await add(cases[0]!, {});
  expect(await anchor()).toBeNull();
  const second = await anchor(1);
  expect(second).toMatchObject({ n: 2, cases: 1 });
  expect(await anchor(2)).toBeNull();
  await add(cases[1]!, {});
  expect(await anchor(3)).toMatchObject({ n: 3, cases: 1 });
  expect(await problems()).toEqual([]);
  expect(await verifyHeads(book.db, book.creditor.id, 0)).toMatchObject({ heads: 3, done: true });
  // An event behind the last head is chained, but no head stands for it yet.
  await add(cases[1]!, {});
  expect(await verifyCase(book.db, book.creditor.id, cases[1]!)).toMatchObject({
    events: 6,
    anchored: 5,
    problems: [],
  });
  expect(await findHead(book.db, book.creditor.id, second!.hash)).toBe(2);
  expect(await findHead(book.db, book.creditor.id, '0'.repeat(64))).toBeNull();
  await expect(book.db.deleteFrom('creditor_heads').execute()).rejects.toThrow('append-only');
  await expect(book.db.updateTable('creditor_head_leaves').set({ n: 9 }).execute()).rejects.toThrow('append-only');
});

test('two workers at the same moment write one head; creditors do not mix', async () => {
  const other = await addCreditor(book.db);
  const made = await Promise.all([anchor(), anchor(), anchor()]);
  expect(made.filter((head) => head !== null)).toHaveLength(1);
  expect(await anchorCreditor(book.db, other, NOW)).toBeNull();
  expect(await verifyCases(book.db, other.id, 0n, 100)).toMatchObject({ cases: 0, problems: [] });
});

test('cases are checked in parts that add up', async () => {
  const first = await verifyCases(book.db, book.creditor.id, 0n, 2);
  expect(first).toMatchObject({ cases: 2, events: 8, done: false });
  expect(await verifyCases(book.db, book.creditor.id, first.lastSeq, 2)).toMatchObject({ cases: 1, done: true });
});

test('the daily upkeep writes heads and says their hashes', async () => {
  const said: unknown[] = [];
  let now = NOW;
  const clock = { setting: { anchorReal: 0, anchorBusiness: 0, dayMs: DAY }, now: () => now, delayUntil: () => 0 };
  const log = { info: (what: unknown) => void said.push(what) };
  const done = new Map<string, string>();
  await upkeep({ db: book.db, clock, log }, done);
  await upkeep({ db: book.db, clock, log }, done);
  await add(cases[2]!, {});
  now += DAY;
  await upkeep({ db: book.db, clock, log }, done);
  expect(said).toMatchObject([
    { creditor: book.creditor.id, head: 1, cases: 3, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    { head: 2, cases: 1 },
  ]);
});

describe('what somebody with the keys of the database does is found', () => {
  beforeEach(async () => {
    await anchor();
    expect(await problems()).toEqual([]);
  });

  test('an event is changed', async () => {
    await tamper(sql`update events set data = '{"n": "9"}' where invoice_id = ${cases[0]!} and n = 3`);
    expect(await problems()).toEqual([`chain: ${cases[0]}: event 3 was changed`]);
  });

  test('the last event is deleted, and the invoice made to agree', async () => {
    const [id] = cases;
    await tamper(
      sql`delete from events where invoice_id = ${id} and n = 4`,
      sql`update invoices i set event_count = 3, event_hash = e.hash from events e
        where i.id = ${id} and e.invoice_id = i.id and e.n = 3`,
    );
    expect(await problems()).toEqual([`anchor: ${id}: event 4 is missing that was there when head 1 was written`]);
  });

  test('two events are swapped', async () => {
    const [, id] = cases;
    await tamper(
      sql`update events set n = 99 where invoice_id = ${id} and n = 2`,
      sql`update events set n = 2 where invoice_id = ${id} and n = 3`,
      sql`update events set n = 3 where invoice_id = ${id} and n = 99`,
    );
    expect((await problems()).filter((p) => p.startsWith('chain:')).length).toBeGreaterThan(1);
  });

  test('a chain is rewritten as a whole, with the program itself', async () => {
    const [id] = cases;
    await tamper(
      sql`delete from events where invoice_id = ${id}`,
      sql`update invoices set event_count = 0, event_hash = '' where id = ${id}`,
    );
    for (let n = 0; n < 4; n += 1) await add(id!, { n: 'another story' });
    expect(await verifyCase(book.db, book.creditor.id, id!)).toMatchObject({ events: 4 });
    expect(await problems()).toEqual([`anchor: ${id}: event 4 is not the one when head 1 was written`]);
  });

  test('a case is removed', async () => {
    const [id] = cases;
    await tamper(sql`delete from events where invoice_id = ${id}`, sql`delete from invoices where id = ${id}`);
    expect(await problems()).toEqual([`anchor: ${id}: the case is gone that head 1 stands for`]);
  });

  test('a leaf or a head is changed or removed', async () => {
    await add(cases[0]!, {});
    await anchor(1);
    await tamper(sql`update creditor_head_leaves set event_count = 3 where invoice_id = ${cases[0]!} and n = 1`);
    expect(await problems()).toContain('head: the leaves of head 1 were changed');
    await tamper(sql`update creditor_head_leaves set event_count = 4 where invoice_id = ${cases[0]!} and n = 1`);
    await tamper(sql`update creditor_heads set on_date = '2026-01-01' where n = 1`);
    expect(await problems()).toEqual(['head: head 1 was changed']);
    await tamper(sql`delete from creditor_heads where n = 1`);
    expect(await problems()).toEqual(['head: head 1 is missing', 'head: head 2 does not follow the one before it']);
    await tamper(sql`delete from creditor_heads`);
    expect(await problems()).toEqual(['head: head 1 is missing']);
  });
});
