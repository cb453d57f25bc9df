import { describe, expect, test } from 'vitest';
import { check } from '../../db/repositories/ledger.ts';
import { lookAgain } from '../../db/repositories/cash-application.ts';
import { inTransaction } from '../../db/database.ts';
import { bankAct } from '../../db/act.ts';
import { askAboutSuspect, drainFeed } from '../../db/repositories/bank-transactions.ts';
import { findTransaction, takeIn } from '../../db/repositories/transactions.ts';
import { parseAmount } from '../../domain/money.ts';
import type { Transaction } from '../../domain/statement/transaction.ts';
import { transaction } from '../domain/statement/fixtures.ts';
import { stripeCharge, stripeDispute, stripeEvent, stripeRefund } from '../support/webhook-bodies.ts';
import { signStripe } from '../support/webhook-signing.ts';
import { withBankAccount } from './bank-account.ts';
import { newFeed, type TestFeed } from './feed.ts';
import { newInvoice, NOW, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;
let feed: TestFeed;
const { get, post } = withBankAccount((account) => ({ h, c, feed } = account));

const taskOf = async (receiptId: string) => {
  const rows = await h.db
    .selectFrom('tasks')
    .selectAll()
    .where('receipt_id', '=', receiptId)
    .where('kind', '=', 'unappliedCash')
    .orderBy('seq', 'desc')
    .execute();
  return rows[0]!;
};
const holdsOf = (receiptId: string) =>
  h.db.selectFrom('holds').select('id').where('source_id', '=', receiptId).where('lifted_on', 'is', null).execute();

/** Two invoices of one customer, and money that quotes both and is enough for neither sum. */
async function undecided(amount = '700.00') {
  const a = await newInvoice(h, c.operator, { amount: '500.00' });
  const b = await newInvoice(h, c.operator, { customer: undefined, customerId: a.customerId, amount: '800.00' });
  const receiptId = await feed.pays({ amount, remittance: `${a.number} ${b.number}` });
  return { a, b, receiptId };
}

describe('a receipt', () => {
  test('shows where it went and why', async () => {
    const invoice = await newInvoice(h, c.operator, { number: 'WHY-2026-0001' });
    const receiptId = await feed.pays({ amount: '1200.00', remittance: 'paiement WHY 2026/0001 merci' });
    const receipt = await get(`/v1/receipts/${receiptId}`);
    expect(receipt).toMatchObject({
      id: receiptId,
      unapplied: '0.00',
      setAside: '0.00',
      byPerson: false,
      allocations: [{ invoiceId: invoice.id, amount: '1200.00', rule: 'numbersEqualSum' }],
      decision: {
        outcome: 'applied',
        rule: 'numbersEqualSum',
        confidence: 'certain',
        reason: null,
        settingsVersion: 0,
        allocations: [{ invoiceId: invoice.id, number: 'WHY-2026-0001', amount: '1200.00' }],
        reasons: [
          { kind: 'number', text: 'The text quotes WHY20260001, which is WHY-2026-0001.' },
          { kind: 'equalSum', text: 'The amount is exactly what is open.' },
        ],
        rivals: [],
      },
    });
  });

  test('says why it waits, and has no decision where no rule looked', async () => {
    const { receiptId, a, b } = await undecided();
    const receipt = await get(`/v1/receipts/${receiptId}`);
    expect(receipt.decision).toMatchObject({ outcome: 'review', rule: null, reason: { code: 'proposeOnly' } });
    expect(receipt.decision.rivals[0]).toMatchObject({
      rule: 'numbersShared',
      allocations: [
        { invoiceId: a.id, number: a.number },
        { invoiceId: b.id, number: b.number },
      ],
    });
    const paid = await post(`/v1/invoices/${a.id}/payments`, {
      amount: '1.00',
      currency: 'EUR',
      receivedOn: '2026-11-19',
    });
    expect((await get(`/v1/receipts/${paid.body.id}`)).decision).toBeNull();
  });
});

describe('candidates', () => {
  test('are ranked, few, and keep their keys', async () => {
    const { receiptId, a } = await undecided();
    const first = await get(`/v1/receipts/${receiptId}/candidates`);
    expect(first.data.length).toBeGreaterThan(1);
    expect(first.data.length).toBeLessThanOrEqual(9);
    expect(first.data[0]).toMatchObject({ rule: 'numbersShared', customerId: a.customerId });
    expect(await get(`/v1/receipts/${receiptId}/candidates`)).toEqual(first);
    const size = JSON.stringify(first).length;
    expect(size).toBeLessThan(6_000);
  });

  test('are applied exactly as shown, and the task closes with its holds', async () => {
    const { receiptId, a, b } = await undecided();
    expect(await holdsOf(receiptId)).not.toEqual([]);
    const [candidate] = (await get(`/v1/receipts/${receiptId}/candidates`)).data;
    const done = await post(`/v1/receipts/${receiptId}/accept`, { candidate: candidate.key });
    expect(done.status).toBe(200);
    expect(done.body).toMatchObject({ unapplied: '0.00', byPerson: true, decision: { rule: 'numbersShared' } });
    expect(done.body.decision.rivals.length).toBeGreaterThan(0);
    const shares = new Map(
      candidate.allocations.map((one: { invoiceId: string; amount: string }) => [one.invoiceId, one.amount]),
    );
    for (const one of done.body.allocations) expect(one.amount).toBe(shares.get(one.invoiceId));
    expect(new Set(done.body.allocations.map((one: { invoiceId: string }) => one.invoiceId))).toEqual(
      new Set([a.id, b.id]),
    );
    expect(await taskOf(receiptId)).toMatchObject({ status: 'done', outcome: { outcome: 'allocated' } });
    expect(await holdsOf(receiptId)).toEqual([]);
    expect((await get(`/v1/receipts/${receiptId}/candidates`)).data).toEqual([]);
  });

  test('that are gone are refused, and nothing changes', async () => {
    const { receiptId, a, b } = await undecided();
    const [candidate] = (await get(`/v1/receipts/${receiptId}/candidates`)).data;
    await post(`/v1/invoices/${a.id}/payments`, { amount: '500.00', currency: 'EUR', receivedOn: '2026-11-19' });
    const reply = await post(`/v1/receipts/${receiptId}/accept`, { candidate: candidate.key });
    expect([reply.status, reply.body.code]).toEqual([409, 'candidateGone']);
    expect(reply.body.errors[0].pointer).toBe('/candidate');
    expect(await get(`/v1/receipts/${receiptId}`)).toMatchObject({ unapplied: '700.00', byPerson: false });
    expect((await get(`/v1/invoices/${b.id}`)).balance).toBe('800.00');
    const nonsense = await post(`/v1/receipts/${receiptId}/accept`, { candidate: 'A'.repeat(16) });
    expect(nonsense.body.code).toBe('candidateGone');
    expect((await post(`/v1/receipts/${receiptId}/accept`, { candidate: '' })).status).toBe(422);
  });

  test('are accepted once of two who choose at the same moment', async () => {
    const { receiptId } = await undecided();
    const { data } = await get(`/v1/receipts/${receiptId}/candidates`);
    const replies = await Promise.all(
      [data[0], data[1]].map((one) => post(`/v1/receipts/${receiptId}/accept`, { candidate: one.key })),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 409]));
  });
});

describe('a split', () => {
  test('takes all of it or nothing', async () => {
    const { receiptId, a, b } = await undecided();
    const bad = await post(`/v1/receipts/${receiptId}/split`, {
      allocations: [
        { invoiceId: b.id, amount: '100.00' },
        { invoiceId: a.id, amount: '500.01' },
      ],
    });
    expect([bad.status, bad.body.code, bad.body.errors[0].pointer]).toEqual([422, 'exceedsBalance', '/allocations/1']);
    expect(await get(`/v1/receipts/${receiptId}`)).toMatchObject({ unapplied: '700.00', byPerson: false });
    const more = await post(`/v1/receipts/${receiptId}/split`, {
      allocations: [
        { invoiceId: a.id, amount: '500.00' },
        { invoiceId: b.id, amount: '200.01' },
      ],
    });
    expect([more.status, more.body.code]).toEqual([422, 'exceedsUnapplied']);
    const twice = await post(`/v1/receipts/${receiptId}/split`, {
      allocations: [
        { invoiceId: a.id, amount: '1.00' },
        { invoiceId: a.id, amount: '1.00' },
      ],
    });
    expect([twice.status, twice.body.code]).toEqual([422, 'duplicateInvoice']);
    const good = await post(`/v1/receipts/${receiptId}/split`, {
      allocations: [
        { invoiceId: b.id, amount: '300.00' },
        { invoiceId: a.id, amount: '400.00' },
      ],
    });
    expect(good.body).toMatchObject({ unapplied: '0.00', byPerson: true });
    expect([(await get(`/v1/invoices/${a.id}`)).balance, (await get(`/v1/invoices/${b.id}`)).balance]).toEqual([
      '100.00',
      '500.00',
    ]);
    expect((await taskOf(receiptId)).status).toBe('done');
  });
});

describe('money of no invoice', () => {
  test('is assigned to a customer as credit, which closes the task', async () => {
    const { receiptId } = await undecided();
    const other = await newInvoice(h, c.operator);
    const done = await post(`/v1/receipts/${receiptId}/assign`, { customerId: other.customerId });
    expect(done.body).toMatchObject({ customerId: other.customerId, unapplied: '700.00', byPerson: true });
    expect(await taskOf(receiptId)).toMatchObject({ status: 'done', outcome: { outcome: 'assigned' } });
    expect(await holdsOf(receiptId)).toEqual([]);
    // It is still money that can be used.
    const used = await post(`/v1/receipts/${receiptId}/allocations`, { invoiceId: other.id, amount: '700.00' });
    expect(used.status).toBe(201);
    const nothing = await post(`/v1/receipts/${receiptId}/assign`, { customerId: other.customerId });
    expect([nothing.status, nothing.body.code]).toEqual([409, 'nothingUnapplied']);
  });

  test('goes back to its payer, a part or all, with the reason beside the task', async () => {
    const { receiptId } = await undecided();
    const part = await post(`/v1/receipts/${receiptId}/refund`, { amount: '200.00', reason: 'Paid 200 too much' });
    expect(part.body).toMatchObject({ returned: '200.00', unapplied: '500.00' });
    expect((await taskOf(receiptId)).status).toBe('open');
    expect(await holdsOf(receiptId)).not.toEqual([]);
    const over = await post(`/v1/receipts/${receiptId}/refund`, { amount: '500.01', reason: 'x' });
    expect([over.status, over.body.code, over.body.errors[0].pointer]).toEqual([422, 'exceedsUnapplied', '/amount']);
    const rest = await post(`/v1/receipts/${receiptId}/refund`, { reason: 'The rest too' });
    expect(rest.body).toMatchObject({ returned: '700.00', unapplied: '0.00', byPerson: true });
    expect(await taskOf(receiptId)).toMatchObject({
      status: 'done',
      outcome: { outcome: 'returned', note: 'The rest too' },
    });
    const notes = await h.db
      .selectFrom('tasks')
      .select(['status', 'outcome'])
      .where('receipt_id', '=', receiptId)
      .where('kind', '=', 'unappliedCashNote')
      .execute();
    expect(notes).toEqual([{ status: 'done', outcome: { outcome: 'returnedPart', note: 'Paid 200 too much' } }]);
    const back = await h.db
      .selectFrom('receipt_returns')
      .select(['reason_code', 'booked_on'])
      .where('receipt_id', '=', receiptId)
      .execute();
    expect(back).toEqual([
      { reason_code: 'refund', booked_on: '2026-11-20' },
      { reason_code: 'refund', booked_on: '2026-11-20' },
    ]);
    expect(await outboxText()).not.toContain('Paid 200 too much');
  });

  test('is put aside with a reason, and taken back with a task again', async () => {
    const receiptId = await feed.pays({ amount: '333.00', remittance: 'DGFIP REMBOURSEMENT TVA' });
    const done = await post(`/v1/receipts/${receiptId}/ignore`, { reason: 'VAT refund' });
    expect(done.body).toMatchObject({ unapplied: '0.00', setAside: '333.00', byPerson: true });
    expect(await taskOf(receiptId)).toMatchObject({
      status: 'done',
      outcome: { outcome: 'putAside', note: 'VAT refund' },
    });
    expect(await check(h.db)).toEqual([]);
    expect((await get('/v1/receipts?status=unapplied')).data.map((r: { id: string }) => r.id)).not.toContain(receiptId);
    expect((await post(`/v1/receipts/${receiptId}/ignore`, { reason: 'x' })).body.code).toBe('nothingUnapplied');

    const back = await h.call(c.operator, 'DELETE', `/v1/receipts/${receiptId}/ignore`);
    expect(back.status).toBe(204);
    expect(await get(`/v1/receipts/${receiptId}`)).toMatchObject({ unapplied: '333.00', setAside: '0.00' });
    expect(await taskOf(receiptId)).toMatchObject({ status: 'open', data: { reason: 'putAsideUndone' } });
    const twice = await h.call(c.operator, 'DELETE', `/v1/receipts/${receiptId}/ignore`);
    expect([twice.status, twice.body.code]).toEqual([409, 'notIgnored']);
    expect((await post(`/v1/receipts/${receiptId}/ignore`, { reason: 'After all' })).body.setAside).toBe('333.00');
  });

  test('that was put aside goes back when the bank takes it back', async () => {
    const receiptId = await feed.pays({ amount: '90.00', id: 'aside-1' });
    await post(`/v1/receipts/${receiptId}/ignore`, { reason: 'None of ours' });
    const reversal = { currency: 'EUR', bookedOn: '2026-11-19', originalId: 'aside-1', reasonCode: 'MD06' };
    await feed.tells('transaction.returned', { ...reversal, id: 'aside-1-back', amount: '30.00' });
    await feed.drain();
    expect(await get(`/v1/receipts/${receiptId}`)).toMatchObject({
      returned: '30.00',
      setAside: '60.00',
      unapplied: '0.00',
    });
  });
});

const CARDS = 'whsec_0123456789abcdef0123456789abcdef';

describe('a refund that a person recorded', () => {
  const openTasks = async (receiptId: string) =>
    (
      await h.db
        .selectFrom('tasks')
        .select('kind')
        .where('status', '=', 'open')
        .where('receipt_id', '=', receiptId)
        .execute()
    )
      .map(({ kind }) => kind)
      .concat((await get('/v1/tasks?kind=unknownReturn&status=open')).data.map(({ kind }: { kind: string }) => kind));
  const returnsOf = (receiptId: string) =>
    h.db
      .selectFrom('receipt_returns')
      .select(['amount_minor', 'reason_code'])
      .where('receipt_id', '=', receiptId)
      .orderBy('at')
      .orderBy('id')
      .execute();

  /** A Stripe account, and a charge of 1200.00 that is for nothing known. */
  async function charged() {
    serial += 1;
    const n = serial;
    const { body } = await h.call(c.approver, 'POST', '/v1/feeds', {
      kind: 'stripe',
      name: 'Cards',
      secret: CARDS,
    });
    const tells = async (type: string, object: object, previous?: object) => {
      const event = { ...stripeEvent(type, object, previous), id: `evt_${n}_${(serial += 1)}` };
      const bytes = Buffer.from(JSON.stringify(event));
      const headers = { 'content-type': 'application/json', ...signStripe(bytes, CARDS, Date.now()) };
      const reply = await h.call(null, 'POST', `/v1/webhooks/feeds/${body.id}`, bytes.toString(), headers);
      expect(reply.status).toBe(204);
      await drainFeed(h.db, body.id, { now: NOW, holidays: () => new Set<string>() });
    };
    const charge = { id: `ch_${n}`, payment_intent: `pi_${n}`, metadata: {} };
    await tells('charge.succeeded', stripeCharge(charge));
    const [told] = (await get(`/v1/transactions?feedId=${body.id}`)).data;
    const refunded = (sum: number, before: number) =>
      tells('charge.refunded', stripeCharge({ ...charge, amount_refunded: sum }), { amount_refunded: before });
    const disputed = () =>
      tells('charge.dispute.funds_withdrawn', stripeDispute({ ...charge, id: `dp_${n}`, charge: charge.id }));
    return { receiptId: told.receiptId as string, feedId: body.id as string, tells, refunded, disputed, n };
  }

  test('and makes at the provider is told once, without a task', async () => {
    const { receiptId, feedId, refunded, tells, n } = await charged();
    await post(`/v1/receipts/${receiptId}/refund`, { reason: 'Paid twice' });
    await refunded(120_000, 0);
    expect(await get(`/v1/receipts/${receiptId}`)).toMatchObject({ returned: '1200.00', unapplied: '0.00' });
    expect(await returnsOf(receiptId)).toEqual([{ amount_minor: 120_000n, reason_code: 'refund' }]);
    expect(await openTasks(receiptId)).toEqual([]);
    const [back] = (await get(`/v1/transactions?feedId=${feedId}`)).data;
    expect(back).toMatchObject({ amount: '-1200.00', outcome: 'return', receiptId });
    // It fails: the customer's money is there again.
    const failed = stripeRefund({
      id: `re_${n}`,
      amount: 120_000,
      charge: `ch_${n}`,
      payment_intent: `pi_${n}`,
    });
    await tells('refund.failed', { ...failed, metadata: {} });
    const [again] = (await get(`/v1/transactions?feedId=${feedId}`)).data;
    expect(again).toMatchObject({ amount: '1200.00', outcome: 'receipt' });
  });

  test('of a part is that part, and another one of the same amount is not', async () => {
    const { receiptId, refunded } = await charged();
    await post(`/v1/receipts/${receiptId}/refund`, { amount: '200.00', reason: 'Too much' });
    await refunded(20_000, 0);
    expect(await get(`/v1/receipts/${receiptId}`)).toMatchObject({ returned: '200.00', unapplied: '1000.00' });
    await refunded(40_000, 20_000);
    expect(await get(`/v1/receipts/${receiptId}`)).toMatchObject({ returned: '400.00', unapplied: '800.00' });
  });

  test('does not hide a chargeback, with which the money leaves twice', async () => {
    const { receiptId, disputed } = await charged();
    await post(`/v1/receipts/${receiptId}/refund`, { reason: 'Paid twice' });
    await disputed();
    expect(await openTasks(receiptId)).toEqual(['returnExceeds']);
  });

  test('is a debit at a bank, or a return that the creditor agreed to, of the payment that was refunded', async () => {
    const account = await newFeed(h, c.approver);
    const counterparty = { name: 'Twice SAS', iban: 'FR7630006000011234567890189' };
    const invoice = await newInvoice(h, c.operator, { amount: '71.30' });
    const first = await account.pays({ amount: '71.30', remittance: invoice.number, counterparty });
    const second = await account.pays({ amount: '71.30', remittance: 'divers', counterparty });
    await post(`/v1/receipts/${second}/refund`, { reason: 'Paid twice' });
    await tellsFile(
      account,
      inFile('71.30', '2026-11-20', {
        amountMinor: -7_130n,
        counterparty: { name: null, ultimateName: null, account: counterparty.iban },
        returns: { reasonCode: 'FOCR', originalBankId: null, originalEndToEndId: null, originalAmountMinor: null },
      }),
    );
    expect(await get(`/v1/receipts/${first}`)).toMatchObject({ returned: '0.00', unapplied: '0.00' });
    expect(await returnsOf(second)).toHaveLength(1);
    expect(await openTasks(second)).toEqual([]);
    expect((await get(`/v1/transactions?feedId=${account.id}`)).data[0]).toMatchObject({
      outcome: 'return',
      receiptId: second,
    });

    const third = await account.pays({ amount: '72.40', remittance: 'divers', counterparty, id: 'third' });
    await post(`/v1/receipts/${third}/refund`, { reason: 'Paid twice' });
    await account.tells('transaction.booked', {
      id: 'third-back',
      amount: '72.40',
      currency: 'EUR',
      direction: 'debit',
      bookedOn: '2026-11-20',
      counterparty,
    });
    await account.drain();
    expect(await returnsOf(third)).toHaveLength(1);
    expect(await openTasks(third)).toEqual([]);
    // The payer had its bank recall the payment besides: that money went back twice.
    await account.tells('transaction.returned', {
      id: 'third-recalled',
      originalId: 'third',
      amount: '72.40',
      currency: 'EUR',
      bookedOn: '2026-11-20',
      reasonCode: 'FOCR',
    });
    await account.drain();
    expect(await openTasks(third)).toEqual(['returnExceeds']);
  });

  test('is recognised by a person where the bank gives another reason', async () => {
    const account = await newFeed(h, c.approver);
    const receiptId = await account.pays({ amount: '73.50', remittance: 'divers' });
    await post(`/v1/receipts/${receiptId}/refund`, { reason: 'Paid twice' });
    await account.tells('transaction.returned', {
      id: 'by-hand',
      originalId: 'unknown',
      amount: '73.50',
      currency: 'EUR',
      bookedOn: '2026-11-20',
      reasonCode: 'NARR',
    });
    await account.drain();
    const [task] = (await get('/v1/tasks?kind=unknownReturn&status=open')).data;
    expect((await post(`/v1/tasks/${task.id}/completion`, { receiptId })).status).toBe(200);
    expect(await returnsOf(receiptId)).toHaveLength(1);
    expect(await openTasks(receiptId)).toEqual([]);
  });
});

let serial = 0;
const tellsFile = async (account: TestFeed, told: Transaction): Promise<void> => {
  const of = { feedId: account.id, creditorId: c.id, iban: null };
  await inTransaction(h.db, (tx) => takeIn(tx, bankAct(NOW), of, `file:${(serial += 1)}`, [told]));
  await account.drain();
};

const outboxText = async () => JSON.stringify(await h.db.selectFrom('outbox').select('payload').execute());

describe('a person’s decision', () => {
  test('outranks every later rule, also one that would know better', async () => {
    const a = await newInvoice(h, c.operator, { amount: '410.00' });
    const receiptId = await feed.pays({ amount: '410.00', remittance: a.number });
    const { allocations } = await get(`/v1/receipts/${receiptId}`);
    expect((await h.call(c.operator, 'DELETE', `/v1/allocations/${allocations[0].id}`)).status).toBe(204);
    expect(await get(`/v1/receipts/${receiptId}`)).toMatchObject({ unapplied: '410.00', byPerson: true });
    await h.db.updateTable('receipts').set({ look_again: true }).where('id', '=', receiptId).execute();
    await feed.drain();
    await inTransaction(h.db, (tx) => lookAgain(tx, bankAct(NOW), receiptId, () => new Set<string>()));
    expect((await get(`/v1/receipts/${receiptId}`)).unapplied).toBe('410.00');
    expect((await get(`/v1/invoices/${a.id}`)).balance).toBe('410.00');
  });

  test('by the older routes counts as well', async () => {
    const a = await newInvoice(h, c.operator, { amount: '55.00' });
    const receiptId = await feed.pays({ amount: '66.00', remittance: 'nothing that helps' });
    await post(`/v1/receipts/${receiptId}/allocations`, { invoiceId: a.id, amount: '55.00' });
    expect(await get(`/v1/receipts/${receiptId}`)).toMatchObject({ byPerson: true, unapplied: '11.00' });
  });
});

/** What a statement file tells: money that names nobody, unless `change` says more. */
const inFile = (amount: string, bookedOn: string, change: Partial<Transaction> = {}): Transaction =>
  transaction({ bookedOn, amountMinor: parseAmount(amount, 'EUR'), ...change });

/** It is in doubt beside what a message told a day before. */
const toldByFile = (feedId: string, amount: string, bookedOn: string): Promise<string> =>
  inTransaction(h.db, async (tx) => {
    const account = { feedId, creditorId: c.id, iban: null };
    const [taken] = await takeIn(tx, bankAct(NOW), account, `file:${amount}`, [inFile(amount, bookedOn)]);
    expect(taken!.intake).toBe('suspect');
    await askAboutSuspect(tx, bankAct(NOW), (await findTransaction(tx, c.id, taken!.transactionId))!);
    return taken!.transactionId;
  });

describe('transactions', () => {
  test('of two sources in doubt are answered by a person', async () => {
    const other = await newFeed(h, c.approver);
    for (const [name, outcome] of [
      ['same', 'duplicate'],
      ['different', 'receipt'],
    ] as const) {
      const amount = name === 'same' ? '77.70' : '77.80';
      const first = await other.pays({ amount, id: `twin-${name}`, bookedOn: '2026-11-10' });
      const suspectId = await toldByFile(other.id, amount, '2026-11-11');
      const { data } = await get(`/v1/transactions?state=suspect&feedId=${other.id}`);
      expect(data).toMatchObject([{ id: suspectId, amount, state: 'suspect', outcome: null, receiptId: null }]);
      expect(data[0].sameAs).toMatch(/^btx_/);
      const [task] = (await get('/v1/tasks?kind=possibleDuplicate&status=open')).data;
      const url = `/v1/tasks/${task.id}/completion`;
      expect((await post(url, { outcome: 'perhaps' })).status).toBe(422);
      expect((await post(url, { outcome: name })).body).toMatchObject({ status: 'done', outcome: { outcome: name } });
      expect((await post(url, { outcome: name })).body.code).toBe('taskClosed');
      await other.drain();
      const [now] = (await get(`/v1/transactions?feedId=${other.id}`)).data;
      expect(now).toMatchObject({ id: suspectId, state: 'done', outcome });
      if (name === 'same') expect(now.receiptId).toBeNull();
      else expect(now.receiptId).not.toBe(first);
    }
  });

  test('that undo a payment nobody knows are given to a receipt by hand', async () => {
    const invoice = await newInvoice(h, c.operator, { amount: '88.00' });
    const receiptId = await feed.pays({ amount: '88.00', remittance: invoice.number });
    const told = { currency: 'EUR', amount: '88.00', bookedOn: '2026-11-19', reasonCode: 'AC04' };
    await feed.tells('transaction.returned', { ...told, id: 'lost-1', originalId: 'never-told' });
    await feed.drain();
    const [waiting] = (await get(`/v1/transactions?state=waiting&feedId=${feed.id}`)).data;
    expect(waiting).toMatchObject({ amount: '-88.00', state: 'waiting' });
    const tasks = (await get('/v1/tasks?kind=unknownReturn&status=open')).data;
    const small = await feed.pays({ amount: '5.00' });
    const refused = await post(`/v1/tasks/${tasks[0].id}/completion`, { receiptId: small });
    expect([refused.status, refused.body.code]).toEqual([422, 'exceedsReceipt']);
    const done = await post(`/v1/tasks/${tasks[0].id}/completion`, { receiptId, note: 'Said on the phone' });
    expect(done.status).toBe(200);
    expect(done.body).toMatchObject({ status: 'done', outcome: { receiptId, note: 'Said on the phone' } });
    expect(await get(`/v1/receipts/${receiptId}`)).toMatchObject({ returned: '88.00', unapplied: '0.00' });
    expect((await get(`/v1/invoices/${invoice.id}`)).balance).toBe('88.00');
    expect((await get(`/v1/transactions?feedId=${feed.id}&bookedAfter=2026-11-18`)).data[0]).toMatchObject({
      outcome: 'return',
      receiptId,
    });
  });

  test('that undo a return are for what its payment was for, also when a person looks', async () => {
    const invoice = await newInvoice(h, c.operator, { amount: '64.00' });
    const other = await newFeed(h, c.approver);
    const of = (originalBankId: string) => ({
      returns: { originalBankId, originalEndToEndId: null, originalAmountMinor: null, reasonCode: null },
    });
    const counterparty = { name: 'Payer', account: null, ultimateName: 'Behind It SARL' };
    const paid = { bankId: 'paid', structuredReferences: [invoice.number], counterparty };
    await inTransaction(h.db, (tx) =>
      takeIn(tx, bankAct(NOW), { feedId: other.id, creditorId: c.id, iban: null }, 'file:undone', [
        inFile('64.00', '2026-11-17', paid),
        inFile('64.00', '2026-11-18', { amountMinor: -6_400n, position: '2', bankId: 'returned', ...of('paid') }),
        inFile('64.00', '2026-11-19', { position: '3', bankId: 'again', ...of('returned') }),
      ]),
    );
    await other.drain();
    const [again, , first] = (await get(`/v1/transactions?feedId=${other.id}`)).data;
    expect(again.receiptId).not.toBe(first.receiptId);
    const { allocations } = await get(`/v1/receipts/${again.receiptId}`);
    expect(allocations).toMatchObject([{ invoiceId: invoice.id, amount: '64.00', rule: 'structuredReference' }]);
    expect((await h.call(c.operator, 'DELETE', `/v1/allocations/${allocations[0].id}`)).status).toBe(204);
    const { data: candidates } = await get(`/v1/receipts/${again.receiptId}/candidates`);
    expect(candidates[0]).toMatchObject({ rule: 'structuredReference', allocations: [{ invoiceId: invoice.id }] });
  });

  test('are paged, and filtered by what they are', async () => {
    const first = await get('/v1/transactions?limit=1');
    expect(first.data).toHaveLength(1);
    const second = await get(`/v1/transactions?limit=1&cursor=${first.nextCursor}`);
    expect(second.data[0].id).not.toBe(first.data[0].id);
    expect((await h.call(c.operator, 'GET', '/v1/transactions?state=nonsense')).status).toBe(422);
  });
});
