import { describe, expect, test } from 'vitest';
import { onlyLikely, type NamelessReturn, type PossibleOriginal } from '../../../domain/statement/return-original.ts';

const MARTIN = 'FR7630006000011234567890189';
const PETIT = 'DE89370400440532013000';

const told = (change: Partial<NamelessReturn>): NamelessReturn => ({
  counterpartyAccount: null,
  text: null,
  ...change,
});
const payment = (change: Partial<PossibleOriginal>): PossibleOriginal => ({
  payerAccount: null,
  remittance: null,
  ...change,
});

describe('a return that names no payment is of', () => {
  const martins = payment({ payerAccount: MARTIN, remittance: 'Facture F20260042' });
  const petits = payment({ payerAccount: PETIT, remittance: 'Facture F20260043' });
  const nobodys = payment({});

  test.each<[string, NamelessReturn, PossibleOriginal[], PossibleOriginal | undefined]>([
    ['the payment of its counterparty', told({ counterpartyAccount: PETIT }), [martins, petits, nobodys], petits],
    ['the payment whose number it quotes', told({ text: 'REJET F 2026 0042' }), [martins, petits, nobodys], martins],
    [
      'no payment that has only its letters, or less than four digits, in common',
      told({ text: 'Facture 042' }),
      [martins, payment({ remittance: 'Facture 042' })],
      undefined,
    ],
    ['no payment where nothing is told', told({}), [nobodys], undefined],
    ['no payment where none is there', told({ counterpartyAccount: MARTIN, text: 'F20260042' }), [], undefined],
    ['neither of two of one counterparty', told({ counterpartyAccount: MARTIN }), [martins, { ...martins }], undefined],
    ['neither of two that it quotes', told({ text: 'F20260042 F20260043' }), [martins, petits], undefined],
    [
      'no payment that has only the year, or the day, in common',
      told({ text: 'REJET F-2026-0043 DU 12/11/2026' }),
      [payment({ remittance: 'F-2026-0042 du 12/11/2026' })],
      undefined,
    ],
    [
      'no payment of another counterparty, whatever number it quotes',
      told({ counterpartyAccount: PETIT, text: 'F20260042' }),
      [martins],
      undefined,
    ],
    [
      'neither where counterparty and number point to two',
      told({ counterpartyAccount: PETIT, text: 'F20260042' }),
      [martins, petits],
      undefined,
    ],
    [
      'the one that counterparty and number both point to',
      told({ counterpartyAccount: MARTIN, text: 'F20260042' }),
      [petits, martins],
      martins,
    ],
  ])('%s', (_, one, payments, expected) => {
    expect(onlyLikely(one, payments)).toBe(expected);
  });
});
