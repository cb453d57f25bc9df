import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as postings from '../../../domain/ledger/postings.ts';

const amount = fc.bigInt({ min: 1n, max: 10n ** 17n });

test('every entry balances, and an allocation with its reversal leaves nothing', () => {
  fc.assert(
    fc.property(amount, fc.bigInt({ min: 0n, max: 99n }), fc.boolean(), (amountMinor, differenceMinor, paid) => {
      const base = { amountMinor, currency: 'EUR' };
      const from = paid ? { receiptId: 'r' } : { creditNoteId: 'n', customerId: 'c' };
      const whole = {
        ...base,
        invoiceId: 'i',
        customerId: 'c',
        allocationId: 'a',
        from,
        givenUp: differenceMinor > 0n ? ({ account: 'differences', amountMinor: differenceMinor } as const) : null,
      };
      const allocation = postings.allocated(whole);
      const entries = [
        postings.invoiceRegistered({ ...base, invoiceId: 'i', customerId: 'c' }),
        postings.received({ ...base, receiptId: 'r' }),
        postings.returned({ ...base, receiptId: 'r', returnId: 'x' }),
        postings.creditNoted({ ...base, creditNoteId: 'n', customerId: 'c' }),
        allocation,
      ];
      for (const entry of entries) expect(postings.balances(entry.postings)).toBe(true);
      const receivable = allocation.postings.filter(({ account }) => account === 'receivable');
      expect(receivable.reduce((sum, line) => sum + line.amountMinor, 0n)).toBe(-amountMinor - differenceMinor);
      const undone = postings.allocationUndone('a', allocation.postings);
      for (const [index, line] of undone.postings.entries()) {
        expect(line).toEqual({ ...allocation.postings[index], amountMinor: -allocation.postings[index]!.amountMinor });
      }
    }),
  );
});

test('amounts of zero and sums over two currencies are refused', () => {
  expect(() => postings.received({ amountMinor: 0n, currency: 'EUR', receiptId: 'r' })).toThrow(RangeError);
  const line = postings.received({ amountMinor: 5n, currency: 'EUR', receiptId: 'r' }).postings;
  expect(postings.balances([line[0]!, { ...line[1]!, currency: 'USD' }])).toBe(false);
});
