import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newInvoice, startApi, type Harness, type TestCreditor } from './harness.ts';

/** The statement of account of a customer, as the journal has it. */

let h: Harness;
let own: TestCreditor;
let customerId: string;
beforeAll(async () => {
  h = await startApi();
  own = await h.creditor();
  const steps = [{ key: 'one', day: 5, from: 'due', channel: 'email', template: 'reminder' }];
  const interest = { claim: 'always', whenPrincipalPaid: 'claim' };
  await h.call(own.approver, 'PUT', '/v1/policies/claims', { name: 'claims', steps, interest });
  const invoice = await newInvoice(h, own.operator, {
    number: 'ST-1',
    issuedOn: '2025-03-31',
    dueOn: '2025-04-30',
    amount: '12000.00',
    vat: [{ rate: '20', net: '10000.00', vat: '2000.00' }],
    policy: 'claims',
  });
  customerId = invoice.customerId;
  await h.call(own.operator, 'POST', `/v1/invoices/${invoice.id}/payments`, {
    amount: '5000.00',
    currency: 'EUR',
    receivedOn: '2025-07-31',
    reference: 'VIR ST-1',
  });
  await h.call(own.operator, 'POST', `/v1/invoices/${invoice.id}/credit-notes`, {
    number: 'AV-1',
    amount: '1000.00',
    issuedOn: '2025-09-01',
  });
});
afterAll(() => h.stop());

const statement = (query = '', accept?: string) =>
  h.app.inject({
    method: 'GET',
    url: `/v1/customers/${customerId}/statement${query}`,
    headers: { authorization: `Bearer ${own.operator}`, ...(accept === undefined ? {} : { accept }) },
  });

describe('GET /v1/customers/{id}/statement', () => {
  test('names invoice, receipt, interest and credit note with the balance after each', async () => {
    const { statements, from, to } = (await statement('?from=2025-01-01')).json();
    expect([from, to]).toEqual(['2025-01-01', '2026-11-20']);
    expect(statements).toHaveLength(1);
    expect(statements[0]).toMatchObject({ currency: 'EUR', opening: '0.00', closing: '6387.55' });
    const lines = statements[0].lines.map((line: Record<string, unknown>) => [
      line['on'],
      line['kind'],
      line['reference'],
      line['debit'],
      line['credit'],
      line['balance'],
    ]);
    expect(lines).toEqual([
      ['2025-03-31', 'invoice', 'ST-1', '12000.00', null, '12000.00'],
      ['2025-07-31', 'receipt', 'VIR ST-1', null, '5000.00', '7000.00'],
      ['2025-09-01', 'creditNote', 'AV-1', null, '1000.00', '6000.00'],
      ['2026-11-20', 'interest', 'ST-1', '387.55', null, '6387.55'],
    ]);
  });

  test('opens with what was owed before', async () => {
    const { statements } = (await statement('?from=2025-08-01&to=2025-12-31')).json();
    expect(statements[0]).toMatchObject({ opening: '7000.00', closing: '6000.00' });
  });

  test('is CSV or PDF by what the request accepts, else 406', async () => {
    const csv = await statement('?from=2025-08-01&to=2025-12-31', 'text/csv');
    expect(csv.headers['content-type']).toContain('text/csv');
    expect(csv.body.split('\r\n')).toEqual([
      'on,kind,reference,debit,credit,balance,currency',
      ',opening,,,,7000.00,EUR',
      '2025-09-01,creditNote,AV-1,,1000.00,6000.00,EUR',
      ',closing,,,,6000.00,EUR',
      '',
    ]);
    const pdf = await statement('?from=2025-01-01', 'application/pdf');
    expect(pdf.headers['content-type']).toBe('application/pdf');
    expect(pdf.body).toContain('EUR 638755');
    const other = await statement('', 'image/png');
    expect([other.statusCode, other.json().code]).toEqual([406, 'notAcceptable']);
  });

  test.each([
    ['?to=2026-11-21', 422, 'futureDate'],
    ['?from=2026-02-01&to=2026-01-31', 422, 'periodInvalid'],
    ['?from=2026-02-30', 422, 'validationFailed'],
  ])('%s is refused', async (query, status, code) => {
    const refused = await statement(query);
    expect([refused.statusCode, refused.json().code]).toEqual([status, code]);
  });

  test('a PDF asks which currency where nothing is in the one that is named', async () => {
    const refused = await statement('?currency=USD', 'application/pdf');
    expect([refused.statusCode, refused.json().errors[0].pointer]).toEqual([422, '/currency']);
    expect((await statement('?currency=USD')).json().statements).toEqual([]);
  });
});
