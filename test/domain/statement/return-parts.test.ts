import { expect, test } from 'vitest';
import { partsOfReturn } from '../../../domain/statement/return-parts.ts';

test.each([
  [
    'nothing but the amount',
    { bookedMinor: 50n, originalAmountMinor: null, feesMinor: null, leftMinor: 50n },
    [50n, 50n, 0n],
  ],
  [
    'a fee netted in, the original told',
    { bookedMinor: 53n, originalAmountMinor: 50n, feesMinor: 3n, leftMinor: 50n },
    [50n, 50n, 3n],
  ],
  [
    'a fee netted in, only the fee told',
    { bookedMinor: 53n, originalAmountMinor: null, feesMinor: 3n, leftMinor: 50n },
    [50n, 50n, 3n],
  ],
  [
    'a fee beside the original’s amount',
    { bookedMinor: 50n, originalAmountMinor: 50n, feesMinor: 15n, leftMinor: 50n },
    [50n, 50n, 15n],
  ],
  [
    'more than was paid in',
    { bookedMinor: 53n, originalAmountMinor: null, feesMinor: null, leftMinor: 50n },
    [53n, 50n, 0n],
  ],
  [
    'an original larger than what is booked',
    { bookedMinor: 40n, originalAmountMinor: 50n, feesMinor: null, leftMinor: 50n },
    [40n, 40n, 0n],
  ],
  [
    'a rest of what was returned before',
    { bookedMinor: 50n, originalAmountMinor: null, feesMinor: null, leftMinor: 20n },
    [50n, 20n, 0n],
  ],
])('%s', (_, booked, [wanted, amount, fees]) => {
  expect(partsOfReturn(booked)).toEqual({ wantedMinor: wanted, amountMinor: amount, feesMinor: fees });
});
