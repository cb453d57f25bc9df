import { describe, expect, test } from 'vitest';
import { DomainError } from '../../../domain/errors.ts';
import { dataKeyOf, parseStandardWebhook } from '../../../domain/statement/standard-webhook.ts';

const data = {
  id: 'bank-id-1',
  bookedOn: '2026-11-20',
  amount: '1200.00',
  currency: 'EUR',
  direction: 'credit',
  counterparty: { name: 'ACME', iban: 'fr76 3000 6000 0112' },
  remittance: 'INV-2026-0042',
  endToEndId: 'NOTPROVIDED',
};
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const booked = (change: object) => bytes({ type: 'transaction.booked', data: { ...data, ...change } });

describe('the generic bank webhook', () => {
  test('is read, what a bank adds is let through', () => {
    expect(parseStandardWebhook(booked({ colour: 'blue' }))).toEqual({
      kind: 'booked',
      id: 'bank-id-1',
      bookedOn: '2026-11-20',
      amountMinor: 120_000n,
      currency: 'EUR',
      direction: 'credit',
      payerName: 'ACME',
      payerIban: 'FR76300060000112',
      remittance: 'INV-2026-0042',
      endToEndId: null,
    });
    const back = {
      id: 'b2',
      originalId: 'b1',
      amount: '5',
      currency: 'EUR',
      bookedOn: '2026-11-24',
      reasonCode: 'AC04',
    };
    expect(parseStandardWebhook(bytes({ type: 'transaction.returned', data: back }))).toMatchObject({
      kind: 'returned',
      originalId: 'b1',
      amountMinor: 500n,
      reasonCode: 'AC04',
    });
    // PostgreSQL keeps no NUL in a text.
    const odd = bytes({ type: 'transaction.returned', data: { ...back, reasonCode: 'AC\u000004' } });
    expect(parseStandardWebhook(odd)).toMatchObject({ reasonCode: 'AC04' });
  });

  test.each([
    ['notJson', bytes('{')],
    ['notJson', Buffer.from([0x7b, 0xff, 0x7d])],
    ['unknownMessage', bytes([])],
    ['unknownMessage', bytes('null')],
    ['unknownMessage', bytes({ type: 'transaction.pending', data })],
    ['messageInvalid', bytes({ type: 'transaction.booked' })],
    ['messageInvalid', booked({ bookedOn: '2026-02-30' })],
    ['messageInvalid', booked({ direction: 'sideways' })],
    ['messageInvalid', booked({ amount: 1200 })],
    ['messageInvalid', booked({ id: 'a\0b' })],
    ['unknownCurrency', booked({ currency: 'EUX' })],
    ['amountInvalid', booked({ amount: '-5.00' })],
    ['amountInvalid', booked({ amount: '0.00' })],
    ['tooManyDecimals', booked({ amount: '5.001' })],
  ])('is refused with %s', (code, body) => {
    const read = () => parseStandardWebhook(body);
    expect(read).toThrow(DomainError);
    expect(read).toThrow(expect.objectContaining({ code }));
  });

  test('tells repeats by type and id, where it can be read', () => {
    expect(dataKeyOf(booked({ amount: 'many' }))).toBe('transaction.booked:bank-id-1');
    expect(dataKeyOf(bytes('{'))).toBeNull();
    expect(dataKeyOf(bytes({ type: 'x', data: { id: 7 } }))).toBeNull();
    expect(dataKeyOf(booked({ id: 'a\0' }))).toBeNull();
  });
});
