import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemAct } from '../../db/act.ts';
import { inTransaction } from '../../db/database.ts';
import { agedByCustomer, agedTotals, type Buckets } from '../../db/repositories/aged-balance.ts';
import { allocate, undoAllocation } from '../../db/repositories/allocations.ts';
import type { CustomerRow } from '../../db/repositories/customers.ts';
import { changeDueOn, registerInvoice } from '../../db/repositories/invoices.ts';
import { check } from '../../db/repositories/ledger.ts';
import { recordReceipt } from '../../db/repositories/receipts.ts';
import { dropPaidDays, foldReceivables } from '../../db/repositories/receivable-sums.ts';
import { addDays, type LocalDate } from '../../domain/time/dates.ts';
import { addCreditor, addCustomer, codeOf, openBook, type Book } from './book.ts';

/** The aged balance by its roll-up, by customer, and added up posting by posting here: the same on any day. */

const FIRST = '2025-11-20';
const DAYS = 150;

let book: Book;
beforeAll(async () => {
  book = await openBook();
});
afterAll(() => book.drop());

const acted = (day: number) => systemAct(Date.parse(`${addDays(FIRST, day)}T09:00:00Z`));

type Move =
  | { kind: 'invoice'; customer: number; term: number; amount: number; currency: 'EUR' | 'JPY' }
  | { kind: 'pay'; invoice: number; percent: number }
  | { kind: 'undo'; allocation: number }
  | { kind: 'dueDate'; invoice: number; days: number }
  | { kind: 'fold'; most: number };

const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('invoice' as const),
      customer: fc.nat(2),
      term: fc.integer({ min: 0, max: 120 }),
      amount: fc.integer({ min: 1, max: 90_000 }),
      currency: fc.constantFrom('EUR' as const, 'JPY' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pay' as const),
      invoice: fc.nat(20),
      percent: fc.integer({ min: 1, max: 100 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('undo' as const), allocation: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('dueDate' as const),
      invoice: fc.nat(20),
      days: fc.integer({ min: -60, max: 60 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fold' as const), most: fc.integer({ min: 1, max: 9 }) }) },
);

test('the roll-up is the journal, on any day, however much of it is folded', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(9), move), { minLength: 4, maxLength: 25 }),
      fc.array(fc.nat(DAYS), { minLength: 3, maxLength: 3 }),
      async (history, days) => {
        const own = { ...book, creditor: await addCreditor(book.db) };
        const customers = [await addCustomer(own), await addCustomer(own), await addCustomer(own)];
        const last = await play(own, customers, history);
        for (const asOf of [...days.map((day) => addDays(FIRST, day)), addDays(FIRST, last), '2027-01-01']) {
          const expected = await byHand(own, asOf);
          const totals = await agedTotals(book.db, own.creditor.id, { asOf });
          expect(Object.fromEntries(totals.map((total) => [total.currency, total]))).toEqual(expected);
          const rows = await agedByCustomer(book.db, own.creditor.id, { asOf }, null, 50);
          expect(added(rows.flatMap((row) => row.balances))).toEqual(expected);
        }
        expect(await check(book.db, own.creditor.id)).toEqual([]);
      },
    ),
    {
      numRuns: Number(process.env['SUM_RUNS'] ?? 25),
      ...(process.env['FC_SEED'] ? { seed: Number(process.env['FC_SEED']) } : {}),
    },
  );
}, 120_000);

test('deltas that several transactions write while they are folded are all counted, once', async () => {
  const own = { ...book, creditor: await addCreditor(book.db) };
  const customers = [await addCustomer(own), await addCustomer(own), await addCustomer(own)];
  let writing = true;
  const folding = (async () => {
    while (writing) await foldReceivables(book.db, 5);
  })();
  await Promise.all(
    customers.map(async (customer, n) => {
      for (let i = 0; i < 12; i++) {
        await play(
          own,
          [customer],
          [[i, { kind: 'invoice', customer: 0, term: n * 40, amount: 1_000 + i, currency: 'EUR' }]],
        );
      }
    }),
  );
  writing = false;
  await folding;
  const asOf = '2026-06-01';
  const [total] = await agedTotals(book.db, own.creditor.id, { asOf });
  expect({ EUR: total }).toEqual(await byHand(own, asOf));
  await foldReceivables(book.db);
  await dropPaidDays(book.db);
  expect(await agedTotals(book.db, own.creditor.id, { asOf })).toEqual([total]);
});

/** Plays a history, each move some days after the one before; returns the last day. */
async function play(own: Book, customers: CustomerRow[], history: [number, Move][]): Promise<number> {
  const invoices: string[] = [];
  const allocations: string[] = [];
  let day = 0;
  for (const [gap, one] of history) {
    day = Math.min(DAYS, day + gap);
    const act = acted(day);
    const today = addDays(FIRST, day);
    const invoice = 'invoice' in one ? invoices[one.invoice % Math.max(1, invoices.length)] : undefined;
    if (one.kind === 'invoice') {
      // Some are issued on a day to come, some were long ago.
      const issuedOn = addDays(today, one.term % 7 === 0 ? 5 : -one.term);
      const { invoiceId } = await inTransaction(own.db, (tx) =>
        registerInvoice(tx, act, own.creditor, {
          number: `S-${day}-${invoices.length}-${one.amount}-${customers[0]!.reference}`,
          customer: customers[one.customer % customers.length]!,
          issuedOn,
          dueOn: addDays(issuedOn, one.term),
          amountMinor: BigInt(one.amount),
          currency: one.currency,
        }),
      );
      invoices.push(invoiceId);
    } else if (one.kind === 'pay' && invoice) {
      const row = await own.db.selectFrom('invoices').selectAll().where('id', '=', invoice).executeTakeFirstOrThrow();
      const amountMinor = (row.balance_minor * BigInt(one.percent)) / 100n;
      if (amountMinor === 0n) continue;
      const { currency, creditor_id: creditorId } = row;
      await inTransaction(own.db, async (tx) => {
        const receiptId = await recordReceipt(tx, act, { creditorId, bookedOn: today, amountMinor, currency });
        allocations.push(
          (await allocate(tx, act, { receiptId, invoiceId: invoice, amountMinor, rule: 'manual' })).allocationId,
        );
      });
    } else if (one.kind === 'undo' && allocations.length > 0) {
      const [taken] = allocations.splice(one.allocation % allocations.length, 1);
      await inTransaction(own.db, (tx) => undoAllocation(tx, act, taken!, 'manual'));
    } else if (one.kind === 'dueDate' && invoice) {
      const moved = addDays(today, one.days);
      const code = await codeOf(inTransaction(own.db, (tx) => changeDueOn(tx, act, own.creditor.id, invoice, moved)));
      expect(['accepted', 'dueBeforeIssue']).toContain(code);
    } else if (one.kind === 'fold') {
      await foldReceivables(own.db, one.most);
      if (one.most % 3 === 0) await dropPaidDays(own.db);
    }
  }
  return day;
}

/** Each invoice's balance and due date on the day, from its postings and the moves on its timeline. */
async function byHand(own: Book, asOf: LocalDate): Promise<Record<string, Buckets & { currency: string }>> {
  const { rows } = await sql<{ id: string; currency: string; due_on: string; amount: bigint }>`
    select i.id, i.currency, i.due_on::text, sum(p.amount_minor)::bigint as amount
    from invoices i join postings p on p.invoice_id = i.id and p.account = 'receivable'
    join journal_entries e on e.id = p.entry_id
    where i.creditor_id = ${own.creditor.id} and e.on_date <= ${asOf} group by i.id`.execute(own.db);
  const balances = [];
  for (const row of rows.filter(({ amount }) => amount !== 0n)) {
    const moves = await own.db
      .selectFrom('events')
      .select(['at', 'data'])
      .where('invoice_id', '=', row.id)
      .where('kind', '=', 'dueDateChanged')
      .orderBy('n', 'desc')
      .execute();
    const later = moves.filter(({ at }) => new Date(at).toISOString().slice(0, 10) > asOf);
    const dueOn = later.length > 0 ? String(later.at(-1)!.data['from']) : row.due_on;
    balances.push({ currency: row.currency, ...bucketed(dueOn, asOf, row.amount) });
  }
  return added(balances);
}

function bucketed(dueOn: LocalDate, asOf: LocalDate, amount: bigint): Buckets {
  const late = (Date.parse(asOf) - Date.parse(dueOn)) / 86_400_000;
  const when = (from: number, to: number) => (late >= from && late <= to ? amount : 0n);
  return {
    notDue: when(-Infinity, 0),
    from1To30: when(1, 30),
    from31To60: when(31, 60),
    from61To90: when(61, 90),
    over90: when(91, Infinity),
    total: amount,
    disputed: 0n,
  };
}

function added(balances: readonly (Buckets & { currency: string })[]): Record<string, Buckets & { currency: string }> {
  const sums: Record<string, Buckets & { currency: string }> = {};
  for (const balance of balances) {
    const sum = (sums[balance.currency] ??= { ...balance, ...bucketed('2000-01-01', '2000-01-01', 0n), disputed: 0n });
    for (const key of Object.keys(bucketed('2000-01-01', '2000-01-01', 0n)) as (keyof Buckets)[])
      sum[key] += balance[key];
  }
  return sums;
}
