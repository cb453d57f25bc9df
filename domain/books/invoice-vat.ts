import { DomainError } from '../errors.ts';
import { parseAmount } from '../money.ts';

/** VAT of an invoice at one rate, as it was registered: decimal texts. */
export interface InvoiceVatLine {
  rate: string;
  net: string;
  vat: string;
}

/** The VAT of one rate in minor units. */
export interface VatOfRate {
  rate: string;
  netMinor: bigint;
  vatMinor: bigint;
}

/**
 * The VAT of an invoice by rate; `null` where its lines say nothing that can be booked: none, more decimals than the
 * currency has, or sums that are not the invoice's.
 */
export function vatByRate(lines: readonly InvoiceVatLine[], grossMinor: bigint, currency: string): VatOfRate[] | null {
  try {
    const rates = lines.map(({ rate, net, vat }) => ({
      rate,
      netMinor: parseAmount(net, currency),
      vatMinor: parseAmount(vat, currency),
    }));
    const sum = rates.reduce((total, { netMinor, vatMinor }) => total + netMinor + vatMinor, 0n);
    return rates.length > 0 && sum === grossMinor ? rates : null;
  } catch (error) {
    if (error instanceof DomainError) return null;
    throw error;
  }
}

/** All VAT of an invoice in minor units; 0 where it is not known. */
export const vatOf = (lines: readonly InvoiceVatLine[], grossMinor: bigint, currency: string): bigint =>
  (vatByRate(lines, grossMinor, currency) ?? []).reduce((total, { vatMinor }) => total + vatMinor, 0n);
