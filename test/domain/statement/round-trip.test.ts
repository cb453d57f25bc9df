import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sniffFormat } from '../../../domain/statement/read.ts';
import type { StatementFormat } from '../../../domain/statement/transaction.ts';
import { bytesOf, read } from './fixtures.ts';
import { told, WRITERS, type Told } from './write.ts';

test.each(Object.keys(WRITERS) as StatementFormat[])('what is written as %s is read back', (format) => {
  fc.assert(
    fc.property(fc.array(told, { minLength: 1, maxLength: 12 }), (all) => {
      const file = WRITERS[format](all);
      expect(sniffFormat(bytesOf(file))).toBe(format);
      const { transactions, statements, rejected, warnings } = read(file);
      const back = transactions.map((one): Told => {
        const { bookedOn, valueOn, amountMinor, remittance, endToEndId } = one;
        return { bookedOn, valueOn: valueOn!, amountMinor, name: one.counterparty.name, remittance, endToEndId };
      });
      expect(back).toEqual(all);
      expect([rejected, warnings]).toEqual([[], []]);
      expect(statements).toMatchObject([{ entries: all.length, balance: 'holds' }]);
    }),
    { numRuns: 150 },
  );
});
