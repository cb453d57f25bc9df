import { DomainError } from '../../../errors.ts';
import { currencyExponent } from '../../../money.ts';

/**
 * Where Stripe counts a currency otherwise than ISO 4217 (docs.stripe.com/currencies, Special cases): decimals there.
 * All others are the same.
 */
const STRIPE_DECIMALS: Readonly<Record<string, number>> = { ISK: 2, UGX: 2, MGA: 0 };

/**
 * Minor units by ISO 4217 and the currency in upper case of an amount as Stripe gives it. Throws `unknownCurrency`, and
 * `tooManyDecimals` for a part of a króna.
 */
export function minorOfStripe(amount: number, lowerCase: string): { amountMinor: bigint; currency: string } {
  const currency = lowerCase.toUpperCase();
  const exponent = currencyExponent(currency);
  const decimals = STRIPE_DECIMALS[currency] ?? exponent;
  const told = BigInt(amount);
  if (decimals <= exponent) return { amountMinor: told * 10n ** BigInt(exponent - decimals), currency };
  const factor = 10n ** BigInt(decimals - exponent);
  if (told % factor !== 0n)
    throw new DomainError('tooManyDecimals', `An amount has more decimals than ${currency} has.`);
  return { amountMinor: told / factor, currency };
}
