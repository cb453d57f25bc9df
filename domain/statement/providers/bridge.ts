import { z } from 'zod';
import type { BankMessage } from '../bank-message.ts';
import { kindOf, readAs, readJson } from '../json-message.ts';
import {
  currencyField,
  dateField,
  idField,
  minorOfNumber,
  moved,
  nothing,
  structuredAmong,
  textField,
  textOf,
} from './reading.ts';

/** Ids of Bridge are long integers. */
const longId = z.union([z.int().nonnegative(), idField]).transform(String);
const count = z.number().nonnegative().nullish();

const accountEvent = z.object({
  content: z.object({
    account_id: longId,
    nb_new_transactions: count,
    nb_updated_transactions: count,
    nb_deleted_transactions: count,
  }),
});

/**
 * What a webhook of Bridge says (docs.bridgeapi.io, Webhooks events): only that an account changed; its transactions are
 * asked for. One account of a user is one feed, so the caller compares the id with its own. Throws `notJson`,
 * `unknownMessage`, `messageInvalid`.
 */
export function readBridge(body: Uint8Array): BankMessage[] {
  const value = readJson(body);
  const event = kindOf(value, 'type');
  if (event !== 'item.account.updated' && event !== 'item.account.created') return [nothing('otherEvent')];
  const { content } = readAs(accountEvent, value);
  const counts = [content.nb_new_transactions, content.nb_updated_transactions, content.nb_deleted_transactions];
  // The balance may change alone. Where the counts are not told, it is asked.
  if (event === 'item.account.updated' && counts.every((told) => told === 0)) return [nothing('balanceOnly')];
  return [{ kind: 'fetch', resource: 'account', id: content.account_id, event }];
}

/** A transaction of `/v3/aggregation/transactions`; names of versions before 2025-01-15 are read, too. */
const resource = z.object({
  id: longId,
  /** Positive for a credit, negative for a debit. */
  amount: z.number(),
  currency_code: currencyField,
  /** Always there: one of the three other dates. */
  date: dateField,
  booking_date: dateField.nullish(),
  value_date: dateField.nullish(),
  /** What the bank wrote, and what Bridge made of it. */
  provider_description: textField,
  bank_description: textField,
  clean_description: textField,
  operation_type: z.string().max(60).nullish(),
  future: z.boolean().nullish(),
  is_future: z.boolean().nullish(),
});

const removed = z.object({ deleted: z.boolean().nullish(), is_deleted: z.boolean().nullish() });

/**
 * What a transaction of Bridge says, dedupe by `bankId`. Bridge may delete a transaction and make it again under another
 * id, so one that is deleted is nothing to undo money by. Who paid is told only in the bank's text. Throws
 * `messageInvalid`, `unknownCurrency`, `amountInvalid`, `tooManyDecimals`.
 */
export function transactionOfBridge(value: unknown): BankMessage {
  const gone = removed.safeParse(value);
  if (gone.success && (gone.data.deleted === true || gone.data.is_deleted === true)) return nothing('deleted');
  const told = readAs(resource, value);
  const remittance = textOf(told.provider_description ?? told.bank_description);
  return moved({
    status: told.future === true || told.is_future === true ? 'pending' : 'booked',
    bookedOn: told.booking_date ?? told.date,
    valueOn: told.value_date ?? null,
    amountMinor: minorOfNumber(told.amount, told.currency_code),
    currency: told.currency_code,
    remittance,
    structuredReferences: structuredAmong(remittance === null ? [] : [remittance]),
    bankText: textOf(told.clean_description),
    bankId: told.id,
    bankCode: textOf(told.operation_type),
    source: 'bridge',
  });
}
