import { formatAmount } from '../money.ts';
import type { Evidence, PayerEvidence, UnappliedReason } from './types.ts';

/** How a reason's invoices are called: by their numbers. */
export type NumberOf = (invoiceId: string) => string;

/** A reason for a proposal in a sentence, for whoever decides about it. */
export function reasonText(evidence: Evidence, currency: string, numberOf: NumberOf): string {
  const money = (minor: bigint): string => `${formatAmount(minor, currency)} ${currency}`;
  switch (evidence.kind) {
    case 'structuredReference':
      return `The reference ${evidence.token} that ${numberOf(evidence.invoiceId)} asks for came back as it was given.`;
    case 'number':
      return `The text quotes ${evidence.token}, which is ${numberOf(evidence.invoiceId)}.`;
    case 'nearNumber': {
      const slips = evidence.distance === 1 ? 'one character' : `${evidence.distance} characters`;
      return `The text holds ${evidence.read}, which is ${evidence.token} of ${numberOf(evidence.invoiceId)} but for ${slips}.`;
    }
    case 'payer':
      return PAYER_TEXTS[evidence.by];
    case 'equalSum':
      return 'The amount is exactly what is open.';
    case 'excess':
      return `${money(evidence.excessMinor)} more came than is open.`;
    case 'lowerAmount':
      return `${money(evidence.shortMinor)} less came than is open.`;
    case 'uniqueAmount':
      return 'No other open invoice of the payer is of this amount.';
    case 'completedBy':
      return `${evidence.invoiceIds.map(numberOf).join(' and ')} ${evidence.invoiceIds.length === 1 ? 'is' : 'are'} exactly the rest.`;
    case 'withinTolerance':
      return `${money(evidence.differenceMinor)} are missing, which the policy tolerates.`;
    case 'bankFees':
      return `${money(evidence.feesMinor)} are missing, as a bank's fees would be.`;
    case 'discountTaken':
      return `The discount of ${money(evidence.discountMinor)} on ${numberOf(evidence.invoiceId)} was taken in time.`;
    case 'advised':
      return 'The payer announced this money for these invoices.';
    case 'sharedByLaw':
      return 'Several invoices are quoted and less came: shared as the law says, the oldest first.';
  }
}

const PAYER_TEXTS: Readonly<Record<PayerEvidence, string>> = {
  account: 'The account has paid for this customer before.',
  registration: 'The text holds the registration number of the customer.',
  alias: 'The payer’s name has paid for this customer before.',
  name: 'The payer has the name of the customer.',
  ultimateName: 'The party behind the payer has the name of the customer.',
  relation: 'The payer is the parent of the customer.',
};

/** Why money waits for a person, in a sentence. */
export const REVIEW_TEXTS: Readonly<Record<UnappliedReason, string>> = {
  nothingQuoted: 'No number or reference of an invoice is quoted.',
  severalQuoted: 'More than one open invoice is quoted.',
  closedQuoted: 'The invoice that is quoted is closed.',
  otherCurrency: 'The invoice that is quoted is in another currency.',
  exceedsBalance: 'It is more than what is open on the invoice.',
  notUnique: 'It could be for several invoices.',
  proposeOnly: 'There is a proposal, which a person confirms.',
};
