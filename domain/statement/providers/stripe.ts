import { z } from 'zod';
import { localDate } from '../../time/zones.ts';
import type { BankMessage } from '../bank-message.ts';
import { kindOf, readAs, readJson } from '../json-message.ts';
import { idField, nothing } from './reading.ts';
import { readCashBalance } from './stripe/cash-balance.ts';
import { readCharge } from './stripe/charges.ts';
import { readDispute } from './stripe/disputes.ts';
import { epochSeconds, type StripeEvent } from './stripe/fields.ts';
import { readRefund } from './stripe/refunds.ts';

const envelope = z.object({
  id: idField,
  type: z.string().max(200),
  created: epochSeconds,
  data: z.object({ object: z.unknown(), previous_attributes: z.unknown().optional() }),
});

/** Events that say something of money; all others a creditor may have switched on are nothing of ours. */
const READERS: Readonly<Record<string, (event: StripeEvent) => BankMessage>> = {
  'charge.pending': readCharge,
  'charge.succeeded': readCharge,
  'charge.captured': readCharge,
  'charge.failed': readCharge,
  'charge.refunded': readCharge,
  'charge.refund.updated': readRefund,
  'refund.failed': readRefund,
  'charge.dispute.created': readDispute,
  'charge.dispute.funds_withdrawn': readDispute,
  'charge.dispute.funds_reinstated': readDispute,
  'charge.dispute.closed': readDispute,
  'customer_cash_balance_transaction.created': readCashBalance,
};

/**
 * What an event of Stripe says (docs.stripe.com/api/events/types). A creditor switches on the events above; a payment
 * intent tells nothing that its charge does not (`toldByCharge`). Days are those of `zone`, Stripe's own being UTC. Throws
 * `notJson`, `unknownMessage`, `messageInvalid`, `unknownCurrency`, `amountInvalid`, `tooManyDecimals`.
 */
export function readStripe(body: Uint8Array, zone = 'UTC'): BankMessage[] {
  const value = readJson(body);
  const type = kindOf(value, 'type');
  if (type.startsWith('payment_intent.')) return [nothing('toldByCharge')];
  const reader = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  if (!reader) return [nothing('otherEvent')];
  const { id, created, data } = readAs(envelope, value);
  const on = localDate(created * 1000, zone);
  return [reader({ id, type, on, object: data.object, previous: data.previous_attributes })];
}
