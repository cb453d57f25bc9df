import { expect, test } from 'vitest';
import { balanceOfFile } from '../../../domain/statement/totals.ts';
import type { BalanceCheck } from '../../../domain/statement/transaction.ts';

test.each<[string, BalanceCheck[], BalanceCheck]>([
  ['holds where those of all statements do', ['holds', 'holds'], 'holds'],
  ['is broken by one, whatever the others', ['holds', 'unknown', 'broken'], 'broken'],
  ['stays open where one is not told', ['holds', 'unknown'], 'unknown'],
  ['stays open where none is told', ['unknown'], 'unknown'],
  ['stays open in a file without statements', [], 'unknown'],
])('the balance of a file %s', (_, balances, expected) => {
  expect(balanceOfFile(balances.map((balance) => ({ balance })))).toBe(expected);
});
