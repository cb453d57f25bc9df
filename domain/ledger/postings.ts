/**
 * The journal's entries, as pure functions: every movement of money is a set of signed postings (debit +, credit −) that
 * add up to zero in each currency (design rule 7). The database writes them and keeps them; it never invents one.
 */
export type Account =
  | 'receivable'
  | 'sales'
  | 'bank'
  | 'agency'
  | 'unappliedCash'
  | 'creditNotes'
  | 'unappliedCredit'
  | 'differences'
  | 'losses'
  | 'recoveries'
  | 'interest'
  | 'compensation'
  | 'costs'
  | 'interestWaived'
  | 'vat'
  | 'allowance'
  | 'allowanceExpense'
  | 'allowanceReleased'
  | 'discounts'
  | 'bankFees'
  | 'setAside';

export interface Posting {
  account: Account;
  /** Signed minor units of `currency`, never zero: debit +, credit −. */
  amountMinor: bigint;
  currency: string;
  invoiceId: string | null;
  customerId: string | null;
  receiptId: string | null;
  creditNoteId: string | null;
}

export type EntryKind =
  | 'invoiceRegistered'
  | 'received'
  | 'allocated'
  | 'allocationUndone'
  | 'returned'
  | 'creditNoted'
  | 'creditAllocated'
  | 'writtenOff'
  | 'writeOffUndone'
  | 'recovered'
  | 'agencyRemitted'
  | 'agencyRemittanceUndone'
  | 'accessoriesWaived'
  | 'interestCorrected'
  | 'vatRelieved'
  | 'vatDueAgain'
  | 'markedDoubtful'
  | 'doubtfulEnded'
  | 'bankFeeCharged'
  | 'putAside'
  | 'putAsideUndone';

/** A balanced entry; `key` makes it unique in the creditor's journal. */
export interface Entry {
  kind: EntryKind;
  key: string;
  postings: Posting[];
}

interface Amount {
  /** Positive minor units. */
  amountMinor: bigint;
  currency: string;
}

type InvoiceRef = Amount & { invoiceId: string; customerId: string };
type ReceiptRef = Amount & { receiptId: string };
type CreditRef = Amount & { creditNoteId: string; customerId: string };

/** An invoice becomes known: the customer owes it. */
export function invoiceRegistered(invoice: InvoiceRef): Entry {
  return entry('invoiceRegistered', `invoice:${invoice.invoiceId}`, [
    line('receivable', invoice.amountMinor, invoice),
    line('sales', -invoice.amountMinor, { currency: invoice.currency, customerId: invoice.customerId }),
  ]);
}

/**
 * Money reaches the bank, or an agency that collects for the creditor; whom it is from and what it is for is a second
 * question.
 */
export function received(receipt: ReceiptRef & { account?: 'bank' | 'agency' }): Entry {
  return entry('received', `receipt:${receipt.receiptId}`, [
    line(receipt.account ?? 'bank', receipt.amountMinor, { currency: receipt.currency, receiptId: receipt.receiptId }),
    line('unappliedCash', -receipt.amountMinor, receipt),
  ]);
}

/** Money goes back to the payer: it must be unapplied by then. */
export function returned(back: ReceiptRef & { returnId: string }): Entry {
  return entry('returned', `return:${back.returnId}`, [
    line('unappliedCash', back.amountMinor, { currency: back.currency, receiptId: back.receiptId }),
    line('bank', -back.amountMinor, { currency: back.currency, receiptId: back.receiptId }),
  ]);
}

/** The bank keeps a fee for a return: it is no customer's. */
export function bankFeeCharged(fee: ReceiptRef & { returnId: string }): Entry {
  const { amountMinor, currency, receiptId, returnId } = fee;
  return entry('bankFeeCharged', `bankFee:${returnId}`, [
    line('bankFees', amountMinor, { currency, receiptId }),
    line('bank', -amountMinor, { currency, receiptId }),
  ]);
}

/** Money that is none of the invoices', such as a tax refund, leaves the worklist. `n` counts the times from 1. */
export function putAside(aside: ReceiptRef & { n: number }): Entry {
  const { amountMinor, currency, receiptId } = aside;
  return entry('putAside', `putAside:${receiptId}:${aside.n}`, [
    line('unappliedCash', amountMinor, { currency, receiptId }),
    line('setAside', -amountMinor, { currency, receiptId }),
  ]);
}

/** It is on the worklist again. */
export function putAsideUndone(aside: ReceiptRef & { n: number }): Entry {
  const { amountMinor, currency, receiptId } = aside;
  return entry('putAsideUndone', `putAsideUndone:${receiptId}:${aside.n}`, [
    line('setAside', amountMinor, { currency, receiptId }),
    line('unappliedCash', -amountMinor, { currency, receiptId }),
  ]);
}

/** An agency sends on what it collected: money at the bank that was nobody's yet is now its. */
export function agencyRemitted(remittance: ReceiptRef & { remittanceId: string }): Entry {
  const { amountMinor, currency, receiptId, remittanceId } = remittance;
  return entry('agencyRemitted', `remittance:${remittanceId}`, [
    line('unappliedCash', amountMinor, { currency, receiptId }),
    line('agency', -amountMinor, { currency, receiptId }),
  ]);
}

/** The bank took back what an agency had sent on: the agency has it again. */
export function agencyRemittanceUndone(remittance: ReceiptRef & { remittanceId: string }): Entry {
  const { amountMinor, currency, receiptId, remittanceId } = remittance;
  return entry('agencyRemittanceUndone', `remittanceUndone:${remittanceId}`, [
    line('agency', amountMinor, { currency, receiptId }),
    line('unappliedCash', -amountMinor, { currency, receiptId }),
  ]);
}

/** The creditor takes back part of what it billed; like money, it is first unapplied. */
export function creditNoted(credit: CreditRef): Entry {
  return entry('creditNoted', `creditNote:${credit.creditNoteId}`, [
    line('creditNotes', credit.amountMinor, { currency: credit.currency, customerId: credit.customerId }),
    line('unappliedCredit', -credit.amountMinor, credit),
  ]);
}

/** What of a payment extinguishes interest, compensation and costs; minor units, not negative. */
export type Accessories = Readonly<Record<'interest' | 'compensation' | 'costs', bigint>>;

export const NO_ACCESSORIES: Accessories = { interest: 0n, compensation: 0n, costs: 0n };

const ACCESSORIES = ['interest', 'compensation', 'costs'] as const;

export interface AllocationRef extends InvoiceRef {
  allocationId: string;
  /** Parts of `amountMinor` that are no principal: the invoice's balance stays as it is by so much. */
  accessories?: Accessories;
  from: { receiptId: string } | { creditNoteId: string; customerId: string };
  /** What is left of the invoice and is given up with this payment; null when nothing is. */
  givenUp: GivenUp | null;
}

/** A part of an invoice that its payer need not pay, and the account of the reason. */
export interface GivenUp {
  account: 'differences' | 'discounts' | 'bankFees';
  /** Positive minor units. */
  amountMinor: bigint;
}

/** Money or credit is assigned to an invoice, and with it what is given up: a tolerated difference, a discount taken in time. */
export function allocated(allocation: AllocationRef): Entry {
  const { amountMinor, currency, customerId, givenUp, from } = allocation;
  const paid = 'receiptId' in from;
  const accessories = allocation.accessories ?? NO_ACCESSORIES;
  const principalMinor = ACCESSORIES.reduce((rest, part) => rest - accessories[part], amountMinor);
  const postings = [
    line(paid ? 'unappliedCash' : 'unappliedCredit', amountMinor, { currency, ...from }),
    ...(principalMinor === 0n ? [] : [line('receivable', -principalMinor, allocation)]),
    ...ACCESSORIES.filter((part) => accessories[part] > 0n).map((part) =>
      line(part, -accessories[part], { currency, customerId, invoiceId: allocation.invoiceId }),
    ),
  ];
  if (givenUp !== null) {
    postings.push(
      line(givenUp.account, givenUp.amountMinor, { currency, customerId, invoiceId: allocation.invoiceId }),
      line('receivable', -givenUp.amountMinor, allocation),
    );
  }
  return entry(paid ? 'allocated' : 'creditAllocated', `allocation:${allocation.allocationId}`, postings);
}

/**
 * Interest, compensation or costs that were claimed are waived: booked as claimed and given up at once, so that the
 * books show what was dropped and the profit does not change. `n` counts the waivers of the invoice from 1.
 */
export function accessoriesWaived(
  waiver: Omit<InvoiceRef, 'amountMinor'> & { accessories: Accessories; n: number },
): Entry {
  const { currency, customerId, invoiceId, accessories } = waiver;
  const where = { currency, customerId, invoiceId };
  const parts = ACCESSORIES.filter((part) => accessories[part] > 0n);
  return entry('accessoriesWaived', `waiver:${invoiceId}:${waiver.n}`, [
    line(
      'interestWaived',
      parts.reduce((sum, part) => sum + accessories[part], 0n),
      where,
    ),
    ...parts.map((part) => line(part, -accessories[part], where)),
  ]);
}

/**
 * A credit note dated before a payment shows that less interest had run than was paid: what was too much counts for the
 * principal, from the day of the payment. `n` counts the corrections of the allocation from 1.
 */
export function interestCorrected(correction: InvoiceRef & { allocationId: string; n: number }): Entry {
  const { amountMinor, currency, customerId, invoiceId } = correction;
  return entry('interestCorrected', `interestCorrected:${correction.allocationId}:${correction.n}`, [
    line('interest', amountMinor, { currency, customerId, invoiceId }),
    line('receivable', -amountMinor, correction),
  ]);
}

/** What is left of an invoice is given up: a loss. `n` counts the write-offs of the invoice from 1. */
export function writtenOff(invoice: InvoiceRef & { n: number }): Entry {
  const { amountMinor, currency, customerId, invoiceId } = invoice;
  return entry('writtenOff', `writeOff:${invoiceId}:${invoice.n}`, [
    line('losses', amountMinor, { currency, customerId, invoiceId }),
    line('receivable', -amountMinor, invoice),
  ]);
}

/** What was given up is owed again: the case is reopened. The amount is what was not recovered meanwhile. */
export function writeOffUndone(invoice: InvoiceRef & { n: number }): Entry {
  const { amountMinor, currency, customerId, invoiceId } = invoice;
  return entry('writeOffUndone', `writeOffUndone:${invoiceId}:${invoice.n}`, [
    line('receivable', amountMinor, invoice),
    line('losses', -amountMinor, { currency, customerId, invoiceId }),
  ]);
}

/** Money that comes for an invoice after it was given up. */
export function recovered(recovery: InvoiceRef & { allocationId: string; receiptId: string }): Entry {
  const { amountMinor, currency, customerId, invoiceId, receiptId } = recovery;
  return entry('recovered', `allocation:${recovery.allocationId}`, [
    line('unappliedCash', amountMinor, { currency, receiptId }),
    line('recoveries', -amountMinor, { currency, customerId, invoiceId }),
  ]);
}

/**
 * The VAT of a loss comes back from the tax office: the loss is smaller by so much (CGI 272-1). `n` counts the corrections of
 * the invoice from 1.
 */
export function vatRelieved(relief: InvoiceRef & { n: number }): Entry {
  const { amountMinor, currency, customerId, invoiceId } = relief;
  return entry('vatRelieved', `vatRelief:${invoiceId}:${relief.n}`, [
    line('vat', amountMinor, { currency, customerId, invoiceId }),
    line('losses', -amountMinor, { currency, customerId, invoiceId }),
  ]);
}

/**
 * VAT that came back is due again, since what was given up was paid or is owed after all; negative where that was undone.
 * `against`: whose income or loss it lessens. `key` makes it unique.
 */
export function vatDueAgain(due: InvoiceRef & { against: 'recoveries' | 'losses'; key: string }): Entry {
  const { amountMinor, currency, customerId, invoiceId } = due;
  return entry('vatDueAgain', `vatDueAgain:${due.key}`, [
    line(due.against, amountMinor, { currency, customerId, invoiceId }),
    line('vat', -amountMinor, { currency, customerId, invoiceId }),
  ]);
}

/** What is open of an invoice is held to be doubtful, with an allowance. `n` counts the times from 1, here and at its end. */
export function markedDoubtful(claim: InvoiceRef & { n: number }): Entry {
  const { amountMinor, currency, customerId, invoiceId } = claim;
  return entry('markedDoubtful', `doubtful:${invoiceId}:${claim.n}`, [
    line('allowanceExpense', amountMinor, { currency, customerId, invoiceId }),
    line('allowance', -amountMinor, { currency, customerId, invoiceId }),
  ]);
}

/** A claim is not doubtful any more, since it is paid, lost or better than it looked: its allowance is released. */
export function doubtfulEnded(claim: InvoiceRef & { n: number }): Entry {
  const { amountMinor, currency, customerId, invoiceId } = claim;
  return entry('doubtfulEnded', `doubtfulEnded:${invoiceId}:${claim.n}`, [
    line('allowance', amountMinor, { currency, customerId, invoiceId }),
    line('allowanceReleased', -amountMinor, { currency, customerId, invoiceId }),
  ]);
}

/** The postings of an allocation and of the corrections of its interest as one: what it extinguishes by now. */
export function corrected(postings: readonly Posting[], corrections: readonly (readonly Posting[])[]): Posting[] {
  const merged = postings.map((posting) => ({ ...posting }));
  for (const correction of corrections.flat()) {
    const same = merged.find(({ account }) => account === correction.account);
    if (same) same.amountMinor += correction.amountMinor;
    else merged.push({ ...correction });
  }
  return merged.filter(({ amountMinor }) => amountMinor !== 0n);
}

/** Takes an allocation back to the cent, what was given up with it included: the same postings with the other sign. */
export function allocationUndone(allocationId: string, postings: readonly Posting[]): Entry {
  return entry(
    'allocationUndone',
    `reversal:${allocationId}`,
    postings.map((posting) => ({ ...posting, amountMinor: -posting.amountMinor })),
  );
}

/** Whether the postings add up to zero in each currency. */
export function balances(postings: readonly Posting[]): boolean {
  const sums = new Map<string, bigint>();
  for (const { currency, amountMinor } of postings) sums.set(currency, (sums.get(currency) ?? 0n) + amountMinor);
  return [...sums.values()].every((sum) => sum === 0n);
}

interface Where {
  currency: string;
  invoiceId?: string;
  customerId?: string;
  receiptId?: string;
  creditNoteId?: string;
}

function line(account: Account, amountMinor: bigint, where: Where): Posting {
  return {
    account,
    amountMinor,
    currency: where.currency,
    invoiceId: where.invoiceId ?? null,
    customerId: where.customerId ?? null,
    receiptId: where.receiptId ?? null,
    creditNoteId: where.creditNoteId ?? null,
  };
}

function entry(kind: EntryKind, key: string, postings: Posting[]): Entry {
  if (postings.some((posting) => posting.amountMinor === 0n) || !balances(postings)) {
    throw new RangeError(`The postings of ${key} do not balance.`);
  }
  return { kind, key, postings };
}
