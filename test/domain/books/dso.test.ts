import { describe, expect, test } from 'vitest';
import { countBackDso, ratio, simpleDso } from '../../../domain/books/dso.ts';

/** Worked by hand from the formulas in docs/reports.md. */

const months = (...sales: [days: number, sales: number][]) =>
  sales.map(([days, amount]) => ({ days, salesMinor: BigInt(amount) }));

describe('count-back', () => {
  test('counts whole months while their sales fit, and the share of the month in which the balance is used up', () => {
    // 150 owed: November (20 days) sold 80, October (31) sold 100: 20 + 31 × 70 / 100 = 41.7.
    expect(countBackDso(15_000n, months([20, 8_000], [31, 10_000]))).toBe('41.7');
    expect(countBackDso(8_000n, months([20, 8_000], [31, 10_000]))).toBe('20.0');
    expect(countBackDso(4_000n, months([20, 8_000]))).toBe('10.0');
  });

  test('passes over months without sales, and over one in which more was credited than sold', () => {
    expect(countBackDso(5_000n, months([20, 0], [31, -1_000], [30, 10_000]))).toBe('66.0');
  });

  test('is 0 where nothing is owed, and not known where all sales are less', () => {
    expect(countBackDso(0n, months([20, 8_000]))).toBe('0.0');
    expect(countBackDso(-100n, [])).toBe('0.0');
    expect(countBackDso(9_000n, months([20, 8_000]))).toBeNull();
  });
});

describe('simple', () => {
  test('is the balance over the sales, times the days', () => {
    expect(simpleDso(45_000n, 90_000n, 90)).toBe('45.0');
    expect(simpleDso(10_000n, 30_000n, 365)).toBe('121.7');
    expect(simpleDso(10_000n, 0n, 90)).toBeNull();
    expect(simpleDso(-5n, 30_000n, 90)).toBe('0.0');
  });
});

test('a ratio is rounded halves up, its sign kept, and none of nothing', () => {
  expect([ratio(1n, 3n, 4), ratio(1n, 2n, 0), ratio(-7n, 2n, 1), ratio(-1n, 3000n, 2), ratio(5n, 0n, 2)]).toEqual([
    '0.3333',
    '1',
    '-3.5',
    '0.00',
    null,
  ]);
});
