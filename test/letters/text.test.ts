import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { widthOf } from '../../activities/letters/fonts.ts';
import { printable, recorded, wrapped } from '../../activities/letters/text.ts';
import { DomainError } from '../../domain/errors.ts';

const refusal = (text: string): DomainError => {
  try {
    printable(text);
  } catch (error) {
    if (error instanceof DomainError) return error;
  }
  throw new Error('It was printed.');
};

describe('what can be printed', () => {
  test.each([
    'Łódź, Řehoř, Œuvre, Straße, STRAẞE, Åse, Ñandú, İzmir, Ţară, Đà Nẵng',
    '1\u202f200,00\u00a0€ £ ₺ ₴ zł Kč',
    'Θεόδωρος Ἀλέξανδρος, Борис Щукин, Ґанна',
    '« guillemets », „Anführung“, “quotes”, l’été… – — n° § 286 № 5 ½ ‰ ×',
  ])('%s', (text) => {
    expect(printable(text)).toBe(text.normalize('NFC'));
  });

  test('a narrow no-break space is narrower than a space, and both have a width', () => {
    expect(widthOf('\u202f', 10, 'regular')).toBeGreaterThan(0.4);
    expect(widthOf('\u202f', 10, 'regular')).toBeLessThan(widthOf(' ', 10, 'regular'));
    expect(widthOf('\u00a0', 10, 'bold')).toBe(widthOf(' ', 10, 'bold'));
  });

  test('letters with loose accents are composed, and what has no shape is dropped', () => {
    expect(printable('E\u0301te\u0301 a\u200db\ufe0f\u00ad\ufeffc\u2068d')).toBe('Été abcd');
    expect(printable('a\nb\tc')).toBe('a b c');
  });
});

describe('what cannot be printed', () => {
  test.each([
    ['Arabic', 'شركة النور', 'U+0627'],
    ['Hebrew', 'שלום בע״מ', 'U+05D1'],
    ['Chinese', '上海贸易有限公司', 'U+4E0A'],
    ['Japanese', '株式会社サクラ', 'U+30AF'],
    ['Devanagari', 'भारत', 'U+0924'],
    ['emoji', 'Chez Léa 🍕', 'U+1F355'],
  ])('%s is refused by code points, not by text', (_, name, codePoint) => {
    const error = refusal(`${name} SARL`);
    expect(error.code).toBe('unprintable');
    expect(error.message).toContain(codePoint);
    for (const character of name.replace(/[\p{ASCII}\p{Script=Latin}]/gu, '')) {
      expect(error.message).not.toContain(character);
    }
    expect(error.message).not.toContain('SARL');
  });

  test('code points stand in numeric order and are few, so that no name can be read from them', () => {
    const named = refusal('上海贸易有限公司').message.match(/U\+\w+/g)!;
    expect(named).toHaveLength(5);
    expect([...named].sort()).toEqual(named);
    expect(refusal('上海贸易有限公司').message).toContain('and 3 more');
  });

  test('records describe it', () => {
    expect(recorded('Léa 🍕 שלום')).toBe('Léa [U+1F355] [U+05E9 U+05DC U+05D5 U+05DD]');
  });
});

describe('lines', () => {
  test('hold every word, in order, within the width', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'W', 'é', '-', '€'), minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), fc.integer({ min: 20, max: 170 }), (words, width) => {
        const text = words.join(' ');
        const lines = wrapped(text, 10, 'regular', width);
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
        for (const line of lines) expect(widthOf(line, 10, 'regular')).toBeLessThanOrEqual(width);
      }),
    );
  });

  test('break at plain spaces only', () => {
    const amount = '1\u202f200,00\u00a0€';
    const lines = wrapped(`La somme de ${amount} `.repeat(8), 10, 'regular', 50);
    expect(lines.filter((line) => line.includes(amount))).toHaveLength(8);
  });
});
