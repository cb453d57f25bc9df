import { DomainError } from '../../domain/errors.ts';
import { allocated, allocationUndone, corrected, recovered, type GivenUp } from '../../domain/ledger/postings.ts';
import { givenUpWith } from '../../domain/ledger/settling.ts';
import { amountFor, formatAmount } from '../../domain/money.ts';
import { afterRecovery } from '../../domain/case/stages.ts';
import { NOTHING_CLAIMED } from '../../domain/law/claimed.ts';
import { sumOfParts } from '../../domain/law/imputation.ts';
import type { LocalDate } from '../../domain/time/dates.ts';
import type { Act } from '../act.ts';
import { instant, type Tx } from '../database.ts';
import { newId } from '../ids.ts';
import { oweReceipt } from './collector-letters.ts';
import { accessoriesOf, correctInterest, correctionsOf, partsData, waiveAccessories } from './accessories.ts';
import { releaseWhenClosed } from './doubtful-claims.ts';
import { appendEvent } from './events.ts';
import { principalOnly, splitPayment } from './imputation.ts';
import { askForRate } from './law-tasks.ts';
import { post, postingsOf } from './ledger.ts';
import { mayAcknowledge } from './limitation-events.ts';
import { lockCreditNote, lockCustomersConcerned, lockInvoice, lockReceipt } from './locks.ts';
import { learnPayer, unlearnPayer } from './known-payers.ts';
import { pokeOutreach, signalCase } from './outbox.ts';
import { wakePlanMates } from './plans.ts';
import { findPolicy } from './policies.ts';
import { tellAgencyOfBalance } from './placements.ts';
import { isOpenStage, payableMinor, reopenCase } from './runs.ts';
import { cancelChaseTasks, openTask } from './tasks.ts';
import { endUnapplied, takeInHand } from './unapplied.ts';
import { settleVatRelief } from './vat-reliefs.ts';
import { undoWriteOff } from './write-offs.ts';
import { creditorsDate, creditorsDay } from './creditors.ts';

export type AllocationSource =
  { receiptId: string; creditNoteId?: undefined } | { creditNoteId: string; receiptId?: undefined };

export type NewAllocation = AllocationSource & {
  invoiceId: string;
  /** Positive minor units of the invoice's currency. */
  amountMinor: bigint;
  /** What decided it: a rule of matching, `manual`, `payment`, `creditNote`, … */
  rule: string;
  /** The decision of matching that it follows from. */
  decisionId?: bigint | null;
  /** The payer's bank kept this much: the invoice is settled all the same. Minor units. */
  bankFeesMinor?: bigint;
};

export interface Allocated {
  allocationId: string;
  eventId: string;
  /** What was given up with it (tolerance, discount, bank fees), minor units, 0 when nothing. */
  differenceMinor: bigint;
  /** What is left of the invoice. */
  balanceMinor: bigint;
}

/**
 * Assigns money or credit to an invoice: the one way in which a balance goes down by payment. Locks the customers
 * concerned, the receipt or credit note, the invoice. Row, postings, event and the case's signal are one transaction;
 * what a payment leaves within the policy's tolerance is posted to differences, a discount taken in time to discounts. Holds and task of the money end with its
 * last cent. The stage is left to the case's next turn.
 *
 * Throws, before anything is written: `notFound` (also across creditors), `amountInvalid`, `currencyMismatch`,
 * `invoiceClosed`, `exceedsUnapplied`, `exceedsBalance`.
 */
export async function allocate(tx: Tx, act: Act, input: NewAllocation): Promise<Allocated> {
  const { receiptId, creditNoteId, invoiceId, amountMinor } = input;
  await lockCustomersConcerned(tx, invoiceId, receiptId ?? null);
  const source = receiptId === undefined ? await lockCreditNote(tx, creditNoteId) : await lockReceipt(tx, receiptId);
  const invoice = await lockInvoice(tx, invoiceId);

  if (invoice.creditor_id !== source.creditor_id) throw new DomainError('notFound', 'There is no such invoice.');
  if (amountMinor <= 0n) throw new DomainError('amountInvalid', 'An amount that is allocated is more than zero.');
  if (invoice.currency !== source.currency) {
    throw new DomainError(
      'currencyMismatch',
      `The invoice is in ${invoice.currency}, the money in ${source.currency}.`,
    );
  }
  if (receiptId === undefined && source.customer_id !== invoice.customer_id) {
    throw new DomainError('customerMismatch', 'The credit note is another customer’s than the invoice.');
  }
  const recovers = receiptId !== undefined && invoice.stage === 'writtenOff';
  if (!recovers && !isOpenStage(invoice.stage))
    throw new DomainError('invoiceClosed', `The invoice is ${invoice.stage}.`);
  if (amountMinor > source.unapplied_minor) {
    const left = formatAmount(source.unapplied_minor, source.currency);
    throw new DomainError('exceedsUnapplied', `Only ${left} ${source.currency} are not applied yet.`);
  }
  const reachedOn = 'booked_on' in source ? source.booked_on : null;
  const split =
    reachedOn === null || recovers
      ? principalOnly(payableMinor(invoice), amountMinor)
      : await splitPayment(tx, invoice, reachedOn, amountMinor);
  if (split.restMinor > 0n) {
    const left = formatAmount(amountMinor - split.restMinor, invoice.currency);
    throw new DomainError('exceedsBalance', `Only ${left} ${invoice.currency} are open on the invoice.`);
  }

  const allocationId = newId('all');
  const principalMinor = split.parts.principal;
  const givenUp =
    reachedOn === null || recovers ? null : await givenUpBy(tx, invoice, reachedOn, principalMinor, input);
  const differenceMinor = givenUp?.amountMinor ?? 0n;
  const balanceMinor = invoice.balance_minor - principalMinor - differenceMinor;
  const { waived, leftMinor } = balanceMinor === 0n ? split.onceSettled : NOTHING_CLAIMED;
  const { today, collectsForOthers } = await creditorsDay(tx, act, invoice.creditor_id);
  await tx
    .insertInto('allocations')
    .values({
      id: allocationId,
      creditor_id: invoice.creditor_id,
      receipt_id: receiptId ?? null,
      credit_note_id: creditNoteId ?? null,
      invoice_id: invoiceId,
      amount_minor: amountMinor,
      accessories_minor: amountMinor - split.parts.principal,
      on_date: today,
      rule: input.rule,
      actor: act.actor,
      at: instant(act.at),
      decision_id: input.decisionId ?? null,
    })
    .execute();
  const { currency, customer_id: customerId } = invoice;
  if ('payer_iban' in source) await learnPayer(tx, source, customerId);
  if (recovers) {
    const eventId = await recover(tx, act, invoice, { allocationId, receiptId, amountMinor, rule: input.rule, today });
    await settleSource(tx, act, source, receiptId, amountMinor, customerId);
    return { allocationId, eventId, differenceMinor: 0n, balanceMinor: 0n };
  }
  const from = receiptId === undefined ? { creditNoteId, customerId } : { receiptId };
  const accessories = accessoriesOf(split.parts);
  const amounts = { amountMinor, accessories, givenUp, currency };
  await post(tx, act, invoice.creditor_id, today, allocated({ allocationId, from, invoiceId, customerId, ...amounts }));
  await keepAccessories(tx, invoice, leftMinor);

  const eventId = await appendEvent(tx, act, {
    invoiceId,
    kind: receiptId === undefined ? 'creditNoted' : 'paymentAllocated',
    data: {
      allocationId,
      ...(receiptId === undefined ? { creditNoteId } : { receiptId }),
      amount: formatAmount(amountMinor, currency),
      ...(principalMinor < amountMinor ? partsData({ ...split.parts, principal: 0n }, currency) : {}),
      ...(principalMinor < amountMinor ? { principal: formatAmount(principalMinor, currency) } : {}),
      ...claimedChange(invoice.accessories_minor, leftMinor, currency),
      ...(givenUp === null
        ? {}
        : { difference: formatAmount(givenUp.amountMinor, currency), givenUp: givenUp.account }),
      balance: formatAmount(balanceMinor, currency),
      currency,
      rule: input.rule,
    },
    text: act.reason ?? null,
  });
  if (split.missing !== null) {
    await askForRate(tx, act, { creditorId: invoice.creditor_id, invoiceId, customerId }, split.missing);
  }
  // Dropped only explicitly: with its posting, on the timeline.
  await waiveAccessories(tx, act, invoiceId, waived, today);
  if (receiptId === undefined) await correctInterest(tx, act, invoiceId, today);
  await releaseWhenClosed(tx, act, invoiceId, today);
  await signalCase(tx, invoiceId, receiptId === undefined ? 'creditNoted' : 'paymentAllocated', eventId);
  await wakePlanMates(tx, act, invoiceId);
  await pokeOutreach(tx, customerId);
  await cancelChaseTasks(tx, act, [invoiceId], receiptId === undefined ? 'creditNoted' : 'paymentAllocated');
  await tellAgencyOfBalance(tx, act, invoiceId, { balanceMinor, currency });
  if (receiptId !== undefined && collectsForOthers) {
    const { creditor_id: creditorId, number } = invoice;
    await oweReceipt(tx, act, { creditorId, invoiceId, customerId, number, allocationId, paidOn: today });
  }
  if (receiptId !== undefined && balanceMinor > 0n) await mayAcknowledge(tx, act, invoice, 'partPayment');
  if (receiptId !== undefined) await settleSource(tx, act, source, receiptId, amountMinor, customerId);
  return { allocationId, eventId, differenceMinor, balanceMinor };
}

/** What stays claimed although the principal is paid is kept beside the balance. */
async function keepAccessories(
  tx: Tx,
  invoice: { id: string; accessories_minor: bigint },
  leftMinor: bigint,
): Promise<void> {
  if (invoice.accessories_minor === leftMinor) return;
  await tx.updateTable('invoices').set({ accessories_minor: leftMinor }).where('id', '=', invoice.id).execute();
}

/** How the claim beside the principal changed, for the timeline; nothing where it did not. */
function claimedChange(beforeMinor: bigint, openMinor: bigint, currency: string): Record<string, string> {
  if (beforeMinor === openMinor) return {};
  return { claimedBefore: formatAmount(beforeMinor, currency), claimedOpen: formatAmount(openMinor, currency) };
}

/** The money is known to be this customer's; with its last cent its task and holds end. */
async function settleSource(
  tx: Tx,
  act: Act,
  source: { customer_id: string | null; unapplied_minor: bigint },
  receiptId: string,
  amountMinor: bigint,
  customerId: string,
): Promise<void> {
  if (source.customer_id !== customerId) {
    await tx.updateTable('receipts').set({ customer_id: customerId }).where('id', '=', receiptId).execute();
  }
  if (source.unapplied_minor === amountMinor) await endUnapplied(tx, act, receiptId, 'allocated');
}

/**
 * Money for an invoice that was given up: booked as a recovery, without a run of the case. Once all of it has come the
 * invoice is settled (design, "An invoice's life").
 */
async function recover(
  tx: Tx,
  act: Act,
  invoice: Awaited<ReturnType<typeof lockInvoice>>,
  money: { allocationId: string; receiptId: string; amountMinor: bigint; rule: string; today: LocalDate },
): Promise<string> {
  const { id: invoiceId, currency, customer_id: customerId } = invoice;
  const { allocationId, receiptId, amountMinor, rule, today } = money;
  const entry = recovered({ allocationId, receiptId, invoiceId, customerId, amountMinor, currency });
  await post(tx, act, invoice.creditor_id, today, entry);
  const lostMinor = payableMinor(invoice) - amountMinor;
  await tx
    .updateTable('invoices')
    .set({
      recovered_minor: invoice.recovered_minor + amountMinor,
      stage: afterRecovery(lostMinor),
    })
    .where('id', '=', invoiceId)
    .execute();
  await settleVatRelief(tx, act, invoiceId, { on: today, against: 'recoveries', key: allocationId });
  const eventId = await appendEvent(tx, act, {
    invoiceId,
    kind: 'recovered',
    data: {
      allocationId,
      receiptId,
      amount: formatAmount(amountMinor, currency),
      lost: formatAmount(lostMinor, currency),
      currency,
      rule,
    },
    text: act.reason ?? null,
  });
  if (lostMinor === 0n) {
    await appendEvent(tx, act, { invoiceId, kind: 'settled', data: { run: invoice.run, after: 'writeOff' } });
  }
  return eventId;
}

/** Why an allocation is taken back, as a code: the timeline and the reversal's row show it. */
export type ReversalReason = 'returned' | 'manual';

/**
 * Takes an allocation back to the cent, the difference it tolerated included; the money or credit is unapplied again. A
 * closed case is reopened at its former stage, an open one is told. Locks the customer, the receipt or credit note, the
 * invoice. Throws `notFound` and, when it was taken back before, `alreadyReversed`.
 */
export async function undoAllocation(tx: Tx, act: Act, allocationId: string, why: ReversalReason): Promise<string> {
  const allocation = await tx.selectFrom('allocations').selectAll().where('id', '=', allocationId).executeTakeFirst();
  if (!allocation) throw new DomainError('notFound', 'There is no such allocation.');
  const { receipt_id: receiptId, credit_note_id: creditNoteId, invoice_id: invoiceId } = allocation;
  await lockCustomersConcerned(tx, invoiceId, null);
  const receipt = receiptId === null ? null : await lockReceipt(tx, receiptId);
  if (creditNoteId !== null) await lockCreditNote(tx, creditNoteId);
  const invoice = await lockInvoice(tx, invoiceId);

  const today = await creditorsDate(tx, act, allocation.creditor_id);
  const reversal = await tx
    .insertInto('allocation_reversals')
    .values({ allocation_id: allocationId, reason: why, on_date: today, actor: act.actor, at: instant(act.at) })
    .onConflict((conflict) => conflict.column('allocation_id').doNothing())
    .executeTakeFirst();
  if (reversal.numInsertedOrUpdatedRows !== 1n) {
    throw new DomainError('alreadyReversed', 'The allocation was taken back before.');
  }
  if (receipt) await unlearnPayer(tx, receipt, invoice.customer_id);
  if (receipt && why === 'manual') await takeInHand(tx, receipt.id);
  const postings = corrected(
    await postingsOf(tx, allocation.creditor_id, `allocation:${allocationId}`),
    await correctionsOf(tx, allocation.creditor_id, allocationId),
  );
  const { currency } = invoice;
  const amountMinor = allocation.amount_minor;
  const sumOf = (account: string): bigint =>
    postings.reduce((sum, posting) => (posting.account === account ? sum - posting.amountMinor : sum), 0n);
  const restored = sumOf('receivable');
  const parts = {
    interest: sumOf('interest'),
    compensation: sumOf('compensation'),
    costs: sumOf('costs'),
    principal: 0n,
  };
  // Beside a principal that is open the claim is worked out anew each time; beside a paid one it is kept.
  const claimedMinor = restored > 0n || invoice.balance_minor > 0n ? 0n : invoice.accessories_minor + sumOfParts(parts);
  await keepAccessories(tx, invoice, claimedMinor);
  await post(tx, act, allocation.creditor_id, today, allocationUndone(allocationId, postings));

  if (postings.some(({ account }) => account === 'recoveries'))
    await takeRecoveryBack(tx, act, invoice, { amountMinor, allocationId }, today);
  const after = await lockInvoice(tx, invoiceId);
  const principalMinor = amountMinor - sumOfParts(parts);
  const eventId = await appendEvent(tx, act, {
    invoiceId,
    kind: 'allocationReversed',
    data: {
      allocationId,
      ...(receiptId === null ? { creditNoteId } : { receiptId }),
      amount: formatAmount(amountMinor, currency),
      ...(principalMinor < amountMinor ? { ...partsData(parts, currency) } : {}),
      ...(principalMinor < amountMinor ? { principal: formatAmount(principalMinor, currency) } : {}),
      ...claimedChange(invoice.accessories_minor, claimedMinor, currency),
      ...(restored > principalMinor ? { difference: formatAmount(restored - principalMinor, currency) } : {}),
      balance: formatAmount(after.balance_minor, currency),
      currency,
      why,
    },
    text: act.reason ?? null,
  });
  await cancelChaseTasks(tx, act, [invoiceId], 'allocationReversed');
  const reopened = await reopenCase(tx, act, invoiceId);
  if (!reopened) await signalCase(tx, invoiceId, 'allocationReversed', eventId);
  await tellAgencyOfBalance(tx, act, invoiceId, { balanceMinor: after.balance_minor, currency });
  await wakePlanMates(tx, act, invoiceId);
  await pokeOutreach(tx, invoice.customer_id);
  if (receiptId !== null && why === 'manual') {
    await openTask(tx, act, {
      creditorId: allocation.creditor_id,
      kind: 'unappliedCash',
      key: `unappliedCash:${receiptId}:${allocationId}`,
      receiptId,
      customerId: invoice.customer_id,
      subject: `${formatAmount(amountMinor, currency)} ${currency} are unapplied again`,
      data: { amount: formatAmount(amountMinor, currency), currency, reason: 'allocationReversed', invoiceId },
      dueAt: act.at,
    });
  }
  return eventId;
}

/**
 * Money that had come for an invoice given up went back: it is lost again, or, where the case was reopened meanwhile, owed
 * again.
 */
async function takeRecoveryBack(
  tx: Tx,
  act: Act,
  invoice: Awaited<ReturnType<typeof lockInvoice>>,
  { amountMinor, allocationId }: { amountMinor: bigint; allocationId: string },
  today: LocalDate,
): Promise<void> {
  await tx
    .updateTable('invoices')
    .set({
      recovered_minor: invoice.recovered_minor - amountMinor,
      ...(isOpenStage(invoice.stage) || invoice.balance_minor > 0n ? {} : { stage: 'writtenOff' as const }),
    })
    .where('id', '=', invoice.id)
    .execute();
  await settleVatRelief(tx, act, invoice.id, { on: today, against: 'recoveries', key: `back:${allocationId}` });
  if (isOpenStage(invoice.stage)) await undoWriteOff(tx, act, invoice.id, today);
}

/** What of the invoice need not be paid beside this payment: by the policy that the case pins, its terms, or its bank. */
async function givenUpBy(
  tx: Tx,
  invoice: Awaited<ReturnType<typeof lockInvoice>>,
  on: LocalDate,
  principalMinor: bigint,
  { bankFeesMinor = 0n }: { bankFeesMinor?: bigint },
): Promise<GivenUp | null> {
  const restMinor = invoice.balance_minor - principalMinor;
  if (restMinor === 0n) return null;
  if (restMinor === bankFeesMinor) return { account: 'bankFees', amountMinor: restMinor };
  const pinned = await findPolicy(tx, invoice.creditor_id, invoice.policy_name, invoice.policy_version);
  const { discount_minor: amountMinor, discount_until: until } = invoice;
  const settling = {
    amountMinor: invoice.amount_minor,
    balanceMinor: invoice.balance_minor,
    discount: amountMinor === null || until === null ? null : { until, amountMinor },
    toleranceMinor: (pinned && amountFor(pinned.policy.tolerance, invoice.currency)) ?? 0n,
  };
  return givenUpWith(settling, on, principalMinor);
}
