import { z } from 'zod';
import { DomainError } from '../../errors.ts';
import { currencyExponent } from '../../money.ts';
import type { BankMessage } from '../bank-message.ts';
import { readAs, readJson } from '../json-message.ts';
import {
  currencyField,
  dateField,
  dayOf,
  idField,
  instantField,
  metadataField,
  moved,
  nothing,
  referencesIn,
  structuredAmong,
  textField,
  textOf,
} from './reading.ts';

/** One event (developer.gocardless.com, Events). Amounts are not in it: the payment or refund must be asked for. */
const eventMessage = z.object({
  id: idField,
  created_at: instantField,
  resource_type: z.string().max(60),
  action: z.string().max(60),
  links: z.object({ payment: idField.nullish(), refund: idField.nullish() }).nullish(),
  details: z
    .object({
      cause: z.string().max(100).nullish(),
      reason_code: z.string().max(35).nullish(),
      will_attempt_retry: z.boolean().nullish(),
    })
    .nullish(),
  metadata: metadataField,
  resource_metadata: metadataField,
});

export type GoCardlessEvent = z.infer<typeof eventMessage>;

/** An event from its JSON, as it was taken out of a body of several. Throws `notJson`, `messageInvalid`. */
export const eventOfGoCardless = (body: Uint8Array): GoCardlessEvent => readAs(eventMessage, readJson(body));

/** Each of these needs the amount. What undoes money is told once: `chargeback_settled` is told by `charged_back`. */
const PAYMENT_MOVES = new Set(['confirmed', 'late_failure_settled', 'charged_back', 'chargeback_cancelled']);
/** No money came and none will. */
const PAYMENT_ENDS = new Set(['failed', 'cancelled', 'customer_approval_denied']);
const REFUND_MOVES = new Set(['paid', 'funds_returned']);

/**
 * What one event of GoCardless says. A payment counts when it is confirmed, not when it is paid out, which is the same
 * money on its way to the bank. A payment that will be tried again has not failed yet. `collectionFailed` may also come
 * for a payment that was confirmed before (a late failure that was never paid out): where its credit is booked, fetch the
 * payment and let `transactionOfPayment` undo it. Throws `notJson`, `messageInvalid`.
 */
export function readGoCardless(body: Uint8Array): BankMessage[] {
  const event = eventOfGoCardless(body);
  const { action, resource_type: type, details } = event;
  const named = `${type}.${action}`;
  if (type === 'payments' && PAYMENT_MOVES.has(action)) {
    return [{ kind: 'fetch', resource: 'payment', id: linkOf(event, 'payment'), event: named }];
  }
  if (type === 'refunds' && REFUND_MOVES.has(action)) {
    return [{ kind: 'fetch', resource: 'refund', id: linkOf(event, 'refund'), event: named }];
  }
  if (type === 'payments' && PAYMENT_ENDS.has(action)) {
    if (details?.will_attempt_retry === true) return [nothing('triedAgain')];
    const references = [...referencesIn(event.resource_metadata), ...referencesIn(event.metadata)];
    const paymentId = linkOf(event, 'payment');
    return [{ kind: 'collectionFailed', paymentId, reasonCode: reasonOf(event), references: [...new Set(references)] }];
  }
  return [nothing('otherEvent')];
}

/** `GET /payments/{id}`: minor units, `charge_date` is the day the customer's account is debited. */
const paymentResource = z.object({
  id: idField,
  amount: z.int().positive(),
  currency: currencyField,
  charge_date: dateField.nullish(),
  description: textField,
  reference: textField,
  metadata: metadataField,
  links: z.object({ mandate: idField.nullish() }).nullish(),
});

/**
 * What an event means once its payment is there. `confirmed` is the credit, under the payment's id, of the day the
 * customer was debited; a chargeback or a late failure undoes it; `chargeback_cancelled` undoes the chargeback. `failed`
 * and `late_failure_settled` tell the same failure, so both have one id. Throws `messageInvalid`, also for a payment that
 * is not the event's, `unknownCurrency`, `amountInvalid`.
 */
export function transactionOfPayment(event: GoCardlessEvent, value: unknown): BankMessage {
  const payment = readAs(paymentResource, value);
  if (event.resource_type !== 'payments' || event.links?.payment !== payment.id) throw notOfEvent();
  const references = referencesIn(payment.metadata);
  const credit = {
    bookedOn: payment.charge_date ?? dayOf(event.created_at, 'UTC'),
    amountMinor: minorOf(payment.amount, payment.currency),
    currency: payment.currency,
    remittance: textOf(...references, payment.reference, payment.description),
    structuredReferences: structuredAmong([...references, payment.reference ?? '']),
    mandateId: payment.links?.mandate ?? null,
    bankId: payment.id,
    source: 'gocardless',
  } as const;
  const undoing = {
    ...credit,
    bookedOn: dayOf(event.created_at, 'UTC'),
    returns: {
      reasonCode: reasonOf(event),
      originalBankId: payment.id,
      originalAmountMinor: credit.amountMinor,
    },
  };
  switch (event.action) {
    case 'confirmed':
      return moved(credit);
    case 'failed':
    case 'late_failure_settled':
      return moved({ ...undoing, amountMinor: -credit.amountMinor, bankId: `${payment.id}:failed` });
    case 'charged_back':
      return moved({ ...undoing, amountMinor: -credit.amountMinor, bankId: chargebackOf(payment.id) });
    case 'chargeback_cancelled':
      return moved({
        ...undoing,
        bankId: `${payment.id}:chargeback_cancelled`,
        returns: { ...undoing.returns, originalBankId: chargebackOf(payment.id) },
      });
    default:
      return nothing('otherEvent');
  }
}

/** Whether a payment as it is told now has failed, whatever an earlier event says of it. */
export const hasFailedSince = (value: unknown): boolean =>
  z.object({ status: z.literal('failed') }).safeParse(value).success;

/** `GET /refunds/{id}`. */
const refundResource = z.object({
  id: idField,
  amount: z.int().positive(),
  currency: currencyField,
  reference: textField,
  metadata: metadataField,
  links: z.object({ payment: idField.nullish(), mandate: idField.nullish() }).nullish(),
});

/**
 * What an event means once its refund is there: `paid` is money that goes back to the customer, of which the original may
 * have been more; `funds_returned` undoes that. Throws as `transactionOfPayment` does.
 */
export function transactionOfRefund(event: GoCardlessEvent, value: unknown): BankMessage {
  const refund = readAs(refundResource, value);
  if (event.resource_type !== 'refunds' || event.links?.refund !== refund.id) throw notOfEvent();
  if (!REFUND_MOVES.has(event.action)) return nothing('otherEvent');
  const amountMinor = minorOf(refund.amount, refund.currency);
  const paid = event.action === 'paid';
  return moved({
    bookedOn: dayOf(event.created_at, 'UTC'),
    amountMinor: paid ? -amountMinor : amountMinor,
    currency: refund.currency,
    remittance: textOf(...referencesIn(refund.metadata), refund.reference),
    mandateId: refund.links?.mandate ?? null,
    bankId: paid ? refund.id : `${refund.id}:returned`,
    source: 'gocardless',
    returns: {
      reasonCode: reasonOf(event),
      originalBankId: paid ? (refund.links?.payment ?? null) : refund.id,
      originalAmountMinor: amountMinor,
      ...(paid ? { refund: true } : {}),
    },
  });
}

const chargebackOf = (paymentId: string): string => `${paymentId}:charged_back`;

/** What the bank gives, such as `AM04`, else the cause in GoCardless' words, such as `insufficient_funds`. */
const reasonOf = ({ details }: GoCardlessEvent): string | null =>
  textOf(details?.reason_code) ?? textOf(details?.cause);

function linkOf({ links }: GoCardlessEvent, to: 'payment' | 'refund'): string {
  const id = links?.[to];
  if (!id) throw new DomainError('messageInvalid', `The message does not name its ${to}.`);
  return id;
}

/** The eight currencies of GoCardless have two decimals; another one is not guessed at. */
function minorOf(amount: number, currency: string): bigint {
  if (currencyExponent(currency) !== 2)
    throw new DomainError('unknownCurrency', 'GoCardless does not collect in this currency.');
  return BigInt(amount);
}

const notOfEvent = (): DomainError => new DomainError('messageInvalid', 'The answer is not what the message is about.');
