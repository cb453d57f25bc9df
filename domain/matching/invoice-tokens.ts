import { normaliseToken } from './tokens.ts';

/** What a payer's text is compared with, each once, the number first. */
export function invoiceTokens(invoice: {
  number: string;
  references?: readonly string[];
  orderReference?: string | null | undefined;
}): string[] {
  const texts = [invoice.number, ...(invoice.references ?? []), invoice.orderReference ?? ''];
  return [...new Set(texts.map(normaliseToken).filter((token) => token !== ''))];
}
