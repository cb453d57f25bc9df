import type { Account, EntryKind } from '../ledger/postings.ts';
import { proportion } from '../money.ts';
import { isOfCustomer, JOURNAL_OF, type BookAccount, type BookJournal, type Chart } from './chart.ts';

/** An invoice as its entries need it; amounts in minor units. */
export interface BookInvoice {
  number: string;
  issuedOn: string;
  grossMinor: bigint;
  /** All VAT on it; 0 where none is known. */
  vatMinor: bigint;
  /** What had been extinguished of it by entries before this one: paid, credited, given up, less what came back. */
  extinguishedMinor: bigint;
  /** Of that, by credit notes. */
  creditedMinor: bigint;
  /** What of a loss had come all the same. */
  recoveredMinor: bigint;
  /** It is held to be doubtful when the entry is written. */
  doubtful: boolean;
}

/** An entry of the journal with all that an export says of it. */
export interface BookEntry {
  kind: EntryKind;
  onDate: string;
  currency: string;
  /** Numbered within its journal and financial year when it was first exported. */
  number: number;
  validatedOn: string;
  /** The document it rests on: an invoice, a credit note, a receipt. */
  piece: string;
  pieceOn: string;
  /** Signed minor units: debit +, credit −. */
  postings: readonly { account: Account; amountMinor: bigint }[];
  invoice: BookInvoice | null;
  customer: { reference: string; name: string } | null;
}

/** One line of an exported entry. */
export interface BookLine {
  journal: BookJournal;
  account: BookAccount;
  customer: { reference: string; name: string } | null;
  text: string;
  amountMinor: bigint;
}

/**
 * The lines of an entry in the creditor's books: its postings, with the VAT of the invoice split off. VAT is a share of each
 * amount, rounded so that the shares of all amounts of an invoice add up to its VAT: what an entry takes is the share of
 * all up to and with it less the share of all before it.
 */
export function bookLines(entry: BookEntry, chart: Pick<Chart, 'vatDueOn'>): BookLine[] {
  const sums = new Map<BookAccount, bigint>();
  const add = (account: BookAccount, amountMinor: bigint): void => {
    sums.set(account, (sums.get(account) ?? 0n) + amountMinor);
  };
  for (const { account, amountMinor } of entry.postings) add(account, amountMinor);
  for (const { from, to, amountMinor } of vatMoves(entry, chart.vatDueOn)) {
    add(from, -amountMinor);
    add(to, amountMinor);
  }
  for (const { from, to, amountMinor } of doubtMoves(entry)) {
    add(from, -amountMinor);
    add(to, amountMinor);
  }
  const text = textOf(entry);
  return [...sums]
    .filter(([, amountMinor]) => amountMinor !== 0n)
    .map(([account, amountMinor]) => ({
      journal: JOURNAL_OF[entry.kind],
      account,
      customer: isOfCustomer(account) ? entry.customer : null,
      text,
      amountMinor,
    }));
}

interface Move {
  from: BookAccount;
  to: BookAccount;
  /** Signed: debit of `to`, credit of `from`. */
  amountMinor: bigint;
}

/** What of an entry is VAT, and between which accounts it moves (CGI 269-2: when VAT falls due; BOI-TVA-DED-40-10-20). */
function vatMoves(entry: BookEntry, dueOn: Chart['vatDueOn']): Move[] {
  const { invoice } = entry;
  if (invoice === null || invoice.vatMinor === 0n) return [];
  const sum = (account: Account): bigint =>
    entry.postings.reduce((total, p) => (p.account === account ? total + p.amountMinor : total), 0n);
  const share = (amountMinor: bigint): bigint => proportion(invoice.vatMinor, amountMinor, invoice.grossMinor);
  const due: BookAccount = dueOn === 'debits' ? 'vat' : 'vatPending';
  if (entry.kind === 'invoiceRegistered') return [{ from: due, to: 'sales', amountMinor: invoice.vatMinor }];

  const moves: Move[] = [];
  const credited = sum('unappliedCredit');
  const step = (before: bigint, amount: bigint): bigint => share(before + amount) - share(before);
  if (dueOn === 'debits') {
    // Only a credit note takes VAT back by itself; a loss does by its own correction (`vatRelieved`).
    if (credited !== 0n) {
      moves.push({ from: 'creditNotes', to: 'vat', amountMinor: step(invoice.creditedMinor, credited) });
    }
    // A discount that was taken lessens what is taxed (CGI 267-II-1°); undone, exactly what it had taken comes back.
    const discount = sum('discounts');
    if (discount !== 0n) {
      const before = discount > 0n ? invoice.creditedMinor : invoice.creditedMinor - discount;
      moves.push({ from: 'discounts', to: 'vat', amountMinor: step(before, discount) });
    }
    return moves;
  }
  // VAT on receipts: pending until the money comes, and gone with what never will.
  let before = invoice.extinguishedMinor;
  const parts: [account: BookAccount, amount: bigint][] = [
    ['creditNotes', credited],
    ['differences', sum('differences')],
    ['discounts', sum('discounts')],
    ['bankFees', sum('bankFees')],
    ['losses', sum('losses')],
  ];
  const extinguished = -sum('receivable');
  const paid = parts.reduce((rest, [, amount]) => rest - amount, extinguished);
  for (const [account, amount] of [['vat', paid] as const, ...parts]) {
    const amountMinor = step(before, amount);
    before += amount;
    if (amountMinor !== 0n) moves.push({ from: account, to: 'vatPending', amountMinor });
  }
  // Money after a loss: its VAT falls due with it.
  const recovered = -sum('recoveries');
  if (recovered !== 0n) {
    moves.push({ from: 'vat', to: 'recoveries', amountMinor: step(invoice.recoveredMinor, recovered) });
  }
  return moves;
}

/** What stands in the account of doubtful receivables: all that is open while an invoice is (PCG 416). */
function doubtMoves({ kind, invoice, postings }: BookEntry): Move[] {
  if (invoice === null) return [];
  const openMinor = invoice.grossMinor - invoice.extinguishedMinor;
  if (kind === 'markedDoubtful') return [{ from: 'receivable', to: 'doubtful', amountMinor: openMinor }];
  if (kind === 'doubtfulEnded') return [{ from: 'doubtful', to: 'receivable', amountMinor: openMinor }];
  if (!invoice.doubtful) return [];
  const receivable = postings.reduce((sum, p) => (p.account === 'receivable' ? sum + p.amountMinor : sum), 0n);
  return [{ from: 'receivable', to: 'doubtful', amountMinor: receivable }];
}

/** French, as the books are. */
function textOf({ kind, piece, invoice }: BookEntry): string {
  const of = invoice === null ? piece : invoice.number;
  switch (kind) {
    case 'invoiceRegistered':
      return `Facture ${of}`;
    case 'creditNoted':
      return `Avoir ${piece}`;
    case 'received':
      return 'Encaissement';
    case 'returned':
      return 'Rejet ou remboursement';
    case 'agencyRemitted':
      return 'Reversement du recouvreur';
    case 'agencyRemittanceUndone':
      return 'Reversement du recouvreur annulé';
    case 'allocated':
      return `Règlement facture ${of}`;
    case 'creditAllocated':
      return `Imputation d’avoir sur facture ${of}`;
    case 'allocationUndone':
      return `Annulation d’imputation facture ${of}`;
    case 'writtenOff':
      return `Créance irrécouvrable facture ${of}`;
    case 'writeOffUndone':
      return `Annulation de perte facture ${of}`;
    case 'recovered':
      return `Rentrée sur créance amortie facture ${of}`;
    case 'accessoriesWaived':
      return `Abandon d’intérêts facture ${of}`;
    case 'interestCorrected':
      return `Régularisation d’intérêts facture ${of}`;
    case 'vatRelieved':
      return `TVA récupérée sur impayé facture ${of}`;
    case 'vatDueAgain':
      return `TVA de nouveau exigible facture ${of}`;
    case 'markedDoubtful':
      return `Créance douteuse facture ${of}`;
    case 'doubtfulEnded':
      return `Fin de créance douteuse facture ${of}`;
    case 'bankFeeCharged':
      return 'Frais de rejet';
    case 'putAside':
      return 'Encaissement hors clients';
    case 'putAsideUndone':
      return 'Encaissement hors clients annulé';
  }
}
