import { DomainError } from './errors.ts';
import type { AmountsByCurrency } from './policy/types.ts';

/**
 * Money is an integer number of minor units (`bigint`) beside an ISO 4217 code; on the wire it is a decimal string. No
 * floating point anywhere, and every division says where its remainder goes.
 */

/**
 * ISO 4217 list one by number of decimals: the codes in use today, the fund codes that bills are written in among them
 * (CLF, UYW, MXV, …). Metals, baskets and test codes have no minor unit and are left out, and so are codes that were
 * withdrawn (HRK 2023, SLL and ZWL 2024, ANG 2025, BGN 2026).
 */
const CODES_BY_EXPONENT: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2:
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY ' +
    'COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS ' +
    'INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR ' +
    'MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP ' +
    'STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

const EXPONENTS: ReadonlyMap<string, number> = new Map(
  Object.entries(CODES_BY_EXPONENT).flatMap(([exponent, codes]) =>
    codes.split(' ').map((code): [string, number] => [code, Number(exponent)]),
  ),
);

const MAX_INTEGER_DIGITS = 15;

/** 18 digits in all: what PostgreSQL's bigint holds with room for sums. Only four-decimal codes come near it. */
const MAX_MINOR = 10n ** 18n - 1n;

/** Whether the code is an ISO 4217 currency in use that has a minor unit. Codes are upper case. */
export function isCurrency(code: string): boolean {
  return EXPONENTS.has(code);
}

/** Decimals of the currency by ISO 4217: 2 for EUR, 0 for JPY, 3 for BHD. Throws `unknownCurrency`. */
export function currencyExponent(code: string): number {
  const exponent = EXPONENTS.get(code);
  if (exponent === undefined) throw new DomainError('unknownCurrency', `"${clip(code)}" is not an ISO 4217 currency.`);
  return exponent;
}

/**
 * Minor units of a decimal text such as `"1200"` or `"1200.00"`. Only digits and one point: no sign, exponent, space or
 * separator, at most 15 digits before the point (`amountInvalid`) and no more decimals than the currency has, zeros
 * included (`tooManyDecimals`). Zero is an amount; whether it makes sense is the caller's rule.
 */
export function parseAmount(text: string, currency: string): bigint {
  const exponent = currencyExponent(currency);
  const parts = /^(\d+)(?:\.(\d+))?$/.exec(text);
  if (!parts) {
    throw new DomainError(
      'amountInvalid',
      `"${clip(text)}" is not an amount: write digits with a point, like "1200.00".`,
    );
  }
  const whole = parts[1] as string;
  const decimals = parts[2] ?? '';
  if (decimals.length > exponent) {
    const allowed = exponent === 0 ? 'no decimals' : `at most ${exponent} decimals`;
    throw new DomainError(
      'tooManyDecimals',
      `"${clip(text)}" has ${decimals.length} decimals; ${currency} has ${allowed}.`,
    );
  }
  const minor = whole.length > MAX_INTEGER_DIGITS ? null : BigInt(whole + decimals.padEnd(exponent, '0'));
  if (minor === null || minor > MAX_MINOR) throw new DomainError('amountInvalid', `"${clip(text)}" is too large.`);
  return minor;
}

/** The decimal text in the full scale of the currency, `-` in front when negative: `"1200.00"`, `"-0.05"`, JPY `"1200"`. */
export function formatAmount(minor: bigint, currency: string): string {
  const exponent = currencyExponent(currency);
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0');
  const sign = minor < 0n ? '-' : '';
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

/**
 * `minor` times a share written as a plain decimal (`"0.5"`), rounded half up to the minor unit; for negative amounts
 * half away from zero, so that a share of a debt and of its reversal cancel out. Throws `shareInvalid`.
 */
export function share(minor: bigint, decimalShare: string): bigint {
  const parts = /^(\d{1,15})(?:\.(\d{1,18}))?$/.exec(decimalShare);
  if (!parts) throw new DomainError('shareInvalid', `"${clip(decimalShare)}" is not a decimal such as "0.5".`);
  const decimals = parts[2] ?? '';
  const numerator = BigInt(parts[1] + decimals);
  const denominator = 10n ** BigInt(decimals.length);
  const magnitude = minor < 0n ? -minor : minor;
  const rounded = (2n * magnitude * numerator + denominator) / (2n * denominator);
  return minor < 0n ? -rounded : rounded;
}

/** `minor` times `part` / `whole` (`whole` above 0), rounded half away from zero: what of an amount falls on a part of it. */
export function proportion(minor: bigint, part: bigint, whole: bigint): bigint {
  const product = minor * part;
  const magnitude = product < 0n ? -product : product;
  const rounded = (2n * magnitude + whole) / (2n * whole);
  return product < 0n ? -rounded : rounded;
}

/** So many per cent (`"2"`, `"1.5"`) of a positive amount, rounded half up to the minor unit. Throws `shareInvalid`. */
export function percentOf(minor: bigint, percent: string): bigint {
  const parts = /^(\d{1,3})(?:\.(\d{1,18}))?$/.exec(percent);
  if (!parts) throw new DomainError('shareInvalid', `"${clip(percent)}" is not a per cent such as "2" or "1.5".`);
  const decimals = parts[2] ?? '';
  return proportion(minor, BigInt(parts[1] + decimals), 100n * 10n ** BigInt(decimals.length));
}

/**
 * Splits an amount in proportion to non-negative weights by the largest remainder: the parts always add up to `minor`
 * and each differs from its exact proportion by less than one minor unit. Equal remainders are served from the left.
 * Throws `weightsInvalid` when a weight is negative or none is positive.
 */
export function splitByWeights(minor: bigint, weights: readonly bigint[]): bigint[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0n);
  if (total <= 0n || weights.some((weight) => weight < 0n)) {
    throw new DomainError(
      'weightsInvalid',
      'An amount is split by weights of which none is negative and one is positive.',
    );
  }
  const magnitude = minor < 0n ? -minor : minor;
  const parts = weights.map((weight) => (magnitude * weight) / total);
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (magnitude * weight) % total }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  const left = Number(magnitude - parts.reduce((sum, part) => sum + part, 0n));
  for (const { index } of byRemainder.slice(0, left)) parts[index] = (parts[index] as bigint) + 1n;
  return minor < 0n ? parts.map((part) => -part) : parts;
}

/** The amount listed for this currency in minor units; `null` where the currency is not listed. */
export function amountFor(amounts: AmountsByCurrency, currency: string): bigint | null {
  const text = Object.hasOwn(amounts, currency) ? amounts[currency] : undefined;
  return text === undefined ? null : parseAmount(text, currency);
}

/** Foreign text in a message stays short. */
function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
