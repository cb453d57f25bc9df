import { describe, expect, test } from 'vitest';
import { addressField, fitAddress, postalLines } from '../../activities/letters/address.ts';
import { widthOf } from '../../activities/letters/fonts.ts';

const SIX = [
  'Maison Perrault & Fils',
  'Service comptabilité fournisseurs',
  'Bâtiment B, 3e étage',
  'Zone artisanale des Grands Prés',
  '4 place du Marché',
  '21000 Dijon CEDEX 9',
];

/** What is seen of a sheet wherever it slides, in millimetres. */
const WINDOWS = {
  FR: { left: 100, right: 190, top: 45, bottom: 79 },
  DE: { left: 20, right: 105, top: 45, bottom: 90 },
};

describe.each(['FR', 'DE'] as const)('in the window of %s', (country) => {
  const field = addressField(country);
  const window = WINDOWS[country];

  test.each([2, 3, 4, 5, 6])('%i lines stand whole, at the full size', (count) => {
    const { size, lines } = fitAddress(SIX.slice(0, count), field);
    expect(size).toBe(field.size);
    expect(lines.map((line) => line.text)).toEqual(SIX.slice(0, count));
    for (const { text, y } of lines) {
      expect(y).toBeGreaterThanOrEqual(window.top);
      expect(y + size * 0.3528 * 1.22).toBeLessThanOrEqual(window.bottom);
      expect(field.left).toBeGreaterThanOrEqual(window.left);
      expect(field.left + widthOf(text, size, 'regular')).toBeLessThanOrEqual(window.right);
    }
  });

  test('an eighth line or a long one is printed smaller', () => {
    const { size, lines } = fitAddress([...SIX, 'ALLEMAGNE'], field);
    expect(lines).toHaveLength(7);
    expect(size).toBeLessThan(field.size);
    expect(size).toBeGreaterThanOrEqual(8);
    expect(lines.at(-1)!.y + size * 0.3528 * 1.22).toBeLessThanOrEqual(window.bottom);
    expect(fitAddress(['Coopérative des producteurs de lait de la vallée', ...SIX.slice(1)], field).size).toBeLessThan(
      field.size,
    );
  });

  test('what would be too small to read is refused, without a word of it', () => {
    const many = [...SIX, ...SIX];
    expect(() => fitAddress(many, field)).toThrow(expect.objectContaining({ code: 'addressTooLong' }));
    const long = `${'Société coopérative '.repeat(6)}du Marché`;
    expect(() => fitAddress([long], field)).toThrow(expect.objectContaining({ code: 'addressTooLong' }));
    expect(() => fitAddress([long], field)).not.toThrow(/Marché/);
    expect(() => fitAddress(['上海'], field)).toThrow(expect.objectContaining({ code: 'unprintable' }));
  });
});

test('five lines are seen in the lower French window too, which shows 55 to 79 mm', () => {
  const { lines, size } = fitAddress(SIX.slice(1), addressField('FR'));
  // The top of the letters, not of the line.
  expect(lines[0]!.y + size * 0.3528 * 0.28).toBeGreaterThanOrEqual(54.9);
});

describe('countries', () => {
  test.each([
    ['FR', 'FR', ['1 rue A', '75001 Paris']],
    ['DE', 'FR', ['1 rue A', '75001 Paris', 'FRANKREICH']],
    ['FR', 'GB', ['1 rue A', '75001 Paris', 'ROYAUME-UNI']],
    ['GB', 'DE', ['1 rue A', '75001 Paris', 'GERMANY']],
    ['AT', 'CH', ['1 rue A', '75001 Paris', 'SCHWEIZ']],
  ])('from %s to %s', (from, to, lines) => {
    expect(postalLines(['1 rue A', '75001 Paris', to], from)).toEqual(lines);
  });

  test('an address that ends otherwise is left alone', () => {
    expect(postalLines(['1 rue A', '75001 Paris'], 'DE')).toEqual(['1 rue A', '75001 Paris']);
    expect(postalLines([], 'DE')).toEqual([]);
  });
});
