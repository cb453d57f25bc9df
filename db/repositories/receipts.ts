import { DomainError } from '../../domain/errors.ts';
import { received } from '../../domain/ledger/postings.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { allocate } from './allocations.ts';
import { payableOn } from './imputation.ts';
import { postOpenings } from './ledger.ts';
import { lockCustomers, lockInvoice } from './locks.ts';
import { isOpenStage } from './runs.ts';
import { reviewUnapplied, type HolidaysOf } from './unapplied.ts';
import { creditorsDate } from './creditors.ts';

export interface NewReceipt {
  creditorId: string;
  /** Known only where somebody said so; what a bank reports is from nobody yet. */
  customerId?: string | null;
  /** Feed and the transaction's id there: together unique. */
  feedId?: string | null;
  externalId?: string | null;
  bookedOn: LocalDate;
  /** Positive minor units. */
  amountMinor: bigint;
  currency: string;
  payerName?: string | null;
  payerIban?: string | null;
  remittance?: string | null;
  endToEndId?: string | null;
  structuredReferences?: readonly string[];
  ultimateName?: string | null;
  /** Fees that the bank says it kept, positive minor units. */
  feesMinor?: bigint | null;
  /** The bank's transaction that told it. */
  transactionId?: string | null;
  method?: string | null;
  /** Where the money is: at the bank unless an agency collected it and has not sent it on. */
  account?: 'bank' | 'agency';
}

/**
 * Money came in: row and posting, all of it unapplied at first. Returns the receipt's id. Throws `amountInvalid`, and
 * `futureDate` for what a person dates after today; a bank is believed.
 */
export async function recordReceipt(tx: Tx, act: Act, receipt: NewReceipt): Promise<string> {
  if (receipt.amountMinor <= 0n) throw new DomainError('amountInvalid', 'A payment is more than zero.');
  const today = await creditorsDate(tx, act, receipt.creditorId);
  if (!receipt.feedId && receipt.bookedOn > today) {
    throw new DomainError('futureDate', 'A payment cannot have been received after today.', [
      { pointer: '/receivedOn', code: 'futureDate', message: `Today is ${today}.` },
    ]);
  }
  const receiptId = newId('rec');
  const { amountMinor, currency } = receipt;
  await tx
    .insertInto('receipts')
    .values({
      id: receiptId,
      creditor_id: receipt.creditorId,
      customer_id: receipt.customerId ?? null,
      feed_id: receipt.feedId ?? null,
      external_id: receipt.externalId ?? null,
      booked_on: receipt.bookedOn,
      amount_minor: amountMinor,
      currency,
      unapplied_minor: amountMinor,
      payer_name: receipt.payerName ?? null,
      payer_iban: receipt.payerIban ?? null,
      remittance: receipt.remittance ?? null,
      end_to_end_id: receipt.endToEndId ?? null,
      structured_references: [...(receipt.structuredReferences ?? [])],
      ultimate_name: receipt.ultimateName ?? null,
      fees_minor: receipt.feesMinor ?? null,
      transaction_id: receipt.transactionId ?? null,
      method: receipt.method ?? null,
      at: instant(act.at),
    })
    .execute();
  await postOpenings(tx, act, receipt.creditorId, [
    {
      onDate: receipt.bookedOn,
      entry: received({ receiptId, amountMinor, currency, account: receipt.account ?? 'bank' }),
    },
  ]);
  return receiptId;
}

export interface NewPayment {
  invoiceId: string;
  amountMinor: bigint;
  currency: string;
  receivedOn: LocalDate;
  method?: string | null;
  reference?: string | null;
}

/**
 * A person reports money for an invoice: it is applied up to the balance, what exceeds it is unapplied, with a task and
 * holds. On a closed invoice all of it is. Throws `notFound`, `currencyMismatch`, `amountInvalid`, `futureDate`.
 */
export async function recordPayment(
  tx: Tx,
  act: Act,
  payment: NewPayment,
  holidaysOf: HolidaysOf,
): Promise<{ receiptId: string; appliedMinor: bigint }> {
  const known = await tx
    .selectFrom('invoices')
    .select(['creditor_id', 'customer_id', 'currency'])
    .where('id', '=', payment.invoiceId)
    .executeTakeFirst();
  if (!known) throw new DomainError('notFound', 'There is no such invoice.');
  if (known.currency !== payment.currency) {
    throw new DomainError('currencyMismatch', `The invoice is in ${known.currency}.`, [
      { pointer: '/currency', code: 'currencyMismatch', message: `The invoice is in ${known.currency}.` },
    ]);
  }
  await lockCustomers(tx, [known.customer_id]);
  const receiptId = await recordReceipt(tx, act, {
    creditorId: known.creditor_id,
    customerId: known.customer_id,
    bookedOn: payment.receivedOn,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    remittance: payment.reference ?? null,
    method: payment.method ?? null,
  });
  const invoice = await lockInvoice(tx, payment.invoiceId);
  const applicable = smaller(payment.amountMinor, await payableOn(tx, invoice, payment.receivedOn));
  if (applicable > 0n) {
    await allocate(tx, act, {
      receiptId,
      invoiceId: payment.invoiceId,
      amountMinor: applicable,
      rule: 'payment',
    });
  }
  if (applicable < payment.amountMinor) {
    const reason = applicable > 0n || isOpenStage(invoice.stage) ? 'exceedsBalance' : 'closedQuoted';
    await reviewUnapplied(tx, { ...act, reason: null }, { receiptId, reason, quoted: [], presumed: null }, holidaysOf);
  }
  return { receiptId, appliedMinor: applicable };
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
