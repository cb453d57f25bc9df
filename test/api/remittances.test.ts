import { PDFDocument, StandardFonts } from 'pdf-lib';
import { describe, expect, test } from 'vitest';
import { applyRetention } from '../../db/repositories/retention.ts';
import { withBankAccount } from './bank-account.ts';
import type { TestFeed } from './feed.ts';
import { newInvoice, NOW, type Harness, type TestCreditor } from './harness.ts';

let h: Harness;
let c: TestCreditor;
let feed: TestFeed;
const { get, post } = withBankAccount((account) => ({ h, c, feed } = account));

const json = (body: object) => post('/v1/remittances', body);
const file = (type: string, bytes: string | Buffer, query = '?currency=EUR') =>
  h.call(c.operator, 'POST', `/v1/remittances${query}`, bytes, { 'content-type': type });

let serial = 0;
/** Two invoices of one customer, of amounts that nobody else has. */
async function two() {
  serial += 1;
  const a = await newInvoice(h, c.operator, { number: `RA-2026-${serial}01`, amount: `${serial}11.00` });
  const b = await newInvoice(h, c.operator, {
    number: `RA-2026-${serial}02`,
    customer: undefined,
    customerId: a.customerId,
    amount: `${serial}22.50`,
  });
  return { a, b };
}
const sum = (...amounts: string[]) => amounts.reduce((total, one) => total + Number(one), 0).toFixed(2);
const allocated = async (receiptId: string) =>
  (await get(`/v1/receipts/${receiptId}`)).allocations.map(
    (one: { invoiceId: string; amount: string; rule: string }) => [one.invoiceId, one.amount, one.rule],
  );

describe('an advice', () => {
  test('before its payment says where it goes, a part of an invoice too', async () => {
    const { a, b } = await two();
    const made = await json({
      reference: 'AVIS 4711',
      paidOn: '2026-11-18',
      currency: 'EUR',
      lines: [
        { number: a.number, amount: a.amount },
        { number: b.number, amount: '20.00' },
      ],
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      status: 'open',
      total: sum(a.amount, '20.00'),
      format: 'json',
      reference: 'AVIS 4711',
      paidOn: '2026-11-18',
      receiptId: null,
      lines: [
        { number: a.number, invoiceId: a.id, amount: a.amount },
        { number: b.number, invoiceId: b.id, amount: '20.00' },
      ],
    });
    const receiptId = await feed.pays({ amount: made.body.total, remittance: 'REGLEMENT AVIS-4711' });
    expect(await allocated(receiptId)).toEqual([
      [a.id, a.amount, 'remittanceAdvice'],
      [b.id, '20.00', 'remittanceAdvice'],
    ]);
    expect(await get(`/v1/remittances/${made.body.id}`)).toMatchObject({ status: 'used', receiptId });
    const gone = await h.call(c.operator, 'DELETE', `/v1/remittances/${made.body.id}`);
    expect([gone.status, gone.body.code]).toEqual([409, 'adviceUsed']);
  });

  test('after its payment is used when the feed looks again', async () => {
    const { a, b } = await two();
    const amount = sum(a.amount, b.amount);
    const receiptId = await feed.pays({ amount, remittance: 'divers' });
    expect(await allocated(receiptId)).toEqual([]);
    const lines = [a, b].map((one) => ({ number: one.number, amount: one.amount }));
    const made = await json({ customerId: a.customerId, currency: 'EUR', lines });
    await feed.drain();
    expect((await allocated(receiptId)).length).toBe(2);
    expect(await get(`/v1/remittances/${made.body.id}`)).toMatchObject({ status: 'used', receiptId });
    expect((await get(`/v1/receipts/${receiptId}`)).byPerson).toBe(false);
  });

  test('is a candidate where a person decides', async () => {
    const { a, b } = await two();
    const amount = sum(a.amount, b.amount);
    await h.call(c.approver, 'PUT', '/v1/matching', { modes: { remittanceAdvice: 'propose' }, bankFees: {} });
    const lines = [a, b].map((one) => ({ number: one.number, amount: one.amount }));
    const made = await json({ currency: 'EUR', lines });
    const receiptId = await feed.pays({ amount, remittance: 'divers' });
    expect(await allocated(receiptId)).toEqual([]);
    const [first] = (await get(`/v1/receipts/${receiptId}/candidates`)).data;
    expect(first).toMatchObject({ rule: 'remittanceAdvice', customerId: a.customerId });
    await h.call(c.operator, 'POST', `/v1/receipts/${receiptId}/accept`, { candidate: first.key });
    expect((await allocated(receiptId)).length).toBe(2);
    expect((await get(`/v1/remittances/${made.body.id}`)).status).toBe('used');
    await h.call(c.approver, 'PUT', '/v1/matching', { modes: {}, bankFees: {} });
  });

  test('gives way to the invoice that the money names, and is kept for its own payment', async () => {
    const { a } = await two();
    const { a: named } = await two();
    const amount = a.amount;
    await newInvoice(h, c.operator, { number: 'RA-NAMED-1', amount });
    const made = await json({ currency: 'EUR', lines: [{ number: a.number, amount }] });
    const receiptId = await feed.pays({ amount, remittance: 'RA-NAMED-1' });
    expect(await allocated(receiptId)).toMatchObject([[expect.any(String), amount, 'numbersEqualSum']]);
    // Neither is money of somebody who names another open invoice than its lines.
    const other = await feed.pays({ amount, remittance: `acompte ${named.number}` });
    expect((await allocated(other)).map(([invoiceId]: [string]) => invoiceId)).not.toContain(a.id);
    expect((await get(`/v1/remittances/${made.body.id}`)).status).toBe('open');
    const own = await feed.pays({ amount, remittance: 'divers' });
    expect(await allocated(own)).toEqual([[a.id, amount, 'remittanceAdvice']]);
  });

  test('that says a reference waits for the money that carries it', async () => {
    const { a } = await two();
    await json({ reference: 'AVIS-8801', currency: 'EUR', lines: [{ number: a.number, amount: a.amount }] });
    const other = await feed.pays({ amount: a.amount, remittance: 'AVIS-8802' });
    expect(await allocated(other)).toEqual([]);
    const own = await feed.pays({ amount: a.amount, remittance: 'AVIS 8801' });
    expect(await allocated(own)).toEqual([[a.id, a.amount, 'remittanceAdvice']]);
  });

  test('is kept as the reason why money went there', async () => {
    const { a } = await two();
    await json({ currency: 'EUR', lines: [{ number: a.number, amount: a.amount }] });
    const receiptId = await feed.pays({ amount: a.amount, remittance: 'divers' });
    expect((await get(`/v1/receipts/${receiptId}`)).decision).toMatchObject({
      outcome: 'applied',
      rule: 'remittanceAdvice',
      confidence: 'strong',
      allocations: [{ invoiceId: a.id, amount: a.amount }],
      reasons: [{ kind: 'advised', text: 'The payer announced this money for these invoices.' }],
    });
  });

  test('before its invoices means those of its customer, whoever else has such a number', async () => {
    const { customerId } = await newInvoice(h, c.operator);
    const lines = [{ number: 'RB-77-10', amount: '77.10' }];
    await json({ customerId, reference: 'AVIS-9901', currency: 'EUR', lines });
    const foreign = await newInvoice(h, c.operator, { number: 'RB-7-710', amount: '99.00' });
    const own = await newInvoice(h, c.operator, {
      number: 'RB-771-0',
      customer: undefined,
      customerId,
      amount: '77.10',
    });
    const receiptId = await feed.pays({ amount: '77.10', remittance: 'AVIS-9901' });
    expect(await allocated(receiptId)).toEqual([[own.id, '77.10', 'remittanceAdvice']]);
    // One number of two invoices of its own names neither, and none of another customer's.
    const twice = [{ number: 'RB-88-10', amount: '88.10' }];
    await json({ customerId, reference: 'AVIS-9902', currency: 'EUR', lines: twice });
    for (const number of ['RB-88-10', 'RB-881-0']) {
      await newInvoice(h, c.operator, { number, customer: undefined, customerId, amount: '200.00' });
    }
    const unclear = await feed.pays({ amount: '88.10', remittance: 'AVIS-9902' });
    expect(await allocated(unclear)).toEqual([]);
    expect((await get(`/v1/invoices/${foreign.id}`)).balance).toBe('99.00');
  });

  test('of a customer means invoices that only others have, too', async () => {
    const { customerId } = await newInvoice(h, c.operator);
    const lines = [{ number: 'RB-99-10', amount: '99.10' }];
    await json({ customerId, reference: 'AVIS-9903', currency: 'EUR', lines });
    const others = await newInvoice(h, c.operator, { number: 'RB-99-10', amount: '99.10' });
    const receiptId = await feed.pays({ amount: '99.10', remittance: 'AVIS-9903' });
    expect(await allocated(receiptId)).toEqual([[others.id, '99.10', 'remittanceAdvice']]);
  });

  test('that was withdrawn is not used', async () => {
    const { a } = await two();
    const made = await json({ currency: 'EUR', lines: [{ number: a.number, amount: '3.21' }] });
    expect((await h.call(c.operator, 'DELETE', `/v1/remittances/${made.body.id}`)).status).toBe(204);
    const receiptId = await feed.pays({ amount: '3.21', remittance: 'divers' });
    expect(await allocated(receiptId)).toEqual([]);
    const listed = await get('/v1/remittances?status=withdrawn');
    expect(listed.data.map((one: { id: string }) => one.id)).toEqual([made.body.id]);
  });

  test('finds money that came before its invoices, when they are registered', async () => {
    const { customerId } = await newInvoice(h, c.operator);
    const lines = (number: string) => [
      { number: `${number}1`, amount: '60.10' },
      { number: `${number}2`, amount: '40.20' },
    ];
    const register = async (number: string) => [
      await newInvoice(h, c.operator, { number: `${number}1`, customer: undefined, customerId, amount: '70.00' }),
      await newInvoice(h, c.operator, { number: `${number}2`, customer: undefined, customerId, amount: '40.20' }),
    ];
    const quoted = await json({ reference: 'AVIS-9911', currency: 'EUR', lines: lines('RC-1-') });
    const money = await feed.pays({ amount: '100.30', remittance: 'AVIS 9911' });
    const withdrawn = await json({ reference: 'AVIS-9912', currency: 'EUR', lines: lines('RC-2-') });
    await h.call(c.operator, 'DELETE', `/v1/remittances/${withdrawn.body.id}`);
    await feed.drain();
    await register('RC-2-');
    expect((await h.db.selectFrom('receipts').select('id').where('look_again', '=', true).execute()).length).toBe(0);
    const [a, b] = await register('RC-1-');
    await feed.drain();
    expect(await allocated(money)).toEqual([
      [a!.id, '60.10', 'remittanceAdvice'],
      [b!.id, '40.20', 'remittanceAdvice'],
    ]);
    expect(await get(`/v1/remittances/${quoted.body.id}`)).toMatchObject({ status: 'used', receiptId: money });

    const silent = await feed.pays({ amount: '100.30', remittance: 'divers' });
    await json({ currency: 'EUR', lines: lines('RC-3-') });
    await feed.drain();
    expect(await allocated(silent)).toEqual([]);
    const [d] = await register('RC-3-');
    await feed.drain();
    expect((await allocated(silent))[0]).toEqual([d!.id, '60.10', 'remittanceAdvice']);
    const awaited = await h.db
      .selectFrom('remittance_lines')
      .select('number')
      .where('awaited', 'like', 'RC%')
      .execute();
    expect(awaited).toEqual([]);
  });

  test('is refused with what is wrong with it', async () => {
    const bad = await json({
      currency: 'EUR',
      lines: [
        { number: 'A', amount: '1.00' },
        { number: 'B', amount: '-1.00' },
      ],
    });
    expect([bad.status, bad.body.errors[0].pointer]).toEqual([422, '/lines/1/amount']);
    expect((await json({ currency: 'EUR', lines: [] })).status).toBe(422);
    expect((await json({ currency: 'EUR', lines: [{ number: 'A', amount: '1' }], more: 1 })).body.errors[0].code).toBe(
      'unknownField',
    );
  });
});

describe('a CSV', () => {
  test('is read by its headers, whatever its language', async () => {
    const { a, b } = await two();
    const csv = `N° facture;Date;Montant TTC;Montant réglé\r\n${a.number};18/11/2026;1 500,00;${a.amount.replace('.', ',')}\r\n${b.number};18/11/2026;2 000,00;"20,50"\r\n;;;${sum(a.amount, '20.50').replace('.', ',')}\r\n`;
    const made = await file('text/csv; charset=utf-8', csv, `?currency=EUR&customerId=${a.customerId}&reference=R-9`);
    expect(made.body).toMatchObject({
      format: 'csv',
      customerId: a.customerId,
      reference: 'R-9',
      lines: [
        { number: a.number, invoiceId: a.id, amount: a.amount },
        { number: b.number, invoiceId: b.id, amount: '20.50' },
      ],
    });
  });

  test('is refused with the line at fault', async () => {
    const negative = await file('text/csv', 'invoice number,amount\nF-1,10.00\nF-2,-3.00\n');
    expect([negative.status, negative.body.code]).toEqual([422, 'adviceUnreadable']);
    expect(negative.body.errors).toEqual([
      { pointer: '/line/3', code: 'amountInvalid', message: 'Line 3: holds a negative amount.' },
    ]);
    expect((await file('text/csv', 'a,b\n1,2\n')).body.errors[0].code).toBe('columnMissing');
    expect((await file('text/csv', 'invoice number,amount\nF-1,10.00\n', '')).body.errors[0].pointer).toBe('/currency');
  });
});

describe('the text of a mail', () => {
  test('names invoices and amounts among its words', async () => {
    const { a, b } = await two();
    const mail = [
      'Bonjour,',
      'nous avons réglé le 18.11.2026 :',
      `- facture ${a.number.replaceAll('-', ' ')} : ${a.amount.replace('.', ',')} €`,
      `${b.number}  du 20/10/2026   1 222,50   ${b.amount.replace('.', ',')}`,
      `> ${a.number} 999,00`,
      'Total 12,00',
    ].join('\r\n');
    const made = await file('text/plain; charset=utf-8', mail);
    expect(made.body).toMatchObject({
      format: 'text',
      total: sum(a.amount, b.amount),
      lines: [
        { invoiceId: a.id, amount: a.amount },
        { invoiceId: b.id, amount: b.amount },
      ],
    });
  });

  test('without any, or with one that cannot be read, is refused', async () => {
    const { a, b } = await two();
    expect((await file('text/plain', 'Bonjour, nous avons payé 100,00 EUR.')).body.code).toBe('adviceUnreadable');
    const bad = await file('text/plain', `${a.number} 10,00\n${b.number} -5,00\n`);
    expect(bad.body.errors).toMatchObject([{ pointer: '/line/2', code: 'amountInvalid' }]);
    const none = await file('text/plain', `${a.number} 10,00\n${b.number}\n`);
    expect(none.body.errors).toMatchObject([{ pointer: '/line/2', code: 'amountMissing' }]);
    const both = await file('text/plain', `${a.number} ${b.number} 10,00\n`);
    expect(both.body.errors).toMatchObject([{ pointer: '/line/1', code: 'severalNumbers' }]);
  });
});

describe('a PDF', () => {
  test('is read line by line', async () => {
    const { a, b } = await two();
    const pdf = await PDFDocument.create();
    const font = await pdf.embedFont(StandardFonts.Helvetica);
    const paper = pdf.addPage();
    paper.drawText('Avis de paiement', { x: 50, y: 720, font, size: 12 });
    [a, b].forEach((one, index) => {
      paper.drawText(one.number, { x: 50, y: 680 - 20 * index, font, size: 12 });
      paper.drawText(one.amount.replace('.', ','), { x: 300, y: 680 - 20 * index, font, size: 12 });
    });
    const made = await file('application/pdf', Buffer.from(await pdf.save()));
    expect(made.body).toMatchObject({
      format: 'pdf',
      lines: [
        { number: a.number, invoiceId: a.id, amount: a.amount },
        { number: b.number, invoiceId: b.id, amount: b.amount },
      ],
    });
  });

  test('that is none is refused', async () => {
    const reply = await file('application/pdf', '%PDF-1.7 nonsense');
    expect([reply.status, reply.body.code]).toEqual([422, 'pdfInvalid']);
    expect((await file('application/xml', '<a/>')).status).toBe(415);
  });
});

test('what was sent is kept as long as the creditor keeps files', async () => {
  const kept = () => h.db.selectFrom('remittance_advices').select('id').where('source', 'is not', null).execute();
  expect((await kept()).length).toBeGreaterThan(0);
  const later = NOW + 731 * 86_400_000;
  await applyRetention(h.db, { id: c.id, time_zone: 'Europe/Paris', retention: {} }, later);
  expect(await kept()).toEqual([]);
});
