import { z } from 'zod';
import { DomainError } from '../../errors.ts';
import type { BankMessage } from '../bank-message.ts';
import { kindOf, readAs, readJson } from '../json-message.ts';
import {
  accountOf,
  currencyField,
  dayOf,
  idField,
  instantField,
  minorOfNumber,
  moved,
  nothing,
  structuredAmong,
  textField,
  textOf,
} from './reading.ts';

/** `v1/transactions` (docs.qonto.com, Webhooks, Supported events): transactions created and changed. */
const transactionMessage = z.object({
  data: z.object({
    transaction_id: idField,
    /** Without a sign, in the account's currency; `local_amount` is what the other side was asked for. */
    amount: z.number().nonnegative(),
    currency: currencyField,
    side: z.enum(['credit', 'debit']),
    status: z.string().max(40),
    operation_type: z.string().max(60).nullish(),
    label: textField,
    clean_counterparty_name: textField,
    /** What the payer wrote. `note` is what the account's owner wrote, and is not read. */
    reference: textField,
    settled_at: instantField.nullish(),
    emitted_at: instantField.nullish(),
    /** The other side's account, as the transactions of the API have it; webhooks are not known to. */
    income: z.object({ counterparty_account_number: z.string().max(100).nullish() }).nullish(),
  }),
});

/**
 * What a webhook of Qonto says. Only credits are told: a settled one is booked, one under way pending under the same id.
 * Days are those of the bank's own country unless `zone` says otherwise. Throws `notJson`, `unknownMessage`,
 * `messageInvalid`, `unknownCurrency`, `amountInvalid`, `tooManyDecimals`.
 */
export function readQonto(body: Uint8Array, zone = 'Europe/Paris'): BankMessage[] {
  const value = readJson(body);
  if (kindOf(value, 'type') !== 'v1/transactions') return [nothing('otherEvent')];
  const { data } = readAs(transactionMessage, value);
  if (data.side === 'debit') return [nothing('moneyLeft')];
  const settled = data.status === 'completed' && data.settled_at ? data.settled_at : null;
  // Declined, cancelled, reversed: it did not come.
  if (settled === null && !['completed', 'pending'].includes(data.status)) return [nothing('notCompleted')];
  const day = settled ?? data.emitted_at;
  if (!day) throw new DomainError('messageInvalid', 'The message says no time.');
  const remittance = textOf(data.reference);
  return [
    moved({
      status: settled === null ? 'pending' : 'booked',
      bookedOn: dayOf(day, zone),
      amountMinor: minorOfNumber(data.amount, data.currency),
      currency: data.currency,
      counterparty: {
        name: textOf(data.clean_counterparty_name) ?? textOf(data.label),
        account: accountOf(data.income?.counterparty_account_number),
      },
      remittance,
      structuredReferences: structuredAmong(remittance === null ? [] : [remittance]),
      bankText: textOf(data.label),
      bankId: data.transaction_id,
      bankCode: textOf(data.operation_type),
      source: 'qonto',
    }),
  ];
}
