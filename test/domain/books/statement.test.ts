import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { statementOfCustomer, type CustomerEntry } from '../../../domain/books/statement.ts';
import type { Account, EntryKind } from '../../../domain/ledger/postings.ts';
import { addDays } from '../../../domain/time/dates.ts';

const entry = (
  on: string,
  kind: EntryKind,
  deltaMinor: bigint,
  others: [Account, bigint][],
  reference = 'F-1',
): CustomerEntry => ({
  on,
  kind,
  deltaMinor,
  others: others.map(([account, amountMinor]) => ({ account, amountMinor })),
  reference,
  invoiceId: null,
});

describe('a customer’s statement', () => {
  test('shows an invoice, a payment with its interest, and what is owed before and after', () => {
    const entries = [
      entry('2025-03-31', 'invoiceRegistered', 1_200_000n, [['sales', -1_200_000n]]),
      entry('2025-07-31', 'received', -500_000n, [['bank', 500_000n]], 'VIR F-1'),
      entry('2025-08-01', 'allocated', 38_755n, [['interest', -38_755n]]),
      entry('2025-08-02', 'accessoriesWaived', 0n, [
        ['interestWaived', 4_000n],
        ['compensation', -4_000n],
      ]),
    ];
    const { openingMinor, lines, closingMinor } = statementOfCustomer(entries, '2025-07-01', '2025-12-31');
    expect(openingMinor).toBe(1_200_000n);
    expect(lines.map((line) => [line.on, line.kind, line.amountMinor, line.balanceMinor])).toEqual([
      ['2025-07-31', 'receipt', -500_000n, 700_000n],
      ['2025-08-01', 'interest', 38_755n, 738_755n],
      ['2025-08-02', 'waiver', -4_000n, 734_755n],
      ['2025-08-02', 'compensation', 4_000n, 738_755n],
    ]);
    expect(closingMinor).toBe(738_755n);
  });

  test('calls money that moved between customers a transfer', () => {
    const { lines } = statementOfCustomer([entry('2025-08-01', 'allocated', -100n, [])], '2025-01-01', '2025-12-31');
    expect(lines).toMatchObject([{ kind: 'transfer', amountMinor: -100n }]);
  });

  test('adds up from opening to closing, and periods that follow each other meet', () => {
    const other = fc.tuple(
      fc.constantFrom<Account>('sales', 'bank', 'interest', 'losses', 'differences', 'recoveries', 'interestWaived'),
      fc.bigInt({ min: -10_000n, max: 10_000n }).filter((amount) => amount !== 0n),
    );
    const entries = fc.array(
      fc
        .record({
          day: fc.integer({ min: 0, max: 60 }),
          delta: fc.bigInt({ min: -10_000n, max: 10_000n }),
          others: fc.array(other, { maxLength: 3 }),
        })
        .map(({ day, delta, others }) => entry(addDays('2026-01-01', day), 'allocated', delta, others)),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(entries, fc.integer({ min: 0, max: 60 }), (all, split) => {
        const middle = addDays('2026-01-01', split);
        const whole = statementOfCustomer(all, '2026-01-01', '2026-03-02');
        const first = statementOfCustomer(all, '2026-01-01', middle);
        const second = statementOfCustomer(all, addDays(middle, 1), '2026-03-02');
        for (const one of [whole, first, second]) {
          expect(one.lines.reduce((sum, line) => sum + line.amountMinor, one.openingMinor)).toBe(one.closingMinor);
        }
        expect(second.openingMinor).toBe(first.closingMinor);
        expect(second.closingMinor).toBe(whole.closingMinor);
        expect(whole.closingMinor).toBe(all.reduce((sum, { deltaMinor }) => sum + deltaMinor, 0n));
      }),
    );
  });
});
