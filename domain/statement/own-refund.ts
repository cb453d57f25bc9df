import type { ReturnInformation } from './transaction.ts';

/** What a creditor's own consent sends back: asked for, recalled, sent twice, not due. Banks and payers give other reasons. */
const CONSENTED: ReadonlySet<string> = new Set(['CUST', 'DUPL', 'FOCR', 'UPAY', 'REFUND']);

/**
 * Whether a return may be the refund that the creditor itself made, and may have recorded before. A chargeback, a debit that
 * the payer revokes or a transfer that failed never is: where money was refunded besides, it left twice, which a person must hear of.
 */
export const mayBeOwnRefund = ({ refund, reasonCode }: ReturnInformation): boolean =>
  refund === true || CONSENTED.has(reasonCode?.toUpperCase() ?? '');
