import { writeOffUndone, writtenOff } from '../../domain/ledger/postings.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import type { Tx } from '../database.ts';
import { openAccessories, waiveAccessories } from './accessories.ts';
import { cancelChaseTasks } from './chase-tasks.ts';
import { releaseWhenClosed } from './doubtful-claims.ts';
import { appendEvent } from './events.ts';
import { post } from './ledger.ts';
import { lockInvoice } from './locks.ts';
import { endActivePlans } from './plans.ts';
import { pokeOutreach } from './outbox.ts';
import { settleVatRelief } from './vat-reliefs.ts';

/**
 * Gives up what is left of an invoice: the loss is posted and its balance is zero, with whom and why on the timeline. Its
 * case closes at the same turn. A plan it was under ends, what is open with a person is cancelled. The caller holds the customer's
 * row; `on` is the creditor's date.
 */
export async function writeOffBalance(tx: Tx, act: Act, invoiceId: string, on: LocalDate): Promise<void> {
  const invoice = await lockInvoice(tx, invoiceId);
  const { balance_minor: amountMinor, currency, customer_id: customerId, creditor_id: creditorId } = invoice;
  if (invoice.accessories_minor > 0n) {
    // The principal is paid: what is given up is interest and the like, which no loss was ever booked for.
    await waiveAccessories(tx, act, invoiceId, await openAccessories(tx, invoiceId, on), on);
    await cancelChaseTasks(tx, act, [invoiceId], 'writtenOff');
  }
  if (amountMinor === 0n) return;
  // Before the loss is posted: what is given up was not paid of the plan.
  await endActivePlans(tx, act, invoiceId, 'cancelled', on);
  const n = 1 + (await timesWrittenOff(tx, invoiceId));
  await post(tx, act, creditorId, on, writtenOff({ invoiceId, customerId, amountMinor, currency, n }));
  await tx
    .updateTable('invoices')
    .set((eb) => ({ written_off_minor: eb('written_off_minor', '+', amountMinor) }))
    .where('id', '=', invoiceId)
    .execute();
  await appendEvent(tx, act, {
    invoiceId,
    kind: 'writtenOff',
    data: { amount: formatAmount(amountMinor, currency), currency, run: invoice.run, on },
    text: act.reason ?? null,
  });
  await releaseWhenClosed(tx, act, invoiceId, on);
  await cancelChaseTasks(tx, act, [invoiceId], 'writtenOff');
  await pokeOutreach(tx, customerId);
}

/**
 * What was given up and has not come since is owed again. The amount, 0 when there is nothing to undo. The caller reopens
 * the case; the customer's and the invoice's rows are locked.
 */
export async function undoWriteOff(tx: Tx, act: Act, invoiceId: string, on: LocalDate): Promise<bigint> {
  const invoice = await lockInvoice(tx, invoiceId);
  const amountMinor = invoice.written_off_minor - invoice.recovered_minor;
  if (amountMinor === 0n) return 0n;
  const { currency, customer_id: customerId, creditor_id: creditorId } = invoice;
  const n = await timesWrittenOff(tx, invoiceId);
  await post(tx, act, creditorId, on, writeOffUndone({ invoiceId, customerId, amountMinor, currency, n }));
  await tx
    .updateTable('invoices')
    .set({ written_off_minor: invoice.recovered_minor })
    .where('id', '=', invoiceId)
    .execute();
  await settleVatRelief(tx, act, invoiceId, { on, against: 'losses', key: `undone:${invoiceId}:${n}` });
  return amountMinor;
}

/** What of an invoice was given up and has not come since, as a decimal string. */
export const stillLost = (invoice: { written_off_minor: bigint; recovered_minor: bigint; currency: string }): string =>
  formatAmount(invoice.written_off_minor - invoice.recovered_minor, invoice.currency);

async function timesWrittenOff(tx: Tx, invoiceId: string): Promise<number> {
  const rows = await tx
    .selectFrom('journal_entries as e')
    .innerJoin('postings as p', 'p.entry_id', 'e.id')
    .select('e.id')
    .where('p.invoice_id', '=', invoiceId)
    .where('p.account', '=', 'receivable')
    .where('e.kind', '=', 'writtenOff')
    .execute();
  return rows.length;
}
