import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normaliseToken, quotedTokens } from '../../../domain/matching/tokens.ts';

describe('numbers in a text', () => {
  test.each([
    ['INV 2026-0042', 'INV-2026-0042', true],
    ['Paiement facture INV/2026/0042 merci', 'INV-2026-0042', true],
    ['inv20260042', 'INV-2026-0042', true],
    ['RE: Rechnung Nr.F-12, Danke', 'F-12', true],
    ['F-123', 'F-12', false],
    ['XF-12', 'F-12', false],
    ['12 F', 'F-12', false],
    ['Référence ÉTÉ-7', 'ETE7', true],
    ['a b c d e f', 'ABCDEF', true],
    ['a b c d e f g', 'ABCDEFG', false],
  ])('%s names %s: %s', (text, number, expected) => {
    expect(quotedTokens(text).includes(normaliseToken(number))).toBe(expected);
  });

  test('short runs, empty and endless texts are no trouble', () => {
    expect(quotedTokens('')).toEqual([]);
    expect(quotedTokens('-- !! ')).toEqual([]);
    expect(quotedTokens('A-1')).toEqual([]);
    expect(quotedTokens('x '.repeat(1_000_000)).length).toBeLessThan(10);
  });

  test('a number is found however its parts are separated, and wherever it stands', () => {
    const part = fc.stringMatching(/^[A-Z0-9]{1,6}$/);
    const gap = fc.stringMatching(/^[ ./:_-]{1,3}$/);
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 6 }),
        fc.array(gap, { minLength: 6, maxLength: 6 }),
        (parts, gaps) => {
          const number = parts.join('-');
          if (normaliseToken(number).length < 3) return;
          const written = parts
            .map((text, index) => text.toLowerCase() + (index < parts.length - 1 ? gaps[index] : ''))
            .join('');
          expect(quotedTokens(`zahlung, ${written}; danke`)).toContain(normaliseToken(number));
          expect(quotedTokens(`9${written}9`)).not.toContain(normaliseToken(number));
        },
      ),
    );
  });
});
