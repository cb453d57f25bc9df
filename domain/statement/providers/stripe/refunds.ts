import { z } from 'zod';
import type { BankMessage } from '../../bank-message.ts';
import { readAs } from '../../json-message.ts';
import { currencyField, idField, metadataField, moved, nothing, referencesIn, textOf } from '../reading.ts';
import { minorOfStripe } from './amounts.ts';
import { amountField, reference, type StripeEvent } from './fields.ts';

const refund = z.object({
  id: idField,
  amount: amountField.positive(),
  currency: currencyField,
  status: z.string().max(40).nullish(),
  charge: reference,
  payment_intent: reference,
  failure_reason: z.string().max(100).nullish(),
  metadata: metadataField,
  destination_details: z.object({ type: z.string().max(60).nullish() }).nullish(),
});

/**
 * Reads the events of a refund. That money goes back is told by the charge; here is only told that it came back, because
 * the customer's bank did not take it. `refund.failed` and `charge.refund.updated` tell the same under one id.
 */
export function readRefund(event: StripeEvent): BankMessage {
  const told = readAs(refund, event.object);
  if (told.destination_details?.type === 'customer_cash_balance') return nothing('withinBalance');
  if (told.status !== 'failed') return nothing('toldByCharge');
  const { amountMinor, currency } = minorOfStripe(told.amount, told.currency);
  return moved({
    bookedOn: event.on,
    amountMinor,
    currency,
    remittance: textOf(...referencesIn(told.metadata)),
    endToEndId: told.payment_intent,
    bankId: `${told.id}:failed`,
    source: 'stripe',
    returns: {
      reasonCode: textOf(told.failure_reason),
      originalBankId: told.id,
      originalEndToEndId: told.payment_intent,
      originalAmountMinor: amountMinor,
    },
  });
}
