import { z } from 'zod';
import { DomainError } from '../../../errors.ts';
import type { BankMessage } from '../../bank-message.ts';
import { readAs } from '../../json-message.ts';
import { currencyField, idField, moved, nothing, textOf } from '../reading.ts';
import { minorOfStripe } from './amounts.ts';
import { amountField, balanceTransaction, reference, type StripeEvent } from './fields.ts';

const dispute = z.object({
  id: idField,
  amount: amountField.positive(),
  currency: currencyField,
  charge: reference,
  payment_intent: reference,
  reason: z.string().max(100).nullish(),
  network_reason_code: z.string().max(35).nullish(),
  status: z.string().max(60).nullish(),
  balance_transactions: z.array(balanceTransaction).nullish(),
});

/**
 * Reads the events of a dispute, with which a customer's bank takes a payment back. Money moves with `funds_withdrawn`
 * and `funds_reinstated` only; that a dispute was opened announces the first under the same id, an inquiry is no more than
 * information, and how it was closed moves nothing again.
 */
export function readDispute(event: StripeEvent): BankMessage {
  const told = readAs(dispute, event.object);
  if (told.charge === null) throw new DomainError('messageInvalid', 'The message does not name its charge.');
  const { amountMinor, currency } = minorOfStripe(told.amount, told.currency);
  const withdrawn = {
    bookedOn: event.on,
    amountMinor: -amountMinor,
    currency,
    bankId: told.id,
    endToEndId: told.payment_intent,
    source: 'stripe',
    returns: {
      reasonCode: textOf(told.network_reason_code) ?? textOf(told.reason),
      originalBankId: told.charge,
      originalEndToEndId: told.payment_intent,
      originalAmountMinor: amountMinor,
    },
  } as const;
  switch (event.type) {
    case 'charge.dispute.created':
      return moved({ ...withdrawn, status: told.status?.startsWith('warning_') ? 'information' : 'pending' });
    case 'charge.dispute.funds_withdrawn':
      // The fee is booked beside the amount, not netted into it.
      return moved({ ...withdrawn, feesMinor: feesOf(told.balance_transactions ?? [], told.currency) });
    case 'charge.dispute.funds_reinstated':
      return moved({
        ...withdrawn,
        ...reinstated(told),
        bankId: `${told.id}:reinstated`,
        returns: { ...withdrawn.returns, originalBankId: told.id },
      });
    default:
      return nothing('noMoneyMoved');
  }
}

type Bookings = readonly z.output<typeof balanceTransaction>[];

/** What was given back, which may be a part: as booked where that is told, else all of it. */
function reinstated(told: z.output<typeof dispute>): { amountMinor: bigint } {
  const credits = (told.balance_transactions ?? []).filter(
    ({ amount, currency }) => amount > 0 && currency === told.currency,
  );
  const booked = credits.reduce((sum, { amount }) => sum + amount, 0);
  return { amountMinor: minorOfStripe(booked || told.amount, told.currency).amountMinor };
}

/** Null where no fee is told in the currency of the dispute. */
function feesOf(bookings: Bookings, currency: string): bigint | null {
  const debits = bookings.filter((booked) => booked.amount < 0 && booked.currency === currency);
  const fees = debits.reduce((sum, { fee }) => sum + fee, 0);
  return fees > 0 ? minorOfStripe(fees, currency).amountMinor : null;
}
