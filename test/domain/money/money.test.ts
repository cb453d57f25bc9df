import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DomainError } from '../../../domain/errors.ts';
import {
  amountFor,
  currencyExponent,
  formatAmount,
  isCurrency,
  parseAmount,
  share,
  splitByWeights,
} from '../../../domain/money.ts';

const CURRENCIES = ['EUR', 'JPY', 'KRW', 'BHD', 'CLF', 'GBP'];

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  return 'none';
}

describe('currencies', () => {
  it.each([
    ['EUR', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['XOF', 0],
    ['HUF', 2],
    ['ISK', 0],
    ['BHD', 3],
    ['TND', 3],
    ['CLF', 4],
    ['XCG', 2],
  ])('gives %s its %i decimals', (code, exponent) => {
    expect(currencyExponent(code)).toBe(exponent);
    expect(isCurrency(code)).toBe(true);
  });

  it.each(['eur', 'XXX', 'XTS', 'XAU', 'HRK', 'ABC', '', 'EURO', '__proto__', 'constructor'])(
    'refuses "%s"',
    (code) => {
      expect(isCurrency(code)).toBe(false);
      expect(codeOf(() => currencyExponent(code))).toBe('unknownCurrency');
    },
  );

  it('has no decimals beyond those Node knows of, where both know the code and agree on the standard', () => {
    // ICU shows fewer decimals than ISO 4217 for currencies whose small coins are gone; it never shows more.
    for (const code of Intl.supportedValuesOf('currency').filter(isCurrency)) {
      const shown = new Intl.NumberFormat('en', { style: 'currency', currency: code }).resolvedOptions();
      expect(currencyExponent(code), code).toBeGreaterThanOrEqual(shown.maximumFractionDigits ?? 0);
    }
  });
});

describe('parseAmount', () => {
  it.each([
    ['1200', 'EUR', 120000n],
    ['1200.00', 'EUR', 120000n],
    ['1200.5', 'EUR', 120050n],
    ['0', 'EUR', 0n],
    ['0.01', 'EUR', 1n],
    ['1200', 'JPY', 1200n],
    ['1.234', 'BHD', 1234n],
    ['999999999999999.99', 'EUR', 99999999999999999n],
  ])('reads %s %s', (text, currency, minor) => {
    expect(parseAmount(text, currency)).toBe(minor);
  });

  it.each([
    ['-1', 'EUR', 'amountInvalid'],
    ['+1', 'EUR', 'amountInvalid'],
    ['1e3', 'EUR', 'amountInvalid'],
    [' 1', 'EUR', 'amountInvalid'],
    ['1 ', 'EUR', 'amountInvalid'],
    ['1\n', 'EUR', 'amountInvalid'],
    ['1 200', 'EUR', 'amountInvalid'],
    ['1,20', 'EUR', 'amountInvalid'],
    ['1.', 'EUR', 'amountInvalid'],
    ['.5', 'EUR', 'amountInvalid'],
    ['', 'EUR', 'amountInvalid'],
    ['١٢', 'EUR', 'amountInvalid'],
    ['0x10', 'EUR', 'amountInvalid'],
    ['NaN', 'EUR', 'amountInvalid'],
    ['1000000000000000', 'EUR', 'amountInvalid'],
    ['999999999999999.9999', 'CLF', 'amountInvalid'],
    ['1.001', 'EUR', 'tooManyDecimals'],
    ['1.000', 'EUR', 'tooManyDecimals'],
    ['1.0', 'JPY', 'tooManyDecimals'],
    ['1.0000', 'BHD', 'tooManyDecimals'],
    ['1', 'eur', 'unknownCurrency'],
  ])('refuses "%s" %s as %s', (text, currency, code) => {
    expect(codeOf(() => parseAmount(text, currency))).toBe(code);
  });

  it('reads back what formatAmount writes', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 15n - 1n), fc.constantFrom(...CURRENCIES), (minor, currency) => {
        expect(parseAmount(formatAmount(minor, currency), currency)).toBe(minor);
      }),
    );
  });
});

describe('formatAmount', () => {
  it.each([
    [120000n, 'EUR', '1200.00'],
    [5n, 'EUR', '0.05'],
    [-5n, 'EUR', '-0.05'],
    [0n, 'EUR', '0.00'],
    [-1200n, 'JPY', '-1200'],
    [0n, 'JPY', '0'],
    [1n, 'BHD', '0.001'],
  ])('writes %s %s as %s', (minor, currency, text) => {
    expect(formatAmount(minor, currency)).toBe(text);
  });
});

describe('share', () => {
  it.each([
    [100n, '0.5', 50n],
    [101n, '0.5', 51n],
    [-101n, '0.5', -51n],
    [100n, '0', 0n],
    [100n, '1', 100n],
    [100n, '1.000', 100n],
    [1n, '0.49', 0n],
    [3n, '0.333333', 1n],
  ])('of %s by %s is %s', (minor, text, expected) => {
    expect(share(minor, text)).toBe(expected);
  });

  it.each(['', '-0.5', '50%', '.5', '1e-1', '0,5'])('refuses "%s"', (text) => {
    expect(codeOf(() => share(100n, text))).toBe('shareInvalid');
  });

  it('is never more than half a minor unit from the exact value', () => {
    fc.assert(
      fc.property(
        fc.bigInt(-(10n ** 12n), 10n ** 12n),
        fc.integer({ min: 0, max: 10_000 }),
        (minor, tenThousandths) => {
          const text = `${Math.floor(tenThousandths / 10_000)}.${String(tenThousandths % 10_000).padStart(4, '0')}`;
          const off = share(minor, text) * 10_000n - minor * BigInt(tenThousandths);
          expect(off <= 5000n && off >= -5000n).toBe(true);
        },
      ),
    );
  });
});

describe('splitByWeights', () => {
  it('gives the odd cents to the largest remainders, from the left when equal', () => {
    expect(splitByWeights(100n, [1n, 1n, 1n])).toEqual([34n, 33n, 33n]);
    expect(splitByWeights(10n, [1n, 5n, 4n, 0n])).toEqual([1n, 5n, 4n, 0n]);
    expect(splitByWeights(5n, [1n, 2n])).toEqual([2n, 3n]);
    expect(splitByWeights(-100n, [1n, 1n, 1n])).toEqual([-34n, -33n, -33n]);
  });

  it.each([[[]], [[0n, 0n]], [[2n, -1n]]])('refuses the weights %s', (weights) => {
    expect(codeOf(() => splitByWeights(100n, weights))).toBe('weightsInvalid');
  });

  it('conserves the cent and strays less than one from the exact proportion', () => {
    const weights = fc.array(fc.bigInt(0n, 10n ** 9n), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 14n), 10n ** 14n), weights, (minor, parts) => {
        const total = parts.reduce((sum, weight) => sum + weight, 0n);
        fc.pre(total > 0n);
        const split = splitByWeights(minor, parts);
        expect(split.reduce((sum, part) => sum + part, 0n)).toBe(minor);
        for (const [index, part] of split.entries()) {
          const off = part * total - minor * (parts[index] as bigint);
          expect(off < total && off > -total).toBe(true);
        }
      }),
    );
  });
});

describe('amountFor', () => {
  it('reads the amount of a listed currency and knows when there is none', () => {
    expect(amountFor({ EUR: '10.00', JPY: '1500' }, 'EUR')).toBe(1000n);
    expect(amountFor({ EUR: '10.00', JPY: '1500' }, 'JPY')).toBe(1500n);
    expect(amountFor({ EUR: '10.00' }, 'GBP')).toBeNull();
    expect(amountFor({}, 'constructor')).toBeNull();
  });
});
