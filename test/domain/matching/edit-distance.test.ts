import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance } from '../../../domain/matching/edit-distance.ts';

/** The whole table, without bounds: what the banded one must agree with. */
function plain(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_unused, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = table[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(replaced, table[i - 1]![j]! + 1, table[i]![j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, table[i - 2]![j - 2]! + 1);
      }
      table[i]![j] = cost;
    }
  }
  return table[a.length]![b.length]!;
}

test.each([
  ['2171597678', '2171579678', 1],
  ['1286561241', '128656124', 1],
  ['4363371151', '63577828149', 3],
  ['F20260123', 'F20260132', 1],
  ['', 'A', 1],
])('%s and %s: %i', (a, b, errors) => {
  expect(editDistance(a, b, 2)).toBe(errors);
});

test('agrees with the whole table up to the errors that are allowed, in whatever order it is asked', () => {
  const token = fc.stringMatching(/^[A-C0-2]{0,12}$/);
  fc.assert(
    fc.property(token, token, fc.integer({ min: 0, max: 3 }), (a, b, most) => {
      expect(editDistance(a, b, most)).toBe(Math.min(plain(a, b), most + 1));
    }),
    { numRuns: 3_000 },
  );
});

test('tokens that no number is as long as are not compared', () => {
  expect(editDistance('1'.repeat(100), `${'1'.repeat(99)}2`, 2)).toBe(3);
  expect(editDistance('1'.repeat(100), '1'.repeat(100), 2)).toBe(0);
});
