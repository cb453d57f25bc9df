import { claimOf } from '../../domain/law/claim.ts';
import { RateUnknown } from '../../domain/law/rates.ts';
import { NO_PARTS, sumOfParts, type Parts } from '../../domain/law/imputation.ts';
import { accessoriesWaived, interestCorrected, type Accessories } from '../../domain/ledger/postings.ts';
import { formatAmount } from '../../domain/money.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { loadInvoiceClaim } from './claims.ts';
import { appendEvent } from './events.ts';
import { post } from './ledger.ts';
import { lockInvoice } from './locks.ts';
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
 * A credit note of an earlier date takes interest back that was paid meanwhile: what was too much counts for the
 * principal, as far as that is open. The caller holds the rows of customer and invoice.
 */
export async function correctInterest(tx: Tx, act: Act, invoiceId: string, on: LocalDate): Promise<void> {
  const { facts } = await loadInvoiceClaim(tx, invoiceId);
  const paidMinor = facts.accessories.reduce((sum, one) => (one.part === 'interest' ? sum + one.amountMinor : sum), 0n);
  if (paidMinor <= 0n) return;
  let overMinor: bigint;
  try {
    overMinor = paidMinor - claimOf(facts, await loadRates(tx), on).accruedMinor;
  } catch (error) {
    if (error instanceof RateUnknown) return;
    throw error;
  }
  const invoice = await lockInvoice(tx, invoiceId);
  const amountMinor = overMinor < invoice.balance_minor ? overMinor : invoice.balance_minor;
  if (amountMinor <= 0n) return;
  const { currency, customer_id: customerId, creditor_id: creditorId } = invoice;
  const n = 1 + (await entriesOf(tx, invoiceId, 'interestCorrected', 'interest'));
  await post(tx, act, creditorId, on, interestCorrected({ invoiceId, customerId, amountMinor, currency, n }));
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

async function entriesOf(
  tx: Tx,
  invoiceId: string,
  kind: 'accessoriesWaived' | 'interestCorrected',
  account: 'interestWaived' | 'interest',
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
