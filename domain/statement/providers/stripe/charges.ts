import { z } from 'zod';
import { DomainError } from '../../../errors.ts';
import type { BankMessage } from '../../bank-message.ts';
import { readAs } from '../../json-message.ts';
import {
  currencyField,
  idField,
  metadataField,
  moved,
  nothing,
  referencesIn,
  structuredAmong,
  textField,
  textOf,
} from '../reading.ts';
import { minorOfStripe } from './amounts.ts';
import { amountField, balanceTransaction, reference, type StripeEvent } from './fields.ts';

const charge = z.object({
  id: idField,
  amount: amountField.positive(),
  amount_captured: amountField.nonnegative().nullish(),
  amount_refunded: amountField.nonnegative().nullish(),
  currency: currencyField,
  captured: z.boolean().nullish(),
  payment_intent: reference,
  description: textField,
  statement_descriptor: textField,
  metadata: metadataField,
  billing_details: z.object({ name: textField }).nullish(),
  payment_method_details: z
    .object({
      type: z.string().max(60).nullish(),
      sepa_debit: z.object({ mandate: z.string().max(200).nullish() }).nullish(),
    })
    .nullish(),
  balance_transaction: z.unknown().optional(),
  failure_code: z.string().max(100).nullish(),
  /** Newest first; only in older versions of the API. */
  refunds: z.object({ data: z.array(z.object({ id: idField, amount: amountField })).nullish() }).nullish(),
});

type Charge = z.output<typeof charge>;

/** Ways to pay in which Stripe collects by mandate: there a failure is one of a collection, not of a try at a till. */
const COLLECTED = new Set([
  'sepa_debit',
  'bacs_debit',
  'au_becs_debit',
  'nz_bank_account',
  'acss_debit',
  'us_bank_account',
  'ach_debit',
]);

/**
 * Reads the events of a charge. Money that came in is told by the charge and by nothing else: only it says how it was
 * paid, so that a payment out of a customer's cash balance, whose money was told when it was transferred, is not counted
 * again; and it is there with and without a payment intent.
 */
export function readCharge(event: StripeEvent): BankMessage {
  const told = readAs(charge, event.object);
  if (told.payment_method_details?.type === 'customer_balance') return nothing('withinBalance');
  switch (event.type) {
    case 'charge.pending':
      return credit(event, told, told.amount, 'pending');
    case 'charge.succeeded':
      // The rest of an authorised amount is never asked for: `charge.captured` says what was.
      if (told.captured === false) return nothing('notCaptured');
      return credit(event, told, told.amount_captured || told.amount, 'booked');
    case 'charge.captured':
      return credit(event, told, told.amount_captured || told.amount, 'booked');
    case 'charge.failed':
      return failure(told);
    case 'charge.refunded':
      return refund(event, told);
    default:
      return nothing('otherEvent');
  }
}

/** The whole amount that the customer paid; what Stripe keeps of it stands beside it. */
function credit(event: StripeEvent, told: Charge, amount: number, status: 'pending' | 'booked'): BankMessage {
  return moved({
    ...common(event, told),
    ...minorOfStripe(amount, told.currency),
    status,
    bankId: told.id,
    feesMinor: feesOf(told),
  });
}

function failure(told: Charge): BankMessage {
  if (!COLLECTED.has(told.payment_method_details?.type ?? '')) return nothing('attemptFailed');
  return {
    kind: 'collectionFailed',
    paymentId: told.payment_intent ?? told.id,
    reasonCode: textOf(told.failure_code),
    references: referencesIn(told.metadata),
  };
}

/** What of the charge was given back since the last event: the charge holds only the sum of all its refunds. */
function refund(event: StripeEvent, told: Charge): BankMessage {
  const before = readAs(z.object({ amount_refunded: amountField.nonnegative() }), event.previous);
  const sum = told.amount_refunded ?? 0;
  if (sum <= before.amount_refunded) throw new DomainError('amountInvalid', 'Nothing was refunded.');
  const delta = sum - before.amount_refunded;
  const newest = told.refunds?.data?.[0];
  const { amountMinor, currency } = minorOfStripe(delta, told.currency);
  return moved({
    ...common(event, told),
    amountMinor: -amountMinor,
    currency,
    bankId: newest?.amount === delta ? newest.id : `${told.id}:refunded:${sum}`,
    returns: {
      originalBankId: told.id,
      originalEndToEndId: told.payment_intent,
      originalAmountMinor: amountMinor,
      refund: true,
    },
  });
}

function common(event: StripeEvent, told: Charge) {
  const references = referencesIn(told.metadata);
  return {
    bookedOn: event.on,
    counterparty: { name: textOf(told.billing_details?.name) },
    remittance: textOf(...references, told.description, told.statement_descriptor),
    structuredReferences: structuredAmong(references),
    endToEndId: told.payment_intent,
    mandateId: textOf(told.payment_method_details?.sepa_debit?.mandate),
    bankCode: textOf(told.payment_method_details?.type),
    source: 'stripe' as const,
  };
}

/** Told only where the creditor has Stripe send the booking in full, and only in the currency that was charged in. */
function feesOf(told: Charge): bigint | null {
  const booked = balanceTransaction.safeParse(told.balance_transaction);
  if (!booked.success || booked.data.currency !== told.currency) return null;
  return minorOfStripe(booked.data.fee, told.currency).amountMinor;
}
