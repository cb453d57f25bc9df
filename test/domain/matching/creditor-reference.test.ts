import { expect, test } from 'vitest';
import { baseOfReference } from '../../../domain/matching/creditor-reference.ts';
import { readPayment } from '../../../domain/matching/reading.ts';

test.each([
  ['RF18539007547034', '539007547034'],
  ['RF712348231', '2348231'],
  ['RF45G72UUR', 'G72UUR'],
  ['RF18539007547035', null],
  ['RF81539007547034', null],
  ['RF18', null],
  ['XX18539007547034', null],
  [`RF18${'1'.repeat(22)}`, null],
])('the check digits of %s leave %s', (text, base) => {
  expect(baseOfReference(text)).toBe(base);
});

test('a reference is found in what a payer wrote, with its blanks, and only with right check digits', () => {
  const reading = (remittance: string) =>
    readPayment({
      amountMinor: 1n,
      currency: 'EUR',
      bookedOn: '2026-11-26',
      payerName: null,
      ultimateName: null,
      payerAccount: null,
      remittance,
      endToEndId: null,
      structuredReferences: [],
      feesMinor: null,
    });
  expect(reading('Ref. RF18 5390 0754 7034 merci').checked).toEqual(['539007547034']);
  expect(reading('Ref. RF18 5390 0754 7043 merci').checked).toEqual([]);
});
