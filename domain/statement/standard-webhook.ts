import { z } from 'zod';
import { DomainError } from '../errors.ts';
import { parseAmount } from '../money.ts';
import { isLocalDate, type LocalDate } from '../time/dates.ts';
import { jsonOf, readAs, readJson } from './json-message.ts';

/** What the generic bank webhook says (api.md). Fields we do not know are let through: a bank may add to its messages. */
const date = z.string().refine(isLocalDate, 'a date is written YYYY-MM-DD');
const id = z
  .string()
  .min(1)
  .max(200)
  .refine((value) => !value.includes('\0'), 'no NUL in an id');
const text = z.string().max(4_000);

const booked = z.object({
  type: z.literal('transaction.booked'),
  data: z.object({
    id,
    bookedOn: date,
    amount: z.string().max(40),
    currency: z.string().max(10),
    direction: z.enum(['credit', 'debit']),
    counterparty: z.object({ name: text.nullish(), iban: z.string().max(100).nullish() }).nullish(),
    remittance: text.nullish(),
    endToEndId: text.nullish(),
  }),
});

const returnedMessage = z.object({
  type: z.literal('transaction.returned'),
  data: z.object({
    id,
    originalId: id,
    amount: z.string().max(40),
    currency: z.string().max(10),
    bookedOn: date,
    reasonCode: z.string().max(35).nullish(),
  }),
});

const message = z.discriminatedUnion('type', [booked, returnedMessage]);

export interface BookedTransaction {
  kind: 'booked';
  id: string;
  bookedOn: LocalDate;
  amountMinor: bigint;
  currency: string;
  direction: 'credit' | 'debit';
  payerName: string | null;
  /** Without spaces, in upper case. */
  payerIban: string | null;
  remittance: string | null;
  endToEndId: string | null;
}

export interface ReturnedTransaction {
  kind: 'returned';
  id: string;
  originalId: string;
  bookedOn: LocalDate;
  amountMinor: bigint;
  currency: string;
  /** As the bank gives it, mostly an ISO 20022 return reason such as `AC04`. */
  reasonCode: string | null;
}

export type BankTransaction = BookedTransaction | ReturnedTransaction;

/**
 * Reads the body of a message. Throws a `DomainError` that says why it cannot be used: `notJson`, `unknownMessage`,
 * `messageInvalid`, `unknownCurrency`, `amountInvalid`, `tooManyDecimals`.
 */
export function parseStandardWebhook(body: Uint8Array): BankTransaction {
  const value = readJson(body);
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
  if (type !== 'transaction.booked' && type !== 'transaction.returned') {
    throw new DomainError('unknownMessage', 'The message has a type that is not known here.');
  }
  const parsed = readAs(message, value);
  const { data } = parsed;
  const amountMinor = parseAmount(data.amount, data.currency);
  if (amountMinor === 0n) throw new DomainError('amountInvalid', 'The amount is zero.');
  const common = { id: data.id, bookedOn: data.bookedOn, amountMinor, currency: data.currency };
  if (parsed.type === 'transaction.returned') {
    return {
      ...common,
      kind: 'returned',
      originalId: parsed.data.originalId,
      reasonCode: orNull(parsed.data.reasonCode),
    };
  }
  const transaction = parsed.data;
  return {
    ...common,
    kind: 'booked',
    direction: transaction.direction,
    payerName: orNull(transaction.counterparty?.name),
    payerIban: orNull(transaction.counterparty?.iban?.replace(/\s/g, '').toUpperCase()),
    remittance: orNull(transaction.remittance),
    endToEndId: transaction.endToEndId === 'NOTPROVIDED' ? null : orNull(transaction.endToEndId),
  };
}

/**
 * What makes a transaction the same one though it comes in another message: its type and its id at the bank. Null where
 * the body cannot be read; then only the message's own id tells repeats.
 */
export function dataKeyOf(body: Uint8Array): string | null {
  const parsed = z.object({ type: z.string().min(1).max(100), data: z.object({ id }) }).safeParse(jsonOf(body));
  if (!parsed.success || parsed.data.type.includes('\0')) return null;
  return `${parsed.data.type}:${parsed.data.data.id}`;
}

/** Empty says nothing, and PostgreSQL keeps no NUL in a text. */
function orNull(value: string | null | undefined): string | null {
  return value?.replaceAll('\0', '').trim() || null;
}
