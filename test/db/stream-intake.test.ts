import { afterAll, beforeAll, expect, test } from 'vitest';
import { bankAct } from '../../db/act.ts';
import { inTransaction } from '../../db/database.ts';
import { drainFeed } from '../../db/repositories/bank-transactions.ts';
import { check } from '../../db/repositories/ledger.ts';
import { takeInMessages } from '../../db/repositories/stream-intake.ts';
import type { Transaction } from '../../domain/statement/transaction.ts';
import { addCustomer, addFeed, addInvoice, invoiceOf, noHolidays, NOW, openBook, type Book } from './book.ts';

let book: Book;
let iban: string;
let feeds: string[];
beforeAll(async () => {
  book = await openBook();
  iban = 'FR7630006000011234567890189';
  feeds = [await addFeed(book), await addFeed(book)];
  await book.db.updateTable('feeds').set({ iban }).execute();
});
afterAll(() => book.drop());

const told = (bankId: string, amountMinor: bigint, change: Partial<Transaction> = {}): Transaction => ({
  status: 'booked',
  bookedOn: '2026-03-02',
  valueOn: null,
  amountMinor,
  currency: 'EUR',
  counterparty: { name: null, ultimateName: null, account: null },
  structuredReferences: [],
  remittance: null,
  bankText: null,
  bankId,
  endToEndId: null,
  mandateId: null,
  returns: null,
  feesMinor: null,
  bankCode: null,
  source: 'stripe',
  position: bankId,
  ...change,
});
const takes = async (feed: number, ...transactions: Transaction[]): Promise<string[]> => {
  const account = { feedId: feeds[feed]!, creditorId: book.creditor.id, iban };
  const taken = await inTransaction(book.db, (tx) => takeInMessages(tx, bankAct(NOW), account, transactions));
  await drainFeed(book.db, feeds[feed]!, { now: NOW, holidays: noHolidays });
  return taken.map(({ intake }) => intake);
};
const invoiceFor = async (number: string) => addInvoice(book, await addCustomer(book), { number });
const balanceOf = async (id: string) => (await invoiceOf(book.db, id)).balance_minor;
const undoes = (originalBankId: string, originalAmountMinor: bigint | null) => ({
  reasonCode: null,
  originalBankId,
  originalEndToEndId: null,
  originalAmountMinor,
});
const feesBooked = async () =>
  (await book.db.selectFrom('postings').select('amount_minor').where('account', '=', 'bankFees').execute()).map((row) =>
    Number(row.amount_minor),
  );

test('a transaction is one by its id, however often and in whatever order its stream tells it', async () => {
  const id = await invoiceFor('STREAM-1001');
  const remittance = 'STREAM-1001';
  expect(await takes(0, told('s-1', 9_000n, { status: 'pending', remittance }))).toEqual(['provisional']);
  expect(await balanceOf(id)).toBe(10_000n);
  // Less was captured than announced; within one answer the booking counts, before or behind its announcement.
  const booked = told('s-1', 4_000n, { remittance });
  expect(await takes(0, booked, told('s-1', 9_000n, { status: 'pending' }))).toEqual(['booked']);
  expect(await balanceOf(id)).toBe(6_000n);
  expect(await takes(0, booked)).toEqual(['duplicate']);
  expect(await takes(0, told('s-1', 9_000n, { status: 'pending' }))).toEqual(['duplicate']);
  expect(await balanceOf(id)).toBe(6_000n);
});

test('what is booked is told with another amount: nothing moves, a person looks', async () => {
  await takes(0, told('s-2', 700n));
  expect(await takes(0, told('s-2', 800n))).toEqual(['duplicate']);
  const tasks = await book.db.selectFrom('tasks').selectAll().where('kind', '=', 'transactionChanged').execute();
  expect(tasks).toMatchObject([{ data: { amount: '7.00', toldAmount: '8.00' } }]);
});

test('two feeds of one account tell the same payment once', async () => {
  const id = await invoiceFor('STREAM-1003');
  const remittance = 'STREAM-1003';
  expect(await takes(0, told('s-3', 10_000n, { remittance }))).toEqual(['new']);
  expect(await takes(1, told('b-3', 10_000n, { remittance, source: 'bridge' }))).toEqual(['duplicate']);
  expect(await balanceOf(id)).toBe(0n);
});

test('a fee is the bank’s, be it netted into a return or taken beside it', async () => {
  const netted = await invoiceFor('STREAM-1004');
  await takes(0, told('s-4', 10_000n, { remittance: 'STREAM-1004' }));
  await takes(0, told('s-4-back', -10_300n, { returns: undoes('s-4', null), feesMinor: 300n, source: 'standard' }));
  expect(await balanceOf(netted)).toBe(10_000n);
  expect(await feesBooked()).toEqual([300]);

  const beside = await invoiceFor('STREAM-1005');
  await takes(0, told('s-5', 10_000n, { remittance: 'STREAM-1005' }));
  await takes(0, told('s-5-back', -10_000n, { returns: undoes('s-5', 10_000n), feesMinor: 1_500n }));
  expect(await balanceOf(beside)).toBe(10_000n);
  expect(await feesBooked()).toEqual([300, 1_500]);
  expect(await check(book.db)).toEqual([]);
});

test('money of our own that comes back was never a customer’s', async () => {
  await takes(0, told('s-6', -5_000n), told('s-6-back', 5_000n, { returns: undoes('s-6', 5_000n) }));
  const rows = await book.db
    .selectFrom('bank_transactions')
    .select('outcome')
    .where('bank_id', 'like', 's-6%')
    .orderBy('seq')
    .execute();
  expect(rows.map(({ outcome }) => outcome)).toEqual(['debit', 'ownReturn']);
});
