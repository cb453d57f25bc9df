import { sql } from 'kysely';
import { claimOf } from '../../domain/law/claim.ts';
import { RateUnknown } from '../../domain/law/rates.ts';
import { NO_PARTS, sumOfParts, type Parts } from '../../domain/law/imputation.ts';
import { accessoriesWaived, interestCorrected, type Accessories, type Posting } from '../../domain/ledger/postings.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { loadInvoiceClaim } from './claims.ts';
import { appendEvent } from './events.ts';
import type { InvoiceRow } from './invoices.ts';
import { post, postingsOf } from './ledger.ts';
import { lockInvoice } from './locks.ts';
import { openTask } from './tasks.ts';
import { loadRates } from './rates.ts';

/** The parts that are no principal, as the journal books them. */
export const accessoriesOf = ({ interest, compensation, costs }: Parts): Accessories => ({
  interest,
  compensation,
  costs,
});

/** The decimal strings of the parts that are not zero, as events show them. */
export function partsData(parts: Parts, currency: string): Record<string, string> {
  const shown = Object.entries(parts).filter(([, minor]) => minor !== 0n);
  return Object.fromEntries(shown.map(([part, minor]) => [part, formatAmount(minor, currency)]));
}

/**
 * Books interest, compensation and costs that were claimed and are given up, with whom and why on the timeline. Nothing is
 * posted where nothing is. The caller holds the rows of customer and invoice; `on` is the creditor's date.
 */
export async function waiveAccessories(
  tx: Tx,
  act: Act,
  invoiceId: string,
  waived: Parts,
  on: LocalDate,
): Promise<string | null> {
  const amountMinor = sumOfParts(waived);
  if (amountMinor === 0n) return null;
  const invoice = await lockInvoice(tx, invoiceId);
  const { currency, customer_id: customerId, creditor_id: creditorId } = invoice;
  const n = 1 + (await entriesOf(tx, invoiceId, 'accessoriesWaived', 'interestWaived'));
  const accessories = accessoriesOf(waived);
  await post(tx, act, creditorId, on, accessoriesWaived({ invoiceId, customerId, currency, accessories, n }));
  if (invoice.accessories_minor > 0n) {
    await tx.updateTable('invoices').set({ accessories_minor: 0n }).where('id', '=', invoiceId).execute();
  }
  return await appendEvent(tx, act, {
    invoiceId,
    kind: 'interestWaived',
    data: {
      ...partsData(waived, currency),
      total: formatAmount(amountMinor, currency),
      currency,
      ...(invoice.accessories_minor > 0n
        ? { claimedBefore: formatAmount(invoice.accessories_minor, currency), claimedOpen: formatAmount(0n, currency) }
        : {}),
    },
    text: act.reason ?? null,
  });
}

/** Everything but the principal that is open at the end of `on`, whether the policy claims it or not. Throws `rateUnknown`. */
export async function openAccessories(tx: Tx, invoiceId: string, on: LocalDate): Promise<Parts> {
  const { facts } = await loadInvoiceClaim(tx, invoiceId);
  const claim = claimOf(facts, await loadRates(tx), on);
  return {
    ...NO_PARTS,
    costs: claim.costsMinor,
    interest: claim.interestMinor,
    compensation: claim.compensationMinor,
  };
}

/**
 * A credit note of an earlier date takes interest back that was paid meanwhile: each payment is looked at again as if the
 * credit had been there on its day, and what it paid too much of interest counts for the principal from that day on, as far
 * as that is open. What exceeds it was never owed: a person gives it back or books it elsewhere (task). The caller holds the
 * rows of customer and invoice; `on` is the creditor's date.
 */
export async function correctInterest(tx: Tx, act: Act, invoiceId: string, on: LocalDate): Promise<void> {
  const rates = await loadRates(tx);
  for (const payment of await interestPayments(tx, invoiceId)) {
    // Anew for each: what was corrected before it has lowered what bears interest since.
    const { facts } = await loadInvoiceClaim(tx, invoiceId);
    const paidMinor = facts.accessories.reduce(
      (sum, one) => (one.part === 'interest' && one.on <= payment.on ? sum + one.amountMinor : sum),
      0n,
    );
    let accruedMinor: bigint;
    try {
      ({ accruedMinor } = claimOf(facts, rates, payment.on));
    } catch (error) {
      if (error instanceof RateUnknown) return;
      throw error;
    }
    const invoice = await lockInvoice(tx, invoiceId);
    const overMinor = least(paidMinor - accruedMinor, payment.interestMinor);
    const amountMinor = least(overMinor, invoice.balance_minor);
    if (amountMinor > 0n) await correctPayment(tx, act, invoice, payment.allocationId, amountMinor, on);
    if (overMinor > amountMinor) await askToReturn(tx, act, invoice, payment.allocationId, overMinor - amountMinor);
  }
}

async function askToReturn(
  tx: Tx,
  act: Act,
  invoice: InvoiceRow,
  allocationId: string,
  amountMinor: bigint,
): Promise<void> {
  const amount = formatAmount(amountMinor, invoice.currency);
  await openTask(tx, act, {
    creditorId: invoice.creditor_id,
    kind: 'interestOverpaid',
    key: `interestOverpaid:${allocationId}:${amountMinor}`,
    role: 'operator',
    invoiceId: invoice.id,
    customerId: invoice.customer_id,
    subject: `${amount} ${invoice.currency} of interest were paid on invoice ${invoice.number} that is not owed`,
    body: 'A credit note of an earlier day leaves less interest than was paid, and no principal that it could count for: take the payment back, then return it or assign it elsewhere.',
    data: { amount, currency: invoice.currency, allocationId },
    dueAt: act.at,
  });
}

const least = (...amounts: bigint[]): bigint => amounts.reduce((min, amount) => (amount < min ? amount : min));

interface InterestPayment {
  allocationId: string;
  /** The day the money reached the creditor. */
  on: LocalDate;
  /** What of it is interest, after corrections. */
  interestMinor: bigint;
}

/** The payments of an invoice that stand and of which a part is interest, in the order of their days. */
async function interestPayments(tx: Tx, invoiceId: string): Promise<InterestPayment[]> {
  const { rows } = await sql<InterestPayment>`
    select a.id as "allocationId", m.booked_on as "on", -sum(p.amount_minor)::bigint as "interestMinor"
    from allocations a
    join receipts m on m.id = a.receipt_id
    join postings p on p.invoice_id = a.invoice_id and p.account = 'interest'
    join journal_entries e on e.id = p.entry_id and e.kind in ('allocated', 'interestCorrected')
      and split_part(e.key, ':', 2) = a.id
    where a.invoice_id = ${invoiceId}
      and not exists (select from allocation_reversals r where r.allocation_id = a.id)
    group by a.id, m.booked_on having sum(p.amount_minor) < 0
    order by m.booked_on, a.id`.execute(tx);
  return rows;
}

async function correctPayment(
  tx: Tx,
  act: Act,
  invoice: InvoiceRow,
  allocationId: string,
  amountMinor: bigint,
  on: LocalDate,
): Promise<void> {
  const { id: invoiceId, currency, customer_id: customerId, creditor_id: creditorId } = invoice;
  const n = 1 + (await correctionsOf(tx, creditorId, allocationId)).length;
  const correction = { invoiceId, customerId, amountMinor, currency, allocationId, n };
  await post(tx, act, creditorId, on, interestCorrected(correction));
  await appendEvent(tx, act, {
    invoiceId,
    kind: 'interestCorrected',
    data: {
      amount: formatAmount(amountMinor, currency),
      balance: formatAmount(invoice.balance_minor - amountMinor, currency),
      currency,
    },
    text: null,
  });
}

/** The postings with which interest that an allocation paid was moved to the principal, a list for each time. */
export async function correctionsOf(tx: Tx, creditorId: string, allocationId: string): Promise<Posting[][]> {
  const found: Posting[][] = [];
  for (;;) {
    const postings = await postingsOf(tx, creditorId, `interestCorrected:${allocationId}:${found.length + 1}`);
    if (postings.length === 0) return found;
    found.push(postings);
  }
}

async function entriesOf(
  tx: Tx,
  invoiceId: string,
  kind: 'accessoriesWaived',
  account: 'interestWaived',
): Promise<number> {
  const { count } = await tx
    .selectFrom('journal_entries as e')
    .innerJoin('postings as p', 'p.entry_id', 'e.id')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('p.invoice_id', '=', invoiceId)
    .where('p.account', '=', account)
    .where('e.kind', '=', kind)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Costs that may be charged on, and what grants them. The caller holds the rows of customer and invoice. */
export async function addCosts(
  tx: Tx,
  act: Act,
  costs: { invoiceId: string; creditorId: string; amountMinor: bigint; on: LocalDate; basis: string },
): Promise<void> {
  const { currency } = await lockInvoice(tx, costs.invoiceId);
  const id = newId('cst');
  await tx
    .insertInto('claim_costs')
    .values({
      id,
      creditor_id: costs.creditorId,
      invoice_id: costs.invoiceId,
      on_date: costs.on,
      amount_minor: costs.amountMinor,
      basis: costs.basis,
      actor: act.actor,
      at: instant(act.at),
    })
    .execute();
  await appendEvent(tx, act, {
    invoiceId: costs.invoiceId,
    kind: 'costsAdded',
    data: { costId: id, amount: formatAmount(costs.amountMinor, currency), currency, on: costs.on },
    text: costs.basis,
  });
}
