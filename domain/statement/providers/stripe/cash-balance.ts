import { z } from 'zod';
import { DomainError } from '../../../errors.ts';
import type { BankMessage } from '../../bank-message.ts';
import { readAs } from '../../json-message.ts';
import { currencyField, idField, moved, nothing, structuredAmong, textField, textOf } from '../reading.ts';
import { minorOfStripe } from './amounts.ts';
import { amountField, type StripeEvent } from './fields.ts';

const sender = z
  .object({
    sender_name: textField,
    bic: textField,
    iban_last4: textField,
    account_number_last4: textField,
    sort_code: textField,
  })
  .nullish();

const cashTransaction = z.object({
  id: idField,
  type: z.string().max(60),
  /** Positive where the balance grew. */
  net_amount: amountField,
  currency: currencyField,
  funded: z
    .object({
      bank_transfer: z.object({
        reference: textField,
        eu_bank_transfer: sender,
        gb_bank_transfer: sender,
        jp_bank_transfer: sender,
        us_bank_transfer: sender,
      }),
    })
    .nullish(),
});

/** Money between the customer's bank and its cash balance; all other types move it between the balance and payments. */
const MOVES = new Set(['funded', 'funding_reversed', 'return_initiated', 'return_canceled']);

/**
 * Reads what a customer's cash balance at Stripe was moved by: the money of a bank transfer has come when the balance is
 * funded. Of the sender's account only the last digits are told, which is no account number to know a payer by: they go
 * into the bank's text.
 */
export function readCashBalance(event: StripeEvent): BankMessage {
  const told = readAs(cashTransaction, event.object);
  if (!MOVES.has(told.type)) return nothing('withinBalance');
  const incoming = told.type === 'funded' || told.type === 'return_canceled';
  if (told.net_amount > 0 !== incoming) throw new DomainError('amountInvalid', 'The amount goes the wrong way.');
  const transfer = told.funded?.bank_transfer;
  const from =
    transfer?.eu_bank_transfer ??
    transfer?.gb_bank_transfer ??
    transfer?.jp_bank_transfer ??
    transfer?.us_bank_transfer;
  const remittance = textOf(transfer?.reference);
  const lastDigits = textOf(from?.iban_last4) ?? textOf(from?.account_number_last4);
  return moved({
    bookedOn: event.on,
    ...minorOfStripe(told.net_amount, told.currency),
    counterparty: { name: textOf(from?.sender_name) },
    remittance,
    structuredReferences: structuredAmong(remittance === null ? [] : [remittance]),
    bankText: textOf(from?.bic, from?.sort_code, lastDigits === null ? null : `…${lastDigits}`),
    bankId: told.id,
    bankCode: told.type,
    source: 'stripe',
    // Which transfer went back is not told.
    returns: told.type === 'funded' ? null : told.type === 'return_initiated' ? { refund: true } : {},
  });
}
