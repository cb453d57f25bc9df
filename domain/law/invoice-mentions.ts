import type { CustomerKind } from '../policy/types.ts';
import type { LawWarning } from './payment-terms.ts';

/** What an invoice must show about late payment. */
export interface InvoiceMentions {
  penaltyRate: boolean;
  compensation: boolean;
}

/** The mentions a country asks of an invoice between firms, and how they are known in a text. */
export interface InvoiceMentionRule {
  penaltyRate: RegExp;
  compensation: RegExp;
  source: string;
}

/** Which of the mentions stand in the texts of an invoice. Only what is written is seen; a picture of it is not. */
export const mentionsIn = (rule: InvoiceMentionRule, texts: readonly string[]): InvoiceMentions => {
  const text = texts.join('\n');
  return { penaltyRate: rule.penaltyRate.test(text), compensation: rule.compensation.test(text) };
};

/**
 * Warns of mandatory mentions that an invoice to a firm lacks. `seen`: what stands in the texts that we have of it, null
 * where we have none: then nothing is said, unless interest is to be claimed, for which the mentions matter.
 */
export function mentionWarnings(
  rule: InvoiceMentionRule | null,
  invoice: { kind: CustomerKind; seen: InvoiceMentions | null; claimsInterest: boolean },
): LawWarning[] {
  if (rule === null || invoice.kind === 'consumer') return [];
  const warning = (code: LawWarning['code'], message: string): LawWarning => ({
    code,
    message,
    limitOn: null,
    source: rule.source,
  });
  const { seen } = invoice;
  if (seen === null) {
    if (!invoice.claimsInterest) return [];
    const message =
      'The policy claims interest, but no text of this invoice is known here: whether it shows the penalty rate and the ' +
      'fixed compensation is for a person to see.';
    return [warning('mentionsNotSeen', message)];
  }
  const missing = [
    ...(seen.penaltyRate ? [] : ['the rate of penalties for late payment']),
    ...(seen.compensation ? [] : ['the fixed compensation for recovery costs (40 EUR)']),
  ];
  if (missing.length === 0) return [];
  return [warning('mentionMissing', `The text of the e-invoice does not show ${missing.join(' and ')}.`)];
}
