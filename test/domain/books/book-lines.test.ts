import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bookLines, type BookEntry } from '../../../domain/books/book-lines.ts';
import { JOURNAL_OF } from '../../../domain/books/chart.ts';
import {
  allocated,
  allocationUndone,
  creditNoted,
  doubtfulEnded,
  invoiceRegistered,
  markedDoubtful,
  recovered,
  writtenOff,
  type Entry,
} from '../../../domain/ledger/postings.ts';

/** What the VAT of an invoice comes to over all its entries, however it is paid, credited, lost and paid after all. */

const where = { invoiceId: 'inv', customerId: 'cus', currency: 'EUR' };

type Move = { kind: 'pay' | 'credit' | 'undo' | 'lose' | 'recover' | 'doubt' | 'trust'; percent: number };
const move = fc.record({
  kind: fc.constantFrom(
    'pay' as const,
    'pay' as const,
    'credit' as const,
    'undo' as const,
    'lose' as const,
    'recover' as const,
    'doubt' as const,
    'trust' as const,
  ),
  percent: fc.integer({ min: 1, max: 100 }),
});

/** Plays moves as the ledger would post them, and gives each entry what an export knows of the invoice before it. */
function play(
  grossMinor: bigint,
  vatMinor: bigint,
  moves: readonly Move[],
): { entries: BookEntry[]; open: bigint; lost: bigint; paid: bigint; credited: bigint; doubtful: boolean } {
  let [open, lost, paid, credited, recoveredMinor] = [grossMinor, 0n, 0n, 0n, 0n];
  let doubtful = false;
  const entries: BookEntry[] = [];
  const done: { entry: Entry; amount: bigint; credit: boolean }[] = [];
  const put = (entry: Entry): void => {
    const invoice =
      entry.kind === 'creditNoted'
        ? null
        : {
            number: 'F-1',
            issuedOn: '2026-01-01',
            grossMinor,
            vatMinor,
            extinguishedMinor: grossMinor - open,
            creditedMinor: credited,
            recoveredMinor,
            doubtful,
          };
    if (entry.kind === 'invoiceRegistered') Object.assign(invoice!, { extinguishedMinor: grossMinor });
    const { kind, postings } = entry;
    entries.push({
      kind,
      postings,
      invoice,
      onDate: '2026-01-01',
      currency: 'EUR',
      number: entries.length + 1,
      validatedOn: '2026-01-02',
      piece: 'P',
      pieceOn: '2026-01-01',
      customer: { reference: 'C', name: 'Customer' },
    });
  };
  put(invoiceRegistered({ ...where, amountMinor: grossMinor }));
  for (const [n, { kind, percent }] of moves.entries()) {
    const part = (of: bigint): bigint => (of * BigInt(percent) + 99n) / 100n;
    const id = `a${n}`;
    const trust = (): void => {
      put(doubtfulEnded({ ...where, amountMinor: 1n, n }));
      doubtful = false;
    };
    if (kind === 'pay' && open > 0n && lost === 0n) {
      const amountMinor = part(open);
      const entry = allocated({
        ...where,
        amountMinor,
        allocationId: id,
        from: { receiptId: 'r' },
        givenUp:
          percent > 95 && open > amountMinor ? { account: 'differences', amountMinor: open - amountMinor } : null,
      });
      put(entry);
      const difference = percent > 95 ? open - amountMinor : 0n;
      done.push({ entry, amount: amountMinor + difference, credit: false });
      open -= amountMinor + difference;
      paid += amountMinor;
    } else if (kind === 'credit' && open > 0n && lost === 0n) {
      const amountMinor = part(open);
      put(creditNoted({ ...where, amountMinor, creditNoteId: id }));
      const entry = allocated({
        ...where,
        amountMinor,
        allocationId: id,
        from: { creditNoteId: id, customerId: 'cus' },
        givenUp: null,
      });
      put(entry);
      done.push({ entry, amount: amountMinor, credit: true });
      open -= amountMinor;
      credited += amountMinor;
    } else if (kind === 'undo' && done.length > 0 && lost === 0n) {
      const { entry, amount, credit } = done.pop()!;
      put(allocationUndone(`u${n}`, entry.postings));
      open += amount;
      if (credit) credited -= amount;
    } else if (kind === 'lose' && open > 0n) {
      put(writtenOff({ ...where, amountMinor: open, n }));
      lost = open;
      open = 0n;
    } else if (kind === 'recover' && lost > recoveredMinor) {
      const amountMinor = part(lost - recoveredMinor);
      put(recovered({ ...where, amountMinor, allocationId: id, receiptId: 'r' }));
      recoveredMinor += amountMinor;
    } else if (kind === 'doubt' && open > 0n && !doubtful) {
      put(markedDoubtful({ ...where, amountMinor: 1n, n }));
      doubtful = true;
    } else if (kind === 'trust' && doubtful) trust();
    if (doubtful && open === 0n) trust();
  }
  return { entries, open, lost: lost - recoveredMinor, paid, credited, doubtful };
}

const history = fc.tuple(
  fc.bigInt({ min: 1n, max: 1_000_000n }),
  fc.bigInt({ min: 0n, max: 25n }),
  fc.array(move, { maxLength: 12 }),
);

const sumOf = (entries: readonly BookEntry[], vatDueOn: 'debits' | 'receipts', account: string): bigint =>
  entries
    .flatMap((entry) => bookLines(entry, { vatDueOn }))
    .reduce((sum, line) => (line.account === account ? sum + line.amountMinor : sum), 0n);

describe('the lines of entries', () => {
  test('balance, whatever happens', () => {
    fc.assert(
      fc.property(
        history,
        fc.constantFrom('debits' as const, 'receipts' as const),
        ([gross, percent, moves], vatDueOn) => {
          for (const entry of play(gross, (gross * percent) / 125n, moves).entries) {
            expect(bookLines(entry, { vatDueOn }).reduce((sum, { amountMinor }) => sum + amountMinor, 0n)).toBe(0n);
          }
        },
      ),
    );
  });

  test('leave VAT due with the invoice as it was billed, but for what was credited', () => {
    fc.assert(
      fc.property(history, ([gross, percent, moves]) => {
        const vat = (gross * percent) / 125n;
        const { entries, credited } = play(gross, vat, moves);
        const share = (2n * vat * credited + gross) / (2n * gross);
        expect(sumOf(entries, 'debits', 'vat')).toBe(share - vat);
        expect(sumOf(entries, 'debits', 'vatPending')).toBe(0n);
      }),
    );
  });

  test('leave VAT due with the money pending for what is open, and for nothing else', () => {
    fc.assert(
      fc.property(history, ([gross, percent, moves]) => {
        const vat = (gross * percent) / 125n;
        const { entries, open } = play(gross, vat, moves);
        // The share of what is extinguished, by the same rounding as each step has it.
        const gone = (2n * vat * (gross - open) + gross) / (2n * gross);
        expect(sumOf(entries, 'receipts', 'vatPending')).toBe(gone - vat);
      }),
    );
  });

  test('have what is open among doubtful receivables while it is held to be, and nothing at any other time', () => {
    fc.assert(
      fc.property(history, ([gross, percent, moves]) => {
        const { entries, open, doubtful } = play(gross, (gross * percent) / 125n, moves);
        expect(sumOf(entries, 'debits', 'doubtful')).toBe(doubtful ? open : 0n);
        expect(sumOf(entries, 'debits', 'receivable')).toBe(doubtful ? 0n : open);
        expect(sumOf(entries, 'debits', 'allowance')).toBe(doubtful ? -1n : 0n);
      }),
    );
  });

  test('stand in one journal each', () => {
    expect(new Set(Object.values(JOURNAL_OF))).toEqual(new Set(['sales', 'bank', 'general']));
  });
});
